"""Backups of an SQLite store: written by SQLite's backup API, and read back from the copy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config.options import SqliteConfig
from ...errors import BackupError, CorruptStoreError, StoreBusyError, StoreFullError
from ..files import disk_errors, disk_fault, give_to_owner, refuse_full, remove, size_of, sync
from ..transactions.locks import file_lock
from .file import APPLICATION_ID, RESTORING, half_restored, lock_folder, marker
from .path import refuse_what_cannot_open
from .upkeep import make_ready

if TYPE_CHECKING:
    from .backend import SqliteBackend

_MOST_NAMED = 5  # problems in a message


SUFFIX = ".db"


def write(backend: SqliteBackend, config: object, path: Path) -> None:
    """Copy one snapshot of the store into an empty file, which needs no log as a backup.

    The counts of a copy of whole pages are its own: returns None.
    """
    connection = backend.borrow()
    try:
        backend.driver.copy(connection, path)
    except backend.driver.Error as exc:
        raise _why_not_copied(backend, path, exc) from exc
    finally:
        backend.give_back(connection)
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()


def _why_not_copied(backend: SqliteBackend, path: Path, error: BaseException) -> BaseException:
    """Return the error for a copy that failed: of the store's file, or of the disk of the copy."""
    found = backend.translate(error)
    if isinstance(found, (CorruptStoreError, StoreBusyError)):
        return found
    facts = backend.facts()
    try:
        refuse_full(path.parent, facts.size + facts.log_size)
    except StoreFullError as exc:  # the drivers do not say so alike
        return exc
    return disk_fault(path.parent) or BackupError(f"{path} could not be written: {error}")


def contents(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Check a copy as a whole; return its rows by table, and the last migration of each module.

    Reads the file only, so a folder that cannot be written to will do. Raises BackupError.
    """
    try:
        with _opened(path) as connection:
            _refuse_unsound(path, connection)
            names = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' "
                    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                    "AND name NOT LIKE 'search\\_index%' ESCAPE '\\' ORDER BY name"
                )
            ]
            return {name: _count(connection, name) for name in names}, _schema(connection, names)
    except sqlite3.Error as exc:
        raise BackupError(f"{path} is damaged: {exc}") from exc


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    log = path.with_name(path.name + "-wal")
    if size_of(log):
        raise BackupError(
            f"{path} is not a backup but a database with a log beside it ({log.name}): back it up "
            "with backups.create() instead"
        )
    uri = f"{Path(os.path.abspath(path)).as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        yield connection


def _refuse_unsound(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        raise BackupError(f"{path} is not a store of viewra_lite")
    problems = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_MOST_NAMED})")]
    if problems != ["ok"]:
        raise BackupError(f"{path} is damaged: {'; '.join(problems)}")
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_NAMED)
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise BackupError(f"{path}: rows of {tables} refer to rows that do not exist")


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    return int(connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0])


def _schema(connection: Any, tables: list[str]) -> dict[str, str]:
    prefix = "viewra_migrations_"
    return {
        name.removeprefix(prefix): row[0]
        for name in tables
        if name.startswith(prefix)
        and (row := connection.execute(f'SELECT max(name) FROM "{name}"').fetchone())[0]
    }


def restore(config: SqliteConfig, copy: Callable[[Path], object], stamp: str) -> str | None:
    """Put a copy of a checked backup in the store's place; return the folder of the old one.

    copy is called with the path to write to. Raises StoreBusyError if a process has the store open.
    """
    path = Path(os.path.abspath(config.database_path))
    if not path.exists():
        refuse_what_cannot_open(path)
    path = Path(os.path.realpath(path))
    path.parent.mkdir(exist_ok=True)  # and none above it, on the mount point of a missing disk
    try:
        with file_lock(lock_folder(path) / "open", wait_s=0):
            return _replaced(path, copy, stamp)
    except StoreBusyError as exc:
        raise StoreBusyError(f"{path} is open in a process: stop it, then restore") from exc


def _replaced(path: Path, copy: Callable[[Path], object], stamp: str) -> str | None:
    new = path.with_name(path.name + RESTORING)
    _remove_all(half_restored(path))
    try:
        with disk_errors(path.parent):
            copy(new)
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                make_ready(connection)
            sync(new)
            give_to_owner(new, path if path.exists() else path.parent)
    except BaseException:
        _remove_all(half_restored(path))
        raise
    aside = _moved_aside(path, stamp)
    os.rename(new, path)
    sync(path.parent)
    remove(marker(path))  # it describes the store before; opening this one writes another
    return None if aside is None else str(aside)


def _remove_all(files: list[Path]) -> None:
    for file in files:
        remove(file)


def _moved_aside(path: Path, stamp: str) -> Path | None:
    """Move the store before a restore aside; a log that a crash has left follows its database."""
    aside = path.with_name(f"{path.name}-before-restore-{stamp}")
    earlier = sorted(path.parent.glob(f"{path.name}-before-restore-*"))
    log = path.name + "-wal"
    if not os.path.lexists(path) and earlier and not os.path.lexists(earlier[-1] / log):
        aside = earlier[-1]
    return moved_aside(path, aside)


def moved_aside(path: Path, aside: Path) -> Path | None:
    """Move a database, its log, index and journal together to a folder; None without them.

    The database first: a crash leaves no store, which opening refuses, and never one without the
    newest commits, which are in its log.
    """
    files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))]
    files = [file for file in files if os.path.lexists(file)]
    if not files:
        return None
    free, number = aside, 1
    while any(os.path.lexists(free / file.name) for file in files):
        number += 1
        free = aside.with_name(f"{aside.name}-{number}")
    aside = free
    aside.mkdir(mode=0o700, exist_ok=True)
    for file in files:
        os.rename(file, aside / file.name)
        sync(aside)
        sync(path.parent)
    return aside
