"""The queries of the history and its archive: builders that run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from peewee import ModelSelect, Case, EXCLUDED, SQL, Tuple, fn

from ...database.orm.nodes import OneOf, Placeholder, Typed, UtcDay
from ...database.orm.statements import Query, Statement, statement
from ..models import PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive

_COLUMNS = [field.name for field in PlaybackHistory._meta.sorted_fields]


def _put_play(**values: Placeholder) -> Query:
    return PlaybackHistory.insert(**values).on_conflict(
        conflict_target=[PlaybackHistory.id],
        update={name: getattr(EXCLUDED, name) for name in values if name != "id"},
    )


put_play = Statement(_put_play, names=_COLUMNS)


@statement
def set_completed(completed: Placeholder, id: Placeholder) -> Query:
    return PlaybackHistory.update({PlaybackHistory.completed: completed}).where(
        PlaybackHistory.id == id
    )


def _by_id(model: Any) -> Statement:
    return Statement(lambda id: model.select().where(model.id == id))


play_by_id, archived_by_id = map(_by_id, (PlaybackHistory, PlaybackHistoryArchive))


@lru_cache(maxsize=None)
def page_of_plays(model: Any, of_user: bool, continued: bool) -> Statement:
    """Return the statement for one page, newest first: (limit, *user_id, *key before)."""
    key = (model.played_at, model.id)

    def build(limit: Placeholder, *rest: Placeholder) -> Query:
        query: ModelSelect[Any] = model.select()
        if of_user:
            query = query.where(model.user_id == rest[0])
        if continued:
            query = query.where(Tuple(*key) < Tuple(*map(Typed, rest[-2:], key)))
        return query.order_by(*(column.desc() for column in key)).limit(limit)

    return Statement(build, arity=1 + of_user + 2 * continued)


def _near(model: Any) -> Statement:
    """Return the statement for the plays of a user between two moments, of some files."""
    return Statement(
        lambda user_id, since, until, file_ids: model.select().where(
            model.user_id == user_id,
            model.played_at > since,
            model.played_at < until,
            OneOf(model.media_file_id, file_ids),
        )
    )


plays_near, archived_near = map(_near, (PlaybackHistory, PlaybackHistoryArchive))


@statement
def history_follows(gone: Placeholder, kept: Placeholder) -> Query:
    return PlaybackHistory.update({PlaybackHistory.media_file_id: kept}).where(
        PlaybackHistory.media_file_id == gone
    )


@statement
def archive_follows(gone: Placeholder, kept: Placeholder) -> Query:
    archive = PlaybackHistoryArchive
    return archive.update({archive.media_file_id: kept}).where(archive.media_file_id == gone)


# The archive


def _oldest_after(model: Any) -> Statement:
    """Return the statement for ids and times of the oldest plays after a key: (*key, until, limit).

    The key is a play's time and its id.
    """
    key = (model.played_at, model.id)
    return Statement(
        lambda played_at, id, until, limit: (
            model.select(model.id, model.played_at)
            .where(Tuple(*key) > Tuple(Typed(played_at, key[0]), id), model.played_at < until)
            .order_by(*key)
            .limit(limit)
        )
    )


oldest_plays = _oldest_after(PlaybackHistory)
oldest_archived = _oldest_after(PlaybackHistoryArchive)


@statement
def count_before(moment: Placeholder) -> Query:
    return (
        PlaybackHistory.select(fn.COUNT(PlaybackHistory.id))
        .where(PlaybackHistory.played_at < moment)
        .tuples()
    )


@statement
def copy_to_archive(ids: Placeholder, now: Placeholder) -> Query:
    source, archive = PlaybackHistory, PlaybackHistoryArchive
    archived_at = Typed(now, archive.archived_at)
    names = [*_COLUMNS, "archived_at"]
    return archive.insert_from(
        source.select(*(getattr(source, name) for name in _COLUMNS), archived_at).where(
            OneOf(source.id, ids)
        ),
        fields=[getattr(archive, name) for name in names],
    )


@statement
def copy_from_archive(ids: Placeholder) -> Query:
    source, target = PlaybackHistoryArchive, PlaybackHistory
    return target.insert_from(
        source.select(*(getattr(source, name) for name in _COLUMNS)).where(OneOf(source.id, ids)),
        fields=[getattr(target, name) for name in _COLUMNS],
    )


def _delete(model: Any) -> Statement:
    return Statement(lambda ids: model.delete().where(OneOf(model.id, ids)))


delete_plays = _delete(PlaybackHistory)
delete_archived = _delete(PlaybackHistoryArchive)


def count_of(play: Any) -> tuple[Any, Any, Any]:
    """Return a play's share of a daily total: plays, completed, seconds."""
    completed = Case(None, [(play.completed, SQL("1"))], SQL("0"))
    return SQL("1"), completed, fn.COALESCE(play.duration_watched, SQL("0"))


def top_title_of(play: Any) -> Any:
    """Return the title that a play is counted under; empty if unknown."""
    return fn.COALESCE(play.top_title, SQL("''"))


def _add_to_totals(model: Any, sign: str) -> Statement:
    """Return the statement that adds the plays of a table, by their ids, to the daily totals."""
    total = PlaybackDailyTotal
    key = (UtcDay(model.played_at), model.user_id, model.kind, top_title_of(model))
    sums = (total.plays, total.completed, total.seconds)

    def build(ids: Placeholder) -> Query:
        counted = (
            model.select(*key, *(SQL(sign) * fn.SUM(count) for count in count_of(model)))
            .where(OneOf(model.id, ids))
            .group_by(*key)
        )
        return total.insert_from(
            counted, fields=[total.day, total.user_id, total.kind, total.top_title, *sums]
        ).on_conflict(
            conflict_target=[total.day, total.user_id, total.kind, total.top_title],
            update={sum: sum + getattr(EXCLUDED, sum.column_name) for sum in sums},
        )

    return Statement(build)


add_to_totals = _add_to_totals(PlaybackHistory, "1")
take_from_totals = _add_to_totals(PlaybackHistoryArchive, "-1")


@statement
def delete_empty_totals(first_day: Placeholder, last_day: Placeholder) -> Query:
    total = PlaybackDailyTotal
    return total.delete().where(
        total.day >= first_day, total.day <= last_day, total.plays == SQL("0")
    )
