"""Keyset pages: each starts after the last row of the one before, whatever changed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..errors import InvalidValueError

Item = TypeVar("Item")
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows in order, and the cursor to give as `after` for what follows, or None."""

    items: list[Item]
    next: str | None


def page_of(rows: list[Any], limit: int, kind: str, key: Callable[[Any], Sequence[Any]]) -> Any:
    """Make a Page of rows that were asked for with limit + 1; key(row) is where it is sorted."""
    if len(rows) <= limit:
        return Page(rows, None)
    items = rows[:limit]
    return Page(items, _cursor(kind, key(items[-1])))


def checked_limit(limit: int) -> int:
    """Return the limit; raises InvalidValueError unless it is 1 to 1000."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise InvalidValueError(f"limit must be a whole number, 1 to {MAX_LIMIT}, not {limit!r}")
    return limit


def start_after(cursor: str | None, kind: str, size: int) -> list[Any] | None:
    """Return the key that a cursor of this kind of page holds; raises InvalidValueError."""
    if cursor is None:
        return None
    from base64 import urlsafe_b64decode

    try:
        found, *key = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if found == kind and len(key) == size and all(isinstance(part, str) for part in key):
            return list(key)
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidValueError(
        "after is not a cursor of this list: pass the `next` of the page before, unchanged, "
        "with the same sort"
    )


def _cursor(kind: str, key: Sequence[Any]) -> str:
    from base64 import urlsafe_b64encode

    text = json.dumps([kind, *key])
    return urlsafe_b64encode(text.encode()).decode("ascii")
