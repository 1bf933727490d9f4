"""Database: the one way from the modules to the engine.

A thread has at most one transaction. `reader()` is one consistent snapshot, `writer()` one
transaction; a writer inside a writer is a savepoint, a reader inside a writer sees its rows. A
statement run outside any session is its own: it borrows a connection for as long as it runs and
opens no transaction.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...errors import CorruptStoreError, TransactionError, ViewraError
from ..checks import refused
from ..ids import Ids
from ..orm.rows import Fill
from ..orm.statements import Compiled, Statement
from .scopes import Reader, Writer
from .transaction import CLOSED, INTERRUPTED, OTHER_TASK, THREAD_ENDED, Transaction, current_task

if TYPE_CHECKING:
    from ..backend import Backend


class _Place:
    """Where one thread keeps its session. It goes with the thread, and takes that along."""

    __slots__ = ("transaction", "_db", "__weakref__")

    def __init__(self, db: weakref.ref[Database]) -> None:
        self.transaction: Transaction | None = None
        self._db = db

    def __del__(self) -> None:
        sessions = self._db()
        if self.transaction is not None and sessions is not None:
            sessions.take_back(self.transaction, THREAD_ENDED)


class _Current(threading.local):
    def __init__(self, db: weakref.ref[Database]) -> None:
        self.place = _Place(db)  # once in each thread


class Database:
    """Readers, writers and single statements over one backend, with its clock and its ids."""

    def __init__(
        self, backend: Backend, *, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self.backend = backend
        self.now = clock
        self.new_id = new_id
        self._engine = backend.engine
        self._current = _Current(weakref.ref(self))
        self._process = os.getpid()
        self._subscribers: dict[str, list[Callable[..., None]]] = {}
        _live.add(self)

    def new_ids(self, count: int) -> list[str]:
        """Make several ids, in the order they sort in."""
        if isinstance(self.new_id, Ids):
            return self.new_id.many(count)
        return [self.new_id() for _ in range(count)]

    def reader(self, *, untrusted: bool = False) -> Reader:
        """Return a context manager for one consistent snapshot; a write raises TransactionError.

        guest: code that is not ours runs in it, so the connection is put in order afterwards, and
        inside a writer the engine itself refuses to write; ours is only kept from run().
        """
        return Reader(self, untrusted)

    def writer(self, *, durable: bool = False, untrusted: bool = False) -> Writer:
        """Return a context manager for one transaction, or a savepoint inside a writer.

        durable: on disk before the outermost writer returns; threads share a sync. A nested
        writer takes the durability of the outermost one. Raises StoreBusyError.
        """
        return Writer(self, durable, untrusted)

    def after_commit(self, action: Callable[[], Any]) -> None:
        """Call action once the outermost writer has committed; at once where there is none."""
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
        """Whether another thread of this process waits until the open writer ends."""
        return self.backend.is_writer_awaited()

    def yield_to_writers(self) -> None:
        """Let others get on between two writers of a long work; inside a session it does nothing.

        There whoever is to get on may be waiting for that session.
        """
        if self._current.place.transaction is None:
            self.backend.yield_to_writers()

    def all(self, statement: Statement, *arguments: Any, **named: Any) -> list[Any]:
        """Run a reading statement, arguments by place or by name; its models, or (named) tuples."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = self._compiled(statement)
        rows = self._fetch(compiled, arguments)
        return rows if compiled.fill is None else self._filled(compiled.fill, rows)

    def one(self, statement: Statement, *arguments: Any, **named: Any) -> Any:
        """Run a reading statement; its first row, or None."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = statement.compiled.get(self._engine) or self._compiled(statement)
        transaction = self._current.place.transaction and self.current
        backend = self.backend
        connection = backend.borrow() if transaction is None else transaction.connection
        try:
            cursor = connection.execute(compiled.sql, compiled.bind(arguments))
            row = cursor.fetchone()
            cursor.close()
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            if transaction is None:
                backend.give_back(connection)
        if row is None or compiled.fill is None:
            return row
        return self._filled(compiled.fill, (row,))[0]

    def run(self, statement: Statement, *arguments: Any, **named: Any) -> int:
        """Run a writing statement, alone or in the open writer; the number of rows changed."""
        if named:
            arguments = statement.arranged(arguments, named)
        return int(self._write(self._compiled(statement), arguments, _row_count))

    def run_returning(self, statement: Statement, *arguments: Any, **named: Any) -> list[Any]:
        """Run a writing statement that has a RETURNING clause; its rows as all() returns them."""
        if named:
            arguments = statement.arranged(arguments, named)
        compiled = self._compiled(statement)
        rows: list[Any] = self._write(compiled, arguments, _all_rows)
        return rows if compiled.fill is None else self._filled(compiled.fill, rows)

    def run_many(self, statement: Statement, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run a writing statement once for each row of arguments, inside the open writer."""
        self.run_bound(statement, self.bound(statement, (statement.arranged((), r) for r in rows)))

    def bound(self, statement: Statement, rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
        """Return rows of arguments as the driver takes them."""
        return list(map(self._compiled(statement).bind, rows))

    def run_bound(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        """Run a writing statement once for each row as bound() returns them, in the open writer."""
        transaction = self._writable("run_many")
        compiled = self._compiled(statement)
        try:
            self.backend.execute_many(transaction.connection, compiled.sql, rows)
        except Exception as exc:
            self.raise_translated(exc)
            raise

    def _filled(self, fill: Fill, rows: Sequence[Any]) -> list[Any]:
        try:
            return fill(rows)
        except CorruptStoreError:
            if self.current is not None:
                raise
        with self.reader():  # where the row can be asked for
            return fill(rows)

    def exclusive(self, name: str, *, wait_s: float = 0.0) -> Any:
        """Hold a named lock across processes; raises StoreBusyError after wait_s seconds."""
        return self.backend.exclusive(name, wait_s=wait_s)

    def subscribe(self, hook: str, action: Callable[..., None]) -> None:
        """Call action(*arguments) whenever a module emits a hook, inside its transaction."""
        self._subscribers.setdefault(hook, []).append(action)

    def emit(self, hook: str, *arguments: Any) -> None:
        """Call every subscriber of a hook; what one raises ends the emitting transaction."""
        for action in self._subscribers.get(hook, ()):
            action(*arguments)

    def close(self) -> None:
        """Close the backend; idempotent."""
        _live.discard(self)
        self.backend.close()

    def after_fork(self) -> None:
        """Give up everything after a fork: nothing here may be used in the child."""
        transaction = self._current.place.transaction
        self.backend.after_fork()
        if transaction is not None:
            self._forget(transaction)

    def _compiled(self, statement: Statement) -> Compiled:
        compiled = statement.compiled.get(self._engine)
        return compiled or statement.compile(self._engine, self.backend.database)

    def _fetch(self, compiled: Compiled, arguments: Sequence[Any]) -> list[Any]:
        transaction = self._current.place.transaction and self.current
        backend = self.backend
        connection = backend.borrow() if transaction is None else transaction.connection
        try:
            rows: list[Any] = connection.execute(compiled.sql, compiled.bind(arguments)).fetchall()
            return rows
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            if transaction is None:
                backend.give_back(connection)

    def _write(
        self, compiled: Compiled, arguments: Sequence[Any], read: Callable[[Any], Any]
    ) -> Any:
        transaction = self._current.place.transaction and self.current
        if transaction is not None:
            if not transaction.writes or transaction.read_depth:
                raise TransactionError("a write inside a reader(): use a writer()")
            try:
                return read(transaction.connection.execute(compiled.sql, compiled.bind(arguments)))
            except Exception as exc:
                self.raise_translated(exc)
                raise
        connection, turn, backend = None, None, self.backend
        try:
            connection = backend.borrow_writer()
            turn = backend.turn_of(connection, True)
            return read(backend.execute_alone(connection, compiled.sql, compiled.bind(arguments)))
        except Exception as exc:
            self.raise_translated(exc)
            raise
        finally:
            try:
                self._return_writer(connection, turn)
            except BaseException:  # it was interrupted
                self._return_writer(connection, turn)
                raise

    def _return_writer(self, connection: Any, turn: Any) -> None:
        if connection is not None and self.backend.is_lent(connection, turn):
            self.backend.give_back_writer(connection)

    def _writable(self, what: str) -> Transaction:
        transaction = self.current
        if transaction is None or not transaction.writes or transaction.read_depth:
            raise TransactionError(
                f"{what} inside a reader(): use a writer()" if transaction else None
            )
        return transaction

    # For the scopes

    def own(self, scope: Any) -> Transaction | None:
        """Return what this thread has open, where that scope is the innermost of it."""
        transaction = self._current.place.transaction
        return (
            transaction
            if transaction and transaction.entered and transaction.entered[-1][0] is scope
            else None
        )

    @property
    def current(self) -> Transaction | None:
        """What this thread has open; raises TransactionError if another asyncio task opened it."""
        transaction = self._current.place.transaction
        if transaction is None:
            return None
        if transaction.is_dead:
            self.take_back(transaction, INTERRUPTED)
            return None
        if transaction.task is not current_task():
            raise TransactionError(OTHER_TASK)
        return transaction

    def borrowed(self, *, writes: bool) -> Transaction:
        """Return a session with a connection of its own, which is no thread's yet."""
        connection, backend = None, self.backend
        try:
            connection = backend.borrow_writer() if writes else backend.borrow()
            return Transaction(connection, backend.turn_of(connection, writes), writes)
        except BaseException:
            if connection is not None:
                (backend.give_back_writer if writes else backend.give_back)(connection)
            raise

    def begin(self, transaction: Transaction) -> None:
        """Make a session this thread's, for the modules and for Peewee."""
        place = self._current.place
        # A generator may be finished by another thread than the one that began it, so a session
        # remembers where its own thread looks for it.
        transaction.place = weakref.ref(place)
        state = self.backend.database._state
        transaction.state, place.transaction = state.__dict__, transaction
        state.set_connection(transaction.connection)
        transaction.callbacks = state.commit_callbacks
        # Peewee then makes db.atomic() a savepoint instead of a second BEGIN.
        state.transactions.append(transaction)

    def end(self, transaction: Transaction, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back; every step may be taken again."""
        transaction.is_ending = True
        try:
            for cursor in list(transaction.cursors or ()):
                cursor.close()  # half-read, it would keep its snapshot for the next borrower
            if commit:
                self._commit(transaction.connection)
        finally:
            try:
                self._finish(transaction)
            except BaseException:  # it was interrupted, or the disk does not take what is promised
                self._finish(transaction)
                raise

    def take_back(self, transaction: Transaction, why: str) -> None:
        """Roll back a session that its scopes will not end, whatever state it is in."""
        if transaction.connection is None or os.getpid() != self._process:
            return
        transaction.lost = why
        self.end(transaction, commit=False)

    def give_up(self) -> bool:
        """Take back what this thread has open; False where the caller runs inside of it."""
        transaction = self._current.place.transaction
        if transaction is not None and transaction.is_within and not transaction.is_ending:
            return False
        if transaction is not None:
            self.take_back(transaction, CLOSED)
        return True

    def _commit(self, connection: Any) -> None:
        try:
            self.backend.commit(connection)
        except Exception as exc:
            if not isinstance(exc, (ViewraError, ValueError, ArithmeticError)):
                self.raise_translated(exc)
            raise

    def _finish(self, transaction: Transaction) -> None:
        """Roll back what was not committed, and give the connection back in order."""
        backend, connection = self.backend, transaction.connection
        if connection is not None and backend.is_lent(connection, transaction.turn):
            backend.rollback(connection)
            if transaction.untrusted:
                backend.reset(connection)
            (backend.give_back_writer if transaction.writes else backend.give_back)(connection)
        self._forget(transaction)

    def _forget(self, transaction: Transaction) -> None:
        """Take a session from the thread that began it."""
        place = transaction.place and transaction.place()
        if place is None or place.transaction is transaction:
            transaction.state.update(
                closed=True, conn=None, ctx=[], transactions=[], commit_callbacks=[]
            )
        if place is not None and place.transaction is transaction:
            place.transaction = None
        transaction.connection = transaction.cursors = None
        transaction.entered.clear()

    def raise_translated(self, error: BaseException) -> None:
        """Raise the ViewraError that a driver's error stands for; return if there is none."""
        translated = self.backend.translate(error)
        if translated is not error:
            raise translated from error


def _row_count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _all_rows(cursor: Any) -> list[Any]:
    return list(cursor.fetchall())


_live: weakref.WeakSet[Database] = weakref.WeakSet()


def _after_fork() -> None:
    for sessions in list(_live):
        sessions.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
