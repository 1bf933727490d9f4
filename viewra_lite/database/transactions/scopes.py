"""The context managers of reader() and writer(): enter, nest and leave a thread's transaction."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import TransactionError, ViewraError
from .transaction import (
    INTERRUPTED,
    OTHER_ORDER,
    OTHER_TASK,
    THREAD_ENDED,
    Transaction,
    current_task,
)

if TYPE_CHECKING:
    from ..backend import Backend
    from .events import Events

    class Owner(Protocol):
        """The part of Database that scopes use."""

        backend: Backend
        events: Events

        @property
        def current(self) -> Transaction | None: ...
        def own(self, scope: object) -> Transaction | None: ...
        def borrowed(self, *, writes: bool) -> Transaction: ...
        def begin(self, transaction: Transaction) -> None: ...
        def end(self, transaction: Transaction, *, commit: bool) -> None: ...
        def take_back(self, transaction: Transaction, why: str) -> None: ...
        def raise_translated(self, error: BaseException) -> None: ...


@contextmanager
def lifted(transaction: Transaction | None) -> Iterator[None]:
    """Run the store's own statements in a transaction that may be confined to a plugin."""
    guard = transaction.guard if transaction is not None else None
    if guard is None or transaction is None:
        yield
        return
    guard.end()
    transaction.guard = None
    try:
        yield
    finally:
        if transaction.connection is not None:
            transaction.guard = guard
            guard.begin()


class _Exit:
    """The descriptor for __exit__: returns a method that only the `with` statement references.

    An interruption can come after the block has ended and before the first step of __exit__; then
    nothing calls __exit__ any more. But the method is freed with the block, and a weak reference
    reports it. The frame of __exit__, which exists as long as a traceback, references the scope.
    """

    def __get__(self, scope: _Scope | None, kind: object = None) -> Any:
        if scope is None:
            return self
        leave = scope.leave
        scope.held = weakref.ref(leave, scope.died)
        return leave

    def __call__(self, scope: _Scope, *error: Any) -> None:
        """Leave a scope; called by ExitStack, which looks up __exit__ on the class."""
        scope.leave(*error)


class _Scope:
    """The part that Reader and Writer share. A scope is reentrant and reusable."""

    __slots__ = ("_db", "_untrusted", "_durable", "_transaction", "held")
    _writes = False
    _is_guarded = False
    """Whether it is a block of a plugin, which its guard admits."""

    def __init__(self, db: Owner, untrusted: bool, durable: bool = False) -> None:
        self._db = db
        self._untrusted = untrusted
        self._durable = durable
        self._transaction: Transaction | None = None
        self.held: weakref.ref[Any] | None = None

    if TYPE_CHECKING:

        def __exit__(
            self,
            exc_type: type[BaseException] | None,
            exc: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...
    else:
        __exit__ = _Exit()

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the scope that __enter__ began."""
        raise NotImplementedError

    def died(self, held: object) -> None:
        """Roll back the transaction if its block ended without leaving this scope."""
        transaction = self._transaction
        if transaction is not None and any(how is held for _, how in transaction.entered):
            self._db.take_back(transaction, INTERRUPTED)

    def _begin(self) -> None:
        """Begin the transaction of this thread, which has none."""
        db, backend, transaction = self._db, self._db.backend, None
        try:
            transaction = db.borrowed(writes=self._writes)
            if self._writes:
                backend.begin_write(transaction.connection, self._durable)
            else:
                backend.begin_read(transaction.connection)
            self._note_entry(transaction)
            db.begin(transaction)
        except BaseException as exc:
            if transaction is not None:
                db.end(transaction, commit=False)
            self._raise_translated(exc)
            raise

    def _note_entry(self, transaction: Transaction) -> None:
        """Record that this scope is now the innermost one of a transaction."""
        held, self.held = self.held, None
        if held is not None and held() is None:
            held = None  # __exit__ was read without a `with` statement
        transaction.untrusted = transaction.untrusted or self._untrusted
        self._transaction = transaction
        transaction.entered.append((self, held))

    def _left(self, error: BaseException | None) -> Transaction | None:
        """Return the transaction to leave; None if it was lost while an error is being raised.

        Raises TransactionError if it was lost without such an error, and in a forked child.
        """
        self.held = None
        transaction = self._db.own(self)
        if transaction is not None and not transaction.lost:
            if transaction.task is current_task():
                return transaction
        transaction = transaction or self._transaction
        if transaction is None or (transaction.connection is None and transaction.lost is None):
            self._db.backend.refuse_stray_query()
        why = transaction.lost or self._why_misplaced(transaction)
        if why is not None:
            self._lost(transaction, why, error)
            return None
        return transaction

    def _lost(self, transaction: Transaction, why: str, error: BaseException | None) -> None:
        self._db.take_back(transaction, why)
        # A reader that outlived its thread has lost nothing.
        if error is None and (transaction.writes or transaction.lost != THREAD_ENDED):
            raise TransactionError(
                f"the transaction was rolled back: {why}" if transaction.writes else why
            )

    def _why_misplaced(self, transaction: Transaction) -> str | None:
        if transaction.task is not current_task():
            return OTHER_TASK
        if not transaction.entered or transaction.entered[-1][0] is not self:
            if transaction.writes:
                return OTHER_ORDER
            # Readers share one snapshot and may end in any order.
            transaction.entered.sort(key=lambda entry: entry[0] is self)
        return None

    def _raise_translated(self, error: BaseException | None) -> None:
        # A ValueError or OverflowError of the driver was translated at its source, so one that
        # arrives here is the caller's, except for text that is not UTF-8 in rows of Peewee.
        if error is None or isinstance(error, (ViewraError, ValueError, ArithmeticError)):
            if not isinstance(error, UnicodeDecodeError):
                return
        self._db.raise_translated(error)


class Reader(_Scope):
    """The context manager of reader(): one consistent snapshot."""

    __slots__ = ()

    def __enter__(self) -> Reader:
        transaction = self._db.current
        if transaction is None:
            self._begin()
            return self
        self._note_entry(transaction)
        transaction.read_depth += 1
        if transaction.writes and self._untrusted and not transaction.read_only:
            self._set_read_only(transaction, True)
        return self

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the snapshot if this is the outermost scope."""
        transaction = self._left(exc)
        if transaction is None:
            return  # an error is being raised
        if transaction.read_depth == 1 and not transaction.writes:
            self._db.end(transaction, commit=False)
        else:
            if transaction.read_depth == 1 and transaction.read_only:
                self._set_read_only(transaction, False)
            transaction.read_depth -= 1
            transaction.entered.pop()
        self._raise_translated(exc)

    def _set_read_only(self, transaction: Transaction, read_only: bool) -> None:
        try:
            with lifted(transaction):
                self._db.backend.forbid_writes(transaction.connection, read_only)
        except Exception as exc:
            if read_only:
                transaction.read_depth -= 1
            transaction.entered.pop()
            self._raise_translated(exc)
            raise
        transaction.read_only = read_only


class Writer(_Scope):
    """The context manager of writer(): one transaction, or a savepoint when nested."""

    __slots__ = ()
    _writes = True

    def __enter__(self) -> Writer:
        transaction = self._db.current
        if transaction is None:
            self._begin()
        elif not transaction.writes or transaction.read_depth:
            raise TransactionError("a writer() inside a reader(): open the writer() outside it")
        else:
            if transaction.guard is not None and not self._is_guarded:
                raise TransactionError(str(transaction.guard.refuse_verb()))
            self._begin_savepoint(transaction)
        return self

    def leave(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit, or roll back after an error; a nested writer only its savepoint."""
        transaction = self._left(exc)
        if transaction is None:
            return
        if transaction.savepoints:
            self._end_savepoint(transaction, failed=exc is not None)
            transaction.entered.pop()
            self._raise_translated(exc)
        else:
            callbacks = transaction.callbacks
            if callbacks and exc is None:
                self._store_events(transaction)
            self._db.end(transaction, commit=exc is None)
            self._raise_translated(exc)
            if callbacks and exc is None:
                self._db.events.deliver(callbacks)

    def _store_events(self, transaction: Transaction) -> None:
        try:
            self._db.events.store(transaction.callbacks)
        except BaseException:
            self._db.end(transaction, commit=False)
            raise

    def _begin_savepoint(self, transaction: Transaction) -> None:
        try:
            transaction.connection.execute(f"SAVEPOINT viewra_{len(transaction.savepoints)}")
        except Exception as exc:
            self._raise_translated(exc)
            raise
        self._note_entry(transaction)
        transaction.savepoints.append(len(transaction.callbacks))

    def _end_savepoint(self, transaction: Transaction, *, failed: bool) -> None:
        callbacks_before = transaction.savepoints.pop()
        savepoint = f"viewra_{len(transaction.savepoints)}"
        try:
            if not failed:
                transaction.connection.execute(f"RELEASE SAVEPOINT {savepoint}")
        except Exception as exc:
            failed = True
            transaction.entered.pop()
            self._raise_translated(exc)
            raise
        finally:
            if failed:
                del transaction.callbacks[callbacks_before:]
                self._db.backend.rollback_to(transaction.connection, savepoint)
