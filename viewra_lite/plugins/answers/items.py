"""What a plugin is asked about: a file, and the movie, the episodes or the track that it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Any

from ...database.orm.statements import Statement
from ...database.transactions.database import Database
from ...media.models import Episode, MediaFile, Movie, Track
from . import queries

_KEYS = ("imdb_id", "tmdb_id", "tvdb_id", "musicbrainz_id")
_SAID = ("title", "year", "artist", *_KEYS)
_DECIDED = ("person", "sidecar")  # sources that correct a question


@dataclass(frozen=True, slots=True)
class Item:
    """A media file that a plugin is asked about; None: not known, or of another kind."""

    id: str
    """Of the media file."""
    type: str
    """The kind: movie, episode, track or file."""
    path: str
    title: str | None = None
    """Of the movie, the episode or the track."""
    year: int | None = None
    """Of the movie, the show or the track."""
    movie_id: str | None = None
    show_id: str | None = None
    season_id: str | None = None
    episode_id: str | None = None
    """Of the first episode of the file."""
    episode_ids: tuple[str, ...] = ()
    """Of all its episodes, in order."""
    show: str | None = None
    """The title of the show."""
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    """The number of the last episode of the file, if it has several."""
    track_id: str | None = None
    album_id: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    disc: int | None = None
    track: int | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    tvdb_id: int | None = None
    musicbrainz_id: str | None = None
    """Of the recording."""
    show_imdb_id: str | None = None
    show_tmdb_id: int | None = None
    show_tvdb_id: int | None = None
    album_musicbrainz_id: str | None = None
    """Of the release."""
    question: str = ""
    """A hash of the facts that are asked about, by which a change is noticed."""

    @property
    def subject_id(self) -> str:
        """The id of the row that the answer is about."""
        return self.movie_id or self.episode_id or self.track_id or self.id


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of files that plugins can be asked about."""

    rows: Statement
    """The rows of present files, of any library."""
    make: Callable[[MediaFile, Sequence[Any]], Item]
    library_of: Callable[[Any], str]
    """The library that a row belongs to."""
    files: Statement | None = None
    """The files of rows whose events it reads."""
    file_of: Callable[[Any], MediaFile] = attrgetter("media_file")


def items_of(db: Database, kind: str, file_ids: Iterable[str]) -> dict[str, Item]:
    """Return the files of a kind that are present, by id."""
    rows_of: dict[str, list[Any]] = {}
    own = KINDS[kind]
    for row in db.all(own.rows, list(file_ids)):
        file = own.file_of(row)
        if file.library_id == own.library_of(row):
            rows_of.setdefault(file.id, []).append(row)
    return {id: own.make(own.file_of(rows[0]), rows) for id, rows in rows_of.items()}


def _file(file: MediaFile, _: Sequence[Any]) -> Item:
    return Item(id=file.id, type="file", path=file.path, question=_question(file, ()))


def _movie(file: MediaFile, rows: Sequence[Movie]) -> Item:
    movie = min(rows, key=attrgetter("id"))
    return Item(
        id=file.id,
        type="movie",
        path=file.path,
        title=movie.title,
        year=movie.year,
        movie_id=movie.id,
        imdb_id=movie.imdb_id,
        tmdb_id=movie.tmdb_id,
        question=_question(file, [movie]),
    )


def _episode(file: MediaFile, rows: Sequence[Episode]) -> Item:
    episodes = sorted(rows, key=lambda row: (row.season_number, row.episode_number or 0, row.id))
    first, last = episodes[0], episodes[-1]
    end = last.episode_number if len(episodes) > 1 else first.episode_number_end
    show = first.show
    return Item(
        id=file.id,
        type="episode",
        path=file.path,
        title=first.title,
        year=show.year,
        show_id=show.id,
        season_id=first.season_id,
        episode_id=first.id,
        episode_ids=tuple(row.id for row in episodes),
        show=show.title,
        season=first.season_number,
        episode=first.episode_number,
        episode_end=end,
        imdb_id=first.imdb_id,
        tmdb_id=first.tmdb_id,
        tvdb_id=first.tvdb_id,
        show_imdb_id=show.imdb_id,
        show_tmdb_id=show.tmdb_id,
        show_tvdb_id=show.tvdb_id,
        question=_question(file, [*episodes, show]),
    )


def _track(file: MediaFile, rows: Sequence[Track]) -> Item:
    track = min(rows, key=attrgetter("id"))
    album = track.album
    return Item(
        id=file.id,
        type="track",
        path=file.path,
        title=track.title,
        year=track.year or album.year,
        track_id=track.id,
        album_id=album.id,
        artist=track.artist or album.album_artist,
        album=album.title,
        album_artist=album.album_artist,
        disc=track.disc_number,
        track=track.track_number or None,
        musicbrainz_id=track.musicbrainz_id,
        album_musicbrainz_id=album.musicbrainz_id,
        question=_question(file, [track, album]),
    )


def _question(file: MediaFile, rows: Iterable[Any]) -> str:
    """Return a hash of the content of a file, its name, and the rows that it belongs to.

    Of the rows' values only what a person or a sidecar has said: what plugins answer must not make
    the file due again.
    """
    asked: list[object] = [file.identity, file.size, file.modified_ns]
    asked += [[row.id, _said(row)] for row in rows]
    return sha256(json.dumps(asked).encode()).hexdigest()


def _said(row: Any) -> dict[str, Any]:
    sources = row.sources if isinstance(row.sources, dict) else {}
    return {
        name: getattr(row, name)
        for name in _SAID
        if name in sources and sources[name] and sources[name][0] in _DECIDED
    }


_OF_ROW = attrgetter("library_id")

KINDS = {
    "movie": Kind(queries.movies_of_files, _movie, _OF_ROW, queries.files_of_movies),
    "episode": Kind(
        queries.episodes_of_files,
        _episode,
        attrgetter("show.library_id"),
        queries.files_of_episodes,
    ),
    "track": Kind(
        queries.tracks_of_files, _track, attrgetter("album.library_id"), queries.files_of_tracks
    ),
    "file": Kind(queries.files, _file, _OF_ROW, file_of=lambda row: row),
}
"""The kinds that a plugin can be asked about."""
