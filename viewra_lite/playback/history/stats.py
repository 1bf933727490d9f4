"""Statistics: totals by title, by day and by user, archived plays included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...database.checks import checked_moment, checked_order, or_none, refused
from ...database.orm.fields import timestamp_text
from ...database.transactions.database import Database
from ..models import PlaybackDailyTotal, PlaybackHistory
from . import stats_queries
from .history import BEGINNING, END

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class TitleTotal:
    """The plays of one title."""

    kind: str
    title: str
    plays: int
    completed: int
    hours: float


@dataclass(frozen=True, slots=True)
class DayTotal:
    """The plays of one day, in UTC or in the requested time zone."""

    day: date
    plays: int
    completed: int
    hours: float


@dataclass(frozen=True, slots=True)
class UserTotal:
    """The plays of one user."""

    user_id: str
    plays: int
    completed: int
    hours: float


@dataclass(frozen=True, slots=True)
class Stats:
    """Totals of a time, and by title, by day and by user; completed counts plays to the end."""

    plays: int
    completed: int
    hours: float
    top_titles: list[TitleTotal]
    """The ten with the most hours, then plays."""
    by_day: list[DayTotal]
    """In order, without days that have no play."""
    by_user: list[UserTotal]
    """Most hours first."""


def checked_span(
    since: datetime | None, until: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """Return the checked ends of a time; raises InvalidValueError if since is after until."""
    start, end = or_none(checked_moment, "since", since), or_none(checked_moment, "until", until)
    checked_order(start, end)
    return start, end


def checked_zone(tz: Any) -> tzinfo | None:
    """Return a time zone, None for UTC; raises InvalidValueError."""
    if tz is None or isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError) as exc:
        raise refused(
            "tz",
            "a time zone such as Europe/Berlin (install the package tzdata if the system has no "
            "time zones) or a tzinfo",
            tz,
        ) from exc


def stats(
    db: Database,
    user_id: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: tzinfo | None = None,
) -> Stats:
    """Return the totals of a user, or of all, from since to before until."""
    start, end = _utc(since or BEGINNING), _utc(until or END)
    first, last = _whole_days(start, end)
    span = [start, end, first, last, first.date(), last.date()]
    user = [] if user_id is None else [user_id]

    def totals(*names: str) -> list[list[Any]]:
        statement = stats_queries.totals_by(bool(user), *names)
        return [_numbers(row) for row in db.all(statement, *span, *user)]

    with db.reader():  # one snapshot: a play that is being archived counts once
        titles, users = totals("kind", "top_title"), totals("user_id")
        if zone is None:
            as_date = PlaybackDailyTotal.day.python_value
            days = [[as_date(day), *sums] for day, *sums in totals("day")]
        else:
            statement = stats_queries.plays_between(bool(user))
            days = _days_of(db.all(statement, start, end, *user), zone)
    plays, completed, seconds = (sum(row[n] for row in users) for n in (1, 2, 3))
    return Stats(
        plays,
        completed,
        seconds / _HOUR_S,
        [TitleTotal(*_in_hours(row)) for row in titles],
        [DayTotal(*_in_hours(row)) for row in days],
        [UserTotal(*_in_hours(row)) for row in users],
    )


def _days_of(plays: list[tuple[Any, ...]], zone: tzinfo) -> list[list[Any]]:
    """Return day, plays, completed and seconds of plays in a time zone, in order."""
    days: dict[date, list[Any]] = {}
    for stored, completed, seconds in plays:
        moment: datetime = PlaybackHistory.played_at.python_value(stored)
        total = days.setdefault(moment.astimezone(zone).date(), [0, 0, 0])
        total[0] += 1
        total[1] += bool(completed)
        total[2] += seconds or 0
    return [[day, *days[day]] for day in sorted(days)]


def _whole_days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the first and the last midnight of the whole days in a time; the end if none is."""
    last = _midnight(end)
    if start >= last:
        return end, end
    first = _midnight(start)
    return first if first == start else first + timedelta(days=1), last


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _utc(moment: datetime) -> datetime:
    return datetime.fromisoformat(timestamp_text(moment))


def _numbers(row: tuple[Any, ...]) -> list[Any]:
    return [*row[:-3], *map(int, row[-3:])]  # PostgreSQL's sums are Decimal


def _in_hours(row: list[Any]) -> list[Any]:
    return [*row[:-1], row[-1] / _HOUR_S]
