"""Running plugins that are due: one process at a time, and what becomes of failures and hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from ...database.transactions.database import Database
from ...errors import StoreBusyError, StoreClosedError, ViewraError
from .. import queries
from ..answers.work import retry_after
from ..finding.registering import HANGS, MOST_FAILURES, Entry, log
from ..models import PluginRow
from ..results import PluginRun
from ..confinement.calls import NotEnded

Settle = Callable[[Entry, "PluginRow | None"], None]


class Running:
    """Calls run() of plugins, and stores how it ended."""

    def __init__(self, db: Database, settle: Settle) -> None:
        self._db = db
        self._settle = settle

    def run(self, entry: Entry, now: datetime, limit_s: float) -> list[PluginRun]:
        """Run a plugin if it is due, and runs in no other process.

        One that has not ended after limit_s seconds is left alone; until it ends, no process
        runs it.
        """
        try:
            with ExitStack() as held:
                held.enter_context(self._db.exclusive(f"plugin-{entry.id}", wait_s=0))
                try:
                    row: PluginRow | None = self._db.one(queries.plugin_by_id, entry.id)
                    self._settle(entry, row)
                    if entry.is_on and row and (row.due_at is None or row.due_at <= now):
                        return [self._run(entry, row, now, limit_s)]
                finally:
                    if entry.running is not None:
                        entry.running.afterwards(held.pop_all().close)
        except StoreBusyError as exc:
            log.debug("the plugin %s is running elsewhere, or the store is busy: %s", entry.id, exc)
        return []

    def fail(self, entry: Entry, error: str) -> None:
        """Switch a plugin off that failed too often."""
        entry.is_on = False
        self._db.run(queries.switch_off, MOST_FAILURES, error, self._db.now(), entry.id)
        log.warning("the plugin %s failed %d times in a row, and is off", entry.id, MOST_FAILURES)

    def _run(self, entry: Entry, row: PluginRow, now: datetime, limit_s: float) -> PluginRun:
        assert entry.plugin is not None
        began = time.monotonic()
        try:
            entry.call(limit_s, entry.plugin.run, now)
        except StoreClosedError:
            raise
        except NotEnded as exc:
            self._note_hang(entry, exc.reason, now)
            return PluginRun(entry.id, time.monotonic() - began, exc.reason)
        except (Exception, SystemExit) as exc:  # of a third party's code: the others still run
            entry.log_failure("run()", exc)
            error, failures = entry.reason_of(exc), (row.failures or 0) + 1
            again = now + retry_after(failures)
            self._db.run(queries.save_failure, now, again, failures, error, entry.id)
            if failures >= MOST_FAILURES:
                self.fail(entry, error)
            return PluginRun(entry.id, time.monotonic() - began, error)
        self._db.run(queries.save_success, now, entry.id)
        return PluginRun(entry.id, time.monotonic() - began)

    def _note_hang(self, entry: Entry, reason: str, now: datetime) -> None:
        entry.is_on, entry.hang, running = False, reason, entry.running
        if not self._store_hang(entry, now) and running is not None:  # it may hold the writer
            running.afterwards(partial(self._store_hang, entry, now))

    def _store_hang(self, entry: Entry, now: datetime) -> bool:
        try:
            self._db.run(queries.save_failure, now, None, HANGS, entry.hang, entry.id)
            self._db.run(queries.switch_off, HANGS, entry.hang, self._db.now(), entry.id)
        except ViewraError as exc:
            log.warning("the state of %s was not stored: %s", entry.id, type(exc).__name__)
            return False
        return True
