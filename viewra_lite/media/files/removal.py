"""What is deleted of a file, and what stays."""

from __future__ import annotations

from ...database.orm.fields import timestamp_text
from ...database.transactions.database import Database
from . import queries


def forget_files(db: Database, ids: list[str]) -> None:
    """Delete files inside a writer; watch state stays, and the row that restores their ids."""
    now = timestamp_text(db.now())
    rows = db.all(queries.removable, ids)
    db.run_many(queries.insert_removed, [(*row, now) for row in rows])
    db.run(queries.delete_files, ids)
