"""The queries of the transcode cache: builders that run nothing."""

from __future__ import annotations

from typing import NamedTuple

from peewee import Case, ColumnBase, SQL, fn

from ..database.orm.nodes import OneOf, Placeholder, Typed
from ..database.orm.statements import Query, Statement, statement
from .models import TranscodeCache, TranscodeSession

# Literals: with a parameter neither engine uses the partial indexes.
_PENDING, _RUNNING = SQL("'pending'"), SQL("'running'")
_IS_ACTIVE = TranscodeSession.status.in_((_PENDING, _RUNNING))


@statement
def entry_by_hash(content_hash: Placeholder) -> Query:
    return TranscodeCache.select().where(TranscodeCache.content_hash == content_hash)


def _save_entry(**values: Placeholder) -> Query:
    return TranscodeCache.insert(**values).on_conflict(
        conflict_target=[TranscodeCache.content_hash],
        preserve=[getattr(TranscodeCache, name) for name in values],
    )


save_entry = Statement(
    _save_entry,
    names=(
        "id",
        "media_file_id",
        "content_hash",
        "container",
        "video_codec",
        "audio_codec",
        "quality",
        "file_size",
        "created_at",
        "last_accessed",
        "output_path",
    ),
)


@statement
def use_entry(
    content_hash: Placeholder,
    now: Placeholder,
    a_minute_ago: Placeholder,
    in_use_until: Placeholder,
    latest: Placeholder,
) -> Query:
    used, held = TranscodeCache.last_accessed, TranscodeCache.in_use_until
    return (
        TranscodeCache.update(
            {
                TranscodeCache.access_count: TranscodeCache.access_count + 1,
                used: Case(None, [((used <= a_minute_ago) | (used > now), Typed(now, used))], used),
                held: Case(
                    None,
                    [((held > in_use_until) & (held <= latest), held)],
                    Typed(in_use_until, held),
                ),
            }
        )
        .where(TranscodeCache.content_hash == content_hash)
        .returning(TranscodeCache)
    )


@statement
def pin_entry(pinned: Placeholder, content_hash: Placeholder) -> Query:
    return (
        TranscodeCache.update({TranscodeCache.pinned: pinned})
        .where(TranscodeCache.content_hash == content_hash)
        .returning(TranscodeCache)
    )


@statement
def forget_entries(ids: Placeholder) -> Query:
    return TranscodeCache.delete().where(OneOf(TranscodeCache.id, ids))


@statement
def paths_after(id: Placeholder, limit: Placeholder) -> Query:
    return (
        TranscodeCache.select(TranscodeCache.id, TranscodeCache.output_path)
        .where(TranscodeCache.id > id)
        .order_by(TranscodeCache.id)
        .limit(limit)
    )


class Usage(NamedTuple):
    """The number of entries, and their bytes."""

    entries: int
    bytes: int
    pinned_bytes: int


@statement
def usage() -> Query:
    size = TranscodeCache.file_size
    pinned = Case(None, [(TranscodeCache.pinned, size)], 0)
    return TranscodeCache.select(
        fn.COUNT(SQL("*")),
        fn.COALESCE(fn.SUM(size), 0),
        Typed(fn.COALESCE(fn.SUM(pinned), 0), size),
    ).objects(Usage)


@statement
def entry_of_the_future(now: Placeholder, latest: Placeholder) -> Query:
    return (
        TranscodeCache.select(TranscodeCache.id)
        .where(_of_the_future(now, latest))
        .limit(1)
        .tuples()
    )


@statement
def pull_back_entries(now: Placeholder, latest: Placeholder) -> Query:
    """Set last_accessed in the future, of a clock that ran ahead, to now; end longer holds."""
    used, held = TranscodeCache.last_accessed, TranscodeCache.in_use_until
    return TranscodeCache.update(
        {
            used: Case(None, [(used > now, Typed(now, used))], used),
            held: Case(None, [(held > latest, None)], held),
        }
    ).where(_of_the_future(now, latest))


def _of_the_future(now: Placeholder, latest: Placeholder) -> ColumnBase:
    return (TranscodeCache.last_accessed > now) | (TranscodeCache.in_use_until > latest)


def _may_go(now: Placeholder) -> ColumnBase:
    """Whether an entry is neither in use nor pinned nor being made again."""
    made = TranscodeSession.select(TranscodeSession.id).where(
        TranscodeSession.content_hash == TranscodeCache.content_hash, _IS_ACTIVE
    )
    may_go: ColumnBase = (
        (TranscodeCache.in_use_until.is_null() | (TranscodeCache.in_use_until <= now))
        & (TranscodeCache.pinned == False)  # noqa: E712
        & ~fn.EXISTS(made)
    )
    return may_go


@statement
def least_recently_used(now: Placeholder, limit: Placeholder) -> Query:
    return (
        TranscodeCache.select(TranscodeCache.id, TranscodeCache.file_size)
        .where(_may_go(now))
        .order_by(TranscodeCache.last_accessed, TranscodeCache.id)
        .limit(limit)
        .tuples()
    )


class Evicted(NamedTuple):
    """An entry that evict() removed."""

    id: str
    path: str | None
    bytes: int


@statement
def evict_entries(ids: Placeholder, now: Placeholder) -> Query:
    return (
        TranscodeCache.delete()
        .where(OneOf(TranscodeCache.id, ids), _may_go(now))
        .returning(TranscodeCache.id, TranscodeCache.output_path, TranscodeCache.file_size)
        .objects(Evicted)
    )
