"""Running times from file headers that playback has proved too short."""

from __future__ import annotations

from ..database.transactions.database import Database
from . import queries


def disprove(db: Database, media_file_id: str, duration: float | None) -> None:
    """Forget a file's wrong running time, for all users, until its content changes.

    Does nothing if the file has another duration by now. Call inside a writer.
    """
    if db.run(queries.disprove_duration, db.now(), media_file_id, duration):
        db.run(queries.forget_duration_of_sessions, media_file_id, duration)
        db.run(queries.forget_duration_of_progress, media_file_id, duration)
