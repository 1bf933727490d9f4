"""Slow statements: the last ones that took `slow_query_ms` or longer.

Where a statement runs, the clock is read before and after. All else is done for slow ones only, and
their plans are explained when someone reads the list.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from math import inf
from time import monotonic
from typing import Any

KEPT = 100
LONGEST_SQL = 10_000
_NO_VERBS = ("cli", "database", "module")  # folders and files without verbs


class Noted:
    """A slow statement as it was noted, with its literals, which are never shown."""

    __slots__ = ("sql", "seconds", "rows", "at", "verb", "thread")

    def __init__(self, sql: str, seconds: float, rows: int | None, at: datetime) -> None:
        self.sql = sql[: LONGEST_SQL + 1]
        self.seconds = seconds
        self.rows = rows
        self.at = at
        self.verb = _verb()
        self.thread = threading.current_thread().name


class SlowQueries:
    """The last KEPT slow statements of a store."""

    def __init__(self, slow_query_ms: int, clock: Callable[[], datetime]) -> None:
        """slow_query_ms: 0 notes none."""
        self.seconds = slow_query_ms / 1000 or inf
        self.times = 0
        """How many there were since the store was opened."""
        self._clock = clock
        self._noted: deque[Noted] = deque(maxlen=KEPT)

    @property
    def is_on(self) -> bool:
        """Whether any statement can be slow."""
        return self.seconds < inf

    def note(self, sql: str, seconds: float, rows: int | None) -> Noted:
        """Remember a statement that took at least `self.seconds`."""
        noted = Noted(sql, seconds, rows, self._clock())
        self._noted.append(noted)
        self.times += 1
        return noted

    def newest_first(self) -> list[Noted]:
        """Return the statements that were noted."""
        return list(self._noted)[::-1]


class TimedCursor:
    """A cursor that reads its rows when asked for them: the time of each is added up."""

    __slots__ = ("_cursor", "_slow", "_sql", "_seconds", "_rows", "_noted", "__weakref__")

    def __init__(
        self, cursor: Any, slow: SlowQueries, sql: str, seconds: float, noted: Noted | None
    ) -> None:
        self._cursor = cursor
        self._slow = slow
        self._sql = sql
        self._seconds = seconds
        self._rows = 0
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        began = monotonic()
        row = None
        try:
            row = self._cursor.fetchone()
            return row
        finally:
            self._add(monotonic() - began, row is not None)

    def fetchmany(self, *size: int) -> Any:
        """Return some rows."""
        return self._many(self._cursor.fetchmany, *size)

    def fetchall(self) -> Any:
        """Return the rows that are left."""
        return self._many(self._cursor.fetchall)

    def _many(self, fetch: Callable[..., Any], *size: int) -> Any:
        began = monotonic()
        rows: Any = ()
        try:
            rows = fetch(*size)
            return rows
        finally:
            self._add(monotonic() - began, len(rows))

    def _add(self, seconds: float, rows: int) -> None:
        self._seconds += seconds
        self._rows += rows
        if self._seconds >= self._slow.seconds:
            if self._noted is None:
                self._noted = self._slow.note(self._sql, self._seconds, self._rows)
            self._noted.seconds, self._noted.rows = self._seconds, self._rows


def _verb() -> str | None:
    """Return the verb that this thread is in: the outermost function of ours that may be one."""
    verb: str | None = None
    frame = sys._getframe()
    while frame is not None:
        package, *names = frame.f_globals.get("__name__", "").split(".")
        if package == __package__.split(".")[0] and names:
            name = names[1] if names[:2] == ["database", "backups"] else names[0]
            if name not in _NO_VERBS:
                verb = f"{name}.{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return verb
