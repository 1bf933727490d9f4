"""Upkeep of an SQLite file: statistics for the query planner, and free pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreFullError
from ..backend import SizeFacts, Space

if TYPE_CHECKING:
    from ...config.options import SqliteConfig
    from .backend import SqliteBackend

CHORES = ("checkpoint", "optimize", "vacuum")
_ROWS_READ = 1000  # of each index: bounds the time that ANALYZE holds the writer
_FEWEST_ROWS = 1000  # below that a plan needs no statistics
_GROWTH = 10
_SPARE_BYTES = 16 << 20


def space(backend: SqliteBackend) -> Space:
    """Return the bytes of the file, and how many of them are in free pages."""
    with _reading(backend) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return Space(pages * size, free * size)


def sizes(backend: SqliteBackend, search_table: str, search_index: str) -> SizeFacts:
    """Return the bytes of the index of words; to measure the others, each page would be read."""
    with _reading(backend) as connection:
        sql = f"SELECT SUM(LENGTH(block)) FROM {_quoted(search_index + '_data')}"
        [search] = connection.execute(sql).fetchone()
    return SizeFacts(None, search, None)


def optimize(backend: SqliteBackend, config: SqliteConfig) -> list[str]:
    """Renew the statistics of tables that grew or shrank tenfold; return their names.

    Each table is a transaction of its own, which reads at most a thousand rows of each index.
    """
    with _reading(backend) as connection:
        changed = stale_tables(connection)
    for name in changed:
        with _writing(backend, config) as connection:
            connection.execute("BEGIN IMMEDIATE")
            _analyze(connection, name)
            backend.commit(connection)
    return changed


def make_ready(connection: Any) -> None:
    """Give a file that takes a store's place statistics and a log, as an open store has them.

    It must be a file that nothing else opens, and be synced after it is closed: a crash leaves no
    journal that a later file of this name would take for its own.
    """
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA journal_mode=MEMORY").fetchone()
    for name in stale_tables(connection):
        _analyze(connection, name)
    connection.execute("PRAGMA journal_mode=WAL").fetchone()


def stale_tables(connection: Any) -> list[str]:
    """Return the tables that grew or shrank tenfold since their statistics were made."""
    return [name for name in _tables(connection) if _has_changed(connection, name)]


def vacuum(backend: SqliteBackend, config: SqliteConfig) -> None:
    """Write the whole file anew without its free pages; holds the writer until it has."""
    found = space(backend)
    _refuse_full(backend.path, found.bytes - found.free_bytes)
    with _writing(backend, config) as connection:
        # The copy would be in memory otherwise.
        connection.execute("PRAGMA temp_store=1")
        try:
            connection.execute("VACUUM")
        finally:
            connection.execute("PRAGMA temp_store=2")
    backend.checkpoint(truncate=True)


def _refuse_full(path: Path, needed: int) -> None:
    """Raise StoreFullError if a copy, and another in the log, do not fit on their disks."""
    needs: dict[int, int] = {}
    folders: dict[int, Path] = {}
    for folder in (path.parent, _temporary()):
        device = os.stat(folder).st_dev
        needs[device] = needs.get(device, _SPARE_BYTES) + needed
        folders.setdefault(device, folder)
    for device, folder in folders.items():
        free = shutil.disk_usage(folder).free
        if free < needs[device]:
            raise StoreFullError(
                f"{folder} has {free} bytes free, and vacuum() may need {needs[device]}: make room"
            )


def _temporary() -> Path:
    import tempfile

    return Path(tempfile.gettempdir())


def _tables(connection: Any) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'index' ORDER BY tbl_name"
    )
    return [name for (name,) in rows.fetchall()]


def _has_changed(connection: Any, table: str) -> bool:
    rows = connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0]
    known = _known_rows(connection, table)
    return bool(
        rows * known == 0
        and max(rows, known) >= _FEWEST_ROWS
        or rows >= _FEWEST_ROWS
        and not known / _GROWTH < rows < known * _GROWTH
    )


def _analyze(connection: Any, table: str) -> None:
    connection.execute(f"PRAGMA analysis_limit={_ROWS_READ}").fetchall()
    connection.execute(f"ANALYZE {_quoted(table)}")


def _known_rows(connection: Any, table: str) -> int:
    """Return how many rows a table had when its statistics were made, 0 if it has none."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone():
        return 0
    rows = connection.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = ?", (table,)).fetchall()
    return max((int(stat.split()[0]) for (stat,) in rows), default=0)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _reading(backend: SqliteBackend) -> Iterator[Any]:
    connection = backend.borrow()
    try:
        yield connection
    except backend.driver.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        backend.give_back(connection)


@contextmanager
def _writing(backend: SqliteBackend, config: SqliteConfig) -> Iterator[Any]:
    """Lend the writing connection, which waits for other processes meanwhile."""
    connection = backend.borrow_writer()
    try:
        connection.execute(f"PRAGMA busy_timeout={config.busy_timeout_ms}")
        yield connection
    except backend.driver.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        try:
            backend.rollback(connection)
            connection.execute("PRAGMA busy_timeout=0")
        finally:
            backend.give_back_writer(connection)
