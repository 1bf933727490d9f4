"""Checks of arguments, with one wording for each mistake.

A check takes the name of an argument and its value, returns the value, and raises
InvalidValueError.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timezone
from sys import float_info
from typing import Any, TypeVar

from ..errors import InvalidValueError, NotFoundError, shown

Value = TypeVar("Value")


class _NotGiven:
    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Any = _NotGiven()
"""The default of an argument for which None is a value."""
LONGEST_ID = 255
"""Characters of an id; an index entry of PostgreSQL is limited to 2,704 bytes."""
LONGEST_TITLE = 500
"""Characters of a title or a name, which are indexed too."""
MAX_LIMIT = 1000
MAX_SECONDS = 1e12
"""30,000 years: a larger value is a mistake, and may not fit a float."""
MOST_32_BITS = 2**31 - 1
MOST_64_BITS = 2**63 - 1


def refused(name: str, expected: str, value: object) -> InvalidValueError:
    """Return the error for a value that is not as expected."""
    return InvalidValueError(f"{name} must be {expected}, not {shown(value)}")


def no_such(noun: str, id: object) -> NotFoundError:
    """Return the error for an id without a record."""
    return NotFoundError(f"no {noun} {shown(id)}")


def unknown_name(holder: str, name: object, known: Collection[str]) -> InvalidValueError:
    """Return the error for an unknown name of a holder, with the nearest known name."""
    import difflib

    near = difflib.get_close_matches(str(name)[:LONGEST_ID], known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}"
    return InvalidValueError(f"{holder} has no {shown(name)}: {hint}")


def not_a_cursor(argument: str = "after") -> InvalidValueError:
    """Return the error for a cursor of another list."""
    return InvalidValueError(
        f"{argument} is not a cursor of this list: pass `next` of the previous page unchanged, "
        "with the same sort"
    )


def or_none(check: Callable[[str, Any], Value], name: str, value: object) -> Value | None:
    """Return a checked value, or None for None."""
    return None if value is None else check(name, value)


# Ids and texts


def known_id(noun: str, id: object) -> str:
    """Return an id to look up; raises NotFoundError for a value that cannot be an id."""
    if id.__class__ is str and id.isascii() and len(id) <= LONGEST_ID and "\0" not in id:
        return str(id)  # the fast path for nearly all ids
    try:
        return checked_id("id", id)
    except InvalidValueError as exc:
        raise no_such(noun, id) from exc


def checked_id(name: str, id: object) -> str:
    """Return an id: not empty, and short enough for an index."""
    text = checked_text(name, id, longest=LONGEST_ID)
    if not text:
        raise InvalidValueError(f"{name} must not be empty")
    return text


def checked_ids(name: str, ids: object) -> list[str]:
    """Return a list of texts that may be ids, from any iterable except text."""
    if isinstance(ids, (str, bytes, Mapping)) or not isinstance(ids, Iterable):
        raise refused(name, "a list of ids", ids)
    return [checked_text(f"each of {name}", id) for id in ids]


def checked_user(user_id: object) -> str:
    """Return a user's id."""
    return checked_id("user_id", user_id)


def checked_text(name: str, value: object, *, longest: int | None = None) -> str:
    """Return text that both engines can store."""
    if not isinstance(value, str):
        raise refused(name, "text", value)
    if longest is not None and len(value) > longest:
        raise InvalidValueError(f"{name} must have at most {longest} characters, not {len(value)}")
    if not is_storable(value):
        raise refused(name, "text without NUL and lone surrogates", value)
    return value


def checked_title(name: str, value: object) -> str:
    """Return a title or a name: not blank, and short enough for an index."""
    text = checked_text(name, value, longest=LONGEST_TITLE)
    if not text.strip():
        raise InvalidValueError(f"{name} must not be empty")
    return text


def checked_choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return a value that is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise refused(name, f"one of {', '.join(choices)}", value)
    return value


def checked_path(name: str, path: object, expected: str = "a path") -> str:
    """Return a file-system path as text; expected describes it in messages."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str):
        raise refused(name, expected, path)
    if not text:
        raise InvalidValueError(f"{name} must not be empty")
    if "\0" in text:
        raise refused(name, f"{expected} without NUL", path)
    return text


def is_storable(text: str) -> bool:
    """Whether both engines can store a text unchanged."""
    try:
        return "\0" not in text and (text.isascii() or text.encode() is not None)
    except UnicodeEncodeError:
        return False


# Numbers


def checked_limit(limit: object) -> int:
    """Return a number of rows, 1 to 1000."""
    return checked_whole("limit", limit, 1, MAX_LIMIT)


def checked_whole(name: str, value: object, least: int = 0, most: int = MOST_32_BITS) -> int:
    """Return a whole number within its limits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise refused(name, f"a whole number, {_span(least, most)}", value)
    if not least <= value <= most:
        raise refused(name, _span(least, most, value), value)
    return value


def checked_bytes(name: str, value: object) -> int:
    """Return a number of bytes."""
    return checked_whole(name, value, 0, MOST_64_BITS)


def checked_number(name: str, value: Any, least: float, most: float) -> float:
    """Return a number within its limits."""
    if not is_finite(value):
        raise refused(name, f"a number, {least:.9g} to {most:.9g}", value)
    if not least <= value <= most:
        raise refused(name, f"{least:.9g} to {most:.9g}", value)
    return float(value)


def checked_seconds(name: str, value: Any) -> float:
    """Return a number of seconds, 0 or more."""
    if not is_finite(value) or not 0 <= value <= MAX_SECONDS:
        raise refused(name, "seconds, 0 or more", value)
    return float(value)


def checked_duration(name: str, value: object) -> float:
    """Return a running time in seconds, more than 0; an unknown one is None, not 0."""
    seconds = checked_seconds(name, value)
    if not seconds:
        raise refused(name, "more than 0 seconds (None if unknown)", value)
    return seconds


def checked_truth(name: str, value: object) -> bool:
    """Return True or False; other truthy and falsy values are refused."""
    if not isinstance(value, bool):
        raise refused(name, "True or False", value)
    return value


def is_finite(value: object) -> bool:
    """Whether a value is a number that fits a column of real numbers."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return -float_info.max <= value <= float_info.max


def _span(least: int, most: int, value: int | None = None) -> str:
    is_open = most >= MOST_32_BITS and (value is None or value < least)
    return f"{least} or more" if is_open else f"{least} to {most}"


# Times


def checked_moment(name: str, moment: object) -> datetime:
    """Return an aware datetime, in UTC."""
    if moment.__class__ is datetime and moment.tzinfo is timezone.utc:
        return moment
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise refused(name, "an aware datetime, for example datetime.now(timezone.utc)", moment)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError as exc:
        raise refused(name, "in the years 1 to 9999 in UTC", moment) from exc


def checked_order(since: datetime | None, until: datetime | None) -> None:
    """Refuse a period that ends before it begins."""
    if since is not None and until is not None and since > until:
        raise InvalidValueError(f"since must not be after until: {since} is after {until}")
