"""Rows and questions that the tests of the plumbing use: the simplest table there is."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from viewra_lite.database.orm.statements import statement
from viewra_lite.media.models import MediaLibrary

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=timezone.utc)


@statement
def insert_library(id, name, path, now):
    return MediaLibrary.insert(
        {
            MediaLibrary.id: id,
            MediaLibrary.name: name,
            MediaLibrary.path: path,
            MediaLibrary.type: "movie",
            MediaLibrary.scan_interval: 0,
            MediaLibrary.created_at: now,
            MediaLibrary.updated_at: now,
        }
    )


@statement
def library_by_id(id):
    return MediaLibrary.select().where(MediaLibrary.id == id)


@statement
def interval_of(id):
    return MediaLibrary.select(MediaLibrary.scan_interval).where(MediaLibrary.id == id).tuples()


@statement
def set_interval(interval, id):
    return MediaLibrary.update({MediaLibrary.scan_interval: interval}).where(MediaLibrary.id == id)


def add(store: Any, id: str) -> None:
    """Insert a row through a compiled statement."""
    store.media.db.run(insert_library, id, id, f"/{id}", NOW)


def add_by_peewee(id: str, **values: Any) -> None:
    """Insert a row as guest code does."""
    row = {"name": id, "path": f"/{id}", "type": "movie", "created_at": NOW, "updated_at": NOW}
    MediaLibrary.insert(**{"id": id, **row, **values}).execute()


def ids(store: Any) -> list[str]:
    """Return the ids of all rows, in order."""
    with store.reader():
        return [row.id for row in MediaLibrary.select().order_by(MediaLibrary.id)]
