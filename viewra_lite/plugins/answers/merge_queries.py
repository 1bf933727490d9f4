"""The queries of merging: builders that run nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from peewee import fn

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ...events.models import Change
from ...media.catalog import answered
from ...media.models import Album, Episode, MediaFile, Movie, Season, Track, TVShow, WorkFile
from ..models import PluginMetadata, PluginRow

MOST_ANSWERS = 500  # about the files of a show, a season or an album: the surest


class Answer(NamedTuple):
    """An answer about a file."""

    media_file_id: str
    plugin_id: str
    facts: dict[str, Any]
    confidence: float
    answered_at: datetime
    subject_id: str | None


class Place(NamedTuple):
    """An episode that a file has."""

    media_file_id: str
    episode_id: str


@statement
def unapplied(limit: Placeholder) -> Query:
    return (
        PluginMetadata.select(PluginMetadata.media_file)
        .where(PluginMetadata.applied_at.is_null())
        .order_by(PluginMetadata.media_file)
        .limit(limit)
        .tuples()
    )


@statement
def was_applied(now: Placeholder, file_id: Placeholder) -> Query:
    return PluginMetadata.update(applied_at=now).where(
        (PluginMetadata.media_file == file_id) & PluginMetadata.applied_at.is_null()
    )


@statement
def answers_about(file_id: Placeholder) -> Query:
    return (
        PluginMetadata.select()
        .where(PluginMetadata.media_file == file_id, PluginMetadata.answered_at.is_null(False))
        .order_by(PluginMetadata.plugin, PluginMetadata.metadata_type)
    )


def _answers() -> Any:
    return PluginMetadata.select(
        PluginMetadata.media_file,
        PluginMetadata.plugin,
        PluginMetadata.metadata,
        PluginMetadata.confidence,
        PluginMetadata.answered_at,
        PluginMetadata.subject_id,
    )


def _surest(query: Any) -> Query:
    found: Query = (
        query.order_by(
            PluginMetadata.confidence.desc(),
            PluginMetadata.answered_at.desc(),
            PluginMetadata.media_file,
            PluginMetadata.plugin,
        )
        .limit(MOST_ANSWERS)
        .objects(Answer)
    )
    return found


def _is_same(library: Any, other: Any) -> Any:
    """Compare libraries in a way that no index serves: SQLite would walk all rows of one."""
    return fn.COALESCE(library, "") == fn.COALESCE(other, "")


def _is_answer(kind: str) -> Any:
    return (PluginMetadata.metadata_type == kind) & PluginMetadata.metadata.is_null(False)


def _has(part: str) -> Any:
    """Whether the facts of an answer name a part; that a text of theirs may do so is harmless."""
    return PluginMetadata.metadata.cast("TEXT") ** f'%"{part}"%'


def _of_files(model: Any, kind: str, library: Any) -> Any:
    """Return the answers about the files of some rows of a model, in the library of the rows."""
    query = (
        _answers()
        .join(WorkFile, on=(WorkFile.media_file_id == PluginMetadata.media_file))
        .join(model, on=(model.work == WorkFile.work))
    )
    if model is Episode:
        query = query.join_from(model, TVShow)
    elif model is Track:
        query = query.join_from(model, Album)
    return query.join_from(PluginMetadata, MediaFile).where(
        _is_answer(kind), _is_same(MediaFile.library, library)
    )


@statement
def _of_movie(id: Placeholder) -> Query:
    return _surest(_of_files(Movie, "movie", Movie.library).where(Movie.id == id))


@statement
def _of_show(id: Placeholder) -> Query:
    query = _of_files(Episode, "episode", TVShow.library).where(Episode.show == id)
    return _surest(query.where(_has("show")))


@statement
def _of_season(id: Placeholder) -> Query:
    query = _of_files(Episode, "episode", TVShow.library).where(Episode.season == id)
    return _surest(query.where(_has("season")))


@statement
def _of_episode(id: Placeholder) -> Query:
    return _surest(_of_files(Episode, "episode", TVShow.library).where(Episode.id == id))


@statement
def _of_album(id: Placeholder) -> Query:
    query = _of_files(Track, "track", Album.library).where(Track.album == id)
    return _surest(query.where(_has("album")))


@statement
def _of_track(id: Placeholder) -> Query:
    return _surest(_of_files(Track, "track", Album.library).where(Track.id == id))


ANSWERS: dict[str, Statement] = {
    "movie": _of_movie,
    "show": _of_show,
    "season": _of_season,
    "episode": _of_episode,
    "album": _of_album,
    "track": _of_track,
}
"""The answers about the files of a row, by its kind."""


@statement
def movies_of(file_id: Placeholder) -> Query:
    found: Query = _rows_of(Movie, file_id).where(_is_same(Movie.library, MediaFile.library))
    return found


@statement
def tracks_of(file_id: Placeholder) -> Query:
    query = _rows_of(Track, file_id).join_from(Track, Album)
    found: Query = query.where(_is_same(Album.library, MediaFile.library))
    return found


@statement
def episodes_of(file_ids: Placeholder) -> Query:
    """Return the episodes of files, in the order of each file's."""
    return (
        Episode.select(WorkFile.media_file_id, Episode.id)
        .join(WorkFile, on=(WorkFile.work == Episode.work))
        .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
        .join_from(Episode, TVShow)
        .where(OneOf(WorkFile.media_file_id, file_ids), _is_same(TVShow.library, MediaFile.library))
        .order_by(
            WorkFile.media_file_id,
            Episode.season_number,
            fn.COALESCE(Episode.episode_number, 0),
            Episode.id,
        )
        .objects(Place)
    )


def _rows_of(model: Any, file_id: Placeholder) -> Any:
    return (
        model.select(model.id)
        .join(WorkFile, on=(WorkFile.work == model.work))
        .join(MediaFile, on=(MediaFile.id == WorkFile.media_file_id))
        .where(WorkFile.media_file_id == file_id)
        .order_by(model.id)
        .tuples()
    )


# Values without an answer


@statement
def plugins() -> Query:
    return PluginRow.select(PluginRow.id).order_by(PluginRow.id).tuples()


@statement
def has_left(after: Placeholder, events: Placeholder) -> Query:
    return Change.select(Change.id).where(Change.id > after, OneOf(Change.event, events)).limit(1)


def _answers_about(model: Any, plugin_id: Placeholder) -> Any:
    """Return the answers of a plugin about the files of the row of an outer query."""
    query = PluginMetadata.select(PluginMetadata.id).join(
        WorkFile, on=(WorkFile.media_file_id == PluginMetadata.media_file)
    )
    if model in _PARTS:
        own, parent = _PARTS[model]
        query = query.join(own, on=(own.work == WorkFile.work)).where(parent == model.id)
    else:
        query = query.where(WorkFile.work == model.work)
    return query.where(PluginMetadata.plugin == plugin_id, PluginMetadata.metadata.is_null(False))


def _rows_with(model: Any) -> Statement:
    def rows_with(pattern: Placeholder, after: Placeholder, limit: Placeholder) -> Query:
        found: Query = _named(model, pattern, after, limit)
        return found

    return statement(rows_with)


def _rows_without(model: Any) -> Statement:
    def rows_without(
        pattern: Placeholder, after: Placeholder, limit: Placeholder, plugin_id: Placeholder
    ) -> Query:
        answers = _answers_about(model, plugin_id)
        found: Query = _named(model, pattern, after, limit).where(~fn.EXISTS(answers))
        return found

    return statement(rows_without)


def _named(model: Any, pattern: Placeholder, after: Placeholder, limit: Placeholder) -> Any:
    is_named = model.sources.cast("TEXT") ** pattern
    query = model.select(model.id, model.sources).where(is_named, model.id > after)
    return query.order_by(model.id).limit(limit)


_PARTS: dict[Any, tuple[Any, Any]] = {
    TVShow: (Episode, Episode.show),
    Season: (Episode, Episode.season),
    Album: (Track, Track.album),
}
ROWS_WITH = {kind: _rows_with(model) for kind, model in answered.MODELS.items()}
"""By kind: rows whose sources name a plugin, a batch of them."""
ROWS_WITHOUT = {kind: _rows_without(model) for kind, model in answered.MODELS.items()}
"""By kind: those of them that have no answer of the plugin about their files."""
