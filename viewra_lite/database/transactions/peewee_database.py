"""The part of our peewee.Database classes that both engines share."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import peewee

from ...errors import TransactionError
from ..orm.internals import Savepoint, state_of
from .slow import SlowQueries, TimedCursor
from .transaction import OTHER_TASK, Transaction, current_task


class StoreDatabase:
    """A mixin for Peewee's databases: connections come only from our transactions."""

    backend: Any
    one_of: tuple[str, str, Callable[[Any], Any] | None]
    matches_words: tuple[str, str, Callable[[Any], Any]]
    utc_day: tuple[str, str]
    reads_rows_later = False
    """Whether a cursor reads its rows from the database when they are fetched."""
    slow: SlowQueries

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Refuse: a connection opened outside a reader() or writer() would leak."""
        self._connection()
        if not reuse_if_open:
            raise TransactionError(
                "the store opens connections itself: this reader() or writer() already has one"
            )
        return False

    def cursor(self, named_cursor: object = None) -> Any:
        """Return a cursor of the transaction's connection; raises TransactionError outside one."""
        return self._connection().cursor()

    def begin(self, *args: object, **kwargs: object) -> None:
        """Begin the transaction of a migration script; not called inside a reader() or writer()."""
        self.backend.begin_write(self._connection(), durable=True)

    def commit(self) -> None:
        """Commit the transaction that begin() started."""
        self.backend.commit(self._connection())

    def rollback(self) -> None:
        """Roll back the transaction that begin() started, unless the engine already has."""
        self.backend.rollback(self._connection())

    def savepoint(self) -> Any:
        """Return a savepoint, of which db.atomic() inside a writer() is one."""
        return Savepoint(self)

    def _connection(self) -> Any:
        state = state_of(self)
        if state.closed:
            self.backend.refuse_stray_query()
        for transaction in state.transactions[:1]:
            if isinstance(transaction, Transaction) and transaction.task is not current_task():
                raise TransactionError(OTHER_TASK)
        return state.conn

    def get_context_options(self) -> dict[str, Any]:
        """Return Peewee's options for building SQL, with this engine's SQL for our own nodes."""
        options: dict[str, Any] = super().get_context_options()  # type: ignore[misc]
        options["one_of"] = self.one_of
        options["matches_words"] = self.matches_words
        options["utc_day"] = self.utc_day
        return options

    def _execute_cursor(self, sql: str, params: object, **options: object) -> Any:
        cursor, noted, began = None, None, monotonic()
        try:
            cursor = super()._execute_cursor(sql, params, **options)  # type: ignore[misc]
        except peewee.PeeweeException:
            raise  # translated when it leaves the scope; Peewee's own code catches some
        except (OverflowError, ValueError, TypeError) as exc:
            translated = self.backend.translate(exc)
            if translated is exc:
                raise
            raise translated from exc
        finally:
            if (seconds := monotonic() - began) >= self.slow.seconds:
                noted = self.slow.note(sql, seconds, None if cursor is None else cursor.rowcount)
        if self.reads_rows_later and self.slow.is_on and cursor.description is not None:
            return TimedCursor(cursor, self.slow, sql, seconds, noted)
        return cursor
