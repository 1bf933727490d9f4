"""Runs one script, or one of its chunks, with its row of history in one transaction.

A script may define up(migrator, db), which changes the schema, and chunk(db, after), which changes
rows, a few thousand at a time. chunk() returns the place after which its next call continues, such
as the last id, and None when nothing is left. Each call is a transaction of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import peewee

from ...errors import MigrationError, StoreBusyError, StoreClosedError, StoreFullError, shown
from ..orm.internals import state_of
from ..orm.peewee_import import import_schema_migrator
from ..transactions.database import Database
from .catalogue import catalogue_of, refuse_losses
from .confined import confined
from .history import COMMAND, HISTORY_PREFIX, Position, history, position_of, position_text
from .scripts import Script

_log = logging.getLogger("viewra_lite.database")


@contextmanager
def raw_connection(db: Database) -> Iterator[peewee.Database]:
    """Lend Peewee the writer's connection without an open transaction.

    The migrator begins its own transactions: a table rebuild inside an outer one would delete child
    rows by CASCADE, because PRAGMA foreign_keys has no effect there.
    """
    backend = db.backend
    connection = backend.borrow_writer()
    try:
        state_of(backend.database).set_connection(connection)
        yield backend.database
    finally:
        state_of(backend.database).reset()
        try:
            backend.rollback(connection)
            backend.reset(connection)
        finally:
            backend.give_back_writer(connection)


def run_script(database: Any, db: Database, script: Script, *, verify: bool) -> Position | None:
    """Run what a script does to the schema; return where its chunks begin, None without any.

    With verify=False the caller has a transaction open, and checks the foreign keys. Raises
    MigrationError.
    """
    module = script.load()
    migrator = import_schema_migrator().from_database(database)
    table = history(database, script.module)
    begin = Position(0, None) if hasattr(module, "chunk") else None
    what = f"{script.module} {script.name} failed and was rolled back; the store is unchanged by it"
    with _failures(db, what):
        with migrator.migration_context():
            table.create_table()
            with _kept(database, db.backend.engine, script, module):
                # A generator, or a coroutine, has not run.
                if hasattr(module, "up") and hasattr(module.up(migrator, database), "send"):
                    raise MigrationError("up() must be a plain function, without yield or async")
            if verify:
                _check_foreign_keys(database)
            table.create(
                name=script.name,
                checksum=script.checksum,
                applied=db.now(),
                unfinished=begin and position_text(begin),
            )
    if verify:  # else it is the caller who commits
        _log.info("migrated %s: %s", script.module, script.name)
    return begin


def run_chunk(database: Any, db: Database, script: Script) -> Position | None:
    """Run the next chunk of a script; return where the one after it begins, None at the end.

    Raises MigrationError.
    """
    module = script.load()
    table = history(database, script.module)
    row = table.name == script.name
    what = (
        f"{script.module} {script.name} failed, and its last chunk was rolled back; those before "
        f"it stay, and {COMMAND} continues there"
    )
    with _failures(db, what):
        with database.atomic():
            stored = table.select(table.unfinished).where(row).scalar()
            if stored is None:
                raise MigrationError("it has been completed by another process")
            done, after = position_of(stored)
            with _kept(database, db.backend.engine, script, module):
                reached = module.chunk(database, after)
            if reached is not None and reached == after:
                raise MigrationError(f"chunk() returned {shown(after)} twice, and would never end")
            position = None if reached is None else Position(done + 1, reached)
            table.update(
                checksum=script.checksum,
                applied=db.now(),
                unfinished=position and position_text(position),
            ).where(row).execute()
    return position


@contextmanager
def _failures(db: Database, what: str) -> Iterator[None]:
    """Turn an error of a script into one that says what it left."""
    try:
        yield
    except (StoreBusyError, StoreClosedError):
        raise
    except (Exception, SystemExit) as exc:
        reason = db.backend.translate(exc)
        kind = StoreFullError if isinstance(reason, StoreFullError) else MigrationError
        raise kind(f"{what}: {reason}") from exc


@contextmanager
def _kept(database: Any, engine: str, script: Script, module: Any) -> Iterator[None]:
    """Refuse a script that ends its transaction, or loses what its DROPS does not name."""
    before, applied = catalogue_of(database), _histories(database)
    with confined(database, engine, script.prefix), database.script(script.prefix):
        yield
    named = getattr(module, "DROPS", ())
    intended = [named] if isinstance(named, str) else named
    refuse_losses(before, catalogue_of(database), database.get_tables(), intended)
    if _histories(database) != applied:
        raise MigrationError("it would change the history of migrations")


def _histories(database: Any) -> list[Any]:
    tables = sorted(name for name in database.get_tables() if name.startswith(HISTORY_PREFIX))
    queries = [f"SELECT '{name}', name, checksum, unfinished FROM {name}" for name in tables]
    return sorted(database.execute_sql(" UNION ALL ".join(queries)).fetchall(), key=repr)


def _check_foreign_keys(database: Any) -> None:
    # SQLite migrates with foreign keys off, and a script may switch PostgreSQL's triggers off.
    broken = database.dangling()
    if broken:
        table, parent = broken[0]
        raise MigrationError(
            f"{len(broken)} rows would violate a foreign key, the first in {table} to {parent}"
        )
