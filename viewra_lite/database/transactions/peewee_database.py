"""What both engines' views of Peewee share: their connections come from sessions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee

from ...errors import TransactionError
from .transaction import OTHER_TASK, Transaction, current_task


class StoreDatabase:
    """Mixed into Peewee's databases: connections come from sessions only."""

    backend: Any
    one_of: tuple[str, str, Callable[[Any], Any] | None]
    matches_words: tuple[str, str, Callable[[Any], Any]]
    utc_day: tuple[str, str]

    def connect(self, reuse_if_open: bool = False) -> bool:
        """Refuse: a query outside a session would leak a connection."""
        self._connection()
        if not reuse_if_open:
            raise TransactionError(
                "connections are opened by the store: this session has one already"
            )
        return False

    def cursor(self, named_cursor: Any = None) -> Any:
        """Return a cursor of the session's connection; raises TransactionError outside one."""
        return self._connection().cursor()

    def begin(self, *args: Any, **kwargs: Any) -> None:
        """Start a transaction for a migration script; in a session there is one already."""
        self.backend.begin_write(self._connection(), durable=True)

    def commit(self) -> None:
        """Commit what begin() started."""
        self.backend.commit(self._connection())

    def rollback(self) -> None:
        """Roll back what begin() started, unless the engine has done so by itself."""
        self.backend.rollback(self._connection())

    def _connection(self) -> Any:
        state: Any = self._state  # type: ignore[attr-defined]
        if state.closed:
            self.backend.refuse_stray_query()
        for transaction in state.transactions[:1]:
            if isinstance(transaction, Transaction) and transaction.task is not current_task():
                raise TransactionError(OTHER_TASK)
        return state.conn

    def get_context_options(self) -> dict[str, Any]:
        """Return Peewee's options for building SQL, and how this engine says our own nodes."""
        options: dict[str, Any] = super().get_context_options()  # type: ignore[misc]
        options["one_of"] = self.one_of
        options["matches_words"] = self.matches_words
        options["utc_day"] = self.utc_day
        return options

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        try:
            return super()._execute_cursor(sql, params, **options)  # type: ignore[misc]
        except peewee.PeeweeException:
            raise  # translated as it leaves the session; Peewee's own code catches some
        except (OverflowError, ValueError, TypeError) as exc:
            translated = self.backend.translate(exc)
            if translated is exc:
                raise
            raise translated from exc
