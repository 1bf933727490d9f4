"""Migrates a store: applies each module's numbered scripts, in the order of `requires`.

A script and its row of history are written in one transaction, by playhouse's migrator. The plan is
computed without a lock. Only if scripts are pending, the lock across processes is taken and the
plan is computed again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import peewee

from ...errors import MigrationError, NewerSchemaError, StoreBusyError
from ..orm.fields import TimestampField
from ..orm.internals import state_of
from ..orm.peewee_import import import_schema_migrator
from ..transactions.database import Database
from .scripts import Script, scripts

if TYPE_CHECKING:
    from .scripts import Migrated

_log = logging.getLogger("viewra_lite.database")

LOCK_WAIT_S = 120.0
HISTORY_PREFIX = "viewra_migrations_"


class Migrator:
    """Compares the modules' scripts with a store's history and applies those that are pending.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, CorruptStoreError
    or TransactionError, and ConfigError if the file is not an SQLite database.
    """

    def __init__(self, db: Database, modules: Sequence[Migrated]) -> None:
        self._db = db
        self._modules = in_order(modules)
        self._scripts = {
            m.name: scripts(m.name, m.migrations) for m in self._modules if m.migrations
        }

    def plan(self) -> list[Script]:
        """Return the scripts that apply() would run, in order.

        Raises NewerSchemaError if the store was migrated by scripts that are unknown here, and
        MigrationError if an applied script was edited or skipped.
        """
        with self._db.reader():
            applied = self._applied()
        return [
            script
            for module, known in self._scripts.items()
            for script in pending(module, known, applied.get(module, {}))
        ]

    def status(self) -> list[dict[str, Any]]:
        """Return every script, in order, as a mapping with "module", "name" and "applied".

        "applied" is an aware datetime, or None for a pending script.
        """
        with self._db.reader():
            applied = self._applied()
        return [
            {
                "module": module,
                "name": script.name,
                "applied": applied.get(module, {}).get(script.name, (None, None))[1],
            }
            for module, known in self._scripts.items()
            for script in known
        ]

    def apply(self) -> list[Script]:
        """Run the pending scripts and return them; processes that start together take turns.

        Raises NewerSchemaError, MigrationError, and StoreBusyError if another process migrates
        for longer than two minutes.
        """
        if not self.plan():
            return []
        with self._db.exclusive("migrate", wait_s=LOCK_WAIT_S):
            plan = self.plan()
            with _raw_connection(self._db) as database:
                self.run(database, plan)
            self._db.backend.mark_as_store()
        return plan

    def run(
        self, database: peewee.Database, plan: Sequence[Script], *, verify: bool = True
    ) -> None:
        """Run scripts on a connection that the caller has prepared, under the lock.

        Inside a transaction of the caller each script is a savepoint; on SQLite foreign keys must
        be off. With verify=False the caller checks the foreign keys. Raises MigrationError.
        """
        for script, module in [(s, s.load()) for s in plan]:
            _run(database, self._db, script, module, verify)

    def _applied(self) -> dict[str, dict[str, tuple[str | None, Any]]]:
        """Return the applied scripts of each module: checksum and time by name."""
        database = self._db.backend.database
        tables = set(database.get_tables())
        histories = " UNION ALL ".join(
            f"SELECT '{module}', name, checksum, applied FROM {HISTORY_PREFIX}{module}"
            for module in self._scripts
            if HISTORY_PREFIX + module in tables
        )
        lines = database.execute_sql(histories).fetchall() if histories else ()
        applied: dict[str, dict[str, tuple[str | None, Any]]] = {}
        for module, name, checksum, moment in lines:
            moment = TimestampField().python_value(moment)
            applied.setdefault(module, {})[name] = (checksum, moment)
        return applied


def in_order(modules: Sequence[Migrated]) -> list[Migrated]:
    """Sort modules so that each comes after those it requires; ties keep their order."""
    by_name = {module.name: module for module in modules}
    if len(by_name) != len(modules):
        raise MigrationError("two modules have the same name")
    ordered: dict[str, Migrated] = {}

    def visit(module: Migrated, path: tuple[str, ...]) -> None:
        if module.name in path:
            raise MigrationError(f"modules require each other: {' -> '.join((*path, module.name))}")
        for name in module.requires:
            if name not in by_name:
                raise MigrationError(
                    f"module {module.name} requires the module {name}: pass it to Store.open() too"
                )
            visit(by_name[name], (*path, module.name))
        ordered.setdefault(module.name, module)

    for module in modules:
        visit(module, ())
    return list(ordered.values())


def pending(
    module: str, known: Sequence[Script], applied: Mapping[str, tuple[str | None, Any]]
) -> list[Script]:
    """Return the scripts not yet applied; raises if the history does not match the scripts."""
    names = {script.name for script in known}
    unknown = sorted(set(applied) - names)
    if unknown:
        raise NewerSchemaError(
            f"the store's {module} tables were migrated by {', '.join(unknown)}, which this "
            f"version does not have: upgrade viewra_lite, or the package of the module {module}. "
            "Nothing was changed"
        )
    missing = [script for script in known if script.name not in applied]
    latest = max((s.number for s in known if s.name in applied), default=-1)
    late = [script.name for script in missing if script.number < latest]
    if late:
        raise MigrationError(
            f"module {module}: {', '.join(late)} has a lower number than a script that was "
            "applied: give it the next number"
        )
    _refuse_edited(module, known, applied)
    return missing


def _refuse_edited(
    module: str, known: Sequence[Script], applied: Mapping[str, tuple[str | None, Any]]
) -> None:
    for script in known:
        recorded = applied.get(script.name, (None, None))[0]
        if recorded and script.checksum and recorded != script.checksum:
            raise MigrationError(
                f"module {module}: {script.name} was edited after it had been applied: restore it, "
                "and put the change into a new script"
            )


def history(database: peewee.Database, module: str) -> Any:
    """Return the model of a module's history table, bound to the database."""

    class History(peewee.Model):
        """Migrations of this module that were applied."""

        name = peewee.TextField(primary_key=True, help_text="file name without .py")
        checksum = peewee.TextField(null=True, help_text="SHA-256 of its source")
        applied = TimestampField(help_text="UTC")

        class Meta:
            table_name = HISTORY_PREFIX + module

    History._meta.set_database(database)
    return History


@contextmanager
def _raw_connection(db: Database) -> Iterator[peewee.Database]:
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


def _run(database: Any, db: Database, script: Script, module: ModuleType, verify: bool) -> None:
    """Run one script and record it, in one transaction."""
    migrator = import_schema_migrator().from_database(database)
    table = history(database, script.module)
    try:
        with migrator.migration_context():
            table.create_table()
            module.up(migrator, database)
            if verify:
                _check_foreign_keys(database)
            table.create(name=script.name, checksum=script.checksum, applied=db.now())
        if verify:  # else it is the caller who commits
            _log.info("migrated %s: %s", script.module, script.name)
    except StoreBusyError:
        raise
    except Exception as exc:
        raise MigrationError(
            f"{script.module} {script.name} failed and was rolled back; the store is unchanged by "
            f"it: {db.backend.translate(exc)}"
        ) from exc


def _check_foreign_keys(database: Any) -> None:
    # SQLite migrates with foreign keys off, so they are checked before the commit.
    if issubclass(type(database), peewee.SqliteDatabase):
        broken = database.execute_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            table, _, parent, _ = broken[0]
            raise MigrationError(
                f"{len(broken)} rows would violate a foreign key, the first in {table} to {parent}"
            )
