"""Time-ordered ids: UUIDv7 (RFC 9562, section 5.7) as text."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

_VERSION_AND_VARIANT = (0x7 << 76) | (0x2 << 62)
_RANDOM_BITS = 74
_STEP_BITS = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)


class Ids:
    """Makes ids that sort in the order they were made, even if the clock jumps back."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0  # milliseconds, then 74 random bits

    def __call__(self) -> str:
        moment = self._clock()
        step = int.from_bytes(os.urandom(_STEP_BITS // 8), "big") + 1
        with self._lock:
            fresh = ((moment - _EPOCH) // _MILLISECOND) << _RANDOM_BITS
            if fresh > self._last:
                fresh |= int.from_bytes(os.urandom(9), "big") >> 1
                self._last = fresh
            else:
                self._last += step
            return _text(self._last)


def _text(value: int) -> str:
    """Spread 48 bits of time and 74 random bits over a UUID's fields."""
    time, rand_a = value >> _RANDOM_BITS, (value >> 62) & 0xFFF
    number = (time << 80) | _VERSION_AND_VARIANT | (rand_a << 64) | (value & ((1 << 62) - 1))
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
