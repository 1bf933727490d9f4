"""SQLite: a pool of reading connections, one writer behind a gate, WAL and its pragmas."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ...config.options import SqliteConfig
from ...errors import TransactionError, StoreBusyError, StoreClosedError, StoreUnavailableError
from ..backend import DatabaseFacts
from ..transactions.locks import file_lock
from ..transactions.pool import Pool, WriteGate, never_close, refuse_in_forked_child
from .drivers.loading import load_driver
from .errors import refuse_nul, retried, translate_sqlite
from .file import (
    APPLICATION_ID,
    apply_pragmas,
    lock_folder,
    make_file,
    marker,
    reader_pragmas,
    refuse_emptied,
    refuse_foreign,
    refuse_what_cannot_open,
    settings,
    writer_pragmas,
)

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
        self._readers = Pool(self._connect_reader, config.pool_size, self._wait_s, driver.close)
        self._gate = WriteGate()
        self._turn: Any = None
        self.is_writer_awaited = self._gate.is_awaited
        self._writer: Connection | None = None
        self._writer_synchronous = 0
        self._next_sync = time.monotonic() + SYNC_EVERY_S
        self._wal: WalFile | None = None
        self._checkpoints: Checkpoints | None = None
        self._shares_sync = False
        self._owed: int | None = None  # the commit that its writer has to wait for
        self._changes_before = 0
        self._initial_settings: dict[bool, list[Any]] = {}
        self._broken: set[Connection] = set()
        self._closed = self._forked = False

    # Connections

    def borrow(self) -> Connection:
        """Return a connection that only reads."""
        connection: Connection = self._readers.borrow()
        return connection

    def turn_of(self, connection: Connection, writes: bool) -> Any:
        """Return which loan it is that a connection is out for."""
        return self._turn if writes else self._readers.turn_of(connection)

    def is_lent(self, connection: Connection, turn: Any) -> bool:
        """Whether that loan has not ended."""
        return self._gate.is_held(turn) or self._readers.turn_of(connection) == turn

    def give_back(self, connection: Connection) -> None:
        """Take a reading connection back."""
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
                    f"another thread wrote for longer than busy_timeout_ms="
                    f"{self._config.busy_timeout_ms}: keep writer() blocks short"
                )
            self._turn = turn
            if self._closed or self._forked:
                self.refuse_stray_query()
            if self._writer is None:
                self._writer = self._connect(writer_pragmas(self._config))
                self._writer_synchronous = 1
            return self._writer
        except BaseException:
            if turn is not None:
                self._gate.release(turn)
            raise

    def give_back_writer(self, connection: Connection) -> None:
        """Open the write gate for the next in the queue, then wait for the disk if promised."""
        turn = self._turn
        wal, owed, self._owed = self._wal, self._owed, None
        checkpoints, due = self._checkpoints, False
        try:
            if self._finalize is not None:
                self._finalize(connection)
            due = checkpoints is not None and checkpoints.is_due(self._gate.waits)
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
        """Undo what guest code set; a connection that it changed otherwise is not used again."""
        try:
            self.driver.reset(connection)
            changed = settings(connection) != self._initial_settings[connection is self._writer]
        except self.driver.Error:
            changed = True
        if changed or connection.in_transaction:
            self._broken.add(connection)

    def begin_read(self, connection: Connection) -> None:
        """Start a snapshot: it is taken by the first statement that reads."""
        connection.execute("BEGIN")

    def end_read(self, connection: Connection) -> None:
        """End the snapshot."""
        self.rollback(connection)

    def begin_write(self, connection: Connection, durable: bool) -> None:
        """BEGIN IMMEDIATE, with jittered retries while another process writes."""
        shared = self._wal if durable and self._config.synchronous != "full" else None
        self._shares_sync = shared is not None and shared.takes_commits()
        self._set_durability(connection, durable)
        self._retry(lambda: connection.execute("BEGIN IMMEDIATE"))
        if self._wal is None:
            self._open_log()

    def commit(self, connection: Connection) -> None:
        """Commit; a transaction that is gone raises instead of losing rows silently."""
        if not connection.in_transaction:
            raise TransactionError(
                "the transaction ended inside this writer(), by a COMMIT, a ROLLBACK or an error "
                "that was swallowed: what came before that error was rolled back"
            )
        connection.execute("COMMIT")
        if self._shares_sync and self._wal is not None:
            self._owed = self._wal.note_commit()
        self._note_sync(connection)

    def rollback(self, connection: Connection) -> None:
        """Roll back, unless SQLite has done so by itself (disk full, for one)."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except self.driver.Error:
            self._broken.add(connection)  # closing it rolls back

    def rollback_to(self, connection: Connection, savepoint: str) -> None:
        """Undo to a savepoint and forget it."""
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
        for row in rows:
            refuse_nul(row)
        connection.executemany(sql, rows)

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError that this error stands for, or the error itself."""
        return translate_sqlite(error, self.path, self.driver)

    def checkpoint(self) -> None:
        """Move the log into the database as far as no reader needs it; outside a session."""
        if self._checkpoints is not None:
            return self._checkpoints.move_all()
        connection = self.borrow_writer()
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    def yield_to_writers(self) -> None:
        """Wait while the log is moved into the database."""
        if self._checkpoints is not None:
            self._checkpoints.yield_to_writers()

    @contextmanager
    def exclusive(self, name: str, *, wait_s: float) -> Iterator[None]:
        """Hold a lock file beside the database."""
        with file_lock(lock_folder(self.path) / name, wait_s=wait_s):
            yield

    def prepare(self, adoptable: Callable[[Any], bool] | None = None) -> None:
        """Create the folder and an empty database where there is none, readable to us alone.

        A file with tables that no store made is refused unless adoptable(connection) is true.
        """
        refuse_in_forked_child()
        self._find_path()
        if not self.path.exists():
            make_file(self.path)
        else:
            refuse_emptied(self.path)
        connection = self.borrow()
        try:
            is_ours = refuse_foreign(connection, self.path, adoptable)
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back(connection)
        if not is_ours:
            self._make_ours()

    def refuse_absent(self) -> None:
        """Say why there is no file to look at."""
        self._find_path()
        if not self.path.exists():
            raise StoreUnavailableError(f"there is no store at {self.path}")

    def mark_as_store(self) -> None:
        """Leave a note that a store is here, so that an emptied file is not taken for a new one."""
        note = marker(self.path)
        if not note.exists():
            note.parent.mkdir(mode=0o700, exist_ok=True)
            note.write_text("A viewra_lite store lives beside this folder.\n")

    def facts(self) -> DatabaseFacts:
        """Return SQLite's version and the size of the file and its log."""
        # os.stat only: to open the file beside SQLite would drop SQLite's locks on it.
        size, log = os.stat(self.path).st_size, f"{self.path}-wal"
        log_size = os.stat(log).st_size if os.path.exists(log) else 0
        connection = self.borrow()
        try:  # the driver may bring an SQLite of its own
            [version] = connection.execute("SELECT sqlite_version()").fetchone()
        finally:
            self.give_back(connection)
        return DatabaseFacts(f"SQLite {version}", str(self.path), size, log_size)

    def refuse_stray_query(self) -> NoReturn:
        """Raise what a query outside every session deserves."""
        if self._forked:
            self._readers.borrow()
        if self._closed:
            raise StoreClosedError()
        raise TransactionError("a query outside a session: use store.reader() or store.writer()")

    def close(self) -> None:
        """Wait for the writer, then close every connection."""
        if self._closed or self._forked:
            return
        turn = self._gate.acquire(self._wait_s)
        self._closed = True  # whoever passes the gate from now on is refused
        if turn is not None:
            self._gate.release(turn)
        if self._checkpoints is not None:
            self._checkpoints.end()
        # Readers first: the last connection to go moves the WAL into the database.
        self._readers.close()
        if turn is not None:
            self._close_writer()

    def after_fork(self) -> None:
        """Forget every connection in a forked child."""
        self._readers.after_fork()
        never_close([self._writer] if self._writer is not None else [])
        self._writer, self._forked, self._gate = None, True, WriteGate()
        self._wal = self._checkpoints = None

    def _find_path(self) -> None:
        """Refuse what cannot be opened, then follow links: locks lie beside the file itself.

        Who opens it by another name, a link or a linked folder, has to meet the same locks.
        """
        refuse_what_cannot_open(self.path)
        self.path = Path(os.path.realpath(self.path))

    def _make_ours(self) -> None:
        connection = self.borrow_writer()
        try:
            self._retry(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
            self._retry(lambda: connection.execute(f"PRAGMA application_id={APPLICATION_ID}"))
        except self.driver.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    def _connect_reader(self) -> Connection:
        return self._connect(reader_pragmas(self._config))

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
        # Not before the first write: who only reads need not wait for these.
        from .checkpoints import Checkpoints
        from .wal import WalFile

        self._wal = wal = WalFile.beside(self.path)
        if wal is not None:
            self._checkpoints = Checkpoints(self, wal, self._config.wal_autocheckpoint_pages)

    def _close_writer(self) -> None:
        # The log first: only while the connection lives is it the one that was opened.
        wal, self._wal, self._checkpoints = self._wal, None, None
        writer, self._writer = self._writer, None
        if wal is not None:
            wal.close()
        if writer is not None:
            self.driver.close(writer)

    def _set_durability(self, connection: Connection, durable: bool) -> None:
        # A commit that syncs makes those before it durable too: one a minute bounds what a power
        # cut can take back.
        is_due = (
            durable or self._config.synchronous == "full" or (time.monotonic() >= self._next_sync)
        )
        level = _FULL if is_due and not self._shares_sync else _NORMAL
        if level == _FULL:
            self._changes_before = self._total_changes(connection)
        if level != self._writer_synchronous:
            connection.execute(f"PRAGMA synchronous={level}")
            self._writer_synchronous = level

    def _note_sync(self, connection: Connection) -> None:
        """Wait a minute for the next sync, if what was committed now wrote anything to sync."""
        is_full = self._writer_synchronous == _FULL
        if is_full and self._total_changes(connection) != self._changes_before:
            self._next_sync = time.monotonic() + SYNC_EVERY_S

    def _retry(self, action: Callable[[], Any]) -> Any:
        """Call action until another process lets go of its lock; StoreBusyError in the end."""
        try:
            return retried(action, self.driver, self._wait_s)
        except TimeoutError as exc:
            raise StoreBusyError(
                "another process wrote for longer than busy_timeout_ms="
                f"{self._config.busy_timeout_ms}"
            ) from exc.__cause__
