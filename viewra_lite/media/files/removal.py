"""Removal of files: the row is deleted, the id is remembered."""

from __future__ import annotations

from ...database.orm.fields import timestamp_text
from ...database.transactions.database import Database
from . import queries


def forget_files(db: Database, ids: list[str]) -> None:
    """Delete files inside a writer; their watch state stays, and their ids can be restored."""
    now = timestamp_text(db.now())
    rows = db.all(queries.removable, ids)
    db.run_many(queries.insert_removed, [(*row, now) for row in rows])
    db.run(queries.delete_files, ids)
