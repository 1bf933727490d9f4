"""Arguments that several commands take, and what they may hold."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from .complaints import UsageError

if TYPE_CHECKING:
    from .parser import Parser

_MOST_ROWS = 1000
# Less than datetime.fromisoformat() takes: what it takes differs from Python to Python.
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{3}|\.\d{6})?)?(?:Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)


def add_limit(parser: Parser) -> None:
    """Add --limit, the most rows that are listed."""
    parser.add_argument(
        "--limit", type=limit, default=20, metavar="N", help=f"1 to {_MOST_ROWS}; default: 20"
    )


def limit(text: str) -> int:
    """Return a number of rows; raises ArgumentTypeError."""
    if text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= _MOST_ROWS:
        return int(text)
    raise ArgumentTypeError(f"expected a whole number from 1 to {_MOST_ROWS}, not {text!r}")


def moment(text: str) -> datetime:
    """Return a moment, of a day its midnight, in UTC unless said; raises ArgumentTypeError."""
    if _MOMENT.fullmatch(text):
        with suppress(ValueError, OverflowError):
            found = datetime.fromisoformat(text.replace("Z", "+00:00"))
            return (
                found.replace(tzinfo=timezone.utc) if found.tzinfo is None
                else found.astimezone(timezone.utc)
            )
    raise ArgumentTypeError(
        f"expected a date as 2024-05-31, or 2024-05-31T20:15 with or without +02:00, not {text!r}"
    )


@contextmanager
def asking() -> Iterator[None]:
    """Turn what a question to the store refuses into a UsageError: an argument said it."""
    from ..errors import InvalidValueError

    try:
        yield
    except InvalidValueError as exc:
        raise UsageError(str(exc)) from exc
