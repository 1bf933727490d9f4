"""When a chore is due: every so many seconds, or once a day at a local time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

_FIRST_RETRY_S = 60
_MOST_DOUBLINGS = 20
_LONGEST_RETRY_S = 3600  # of a chore that is due more often than that


@dataclass(frozen=True, slots=True)
class Every:
    """Once in so many seconds, on a grid: a timer that is a little late does not shift it."""

    seconds: int

    def first(self, now: datetime) -> datetime:
        """Return when a chore is due that has not run yet."""
        return now

    def after(self, now: datetime, due_at: datetime) -> datetime:
        """Return when a chore is due again that runs now."""
        if due_at > now:  # it was run before it was due
            return due_at
        period = timedelta(seconds=self.seconds)
        return later(due_at, self.seconds * ((now - due_at) // period + 1))

    def latest(self, now: datetime) -> datetime:
        """Return the latest moment at which a chore can be due."""
        return later(now, self.seconds)


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day, from a time of the day on, in the time zone of the process.

    Where the clock skips that time in spring it is due an hour earlier; where the time comes twice
    in autumn, at the first.
    """

    at: time

    @property
    def seconds(self) -> int:
        """Return the length of a day."""
        return 86_400

    def first(self, now: datetime) -> datetime:
        """Return when a chore is due that has not run yet."""
        return self.latest(now)

    def after(self, now: datetime, due_at: datetime) -> datetime:
        """Return when a chore is due again that runs now."""
        return due_at if due_at > now else self.latest(now)

    def latest(self, now: datetime) -> datetime:
        """Return the next time of the day after now."""
        try:
            today = now.astimezone().date()
            for day in (today, today + timedelta(days=1)):
                # Without a time zone astimezone() takes the local one, with its summer time.
                moment = datetime.combine(day, self.at).astimezone(timezone.utc)
                if moment > now:
                    return moment
        except (OverflowError, ValueError):
            pass  # in the year 1 or 9999 there may not be a local time
        return later(now, self.seconds)


Due = Every | Daily


@dataclass(frozen=True, slots=True)
class Definition:
    """A chore: its name, when it is due, and what it does."""

    name: str
    due: Due
    run: Callable[[datetime], str | None]
    """Runs it and returns what it did, in words, or None."""
    quiet_s: float = 0.0
    """Seconds that it waits for a quiet moment: none, some, or infinity."""
    is_here: Callable[[], bool] = lambda: True
    """Whether this process can run it; another one may."""

    def latest(self, now: datetime, failures: int) -> datetime:
        """Return the latest moment at which it can be due; a later one is a clock's that was wrong.

        failures is how often in a row it has failed.
        """
        return self.retry(now, failures) if failures else self.due.latest(now)

    def retry(self, now: datetime, failures: int) -> datetime:
        """Return when it is tried again: after a minute, then after twice the time before."""
        distance = _FIRST_RETRY_S << min(failures - 1, _MOST_DOUBLINGS)
        return later(now, min(distance, max(self.due.seconds, _LONGEST_RETRY_S)))


def later(moment: datetime, seconds: float) -> datetime:
    """Return a moment so many seconds later, at most the last one there is."""
    try:
        return moment + timedelta(seconds=seconds)
    except OverflowError:
        return datetime.max.replace(tzinfo=timezone.utc)
