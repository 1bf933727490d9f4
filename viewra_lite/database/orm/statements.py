"""Queries that Peewee builds once per engine and that then run with new parameters.

Building the SQL text again is most of what a point get through Peewee costs, so the modules write
their questions as builders, each decorated with `statement`:

    @statement
    def file_by_id(id):
        return MediaFile.select().where(MediaFile.id == id)

`id` is a placeholder when the builder runs; `Database.one(file_by_id, "0190…")` supplies it. Rows
of a Model query come back as Model instances with everything selected filled in, related models
included; rows of any other query are tuples as the driver gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import peewee

from .fields import PLAIN_FIELDS, truth_value
from .nodes import Convert, Placeholder, Slot
from .rows import Fill, filler


class Compiled:
    """One statement's SQL text for one engine, with its parameters' and its rows' shapes."""

    __slots__ = ("sql", "bind", "fill")

    def __init__(self, sql: str, params: Sequence[Any], fill: Fill | None) -> None:
        self.sql = sql
        self.bind = _binder(params)
        self.fill = fill


class Statement:
    """A query builder and what it compiled to, by engine."""

    def __init__(self, build: Callable[..., Any], arity: int | None = None) -> None:
        self.build = build
        self.arity = build.__code__.co_argcount if arity is None else arity
        self.compiled: dict[str, Compiled] = {}
        self.__doc__ = build.__doc__
        self.__name__ = build.__name__

    def compile(self, engine: str, database: Any) -> Compiled:
        """Build the query for an engine and keep it; needs no connection."""
        query = self.build(*(Placeholder(n) for n in range(self.arity)))
        _type_placeholders(query)
        sql, params = database.get_sql_context().sql(query).query()
        json_is_text = database.field_types["JSON"] == "TEXT"
        compiled = Compiled(sql, params, filler(query, json_is_text=json_is_text))
        self.compiled[engine] = compiled
        return compiled


def statement(build: Callable[..., Any]) -> Statement:
    """Turn a builder, whose arguments are placeholders, into a Statement."""
    return Statement(build)


def _type_placeholders(query: Any) -> None:
    # Peewee converts plain values of an INSERT or UPDATE by their column, but takes nodes as
    # they are, and a placeholder is a node.
    conflict = getattr(query, "_on_conflict", None)
    for assignments in (
        getattr(query, "_insert", None),
        getattr(query, "_update", None),
        getattr(conflict, "_update", None),
    ):
        if isinstance(assignments, dict):
            for field, value in assignments.items():
                if isinstance(value, Placeholder) and isinstance(field, peewee.Field):
                    value.convert = value.convert or _assigned(field)


def _assigned(field: Any) -> Convert:
    """Return what makes a value fit to be stored in a column, the same on both engines."""
    if isinstance(field, peewee.ForeignKeyField):
        return _assigned(field.rel_field)
    if isinstance(field, peewee.BooleanField):
        return truth_value
    convert: Convert = PLAIN_FIELDS.get(type(field)) or field.db_value
    return convert


def _binder(params: Sequence[Any]) -> Convert:
    """Return what turns a call's arguments into the driver's parameters."""
    slots = [p for p in params if isinstance(p, Slot)]
    in_order = [slot.position for slot in slots] == list(range(len(params)))
    if in_order and not any(slot.convert for slot in slots):
        return lambda arguments: arguments
    # Written as source, as dataclasses do: a loop over the parameters would cost more than
    # what SQLite does for a point get.
    names: dict[str, Any] = {}
    items = []
    for n, param in enumerate(params):
        names[f"v{n}"] = param.convert if isinstance(param, Slot) else param
        value = f"a[{param.position}]" if isinstance(param, Slot) else f"v{n}"
        items.append(f"v{n}({value})" if isinstance(param, Slot) and param.convert else value)
    bind: Convert = eval(f"lambda a: ({''.join(item + ',' for item in items)})", names)
    return bind
