"""What Peewee keeps to itself and we use: no other file names it.

A release of Peewee may rename any of it without notice, so what breaks then breaks here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import peewee


def state_of(database: Any) -> Any:
    """Return what Peewee knows of the calling thread: its connection and open transactions.

    Its __dict__ is the thread's own, and stays so when another thread uses it.
    """
    return database._state


def set_open(
    state: dict[str, Any], connection: object, transaction: object, callbacks: list[Any]
) -> None:
    """Give a thread of Peewee its connection and transaction.

    With the transaction, Peewee makes db.atomic() a savepoint instead of a second BEGIN.
    """
    state["closed"], state["conn"], state["ctx"] = False, connection, []
    state["transactions"], state["commit_callbacks"] = [transaction], callbacks


def set_closed(state: dict[str, Any]) -> None:
    """Leave a thread of Peewee without a connection."""
    state["closed"], state["conn"], state["ctx"] = True, None, []
    state["transactions"], state["commit_callbacks"] = [], []


class Savepoint(peewee._savepoint):
    """Peewee's savepoint, whose rollback also forgets what was to be called after the commit."""

    def _begin(self) -> None:
        super()._begin()  # type: ignore[misc]
        self.callbacks_before = len(self.db._state.commit_callbacks)

    def rollback(self, begin: bool = True) -> None:
        """Roll back, and forget the callbacks that were added since."""
        del self.db._state.commit_callbacks[self.callbacks_before :]
        super().rollback(begin)


def stored(row: peewee.Model) -> dict[str, Any]:
    """Return the columns of a row that are set, by name; the dictionary that the row itself uses.

    A foreign key is the id.
    """
    values: dict[str, Any] = row.__data__
    return values


def copied(row: peewee.Model) -> Any:
    """Return another instance of the same values: Model(**values) sets them one by one."""
    model: Any = type(row)
    copy = model.__new__(model)
    copy.__data__, copy.__rel__, copy._dirty = dict(row.__data__), {}, set()
    return copy


def instance_lines(name: str, made: str, data: str) -> list[str]:
    """Return the lines of Python that make a row of a model out of its columns."""
    return [
        f"{name} = {made}",
        f"{name}.__data__ = {{{data}}}",
        f"{name}.__rel__ = {{}}",
        f"{name}._dirty = set()",
    ]


def relation_line(name: str, key: str, related: str) -> str:
    """Return the line of Python that gives a row the row that a foreign key names."""
    return f"{name}.__rel__[{key!r}] = {related}"


def selected(query: peewee.BaseQuery) -> Sequence[Any]:
    """Return what a query selects or returns; empty where it does neither."""
    columns: Sequence[Any] | None = getattr(query, "_returning", None)
    return columns or ()


def row_type(query: Any) -> Any:
    """Return the form of rows that a query asks for, None where it does not say."""
    return query._row_type


def constructor(query: Any) -> Any:
    """Return the class of named tuples that a query asks for, or None."""
    return query._constructor


def is_of_model(query: peewee.BaseQuery) -> bool:
    """Whether the rows of a query are those of a model, unless it says otherwise."""
    return isinstance(query, (peewee.ModelSelect, peewee._ModelWriteQueryHelper))


def assignments(query: peewee.BaseQuery) -> Iterator[Mapping[Any, Any]]:
    """Yield what a query inserts and updates, also on conflict: values by column."""
    conflict = getattr(query, "_on_conflict", None)
    for given in (
        getattr(query, "_insert", None),
        getattr(query, "_update", None),
        getattr(conflict, "_update", None),
    ):
        if isinstance(given, dict):
            yield given


def add_parameter(context: Any, value: object) -> None:
    """Add a parameter, unconverted, to the SQL that is being built."""
    context._values.append(value)


def index_statements(model: type[peewee.Model], database: peewee.Database) -> Iterator[str]:
    """Yield the CREATE INDEX statements of a model."""
    manager: Any = peewee.SchemaManager(model, database)
    for context in manager._create_indexes(safe=False):
        yield context.query()[0]


def add_functions(database: Any, connection: object) -> None:
    """Give an SQLite connection the functions that Peewee's fields call, and a caller's own."""
    database._load_aggregates(connection)
    database._load_collations(connection)
    database._load_functions(connection)
    database._load_window_functions(connection)
