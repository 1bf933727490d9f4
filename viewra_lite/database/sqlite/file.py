"""The file of an SQLite store before a connection opens it, and what a connection is set to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config.options import SqliteConfig
from ...errors import ConfigError, CorruptStoreError, StoreUnavailableError, ViewraError

if TYPE_CHECKING:
    from ..backend import Connection

APPLICATION_ID = 0x56575241  # "VWRA", so that file(1) and we ourselves know a store
STATEMENTS_KEPT = 256  # compiled, by each connection
# What guest code can change on a connection that its next borrower would feel. Reading a pragma
# costs a microsecond; setting one makes SQLite compile every cached statement anew.
_SETTINGS = (
    "PRAGMA foreign_keys",
    "PRAGMA query_only",
    "PRAGMA busy_timeout",
    "PRAGMA cache_size",
    "PRAGMA mmap_size",
    "PRAGMA temp_store",
    "PRAGMA wal_autocheckpoint",
    "PRAGMA locking_mode",
    "PRAGMA recursive_triggers",
    "PRAGMA ignore_check_constraints",
    "PRAGMA writable_schema",
    "PRAGMA reverse_unordered_selects",
    "PRAGMA read_uncommitted",
    "SELECT 'a' LIKE 'A'",
    "SELECT count(*) FROM pragma_database_list",
)


def reader_pragmas(config: SqliteConfig) -> dict[str, Any]:
    """Return what a reading connection is set to."""
    return {
        "busy_timeout": config.busy_timeout_ms,
        "foreign_keys": 1,
        "cache_size": -config.cache_size_kib,
        "mmap_size": config.mmap_size_mib << 20,
        "temp_store": 2,
        "synchronous": 1,
        "query_only": 1,
    }


def writer_pragmas(config: SqliteConfig) -> dict[str, Any]:
    """Return what the writing connection is set to."""
    # busy_timeout 0: SQLite's own back-off has no jitter, the write gate's has.
    return {
        **reader_pragmas(config),
        "busy_timeout": 0,
        "query_only": 0,
        "wal_autocheckpoint": config.wal_autocheckpoint_pages,
    }


def apply_pragmas(connection: Connection, pragmas: dict[str, Any]) -> None:
    """Set a connection's pragmas."""
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name}={value}")


def settings(connection: Connection) -> list[Any]:
    """Return what guest code may have changed, to compare it with what it was."""
    return [connection.execute(sql).fetchone() for sql in _SETTINGS]


def lock_folder(path: Path) -> Path:
    """Return the folder of the locks between processes."""
    return path.with_name(path.name + "-lock")


def marker(path: Path) -> Path:
    """Return the note that a store was in a file."""
    return lock_folder(path) / "store"


def make_file(path: Path) -> None:
    """Create an empty file readable to us alone, and its folder, where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise StoreUnavailableError(f"{path} cannot be created: {exc.strerror}") from exc


def refuse_what_cannot_open(path: Path) -> None:
    """Say why SQLite would answer "unable to open database file", which stands for ten causes."""
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder: database_path must name a file")
        if path.is_symlink() and not path.exists():
            raise StoreUnavailableError(
                f"{path} is a link to {os.readlink(path)}, which is not there"
            )
        if os.path.lexists(path):
            _refuse_file(path)
        _refuse_folder(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be used as database_path: {exc.strerror}") from exc


def refuse_emptied(path: Path) -> None:
    """Raise CorruptStoreError for a file that is empty although the note says it was a store."""
    if path.stat().st_size == 0 and marker(path).exists():
        raise CorruptStoreError(
            f"{path} is empty, but a store was there: restore a backup, or remove "
            f"{lock_folder(path)} to start anew"
        )


def not_a_database(path: Path) -> ViewraError:
    """Return the error for a file that SQLite does not take for one of its own."""
    if marker(path).exists():
        return CorruptStoreError(f"{path} is damaged (not an SQLite database): restore a backup")
    return ConfigError(
        f"{path} is not an SQLite database: database_path must name one, or a file to be made. "
        "If a store was in it, restore a backup"
    )


def refuse_foreign(
    connection: Connection, path: Path, adoptable: Callable[[Any], bool] | None
) -> bool:
    """Raise ConfigError for the database of another program; return whether ours is marked so."""
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found not in (0, APPLICATION_ID):
        raise ConfigError(f"{path} belongs to another program (application_id {found:#x})")
    if found == 0 and tables and not (adoptable and adoptable(connection)):
        raise ConfigError(f"{path} holds the tables of another program")
    return bool(mode == "wal" and found)


def _refuse_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"{path} is not a regular file: database_path must name one")
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreUnavailableError(f"{path} cannot be read and written: permission denied")


def _refuse_folder(path: Path) -> None:
    """Look at the folder, or at the nearest one above that exists."""
    folder = path.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder: database_path cannot lie in it")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreUnavailableError(f"{folder} cannot be written to: permission denied")
