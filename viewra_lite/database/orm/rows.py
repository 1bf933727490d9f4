"""Rows into Model instances, by code that is written once for each query.

A loop over the fields costs more than what SQLite does to find a row: written out, all columns of
a row are taken apart in one step, and only those that need it are converted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import peewee

from .fields import DateField, JSONField, PathField, TimestampField, os_path
from .reading import (
    FAILURES,
    TRUTHS,
    date_of,
    json_of,
    number_of,
    text_of,
    time_of,
    unreadable_row,
    whole_of,
)

Fill = Callable[[Sequence[Any]], list[Any]]
_UNLESS_NONE = "None if {value} is None else {convert}({value})"
_IF_TEXT = (
    "{convert}({value}) if {value}.__class__ is str "
    "else None if {value} is None else {odd}({value})"
)
# As it is stored. One that a person wrote may have no zone, or be in another.
_IF_TIME = (
    "{convert}({value}) if {value}.__class__ is str and len({value}) == 32 "
    "else None if {value} is None else {odd}({value})"
)
_IF_OF = "{value} if {value}.__class__ is {convert} or {value} is None else {odd}({value})"
_IF_FINITE = (
    "{value} if {value} is None or {value}.__class__ is float and {value} - {value} == 0.0 "
    "else {odd}({value})"
)
_IF_ASCII = (
    "{value} if {value}.__class__ is str and {value}.isascii() "
    "else None if {value} is None else {convert}({value})"
)
_TRUTH = "{convert}[{value}]"  # SQLite has 0 and 1


def copied(row: Any) -> Any:
    """Return another instance of the same values: Model(**values) sets them one by one."""
    model: Any = type(row)
    copy = model.__new__(model)
    copy.__data__, copy.__rel__, copy._dirty = dict(row.__data__), {}, set()
    return copy


def filler(query: Any, *, json_is_text: bool) -> Fill | None:
    """Return what turns rows into Model instances, or None where rows stay tuples.

    Columns with an alias stand last, and become attributes, as Peewee makes them.
    """
    if not issubclass(type(query), peewee.ModelSelect) or query._row_type is not None:
        return None
    fields = [getattr(column, "node", column) for column in query._returning]
    if not all(isinstance(field, peewee.Field) for field in fields):
        return None
    named = [
        (n, column.name)
        for n, column in enumerate(query._returning)
        if isinstance(column, peewee.Alias)
    ]
    names: dict[str, Any] = {}
    values = "".join(f"v{n}, " for n in range(len(fields)))
    lines = [
        "def fill(rows):",
        " found = []",
        " try:",
        f"  for {values}in rows:",
        *_instances(query.model, fields[: len(fields) - len(named)], names, json_is_text),
        *(f"   item.{name} = {_value(n, fields[n], names, json_is_text)}" for n, name in named),
        "   found.append(item)",
        " except FAILURES as exc:",
        f"  raise (unreadable(({values})) or exc) from exc",
        " return found",
    ]
    names["FAILURES"] = FAILURES
    names["unreadable"] = partial(unreadable_row, fields, json_is_read=not json_is_text)
    exec("\n".join(lines), names)
    fill: Fill = names["fill"]
    return fill


def _instances(
    model: Any, fields: Sequence[Any], names: dict[str, Any], json_is_text: bool
) -> list[str]:
    """Return the lines that make the instance of a row, and those that are related to it."""
    lines = []
    start = 0
    while start < len(fields):
        owner = fields[start].model
        stop = start
        while stop < len(fields) and fields[stop].model is owner:
            stop += 1
        names[f"m{start}"], names[f"n{start}"] = owner, owner.__new__
        name, indent = ("item", "   ") if owner is model else ("part", "    ")
        if owner is not model:
            lines.append(f"   if {_is_there(fields, start, stop)}:")
        data = ", ".join(
            f"{fields[n].name!r}: {_value(n, fields[n], names, json_is_text)}"
            for n in range(start, stop)
        )
        lines += [
            f"{indent}{name} = n{start}(m{start})",
            f"{indent}{name}.__data__ = {{{data}}}",
            f"{indent}{name}.__rel__ = {{}}",
            f"{indent}{name}._dirty = set()",
        ]
        if owner is not model:
            lines.append(f"{indent}item.__rel__[{_attribute(model, owner)!r}] = part")
        start = stop
    return lines


def _is_there(fields: Sequence[Any], start: int, stop: int) -> str:
    """Say when an outer join has found a row: its key, where it is selected, is never NULL."""
    keys = [n for n in range(start, stop) if fields[n].primary_key]
    return " or ".join(f"v{n} is not None" for n in keys[:1] or range(start, stop))


def _attribute(model: Any, related: Any) -> str:
    names = [key.name for key in model._meta.refs if key.rel_model is related]
    return str(names[0])


def _value(number: int, field: Any, names: dict[str, Any], json_is_text: bool) -> str:
    """Say what a column's value is for Python."""
    form, convert, odd = _reading(field, json_is_text)
    names[f"c{number}"], names[f"o{number}"] = convert, odd
    return f"({form.format(value=f'v{number}', convert=f'c{number}', odd=f'o{number}')})"


def _reading(field: Any, json_is_text: bool) -> tuple[str, Any, Any]:
    """Return how a value is read, with what, and with what where it is not as it should be.

    Both raise one of FAILURES for one that cannot be read.
    """
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    if isinstance(field, PathField):
        return _IF_ASCII, lambda value: os_path(text_of(value) or ""), None
    if isinstance(field, TimestampField):
        if json_is_text:
            return _IF_TIME, datetime.fromisoformat, time_of
        return _IF_OF, datetime, time_of
    if isinstance(field, DateField):
        return (_IF_TEXT, date.fromisoformat, date_of) if json_is_text else (_IF_OF, date, date_of)
    if isinstance(field, JSONField):
        return (_UNLESS_NONE if json_is_text else "{value}"), json_of, None
    own = type(field)
    for kind, reading in _PLAIN.items():
        if issubclass(own, kind) and _is_read_alike(own, kind):
            return reading
    if own.python_value is peewee.Field.python_value:
        return "{value}", None, None
    return _UNLESS_NONE, field.python_value, None


def _is_read_alike(own: Any, kind: Any) -> bool:
    """Whether a guest's kind of column reads as the kind that it was made of."""
    return own.python_value is kind.python_value and own.adapt is kind.adapt


_PLAIN: dict[Any, tuple[str, Any, Any]] = {
    peewee.BooleanField: (_TRUTH, TRUTHS, None),
    peewee.IntegerField: (_IF_OF, int, whole_of),
    peewee.DoubleField: (_IF_FINITE, None, number_of),
    peewee.TextField: ("{value}", None, None),  # nearly all columns: to look costs a tenth
}
