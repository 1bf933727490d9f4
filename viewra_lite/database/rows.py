"""Rows into Model instances, by code that is written once for each query.

A loop over the fields costs more than what SQLite does to find a row: written out, all columns of
a row are taken apart in one step, and only those that need it are converted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import peewee

from .fields import PLAIN_FIELDS, DateField, JSONField, PathField, TimestampField

Fill = Callable[[Sequence[Any]], list[Any]]
_IF_TEXT = "{convert}({value}) if {value}.__class__ is str else {value}"
_UNLESS_NONE = "None if {value} is None else {convert}({value})"
_UNLESS_ASCII = "{value} if {value} is None or {value}.isascii() else {convert}({value})"
_TRUTH = "None if {value} is None else not not {value}"  # SQLite has 0 and 1


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
        (n, column.name) for n, column in enumerate(query._returning)
        if isinstance(column, peewee.Alias)
    ]
    names: dict[str, Any] = {}
    lines = [
        "def fill(rows):",
        " found = []",
        f" for {''.join(f'v{n}, ' for n in range(len(fields)))}in rows:",
        *_instances(query.model, fields[:len(fields) - len(named)], names, json_is_text),
        *(f"  item.{name} = {_value(n, fields[n], names, json_is_text)}" for n, name in named),
        "  found.append(item)",
        " return found",
    ]
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
        name, indent = ("item", "  ") if owner is model else ("part", "   ")
        if owner is not model:
            lines.append(f"  if {_is_there(fields, start, stop)}:")
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
    form, convert = _reading(field, json_is_text)
    if convert is not None:
        names[f"c{number}"] = convert
    return f"({form.format(value=f'v{number}', convert=f'c{number}')})"


def _reading(field: Any, json_is_text: bool) -> tuple[str, Any]:
    if isinstance(field, peewee.ForeignKeyField):
        return _reading(field.rel_field, json_is_text)
    if isinstance(field, peewee.BooleanField):
        return _TRUTH, None
    if isinstance(field, PathField):
        return _UNLESS_ASCII, field.python_value
    if isinstance(field, (TimestampField, DateField)):
        return _IF_TEXT, field.of_text
    if isinstance(field, JSONField):
        return (_IF_TEXT, field.of_text) if json_is_text else ("{value}", None)
    if type(field) in PLAIN_FIELDS or field.python_value.__func__ is peewee.Field.python_value:
        return "{value}", None
    return _UNLESS_NONE, field.python_value
