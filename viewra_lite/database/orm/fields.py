"""Column types with the same values on both engines: UTC timestamps, JSON, choices, paths."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence, Set
from datetime import date, datetime, timezone
from math import isfinite
from operator import index
from typing import Any

import peewee
from peewee import Check

from ...errors import InvalidValueError, shown
from ..checks import is_finite, is_storable, refused
from .reading import date_of, time_of

# A byte of a file name that is not UTF-8 is stored as the character U+10FF00 + byte: both engines
# accept it, and never see a surrogate.
_RAW_BYTE_BASE = 0x10FF00
_FIRST_RAW_BYTE = chr(_RAW_BYTE_BASE + 0x80)


def stored_path(path: str) -> str:
    """Return the stored form of a file-system path; `os_path` reverses it.

    Bytes that are not UTF-8 (surrogate escapes in Python) become characters of the last private
    use plane, and a name that really holds such a character is stored byte by byte, so that every
    name has exactly one stored form and comes back as it was.
    """
    if path.isascii() or not any(_needs_escape(char) for char in path):
        return path
    # A sequence of bytes that is valid UTF-8 has one stored form, however it was escaped.
    try:
        path = path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise InvalidValueError(f"{shown(path)} is not a path: {exc.reason}") from exc
    return "".join(_escaped(char) if _needs_escape(char) else char for char in path)


def stored_size(path: str) -> int:
    """Return the size of a stored path, in bytes."""
    return len(stored_path(path).encode())


def os_path(text: str) -> str:
    """Return the file-system path of a stored text; the reverse of `stored_path`."""
    if text.isascii() or max(text) < _FIRST_RAW_BYTE:
        return text
    raw = b"".join(
        bytes((ord(char) - _RAW_BYTE_BASE,)) if char >= _FIRST_RAW_BYTE else char.encode()
        for char in text
    )
    return raw.decode("utf-8", "surrogateescape")


def with_stored_paths(values: Mapping[str, Any], names: Set[str]) -> Mapping[str, Any]:
    """Return values of a JSON column with the paths under these names in their stored form."""
    return _with_each(stored_path, values, names)


def with_paths(values: Mapping[str, Any], names: Set[str]) -> Mapping[str, Any]:
    """Return stored values of a JSON column with the paths under these names as they are."""
    return _with_each(os_path, values, names)


def _with_each(
    convert: Callable[[str], str], values: Mapping[str, Any], names: Set[str]
) -> Mapping[str, Any]:
    if names.isdisjoint(values):
        return values
    return {
        name: convert(value) if value and name in names else value for name, value in values.items()
    }


def canonical_path(path: str) -> str:
    """Return a path as the store returns it; raises InvalidValueError if it is not a path.

    Bytes that are UTF-8 together may be escaped one by one, and still are the same name.
    """
    return path if path.isascii() else os_path(stored_path(path))


def _needs_escape(char: str) -> bool:
    return "\udc80" <= char <= "\udcff" or char >= _FIRST_RAW_BYTE


def _escaped(char: str) -> str:
    return "".join(chr(_RAW_BYTE_BASE + byte) for byte in char.encode("utf-8", "surrogateescape"))


def timestamp_text(moment: datetime) -> str:
    """Return an aware datetime as fixed-width UTC text, which sorts by time."""
    if moment.tzinfo is None:
        raise InvalidValueError(
            f"{shown(moment)} has no time zone: give an aware datetime, "
            "for example datetime.now(timezone.utc)"
        )
    try:
        return moment.astimezone(timezone.utc).isoformat(" ", "microseconds")
    except OverflowError as exc:
        raise InvalidValueError(f"{shown(moment)} is outside the years 1 to 9999 in UTC") from exc


def dumps(value: object) -> str:
    """Return a value as JSON text; raises InvalidValueError for NaN and other non-JSON values."""
    try:
        text = _encode_json(value)
    except (TypeError, ValueError, RecursionError) as exc:
        raise InvalidValueError(f"not a JSON value: {exc}") from exc
    if "\\u0000" in text and "\\u0000" in text.replace("\\\\", ""):
        raise InvalidValueError(
            "a JSON text cannot contain the NUL character: PostgreSQL refuses it"
        )
    return text


_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def without_nul(value: object) -> Any:
    """Return the value; raises InvalidValueError for text with NUL, as PostgreSQL does."""
    if value.__class__ is str and "\0" in value:
        raise InvalidValueError("text cannot contain the NUL character")
    return value


def text_value(value: object) -> Any:
    """Return text or None; raises InvalidValueError for anything else."""
    if value is None or (isinstance(value, str) and "\0" not in value):
        return value
    raise InvalidValueError(f"{shown(value)} is not text without NUL")


def whole_value(value: Any) -> Any:
    """Return an int or None; raises InvalidValueError for anything else."""
    if value.__class__ is int or value is None:
        return value
    try:
        return index(value)
    except TypeError:
        raise InvalidValueError(f"{shown(value)} is not a whole number") from None


def number_value(value: object) -> Any:
    """Return a finite number or None; raises InvalidValueError for anything else."""
    if value is None or value.__class__ is float and isfinite(value) or is_finite(value):
        return value
    raise InvalidValueError(f"{shown(value)} is not a finite number")


def truth_value(value: object) -> Any:
    """Return True, False or None, by the truth of a value as Peewee does."""
    return value if value is None else bool(value)


# Columns that store a checked value without conversion.
PLAIN_FIELDS: dict[type[Any], Callable[[Any], Any]] = {
    peewee.TextField: text_value,
    peewee.IntegerField: whole_value,
    peewee.BigIntegerField: whole_value,
    peewee.DoubleField: number_value,
}


def _parsed(kind: Any, text: str) -> Any:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(f"{shown(text)} is not an ISO {kind.__name__}") from None


def _refused_unless_node(value: object) -> Any:
    if value is None or isinstance(value, peewee.Node):
        return value
    raise InvalidValueError(f"{shown(value)} does not fit a column of times")


# The same moment is converted many times: for each row of a batch, and twice for a row.
_latest: tuple[datetime | None, str | None] = None, None


class TimestampField(peewee.Field):
    """An aware UTC datetime: TIMESTAMP text on SQLite, TIMESTAMPTZ on PostgreSQL."""

    field_type = "DATETIME"

    def db_value(self, value: object) -> Any:
        global _latest
        moment, text = _latest
        if value is moment:
            return text
        if value.__class__ is datetime and value.tzinfo is timezone.utc:
            text = value.isoformat(" ", "microseconds")
            _latest = value, text
            return text
        if isinstance(value, datetime):
            return timestamp_text(value)
        if isinstance(value, str):  # from timestamp_text(), or written by hand
            return timestamp_text(_parsed(datetime, value))
        return _refused_unless_node(value)

    def python_value(self, value: object) -> Any:
        return time_of(value)


class DateField(peewee.DateField):
    """A date: ISO text on SQLite, DATE on PostgreSQL."""

    def db_value(self, value: object) -> Any:
        if isinstance(value, str):
            value = _parsed(date, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        return _refused_unless_node(value)

    def python_value(self, value: object) -> Any:
        return date_of(value)


class JSONField(peewee.JSONField):
    """JSON: TEXT checked by json_valid on SQLite, JSONB on PostgreSQL."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(dumps=dumps, **kwargs)

    def db_value(self, value: Any) -> Any:
        if value is None or isinstance(value, peewee.Node):
            return value
        # Methods of Peewee such as contains() have wrapped it for PostgreSQL's driver.
        is_wrapped = type(value).__module__.startswith("psycopg")
        return dumps(value.obj if is_wrapped else value)

    def ddl(self, ctx: Any) -> Any:
        node = super().ddl(ctx)
        if ctx.state.field_types["JSON"] == "TEXT":
            # json_valid(NULL) is 0 before SQLite 3.45.
            name = self.column_name
            node.nodes.append(Check(f'"{name}" IS NULL OR json_valid("{name}")'))
        return node


class PathField(peewee.TextField):
    """A file-system path as Python's os module gives it; names that are not UTF-8 round-trip."""

    def db_value(self, value: Any) -> Any:
        return without_nul(stored_path(os.fspath(value))) if value is not None else None

    def python_value(self, value: Any) -> Any:
        return os_path(value) if value is not None else None


class ChoiceField(peewee.TextField):
    """Text from a fixed set of choices, enforced by a CHECK on both engines."""

    def __init__(self, choices: Sequence[str], **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.allowed = tuple(choices)
        self._others = tuple(self.constraints or ())

    def bind(self, model: object, name: str, set_attribute: bool = True) -> None:
        super().bind(model, name, set_attribute)
        values = ", ".join(f"'{choice}'" for choice in self.allowed)
        # Called again for every model that inherits the field.
        self.constraints = [*self._others, Check(f'"{self.column_name}" IN ({values})')]

    def db_value(self, value: object) -> Any:
        if value is not None and value not in self.allowed:
            raise refused(self.name, f"one of {', '.join(self.allowed)}", value)
        return value


_INTEGER_BITS = {"INT": 31, "BIGINT": 63}


def checked_value(field: Any, value: Any) -> Any:
    """Return a value that both engines store identically; raises InvalidValueError.

    SQLite would take text in a number's column and numbers beyond 32 bits, PostgreSQL neither.
    """
    if (
        value.__class__ is str
        and type(field) is peewee.TextField
        and value.isascii()
        and "\0" not in value
    ):
        return value  # the fast path for nearly all ids
    if value is None:
        if not field.null:
            raise InvalidValueError(f"{field.name} must not be None")
        return None
    if isinstance(field, peewee.ForeignKeyField):
        return checked_value(_Reference(field.name), getattr(value, "id", value))
    if not _fits(field, value):
        expected = _EXPECTED.get(field.field_type, "text")
        raise refused(field.name, expected, value)
    return value


class _Reference(peewee.TextField):
    def __init__(self, name: str) -> None:
        super().__init__(null=True)
        self.name = name


_EXPECTED = {
    "INT": "a whole number of at most 32 bits",
    "BIGINT": "a whole number of at most 64 bits",
    "DOUBLE": "a finite number",
    "BOOL": "True or False",
    "DATE": "a date",
    "DATETIME": "an aware datetime",
    "TEXT": "text without NUL and lone surrogates",
}


def _fits(field: Any, value: Any) -> bool:
    kind = field.field_type
    if kind in _INTEGER_BITS:
        limit = 1 << _INTEGER_BITS[kind]
        return type(value) is int and -limit <= value < limit
    if kind == "DOUBLE":
        return is_finite(value)
    if kind == "BOOL":
        return type(value) is bool
    if kind == "DATE":
        return type(value) is date
    if kind == "DATETIME":
        return isinstance(value, datetime) and value.tzinfo is not None
    if kind == "JSON":
        return dumps(value) is not None
    return isinstance(value, str) and is_storable(field.db_value(value))
