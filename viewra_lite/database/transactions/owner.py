"""The transactions of the threads: each thread has at most one."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from ...errors import CorruptStoreError, TransactionError, ViewraError
from ..orm.lost import lost
from ..orm.internals import set_closed, set_open, state_of
from ..orm.unreadable import named
from .transaction import CLOSED, INTERRUPTED, OTHER_TASK, THREAD_ENDED, Transaction, current_task

if TYPE_CHECKING:
    from ..backend import Backend


class _Place:
    """A thread's reference to its transaction; rolls it back when the thread ends."""

    __slots__ = ("transaction", "_db", "__weakref__")

    def __init__(self, db: weakref.ref[Transactions]) -> None:
        self.transaction: Transaction | None = None
        self._db = db

    def __del__(self) -> None:
        db = self._db()
        if self.transaction is not None and db is not None:
            db.take_back(self.transaction, THREAD_ENDED)


class _Current(threading.local):
    def __init__(self, db: weakref.ref[Transactions]) -> None:
        self.place = _Place(db)  # once in each thread


class Transactions:
    """Begins and ends the transactions of the threads over one backend; the base of Database."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._current = _Current(weakref.ref(self))
        self._process = os.getpid()

    def own(self, scope: object) -> Transaction | None:
        """Return this thread's transaction if scope is its innermost scope."""
        transaction = self._current.place.transaction
        entered = transaction.entered if transaction is not None else ()
        return transaction if entered and entered[-1][0] is scope else None

    @property
    def current(self) -> Transaction | None:
        """This thread's transaction; raises TransactionError if another asyncio task opened it."""
        transaction = self._current.place.transaction
        return None if transaction is None else self._usable(transaction)

    def borrowed(self, *, writes: bool) -> Transaction:
        """Return a transaction on a borrowed connection; begin() makes it the thread's."""
        connection, backend = None, self.backend
        try:
            connection = backend.borrow_writer() if writes else backend.borrow()
            return Transaction(connection, backend.turn_of(connection, writes), writes)
        except BaseException:
            if connection is not None:
                (backend.give_back_writer if writes else backend.give_back)(connection)
            raise

    def begin(self, transaction: Transaction) -> None:
        """Make a transaction this thread's, for the modules and for Peewee."""
        place = self._current.place
        # A generator may be finished by another thread than the one that began it, so the
        # transaction keeps references to what its own thread has.
        transaction.place, place.transaction = weakref.ref(place), transaction
        transaction.state = state_of(self.backend.database).__dict__
        set_open(transaction.state, transaction.connection, transaction, transaction.callbacks)

    def end(self, transaction: Transaction, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back; every step can be repeated."""
        transaction.is_ending = True
        try:
            for cursor in list(transaction.cursors or ()):
                cursor.close()  # a half-read cursor would keep its snapshot for the next borrower
            if commit:
                self._commit(transaction.connection)
        finally:
            try:
                self._finish(transaction)
            except BaseException:  # interrupted, or the sync of a durable commit has failed
                self._finish(transaction)
                raise

    def take_back(self, transaction: Transaction, why: str) -> None:
        """Roll back a transaction that its scopes will not end, in whatever state it is."""
        if transaction.connection is None or os.getpid() != self._process:
            return
        transaction.lost = why
        self.end(transaction, commit=False)

    def give_up(self) -> bool:
        """Roll back this thread's transaction; False if the caller is inside one of its blocks."""
        transaction = self._current.place.transaction
        if transaction is not None and transaction.is_within and not transaction.is_ending:
            return False
        if transaction is not None:
            self.take_back(transaction, CLOSED)
        return True

    def _commit(self, connection: object) -> None:
        try:
            self.backend.commit(connection)
        except Exception as exc:
            if not isinstance(exc, (ViewraError, ValueError, ArithmeticError)):
                self.raise_translated(exc)
            raise

    def _finish(self, transaction: Transaction) -> None:
        """Roll back unless committed, reset the connection if needed, and give it back."""
        backend, connection = self.backend, transaction.connection
        if connection is not None and backend.is_lent(connection, transaction.turn):
            if transaction.guard is not None:
                transaction.guard.end()
            backend.rollback(connection)
            if transaction.untrusted:
                backend.reset(connection)
            (backend.give_back_writer if transaction.writes else backend.give_back)(connection)
        self._forget(transaction)

    def _forget(self, transaction: Transaction) -> None:
        """Detach a transaction from the thread that began it."""
        place = transaction.place and transaction.place()
        if place is None or place.transaction is transaction:
            set_closed(transaction.state)
        if place is not None and place.transaction is transaction:
            place.transaction = None
        transaction.connection = transaction.cursors = None
        transaction.entered.clear()

    def raise_translated(self, error: BaseException, *reading: Any) -> None:
        """Raise the ViewraError for a driver's error; return for any other error."""
        translated = self.backend.translate(error)
        if self._is_odd(translated) and (gone := lost(self.backend)) is not None:
            raise gone from error
        if translated is not error:
            raise named(translated, *reading) from error

    def _is_odd(self, error: BaseException) -> bool:
        """Whether a statement of ours fails so only in a database that is not as we made it."""
        if isinstance(error, CorruptStoreError):
            return not str(error).startswith("a stored text")
        return isinstance(error, self.backend.database.failures)

    def _usable(self, transaction: Transaction) -> Transaction | None:
        """Return this thread's transaction, None if an interruption ended it unnoticed."""
        held = transaction.entered[-1][1] if transaction.entered else None
        if transaction.is_ending or (held is not None and held() is None):
            self.take_back(transaction, INTERRUPTED)
            return None
        if transaction.task is not current_task():
            raise TransactionError(OTHER_TASK)
        return transaction
