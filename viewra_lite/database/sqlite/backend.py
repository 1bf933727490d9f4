"""The backend of SQLite: a pool of readers, one writer behind a gate, WAL and pragmas."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ...config.options import SqliteConfig
from ...errors import TransactionError, StoreBusyError, StoreClosedError
from ..backend import ConnectionFacts, DatabaseFacts
from ..transactions.locks import file_lock, is_locked
from ..transactions.pool import Pool, WriteGate, never_close, refuse_in_forked_child
from ..transactions.waits import Waits, together
from .drivers.loading import load_driver
from .errors import begin_immediate, retried, translate_sqlite
from .file import (
    APPLICATION_ID,
    apply_pragmas,
    facts_of,
    lock_folder,
    reader_pragmas,
    refuse_foreign,
    settings,
    writer_pragmas,
)
from .path import refuse_what_cannot_open
from .store_file import StoreFile

if TYPE_CHECKING:
    from ..backend import Connection
    from .checkpoints import Checkpoints
    from .wal import WalFile

_NORMAL, _FULL = 1, 2  # PRAGMA synchronous
SYNC_EVERY_S = 60.0


class SqliteBackend:
    """One SQLite file."""

    engine = "sqlite"

    def __init__(self, config: SqliteConfig) -> None:
        self.path = Path(os.path.abspath(config.database_path))
        self.driver = driver = load_driver(config.driver)
        self._total_changes, self._finalize = driver.total_changes, driver.finalize
        self.database: Any = driver.Database(self, str(self.path))
        self._config = config
        self._wait_s = config.busy_timeout_ms / 1000
        self._readers = Pool(
            partial(self._connect, reader_pragmas(config)),
            config.pool_size,
            self._wait_s,
            driver.close,
        )
        self._gate = WriteGate()
        self._busy_waits = Waits("the writer of another process")
        self._turn: Any = None
        self.is_writer_awaited = self._gate.is_awaited
        self._writer: Connection | None = None
        self._writer_synchronous = 0
        self._next_sync = time.monotonic() + SYNC_EVERY_S
        self._wal: WalFile | None = None
        self._checkpoints: Checkpoints | None = None
        self._shares_sync = False
        self._owed: int | None = None  # the commit whose sync its writer has to wait for
        self._changes_before = 0
        self._initial_settings: dict[bool, list[Any]] = {}
        self._broken: set[Connection] = set()
        self._closed = self._forked = False
        self._held = ExitStack()  # of locks

    # Connections

    def borrow(self) -> Connection:
        """Return a read-only connection."""
        connection: Connection = self._readers.borrow()
        return connection

    def turn_of(self, connection: Connection, writes: bool) -> Any:
        """Return a token of the current loan of a connection."""
        return self._turn if writes else self._readers.turn_of(connection)

    def is_lent(self, connection: Connection, turn: Any) -> bool:
        """Whether that loan has not ended."""
        return self._gate.is_held(turn) or self._readers.turn_of(connection) == turn

    def give_back(self, connection: Connection) -> None:
        """Return a reading connection to the pool."""
        if self._finalize is not None:
            self._finalize(connection)
        if connection in self._broken:
            self._broken.discard(connection)
            self._readers.discard(connection)
        else:
            self._readers.give_back(connection)

    def borrow_writer(self) -> Connection:
        """Pass the write gate and return the one writing connection."""
        turn = self._gate.acquire(self._wait_s)
        try:
            if turn is None:
                raise StoreBusyError(
                    f"another thread held the writer for longer than busy_timeout_ms="
                    f"{self._config.busy_timeout_ms}: keep writer() blocks short"
                )
            self._turn = turn
            if self._closed or self._forked:
                self.refuse_stray_query()
            if self._writer is None:
                self._file.opened()
                self._writer = self._connect(writer_pragmas(self._config))
                self._writer_synchronous = 1
            return self._writer
        except BaseException:
            if turn is not None:
                self._gate.release(turn)
            raise

    def give_back_writer(self, connection: Connection) -> None:
        """Hand the write gate to the next writer, then wait for the sync of a durable commit."""
        turn = self._turn
        wal, owed, self._owed = self._wal, self._owed, None
        checkpoints, due = self._checkpoints, False
        try:
            if self._finalize is not None:
                self._finalize(connection)
            due = checkpoints is not None and checkpoints.is_due(self._gate.waits.times)
            if self._closed or connection in self._broken:
                self._close_writer()
                self._broken.discard(connection)
        finally:
            self._gate.release(turn)
        if checkpoints is not None and due:
            checkpoints.begin()
        if wal is not None and owed is not None:
            wal.wait_for(owed)
            self._next_sync = time.monotonic() + SYNC_EVERY_S

    def reset(self, connection: Connection) -> None:
        """Undo changes of caller's code; a connection with changes that stay is not reused."""
        try:
            self.driver.reset(connection)
            changed = settings(connection) != self._initial_settings[connection is self._writer]
        except self.driver.Error:
            changed = True
        if changed or connection.in_transaction:
            self._broken.add(connection)

    def begin_read(self, connection: Connection) -> None:
        """Start a transaction; SQLite takes the snapshot at its first read."""
        connection.execute("BEGIN")

    def end_read(self, connection: Connection) -> None:
        """End the snapshot."""
        self.rollback(connection)

    def begin_write(self, connection: Connection, durable: bool) -> None:
        """BEGIN IMMEDIATE, retried with jitter while another process writes."""
        shared = self._wal if durable and self._config.synchronous != "full" else None
        self._shares_sync = shared is not None and shared.takes_commits()
        self._set_durability(connection, durable)
        self._retry(lambda: begin_immediate(connection, self.path, self.driver))
        if self._wal is None:
            self._open_log()
        else:
            self._wal.refuse_removed()

    def commit(self, connection: Connection) -> None:
        """Commit; raises TransactionError if the transaction has already ended."""
        if not connection.in_transaction:
            raise TransactionError(
                "the transaction has ended inside this writer(), by COMMIT, ROLLBACK or a "
                "swallowed error, after which SQLite rolled back: let errors propagate, and leave "
                "COMMIT and ROLLBACK to writer()"
            )
        connection.execute("COMMIT")
        if self._shares_sync and self._wal is not None:
            self._owed = self._wal.note_commit()
        self._note_sync(connection)

    def rollback(self, connection: Connection) -> None:
        """Roll back, unless SQLite has already done so, for example when the disk is full."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except self.driver.Error:
            self._broken.add(connection)  # closing it rolls back

    def rollback_to(self, connection: Connection, savepoint: str) -> None:
        """Roll back to a savepoint and release it."""
        if connection.in_transaction:
            connection.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
            connection.execute(f"RELEASE SAVEPOINT {savepoint}")

    def forbid_writes(self, connection: Connection, forbidden: bool) -> None:
        """Make the writer's connection refuse writes while a reader is nested in it."""
        connection.execute(f"PRAGMA query_only={int(forbidden)}")

    def execute_alone(self, connection: Connection, sql: str, params: Sequence[Any]) -> Any:
        """Run one writing statement as its own transaction."""
        self._shares_sync = False
        self._set_durability(connection, False)
        cursor: Any = self._retry(lambda: connection.execute(sql, params))
        self._note_sync(connection)
        return cursor

    def execute_many(self, connection: Connection, sql: str, rows: Sequence[Any]) -> None:
        """Run one statement for each row."""
        connection.executemany(sql, rows)

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError for a driver's error, or the error itself."""
        return translate_sqlite(error, self.path, self.driver)

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Move the log into the database, except pages that readers need.

        Call it outside a transaction.
        """
        if self._checkpoints is not None:
            return self._checkpoints.move_all(truncate=truncate)
        connection = self.borrow_writer()
        try:
            connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if truncate else 'PASSIVE'})")
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    def yield_to_writers(self) -> None:
        """Block while a checkpoint moves the log into the database."""
        if self._checkpoints is not None:
            self._checkpoints.yield_to_writers()

    def exclusive(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold a lock file beside the database."""
        return file_lock(lock_folder(self.path) / name, wait_s=wait_s)

    def is_locked(self, name: str) -> bool:
        """Whether a lock file beside the database is locked."""
        return is_locked(lock_folder(self.path) / name)

    def prepare(self, adoptable: Callable[[Any], bool] | None = None) -> None:
        """Create the folder and the file if they do not exist, with permissions for us alone.

        A file with foreign tables is refused unless adoptable(connection) is true.
        """
        refuse_in_forked_child()
        self._find_path()
        self._file.make_or_check()
        connection = self.borrow()
        try:
            is_ours = refuse_foreign(connection, self.path, adoptable)
            self._file.refuse_without_tables(connection)
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back(connection)
        self._held.enter_context(self._file.held(self._wait_s))
        if not is_ours:
            self._make_ours()

    def refuse_absent(self) -> None:
        """Raise StoreUnavailableError if the file does not exist."""
        self._find_path()
        self._held.enter_context(self._file.looked_at(self._wait_s))

    def mark_as_store(self) -> None:
        """Create the marker file, so that an emptied database is not taken for a new one."""
        self._file.opened()

    def facts(self) -> DatabaseFacts:
        """Return SQLite's version and the size of the file and its log."""
        connection = self.borrow()
        try:
            return facts_of(connection, self.path)
        finally:
            self.give_back(connection)

    def connections(self) -> ConnectionFacts:
        """Return how many connections there are, and what was waited for."""
        readers, gate = self._readers, self._gate
        writer_waits = together(gate.waits.facts(), self._busy_waits.facts())
        open, in_use = readers.open + (self._writer is not None), readers.in_use + gate.is_taken()
        return ConnectionFacts(open, in_use, readers.waits.facts(), writer_waits)

    def refuse_stray_query(self) -> NoReturn:
        """Raise the error for a query outside a transaction."""
        if self._forked:
            self._readers.borrow()
        if self._closed:
            raise StoreClosedError()
        raise TransactionError(
            "a query outside a transaction: use store.reader() or store.writer()"
        )

    def close(self) -> None:
        """Wait for the writer, then close every connection."""
        if self._closed or self._forked:
            return
        turn = self._gate.acquire(self._wait_s)
        self._closed = True  # later writers are refused
        if turn is not None:
            self._gate.release(turn)
        if self._checkpoints is not None:
            self._checkpoints.end()
        # Readers first: closing the last connection moves the WAL into the database.
        self._readers.close()
        if turn is not None:
            self._close_writer()
        self._held.close()

    def after_fork(self) -> None:
        """Forget every connection in a forked child."""
        self._readers.after_fork()
        never_close([self._writer] if self._writer is not None else [])
        self._writer, self._forked, self._gate = None, True, WriteGate()
        self._wal = self._checkpoints = None

    def _find_path(self) -> None:
        """Refuse a path that cannot be opened; resolve links, for the locks beside the file."""
        refuse_what_cannot_open(self.path)
        self.path = Path(os.path.realpath(self.path))
        self._file = StoreFile(self.path, self.driver)
        self._file.refuse_lost()

    def _make_ours(self) -> None:
        connection = self.borrow_writer()
        try:
            self._retry(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
            self._retry(lambda: connection.execute(f"PRAGMA application_id={APPLICATION_ID}"))
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    def _connect(self, pragmas: dict[str, Any]) -> Connection:
        try:
            connection = self.driver.connect(self.path, self._wait_s)
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        try:
            self.database.add_functions(connection)
            self._retry(lambda: apply_pragmas(connection, pragmas))
            found = self._retry(lambda: settings(connection))
        except BaseException as exc:
            self.driver.close(connection)
            if isinstance(exc, self.driver.Error):
                raise self.translate(exc) from exc
            raise
        self._initial_settings.setdefault(not pragmas["query_only"], found)
        return connection

    def _open_log(self) -> None:
        # Only at the first write: a process that only reads does not need these imports.
        from .checkpoints import Checkpoints
        from .wal import WalFile

        self._wal = wal = WalFile.beside(self.path)
        if wal is not None:
            self._checkpoints = Checkpoints(self, wal, self._config.wal_autocheckpoint_pages)

    def _close_writer(self) -> None:
        # The log first: it is the file of this connection only while the connection is open.
        wal, self._wal, self._checkpoints = self._wal, None, None
        writer, self._writer = self._writer, None
        if wal is not None:
            wal.close()
        if writer is not None:
            self.driver.close(writer)

    def _set_durability(self, connection: Connection, durable: bool) -> None:
        # A commit that syncs makes all earlier ones durable too: one a minute limits what a power
        # cut can lose.
        now = time.monotonic()
        if now >= self._file.look_at:
            self._file.refuse_removed(now)
        is_due = durable or now >= self._next_sync or self._config.synchronous == "full"
        level = _FULL if is_due and not self._shares_sync else _NORMAL
        if level == _FULL:
            self._changes_before = self._total_changes(connection)
        if level != self._writer_synchronous:
            connection.execute(f"PRAGMA synchronous={level}")
            self._writer_synchronous = level

    def _note_sync(self, connection: Connection) -> None:
        """Schedule the next sync in a minute if this commit has synced any change."""
        is_full = self._writer_synchronous == _FULL
        if is_full and self._total_changes(connection) != self._changes_before:
            self._next_sync = time.monotonic() + SYNC_EVERY_S

    def _retry(self, action: Callable[[], Any]) -> Any:
        """Call action until no other process holds the lock; raises StoreBusyError."""
        return retried(action, self.driver, self._wait_s, self._busy_waits)
