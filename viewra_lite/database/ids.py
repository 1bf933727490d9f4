"""Time-ordered ids: UUIDv7 (RFC 9562, section 5.7) as text."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import lru_cache

_RANDOM_BITS = 74
_LOW_BITS = 62  # those after the variant
_LOW = (1 << _LOW_BITS) - 1
_VARIANT = 0x2 << _LOW_BITS
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)

# Random 32-bit numbers, drawn in advance. A system call for each would cost more than the rest of
# an id, and release the GIL, which a scan then waits for while other threads are busy.
_WORDS = struct.Struct("256I")
_drawn: list[int] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_drawn.clear)  # or parent and child would draw the same


class Ids:
    """Makes ids that sort in order of creation, even if the clock jumps back."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0  # milliseconds, then 74 random bits

    def __call__(self) -> str:
        return self.many(1)[0]

    def many(self, count: int) -> list[str]:
        """Make several ids with the same time, in order."""
        moment = self._clock()
        with self._lock:
            fresh = ((moment - _EPOCH) // _MILLISECOND) << _RANDOM_BITS
            if fresh > self._last:
                self._last = fresh | _word() << 42 | _word() << 10 | _word() >> 22
            made = []
            for _ in range(count):
                self._last += _word() + 1
                made.append(_text(self._last))
            return made


def _word() -> int:
    """Return 32 random bits, each drawn once."""
    try:
        return _drawn.pop()
    except IndexError:
        _drawn.extend(_WORDS.unpack(os.urandom(_WORDS.size)))
        return _word()


def _text(value: int) -> str:
    """Spread 48 bits of time and 74 random bits over a UUID's fields; 7 is the version."""
    tail = f"{_VARIANT | value & _LOW:x}"
    return f"{_head(value >> _LOW_BITS)}-{tail[:4]}-{tail[4:]}"


@lru_cache(maxsize=1)  # ids that are made together have the same
def _head(value: int) -> str:
    digits = f"{value:015x}"
    return f"{digits[:8]}-{digits[8:12]}-7{digits[12:]}"
