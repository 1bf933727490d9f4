"""Conversion of rows to Python values, by code that is generated once for each query.

A loop over the fields costs more than SQLite needs to find a row. The generated code unpacks all
columns of a row in one step and converts only those that need it. For a query of a text and a time,
whose rows stay tuples, it is:

    def fill(rows):
     found = []
     try:
      for v0, v1, in rows:
       found.append((v0, (c1(v1) if v1.__class__ is str and len(v1) == 32 else …), ))
     except FAILURES as exc:
      raise (unreadable((v0, v1, )) or exc) from exc
     return found
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

import peewee

from . import generated, internals
from .fields import DateField, JSONField, PathField, TimestampField, os_path
from .nodes import Together, Typed
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
_AS_IT_IS = "{value}"
_UNLESS_NONE = "None if {value} is None else {convert}({value})"
_IF_TEXT = (
    "{convert}({value}) if {value}.__class__ is str "
    "else None if {value} is None else {odd}({value})"
)
# 32 characters is the stored form; a time written by hand may have no zone, or another one.
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
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "IS", "IS NOT", "IN", "NOT IN"})
# Functions that return a value of their argument's column.
_CHOOSE = frozenset({"COALESCE", "MAX", "MIN", "NULLIF", "SUM"})


def values_of(row: Any) -> Mapping[str, Any]:
    """Return all columns of a row by name; None for columns that were not set."""
    values = internals.stored(row)
    names = row._meta.fields
    return values if len(values) == len(names) else {name: values.get(name) for name in names}


def filler(query: Any, name: str, *, json_is_text: bool) -> Fill | None:
    """Return what turns rows into Model instances, named tuples or tuples of Python's values.

    None where rows are as they come. Of models, columns with an alias come last, and become
    attributes, as Peewee makes them.
    """
    columns = internals.selected(query)
    constructor = internals.constructor(query)
    if not columns or (internals.row_type(query) is None and isinstance(query, peewee.ModelInsert)):
        return None  # Peewee adds a RETURNING clause for the new key
    fields = columns_of_query(query)
    sources = [_sources(query, n) for n in range(len(fields))]
    values = "".join(f"v{n}, " for n in range(len(fields)))
    names: dict[str, Any] = {
        "FAILURES": FAILURES,
        "unreadable": partial(unreadable_row, fields, sources, json_is_read=not json_is_text),
    }
    reads = [_value(n, field, names, json_is_text) for n, field in enumerate(fields)]
    if _makes_models(query, columns):
        lines = _model(query, fields, names, reads)
    elif constructor is None and reads == [f"v{n}" for n in range(len(reads))]:
        return None
    else:
        lines = _tuple(columns, constructor, names, reads)
    return generated.function(
        f"rows: {name}",
        "\n".join(
            (
                "def fill(rows):",
                " found = []",
                " try:",
                f"  for {values}in rows:",
                *lines,
                " except FAILURES as exc:",
                f"  raise (unreadable(({values})) or exc) from exc",
                " return found",
            )
        ),
        names,
    )


def columns_of_query(query: Any) -> list[Any]:
    """Return the table column of each column that a query selects; None of a computed one."""
    return [column_of(each) for column in internals.selected(query) for each in _flat(column)]


def _makes_models(query: Any, columns: Sequence[Any]) -> bool:
    return (
        internals.is_of_model(query)
        and internals.row_type(query) in (None, peewee.ROW.MODEL)
        and all(isinstance(getattr(column, "node", column), peewee.Field) for column in columns)
    )


def column_of(node: object) -> Any:
    """Return the column whose values a node of a query selects, or None."""
    if isinstance(node, peewee.Alias):
        return column_of(node.node)
    if isinstance(node, (peewee.Field, peewee.FieldAlias)):
        return getattr(node, "field", node)
    if isinstance(node, Typed):
        return node.field
    if isinstance(node, peewee.Expression) and node.op in _COMPARISONS:
        return _TRUTH_FIELD
    if isinstance(node, peewee.Function) and node.arguments and node.name in _CHOOSE:
        return column_of(node.arguments[0])
    return None


def _flat(column: Any) -> Sequence[Any]:
    return column.columns if isinstance(column, Together) else (column,)


def _sources(query: Any, number: int) -> Sequence[Any]:
    """Return the table columns from which a computed column of a query may come."""
    if isinstance(query, peewee.CompoundSelectQuery):
        found: list[Any] = []
        for part in (query.lhs, query.rhs):
            column = None if hasattr(part, "lhs") else internals.selected(part)[number]
            is_field = isinstance(column, peewee.Field)
            found += [column] if is_field else _sources(part, number)
        return found
    column = [each for column in internals.selected(query) for each in _flat(column)][number]
    return column.sources if isinstance(column, Typed) else ()


_TRUTH_FIELD = peewee.BooleanField()


def _tuple(
    columns: Sequence[Any], constructor: Any, names: dict[str, Any], reads: list[str]
) -> list[str]:
    """Return the lines that build the tuple, or the query's named tuple, of a row."""
    parts, start = [], 0
    for column in columns:
        stop = start + len(_flat(column))
        some = ", ".join(reads[start:stop])
        parts.append(f"({some}, )" if isinstance(column, Together) else some)
        start = stop
    made = f"({', '.join(parts)}, )"
    if constructor is not None:
        if len(constructor._fields) != len(parts):
            raise TypeError(f"{constructor.__name__} has not as many fields as its query")
        names["make"], names["kind"] = tuple.__new__, constructor
        made = f"make(kind, {made})"
    return [f"   found.append({made})"]


def _model(query: Any, fields: Sequence[Any], names: dict[str, Any], reads: list[str]) -> list[str]:
    """Return the lines that build the instance of a row, with the aliased columns."""
    named = [
        (n, column.name)
        for n, column in enumerate(internals.selected(query))
        if isinstance(column, peewee.Alias)
    ]
    return [
        *_instances(query.model, fields[: len(fields) - len(named)], names, reads),
        *(f"   item.{name} = {reads[n]}" for n, name in named),
        "   found.append(item)",
    ]


def _instances(
    model: object, fields: Sequence[Any], names: dict[str, Any], reads: list[str]
) -> list[str]:
    """Return the lines that build the instance of a row and its related instances."""
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
        data = ", ".join(f"{fields[n].name!r}: {reads[n]}" for n in range(start, stop))
        made = internals.instance_lines(name, f"n{start}(m{start})", data)
        if owner is not model:
            made.append(internals.relation_line("item", _attribute(model, owner), name))
        lines += [indent + line for line in made]
        start = stop
    return lines


def _is_there(fields: Sequence[Any], start: int, stop: int) -> str:
    """Return the condition that an outer join has found a row: a selected key is not NULL."""
    keys = [n for n in range(start, stop) if fields[n].primary_key]
    return " or ".join(f"v{n} is not None" for n in keys[:1] or range(start, stop))


def _attribute(model: Any, related: Any) -> str:
    names = [key.name for key in model._meta.refs if key.rel_model is related]
    return str(names[0])


def _value(number: int, field: object, names: dict[str, Any], json_is_text: bool) -> str:
    """Return the expression for a column's Python value."""
    form, convert, odd = _reading(field, json_is_text)
    if form is _AS_IT_IS:
        return f"v{number}"
    names[f"c{number}"], names[f"o{number}"] = convert, odd
    return f"({form.format(value=f'v{number}', convert=f'c{number}', odd=f'o{number}')})"


def _reading(field: Any, json_is_text: bool) -> tuple[str, Any, Any]:
    """Return the form of the expression, the conversion, and the one for unusual values.

    Both raise one of FAILURES for one that cannot be read.
    """
    if field is None:
        return _AS_IT_IS, None, None
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
        return (_UNLESS_NONE if json_is_text else _AS_IT_IS), json_of, None
    own = type(field)
    for kind, reading in _PLAIN.items():
        if issubclass(own, kind) and _is_read_alike(own, kind):
            return reading
    if own.python_value is peewee.Field.python_value:
        return _AS_IT_IS, None, None
    return _UNLESS_NONE, field.python_value, None


def _is_read_alike(own: Any, kind: Any) -> bool:
    """Whether a custom field class reads values like the class that it derives from."""
    return own.python_value is kind.python_value and own.adapt is kind.adapt


_PLAIN: dict[Any, tuple[str, Any, Any]] = {
    peewee.BooleanField: (_TRUTH, TRUTHS, None),
    peewee.IntegerField: (_IF_OF, int, whole_of),
    peewee.DoubleField: (_IF_FINITE, None, number_of),
    peewee.TextField: (_AS_IT_IS, None, None),  # nearly all columns: a check would cost a tenth
}
