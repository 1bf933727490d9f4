"""The verbs of `store.maintenance`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ..database.pages import readable
from ..database.backend import ConnectionFacts, DatabaseFacts
from ..database.findings import Finding
from ..database.migrations.migrator import Migrator
from ..database.checks import checked_limit, checked_moment, checked_seconds, or_none
from ..media.libraries import is_locked
from ..media.models import MediaFile
from ..module import Module
from . import queries, statistics
from .chores import ChoreResult, Chores
from .definitions import PluginsHere, Tidy, definitions
from .models import MODELS, Chore
from .slow_queries import SlowQuery, slow_queries
from .statistics import Statistics, by_library, counts
from .upkeep import Upkeep

if TYPE_CHECKING:
    from .doctor.checks import Doctor


class Maintenance(Module):
    """The verbs of `store.maintenance`: chores, statistics and problems of the store.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, StoreFullError,
    CorruptStoreError or TransactionError, and ConfigError if the file is not an SQLite database.
    """

    name = "maintenance"
    models = MODELS
    migrations = "viewra_lite.maintenance.migrations"

    tidies: Iterable[Tidy] = ()
    """The chores of the other modules; set by the store."""

    plugins: PluginsHere
    """Those of this process; set by the store."""

    migrator: Migrator
    """The migrations of the store, set by it too."""

    # Chores

    def run_due(
        self, now: datetime | None = None, *, budget_s: float | None = None
    ) -> list[ChoreResult]:
        """Run the chores that are due, and return what each did; call it from any timer.

        Costs little if none is due. A chore runs in one process at a time, and an interrupted one
        is still due. One that fails does not stop the others, and is tried again later. When
        budget_s seconds are over, the rest is left for the next time. A backup waits for a moment
        without playback and scans, for six hours at most. Raises InvalidValueError.

            for result in store.maintenance.run_due(budget_s=60):
                print(result.name, result.error or result.done)
        """
        moment = or_none(checked_moment, "now", now) or self.db.now()
        return self._chores.run_due(moment, or_none(checked_seconds, "budget_s", budget_s))

    def run(self, name: str, now: datetime | None = None) -> ChoreResult:
        """Run one chore at once, due or not, and return what it did.

        The names are those of chores(). Raises InvalidValueError, and ConflictError while another
        process or thread runs it.
        """
        return self._chores.run(name, or_none(checked_moment, "now", now) or self.db.now())

    def chores(self) -> list[Chore]:
        """Return every chore with its due time, its last run and its last error."""
        return self._chores.all(self.db.now())

    def checkpoint(self) -> None:
        """Move SQLite's log into the database, and empty it if no reader needs it.

        Works in steps, so that writers wait for milliseconds only. Nothing on PostgreSQL.
        """
        self._upkeep.checkpoint()

    def optimize(self) -> list[str]:
        """Renew the statistics of tables that grew or shrank tenfold; return their names.

        On PostgreSQL of all tables, and no names.
        """
        return self._upkeep.optimize()

    def vacuum(self) -> None:
        """Give the free pages of the database back to the disk.

        On SQLite it writes the whole file anew. It holds the writer for all of that time, about a
        second for 40 MiB, and needs twice the bytes in use of free space. On PostgreSQL it holds
        nothing. Raises StoreFullError.
        """
        self._upkeep.vacuum()

    # Doctor

    def check(
        self, *, only: Collection[str] | None = None, ignore: Collection[str] = ()
    ) -> list[Finding]:
        """Return what the checks find, or some of them; [] if the store is well.

        Beside a busy server: it only reads, at most 10 s for each check and 20 s for the integrity
        of a large database, which is said then. A check that fails is a finding. only and ignore
        are ids of checks. Raises InvalidValueError, and TransactionError inside a reader() or
        writer().

            for finding in store.maintenance.check(ignore=["backups"]):
                print(finding.severity, finding.text, finding.remedy)
        """
        return self._doctor.check(only, ignore)

    def fix(self, id: str) -> None:
        """Do what a finding says that is `fixable`; id is the finding's.

        To build the search index again, and to renew statistics, holds the writer for seconds in a
        large store. Raises InvalidValueError, StoreFullError, and ConflictError if a trigger or an
        index of another program refuses it.
        """
        self._doctor.fix(id)

    # Statistics and problems

    def statistics(self) -> Statistics:
        """Return what the store holds, its sizes, work and backups, and this process's waits.

        The records are counted in one snapshot, which takes a few tenths of a second for a million
        files. Sizes are bytes, latencies seconds.
        """
        database, sizes = self.database(), self._upkeep.sizes()
        kept, schema = statistics.backups(self.db, self.config), self._schema()
        with self.db.reader():
            running_scans, last_scan_at = statistics.scans(self.db)
            return Statistics(
                database=database,
                counts=counts(self.db),
                libraries=by_library(self.db),
                sizes=sizes,
                open_sessions=self.db.one(queries.open_sessions)[0],
                running_scans=running_scans,
                last_scan_at=last_scan_at,
                transcodes=statistics.transcodes(self.db),
                backups=kept,
                schema=schema,
                connections=self.connections(),
                slow_queries=self.db.slow.times,
                latency=statistics.latency(),
            )

    def database(self) -> DatabaseFacts:
        """Return the engine, its version and the size of the database; needs no tables."""
        return self.db.backend.facts()

    def connections(self) -> ConnectionFacts:
        """Return how many connections this process has, and what its threads waited for.

        Counted since the store was opened; costs no query. For the database of `database()`.
        """
        return self.db.backend.connections()

    def slow_queries(self) -> list[SlowQuery]:
        """Return the last hundred statements of `slow_query_ms` or longer, newest first.

        Those of this process since the store was opened, without any value. Their plans are asked
        for here, and no statement is run again.
        """
        return slow_queries(self.db)

    def problems(self, limit: int = 100) -> list[MediaFile]:
        """Return the first `limit` files, by path, that are missing, broken or belong to nothing.

        A missing file has `missing_since`, one that could not be probed has `error`, and one that
        belongs to no movie, episode or track has neither. limit is 1 to 1000. Raises
        InvalidValueError.
        """
        limit = checked_limit(limit)
        found: list[MediaFile] = readable(self.db, queries.files_with_problems, limit)
        return found

    # Inside

    def _schema(self) -> dict[str, str]:
        """Return the last migration of each module."""
        return {
            script["module"]: script["name"]
            for script in self.migrator.status()
            if script["applied"]
        }

    @cached_property
    def _upkeep(self) -> Upkeep:
        return Upkeep(self.db, self.config)

    @cached_property
    def _doctor(self) -> Doctor:
        from .doctor.checks import Doctor  # which imports the search

        return Doctor(self.db, self.config, self.migrator, self.chores)

    @cached_property
    def _chores(self) -> Chores:
        known = definitions(self.db, self.config, self.tidies, self.plugins)
        return Chores(self.db, known, self._is_quiet)

    def _is_quiet(self) -> bool:
        """Whether nothing is played and no library is scanned."""
        if self.db.one(queries.open_session) is not None:
            return False
        return not any(is_locked(self.db, id) for (id,) in self.db.all(queries.library_ids))
