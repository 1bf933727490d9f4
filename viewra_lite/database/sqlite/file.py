"""The file of an SQLite store: checks before it is opened, and the pragmas of a connection."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config.options import SqliteConfig
from ...errors import ConfigError, CorruptStoreError, StoreUnavailableError, ViewraError
from ..backend import DatabaseFacts
from ..files import disk_errors, size_of

if TYPE_CHECKING:
    from ..backend import Connection

APPLICATION_ID = 0x56575241  # "VWRA": identifies a store, also for file(1)
_PAGE_BYTES = 4096
STATEMENTS_KEPT = 256  # compiled statements that each connection caches
_KINDS = {
    b"\x1f\x8b": "a file packed by gzip (unpack it first)",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd (unpack it first)",
    b"PK\3\4": "a zip archive (unpack it first)",
    b"PGDMP": "a backup of a store on PostgreSQL",
    b"\x37\x7f\x06": "the log of a database",
    b"\xd9\xd5\x05\xf9": "the journal of a database",
}
# Settings that caller's code can change and that would affect the next borrower. Reading a pragma
# costs a microsecond; setting one makes SQLite recompile every cached statement.
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
    """Return the pragmas of a reading connection."""
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
    """Return the pragmas of the writing connection."""
    # busy_timeout 0: SQLite's back-off has no jitter, our retries have.
    return {
        **reader_pragmas(config),
        "busy_timeout": 0,
        "query_only": 0,
        "wal_autocheckpoint": config.wal_autocheckpoint_pages,
        # After a long reader has let it grow, the log is cut to this when it begins anew.
        "journal_size_limit": config.wal_autocheckpoint_pages * _PAGE_BYTES,
    }


def apply_pragmas(connection: Connection, pragmas: dict[str, Any]) -> None:
    """Set a connection's pragmas."""
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name}={value}")


def settings(connection: Connection) -> list[Any]:
    """Return the settings that caller's code may have changed, for a comparison."""
    return [connection.execute(sql).fetchone() for sql in _SETTINGS]


def facts_of(connection: Connection, path: Path) -> DatabaseFacts:
    """Return SQLite's version and the size of the file and its log."""
    # os.stat only: to open the file beside SQLite would drop SQLite's locks on it.
    with disk_errors(path):
        size = os.stat(path).st_size
    log_size = size_of(path.with_name(path.name + "-wal"))
    [version] = connection.execute("SELECT sqlite_version()").fetchone()  # of the driver's own
    return DatabaseFacts(f"SQLite {version}", str(path), size, log_size)


RESTORING = ".restoring"
"""The end of the name of a store while a restore writes it."""


def lock_folder(path: Path) -> Path:
    """Return the folder of the lock files."""
    return path.with_name(path.name + "-lock")


def marker(path: Path) -> Path:
    """Return the path of the marker file, which records that a file was a store."""
    return lock_folder(path) / "store"


def half_restored(path: Path) -> list[Path]:
    """Return the files of a restore that was killed; that of the database is the first of them."""
    new = path.with_name(path.name + RESTORING)
    files = [new, *(new.with_name(new.name + end) for end in ("-wal", "-shm", "-journal"))]
    return [file for file in files if os.path.lexists(file)]


def make_file(path: Path) -> None:
    """Create an empty file with permissions for us alone, and its folder, but no folder above."""
    with disk_errors(path.parent):
        path.parent.mkdir(exist_ok=True)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except FileNotFoundError as exc:
            raise StoreUnavailableError(f"the file system of {path.parent} takes no files") from exc


def not_a_database(path: Path) -> ViewraError:
    """Return the error for a file that is not an SQLite database."""
    if marker(path).exists():
        return CorruptStoreError(
            f"{path} is damaged (not an SQLite database): run viewra-lite recover"
        )
    return ConfigError(
        f"{path} is {_kind_of(path)}: database_path must name one, or a new file. If it was a "
        "store, run viewra-lite recover"
    )


def refuse_foreign(
    connection: Connection, path: Path, adoptable: Callable[[Any], bool] | None
) -> bool:
    """Raise ConfigError for another program's database; return whether it is set up as a store."""
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if found not in (0, APPLICATION_ID):
        raise ConfigError(
            f"{path} belongs to another program (application_id {found:#x}): "
            "database_path must name another file"
        )
    if found == 0 and tables and not (adoptable and adoptable(connection)):
        raise ConfigError(
            f"{path} has tables of another program: database_path must name another file"
        )
    return bool(mode == "wal" and found)


def _kind_of(path: Path) -> str:
    # No store has this path open, so its locks cannot be lost by closing it here.
    try:
        with open(path, "rb") as file:
            begin = file.read(8)
    except OSError:
        begin = b""
    found = (f"{kind}, " for magic, kind in _KINDS.items() if begin.startswith(magic))
    return f"{next(found, '')}not an SQLite database"
