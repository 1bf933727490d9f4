"""The backend of PostgreSQL: one pool, and an advisory lock that serializes writers."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import peewee

from ...config.options import PostgresConfig
from ...errors import (
    ConfigError,
    InvalidValueError,
    TransactionError,
    StoreClosedError,
    StoreUnavailableError,
    ViewraError,
)
from ..backend import ConnectionFacts, DatabaseFacts
from ..transactions.pool import Pool
from ..transactions.waits import Waits
from .advisory import held, is_held
from .errors import ERRORS, REFUSALS, REMEDIES, last_reason
from .peewee_database import PostgresStoreDatabase
from .values import read_all_times

_CONNECT_TIMEOUT_S = 10
# DISCARD ALL except the prepared statements, which psycopg continues to use.
_DISCARD = (
    "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *;"
    " SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)
_IDLE, _IN_TRANSACTION = 0, 2  # libpq's PQTRANS_IDLE and PQTRANS_INTRANS

_READ_ONLY = (
    "the PostgreSQL server is read-only: it is a standby, or default_transaction_read_only is on. "
    "Reads work; to write, configure the primary server, or switch that setting off"
)

_WRITER_TURN = 0x56575241  # an arbitrary number, the same as sqlite.file.APPLICATION_ID
_BEGIN_WRITE = (
    "BEGIN; SELECT current_setting('transaction_read_only'),"
    f" pg_try_advisory_xact_lock({_WRITER_TURN})"
)
_BEGIN_SCRIPT = _BEGIN_WRITE.replace("BEGIN", "BEGIN READ WRITE")
_AWAIT_TURN = f"SELECT pg_advisory_xact_lock({_WRITER_TURN})"


class PostgresBackend:
    """One PostgreSQL database."""

    engine = "postgres"

    def __init__(self, config: PostgresConfig) -> None:
        try:
            import psycopg
        except ImportError as exc:
            raise ConfigError("PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from exc
        self._psycopg = psycopg
        self._config = config
        self._wait_s = config.busy_timeout_ms / 1000
        self.database: Any = PostgresStoreDatabase(self, config.database)
        self._pool = Pool(self.connect, config.pool_size, self._wait_s)
        self._writer_waits = Waits("the writer")
        self._closed = False
        self._forked = False

    # Connections

    def borrow(self) -> Any:
        """Return a live connection; one that the server has closed is replaced."""
        while True:
            connection = self._pool.borrow()
            if not connection.closed and not self._has_news(connection):
                return connection
            self._pool.discard(connection)

    def turn_of(self, connection: object, writes: bool) -> Any:
        """Return the number of the current loan of a connection."""
        return self._pool.turn_of(connection)

    def is_lent(self, connection: object, turn: object) -> bool:
        """Whether that loan has not ended."""
        return bool(self._pool.turn_of(connection) == turn)

    def give_back(self, connection: Any) -> None:
        """Return a connection to the pool; a broken or a busy one is closed."""
        if connection.closed or connection.pgconn.transaction_status != _IDLE:
            self._pool.discard(connection)
        else:
            self._pool.give_back(connection)

    borrow_writer = borrow
    give_back_writer = give_back

    def is_writer_awaited(self) -> bool:
        """Return False: writers queue in the server, not in this process."""
        return False

    def yield_to_writers(self) -> None:
        """Do nothing: the server checkpoints without blocking writers."""

    def reset(self, connection: Any) -> None:
        """Reset every setting that caller's code may have changed."""
        try:
            connection.autocommit = True
            connection.row_factory = self._psycopg.rows.tuple_row
            connection.cursor_factory = self._psycopg.Cursor
            connection.execute(_DISCARD, prepare=False)
            self._configure(connection)
        except self._psycopg.Error:
            connection.close()

    # Transactions

    def begin_read(self, connection: Any) -> None:
        """Start a read-only transaction over one snapshot."""
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def end_read(self, connection: object) -> None:
        """End the snapshot."""
        self.rollback(connection)

    def begin_write(self, connection: Any, durable: bool) -> None:
        """BEGIN and wait for the advisory lock; a durable commit waits for the server's disk.

        One writer() at a time, as on SQLite: a read followed by a write could otherwise overwrite
        another writer's change. A single statement outside a transaction needs no lock.
        """
        self._begin(connection, _BEGIN_WRITE)
        if durable:
            connection.execute("SET LOCAL synchronous_commit = on")

    def begin_script(self, connection: Any) -> None:
        """Start the transaction of a migration script; nothing can be written outside of it."""
        from .scripts import allow_writes_in_scripts_only

        if not allow_writes_in_scripts_only(connection):
            raise StoreUnavailableError(_READ_ONLY)
        self._begin(connection, _BEGIN_SCRIPT)
        connection.execute("SET LOCAL synchronous_commit = on")

    def _begin(self, connection: Any, begin: str) -> None:
        began = connection.execute(begin)
        began.nextset()
        read_only, is_our_turn = began.fetchone()
        if read_only == "on":
            raise StoreUnavailableError(_READ_ONLY)
        if not is_our_turn:
            self._await_turn(connection)

    def _await_turn(self, connection: Any) -> None:
        self._writer_waits.begin()
        began, in_vain = time.monotonic(), True
        try:
            connection.execute(_AWAIT_TURN)
            in_vain = False
        finally:
            self._writer_waits.end(began, in_vain=in_vain)

    def commit(self, connection: Any) -> None:
        """Commit; raises TransactionError for an aborted transaction, which would roll back."""
        if connection.pgconn.transaction_status != _IN_TRANSACTION and not connection.closed:
            raise TransactionError(
                "an error inside this writer() was swallowed, and PostgreSQL has aborted the "
                "transaction: let the error propagate, or nest a writer() around the statement "
                "that may fail"
            )
        connection.execute("COMMIT")

    def rollback(self, connection: Any) -> None:
        """Roll back; does nothing if the connection is closed."""
        try:
            if not connection.closed and connection.pgconn.transaction_status != _IDLE:
                connection.rollback()
        except self._psycopg.Error:
            connection.close()

    def rollback_to(self, connection: Any, savepoint: str) -> None:
        """Roll back to a savepoint and release it."""
        if not connection.closed:
            connection.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
            connection.execute(f"RELEASE SAVEPOINT {savepoint}")

    def forbid_writes(self, connection: Any, forbidden: bool) -> None:
        """Open or close a read-only savepoint, the only way to leave read-only mode again."""
        if forbidden:
            connection.execute("SAVEPOINT viewra_reading")
            connection.execute("SET LOCAL transaction_read_only = on")
        else:
            self.rollback_to(connection, "viewra_reading")

    def execute_alone(self, connection: Any, sql: str, params: Sequence[Any]) -> Any:
        """Run one writing statement as its own transaction."""
        try:
            return connection.execute(sql, params)
        except self._psycopg.errors.ReadOnlySqlTransaction as exc:
            raise StoreUnavailableError(_READ_ONLY) from exc

    def execute_many(self, connection: Any, sql: str, rows: Sequence[Any]) -> None:
        """Run one statement for each row, in one round trip per batch."""
        with connection.cursor() as cursor:
            cursor.executemany(sql, rows)

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError for a driver's error, or the error itself."""
        wrapped = isinstance(error, peewee.PeeweeException)
        cause = getattr(error, "orig", error) if wrapped else error
        if isinstance(cause, (OverflowError, UnicodeEncodeError)):
            return InvalidValueError(f"a value does not fit the database: {cause}")
        if isinstance(cause, self._psycopg.Error):
            return self._translate_driver(cause) or error
        return error

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Do nothing: the server checkpoints by itself."""

    # Opening and closing

    @contextmanager
    def exclusive(self, name: str, *, wait_s: float) -> Iterator[None]:
        """Hold an advisory lock on a separate connection, whose end releases it."""
        translate, error = self.translate, self._psycopg.Error
        connection = self.connect()
        with held(connection, name, wait_s=wait_s, error=error, translate=translate):
            yield

    def is_locked(self, name: str) -> bool:
        """Whether a session of this database holds an advisory lock."""
        connection = self.borrow()
        try:
            return is_held(connection, name)
        except self._psycopg.Error as exc:
            raise self.translate(exc) from exc
        finally:
            self.give_back(connection)

    def prepare(self, adoptable: Callable[[Any], bool] | None = None) -> None:
        """Check that the server answers; foreign tables are left to the migrator."""
        self.give_back(self.borrow())

    def refuse_absent(self) -> None:
        """Check that the server answers."""
        self.prepare()

    def mark_as_store(self) -> None:
        """Do nothing: a server's database cannot be emptied like a file."""

    def facts(self) -> DatabaseFacts:
        """Return the server's version and the size of the database."""
        connection = self.borrow()
        try:
            version, size = connection.execute(
                "SELECT current_setting('server_version'), pg_database_size(current_database())"
            ).fetchone()
        finally:
            self.give_back(connection)
        return DatabaseFacts(f"PostgreSQL {version}", None, size, 0)

    def connections(self) -> ConnectionFacts:
        """Return how many connections there are, and what was waited for."""
        pool = self._pool
        return ConnectionFacts(
            pool.open, pool.in_use, pool.waits.facts(), self._writer_waits.facts()
        )

    def refuse_stray_query(self) -> NoReturn:
        """Raise the error for a query outside a transaction."""
        if self._forked:
            self._pool.borrow()
        if self._closed:
            raise StoreClosedError()
        raise TransactionError(
            "a query outside a transaction: use store.reader() or store.writer()"
        )

    def close(self) -> None:
        """Close every connection."""
        if not self._closed and not self._forked:
            self._closed = True
            self._pool.close()

    def after_fork(self) -> None:
        """Forget every connection in a forked child."""
        self._forked = True
        self._pool.after_fork()

    # Internals

    def _has_news(self, connection: Any) -> bool:
        # A server that restarts sends a message on idle connections. Polling the socket finds it
        # before a verb fails on the connection, and costs no round trip.
        if not hasattr(select, "poll"):  # pragma: no cover (Windows)
            return bool(select.select([connection.fileno()], [], [], 0)[0])
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def connect(self) -> Any:
        """Return a new connection, which is not the pool's."""
        connection = self._dial()
        if isinstance(connection, BaseException):
            raise connection  # outside `except`: the driver's error would hold the password
        read_all_times(connection)
        try:
            self._configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _dial(self) -> Any:
        """Return a new connection, or the error that prevented it."""
        config = self._config
        try:
            return self._psycopg.connect(
                host=config.host,
                port=config.port,
                user=config.user,
                password=config.password.reveal() if config.password else None,
                dbname=config.database,
                sslmode=config.sslmode,
                connect_timeout=_CONNECT_TIMEOUT_S,
                application_name="viewra_lite",
                autocommit=True,
            )
        except BaseException as exc:  # Ctrl-C too: the driver's frames hold the password
            error = self.translate(exc).with_traceback(None)
            error.__cause__ = error.__context__ = None
            return error

    def _configure(self, connection: Any) -> None:
        # synchronous_commit=off corresponds to SQLite's NORMAL: never corrupt, but a power cut may
        # lose the last commits. Durable transactions switch it on.
        wait = "on" if self._config.synchronous == "full" else "off"
        connection.execute(
            "SELECT set_config('TimeZone', 'UTC', false),"
            # Not the server's default: nothing here retries a serializable transaction.
            " set_config('default_transaction_isolation', 'read committed', false),"
            " set_config('synchronous_commit', %s, false),"
            " set_config('lock_timeout', %s, false)",
            (wait, f"{self._config.busy_timeout_ms}ms"),
        )

    def _translate_driver(self, error: Any) -> ViewraError | None:
        state = error.sqlstate or ""
        kind = ERRORS.get(state) or ERRORS.get(state[:2])
        if kind is not None:
            # Not str(error): its DETAIL line shows the row's values.
            message = error.diag.message_primary or str(error).splitlines()[0]
            return kind(": ".join(filter(None, (message, REMEDIES.get(state)))))
        reason = last_reason(str(error))
        if isinstance(error, self._psycopg.OperationalError):
            where = f"PostgreSQL at {self._config.host}:{self._config.port}"
            if any(text in reason for text in REFUSALS):
                return ConfigError(f"{where} refuses the connection: {reason}")
            return StoreUnavailableError(f"{where} cannot be reached: {reason}")
        if isinstance(error, self._psycopg.DataError) or "cannot adapt" in reason:
            return InvalidValueError(f"a value does not fit the database: {reason}")
        return None
