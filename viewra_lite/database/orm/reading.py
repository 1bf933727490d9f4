"""Conversion of stored values to Python, and the error for a value that cannot be read.

Not all values were stored by the verbs: a row may be edited by hand, and SQL of another program may
store text in a column of numbers, which SQLite accepts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple

import peewee

from ...errors import CorruptStoreError, TransactionError, ViewraError, shown
from .internals import stored

Read = Callable[[Any], Any]
FAILURES = (ValueError, TypeError, LookupError, AttributeError)
"""The errors of a conversion that fails."""
_scan_json = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Reading(NamedTuple):
    """The conversion of a type of column."""

    expected: str
    """The expected value, for messages."""
    read: Read
    """Returns the Python value, None for None; raises one of FAILURES."""


def time_of(value: object) -> datetime | None:
    """Return a stored time; one without a zone, perhaps written by hand, is UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is None or isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment
    if not isinstance(moment, datetime):
        raise TypeError(value)
    return moment.replace(tzinfo=timezone.utc)


def date_of(value: object) -> date | None:
    """Return a stored date."""
    day = date.fromisoformat(value) if isinstance(value, str) else value
    if day is None or isinstance(day, date) and not isinstance(day, datetime):
        return day
    raise TypeError(value)


def json_of(text: Any) -> Any:
    """Return the value of stored JSON text."""
    if text is None:
        return None
    try:
        # loads() also searches for surrounding white space, which costs more than the parsing.
        value, end = _scan_json(text, 0)
        if end == len(text):
            return value
    except StopIteration:
        pass  # loads() accepts it, or raises the precise error
    return json.loads(text)


def whole_of(value: object) -> int | None:
    """Return a stored whole number."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == int(value):
        return int(value)  # the type of a sum on PostgreSQL
    raise TypeError(value)


def number_of(value: object) -> float | None:
    """Return a stored finite number."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and isfinite(value):
        return float(value)
    raise TypeError(value)


def text_of(value: object) -> str | None:
    """Return a stored text."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def columns_of(model: Any, value: Any) -> dict[str, Any]:
    """Return the columns of a model from a stored JSON object, as Python values by name."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return {name: _in_json(model._meta.fields[name], stored) for name, stored in value.items()}


def in_json(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as a JSON object, which columns_of() reads again."""
    return {
        name: value.astimezone(timezone.utc).isoformat(" ", "microseconds")
        if isinstance(value, datetime)
        else value
        for name, value in columns.items()
    }


def _in_json(field: Any, value: Any) -> Any:
    if value is None and not field.null:
        raise TypeError(value)
    kind = reading_of(field)
    return value if kind is None or kind is _JSON else kind.read(value)


TRUTHS = {0: False, 1: True, None: None}
_TIME = Reading("a time such as 2024-01-02 03:04:05.000000+00:00", time_of)
_DATE = Reading("a date such as 2024-01-02", date_of)
_JSON = Reading("JSON", json_of)
_TRUTH = Reading("0 or 1", TRUTHS.__getitem__)
_WHOLE = Reading("a whole number", whole_of)
_NUMBER = Reading("a number", number_of)
_TEXT = Reading("text in UTF-8", text_of)
_KINDS: dict[str, Reading] = {
    "DATETIME": _TIME,
    "DATE": _DATE,
    "JSON": _JSON,
    "BOOL": _TRUTH,
    "INT": _WHOLE,
    "BIGINT": _WHOLE,
    "AUTO": _WHOLE,
    "DOUBLE": _NUMBER,
    "TEXT": _TEXT,
}


def reading_of(field: Any) -> Reading | None:
    """Return the conversion of a column, or None to leave it to Peewee."""
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    return _KINDS.get(field.field_type)


def name_unreadable(field: Any) -> None:
    """Make Peewee's own queries name the row of a stored value that cannot be read."""
    own = type(field).python_value

    def python_value(value: object) -> Any:
        try:
            return own(field, value)
        except FAILURES as exc:
            raise unreadable(field, value, _id_by_value(field, value)) from exc

    field.python_value = python_value


def shaped(row: Any, name: str, shape: Reading, *, id: str | None = None) -> Any:
    """Return the value of a row's JSON column, checked by a shape; raises CorruptStoreError.

    Valid JSON may still have other contents than expected. id names the row in the error if its key
    is not known.
    """
    value = getattr(row, name)
    try:
        return shape.read(value)
    except FAILURES as exc:
        field = type(row)._meta.fields[name]
        keys = [stored(row).get(key.name) for key in _keys(type(row))]
        raise unreadable(field, value, id or ", ".join(map(shown, keys)), shape) from exc


def unreadable(
    field: Any, value: object, row: str | None, kind: Reading | None = None
) -> CorruptStoreError:
    """Return the error for a value that does not fit its column."""
    field = getattr(field, "field", field)  # of an alias
    kind = kind or reading_of(field)
    where = f"{field.model._meta.table_name}.{field.column_name}"
    expected = kind.expected if kind is not None else "a value of its kind"
    return CorruptStoreError(
        f"{where} of {f'row {row}' if row else 'a row'} holds {shown(value)}, not {expected}: "
        "correct it by hand or restore a backup"
    )


def unreadable_row(
    fields: Sequence[Any],
    sources: Sequence[Sequence[Any]],
    row: Sequence[Any],
    *,
    json_is_read: bool,
) -> CorruptStoreError | None:
    """Return the error for the first value of a row that cannot be read, or None.

    sources are the columns from which each value may come, other than its field. json_is_read: the
    driver has already parsed JSON.
    """
    for field, value, origins in zip(fields, row, sources):
        kind = reading_of(field) if field is not None else None
        try:
            if kind is not None and not (kind is _JSON and json_is_read):
                kind.read(value)
        except FAILURES:
            for origin in origins:
                _read_all(origin)
            id = _id_in(field, fields, row) or _id_by_value(field, value)
            return unreadable(field, value, id)
    return None


def _read_all(field: Any) -> None:
    """Read a column from end to end; raises CorruptStoreError for the first wrong value."""
    try:
        for _ in field.model.select(field).tuples().iterator():
            pass
    except TransactionError:
        pass  # outside a transaction


def _id_in(field: Any, fields: Sequence[Any], row: Sequence[Any]) -> str | None:
    keys = [key.name for key in _keys(field.model)]
    ids = [
        shown(v)
        for each, v in zip(fields, row)
        if each is not None and each.model is field.model and each.name in keys
    ]
    return ", ".join(ids) or None


def _keys(model: Any) -> Iterator[Any]:
    for field in model._meta.sorted_fields:
        if field.primary_key or field.name in getattr(model._meta.primary_key, "field_names", ()):
            yield field


def _id_by_value(field: Any, value: Any) -> str | None:
    """Return the id of a row with this value, queried in the transaction that has read it.

    None if no row has it: an SQL function may have computed it from the stored value.
    """
    keys = [key.alias(f"k{n}") for n, key in enumerate(_keys(field.model))]
    query = field.model.select(*keys).where(field == peewee.Value(value, converter=False))
    try:
        return next((", ".join(map(shown, row)) for row in query.limit(1).tuples()), None)
    except (ViewraError, peewee.PeeweeException):
        return None  # outside a transaction, or PostgreSQL cannot compare the two types
