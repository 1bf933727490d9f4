"""The time of a report, and whether it continues the one before."""

from __future__ import annotations

from datetime import datetime

_SLACK_S = 2.0


def report_time(client_time: datetime | None, now: datetime) -> datetime:
    """Return the time of a report; a device's clock that runs ahead is ignored."""
    return now if client_time is None or client_time > now else client_time


def is_older(client_time: datetime | None, stored: datetime | None, now: datetime) -> bool:
    """Whether a report is older than the stored one; False if either time is unknown."""
    # A stored time in the future was written by a clock that ran ahead: it proves nothing.
    if client_time is None or stored is None or stored > now:
        return False
    return client_time < stored


def continues(moved: float, since: datetime | None, moment: datetime) -> bool:
    """Whether a position has moved by these seconds at no more than double speed."""
    passed = 0.0 if since is None else (moment - since).total_seconds()
    return 0 <= moved <= 2 * max(passed, 0) + _SLACK_S
