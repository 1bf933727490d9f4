"""Migrates a store: applies each module's numbered scripts, in the order of `requires`.

A script and its row of history are written in one transaction, by playhouse's migrator. The plan is
computed without a lock. Only if scripts are pending, the lock across processes is taken and the
plan is computed again.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import peewee

from ...config.options import Config
from ...errors import InvalidValueError, MigrationError, StoreFullError, shown
from ..checks import checked_seconds, refused
from ..transactions.database import Database
from .history import Applied, Entry, applied_scripts, pending, position_of
from .running import raw_connection, run_chunk, run_script
from .scripts import Script, in_order, scripts

if TYPE_CHECKING:
    from ..findings import Finding
    from .plan import Step
    from .scripts import Migrated

Progress = Callable[[str, int, int], Any]

LOCK_WAIT_S = 120.0
OPEN_S = 10.0  # for chunks, while a store is opened


class Migrator:
    """Compares the modules' scripts with a store's history and applies those that are pending.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, CorruptStoreError
    or TransactionError, and ConfigError if the file is not an SQLite database.
    """

    def __init__(
        self,
        db: Database,
        modules: Sequence[Migrated],
        config: Config | None = None,
        *,
        prefix: str = "",
    ) -> None:
        self._db = db
        self._config = config
        self._modules = in_order(modules)
        self._scripts = {
            m.name: [one._replace(prefix=prefix) for one in scripts(m.name, m.migrations)]
            for m in self._modules
            if m.migrations
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
        needed = self._bytes_needed()
        with self._db.reader():
            database = self._db.backend.database
            tables = {name for one in touched.values() for name in one.tables}
            rows = {
                name: database.execute_sql(f'SELECT count(*) FROM "{name}"').fetchone()[0]
                for name in tables.intersection(database.get_tables())
            }
        size = self._db.backend.facts().size
        steps = [(script, _entry(applied, script)) for script in scripts]
        return [
            step_of(
                script,
                touched.get(script),
                rows,
                _chunks(entry),
                (size, needed) if entry is None and applied.get(script.module) else None,
            )
            for script, entry in steps
        ]

    def pending(self) -> list[Script]:
        """Return the scripts that apply() would run, in order, without looking into them.

        Raises NewerSchemaError and MigrationError, as plan() does.
        """
        return self._pending()[0]

    def _pending(self) -> tuple[list[Script], Applied]:
        with self._db.reader():
            applied = applied_scripts(self._db.backend.database, self._scripts)
        scripts = [
            script
            for module, known in self._scripts.items()
            for script in pending(module, known, applied.get(module, {}))
        ]
        return scripts, applied

    def status(self) -> list[dict[str, Any]]:
        """Return every script, in order, as a mapping with "module", "name", "applied", "chunks".

        "applied" is an aware datetime, or None for a script that is pending or unfinished.
        "chunks" is the number of chunks that an unfinished one has done, else None.
        """
        with self._db.reader():
            applied = applied_scripts(self._db.backend.database, self._scripts)
        scripts = [script for known in self._scripts.values() for script in known]
        return [
            {
                "module": script.module,
                "name": script.name,
                "applied": entry.applied if entry and not entry.unfinished else None,
                "chunks": _chunks(entry),
            }
            for script, entry in [(script, _entry(applied, script)) for script in scripts]
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

    @property
    def own_tables(self) -> frozenset[str]:
        """The names of the tables of all modules."""
        return frozenset(model._meta.table_name for each in self._modules for model in each.models)

    def apply(
        self,
        progress: Progress | None = None,
        *,
        to: str | None = None,
        budget_s: float | None = None,
    ) -> list[Script]:
        """Back the store up, run the pending scripts and return those that ended, in order.

        A new store, and the first script of a module, need no backup. progress(name, done, total)
        is called before each step, of which the backup is one, and after each chunk of a script
        that runs in chunks. to, such as "media:2", is the last script to run. After budget_s
        seconds no further chunk is begun; the next call continues. A script that fails is rolled
        back, and the error names the backup. Processes take turns. Raises NewerSchemaError,
        MigrationError, BackupError, StoreFullError, InvalidValueError, and StoreBusyError if
        another process migrates for longer than two minutes.
        """
        if progress is not None and not callable(progress):
            raise refused("progress", "a function, or None", progress)
        if budget_s is not None:
            checked_seconds("budget_s", budget_s)
        if not self.pending():
            return []
        with self._db.exclusive("migrate", wait_s=LOCK_WAIT_S):
            scripts, applied = self._pending()
            run = _Run(self._db, _until(scripts, to), applied, progress, budget_s)
            try:
                ended = run.all(self._protected)
            except (MigrationError, StoreFullError) as exc:
                if run.backup is None:
                    raise
                message = f"{exc}. A backup of before is {run.backup}"
                raise type(exc)(message) from exc.__cause__
            self._db.backend.mark_as_store()
        return ended

    def _bytes_needed(self) -> int:
        """Return the bytes that a script and the backup before it may need beside the store."""
        from .plan import NEEDED_SPACE

        facts = self._db.backend.facts()
        size = facts.size + facts.log_size
        backup = facts.path is not None and self._backs_up_beside(facts.path)
        return int(size * (NEEDED_SPACE + backup))

    def _backs_up_beside(self, path: str) -> bool:
        """Whether a backup is taken on the disk of the store."""
        if self._config is None or self._config.upgrade_backup == "off":
            return False
        from ..backups.backups import folder_of

        folder = folder_of(self._config)
        while not folder.exists():
            folder = folder.parent
        return os.stat(folder).st_dev == os.stat(path).st_dev

    def _protected(self) -> str | None:
        """Check the free space and take a verified backup; return its path, None if it is off."""
        path = self._db.backend.facts().path
        if path is not None:
            needed, free = self._bytes_needed(), shutil.disk_usage(os.path.dirname(path)).free
            if free < needed:
                raise StoreFullError(
                    f"the disk of {path} has {free} bytes free, and migrating needs "
                    f"{needed}: make room; nothing was changed"
                )
        if self._config is None or self._config.upgrade_backup == "off":
            return None
        from ..backups.backups import Backups

        return Backups(self._db, self._config).create(kind="upgrade").path

    def run(self, database: peewee.Database, plan: Sequence[Script]) -> None:
        """Run scripts inside a transaction of the caller, which checks the foreign keys.

        On SQLite they must be off. Raises MigrationError.
        """
        for script in plan:
            position = run_script(database, self._db, script, verify=False)
            while position is not None:
                position = run_chunk(database, self._db, script)


class _Run:
    """One run of apply(), under the lock across processes."""

    def __init__(
        self,
        db: Database,
        scripts: list[Script],
        applied: Applied,
        progress: Progress | None,
        budget_s: float | None,
    ) -> None:
        for script in scripts:
            script.load()  # one that cannot be loaded is refused before anything runs
        self._db = db
        self._scripts = scripts
        self._applied = applied
        self._progress = progress
        self._until = math.inf if budget_s is None else time.monotonic() + budget_s
        self.backup: str | None = None
        # For an unfinished script a backup was taken when it began.
        self._is_upgrade = any(
            applied.get(script.module) and _entry(applied, script) is None for script in scripts
        )
        self._done = 0
        self._total = len(scripts) + self._is_upgrade

    def all(self, protect: Callable[[], str | None]) -> list[Script]:
        """Run the scripts until one is out of time; return those that ended.

        protect takes a backup, before the first one that was not begun.
        """
        ended: list[Script] = []
        for script in self._scripts:
            if self._is_upgrade and _entry(self._applied, script) is None:
                self._is_upgrade = False
                self._report("backup")
                self.backup = protect()
                self._done += 1
            self._report(f"{script.module} {script.name}")
            if not self._ends(script):
                break
            ended.append(script)
            self._done += 1
        if any(self._applied.get(script.module) for script in ended):
            with raw_connection(self._db):
                self._db.backend.database.analyze()
        return ended

    def _report(self, name: str) -> None:
        if self._progress is not None:
            self._progress(name, self._done, self._total)

    def _ends(self, script: Script) -> bool:
        entry = _entry(self._applied, script)
        if entry is None:
            with raw_connection(self._db) as database:
                position = run_script(database, self._db, script, verify=True)
        else:
            position = position_of(str(entry.unfinished))
        while position is not None:
            with raw_connection(self._db) as database:
                position = run_chunk(database, self._db, script)
            if position is not None:
                self._report(f"{script.module} {script.name}, chunk {position.chunks}")
                if time.monotonic() >= self._until:
                    return False
                self._db.yield_to_writers()
        return True


def _entry(applied: Applied, script: Script) -> Entry | None:
    return applied.get(script.module, {}).get(script.name)


def _chunks(entry: Entry | None) -> int | None:
    return position_of(entry.unfinished).chunks if entry and entry.unfinished else None


def _until(scripts: list[Script], to: str | None) -> list[Script]:
    """Return the scripts up to the one that is named as MODULE:NUMBER."""
    if to is None:
        return scripts
    names = [f"{script.module}:{script.number}" for script in scripts]
    if to not in names:
        raise InvalidValueError(f"to must be one of {', '.join(names)}, not {shown(to)}")
    return scripts[: names.index(to) + 1]
