"""Times as people and other programs write them: the one parser of both.

    2024-01-02  2024-01-02 03:04  2024-01-02T03:04:05.123456789+01:00  2024-01-02 03:04:05,5 UTC
    2024-01-02 03:04:05.6 +0000 UTC m=+0.1      (Go's time.Time)
    1704164645  1704164645000                   (seconds, or smaller units, since 1970)

datetime.fromisoformat() reads fewer forms, and how many depends on the Python.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

_WRITTEN = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,12}))?)?"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?(?::\d\d)?)?"
    r"(?:\s+[A-Z]{1,5}|\s+[+-]\d{2,4})?(?:\s+m=\S+)?)?",
    re.ASCII,
)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

# The size from which a number counts units smaller than seconds: seconds reach 10**11 in 5138.
_UNITS_PER_SECOND = ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3))


class Written(NamedTuple):
    """A time as its text gives it."""

    moment: datetime
    """Naive where the text has no zone; else aware, in the zone of the text."""
    is_day: bool
    """The text is a date alone: the moment is its midnight."""


def written(text: str) -> Written | None:
    """Parse a date, with or without a time and a zone; None for any other text.

    Raises ValueError for a date or a time that does not exist.
    """
    parts = _WRITTEN.fullmatch(text.strip())
    if parts is None:
        return None
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    fraction = int((parts["fraction"] or "").ljust(6, "0")[:6])
    year, month, day = map(int, parts["date"].split("-"))
    zone = _zone(parts["zone"]) if parts["zone"] else None
    moment = datetime(year, month, day, hour, minute, second, fraction, zone)
    return Written(moment, is_day=parts["hour"] is None)


def since_epoch(number: float) -> datetime:
    """Return the moment of a count of seconds, or of milli-, micro- or nanoseconds, since 1970.

    Its size decides the unit. Raises ValueError where no datetime can hold it.
    """
    unit = next((unit for least, unit in _UNITS_PER_SECOND if abs(number) >= least), 1)
    try:
        if type(number) is int:  # a float would lose microseconds
            return EPOCH + timedelta(microseconds=number * 1_000_000 // unit)
        return EPOCH + timedelta(seconds=number / unit)
    except OverflowError:
        raise ValueError("no datetime holds it") from None


def _zone(text: str) -> timezone:
    digits = re.sub(r"\D", "", text)
    if not digits:
        return timezone.utc
    hours, minutes, seconds = (int(digits[n : n + 2] or 0) for n in (0, 2, 4))
    offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-offset if text[0] == "-" else offset)
