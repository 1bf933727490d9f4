"""Backend: the interface of an engine. Everything above it works without knowing the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, NoReturn, Protocol

Connection = Any  # of sqlite3, cysqlite or psycopg: all have execute()


class DatabaseFacts(NamedTuple):
    """An engine and the size of its database."""

    version: str
    """Engine and version, such as "SQLite 3.45.1" or "PostgreSQL 16.2"."""
    path: str | None
    """The database file; None on a server."""
    size: int
    """Bytes of the database."""
    log_size: int
    """Bytes of SQLite's write-ahead log; 0 on PostgreSQL."""


class Space(NamedTuple):
    """The size of a database."""

    bytes: int
    free_bytes: int
    """The part of bytes in free pages, which later rows use; 0 on PostgreSQL."""

    @property
    def free_share(self) -> float:
        """Return the share of free pages, 0 to 1."""
        return self.free_bytes / self.bytes if self.bytes else 0.0


class CacheFacts(NamedTuple):
    """How often a page was in the engine's cache, since its statistics were reset."""

    hits: int
    misses: int


class SizeFacts(NamedTuple):
    """What parts of a database take, in bytes, and its page cache; None where it is not known."""

    indexes: int | None
    search: int | None
    cache: CacheFacts | None


class WaitFacts(NamedTuple):
    """How often and how long threads of this process have waited since the store was opened."""

    times: int
    """Those that wait now included."""
    total_s: float
    """Of the waits that have ended, seconds."""
    longest_s: float
    """The longest of them, seconds."""


class ConnectionFacts(NamedTuple):
    """The connections of this process, and what its threads waited for."""

    open: int
    in_use: int
    pool_waits: WaitFacts
    """For a connection, because pool_size of them were in use."""
    writer_waits: WaitFacts
    """For the end of another writer, in this process or another."""


class Column(NamedTuple):
    """A column, as the engine's catalogue describes it."""

    type: str
    is_nullable: bool
    default: str | None
    definition: str
    """All of it, with its CHECK, collation and generation, in one spelling."""


class Table(NamedTuple):
    """A table or a view, as the engine's catalogue describes it; definitions in one spelling."""

    kind: str
    """table, virtual table, view, ..."""
    options: frozenset[str]
    """What else it is, such as STRICT or unlogged."""
    columns: Mapping[str, Column]
    constraints: tuple[str, ...]
    """Those that are not part of a column; of a view or a virtual table its definition."""
    indexes: Mapping[str, str]
    """Definitions by name, without those that a constraint makes."""
    triggers: Mapping[str, str]
    """Definitions by name."""


Tables = Mapping[str, Table]


class Backend(Protocol):
    """An engine; every connection from `borrow` and `borrow_writer` must be given back."""

    engine: str
    database: Any  # a peewee.Database that uses the connections of our transactions

    def borrow(self) -> Connection:
        """Return a read-only connection; raises StoreBusyError if none becomes free in time."""

    def turn_of(self, connection: Connection, writes: bool) -> Any:
        """Return a token of the current loan of a connection; is_lent() tests it."""

    def is_lent(self, connection: Connection, turn: object) -> bool:
        """Whether that loan has not ended: an interrupted give_back() may have to be repeated."""

    def give_back(self, connection: Connection) -> None:
        """Return a reading connection to the pool, in whatever state it is."""

    def borrow_writer(self) -> Connection:
        """Return a connection that may write; on SQLite this passes the write gate."""

    def give_back_writer(self, connection: Connection) -> None:
        """Return a writing connection and let the next writer in."""

    def is_writer_awaited(self) -> bool:
        """Whether another thread of this process is waiting for the writer."""

    def yield_to_writers(self) -> None:
        """Block while a checkpoint needs the write queue to stay short.

        Call it outside a transaction.
        """

    def begin_read(self, connection: Connection) -> None:
        """Start a transaction that reads one consistent snapshot."""

    def end_read(self, connection: Connection) -> None:
        """End a reading transaction, in whatever state it is."""

    def begin_write(self, connection: Connection, durable: bool) -> None:
        """Start a write transaction; durable means on disk before commit() returns."""

    def commit(self, connection: Connection) -> None:
        """Commit; the caller rolls back if this raises."""

    def rollback(self, connection: Connection) -> None:
        """Roll back; does nothing if the engine has already rolled back."""

    def rollback_to(self, connection: Connection, savepoint: str) -> None:
        """Roll back to a savepoint and release it; does nothing if all was rolled back already."""

    def reset(self, connection: Connection) -> None:
        """Undo changes of caller's code to a connection: pragmas, settings, ATTACH."""

    def forbid_writes(self, connection: Connection, forbidden: bool) -> None:
        """Refuse or allow writes on a writer's connection, for a reader that is nested in it."""

    def execute_alone(self, connection: Connection, sql: str, params: Sequence[Any]) -> Any:
        """Run one writing statement as its own transaction and return its cursor."""

    def execute_many(self, connection: Connection, sql: str, rows: Sequence[Any]) -> None:
        """Run one statement for each row of parameters."""

    def translate(self, error: BaseException) -> BaseException:
        """Return the ViewraError for a driver's error, or the error itself."""

    def exclusive(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold a named lock across processes, which the death of the process releases.

        Raises StoreBusyError after wait_s seconds.
        """

    def is_locked(self, name: str) -> bool:
        """Whether any process, this one included, holds a named lock."""

    def prepare(self, adoptable: Callable[[Connection], bool] | None = None) -> None:
        """Create the database if it does not exist; cheap if it does.

        adoptable(connection) decides whether a database with foreign tables may become a store.
        """

    def refuse_absent(self) -> None:
        """Raise StoreUnavailableError if the database does not exist; never creates it."""

    def mark_as_store(self) -> None:
        """Record that a store is here, so that an emptied database is not taken for a new one."""

    def refuse_stray_query(self) -> NoReturn:
        """Raise TransactionError or StoreClosedError for a query outside a transaction."""

    def facts(self) -> DatabaseFacts:
        """Return the engine's version and the database's size."""

    def connections(self) -> ConnectionFacts:
        """Return how many connections there are, and what was waited for; asks no database."""

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Move committed changes from the log into the database, except those that readers need.

        Works in steps, so that no writer waits for the disk. truncate then makes the log empty if
        no reader needs it. Call it outside a transaction.
        """

    def after_fork(self) -> None:
        """Forget every connection in a forked child, without closing any."""

    def close(self) -> None:
        """Close every connection; one in use is closed when it is given back."""
