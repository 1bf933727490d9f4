"""Database: the modules' only access to the engine.

A thread has at most one transaction. `reader()` is one consistent snapshot, `writer()` one
transaction; a writer inside a writer is a savepoint, a reader inside a writer sees its rows. A
single statement outside a transaction borrows a connection while it runs and opens no transaction.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from ...config.options import Config
from ...errors import CorruptStoreError, TransactionError
from ..checks import refused
from ..ids import Ids
from ..orm.rows import Fill
from ..orm.statements import Compiled, Statement
from .events import Events
from .scopes import Reader, Writer
from .slow import SlowQueries
from .owner import Transactions
from .transaction import Transaction

if TYPE_CHECKING:
    from ..backend import Backend


class Database(Transactions):
    """Readers, writers and single statements over one backend, with its clock and its ids."""

    def __init__(
        self,
        backend: Backend,
        config: Config,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        super().__init__(backend)
        self.slow = backend.database.slow = SlowQueries(config.slow_query_ms, clock)
        self._slow_s = self.slow.seconds
        self.now = clock
        self.new_id = new_id
        self._engine = backend.engine
        self._subscribers: dict[str, list[Callable[..., None]]] = {}
        self.events = Events(self)
        _live.add(self)

    def new_ids(self, count: int) -> list[str]:
        """Make several ids, in sort order."""
        if isinstance(self.new_id, Ids):
            return self.new_id.many(count)
        return [self.new_id() for _ in range(count)]

    def reader(self, *, untrusted: bool = False) -> Reader:
        """Return a context manager for one consistent snapshot; a write raises TransactionError.

        untrusted=True is for caller's code: the connection is reset afterwards, and inside a
        writer the engine itself refuses writes. Without it only run() refuses them.
        """
        return Reader(self, untrusted)

    def writer(self, *, durable: bool = False, untrusted: bool = False) -> Writer:
        """Return a context manager for one transaction, or a savepoint inside a writer.

        durable=True waits until the commit is on disk; concurrent commits share a sync. A nested
        writer has the durability of the outermost one. Raises StoreBusyError.
        """
        return Writer(self, untrusted, durable)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action after the outermost writer has committed, or at once outside a writer."""
        if not callable(action):
            raise refused("action", "a function", action)
        transaction = self.current
        if transaction is None or not transaction.writes:
            action()
        else:
            transaction.callbacks.append(action)

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a reader or a writer open."""
        return self.current is not None

    def is_writer_awaited(self) -> bool:
        """Whether another thread of this process is waiting for the writer."""
        return self.backend.is_writer_awaited()

    def yield_to_writers(self) -> None:
        """Yield to waiting writers between two transactions of a long job.

        Does nothing inside a transaction, because the waiter may be waiting for that very one.
        """
        if self._current.place.transaction is None:
            self.backend.yield_to_writers()

    def all(self, statement: Statement, *arguments: object, **named: object) -> list[Any]:
        """Run a reading statement; return its rows as models, tuples or named tuples."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = self._compiled(statement)
        rows = self.fetch(compiled, arguments)
        return rows if compiled.fill is None else self._filled(compiled.fill, rows)

    def one(self, statement: Statement, *arguments: Any, **named: Any) -> Any:
        """Run a reading statement and return its first row, or None."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = statement.compiled.get(self._engine) or self._compiled(statement)
        transaction = self._current.place.transaction
        if transaction is not None:
            transaction = self._usable(transaction)
        backend = self.backend
        connection = backend.borrow() if transaction is None else transaction.connection
        row, began = None, monotonic()
        try:
            cursor = connection.execute(compiled.sql, compiled.bind(arguments))
            row = cursor.fetchone()
            cursor.close()
        except Exception as exc:
            self.raise_translated(exc, connection, compiled, arguments)
            raise
        finally:
            if transaction is None:
                backend.give_back(connection)
            if (seconds := monotonic() - began) >= self._slow_s:
                self.slow.note(compiled.sql, seconds, int(row is not None))
        if row is None or compiled.fill is None:
            return row
        return self._filled(compiled.fill, (row,))[0]

    def run(self, statement: Statement, *arguments: object, **named: object) -> int:
        """Run a writing statement, alone or in the open writer; return the number of rows."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = statement.compiled.get(self._engine) or self._compiled(statement)
        rows: int = self._write(compiled, arguments, _row_count)
        return rows

    def run_returning(self, statement: Statement, *arguments: object, **named: object) -> list[Any]:
        """Run a writing statement with a RETURNING clause; return its rows like all()."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = self._compiled(statement)
        rows: list[Any] = self._write(compiled, arguments, _all_rows)
        return rows if compiled.fill is None else self._filled(compiled.fill, rows)

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a writing statement once for each row of arguments, inside the open writer."""
        self.run_bound(statement, self.bound(statement, (statement.arranged((), r) for r in rows)))

    def bound(self, statement: Statement, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return rows of arguments converted for the driver."""
        return list(map(self._compiled(statement).bind, rows))

    def run_bound(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each row from bound(), in the open writer."""
        transaction = self.writable("run_many")
        compiled = self._compiled(statement)
        began = monotonic()
        try:
            self.backend.execute_many(transaction.connection, compiled.sql, rows)
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            if (seconds := monotonic() - began) >= self._slow_s:
                self.slow.note(compiled.sql, seconds, len(rows))

    def _filled(self, fill: Fill, rows: Sequence[Any]) -> list[Any]:
        try:
            return fill(rows)
        except CorruptStoreError:
            if self.current is not None:
                raise
        with self.reader():  # in which the error can name the row
            return fill(rows)

    def exclusive(self, name: str, *, wait_s: float = 0.0) -> Any:
        """Hold a named lock across processes; raises StoreBusyError after wait_s seconds."""
        return self.backend.exclusive(name, wait_s=wait_s)

    def subscribe(self, hook: str, action: Callable[..., None]) -> None:
        """Call action(*arguments) whenever a module emits a hook, in the emitter's transaction."""
        self._subscribers.setdefault(hook, []).append(action)

    def emit(self, hook: str, *arguments: object) -> None:
        """Call every subscriber of a hook; an error of one ends the emitter's transaction."""
        for action in self._subscribers.get(hook, ()):
            action(*arguments)

    def close(self) -> None:
        """Close the backend; idempotent."""
        _live.discard(self)
        self.backend.close()

    def after_fork(self) -> None:
        """Drop every connection in a forked child: none may be used there."""
        transaction = self._current.place.transaction
        self.backend.after_fork()
        if transaction is not None:
            self._forget(transaction)

    def _compiled(self, statement: Statement) -> Compiled:
        compiled = statement.compiled.get(self._engine)
        return compiled or statement.compile(self._engine, self.backend.database)

    def fetch(self, compiled: Compiled, arguments: Sequence[Any]) -> list[Any]:
        """Return the rows of a compiled statement as the driver gives them."""
        transaction = self._current.place.transaction
        if transaction is not None:
            transaction = self._usable(transaction)
        backend = self.backend
        connection = backend.borrow() if transaction is None else transaction.connection
        rows: list[Any] = []
        began = monotonic()
        try:
            rows = connection.execute(compiled.sql, compiled.bind(arguments)).fetchall()
            return rows
        except Exception as exc:
            self.raise_translated(exc, connection, compiled, arguments)
            raise
        finally:
            if transaction is None:
                backend.give_back(connection)
            if (seconds := monotonic() - began) >= self._slow_s:
                self.slow.note(compiled.sql, seconds, len(rows))

    def _write(
        self, compiled: Compiled, arguments: Sequence[Any], read: Callable[[Any], Any]
    ) -> Any:
        transaction = self._current.place.transaction
        if transaction is not None:
            transaction = self._usable(transaction)
        if transaction is not None:
            if not transaction.writes or transaction.read_depth:
                raise TransactionError("a write inside a reader(): use a writer()")
            found, began = None, monotonic()
            try:
                found = read(transaction.connection.execute(compiled.sql, compiled.bind(arguments)))
                return found
            except Exception as exc:
                self.raise_translated(exc)
                raise
            finally:
                if (seconds := monotonic() - began) >= self._slow_s:
                    self.slow.note(compiled.sql, seconds, _rows_of(found))
        connection, turn, backend = None, None, self.backend
        found, seconds = None, 0.0
        try:
            connection = backend.borrow_writer()
            turn = backend.turn_of(connection, True)
            began = monotonic()
            try:
                found = read(
                    backend.execute_alone(connection, compiled.sql, compiled.bind(arguments))
                )
            finally:
                seconds = monotonic() - began
            return found
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            try:
                self._return_writer(connection, turn)
            except BaseException:  # interrupted: repeat it
                self._return_writer(connection, turn)
                raise
            if seconds >= self._slow_s:
                self.slow.note(compiled.sql, seconds, _rows_of(found))

    def _return_writer(self, connection: object, turn: object) -> None:
        if connection is not None and self.backend.is_lent(connection, turn):
            self.backend.give_back_writer(connection)

    def writable(self, verb: str) -> Transaction:
        """Return this thread's open writer; raises TransactionError."""
        transaction = self.current
        if transaction is None or not transaction.writes or transaction.read_depth:
            raise TransactionError(
                f"{verb} inside a reader(): use a writer()" if transaction else None
            )
        return transaction


def _row_count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _rows_of(found: Any) -> int | None:
    return len(found) if isinstance(found, list) else found


def _all_rows(cursor: Any) -> list[Any]:
    return list(cursor.fetchall())


_live: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    for db in list(_live):
        db.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
