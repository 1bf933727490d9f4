"""Keyset pages: each starts after the last row of the previous one, even if rows changed since.

A row that cannot be read does not end the list that it is in: it is left out, and the log names it.
The verb for the single thing raises CorruptStoreError.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import CorruptStoreError
from .checks import not_a_cursor
from .orm.lost import raise_lost
from .orm.statements import Compiled

if TYPE_CHECKING:
    from .orm.statements import Statement
    from .transactions.database import Database

_log = logging.getLogger("viewra_lite.database")

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
    """Make a Page of rows that were selected with limit + 1; key(row) returns its sort key.

    None in place of a row is left out. Raises CorruptStoreError if no row of a page can be read.
    """
    items = [row for row in rows[:limit] if row is not None]
    if len(rows) <= limit:
        return Page(items, None)
    if not items:
        raise CorruptStoreError("no row of this page can be read: the log names each of them")
    return Page(items, cursor_of(kind, key(items[-1])))


def readable(db: Database, statement: Statement, *arguments: Any) -> list[Any]:
    """Run a reading statement like db.all(), without the rows that cannot be read."""
    return [row for row in rows_or_none(db, statement, *arguments) if row is not None]


def rows_or_none(db: Database, statement: Statement, *arguments: Any) -> list[Any]:
    """Run a reading statement like db.all(), with None for each row that cannot be read."""
    try:
        return db.all(statement, *arguments)
    except CorruptStoreError as exc:
        raise_lost(exc)  # the parts say which rows
    with db.reader():
        compiled = statement.compiled[db.backend.engine]
        return _Parts(db, compiled, compiled.bind(arguments)).all()


def without_unreadable(
    read: Callable[[str], Mapping[str, Item]], ids: Iterable[str]
) -> dict[str, Item]:
    """Read something of each id, without those that raise CorruptStoreError; the log names them."""
    found: dict[str, Item] = {}
    for id in ids:
        try:
            found.update(read(id))
        except CorruptStoreError as exc:
            raise_lost(exc)
            _log_left_out(exc)
    return found


def _log_left_out(error: CorruptStoreError) -> None:
    # The place only: the value is the user's.
    where = str(error).partition(" holds ")[0]
    _log.warning("left out of a list, because it cannot be read: %s", where)


class _Parts:
    """The rows of a statement in ever smaller parts, until only those that fail are left out."""

    def __init__(self, db: Database, compiled: Compiled, parameters: Sequence[Any]) -> None:
        self._db = db
        self._compiled = compiled
        self._parameters = parameters

    def all(self) -> list[Any]:
        [(count,)] = self._run(f"SELECT count(*) FROM ({self._compiled.sql}) AS found")
        return self._between(0, count)

    def _between(self, first: int, end: int) -> list[Any]:
        part = f"SELECT * FROM ({self._compiled.sql}) AS found LIMIT {end - first} OFFSET {first}"
        try:
            rows, fill = self._run(part), self._compiled.fill
            return rows if fill is None else fill(rows)
        except CorruptStoreError as exc:
            raise_lost(exc)
            if end - first == 1:
                _log_left_out(exc)
                return [None]
        middle = (first + end) // 2
        return self._between(first, middle) + self._between(middle, end)

    def _run(self, sql: str) -> list[Any]:
        part = Compiled(sql, _unchanged, None, self._compiled.query)
        return self._db.fetch(part, self._parameters)


def _unchanged(parameters: Sequence[Any]) -> Sequence[Any]:
    return parameters


def start_after(
    cursor: str | None, kind: str, *columns: type[str | int | datetime], argument: str = "after"
) -> list[Any] | None:
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
    raise not_a_cursor(argument)


def _part(text: object, column: type[str | int | datetime]) -> str | int | datetime:
    if not isinstance(text, str):
        raise TypeError(text)
    if column is str:
        return text
    if column is int:
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(timezone.utc)


def cursor_of(kind: str, key: Sequence[Any]) -> str:
    """Return an opaque cursor: a key of texts and datetimes, for pages of this kind only."""
    from base64 import urlsafe_b64encode

    text = json.dumps([kind, *key], default=datetime.isoformat)
    return urlsafe_b64encode(text.encode()).decode("ascii")
