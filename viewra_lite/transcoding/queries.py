"""The queries of the transcoding module: builders that run nothing."""

from __future__ import annotations

from functools import lru_cache

from peewee import Case, ColumnBase, SQL, fn

from ..database.orm.nodes import NotLocked, OneOf, Placeholder, Typed
from ..database.orm.statements import Query, Statement, statement
from ..media.models import MediaFile
from .models import TranscodeCache, TranscodeSession

# Literals: with a parameter neither engine uses the partial indexes.
_PENDING, _RUNNING = SQL("'pending'"), SQL("'running'")
_IS_PENDING = TranscodeSession.status == _PENDING
_IS_RUNNING = TranscodeSession.status == _RUNNING
_IS_ACTIVE = TranscodeSession.status.in_((_PENDING, _RUNNING))


# Requests


@statement
def file_by_id(id: Placeholder) -> Query:
    return MediaFile.select().where(MediaFile.id == id)


@statement
def session_by_id(id: Placeholder) -> Query:
    return TranscodeSession.select().where(TranscodeSession.id == id)


@statement
def active_session(content_hash: Placeholder) -> Query:
    return TranscodeSession.select().where(
        TranscodeSession.content_hash == content_hash, _IS_ACTIVE
    )


@statement
def sessions_newest(limit: Placeholder) -> Query:
    return (
        TranscodeSession.select()
        .order_by(TranscodeSession.created_at.desc(), TranscodeSession.id.desc())
        .limit(limit)
    )


@statement
def sessions_by_status(status: Placeholder, limit: Placeholder) -> Query:
    return (
        TranscodeSession.select()
        .where(TranscodeSession.status == status)
        .order_by(TranscodeSession.created_at.desc(), TranscodeSession.id.desc())
        .limit(limit)
    )


@statement
def session_of_the_future(now: Placeholder) -> Query:
    return (
        TranscodeSession.select(TranscodeSession.id)
        .where(TranscodeSession.created_at > now)
        .limit(1)
        .tuples()
    )


@statement
def pull_back_sessions(now: Placeholder) -> Query:
    """Set created_at in the future, of a clock that ran ahead, to now; ids keep the order."""
    return TranscodeSession.update({TranscodeSession.created_at: now}).where(
        TranscodeSession.created_at > now
    )


def _insert_session(**values: Placeholder) -> Query:
    return TranscodeSession.insert(status="pending", **values).on_conflict(
        action="NOTHING", conflict_target=[TranscodeSession.content_hash], conflict_where=_IS_ACTIVE
    )


insert_session = Statement(
    _insert_session,
    names=(
        "id",
        "media_file",
        "content_hash",
        "input_path",
        "container",
        "video_codec",
        "audio_codec",
        "quality",
        "height",
        "profile",
        "priority",
        "created_at",
    ),
)


@statement
def raise_priority(priority: Placeholder, content_hash: Placeholder) -> Query:
    return TranscodeSession.update({TranscodeSession.priority: priority}).where(
        TranscodeSession.content_hash == content_hash,
        _IS_ACTIVE,
        TranscodeSession.priority < priority,
    )


# Work


@lru_cache(maxsize=None)
def claim(limited: tuple[str, ...]) -> Statement:
    """Return the UPDATE of a worker limited in these columns, whose limits it takes by name."""

    def build(
        *, provider: Placeholder, now: Placeholder, lease_until: Placeholder, **limits: Placeholder
    ) -> Query:
        able = [_can(name, limit) for name, limit in limits.items()]
        first = (
            TranscodeSession.select(TranscodeSession.id)
            .where(_IS_PENDING, *able)
            .order_by(
                TranscodeSession.priority.desc(), TranscodeSession.created_at, TranscodeSession.id
            )
            .limit(1)
        )
        # A file may have been renamed since the request.
        path = MediaFile.select(MediaFile.path).where(MediaFile.id == TranscodeSession.media_file)
        return (
            TranscodeSession.update(
                {
                    TranscodeSession.status: "running",
                    TranscodeSession.provider: provider,
                    TranscodeSession.attempts: TranscodeSession.attempts + 1,
                    TranscodeSession.started_at: now,
                    TranscodeSession.lease_until: lease_until,
                    TranscodeSession.input_path: fn.COALESCE(path, TranscodeSession.input_path),
                }
            )
            .where(
                # Not IN: PostgreSQL might then select, and lock, more than once.
                TranscodeSession.id == NotLocked(first)
            )
            .returning(TranscodeSession)
        )

    return Statement(build, names=("provider", "now", "lease_until", *limited))


def _can(name: str, limit: Placeholder) -> ColumnBase:
    column = getattr(TranscodeSession, name)
    able = column <= limit if name == "height" else OneOf(column, limit)
    is_able: ColumnBase = column.is_null() | able
    return is_able


def _is_mine(id: Placeholder, attempt: Placeholder) -> ColumnBase:
    """Whether the session runs, and in this attempt if one is given."""
    return (
        (TranscodeSession.id == id)
        & _IS_RUNNING
        & (TranscodeSession.attempts == fn.COALESCE(attempt, TranscodeSession.attempts))
    )


@statement
def report(
    id: Placeholder, attempt: Placeholder, progress: Placeholder, lease_until: Placeholder
) -> Query:
    return (
        TranscodeSession.update(
            {
                TranscodeSession.progress: Case(
                    None,
                    [(TranscodeSession.progress < progress, progress)],
                    TranscodeSession.progress,
                ),
                TranscodeSession.lease_until: lease_until,
            }
        )
        .where(_is_mine(id, attempt))
        .returning(TranscodeSession)
    )


@statement
def complete(
    id: Placeholder, attempt: Placeholder, output_path: Placeholder, now: Placeholder
) -> Query:
    return (
        TranscodeSession.update(
            {
                TranscodeSession.status: "completed",
                TranscodeSession.progress: 1.0,
                TranscodeSession.output_path: output_path,
                TranscodeSession.completed_at: now,
                TranscodeSession.lease_until: None,
            }
        )
        .where(_is_mine(id, attempt))
        .returning(TranscodeSession)
    )


@statement
def fail(
    id: Placeholder, attempt: Placeholder, error_message: Placeholder, now: Placeholder
) -> Query:
    return (
        TranscodeSession.update(
            {
                TranscodeSession.status: "failed",
                TranscodeSession.error_message: error_message,
                TranscodeSession.completed_at: now,
                TranscodeSession.lease_until: None,
            }
        )
        .where(_is_mine(id, attempt))
        .returning(TranscodeSession)
    )


@statement
def cancel(id: Placeholder, now: Placeholder) -> Query:
    return (
        TranscodeSession.update(
            {
                TranscodeSession.status: "cancelled",
                TranscodeSession.completed_at: now,
                TranscodeSession.lease_until: None,
            }
        )
        .where(TranscodeSession.id == id, _IS_ACTIVE)
        .returning(TranscodeSession)
    )


def _is_over(now: Placeholder, latest: Placeholder) -> ColumnBase:
    """Whether a lease expired, or ends later than any can, since the clock ran ahead."""
    lease = TranscodeSession.lease_until
    return _IS_RUNNING & ((lease <= now) | (lease > latest))


@statement
def lease_that_is_over(now: Placeholder, latest: Placeholder) -> Query:
    return (
        TranscodeSession.select(TranscodeSession.id).where(_is_over(now, latest)).limit(1).tuples()
    )


@statement
def session_without_lease() -> Query:
    return (
        TranscodeSession.select(TranscodeSession.id)
        .where(_IS_RUNNING, TranscodeSession.lease_until.is_null())
        .limit(1)
        .tuples()
    )


@statement
def end_missing_leases(now: Placeholder) -> Query:
    return TranscodeSession.update({TranscodeSession.lease_until: now}).where(
        _IS_RUNNING, TranscodeSession.lease_until.is_null()
    )


@statement
def end_leases(
    now: Placeholder,
    latest: Placeholder,
    most: Placeholder,
    attempts: Placeholder,
    reason: Placeholder,
) -> Query:
    """Return expired sessions to the queue, or fail them after that many attempts."""
    over = (
        TranscodeSession.select(TranscodeSession.id)
        .where(_is_over(now, latest))
        .order_by(TranscodeSession.lease_until)
        .limit(most)
    )
    ends = TranscodeSession.attempts >= attempts
    worker = fn.COALESCE(TranscodeSession.provider, SQL("'unknown'"))

    def at_the_end(value: object, otherwise: object) -> ColumnBase:
        return Case(None, [(ends, value)], otherwise)

    ended = TranscodeSession.update(
        {
            TranscodeSession.status: at_the_end(SQL("'failed'"), _PENDING),
            TranscodeSession.progress: at_the_end(TranscodeSession.progress, 0.0),
            TranscodeSession.started_at: at_the_end(TranscodeSession.started_at, None),
            TranscodeSession.completed_at: at_the_end(
                Typed(now, TranscodeSession.completed_at), TranscodeSession.completed_at
            ),
            TranscodeSession.error_message: at_the_end(
                reason.concat(worker), TranscodeSession.error_message
            ),
            TranscodeSession.lease_until: None,
        }
    ).where(TranscodeSession.id.in_(NotLocked(over)), _is_over(now, latest))
    return ended.returning(TranscodeSession)


# Files


@statement
def move_sessions(kept_id: Placeholder, gone_id: Placeholder) -> Query:
    return TranscodeSession.update({TranscodeSession.media_file: kept_id}).where(
        TranscodeSession.media_file == gone_id
    )


@statement
def move_entries(kept_id: Placeholder, gone_id: Placeholder) -> Query:
    return TranscodeCache.update({TranscodeCache.media_file_id: kept_id}).where(
        TranscodeCache.media_file_id == gone_id
    )
