"""Removal of files: the row is deleted, the id is remembered."""

from __future__ import annotations

from ...database.transactions.database import Database
from . import events, queries


def forget_files(db: Database, ids: list[str]) -> None:
    """Delete files inside a writer; their watch state stays, and their ids can be restored."""
    now, rows = db.now(), db.all(queries.removable, ids)
    db.run_many(queries.insert_removed, [{**row._asdict(), "removed_at": now} for row in rows])
    places = db.all(queries.places, ids)
    db.run(queries.delete_files, ids)
    for file in places:
        events.record(db, "file.removed", [(file.id,)], library_id=file.library_id, path=file.path)
