"""The checks of doctor: which there are, and running them beside a busy server.

Each check reads in one transaction of bounded time and never writes. One that fails is a finding.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from ...config.options import Config
from ...database.checks import refused
from ...database.findings import Finding, Look
from ...database.migrations.migrator import Migrator
from ...database.transactions.database import Database
from ...errors import (
    ConfigError,
    CorruptStoreError,
    MigrationError,
    NewerSchemaError,
    StoreBusyError,
    StoreUnavailableError,
    TransactionError,
    ViewraError,
)
from ..models import Chore
from . import chores, files, rows

ABOUT = {
    "store": "that it can be opened: its file or server, and the version of its tables",
    "engine": "faults of this version of SQLite or PostgreSQL",
    "file-system": "that the database is on a local disk that can be written to",
    "free-space": "space for the database, an upgrade and a backup",
    "permissions": "that other users cannot read the files, and this one can",
    "journal": "the journal mode, the size of the log, and what keeps it",
    "integrity": "damaged pages, indexes and values",
    "schema": "tables, columns, constraints, indexes and triggers as the migrations make them",
    "foreign-keys": "rows that refer to rows that do not exist",
    "orphans": "the same for references without a foreign key",
    "search-index": "that the search finds every title",
    "statistics": "the statistics by which queries are planned",
    "fragmentation": "free pages in the database",
    "backups": "age, soundness and place of the backups",
    "chores": "chores that are late or fail",
    "clock": "times of the future, and clocks that differ",
}
LIMIT_S = 10.0
_FAILED = "the check failed"
_SHARE = 0.8  # of that time, after which a check begins no other table
LIMITS_S = {"integrity": 20.0}
# Those that read tables, which a store of another version does not have.
_OF_TABLES = frozenset(
    ("schema", "foreign-keys", "orphans", "search-index", "statistics", "chores", "clock")
)
_REMEDIES: dict[type[Exception], str] = {
    NewerSchemaError: "upgrade viewra_lite",
    MigrationError: "use the version of viewra_lite that migrated it, or restore a backup",
    CorruptStoreError: "run viewra-lite recover, or viewra-lite restore",
    StoreBusyError: "wait, or stop the program that has the store open",
    StoreUnavailableError: "check the path, the disk or the server; a new store: viewra-lite init",
    ConfigError: "check the configuration: viewra.yaml, --config or VIEWRA_DATABASE_*",
}

_UNREACHABLE = (_REMEDIES[StoreBusyError], _REMEDIES[StoreUnavailableError])
_FILE_CHECKS: dict[str, Callable[[Config], Iterable[Finding]]] = {
    "file-system": files.file_systems,
    "free-space": files.free_space,
    "permissions": files.permissions,
}


def checked_ids(name: str, ids: Collection[str] | None) -> frozenset[str]:
    """Return the ids of checks; raises InvalidValueError for an unknown one."""
    chosen = frozenset(ABOUT if ids is None else [ids] if isinstance(ids, str) else ids)
    unknown = sorted(map(str, chosen - ABOUT.keys()))
    if unknown:
        raise refused(name, f"one of {', '.join(ABOUT)}", unknown[0])
    return chosen


def of_closed(
    config: Config, why: ViewraError, now: datetime, chosen: Collection[str]
) -> list[Finding]:
    """Return the findings about a store that cannot be opened: why, and those of its files."""
    findings = [Finding("store", "error", str(why), _remedy(why))]
    for id, check in _FILE_CHECKS.items():
        findings += _guarded(id, partial(check, config))
    findings += _guarded("backups", lambda: files.backups(config, now, None))
    return [finding for finding in findings if finding.id in chosen]


class Doctor:
    """The checks of an open store."""

    def __init__(
        self,
        db: Database,
        config: Config,
        migrator: Migrator,
        chores: Callable[[], Sequence[Chore]],
    ) -> None:
        self._db = db
        self._config = config
        self._migrator = migrator
        self._chores = chores
        self._made_at: datetime | None = None
        self._health, self._catalogue, self._upkeep = _of_engine(config.engine)

    def check(self, only: Collection[str] | None, ignore: Collection[str]) -> list[Finding]:
        """Return what the chosen checks found, in the order of ABOUT."""
        chosen = checked_ids("only", only) - checked_ids("ignore", ignore)
        if self._db.in_transaction:
            raise TransactionError("check() inside a reader() or writer(): leave that block first")
        about_store = list(self._guarded("store"))
        left_out = _OF_TABLES if about_store else frozenset[str]()
        if any(finding.remedy in _UNREACHABLE for finding in about_store):
            # Each of the others would wait as long again.
            left_out = frozenset(ABOUT.keys() - _FILE_CHECKS.keys() - {"backups"})
        findings = about_store if "store" in chosen else []
        for id in ABOUT:
            if id in chosen and id != "store" and id not in left_out:
                findings += self._guarded(id)
        return _without_echoes(findings)

    def fix(self, id: str) -> None:
        """Do what a fixable finding says."""
        if id == "permissions":
            return files.restrict(self._config)
        if id == "statistics":
            self._upkeep.optimize(self._db.backend, self._config)
            return None
        if id != "search-index" and id not in self._health.FIXES:
            known = sorted({"permissions", "statistics", "search-index", *self._health.FIXES})
            raise refused("id", f"one of {', '.join(known)}", id)
        if id == "search-index":
            self._rebuild_documents()
        self._fix(id)
        return None

    # Inside

    def _fix(self, id: str) -> None:
        for fix in filter(None, [self._health.FIXES.get(id)]):
            fix(self._db.backend)

    def _rebuild_documents(self) -> None:
        try:
            rows.rebuild_documents(self._db)
        except CorruptStoreError:  # triggers write to the index, which may be damaged
            self._fix("search-index")
            rows.rebuild_documents(self._db)

    def _guarded(self, id: str) -> Iterator[Finding]:
        limit_s = LIMITS_S.get(id, LIMIT_S)
        yield from _guarded(id, lambda: self._parts(id, limit_s), self._db, limit_s)

    def _parts(self, id: str, limit_s: float) -> Iterator[Finding]:
        """Yield what the parts of a check find: of the files, of the engine, of the rows."""
        if id in _FILE_CHECKS:
            yield from _FILE_CHECKS[id](self._config)
        whole: dict[str, Callable[[], Iterable[Finding]]] = {
            "store": self._store,
            "schema": self._migrator.drift,
            "backups": lambda: files.backups(self._config, self._db.now(), self._made_at),
            "chores": lambda: chores.late(self._chores(), self._db.now()),
        }
        if id in whole:
            yield from whole[id]()
        of_rows: dict[str, Callable[[Look], Iterable[Finding]]] = {
            "orphans": rows.orphans,
            "search-index": lambda look: rows.search_index(look, self._db),
            "clock": lambda look: rows.clock(look, self._catalogue.tables(look.connection)),
        }
        parts = [part for part in (self._health.CHECKS.get(id), of_rows.get(id)) if part]
        if parts:
            with self._looking(limit_s) as look:
                for part in parts:
                    yield from part(look)

    def _store(self) -> Iterator[Finding]:
        times = [script["applied"] for script in self._migrator.status() if script["applied"]]
        self._made_at = min(times, default=None)
        pending = self._migrator.pending()
        if not times:
            text = f"{self._config.url} is not a store yet"
            yield Finding("store", "error", text, "run viewra-lite init")
        elif pending:
            names = ", ".join(f"{script.module} {script.name}" for script in pending)
            text = f"the store is older than this version; pending: {names}"
            yield Finding("store", "error", text, "run viewra-lite migrate")

    @contextmanager
    def _looking(self, limit_s: float) -> Iterator[Look]:
        """Open a transaction whose queries are ended after limit_s seconds."""
        db = self._db
        with db.reader():
            connection = db.backend.database.connection()
            timer = threading.Timer(limit_s, self._health.interrupt, (connection,))
            timer.daemon = True
            timer.start()
            try:
                until = time.monotonic() + limit_s * _SHARE
                tables = self._migrator.own_tables
                yield Look(db.backend, self._config, connection, db.now(), tables, until)
            finally:
                timer.cancel()
                timer.join()  # it must not end a query of the next borrower


def _guarded(
    id: str,
    check: Callable[[], Iterable[Finding]],
    db: Database | None = None,
    limit_s: float = LIMIT_S,
) -> Iterator[Finding]:
    """Yield what a check finds; if it fails, that is what it finds."""
    began = time.monotonic()
    try:
        yield from check()
    except Exception as exc:  # in a damaged store any query may fail in any way
        if time.monotonic() - began >= limit_s:
            text = f"the check took longer than {limit_s:g} s and was ended"
            yield Finding(id, "info", text, "run it alone, while the server is not busy")
            return
        error = exc if db is None else db.backend.translate(exc)
        yield failed(id, error)


def failed(id: str, error: BaseException, what: str = _FAILED) -> Finding:
    """Return the finding for a check, or a fix, that failed."""
    is_damage = isinstance(error, CorruptStoreError)
    lines = str(error).splitlines() or [""]  # the others show a part of the query
    reason = str(error) if isinstance(error, ViewraError) else f"{type(error).__name__}: {lines[0]}"
    # An index that cannot be read is built again from its table.
    can_be_built = id == "search-index" and is_damage and "the table search_documents" not in reason
    return Finding(
        id,
        "error" if id == "store" or is_damage else "warning",
        reason if id == "store" else f"{what}: {reason}",
        rows.REBUILD if can_be_built else _remedy(error),
        fixable=can_be_built,
    )


def _remedy(error: BaseException) -> str:
    return next(
        (remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "see the message"
    )


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Leave out checks that failed because of damage that is named already."""
    damage = [
        one for one in findings if one.id in ("store", "integrity") and one.severity == "error"
    ]
    if not damage:
        return findings
    return [one for one in findings if one in damage or not one.text.startswith(_FAILED)]


def _of_engine(engine: str) -> Any:
    """Return the modules of an engine: its health, its catalogue and its upkeep."""
    if engine == "postgres":
        from ...database.postgres import upkeep as its_upkeep
        from ...database.postgres.health import catalogue as its_catalogue
        from ...database.postgres.health import checks as its_checks

        return its_checks, its_catalogue, its_upkeep
    from ...database.sqlite import upkeep
    from ...database.sqlite.health import catalogue, checks

    return checks, catalogue, upkeep
