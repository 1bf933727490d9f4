"""What threads had to wait for: counted where one waits, and logged where that took long."""

from __future__ import annotations

import logging
import threading
from time import monotonic

from ..backend import WaitFacts

LONG_WAIT_S = 1.0

_log = logging.getLogger("viewra_lite.database")


class Waits:
    """Counts waits for a resource; acquiring it without a wait costs nothing."""

    def __init__(self, what: str) -> None:
        """what: names it in the log, as "the writer"."""
        self._what = what
        self._lock = threading.Lock()
        self.times = 0
        self._total_s = self._longest_s = 0.0

    def begin(self) -> None:
        """Count a wait that begins now."""
        with self._lock:
            self.times += 1

    def end(self, began: float, *, in_vain: bool) -> None:
        """Add the time of a wait that was counted; began is of the monotonic clock."""
        seconds = monotonic() - began
        with self._lock:
            self._total_s += seconds
            self._longest_s = max(self._longest_s, seconds)
        log_long_wait(self._what, seconds, in_vain=in_vain)

    def facts(self) -> WaitFacts:
        """Return the numbers as of now."""
        with self._lock:
            return WaitFacts(self.times, self._total_s, self._longest_s)


def together(one: WaitFacts, other: WaitFacts) -> WaitFacts:
    """Return the numbers of both."""
    longest_s = max(one.longest_s, other.longest_s)
    return WaitFacts(one.times + other.times, one.total_s + other.total_s, longest_s)


def log_long_wait(what: str, seconds: float, *, in_vain: bool) -> None:
    """Warn where a wait took LONG_WAIT_S or more; in vain: an error is raised as well."""
    if seconds >= LONG_WAIT_S:
        message = "waited %.1f s for %s, in vain" if in_vain else "waited %.1f s for %s"
        _log.warning(message, seconds, what, extra={"is_raised": in_vain})
