"""Filled databases of the store's own schema, made once and copied for each contender."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from . import rows
from .tables import names


def config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what Store.open() takes for a database; every option has its default."""
    return {"database": {"type": "sqlite", "database_path": str(path)}}


def make(
    path: Path, files: int, plays: int, users: int, *, movies: bool = True, search: bool = False
) -> Path:
    """Make a store with a known library of files and their movies, and a history of plays.

    search: what the movies are found by is in it too.
    """
    from viewra_lite import Store

    path.parent.mkdir(parents=True, exist_ok=True)
    Store.open(config(path)).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    library = dict.fromkeys(next(rows.libraries()))
    _fill(connection, "media_libraries", tuple(library), rows.libraries())
    _fill(connection, "media_files", names("media_files"), map(rows.file, range(files)))
    _fill(connection, "works", tuple(rows.work(0)), map(rows.work, range(files)))
    _fill(connection, "work_files", tuple(rows.work_file(0)), map(rows.work_file, range(files)))
    if movies:
        _fill(connection, "movies", names("movies"), map(rows.movie, range(files)))
    _fill(
        connection,
        "playback_history",
        names("playback_history"),
        (rows.play(number, users, files) for number in range(plays)),
    )
    connection.execute("COMMIT")
    connection.close()
    if search:
        _index(path)
    _settle(path)
    return path


def copy(template: Path, to: Path) -> Path:
    """Copy a database that nobody has open."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, to)
    with open(to, "rb") as copied:
        os.fsync(copied.fileno())  # or the first sync of what is measured would write all of it
    return to


def remove(path: Path) -> None:
    """Remove a database and what lies beside it."""
    for beside in ("", "-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    shutil.rmtree(path.with_name(path.name + "-lock"), ignore_errors=True)


def _fill(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    filling: Iterable[dict[str, Any]],
) -> None:
    told = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f":{column}" for column in columns)
    connection.executemany(f"INSERT INTO {table} ({told}) VALUES ({values})", filling)


def _index(path: Path) -> None:
    """Write what search() looks in, as adopting a foreign database does."""
    from viewra_lite import Store
    from viewra_lite.media.search import indexing

    with Store.open(config(path)) as store:
        reindex: Callable[..., None] = indexing.reindex
        reindex(store.media.db)


def _settle(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
