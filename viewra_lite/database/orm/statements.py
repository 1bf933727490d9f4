"""Queries that Peewee builds once per engine and that then run with new parameters.

Building the SQL text is most of the cost of a point get through Peewee, so the modules write their
queries as builders, each decorated with `statement`:

    @statement
    def file_by_id(id):
        return MediaFile.select().where(MediaFile.id == id)

`id` is a placeholder when the builder runs; `Database.one(file_by_id, "0190…")` supplies it. Rows
of a Model query come back as Model instances with everything selected filled in, related models
included; rows of any other query are tuples as the driver gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import peewee

from . import generated, internals
from .fields import PathField, number_value, text_value, truth_value, whole_value, without_nul
from .nodes import Placeholder, Slot, assigned
from .rows import Fill, filler

Query = peewee.BaseQuery
"""What a builder returns: any query that Peewee knows."""
Bind = Callable[[Sequence[Any]], Sequence[Any]]


class Compiled:
    """A statement's SQL for one engine, with the conversions of its parameters and rows."""

    __slots__ = ("sql", "bind", "fill", "query")

    def __init__(self, sql: str, bind: Bind, fill: Fill | None, query: Query | None = None) -> None:
        self.sql = sql
        self.bind = bind
        self.fill = fill
        self.query = query


class Statement:
    """A query builder and its compiled SQL, by engine.

    arity is needed for a builder with *args, names for one with **kwargs.
    """

    def __init__(
        self, build: Callable[..., Any], *, arity: int | None = None, names: Sequence[str] = ()
    ) -> None:
        code = build.__code__
        last = code.co_argcount + code.co_kwonlyargcount
        self.build = build
        self.arity = code.co_argcount if arity is None else arity
        """The number of arguments that may be given by position."""
        self.names = tuple(names) or code.co_varnames[:last]
        self.compiled: dict[str, Compiled] = {}
        self.__doc__ = build.__doc__
        self.__name__ = build.__name__

    def compile(self, engine: str, database: Any) -> Compiled:
        """Build the query for an engine and keep it; needs no connection."""
        query = self._query()
        _type_placeholders(query)
        sql, params = database.get_sql_context().sql(query).query()
        name = f"{self.build.__module__.removeprefix('viewra_lite.')}.{self.__name__}"
        compiled = Compiled(
            sql,
            _binder(params, name),
            filler(query, name, json_is_text=database.field_types["JSON"] == "TEXT"),
            query,
        )
        self.compiled[engine] = compiled
        return compiled

    def _query(self) -> Any:
        places = [Placeholder(n) for n in range(max(self.arity, len(self.names)))]
        named = dict(zip(self.names[self.arity :], places[self.arity :]))
        return self.build(*places[: self.arity], **named)

    def arranged(self, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return positional and named arguments in order of position."""
        names = self.names[len(arguments) :]
        if len(names) != len(named) or not named.keys() >= set(names):
            raise TypeError(
                f"{self.__name__} takes {', '.join(self.names)}, not {len(arguments)} by place and "
                f"{', '.join(named)}"
            )
        return arguments + tuple([named[name] for name in names])


def statement(build: Callable[..., Any]) -> Statement:
    """Turn a builder, whose arguments are placeholders, into a Statement."""
    return Statement(build)


def _type_placeholders(query: Query) -> None:
    # Peewee converts plain values of an INSERT or UPDATE by their column, but not nodes, and a
    # placeholder is a node.
    for assignments in internals.assignments(query):
        for field, value in assignments.items():
            if isinstance(value, Placeholder) and isinstance(field, peewee.Field):
                value.convert = value.convert or assigned(field)


# Expressions that convert a value for the driver. Nearly all values need no conversion, and an
# inline check costs less than a call.
_FORMS: dict[Any, str] = {
    text_value: "{v} if ({v} := {a}).__class__ is str and {nul} not in {v} or {v} is None",
    without_nul: "{v} if ({v} := {a}).__class__ is str and {nul} not in {v}",
    whole_value: "{v} if ({v} := {a}).__class__ is int or {v} is None",
    number_value: ("{v} if ({v} := {a}).__class__ is float and {v} - {v} == 0.0 or {v} is None"),
    truth_value: "{v} if ({v} := {a}).__class__ is bool or {v} is None",
}
_PATH = "{v} if ({v} := {a}).__class__ is str and {v}.isascii() and {nul} not in {v}"


def _binder(params: Sequence[Any], name: str) -> Bind:
    """Return the function that converts a call's arguments to the driver's parameters."""
    slots = [p for p in params if isinstance(p, Slot)]
    in_order = [slot.position for slot in slots] == list(range(len(params)))
    if in_order and not any(slot.convert for slot in slots):
        return _as_they_are
    # Generated source, as in dataclasses: a loop over the parameters would cost more than SQLite
    # needs for a point get.
    names: dict[str, Any] = {}
    items = "".join(f"  {_parameter(n, param, names)},\n" for n, param in enumerate(params))
    return generated.function(f"parameters: {name}", f"def bind(a):\n return (\n{items} )\n", names)


def _as_they_are(arguments: Sequence[Any]) -> Sequence[Any]:
    return arguments


def _parameter(number: int, param: object, names: dict[str, Any]) -> str:
    """Return the expression for a parameter, given the arguments."""
    if not isinstance(param, Slot):
        names[f"v{number}"] = param
        return f"v{number}"
    argument, convert = f"a[{param.position}]", param.convert
    if convert is None:
        return argument
    names[f"c{number}"] = convert
    owner = getattr(convert, "__self__", None)
    is_path = type(owner) is PathField and convert == owner.db_value
    form = _PATH if is_path else _FORMS.get(convert)
    if form is None:
        return f"c{number}({argument})"
    test = form.format(v=f"p{number}", a=argument, nul="'\\0'")
    return f"({test} else c{number}(p{number}))"
