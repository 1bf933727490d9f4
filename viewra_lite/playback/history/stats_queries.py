"""The queries of statistics, summed by the database: builders that run nothing."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from functools import lru_cache
from datetime import datetime
from typing import Any, NamedTuple

from peewee import SQL, ModelSelect, Select, fn

from ...database.orm.nodes import Placeholder, Typed, UtcDay
from ...database.orm.statements import Query, Statement
from ..models import PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive
from .queries import count_of, top_title_of

TOP_TITLES = 10
_EXTRA = SQL("'extra'")
_SUMS = ("plays", "completed", "seconds")
_MOST = ("seconds", "plays")  # which comes first


@lru_cache(maxsize=None)
def totals_by(of_user: bool, *names: str) -> Statement:
    """Return the statement that sums a time by columns: day, or user_id.

    Arguments (since, until, first, last, first_day, last_day, *user_id): archived plays are
    counted by daily totals from first_day to before last_day, and by rows from since to before
    first and from last to before until. Rows have these names, plays, completed and seconds.
    """
    return _totals(of_user, names, lambda model: None)


@lru_cache(maxsize=None)
def top_titles(of_user: bool, extras: bool) -> Statement:
    """Return totals_by() kind and top_title, the ten highest, of extras or of all else."""

    def only(model: Any) -> Any:
        return model.kind == _EXTRA if extras else model.kind != _EXTRA

    return _totals(of_user, ("kind", "top_title"), only)


def _totals(of_user: bool, names: tuple[str, ...], only: Callable[[Any], Any]) -> Statement:
    live, archive, total = PlaybackHistory, PlaybackHistoryArchive, PlaybackDailyTotal

    def build(
        since: Placeholder,
        until: Placeholder,
        first: Placeholder,
        last: Placeholder,
        first_day: Placeholder,
        last_day: Placeholder,
        *user: Placeholder,
    ) -> Query:
        def between(
            model: Any, column: object, start: Placeholder, end: Placeholder
        ) -> ModelSelect[Any]:
            columns, counts = _columns(model)
            key = [columns[name] for name in names]
            query: ModelSelect[Any] = (
                model.select(
                    *(each.alias(name) for name, each in zip(names, key)),
                    *(fn.SUM(count).alias(name) for name, count in zip(_SUMS, counts)),
                )
                .where(column >= start, column < end)
                .group_by(*key)
            )
            condition = only(model)
            query = query if condition is None else query.where(condition)
            return query.where(model.user_id == user[0]) if of_user else query

        every = (
            between(total, total.day, first_day, last_day)
            .union_all(between(live, live.played_at, since, until))
            .union_all(between(archive, archive.played_at, since, first))
            .union_all(between(archive, archive.played_at, last, until))
        ).alias("every")
        return _summed(every, names)

    return Statement(build, arity=6 + of_user)


class PlayOfTime(NamedTuple):
    """The time of a play, whether it reached the end, and the seconds watched."""

    played_at: datetime
    completed: bool
    seconds: int | None


@lru_cache(maxsize=None)
def plays_between(of_user: bool) -> Statement:
    """Return the statement for the plays of a span: arguments (since, until, *user_id)."""

    def build(since: Placeholder, until: Placeholder, *user: Placeholder) -> Query:
        def of(model: Any) -> ModelSelect[Any]:
            query: ModelSelect[Any] = model.select(
                model.played_at, model.completed, model.duration_watched
            ).where(model.played_at >= since, model.played_at < until)
            return query.where(model.user_id == user[0]) if of_user else query

        return of(PlaybackHistory).union_all(of(PlaybackHistoryArchive)).objects(PlayOfTime)

    return Statement(build, arity=2 + of_user)


def _columns(model: Any) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """Return the columns that a table may be grouped by, and those that are summed."""
    key = {"user_id": model.user_id, "kind": model.kind}
    if model is PlaybackDailyTotal:
        key |= {"day": model.day, "top_title": model.top_title}
        return key, (model.plays, model.completed, model.seconds)
    key |= {"day": UtcDay(model.played_at), "top_title": top_title_of(model)}
    return key, count_of(model)


def _sources(name: str) -> tuple[Any, ...]:
    """Return the columns that a key or a sum is computed from."""
    total, plays = PlaybackDailyTotal, (PlaybackHistory, PlaybackHistoryArchive)
    column = {"day": "played_at", "seconds": "duration_watched"}.get(name)
    return getattr(total, name), *(getattr(play, column) for play in plays if column)


def _summed(every: Any, names: tuple[str, ...]) -> Query:
    key = [getattr(every.c, name) for name in names]
    sums = {name: fn.SUM(getattr(every.c, name)) for name in _SUMS}
    columns = {name: getattr(PlaybackDailyTotal, name) for name in (*names, *_SUMS)}
    query = Select(
        [every],
        [
            Typed(node, column, *_sources(name))
            for (name, column), node in zip(columns.items(), [*key, *sums.values()])
        ],
    )
    query = query.group_by(*key).objects(namedtuple("Total", columns))
    if names == ("day",):
        return query.order_by(*key)
    query = query.order_by(*(sums[name].desc() for name in _MOST), *reversed(key))
    return query.limit(TOP_TITLES) if "top_title" in names else query
