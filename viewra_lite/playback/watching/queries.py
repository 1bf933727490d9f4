"""The queries of the lists of what to watch: builders that run nothing."""

from __future__ import annotations

from typing import Any

from peewee import JOIN

from ...database.orm.nodes import OneOf
from ...database.orm.statements import statement
from ...media.models import Episode, MediaFile, TVShow
from ...media.work_models import Work, WorkFile
from ..models import UserMediaProgress

# A user's files


def _files_touched(user_id: Any, moment: Any, after: Any, limit: Any, *conditions: Any) -> Any:
    """A user's files, the last changed first, after the last one of the previous chunk."""
    progress = UserMediaProgress
    return (
        progress.select(progress.media_file_id, progress.updated_at)
        .where(
            progress.user_id == user_id,
            *conditions,
            progress.updated_at <= moment,
            (progress.updated_at < moment) | (progress.media_file_id > after),
        )
        .order_by(progress.updated_at.desc(), progress.media_file_id)
        .limit(limit)
        .tuples()
    )


@statement
def files_recent(user_id: Any, moment: Any, after: Any, limit: Any) -> Any:
    return _files_touched(user_id, moment, after, limit)


def _is_resumable(shortest: Any, first: Any, last: Any) -> Any:
    """Whether a file may be resumed: by its least duration, and by shares of the duration."""
    progress = UserMediaProgress
    return (progress.position > 0) & (
        progress.duration.is_null()
        | (
            (progress.duration >= shortest)
            & (progress.position >= progress.duration * first)
            & (progress.position < progress.duration * last)
        )
    )


@statement
def files_unfinished(
    user_id: Any, moment: Any, after: Any, limit: Any, shortest: Any, first: Any, last: Any
) -> Any:
    return _files_touched(
        user_id,
        moment,
        after,
        limit,
        ~UserMediaProgress.completed,
        ~UserMediaProgress.dropped,
        _is_resumable(shortest, first, last),
    )


@statement
def files_begun(
    user_id: Any, moment: Any, after: Any, limit: Any, shortest: Any, first: Any, last: Any
) -> Any:
    """As files_unfinished, including files that were completed before."""
    return _files_touched(
        user_id,
        moment,
        after,
        limit,
        ~UserMediaProgress.dropped,
        _is_resumable(shortest, first, last),
    )


# Shows


@statement
def shows_of_files(ids: Any) -> Any:
    """The shows of files: (file, show's work, show, whether it is in the file's library)."""
    return (
        WorkFile.select(
            WorkFile.media_file_id, Work.show, TVShow.id, TVShow.library == MediaFile.library
        )
        .join(Work)
        .join(TVShow, on=(TVShow.work == Work.show))
        .join(MediaFile, JOIN.LEFT_OUTER, on=(MediaFile.id == WorkFile.media_file_id))
        .where(OneOf(WorkFile.media_file_id, ids))
        .tuples()
    )


@statement
def episodes_of_shows(works: Any) -> Any:
    """Every episode of the shows of these works, in every library."""
    return (
        TVShow.select(
            TVShow.work,
            TVShow.id,
            Episode.id,
            Episode.season_number,
            Episode.episode_number,
            Episode.media_file,
        )
        .join(Episode, on=(Episode.show == TVShow.id))
        .where(OneOf(TVShow.work, works))
        .tuples()
    )


@statement
def plays_of_shows(user_id: Any, works: Any) -> Any:
    """A user's rows of the episodes of these shows, removed ones included."""
    progress = UserMediaProgress
    # CROSS fixes the order, shows first: else SQLite reads all rows of the user.
    return (
        Work.select(
            Work.show,
            Work.season_number,
            Work.episode_number,
            progress.updated_at,
            progress.dropped,
            progress.completed,
            progress.play_count,
            progress.marked,
            progress.last_played_at,
        )
        .join(WorkFile, JOIN.CROSS)
        .join(progress, JOIN.CROSS)
        .where(
            OneOf(Work.show, works),
            WorkFile.work == Work.id,
            progress.user_id == user_id,
            progress.media_file_id == WorkFile.media_file_id,
        )
        .tuples()
    )


@statement
def episodes_by_ids(ids: Any) -> Any:
    return Episode.select(Episode, TVShow).join(TVShow).where(OneOf(Episode.id, ids))
