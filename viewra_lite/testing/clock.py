"""The time as a test sets it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone


class Clock:
    """The time as a test sets it: aware, in UTC, and still until advance()."""

    def __init__(self, moment: datetime = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)) -> None:
        self._moment = moment
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Return the time."""
        return self._moment

    def advance(self, seconds: float) -> datetime:
        """Move the time forward, or back with a negative number, and return it."""
        with self._lock:
            self._moment += timedelta(seconds=seconds)
            return self._moment
