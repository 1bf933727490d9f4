"""Arguments that several commands share, and their types."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from .complaints import UsageError

if TYPE_CHECKING:
    from .parser import Parser

_MOST_ROWS = 1000

_YEARS = range(2, 9999)  # a day of any other year may be out of range in another zone


def add_limit(parser: Parser) -> None:
    """Add --limit, the maximum number of rows."""
    parser.add_argument(
        "--limit", type=limit, default=20, metavar="N", help=f"1 to {_MOST_ROWS}; default: 20"
    )


def limit(text: str) -> int:
    """Return a number of rows; raises ArgumentTypeError."""
    if text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= _MOST_ROWS:
        return int(text)
    raise ArgumentTypeError(f"expected a whole number from 1 to {_MOST_ROWS}, not {text!r}")


def moment(text: str) -> datetime:
    """Return a moment, naive if it has no zone; a date is its midnight. ArgumentTypeError."""
    from ..database.moments import written

    with suppress(ValueError):  # of a day that the month has not: raised below
        found = written(text)
        if found is not None and found.moment.year in _YEARS:
            return found.moment
    raise ArgumentTypeError(
        f"expected a date as 2024-05-31, or 2024-05-31T20:15 with or without +02:00, not {text!r}"
    )


def add_user(parser: Parser, about: str) -> None:
    """Add the user, by id; user_of() returns it."""
    parser.add_argument("user", metavar="USER", nargs="?", type=user, help=f"{about}, by id")
    parser.add_argument(
        "--user", dest="user_option", metavar="USER", type=user, help="the same, as an option"
    )


def user(text: str) -> str:
    """Return the id of a user; raises ArgumentTypeError."""
    if not text:
        raise ArgumentTypeError("expected the id of a user, not ''")
    return text


def named(text: str) -> str:
    """Return a name; raises ArgumentTypeError."""
    if not text.strip():
        raise ArgumentTypeError(f"expected a name, not {text!r}")
    return text


def user_of(args: Namespace) -> str | None:
    """Return the user of the arguments; raises UsageError if they name two."""
    users = {each for each in (args.user, args.user_option) if each is not None}
    if len(users) > 1:
        raise UsageError(f"one user only, not {args.user!r} and {args.user_option!r}")
    return users.pop() if users else None


@contextmanager
def asking() -> Iterator[None]:
    """Turn an InvalidValueError of the store into a UsageError about the argument."""
    from ..errors import InvalidValueError

    try:
        yield
    except InvalidValueError as exc:
        raise UsageError(_in_words(str(exc))) from exc


def _in_words(message: str) -> str:
    """Return a message about an argument in the words of the command line."""
    from ..database.checks import not_a_cursor

    if message == str(not_a_cursor()):
        return "--after must be the cursor printed below the previous page, with the same options"
    name, _, rest = message.partition(" ")
    if name == "since":
        rest = rest.replace(" until:", " --until:", 1)
    return f"{_WORDS.get(name, name)} {rest}"


_WORDS = {
    "user_id": "USER",
    "timezone": "--timezone",
    "since": "--since",
    "only": "--only",
    "ignore": "--ignore",
}
