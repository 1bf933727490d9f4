"""When a report was made, and whether it follows from the one before."""

from __future__ import annotations

from datetime import datetime

_SLACK_S = 2.0


def report_time(client_time: datetime | None, now: datetime) -> datetime:
    """Return when a report was made: a device's clock that is ahead is not believed."""
    return now if client_time is None or client_time > now else client_time


def is_older(client_time: datetime | None, stored: datetime | None, now: datetime) -> bool:
    """Whether a report was made before the one that is stored; unknown is not."""
    # A stored time in the future was written before the clock was put right: it says nothing.
    if client_time is None or stored is None or stored > now:
        return False
    return client_time < stored


def continues(moved: float, since: datetime | None, moment: datetime) -> bool:
    """Whether a position moved, in seconds, as playing on at up to double speed moves it."""
    passed = 0.0 if since is None else (moment - since).total_seconds()
    return 0 <= moved <= 2 * max(passed, 0) + _SLACK_S
