"""The queries of finding many titles at once: builders that run nothing."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from peewee import SQL, ModelSelect

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ..models import Album, Episode, Movie, TVShow, Track, WorkFile
from .models import SearchDocument


class Found(NamedTuple):
    """A movie, a show, an episode or a track, with the columns that identify it."""

    id: str
    work_id: str
    media_file_id: str | None
    title: str
    year: int | None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    tvdb_id: int | None = None
    musicbrainz_id: str | None = None
    show_id: str | None = None
    """Of an episode; of a track the album's identity."""
    season: int | None = None
    """Of a track the disc."""
    number: int | None = None
    artist: str | None = None
    artists: object = None
    album: str | None = None
    album_artist: str | None = None
    album_artists: object = None
    air_date: date | None = None


_COLUMNS: dict[str, dict[str, Any]] = {
    "movie": {
        "id": Movie.id,
        "work_id": Movie.work,
        "media_file_id": Movie.media_file,
        "title": Movie.title,
        "year": Movie.year,
        "tmdb_id": Movie.tmdb_id,
        "imdb_id": Movie.imdb_id,
    },
    "show": {
        "id": TVShow.id,
        "work_id": TVShow.work,
        "title": TVShow.title,
        "year": TVShow.year,
        "tmdb_id": TVShow.tmdb_id,
        "imdb_id": TVShow.imdb_id,
        "tvdb_id": TVShow.tvdb_id,
    },
    "episode": {
        "id": Episode.id,
        "work_id": Episode.work,
        "media_file_id": Episode.media_file,
        "title": Episode.title,
        "tmdb_id": Episode.tmdb_id,
        "imdb_id": Episode.imdb_id,
        "tvdb_id": Episode.tvdb_id,
        "show_id": Episode.show,
        "season": Episode.season_number,
        "number": Episode.episode_number,
        "air_date": Episode.air_date,
    },
    "track": {
        "id": Track.id,
        "work_id": Track.work,
        "media_file_id": Track.media_file,
        "title": Track.title,
        "musicbrainz_id": Track.musicbrainz_id,
        "show_id": Album.identity,
        "season": Track.disc_number,
        "number": Track.track_number,
        "artist": Track.artist,
        "artists": Track.artists,
        "album": Album.title,
        "album_artist": Album.album_artist,
        "album_artists": Album.artists,
    },
}
_MODELS: dict[str, Any] = {"movie": Movie, "show": TVShow, "episode": Episode, "track": Track}


def _source(kind: str) -> ModelSelect[Any]:
    columns = _COLUMNS[kind]
    query: ModelSelect[Any] = (
        _MODELS[kind]
        .select(*(columns.get(name, SQL("NULL")) for name in Found._fields))
        .objects(Found)
    )
    return query.join(Album) if kind == "track" else query


@lru_cache(maxsize=None)
def with_values(kind: str, column: str) -> Statement:
    """Return the statement for the rows whose column is in a list."""
    return Statement(
        lambda values: (
            _source(kind).where(OneOf(_COLUMNS[kind][column], values)).order_by(_MODELS[kind].id)
        )
    )


@lru_cache(maxsize=None)
def titled_any(kind: str) -> Statement:
    """Return the statement for the rows of many titles: argument their title_keys."""
    column = getattr(SearchDocument, kind)

    def build(keys: Placeholder) -> Query:
        ids = SearchDocument.select(column).where(
            SearchDocument.kind == kind, OneOf(SearchDocument.title_key, keys)
        )
        model = _MODELS[kind]
        return _source(kind).where(model.id.in_(ids)).order_by(model.id)

    return Statement(build)


@lru_cache(maxsize=None)
def identities(kind: str) -> Statement:
    """Return the statement for the id and the identity of every row of a kind."""
    model = _MODELS[kind]
    return Statement(lambda: model.select(model.id, model.identity).tuples())


class FileOfWork(NamedTuple):
    """A file, possibly a removed one, and the part of a work that it holds."""

    file_id: str
    part: int


@statement
def files_of_works(ids: Placeholder) -> Query:
    """Every file that is, or was, a file of these works."""
    return (
        WorkFile.select(WorkFile.media_file_id, WorkFile.part)
        .where(OneOf(WorkFile.work, ids))
        .order_by(WorkFile.media_file_id)
        .objects(FileOfWork)
    )
