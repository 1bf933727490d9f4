"""The queries of sessions, progress and works: builders that run nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from peewee import EXCLUDED, SQL, fn

from ..database.orm.nodes import OneOf, Placeholder
from ..database.orm.statements import Query, Statement, statement
from ..media.models import (
    Album,
    Episode,
    MediaFile,
    Movie,
    RemovedFile,
    TVShow,
    Track,
    Work,
    WorkFile,
)
from .import_models import ImportedRow
from .models import PlaybackSession, UserMediaProgress

# Files and their titles


@statement
def file_by_id(id: Placeholder) -> Query:
    return MediaFile.select().where(MediaFile.id == id)


@statement
def files_by_ids(ids: Placeholder) -> Query:
    return MediaFile.select().where(OneOf(MediaFile.id, ids))


@statement
def removed_by_ids(ids: Placeholder) -> Query:
    return RemovedFile.select().where(OneOf(RemovedFile.id, ids))


class PartOfWork(NamedTuple):
    """A file, a part of a work that it holds, and the kind of that work."""

    file_id: str
    work_id: str
    part: int
    kind: str


@statement
def parts_around(ids: Placeholder) -> Query:
    """The parts of these files, and of every file that shares a work with one of them."""
    own, other, every = WorkFile.alias(), WorkFile.alias(), WorkFile.alias()
    return (
        own.select(every.media_file_id, every.work, every.part, Work.kind)
        .join(other, on=(other.work == own.work))
        .join(every, on=(every.media_file_id == other.media_file_id))
        .join(Work, on=(Work.id == every.work))
        .where(OneOf(own.media_file_id, ids))
        .distinct()
        .objects(PartOfWork)
    )


@statement
def works_of_show(show_id: Placeholder) -> Query:
    return (
        Work.select(Work.id)
        .where(Work.show == show_id)
        .order_by(Work.season_number, Work.episode_number)
        .tuples()
    )


@statement
def works_of_season(show_id: Placeholder, season: Placeholder) -> Query:
    return (
        Work.select(Work.id)
        .where(Work.show == show_id, Work.season_number == season)
        .order_by(Work.episode_number)
        .tuples()
    )


@statement
def shows_of_works(ids: Placeholder) -> Query:
    return (
        Work.select(Work.show)
        .where(OneOf(Work.id, ids), Work.show.is_null(False))
        .distinct()
        .tuples()
    )


@statement
def files_of_works(ids: Placeholder) -> Query:
    return (
        WorkFile.select(WorkFile.media_file_id)
        .where(OneOf(WorkFile.work, ids))
        .distinct()
        .order_by(WorkFile.media_file_id)
        .tuples()
    )


@statement
def movies_of_works(ids: Placeholder) -> Query:
    return Movie.select().where(OneOf(Movie.work, ids))


@statement
def episodes_of_works(ids: Placeholder) -> Query:
    return Episode.select(Episode, TVShow).join(TVShow).where(OneOf(Episode.work, ids))


@statement
def tracks_of_works(ids: Placeholder) -> Query:
    return Track.select(Track, Album).join(Album).where(OneOf(Track.work, ids))


@statement
def disprove_duration(now: Placeholder, id: Placeholder, duration: Placeholder) -> Query:
    file = MediaFile
    return file.update(
        {file.disproved_duration: file.duration, file.duration: None, file.updated_at: now}
    ).where(file.id == id, file.duration == duration)


@statement
def forget_duration_of_sessions(media_file_id: Placeholder, duration: Placeholder) -> Query:
    session = PlaybackSession
    return session.update({session.duration: None}).where(
        session.media_file_id == media_file_id,
        session.duration == duration,
        session.end_time.is_null(),
    )


@statement
def forget_duration_of_progress(media_file_id: Placeholder, duration: Placeholder) -> Query:
    progress = UserMediaProgress
    return progress.update({progress.duration: None}).where(
        progress.media_file_id == media_file_id, progress.duration == duration
    )


# Sessions


@statement
def session_by_id(id: Placeholder) -> Query:
    return PlaybackSession.select().where(PlaybackSession.id == id)


@statement
def open_sessions() -> Query:
    return (
        PlaybackSession.select()
        .where(PlaybackSession.end_time.is_null())
        .order_by(PlaybackSession.start_time, PlaybackSession.id)
    )


MOVING = (
    "state",
    "position",
    "duration",
    "start_time",
    "last_activity",
    "reported_at",
    "watched",
    "completed",
    "end_time",
)
"""The columns that change in the life of a session."""


def _session_moved(*, id: Placeholder, **values: Placeholder) -> Query:
    return PlaybackSession.update(**values).where(PlaybackSession.id == id)


session_moved = Statement(_session_moved, names=("id", *MOVING))


@statement
def continue_session(
    position: Placeholder,
    last_activity: Placeholder,
    reported_at: Placeholder,
    watched: Placeholder,
    id: Placeholder,
) -> Query:
    """The columns that most heartbeats change, none of them indexed."""
    return PlaybackSession.update(
        {
            PlaybackSession.position: position,
            PlaybackSession.last_activity: last_activity,
            PlaybackSession.reported_at: reported_at,
            PlaybackSession.watched: watched,
        }
    ).where(PlaybackSession.id == id)


@statement
def session_not_completed(id: Placeholder) -> Query:
    return PlaybackSession.update({PlaybackSession.completed: False}).where(
        PlaybackSession.id == id
    )


@statement
def delete_session(id: Placeholder) -> Query:
    return PlaybackSession.delete().where(PlaybackSession.id == id)


@statement
def session_follows(gone: Placeholder, kept: Placeholder) -> Query:
    return PlaybackSession.update({PlaybackSession.media_file_id: kept}).where(
        PlaybackSession.media_file_id == gone
    )


@statement
def imported_follows(gone: Placeholder, kept: Placeholder) -> Query:
    return ImportedRow.update({ImportedRow.media_file_id: kept}).where(
        ImportedRow.media_file_id == gone
    )


@statement
def session_continuing(id: Placeholder) -> Query:
    """A playing session with its user's progress, if the session has reported it last."""
    session, progress = PlaybackSession, UserMediaProgress
    return (
        session.select(
            session,
            progress.position.alias("known_position"),
            progress.duration.alias("known_duration"),
            progress.reported_at.alias("known_at"),
        )
        .join(
            progress,
            on=(
                (progress.user_id == session.user_id)
                & (progress.media_file_id == session.media_file_id)
            ),
        )
        .where(
            session.id == id,
            session.state == SQL("'playing'"),
            progress.session_id == session.id,
            *_moves_alone(progress),
        )
    )


def _moves_alone(progress: Any) -> list[Any]:
    """The conditions under which progress in a file is one row, which can be updated alone.

    It is not dropped, and the user has no progress in another file of the same work.
    """
    own, other, beside = WorkFile.alias(), WorkFile.alias(), UserMediaProgress.alias()
    return [
        ~progress.dropped,
        ~fn.EXISTS(
            own.select(SQL("1"))
            .join(other, on=(other.work == own.work))
            .join(beside, on=(beside.media_file_id == other.media_file_id))
            .where(
                own.media_file_id == progress.media_file_id,
                other.media_file_id != progress.media_file_id,
                beside.user_id == progress.user_id,
            )
        ),
    ]


def insert_row(model: Any) -> Statement:
    """Build the INSERT of a whole row, which takes each column by its name."""
    return Statement(lambda **values: model.insert(**values), names=model._meta.fields)


insert_session = insert_row(PlaybackSession)

# Progress


@statement
def progress_of_file(user_id: Placeholder, media_file_id: Placeholder) -> Query:
    """A user's rows for a file, removed or not, and for all that share a work with it."""
    progress, own, other = UserMediaProgress, WorkFile.alias(), WorkFile.alias()
    itself = progress.select(progress.media_file_id).where(
        progress.user_id == user_id, progress.media_file_id == media_file_id
    )
    linked = (
        own.select(other.media_file_id)
        .join(other, on=(other.work == own.work))
        .where(own.media_file_id == media_file_id)
    )
    return progress.select().where(
        progress.user_id == user_id, progress.media_file_id.in_(itself.union_all(linked))
    )


@statement
def progress_of_files(user_id: Placeholder, ids: Placeholder) -> Query:
    return UserMediaProgress.select().where(
        UserMediaProgress.user_id == user_id, OneOf(UserMediaProgress.media_file_id, ids)
    )


@statement
def progress_after(moment: Placeholder, limit: Placeholder) -> Query:
    """Rows with a time in the future."""
    progress = UserMediaProgress
    return (
        progress.select()
        .where(
            (progress.updated_at > moment)
            | (progress.last_played_at > moment)
            | (progress.reported_at > moment)
        )
        .limit(limit)
    )


@statement
def progress_of_all_users(media_file_id: Placeholder) -> Query:
    return UserMediaProgress.select().where(UserMediaProgress.media_file_id == media_file_id)


@statement
def progress_continuing(user_id: Placeholder, media_file_id: Placeholder) -> Query:
    """Progress with columns of its file, if the last report had no session."""
    progress = UserMediaProgress
    return (
        progress.select(
            progress,
            MediaFile.duration.alias("file_duration"),
            MediaFile.mime_type.alias("file_mime_type"),
            MediaFile.identity.alias("file_identity"),
        )
        .join(MediaFile, on=(MediaFile.id == progress.media_file_id))
        .where(
            progress.user_id == user_id,
            progress.media_file_id == media_file_id,
            progress.session_id.is_null(),
            *_moves_alone(progress),
        )
    )


@statement
def continue_progress(
    position: Placeholder,
    updated_at: Placeholder,
    duration: Placeholder,
    reported_at: Placeholder,
    user_id: Placeholder,
    media_file_id: Placeholder,
) -> Query:
    """The columns that most reports change."""
    progress = UserMediaProgress
    return progress.update(
        {
            progress.position: position,
            progress.updated_at: updated_at,
            progress.duration: duration,
            progress.reported_at: reported_at,
        }
    ).where(progress.user_id == user_id, progress.media_file_id == media_file_id)


@statement
def forget_progress(user_id: Placeholder, media_file_id: Placeholder) -> Query:
    return UserMediaProgress.delete().where(
        UserMediaProgress.user_id == user_id, UserMediaProgress.media_file_id == media_file_id
    )


def _put_progress(**values: Placeholder) -> Query:
    return UserMediaProgress.insert(**values).on_conflict(
        conflict_target=[UserMediaProgress.user_id, UserMediaProgress.media_file_id],
        update={
            name: getattr(EXCLUDED, name)
            for name in values
            if name not in ("user_id", "media_file_id")
        },
    )


put_progress = Statement(_put_progress, names=UserMediaProgress._meta.fields)
