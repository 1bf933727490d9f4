"""SQLite: a pool of reading connections, one writer behind a gate, WAL and its pragmas."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import Any, NoReturn

import peewee

from ..config import SqliteConfig
from ..errors import (
    ConfigError,
    CorruptStoreError,
    SessionError,
    StoreBusyError,
    StoreClosedError,
    StoreUnavailableError,
)
from .locks import file_lock
from .pool import Pool, WriteGate, remaining
from .sessions import StoreDatabase
from .sqlite_errors import is_busy, translate_sqlite
from .statements import words_query

APPLICATION_ID = 0x56575241  # "VWRA", so that file(1) and we ourselves know a store
_STATEMENTS_KEPT = 256
_BUSY_RETRY_S = 0.002
_BUSY_RETRY_MAX_S = 0.02
_SYNCHRONOUS = {"normal": 1, "full": 2}


class SqliteStoreDatabase(StoreDatabase, peewee.SqliteDatabase):  # type: ignore[misc]
    """Peewee's view of the SQLite backend."""

    # The specification's words for the types; SQLite itself only looks at their affinity.
    field_types = {
        **peewee.SqliteDatabase.field_types,
        "BIGINT": "INTEGER",
        "BOOL": "BOOLEAN",
        "DATETIME": "TIMESTAMP",
        "DOUBLE": "REAL",
        "INT": "INTEGER",
    }
    one_of = (" IN (SELECT value FROM json_each(", "))", dumps)
    matches_words = (
        ' IN (SELECT rowid FROM "{index}" WHERE "{index}" MATCH ',
        " ORDER BY rowid LIMIT ",
        lambda groups: words_query(groups, '"{}"*', " AND ", " OR "),
    )

    def __init__(self, backend: SqliteBackend | None, path: str) -> None:
        super().__init__(path, lock_type="IMMEDIATE", autoconnect=False)
        self.backend = backend


class SqliteBackend:
    """One SQLite file."""

    engine = "sqlite"

    def __init__(self, config: SqliteConfig) -> None:
        self.path = Path(os.path.abspath(config.database_path))
        self.lock_folder = self.path.with_name(self.path.name + "-lock")
        self.database = SqliteStoreDatabase(self, str(self.path))
        self._config = config
        self._wait_s = config.busy_timeout_ms / 1000
        self._readers = Pool(self._connect_reader, config.pool_size, self._wait_s)
        self._gate = WriteGate()
        self._writer: sqlite3.Connection | None = None
        self._writer_synchronous = 0
        self._closed = False
        self._forked = False

    # Connections

    def borrow(self) -> sqlite3.Connection:
        """Return a connection that only reads."""
        connection: sqlite3.Connection = self._readers.borrow()
        return connection

    def give_back(self, connection: sqlite3.Connection) -> None:
        """Take a reading connection back."""
        self._readers.give_back(connection)

    def borrow_writer(self) -> sqlite3.Connection:
        """Pass the write gate and return the one writing connection."""
        if not self._gate.acquire(self._wait_s):
            raise StoreBusyError(
                f"another thread wrote for longer than busy_timeout_ms="
                f"{self._config.busy_timeout_ms}: keep writer() blocks short"
            )
        try:
            if self._closed or self._forked:
                self.refuse_stray_query()
            if self._writer is None:
                self._writer = self._connect(self._writer_pragmas())
                self._writer_synchronous = 1
            return self._writer
        except BaseException:
            self._gate.release()
            raise

    def give_back_writer(self, connection: sqlite3.Connection) -> None:
        """Open the write gate for the next in the queue."""
        if self._closed:
            connection.close()
        self._gate.release()

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Set the pragmas again and drop what guest code attached."""
        connection.row_factory = None
        connection.text_factory = str
        for (_, name, _file) in connection.execute("PRAGMA database_list").fetchall()[1:]:
            if name != "temp":
                connection.execute(f'DETACH DATABASE "{name}"')
        if connection is self._writer:
            _apply(connection, self._writer_pragmas())
            self._writer_synchronous = 1
        else:
            _apply(connection, self._reader_pragmas())

    # Transactions

    def begin_read(self, connection: sqlite3.Connection) -> None:
        """Start a snapshot: it is taken by the first statement that reads."""
        connection.execute("BEGIN")

    def end_read(self, connection: sqlite3.Connection) -> None:
        """End the snapshot."""
        if connection.in_transaction:
            connection.rollback()

    def begin_write(self, connection: sqlite3.Connection, durable: bool) -> None:
        """BEGIN IMMEDIATE, with jittered retries while another process writes."""
        self._set_durability(connection, durable)
        self._retry(lambda: connection.execute("BEGIN IMMEDIATE"))

    def commit(self, connection: sqlite3.Connection) -> None:
        """Commit."""
        connection.execute("COMMIT")

    def rollback(self, connection: sqlite3.Connection) -> None:
        """Roll back, unless SQLite has done so by itself (disk full, for one)."""
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if connection.in_transaction:  # pragma: no cover
            raise StoreUnavailableError("a rollback failed: close and reopen the store")

    def rollback_to(self, connection: sqlite3.Connection, savepoint: str) -> None:
        """Undo to a savepoint and forget it."""
        if connection.in_transaction:
            connection.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
            connection.execute(f"RELEASE SAVEPOINT {savepoint}")

    def forbid_writes(self, connection: sqlite3.Connection, forbidden: bool) -> None:
        """Make the writer's connection refuse writes while a reader is nested in it."""
        connection.execute(f"PRAGMA query_only={int(forbidden)}")

    def execute_alone(
        self, connection: sqlite3.Connection, sql: str, params: Sequence[Any]
    ) -> sqlite3.Cursor:
        """Run one writing statement as its own transaction."""
        self._set_durability(connection, False)
        try:
            return connection.execute(sql, params)
        except sqlite3.OperationalError as exc:
            if not is_busy(exc):
                raise
        cursor: sqlite3.Cursor = self._retry(lambda: connection.execute(sql, params))
        return cursor

    def execute_many(
        self, connection: sqlite3.Connection, sql: str, rows: Sequence[Any]
    ) -> None:
        """Run one statement for each row."""
        connection.executemany(sql, rows)

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError that this error stands for, or the error itself."""
        return translate_sqlite(error, self.path)

    def write_wanted(self) -> bool:
        """Whether another thread of this process waits at the write gate."""
        return self._gate.contended

    def checkpoint(self) -> None:
        """Move the log into the database as far as no reader needs it; waits for nobody."""
        connection = self.borrow_writer()
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    # Life

    @contextmanager
    def exclusive(self, name: str, *, wait_s: float) -> Iterator[None]:
        """Hold a lock file beside the database."""
        with file_lock(self.lock_folder / name, wait_s=wait_s):
            yield

    def prepare(self) -> None:
        """Create the folder and an empty database where there is none, readable to us alone."""
        _refuse_what_cannot_open(self.path)
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.exclusive("create", wait_s=self._wait_s):
                if not self.path.exists():
                    self._create()
        elif self.path.stat().st_size == 0 and self._marker.exists():
            raise CorruptStoreError(
                f"{self.path} is empty, but a store was there: restore a backup, or remove "
                f"{self.lock_folder} to start anew"
            )
        self._check_owner()

    def remember(self) -> None:
        """Leave a note that a store is here, so that an emptied file is not taken for a new one."""
        if not self._marker.exists():
            self._marker.parent.mkdir(mode=0o700, exist_ok=True)
            self._marker.write_text("A viewra_lite store lives beside this folder.\n")

    def refuse_stray_query(self) -> NoReturn:
        """Raise what a query outside every session deserves."""
        if self._forked:
            self._readers.borrow()
        if self._closed:
            raise StoreClosedError()
        raise SessionError("a query outside a session: use store.reader() or store.writer()")

    def close(self) -> None:
        """Wait for the writer, then close every connection."""
        if self._closed or self._forked:
            return
        held = self._gate.acquire(self._wait_s)
        self._closed = True
        # Readers first: the last connection to go moves the WAL into the database.
        self._readers.close()
        if held:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
            self._gate.release()

    def abandon(self) -> None:
        """Forget every connection in a forked child."""
        self._readers.abandon()
        _kept_open.append(self._writer)
        self._writer, self._forked, self._gate = None, True, WriteGate()

    # Inside

    @property
    def _marker(self) -> Path:
        return self.lock_folder / "store"

    def _create(self) -> None:
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError as exc:
            raise StoreUnavailableError(f"{self.path} cannot be created: {exc.strerror}") from exc
        connection = self._connect({})
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        finally:
            connection.close()

    def _check_owner(self) -> None:
        connection = self.borrow()
        try:
            found = connection.execute("PRAGMA application_id").fetchone()[0]
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        except sqlite3.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back(connection)
        if found not in (0, APPLICATION_ID):
            raise ConfigError(f"{self.path} belongs to another program (application_id {found:#x})")
        if mode != "wal" or found == 0:
            self._make_ours()

    def _make_ours(self) -> None:
        connection = self.borrow_writer()
        try:
            self._retry(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
            self._retry(lambda: connection.execute(f"PRAGMA application_id={APPLICATION_ID}"))
        except sqlite3.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back_writer(connection)

    def _connect_reader(self) -> sqlite3.Connection:
        return self._connect(self._reader_pragmas())

    def _connect(self, pragmas: dict[str, Any]) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode=rw",
                uri=True,
                timeout=self._wait_s,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS_KEPT,
            )
        except sqlite3.Error as exc:
            raise self.translate(exc) from exc
        try:
            _apply(connection, pragmas)
        except sqlite3.Error as exc:
            connection.close()
            raise self.translate(exc) from exc
        return connection

    def _reader_pragmas(self) -> dict[str, Any]:
        return {
            "busy_timeout": self._config.busy_timeout_ms,
            "foreign_keys": 1,
            "cache_size": -self._config.cache_size_kib,
            "mmap_size": self._config.mmap_size_mib << 20,
            "temp_store": 2,
            "synchronous": 1,
            "query_only": 1,
        }

    def _writer_pragmas(self) -> dict[str, Any]:
        # busy_timeout 0: SQLite's own back-off has no jitter, ours has (see _retry).
        return {
            **self._reader_pragmas(),
            "busy_timeout": 0,
            "query_only": 0,
            "wal_autocheckpoint": self._config.wal_autocheckpoint_pages,
        }

    def _set_durability(self, connection: sqlite3.Connection, durable: bool) -> None:
        level = 2 if durable else _SYNCHRONOUS[self._config.synchronous]
        if level != self._writer_synchronous:
            connection.execute(f"PRAGMA synchronous={level}")
            self._writer_synchronous = level

    def _retry(self, action: Callable[[], Any]) -> Any:
        """Call action until another process lets go of the write lock; StoreBusyError in the end."""
        deadline = time.monotonic() + self._wait_s
        pause = _BUSY_RETRY_S
        while True:
            try:
                return action()
            except sqlite3.OperationalError as exc:
                if not is_busy(exc):
                    raise
                if not remaining(deadline):
                    raise StoreBusyError(
                        "another process wrote for longer than busy_timeout_ms="
                        f"{self._config.busy_timeout_ms}"
                    ) from exc
            time.sleep(min(random.uniform(0.5, 1.0) * pause, remaining(deadline)))
            pause = min(pause * 1.5, _BUSY_RETRY_MAX_S)


_kept_open: list[Any] = []


def _apply(connection: sqlite3.Connection, pragmas: dict[str, Any]) -> None:
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name}={value}")


def _refuse_what_cannot_open(path: Path) -> None:
    """Say why SQLite would answer "unable to open database file", which stands for ten causes."""
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder: database_path must name a file")
        folder = path.parent
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder} is not a folder: database_path cannot lie in it")
        path.exists()
    except OSError as exc:
        raise ConfigError(f"{path} cannot be used as database_path: {exc.strerror}") from exc
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise StoreUnavailableError(f"{path} cannot be read and written: permission denied")
    existing = folder
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StoreUnavailableError(f"{existing} cannot be written to: permission denied")
