"""The queries of the work list: builders that run nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from peewee import Expression

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, statement
from ...database.transactions.inserts import Insert
from ...events.models import Change
from ...media.models import Album, Episode, MediaFile, Movie, Track, TVShow, WorkFile
from ..models import PluginCursor, PluginMetadata

_FILE = (
    MediaFile.id,
    MediaFile.library,
    MediaFile.path,
    MediaFile.identity,
    MediaFile.size,
    MediaFile.modified_ns,
)
_IS_PRESENT = MediaFile.status == "present"


class Known(NamedTuple):
    """The row of a plugin about a file, without the facts."""

    id: str
    media_file_id: str
    answered_at: datetime | None
    due_at: datetime | None
    failures: int | None
    question: str | None
    subject_id: str | None
    is_unknown: bool


# Files and what they belong to


@statement
def files(ids: Placeholder) -> Query:
    return MediaFile.select(*_FILE).where(OneOf(MediaFile.id, ids), _IS_PRESENT)


@statement
def movies_of_files(ids: Placeholder) -> Query:
    columns = (
        Movie.id,
        Movie.library,
        Movie.title,
        Movie.year,
        Movie.imdb_id,
        Movie.tmdb_id,
        Movie.sources,
    )
    return _with_files(Movie.select(*columns, *_FILE), Movie, ids)


@statement
def episodes_of_files(ids: Placeholder) -> Query:
    columns = (
        Episode.id,
        Episode.season,
        Episode.season_number,
        Episode.episode_number,
        Episode.episode_number_end,
        Episode.title,
        Episode.imdb_id,
        Episode.tmdb_id,
        Episode.tvdb_id,
        Episode.sources,
    )
    of_show = (
        TVShow.id,
        TVShow.library,
        TVShow.title,
        TVShow.year,
        TVShow.imdb_id,
        TVShow.tmdb_id,
        TVShow.tvdb_id,
        TVShow.sources,
    )
    query = Episode.select(*columns, *_FILE, *of_show)
    return _with_files(query, Episode, ids, TVShow)


@statement
def tracks_of_files(ids: Placeholder) -> Query:
    columns = (
        Track.id,
        Track.title,
        Track.artist,
        Track.disc_number,
        Track.track_number,
        Track.year,
        Track.musicbrainz_id,
        Track.sources,
    )
    of_album = (
        Album.id,
        Album.library,
        Album.title,
        Album.album_artist,
        Album.year,
        Album.musicbrainz_id,
        Album.sources,
    )
    query = Track.select(*columns, *_FILE, *of_album)
    return _with_files(query, Track, ids, Album)


def _with_files(query: Any, model: Any, ids: Placeholder, parent: Any = None) -> Query:
    """Join rows with all their files; return them for the files with the given ids, if present.

    Rows of other libraries, which share the work, come too: a condition on the library would make
    SQLite walk all movies of one.
    """
    found: Any = (
        query.join(WorkFile, on=(WorkFile.work == model.work))
        .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
        .where(OneOf(WorkFile.media_file_id, ids), _IS_PRESENT)
    )
    joined: Query = found if parent is None else found.join_from(model, parent)
    return joined


@statement
def files_of_movies(ids: Placeholder) -> Query:
    return _files_of(Movie, ids)


@statement
def files_of_episodes(ids: Placeholder) -> Query:
    return _files_of(Episode, ids)


@statement
def files_of_tracks(ids: Placeholder) -> Query:
    return _files_of(Track, ids)


def _files_of(model: Any, ids: Placeholder) -> Query:
    return (
        WorkFile.select(WorkFile.media_file_id)
        .join(model, on=(model.work == WorkFile.work))
        .where(OneOf(model.id, ids))
        .tuples()
    )


# Where a plugin has read to


@statement
def files_after(id: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.id)
        .where(MediaFile.id > id)
        .order_by(MediaFile.id)
        .limit(limit)
        .tuples()
    )


@statement
def changes_between(
    after: Placeholder, until: Placeholder, events: Placeholder, limit: Placeholder
) -> Query:
    return (
        Change.select()
        .where(Change.id > after, Change.id <= until, OneOf(Change.event, events))
        .order_by(Change.id)
        .limit(limit)
    )


@statement
def cursor(plugin_id: Placeholder, kind: Placeholder) -> Query:
    return PluginCursor.select().where(
        (PluginCursor.plugin == plugin_id) & (PluginCursor.metadata_type == kind)
    )


insert_cursors = Insert(
    PluginCursor.plugin,
    PluginCursor.metadata_type,
    PluginCursor.file_id,
    PluginCursor.change_id,
    PluginCursor.change_at,
)


@statement
def save_cursor(
    file_id: Placeholder,
    is_complete: Placeholder,
    change_id: Placeholder,
    change_at: Placeholder,
    plugin_id: Placeholder,
    kind: Placeholder,
) -> Query:
    return PluginCursor.update(
        file_id=file_id, is_complete=is_complete, change_id=change_id, change_at=change_at
    ).where((PluginCursor.plugin == plugin_id) & (PluginCursor.metadata_type == kind))


# Answers


def _of(plugin_id: Placeholder, kind: Placeholder) -> Expression:
    is_ours: Expression = (PluginMetadata.plugin == plugin_id) & (
        PluginMetadata.metadata_type == kind
    )
    return is_ours


@statement
def due_files(
    plugin_id: Placeholder, kind: Placeholder, now: Placeholder, limit: Placeholder
) -> Query:
    return (
        PluginMetadata.select(PluginMetadata.media_file)
        .where(_of(plugin_id, kind), PluginMetadata.due_at <= now)
        .order_by(PluginMetadata.due_at, PluginMetadata.media_file)
        .limit(limit)
        .tuples()
    )


@statement
def known(plugin_id: Placeholder, kind: Placeholder, ids: Placeholder) -> Query:
    return (
        PluginMetadata.select(
            PluginMetadata.id,
            PluginMetadata.media_file,
            PluginMetadata.answered_at,
            PluginMetadata.due_at,
            PluginMetadata.failures,
            PluginMetadata.question,
            PluginMetadata.subject_id,
            PluginMetadata.metadata.is_null(),
        )
        .where(_of(plugin_id, kind), OneOf(PluginMetadata.media_file, ids))
        .objects(Known)
    )


insert_due = Insert(
    PluginMetadata.id,
    PluginMetadata.plugin,
    PluginMetadata.media_file,
    PluginMetadata.metadata_type,
    PluginMetadata.created_at,
    PluginMetadata.due_at,
    PluginMetadata.question,
    PluginMetadata.subject_id,
    PluginMetadata.applied_at,
)


@statement
def ask_again(
    due_at: Placeholder, question: Placeholder, subject_id: Placeholder, id: Placeholder
) -> Query:
    return PluginMetadata.update(
        due_at=due_at, question=question, subject_id=subject_id, failures=0, error=None
    ).where(PluginMetadata.id == id)


@statement
def withdraw(id: Placeholder) -> Query:
    return PluginMetadata.update(metadata=None, answered_at=None, applied_at=None).where(
        PluginMetadata.id == id
    )


@statement
def park(plugin_id: Placeholder, kind: Placeholder, ids: Placeholder) -> Query:
    return PluginMetadata.update(due_at=None).where(
        _of(plugin_id, kind), OneOf(PluginMetadata.media_file, ids)
    )


@statement
def answer(
    metadata: Placeholder,
    confidence: Placeholder,
    now: Placeholder,
    due_at: Placeholder,
    plugin_id: Placeholder,
    kind: Placeholder,
    file_id: Placeholder,
    question: Placeholder,
) -> Query:
    return PluginMetadata.update(
        metadata=metadata,
        confidence=confidence,
        answered_at=now,
        due_at=due_at,
        failures=0,
        error=None,
        applied_at=None,
    ).where(
        _of(plugin_id, kind),
        PluginMetadata.media_file == file_id,
        PluginMetadata.question == question,
    )


@statement
def failures(plugin_id: Placeholder, kind: Placeholder, file_id: Placeholder) -> Query:
    return (
        PluginMetadata.select(PluginMetadata.failures)
        .where(_of(plugin_id, kind), PluginMetadata.media_file == file_id)
        .tuples()
    )


@statement
def fail(
    failures: Placeholder,
    error: Placeholder,
    due_at: Placeholder,
    plugin_id: Placeholder,
    kind: Placeholder,
    file_id: Placeholder,
    question: Placeholder,
) -> Query:
    return PluginMetadata.update(failures=failures, error=error, due_at=due_at).where(
        _of(plugin_id, kind),
        PluginMetadata.media_file == file_id,
        PluginMetadata.question == question,
    )
