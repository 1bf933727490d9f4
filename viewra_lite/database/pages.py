"""Keyset pages: each starts after the last row of the previous one, even if rows changed since."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, TypeVar

from .checks import not_a_cursor

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list:

    page = store.media.movies()
    while page.next:
        page = store.media.movies(after=page.next)
    """

    items: list[Item]
    """The rows, in order."""
    next: str | None
    """The opaque cursor to pass as `after` for the next page; None on the last page."""


def page_of(rows: list[Any], limit: int, kind: str, key: Callable[[Any], Sequence[Any]]) -> Any:
    """Make a Page of rows that were selected with limit + 1; key(row) returns its sort key."""
    if len(rows) <= limit:
        return Page(rows, None)
    items = rows[:limit]
    return Page(items, _cursor(kind, key(items[-1])))


def start_after(cursor: str | None, kind: str, *columns: type[str | datetime]) -> list[Any] | None:
    """Return the key in a cursor of this kind of page; raises InvalidValueError.

    columns are the types of the parts of the key.
    """
    if cursor is None:
        return None
    from base64 import urlsafe_b64decode

    try:
        found, *key = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if found == kind and len(key) == len(columns):
            return [_part(text, column) for text, column in zip(key, columns)]
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        pass  # any malformed cursor gets the same error
    raise not_a_cursor()


def _part(text: object, column: type[str | datetime]) -> str | datetime:
    if not isinstance(text, str):
        raise TypeError(text)
    if column is str:
        return text
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(timezone.utc)


def _cursor(kind: str, key: Sequence[Any]) -> str:
    from base64 import urlsafe_b64encode

    text = json.dumps([kind, *key], default=datetime.isoformat)
    return urlsafe_b64encode(text.encode()).decode("ascii")
