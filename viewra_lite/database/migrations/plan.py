"""Step: what a pending migration will do, found out by a rehearsal without data.

All scripts run on an empty SQLite database in memory, whatever the store's engine is: the tables
that a pending one touches there are those that it touches in the store.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from ..orm.peewee_import import import_schema_migrator
from ..sqlite.drivers import stdlib
from ..sqlite.authorizing.scripts import refusing
from .scripts import Script

NEEDED_SPACE = 1.2  # times the database and its log: a rebuilt table exists twice
# Measured on two cores of a Xeon: 0002 changed 200,000 files in 3.8 s, and a backup of 391 MiB took
# 3.7 to 4.4 s.
_ROWS_PER_SECOND = 50_000
_BACKUP_BYTES_PER_SECOND = 90 << 20
_STEP_S = 0.01
_WRITES = re.compile(
    r"""\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE(?:\s+OR\s+\w+)?|DELETE\s+FROM|DROP\s+TABLE"""
    r"""(?:\s+IF\s+EXISTS)?|ALTER\s+TABLE|CREATE\s+(?:UNIQUE\s+)?INDEX\s+\S+\s+ON)\s+"?(\w+)""",
    re.IGNORECASE,
)
_DROPS = re.compile(r"""\s*DROP\s+TABLE(?:\s+IF\s+EXISTS)?\s+"?(\w+)""", re.IGNORECASE)


class Step(NamedTuple):
    """A pending migration, and its effect on the store."""

    module: str
    name: str
    summary: str
    """The first line of the script's docstring."""
    tables: tuple[str, ...]
    """Existing tables that it changes."""
    rows: int
    """Rows in them."""
    needs_rebuild: bool
    """Whether SQLite has to copy a table for it."""
    seconds: float
    """Estimated, the backup included."""
    bytes_needed: int
    """Free bytes on the disk, without which it does not begin; 0 in a new store. The disk of a
    PostgreSQL server cannot be asked."""
    takes_backup: bool
    """Whether a backup is taken first, which is so for all but a module's first script."""
    chunks: int | None
    """Chunks that are done, if it runs in chunks and was begun: it continues there."""


class Touched(NamedTuple):
    """The tables that a script changes, and those that it rebuilds."""

    tables: frozenset[str]
    rebuilt: frozenset[str]


def rehearse(scripts: Sequence[Script], pending: Sequence[Script]) -> dict[Script, Touched]:
    """Run all scripts without data; return the tables that the pending ones touch.

    A script that cannot run on SQLite, as one of another package may be, ends the rehearsal: those
    after it are missing from the result.
    """
    database: Any = peewee.SqliteDatabase(":memory:", pragmas={"foreign_keys": 0})
    found: dict[Script, Touched] = {}
    with database.connection_context():
        migrator = import_schema_migrator().from_database(database)
        connection = database.connection()
        for script in scripts:
            statements: list[str] = []
            before = _tables(connection)
            connection.set_trace_callback(statements.append)
            try:
                _rehearsed(script, migrator, database)
            except Exception:
                break  # its module's own error, which running it for real reports
            finally:
                connection.set_trace_callback(None)
            if script in pending:
                found[script] = _touched(statements, before, _tables(connection))
    return found


def _rehearsed(script: Script, migrator: Any, database: Any) -> None:
    module = script.load()
    with database.atomic(), refusing(database.connection(), stdlib.authorize):
        if hasattr(module, "up"):
            module.up(migrator, database)
        if hasattr(module, "chunk"):
            module.chunk(database, None)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def _touched(statements: Sequence[str], before: set[str], after: set[str]) -> Touched:
    written = {match[1] for one in statements if (match := _WRITES.match(one))}
    dropped = {match[1] for one in statements if (match := _DROPS.match(one))}
    return Touched(frozenset(written & before), frozenset(dropped & before & after))


def step_of(
    script: Script,
    touched: Touched | None,
    rows: Mapping[str, int],
    chunks: int | None,
    backup: tuple[int, int] | None,
) -> Step:
    """Return the step of a script, with the rows of each table.

    backup is the bytes of the store and those needed on its disk; None if no backup is taken.
    """
    tables = touched.tables if touched else frozenset[str]()
    rebuilt = touched.rebuilt if touched else frozenset[str]()
    number = sum(rows.get(table, 0) for table in tables)
    size, needed = backup or (0, 0)
    return Step(
        module=script.module,
        name=script.name,
        summary=_summary(script),
        tables=tuple(sorted(tables)),
        rows=number,
        needs_rebuild=bool(rebuilt),
        seconds=round(_STEP_S + number / _ROWS_PER_SECOND + size / _BACKUP_BYTES_PER_SECOND, 2),
        bytes_needed=needed,
        takes_backup=backup is not None,
        chunks=chunks,
    )


def _summary(script: Script) -> str:
    return (script.load().__doc__ or "").strip().partition("\n")[0]
