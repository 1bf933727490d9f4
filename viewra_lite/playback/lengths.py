"""The running time that a file's header says, until somebody plays on beyond it."""

from __future__ import annotations

from ..database.transactions.database import Database
from . import queries


def disprove(db: Database, media_file_id: str, duration: float | None) -> None:
    """Note that a file runs longer than it says: its running time is unknown, for all users.

    Until its content changes. Does nothing where the file says something else. Inside a writer.
    """
    if db.run(queries.disprove_duration, db.now(), media_file_id, duration):
        db.run(queries.forget_duration_of_sessions, media_file_id, duration)
        db.run(queries.forget_duration_of_progress, media_file_id, duration)
