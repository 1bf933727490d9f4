"""What is deleted of a file, and what stays."""

from __future__ import annotations

from ...database.orm.fields import timestamp_text
from ...database.sessions.sessions import Sessions
from . import queries


def forget_files(sessions: Sessions, ids: list[str]) -> None:
    """Delete files inside a writer; who watched them stays, and so does the way back to their id.
    """
    now = timestamp_text(sessions.now())
    rows = sessions.all(queries.removable, ids)
    sessions.run_many(queries.insert_removed, [(*row, now) for row in rows])
    sessions.run(queries.delete_files, ids)
