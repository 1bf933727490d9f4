"""The queries of the lists of what to watch: builders that run nothing."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from peewee import ColumnBase, JOIN

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ...media.models import Episode, MediaFile, TVShow, Work, WorkFile
from ..models import UserMediaProgress

# A user's files


def _files_touched(
    user_id: Placeholder,
    moment: Placeholder,
    after: Placeholder,
    limit: Placeholder,
    *conditions: ColumnBase,
) -> Query:
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
def files_recent(
    user_id: Placeholder, moment: Placeholder, after: Placeholder, limit: Placeholder
) -> Query:
    return _files_touched(user_id, moment, after, limit)


def _is_resumable(shortest: Placeholder, first: Placeholder, last: Placeholder) -> ColumnBase:
    """Whether a file may be resumed: by its least duration, and by shares of the duration."""
    progress = UserMediaProgress
    resumable: ColumnBase = (progress.position > 0) & (
        progress.duration.is_null()
        | (
            (progress.duration >= shortest)
            & (progress.position >= progress.duration * first)
            & (progress.position < progress.duration * last)
        )
    )
    return resumable


def _files_to_resume(*conditions: ColumnBase) -> Statement:
    def files_to_resume(
        user_id: Placeholder,
        moment: Placeholder,
        after: Placeholder,
        limit: Placeholder,
        shortest: Placeholder,
        first: Placeholder,
        last: Placeholder,
    ) -> Query:
        resumable = _is_resumable(shortest, first, last)
        not_dropped = ~UserMediaProgress.dropped
        return _files_touched(user_id, moment, after, limit, *conditions, not_dropped, resumable)

    return Statement(files_to_resume)


files_unfinished = _files_to_resume(~UserMediaProgress.completed)
files_begun = _files_to_resume()
"""Those that were completed before are included."""


# Shows


class ShowOfFile(NamedTuple):
    """A show that a file belongs to, in one library."""

    file_id: str
    work_id: str
    show_id: str
    is_in_library: bool | None
    """Whether the show is in the file's library."""


@statement
def shows_of_files(ids: Placeholder) -> Query:
    return (
        WorkFile.select(
            WorkFile.media_file_id, Work.show, TVShow.id, TVShow.library == MediaFile.library
        )
        .join(Work)
        .join(TVShow, on=(TVShow.work == Work.show))
        .join(MediaFile, JOIN.LEFT_OUTER, on=(MediaFile.id == WorkFile.media_file_id))
        .where(OneOf(WorkFile.media_file_id, ids))
        .objects(ShowOfFile)
    )


class EpisodeCopy(NamedTuple):
    """An episode's row in one library."""

    work_id: str
    """The show's."""
    show_id: str
    episode_id: str
    season: int
    number: int
    file_id: str | None


@statement
def episodes_of_shows(works: Placeholder) -> Query:
    """Every episode with a number of the shows of these works, in every library."""
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
        .where(OneOf(TVShow.work, works), Episode.episode_number.is_null(False))
        .objects(EpisodeCopy)
    )


class PlayOfShow(NamedTuple):
    """A user's progress in a file of an episode."""

    work_id: str
    """The show's."""
    season: int
    number: int
    updated_at: datetime
    dropped: bool
    completed: bool
    play_count: int
    marked: bool
    last_played_at: datetime | None


@statement
def plays_of_shows(user_id: Placeholder, works: Placeholder) -> Query:
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
        .objects(PlayOfShow)
    )


@statement
def episodes_by_ids(ids: Placeholder) -> Query:
    return Episode.select(Episode, TVShow).join(TVShow).where(OneOf(Episode.id, ids))
