"""The health of an SQLite database: its library, its log, its pages, its rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ....errors import CorruptStoreError
from ...files import size_of
from ...findings import EngineCheck, EngineFix, Finding, Look, Severity
from ..upkeep import stale_tables

Version = tuple[int, ...]


class _Fault(NamedTuple):
    """A fault of SQLite that can damage a store."""

    since: Version
    fixed: tuple[Version, ...]
    """The first release without it, and the first of each older series that has the correction."""
    severity: Severity
    text: str


# https://sqlite.org/wal.html#walresetbug and https://sqlite.org/releaselog/3_37_2.html
_FAULTS = (
    _Fault(
        (3, 7, 0),
        ((3, 51, 3), (3, 50, 7), (3, 44, 6)),
        "info",
        "can damage a database when two processes that have it open reset its log at the same "
        "moment; with one process that does not happen",
    ),
    _Fault(
        (3, 35, 0),
        ((3, 37, 2),),
        "error",
        "damages a database when a nested writer() is rolled back",
    ),
)
_UPGRADE = "upgrade SQLite (with Python or the system), or set driver: cysqlite"
LARGE_LOG_BYTES = 64 << 20
WHOLE_BYTES = 100 << 20  # up to here the indexes are compared with their tables too
_MOST_FAULTS = 10
# Locks on the -shm file, https://sqlite.org/walformat.html#wal_locks
_FIRST_READER, _LAST_READER = 123, 127


def engine(look: Look) -> Iterator[Finding]:
    """Yield known faults of the version of SQLite."""
    yield from faults_of(look.value("SELECT sqlite_version()"))


def faults_of(release: str) -> Iterator[Finding]:
    """Yield the known faults of a release of SQLite, such as 3.40.1."""
    version = tuple(map(int, release.split(".")))
    for fault in _FAULTS:
        if _has(version, fault):
            yield Finding("engine", fault.severity, f"SQLite {release} {fault.text}", _UPGRADE)


def _has(version: Version, fault: _Fault) -> bool:
    first, *backported = fault.fixed
    is_backported = any(version[:2] == fix[:2] and version >= fix for fix in backported)
    return fault.since <= version < first and not is_backported


def journal(look: Look) -> Iterator[Finding]:
    """Yield another journal mode than WAL, and a long log with the processes that hold it."""
    mode = look.value("PRAGMA journal_mode")
    if mode != "wal":
        text = f"the journal mode is {mode}: readers and writers wait for each other"
        yield Finding("journal", "error", text, "PRAGMA journal_mode=WAL", fixable=True)
    path = Path(look.backend.path)
    log = path.with_name(f"{path.name}-wal")
    size = size_of(log)
    if size >= LARGE_LOG_BYTES:
        holders = ", ".join(_holders(path.with_name(f"{path.name}-shm")))
        yield Finding(
            "journal",
            "warning",
            f"the log {log} has {size >> 20} MiB"
            + (f"; it is read by {holders}" if holders else ""),
            "run viewra-lite maintain; while a reader() or another program reads for long, the "
            "log cannot shrink",
        )


def _holders(shared: Path) -> list[str]:
    """Return the processes that hold a reader's lock, from the lock table of Linux."""
    try:
        lines = Path("/proc/locks").read_text().splitlines()
        inode = str(os.stat(shared).st_ino)
    except OSError:
        return []
    found: dict[str, str] = {}
    for line in lines:
        words = line.replace("->", "").split()
        if len(words) == 8 and words[1] == "POSIX" and words[5].rpartition(":")[2] == inode:
            if words[6].isdigit() and _FIRST_READER <= int(words[6]) <= _LAST_READER:
                found[words[4]] = _process(words[4])
    return sorted(found.values())


def _process(number: str) -> str:
    if number == str(os.getpid()):
        return f"this process ({number})"
    try:
        name = Path(f"/proc/{number}/comm").read_text().strip()
    except OSError:
        name = "process"
    return f"{name} ({number})"


def integrity(look: Look) -> Iterator[Finding]:
    """Yield damaged pages, indexes and values; ends when the time is over, and says so."""
    is_large = look.value("PRAGMA page_count") * look.value("PRAGMA page_size") > WHOLE_BYTES
    whole = [] if is_large else _damage(look, f"PRAGMA integrity_check({_MOST_FAULTS})")
    tables = [table for (table,) in look.all(_TABLES)]
    named, unchecked = 0, []
    for table in tables:
        found = []
        if not look.is_over and (is_large or whole):
            found = _damage(look, f"PRAGMA quick_check({_quoted(table)})")
        if found:
            named += 1
            yield _damaged(f"the table {table}", found)
        elif look.is_over:
            unchecked.append(table)
        elif not whole:
            yield from _unreadable(look, table)
    if whole and not named:
        yield _damaged("the file", whole)
    if unchecked:
        yield Finding(
            "integrity",
            "info",
            f"the time was over before {len(unchecked)} of {len(tables)} tables were checked: "
            f"{', '.join(unchecked)}",
            "viewra-lite backup create checks a whole copy",
        )


def _damaged(what: str, texts: list[str]) -> Finding:
    text = f"{what} is damaged: {'; '.join(dict.fromkeys(texts[:_MOST_FAULTS]))}"
    return Finding("integrity", "error", text, "run viewra-lite recover")


_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"


def _damage(look: Look, sql: str) -> list[str]:
    """Return the damage, but for full-text indexes: search_index() finds theirs."""
    try:
        texts = [text for (text,) in look.all(sql)]
    except look.backend.driver.Error as exc:
        if isinstance(look.backend.translate(exc), CorruptStoreError):
            return [str(exc)]
        if look.is_over:  # it was interrupted
            return []
        raise
    return [text for text in texts if text != "ok" and "fts" not in text.lower()]


def search_index(look: Look) -> Iterator[Finding]:
    """Yield full-text indexes that differ from their tables; SQLite checks them from 3.44 on."""
    for (name,) in look.all(_FULL_TEXT):
        # A connection remembers where the index is, and looks there without asking whether another
        # one has moved it: it would report damage. A search asks.
        look.all(f"SELECT 1 FROM {_quoted(name)} WHERE {_quoted(name)} MATCH 'a' LIMIT 1")
        for (text,) in look.all(f"PRAGMA integrity_check({_quoted(name)})"):
            if text != "ok":
                yield Finding("search-index", "error", text, _REBUILD, fixable=True)


_REBUILD = "rebuild the search index: viewra-lite doctor --only search-index --fix"


# The stored forms, by declared type: see orm/fields.py and orm/reading.py.
_DATE = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]"
_READABLE = {
    "INTEGER": "typeof({0}) = 'integer'",
    "BOOLEAN": "typeof({0}) = 'integer'",
    "REAL": "typeof({0}) IN ('real', 'integer')",
    "TEXT": "typeof({0}) = 'text'",
    "DATE": f"typeof({{0}}) = 'text' AND {{0}} GLOB '{_DATE}' AND date({{0}}) IS NOT NULL",
    "TIMESTAMP": f"typeof({{0}}) = 'text' AND {{0}} GLOB '{_DATE}*' "
    "AND julianday({0}) IS NOT NULL",
}


def _unreadable(look: Look, table: str) -> Iterator[Finding]:
    """Yield columns of our types with values of another type, which cannot be read."""
    if table.startswith(("sqlite_", "search_index_", "_litestream_", "adopted_")):
        return
    columns = [
        (name, _READABLE[kind])
        for name, kind in look.all("SELECT name, upper(type) FROM pragma_table_info(?)", table)
        if kind in _READABLE
    ]
    if not columns:
        return
    wrong = [
        f"count(CASE WHEN {_quoted(name)} IS NOT NULL AND NOT ({test.format(_quoted(name))}) "
        "THEN 1 END)"
        for name, test in columns
    ]
    [counts] = look.all(f"SELECT {', '.join(wrong)} FROM {_quoted(table)}")
    for (name, test), count in zip(columns, counts):
        if count:
            first = look.value(
                f"SELECT rowid FROM {_quoted(table)} WHERE {_quoted(name)} IS NOT NULL "
                f"AND NOT ({test.format(_quoted(name))})"
            )
            yield Finding(
                "integrity",
                "error",
                f"values of {table}.{name} that cannot be read: {count}, the first in row {first}",
                f"correct them, for example UPDATE {table} SET {name} = ... WHERE rowid = {first}",
            )


def foreign_keys(look: Look) -> Iterator[Finding]:
    """Yield rows that refer to rows that do not exist."""
    tables = look.all(
        "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) "
        "WHERE m.type = 'table' AND m.rootpage > 0"
    )
    for (table,) in tables:
        broken: dict[str, list[int]] = {}
        for _, row, parent, _ in look.all(f"PRAGMA foreign_key_check({_quoted(table)})"):
            broken.setdefault(parent, []).append(row)
        for parent, rows in broken.items():
            yield Finding(
                "foreign-keys",
                "error",
                f"rows of {table} that refer to rows of {parent} that do not exist: {len(rows)}, "
                f"the first is row {rows[0]}",
                f"delete them (WHERE rowid = {rows[0]}), or restore a backup",
            )


def statistics(look: Look) -> Iterator[Finding]:
    """Yield tables whose statistics are missing, or of a tenth or ten times the rows."""
    stale = stale_tables(look.connection)
    if stale:
        text = f"the statistics of {', '.join(stale)} are missing or stale: queries may be slow"
        yield Finding("statistics", "warning", text, "run viewra-lite maintain", fixable=True)


def fragmentation(look: Look) -> Iterator[Finding]:
    """Yield free pages that take a large part of the file."""
    pages, free, size = (
        look.value(f"PRAGMA {name}") for name in ("page_count", "freelist_count", "page_size")
    )
    if free * size >= FEWEST_FREE_BYTES and free > pages * _MOST_FREE_SHARE:
        yield Finding(
            "fragmentation",
            "warning",
            f"{free * size >> 20} MiB of {pages * size >> 20} MiB of the database are free pages",
            "store.maintenance.vacuum() gives them back to the disk, while the store is not used",
        )


FEWEST_FREE_BYTES = 8 << 20
_MOST_FREE_SHARE = 0.25


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def use_wal(backend: Any) -> None:
    """Set the journal mode; raises StoreBusyError while another program reads or writes."""
    connection = backend.borrow_writer()
    try:
        connection.execute("PRAGMA journal_mode=WAL").fetchone()
    except backend.driver.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        backend.give_back_writer(connection)


def rebuild_search(backend: Any) -> None:
    """Build the full-text indexes again from their tables; holds the writer meanwhile."""
    connection = backend.borrow_writer()
    try:
        backend.begin_write(connection, True)
        for (name,) in connection.execute(_FULL_TEXT).fetchall():
            # A part that is gone is made empty. Without it the index can be neither read nor built.
            for part, made in _PARTS:
                connection.execute(made.format(_quoted(f"{name}_{part}")))
            connection.execute(f"INSERT INTO {_quoted(name)} ({_quoted(name)}) VALUES ('rebuild')")
        backend.commit(connection)
    except backend.driver.Error as exc:
        raise backend.translate(exc) from exc
    finally:
        backend.rollback(connection)
        backend.give_back_writer(connection)


# https://sqlite.org/fts5.html#fts5_data_structures; 4 is the version of this format.
_PARTS = (
    ("data", "CREATE TABLE IF NOT EXISTS {}(id INTEGER PRIMARY KEY, block BLOB)"),
    ("data", "INSERT OR IGNORE INTO {} VALUES (1, x''), (10, x'00000000000000')"),  # of no rows
    (
        "idx",
        "CREATE TABLE IF NOT EXISTS {}(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
    ),
    ("config", "CREATE TABLE IF NOT EXISTS {}(k PRIMARY KEY, v) WITHOUT ROWID"),
    ("config", "INSERT OR IGNORE INTO {} VALUES ('version', 4)"),
)
_FULL_TEXT = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"


def interrupt(connection: Any) -> None:
    """End the query that runs on a connection."""
    connection.interrupt()


CHECKS: dict[str, EngineCheck] = {
    "engine": engine,
    "journal": journal,
    "integrity": integrity,
    "search-index": search_index,
    "foreign-keys": foreign_keys,
    "statistics": statistics,
    "fragmentation": fragmentation,
}
FIXES: dict[str, EngineFix] = {"journal": use_wal, "search-index": rebuild_search}
