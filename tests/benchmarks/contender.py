"""What every contender can do; each is in a file of its own.

This file imports next to nothing: it is part of what a fresh process of a peer has to load.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

# What the store sets its connections to (viewra_lite/database/sqlite/file.py), by default.
READER_PRAGMAS = {
    "busy_timeout": 10_000,
    "foreign_keys": 1,
    "cache_size": -8192,
    "mmap_size": 0,
    "temp_store": 2,
    "synchronous": 1,
}
WRITER_PRAGMAS = {**READER_PRAGMAS, "wal_autocheckpoint": 10_000}
BATCH = 500  # rows that a scan writes in one transaction, as the store does
PAGE = 1000  # files of a page of a whole library


def set_pragmas(connection: Any, pragmas: dict[str, int] = WRITER_PRAGMAS) -> None:
    """Set a connection to what the store sets its own to."""
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name}={value}").close()


class Contender:
    """A way to a store; calls may come from any thread."""

    def __init__(self, path: str) -> None:
        self.path = path

    def close(self) -> None:
        """Close every connection of this thread."""

    def leave_thread(self) -> None:
        """Give up what this thread holds; called at its end."""

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        """Return facts in the form that scan() and rescan() take; not measured."""
        raise NotImplementedError

    def scan(self, library_id: str, taken: Any) -> None:
        """Write the files of a library that knows none of them."""
        raise NotImplementedError

    def rescan(self, library_id: str, taken: Any) -> None:
        """Write files that are known already and have not changed."""
        raise NotImplementedError

    # Reading; what is returned is complete

    def file(self, id: str) -> Any:
        """Return a file."""
        raise NotImplementedError

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        """Return the first movies of a library by title, with their files, JSON decoded."""
        raise NotImplementedError

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        """Return a user's latest plays."""
        raise NotImplementedError

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        """Yield the pages of a library's files, by path."""
        raise NotImplementedError

    # Playing; a transaction each

    def sessions(self, numbers: Sequence[int]) -> list[str]:
        """Begin sessions of the files of these numbers, and return their ids; not measured."""
        from . import rows

        ids = [rows.new_id() for _ in numbers]
        connection = sqlite3.connect(self.path, isolation_level=None)
        set_pragmas(connection)
        for id, number in zip(ids, numbers):
            values = rows.session(id, number, rows.now_text())
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(
                f"INSERT INTO playback_sessions ({', '.join(values)}) VALUES ({marks})", values
            )
        connection.close()
        return ids

    def heartbeat(self, session_id: str, position: float) -> None:
        """Report where a session is, and with it the user."""
        raise NotImplementedError

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        """Report where a user is in a file."""
        raise NotImplementedError

    # For the checks

    def selected(self, sql: str, *params: Any) -> list[Any]:
        """Ask the database on a connection beside the contender's own; not measured."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(sql, params).fetchall()
        finally:
            connection.close()

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        """Return what an item of a table holds, by column; not measured."""
        raise NotImplementedError

    def file_of(self, movie: Any) -> Any:
        """Return the file that a movie came with; not measured."""
        raise NotImplementedError
