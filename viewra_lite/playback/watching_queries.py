"""The questions of the lists and of the marks: query builders that run nothing."""

from __future__ import annotations

from typing import Any

from peewee import JOIN

from ..database.statements import OneOf, Statement, statement
from ..media.models import Episode, MediaFile, MediaLibrary, Movie, RemovedFile, Season, TVShow
from .models import UserMediaProgress

# What a user has touched


def _files_touched(user_id: Any, moment: Any, after: Any, limit: Any, *conditions: Any) -> Any:
    """A user's files, those that changed last first, after the one that a chunk ended with."""
    progress = UserMediaProgress
    return progress.select(progress.media_file_id, progress.updated_at).where(
        progress.user_id == user_id, *conditions, progress.updated_at <= moment,
        (progress.updated_at < moment) | (progress.media_file_id > after),
    ).order_by(progress.updated_at.desc(), progress.media_file_id).limit(limit).tuples()


@statement
def files_touched(user_id: Any, moment: Any, after: Any, limit: Any) -> Any:
    return _files_touched(user_id, moment, after, limit)


def _is_resumable(shortest: Any, first: Any, last: Any) -> Any:
    """Whether a file may be resumed: seconds that it runs at least, and shares of them."""
    progress = UserMediaProgress
    return (progress.position > 0) & (progress.duration.is_null() | (
        (progress.duration >= shortest) & (progress.position >= progress.duration * first)
        & (progress.position < progress.duration * last)
    ))


@statement
def files_unfinished(
    user_id: Any, moment: Any, after: Any, limit: Any, shortest: Any, first: Any, last: Any
) -> Any:
    return _files_touched(
        user_id, moment, after, limit, ~UserMediaProgress.completed, ~UserMediaProgress.dropped,
        _is_resumable(shortest, first, last),
    )


@statement
def files_begun(
    user_id: Any, moment: Any, after: Any, limit: Any, shortest: Any, first: Any, last: Any
) -> Any:
    """As files_unfinished, with those that were completed once."""
    return _files_touched(
        user_id, moment, after, limit, ~UserMediaProgress.dropped,
        _is_resumable(shortest, first, last),
    )


# Shows


@statement
def shows_of_files(ids: Any) -> Any:
    """Which shows files belong to: (file, the version of it that does, show's identity, show)."""
    own = Episode.select(Episode.media_file, Episode.media_file, TVShow.identity, TVShow.id).join(
        TVShow
    ).where(OneOf(Episode.media_file, ids))
    return own.union_all(_shows_of_versions(MediaFile.alias(), ids)).union_all(
        _shows_of_versions(RemovedFile.alias(), ids)
    ).tuples()


def _shows_of_versions(file: Any, ids: Any) -> Any:
    version, episode, show = MediaFile.alias(), Episode.alias(), TVShow.alias()
    return file.select(file.id, version.id, show.identity, show.id).join(
        version, on=(version.identity == file.identity)
    ).join(episode, on=(episode.media_file == version.id)).join(
        show, on=(show.id == episode.show)
    ).where(OneOf(file.id, ids))


def _of_these(show: Any, identities: Any) -> Any:
    libraries = MediaLibrary.alias()
    # Shows are indexed by library, then identity.
    return show.library.in_(libraries.select(libraries.id)) & OneOf(show.identity, identities)


@statement
def episodes_of_shows(identities: Any) -> Any:
    """Every episode of the shows of these identities, in every library."""
    return TVShow.select(
        TVShow.identity, TVShow.id, Episode.id, Episode.season_number, Episode.episode_number,
        Episode.media_file,
    ).join(Episode, on=(Episode.show == TVShow.id)).where(
        _of_these(TVShow, identities)
    ).tuples()


@statement
def plays_of_shows(user_id: Any, identities: Any) -> Any:
    """A user's rows of the episodes of these shows, whichever version of them was watched."""
    own = _plays(user_id, identities, None)
    return own.union(_plays(user_id, identities, MediaFile.alias())).union(
        _plays(user_id, identities, RemovedFile.alias())
    ).tuples()


def _plays(user_id: Any, identities: Any, version: Any) -> Any:
    show, episode, file = TVShow.alias(), Episode.alias(), MediaFile.alias()
    progress = UserMediaProgress.alias()
    found = show.select(
        show.identity, episode.season_number, episode.episode_number, progress.updated_at,
        progress.dropped, progress.completed, progress.play_count, progress.last_played_at,
    ).join(episode, on=(episode.show == show.id))
    watched = episode.media_file
    if version is not None:
        found = found.join(file, on=(file.id == episode.media_file)).join(
            version, on=(version.identity == file.identity)
        )
        watched = version.id
    # CROSS: from the shows to the user's rows; the other way SQLite would read all of a user's.
    return found.join(progress, JOIN.CROSS).where(
        _of_these(show, identities), progress.user_id == user_id,
        progress.media_file_id == watched,
    )


@statement
def episodes_by_ids(ids: Any) -> Any:
    return Episode.select(Episode, TVShow).join(TVShow).where(OneOf(Episode.id, ids))


# What is marked


def _row_by_id(model: Any) -> Statement:
    return Statement(lambda id: model.select().where(model.id == id))


movie_by_id, episode_by_id, season_by_id, show_by_id = map(
    _row_by_id, (Movie, Episode, Season, TVShow)
)


@statement
def files_of_movie(identity: Any, part: Any, part_end: Any) -> Any:
    """Every version and part of a movie: its identity, or that with a part's suffix."""
    of_part = (MediaFile.identity >= part) & (MediaFile.identity < part_end)
    return MediaFile.select().where(
        (MediaFile.identity == identity) | of_part
    ).order_by(MediaFile.path)


def _files_within(column: Any) -> Statement:
    return Statement(lambda id: Episode.select(Episode.media_file).where(
        column == id, Episode.media_file.is_null(False)
    ).order_by(Episode.season_number, Episode.episode_number).tuples())


files_of_episode = _files_within(Episode.id)
files_of_season = _files_within(Episode.season)
files_of_show = _files_within(Episode.show)
