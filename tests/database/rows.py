"""Rows and questions that the tests of the plumbing use: the simplest table there is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from viewra_lite.database.orm.statements import statement
from viewra_lite.media.models import MediaLibrary

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=timezone.utc)
WAIT_S = 20.0  # for another thread: only a test that fails waits for so long


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
    store._db.run(insert_library, id, id, f"/{id}", NOW)


def add_by_peewee(id: str, **values: Any) -> None:
    """Insert a row as guest code does."""
    row = {"name": id, "path": f"/{id}", "type": "movie", "created_at": NOW, "updated_at": NOW}
    MediaLibrary.insert(**{"id": id, **row, **values}).execute()


def ids(store: Any) -> list[str]:
    """Return the ids of all rows, in order."""
    with store.reader():
        return [row.id for row in MediaLibrary.select().order_by(MediaLibrary.id)]


def in_thread(action: Callable[[], Any]) -> Any:
    """Run action in a thread of its own; return what it returned, raise what it raised."""
    return in_threads(1, lambda number: action())[0]


def in_threads(count: int, action: Callable[[int], Any]) -> list[Any]:
    """Run action(number) in `count` threads at once; raise the first error."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            results[number] = action(number)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results
