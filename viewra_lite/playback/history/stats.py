"""Statistics: totals by title, by day and by user, archived plays included."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...database.checks import checked_moment, checked_order, or_none, refused
from ...database.transactions.database import Database
from . import stats_queries
from .history import BEGINNING, END
from .stats_queries import PlayOfTime

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
    """The ten with the most hours, then plays; without extras."""
    by_day: list[DayTotal]
    """In order, without days that have no play."""
    by_user: list[UserTotal]
    """Most hours first."""
    top_extras: list[TitleTotal] = field(default_factory=list)
    """The ten movies and shows whose extras were watched the most; `title` is the movie or show."""


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

    def totals(*names: str) -> list[Any]:
        return db.all(stats_queries.totals_by(bool(user), *names), *span, *user)

    def top(*, extras: bool) -> list[TitleTotal]:
        statement = stats_queries.top_titles(bool(user), extras)
        rows = db.all(statement, *span, *user)
        return [TitleTotal(row.kind, row.top_title, *_sums(row)) for row in rows]

    with db.reader():  # one snapshot: a play that is being archived counts once
        titles, extras, users = top(extras=False), top(extras=True), totals("user_id")
        if zone is None:
            days = [DayTotal(row.day, *_sums(row)) for row in totals("day")]
        else:
            statement = stats_queries.plays_between(bool(user))
            days = _days_of(db.all(statement, start, end, *user), zone)
    return Stats(
        sum(row.plays for row in users),
        sum(row.completed for row in users),
        sum(row.seconds for row in users) / _HOUR_S,
        titles,
        days,
        [UserTotal(row.user_id, *_sums(row)) for row in users],
        extras,
    )


def _days_of(plays: list[PlayOfTime], zone: tzinfo) -> list[DayTotal]:
    """Return the totals of plays by the days of a time zone, in order."""
    days: dict[date, list[PlayOfTime]] = {}
    for play in plays:
        days.setdefault(play.played_at.astimezone(zone).date(), []).append(play)
    return [
        DayTotal(
            day,
            len(plays),
            sum(play.completed for play in plays),
            sum(play.seconds or 0 for play in plays) / _HOUR_S,
        )
        for day, plays in sorted(days.items())
    ]


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
    return moment.astimezone(timezone.utc)


def _sums(row: Any) -> tuple[int, int, float]:
    """Return plays, completed and hours of a row of totals."""
    return row.plays, row.completed, row.seconds / _HOUR_S
