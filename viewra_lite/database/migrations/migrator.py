"""Migrates a store: applies each module's numbered scripts, in the order of `requires`.

A script and its row of history are written in one transaction, by playhouse's migrator. The plan is
computed without a lock. Only if scripts are pending, the lock across processes is taken and the
plan is computed again.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import peewee

from ...config.options import Config
from ...errors import (
    InvalidValueError,
    MigrationError,
    NewerSchemaError,
    StoreBusyError,
    StoreFullError,
    shown,
)
from ..checks import refused
from ..orm.fields import TimestampField
from ..orm.internals import state_of
from ..orm.peewee_import import import_schema_migrator
from ..transactions.database import Database
from .catalogue import catalogue_of, refuse_losses
from .history import HISTORY_PREFIX, history
from .scripts import Script, in_order, scripts

if TYPE_CHECKING:
    from ..findings import Finding
    from .plan import Step
    from .scripts import Migrated

_log = logging.getLogger("viewra_lite.database")

Progress = Callable[[str, int, int], Any]
Applied = dict[str, dict[str, tuple[str | None, Any]]]
_TRANSACTION = 22  # https://sqlite.org/c3ref/c_alter_table.html

LOCK_WAIT_S = 120.0


class Migrator:
    """Compares the modules' scripts with a store's history and applies those that are pending.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, CorruptStoreError
    or TransactionError, and ConfigError if the file is not an SQLite database.
    """

    def __init__(
        self, db: Database, modules: Sequence[Migrated], config: Config | None = None
    ) -> None:
        self._db = db
        self._config = config
        self._modules = in_order(modules)
        self._scripts = {
            m.name: scripts(m.name, m.migrations) for m in self._modules if m.migrations
        }

    def plan(self) -> list[Step]:
        """Return the steps that apply() would take, in order, with their tables and rows.

        Instant if there are none; else it counts the rows of the tables that are touched. Raises
        NewerSchemaError if the store was migrated by scripts that are unknown here, and
        MigrationError if an applied script was edited or skipped.

            for step in store.migrations.plan():
                print(step.module, step.name, step.summary, step.rows, step.seconds)
        """
        scripts, applied = self._pending()
        if not scripts:
            return []
        from .plan import rehearse, step_of

        every = [script for known in self._scripts.values() for script in known]
        touched = rehearse(every, scripts)
        facts = self._db.backend.facts()
        with self._db.reader():
            database = self._db.backend.database
            tables = {name for one in touched.values() for name in one.tables}
            rows = {
                name: database.execute_sql(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in tables.intersection(database.get_tables())
            }
        return [
            step_of(
                script,
                touched.get(script),
                rows,
                facts.size + facts.log_size,
                takes_backup=bool(applied.get(script.module)),
            )
            for script in scripts
        ]

    def pending(self) -> list[Script]:
        """Return the scripts that apply() would run, in order, without looking into them.

        Raises NewerSchemaError and MigrationError, as plan() does.
        """
        return self._pending()[0]

    def _pending(self) -> tuple[list[Script], Applied]:
        with self._db.reader():
            applied = self._applied()
        scripts = [
            script
            for module, known in self._scripts.items()
            for script in pending(module, known, applied.get(module, {}))
        ]
        return scripts, applied

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

    def drift(self) -> list[Finding]:
        """Return how the tables differ from those that the applied migrations make.

        Each finding names the table and its column, index or trigger; an undamaged store has none.
        What the store has beyond its own tables is information. Runs the migrations again in an
        empty database: in memory, on PostgreSQL in temporary tables. Takes about 0.1 s. Raises
        NewerSchemaError and MigrationError, as plan() does, and TransactionError inside a reader()
        or writer().
        """
        from .drift import drift

        applied = self._pending()[1]
        every = [script for known in self._scripts.values() for script in known]
        known = [script for script in every if script.name in applied.get(script.module, {})]
        return drift(self._db, self._modules, known)

    def apply(self, progress: Progress | None = None, *, to: str | None = None) -> list[Script]:
        """Back the store up, run the pending scripts and return them; processes take turns.

        A new store, and the first script of a module, need no backup. progress(name, done, total)
        is called before each step, of which the backup is one. to, such as "media:2", is the last
        script to run. A script that fails is rolled back, and the error names the backup. Raises
        NewerSchemaError, MigrationError, BackupError, StoreFullError, InvalidValueError, and
        StoreBusyError if another process migrates for longer than two minutes.
        """
        if progress is not None and not callable(progress):
            raise refused("progress", "a function, or None", progress)
        if not self.pending():
            return []
        with self._db.exclusive("migrate", wait_s=LOCK_WAIT_S):
            scripts, applied = self._pending()
            scripts = _until(scripts, to)
            upgrades = [script for script in scripts if applied.get(script.module)]
            for script in scripts:
                script.load()  # one that cannot be loaded is refused before anything runs
            report = progress or _silent
            total = len(scripts) + bool(upgrades)
            backup = None
            if upgrades:
                report("backup", 0, total)
                backup = self._protected()
            try:
                with _raw_connection(self._db) as database:
                    for number, script in enumerate(scripts, start=bool(upgrades)):
                        report(f"{script.module} {script.name}", number, total)
                        self.run(database, [script])
                    if upgrades:
                        _analyze(database)
            except MigrationError as exc:
                if backup is None:
                    raise
                raise MigrationError(f"{exc}. A backup of before is {backup}") from exc.__cause__
            self._db.backend.mark_as_store()
        return scripts

    def _protected(self) -> str | None:
        """Check the free space and take a verified backup; return its path, None if it is off."""
        from .plan import NEEDED_SPACE

        facts = self._db.backend.facts()
        if facts.path is not None:
            needed = int((facts.size + facts.log_size) * NEEDED_SPACE)
            free = shutil.disk_usage(os.path.dirname(facts.path)).free
            if free < needed:
                raise StoreFullError(
                    f"the disk of {facts.path} has {free} bytes free, and migrating needs "
                    f"{needed}: make room; nothing was changed"
                )
        if self._config is None or self._config.upgrade_backup == "off":
            return None
        from ..backups.backups import Backups

        return Backups(self._db, self._config).create(kind="upgrade").path

    def run(
        self, database: peewee.Database, plan: Sequence[Script], *, verify: bool = True
    ) -> None:
        """Run scripts on a connection that the caller has prepared, under the lock.

        Inside a transaction of the caller each script is a savepoint; on SQLite foreign keys must
        be off. With verify=False the caller checks the foreign keys. Raises MigrationError.
        """
        for script, module in [(s, s.load()) for s in plan]:
            _run(database, self._db, script, module, verify)

    def _applied(self) -> Applied:
        """Return the applied scripts of each module: checksum and time by name."""
        database = self._db.backend.database
        tables = set(database.get_tables())
        histories = " UNION ALL ".join(
            f"SELECT '{module}', name, checksum, applied FROM {HISTORY_PREFIX}{module}"
            for module in self._scripts
            if HISTORY_PREFIX + module in tables
        )
        lines = database.execute_sql(histories).fetchall() if histories else ()
        applied: Applied = {}
        for module, name, checksum, moment in lines:
            moment = TimestampField().python_value(moment)
            applied.setdefault(module, {})[name] = (checksum, moment)
        return applied


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
            before = catalogue_of(database)
            with _no_commit(database):
                module.up(migrator, database)
            refuse_losses(
                before, catalogue_of(database), database.get_tables(), getattr(module, "DROPS", ())
            )
            if verify:
                _check_foreign_keys(database)
            table.create(name=script.name, checksum=script.checksum, applied=db.now())
        if verify:  # else it is the caller who commits
            _log.info("migrated %s: %s", script.module, script.name)
    except (StoreBusyError, StoreFullError):
        raise
    except Exception as exc:
        raise MigrationError(
            f"{script.module} {script.name} failed and was rolled back; the store is unchanged by "
            f"it: {db.backend.translate(exc)}"
        ) from exc


@contextmanager
def _no_commit(database: Any) -> Iterator[None]:
    """Let SQLite refuse COMMIT, also that of executescript(): it would keep half of a script."""
    authorize = getattr(database.connection(), "set_authorizer", None)
    if authorize is None:
        yield
        return
    denied = {_TRANSACTION: sqlite3.SQLITE_DENY}
    authorize(lambda action, *_: denied.get(action, sqlite3.SQLITE_OK))
    try:
        yield
    finally:
        authorize(None)


def _analyze(database: Any) -> None:
    """Refresh the statistics by which queries are planned, from a sample of each table."""
    if issubclass(type(database), peewee.SqliteDatabase):
        database.execute_sql("PRAGMA analysis_limit=400")
        database.execute_sql("PRAGMA optimize")
    else:
        database.execute_sql("ANALYZE")


def _until(scripts: list[Script], to: str | None) -> list[Script]:
    """Return the scripts up to the one that is named as MODULE:NUMBER."""
    if to is None:
        return scripts
    names = [f"{script.module}:{script.number}" for script in scripts]
    if to not in names:
        raise InvalidValueError(f"to must be one of {', '.join(names)}, not {shown(to)}")
    return scripts[: names.index(to) + 1]


def _silent(name: str, done: int, total: int) -> None:
    """Report nothing."""


def _check_foreign_keys(database: Any) -> None:
    # SQLite migrates with foreign keys off, so they are checked before the commit.
    if issubclass(type(database), peewee.SqliteDatabase):
        broken = database.execute_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            table, _, parent, _ = broken[0]
            raise MigrationError(
                f"{len(broken)} rows would violate a foreign key, the first in {table} to {parent}"
            )
