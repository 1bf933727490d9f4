"""The seam: what an engine must answer so that nothing above it asks which engine it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, NoReturn, Protocol

Connection = Any  # of sqlite3, cysqlite or psycopg: all have execute()


class DatabaseFacts(NamedTuple):
    """An engine and the size of its database."""

    version: str
    """SQLite 3.45.1, PostgreSQL 16.2."""
    path: str | None
    """The database file; None on a server."""
    size: int
    """Of the database, bytes."""
    log_size: int
    """Of SQLite's write-ahead log, bytes."""


class Backend(Protocol):
    """One engine. Connections are lent by `borrow` and `borrow_writer` and always given back."""

    engine: str
    database: Any  # a peewee.Database whose connections come from sessions

    def borrow(self) -> Connection:
        """Return a connection that only reads; raises StoreBusyError when none comes free."""

    def turn_of(self, connection: Connection, writes: bool) -> Any:
        """Return which loan it is that a borrowed connection is out for: it ends once."""

    def is_lent(self, connection: Connection, turn: Any) -> bool:
        """Whether that loan has not ended: who was interrupted while it gave back has to know."""

    def give_back(self, connection: Connection) -> None:
        """Take a reading connection back, clean or dirty."""

    def borrow_writer(self) -> Connection:
        """Return a connection that may write; on SQLite this passes the write gate."""

    def give_back_writer(self, connection: Connection) -> None:
        """Take a writing connection back and let the next writer in."""

    def is_writer_awaited(self) -> bool:
        """Whether another thread of this process queues for the writer."""

    def yield_to_writers(self) -> None:
        """Wait while others need that nobody writes batch after batch; outside a transaction."""

    def begin_read(self, connection: Connection) -> None:
        """Start a transaction that reads one consistent snapshot."""

    def end_read(self, connection: Connection) -> None:
        """End a reading transaction, whatever state it is in."""

    def begin_write(self, connection: Connection, durable: bool) -> None:
        """Start a write transaction; durable means on disk before commit() returns."""

    def commit(self, connection: Connection) -> None:
        """Commit; the caller rolls back if this raises."""

    def rollback(self, connection: Connection) -> None:
        """Roll back, and do nothing where the engine already has."""

    def rollback_to(self, connection: Connection, savepoint: str) -> None:
        """Undo to a savepoint and forget it; nothing where the engine rolled all back already."""

    def reset(self, connection: Connection) -> None:
        """Undo what guest code may have changed on a connection: pragmas, settings, ATTACH."""

    def forbid_writes(self, connection: Connection, forbidden: bool) -> None:
        """Make a writer's connection refuse or accept writes while a reader is nested in it."""

    def execute_alone(self, connection: Connection, sql: str, params: Sequence[Any]) -> Any:
        """Run one writing statement as its own transaction and return its cursor."""

    def execute_many(self, connection: Connection, sql: str, rows: Sequence[Any]) -> None:
        """Run one statement for each row of parameters."""

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError that a driver's error stands for, or the error itself."""

    def exclusive(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold a lock across processes that ends with its owner; raises StoreBusyError."""

    def prepare(self, adoptable: Callable[[Connection], bool] | None = None) -> None:
        """Make sure that there is a database to connect to; cheap where there is.

        adoptable says of one with tables that no store made whether it may become a store.
        """

    def refuse_absent(self) -> None:
        """Raise StoreUnavailableError where there is no database, without making one."""

    def mark_as_store(self) -> None:
        """Note that a store is here, so that an emptied database is not taken for a new one."""

    def refuse_stray_query(self) -> NoReturn:
        """Raise TransactionError or StoreClosedError for a query outside every transaction."""

    def facts(self) -> DatabaseFacts:
        """Return the engine's version and the database's size."""

    def checkpoint(self) -> None:
        """Move committed changes from the log into the database, as far as nobody reads them.

        In steps, so that no writer waits for the disk; outside a session.
        """

    def after_fork(self) -> None:
        """Forget every connection in a forked child, without closing any."""

    def close(self) -> None:
        """Close every connection; those in use are closed as they come back."""
