"""What a stored value is for Python, and what is said of one that cannot be read.

Values come in otherwise than through the verbs: a person edits a row by hand, a guest's SQL stores
text in a column of numbers, which SQLite takes.
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

Read = Callable[[Any], Any]
FAILURES = (ValueError, TypeError, LookupError, AttributeError)
"""What a value that cannot be read raises."""
_scan_json = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Reading(NamedTuple):
    """How a kind of column is read."""

    expected: str
    read: Read
    """Returns a value as it is for Python, None for None; raises one of FAILURES."""


def time_of(value: Any) -> datetime | None:
    """Return a stored time; one without a zone, as a person may write it, is in UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is None or isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment
    if not isinstance(moment, datetime):
        raise TypeError(value)
    return moment.replace(tzinfo=timezone.utc)


def date_of(value: Any) -> date | None:
    """Return a stored date."""
    day = date.fromisoformat(value) if isinstance(value, str) else value
    if day is None or isinstance(day, date) and not isinstance(day, datetime):
        return day
    raise TypeError(value)


def json_of(text: Any) -> Any:
    """Return what stored JSON text says."""
    if text is None:
        return None
    try:
        # loads() looks for white space around it as well, which costs more than reading it.
        value, end = _scan_json(text, 0)
        if end == len(text):
            return value
    except StopIteration:
        pass  # loads() knows what is wrong with it, if anything is
    return json.loads(text)


def whole_of(value: Any) -> int | None:
    """Return a stored whole number."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, Decimal) and value == int(value):
        return int(value)  # a sum, as PostgreSQL gives it
    raise TypeError(value)


def number_of(value: Any) -> float | None:
    """Return a stored number, which is finite."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and isfinite(value):
        return float(value)
    raise TypeError(value)


def text_of(value: Any) -> str | None:
    """Return a stored text."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def columns_of(model: Any, value: Any) -> dict[str, Any]:
    """Return a model's columns out of a stored JSON object, by name, as they are for Python."""
    if not isinstance(value, dict):
        raise TypeError(value)
    return {name: _in_json(model._meta.fields[name], stored) for name, stored in value.items()}


def in_json(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as a JSON object holds them: what columns_of() reads."""
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
    """Return how a column is read, or None where Peewee knows."""
    while isinstance(field, peewee.ForeignKeyField):
        field = field.rel_field
    return _KINDS.get(field.field_type)


def name_unreadable(field: Any) -> None:
    """Let Peewee's own queries name the row of a stored value that cannot be read."""
    own = type(field).python_value

    def python_value(value: Any) -> Any:
        try:
            return own(field, value)
        except FAILURES as exc:
            raise unreadable(field, value, _id_by_value(field, value)) from exc

    field.python_value = python_value


def shaped(row: Any, name: str, shape: Reading, *, id: str | None = None) -> Any:
    """Return what a row's JSON column holds, read by a shape; raises CorruptStoreError.

    That it is JSON says nothing of what is in it. id is that of the row, where it is not known by
    its key.
    """
    value = getattr(row, name)
    try:
        return shape.read(value)
    except FAILURES as exc:
        field = type(row)._meta.fields[name]
        keys = [row.__data__.get(key.name) for key in _keys(type(row))]
        raise unreadable(field, value, id or ", ".join(map(shown, keys)), shape) from exc


def unreadable(
    field: Any, value: Any, row: str | None, kind: Reading | None = None
) -> CorruptStoreError:
    """Return the error for a value that is not what its column holds."""
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

    sources are the columns that each may come from, where that is not the field alone.
    json_is_read: the driver has turned JSON into values.
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
    """Return the id of a row that holds a value, asked for in the session that has read it.

    None where there is none: a function may have made it of what is stored.
    """
    keys = [key.alias(f"k{n}") for n, key in enumerate(_keys(field.model))]
    query = field.model.select(*keys).where(field == peewee.Value(value, converter=False))
    try:
        return next((", ".join(map(shown, row)) for row in query.limit(1).tuples()), None)
    except (ViewraError, peewee.PeeweeException):
        return None  # outside a session, or PostgreSQL does not compare the two
