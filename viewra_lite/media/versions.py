"""What makes files the same movie, episode or track, and which of them is the best."""

from __future__ import annotations

import os
import re
from typing import Any

from ..database.sessions import Sessions
from . import queries
from .models import Album, Episode, MediaFile, MediaLibrary, Movie, Season, Track, TVShow
from .name_facts import EpisodeName, fold

UNKNOWN_ALBUM = "Unknown Album"
UNKNOWN_ARTIST = "Unknown Artist"

# What only plugins and people write: a row with any of it stays when its last file goes.
_CURATED = {
    TVShow: ("overview", "tagline", "tmdb_id", "first_air_date", "poster_path"),
    Season: ("title", "overview", "tmdb_id", "tvdb_id", "air_date", "poster_path"),
    Episode: ("overview", "tmdb_id", "tvdb_id", "imdb_id", "still_path"),
    Album: ("release_date", "album_type", "label", "cover_path"),
    Track: ("lyrics",),
}
_SPAN = re.compile(r"(s\d+)((?:-?e\d+)+)")


def movie_identity(title: str, year: int | None) -> str:
    """Return what makes a movie one in a library; its files' identities start with it."""
    return f"movie:{fold(title)}:{year or ''}"


def show_identity(title: str, year: int | None) -> str:
    """Return what makes a show one in a library."""
    return f"show:{fold(title)}:{year or ''}"


def album_identity(title: str, album_artist: str | None) -> str:
    """Return what makes an album one in a library."""
    return f"album:{fold(album_artist or UNKNOWN_ARTIST)}:{fold(title)}"


def is_new(row: Any, library: MediaLibrary) -> bool:
    """Whether a movie or a show was made by the scan that runs, or by one that was interrupted."""
    return bool(row.created_at > (library.last_scan or library.created_at))


def is_curated(row: Any) -> bool:
    """Whether a plugin or a person wrote about it."""
    return any(getattr(row, name) is not None for name in _CURATED[type(row)])


def numbers(name: EpisodeName) -> tuple[int, tuple[int, ...]]:
    """Return season and episode numbers; absolute numbers are season 1, dates year and month-day.
    """
    if name.episodes:
        return (1 if name.season is None else name.season), name.episodes
    if name.absolute is not None:
        return (1 if name.season is None else name.season), (name.absolute,)
    if name.air_date is not None:
        return name.air_date.year, (name.air_date.month * 100 + name.air_date.day,)
    return 1, ()


def rank(file: MediaFile) -> tuple[bool, bool, int, int]:
    """Return what versions are compared by: the best one is the greatest."""
    return file.status == "present", file.error is None, file.height or 0, file.size or 0


def is_better(sessions: Sessions, file: MediaFile, current_id: str | None) -> bool:
    """Whether a file should stand for its movie, episode or track instead of the current one."""
    if current_id is None:
        return True
    if current_id == file.id:
        return False
    current: MediaFile | None = sessions.one(queries.file_by_id, current_id)
    if current is None or rank(file) == rank(current):
        # Of equals the same one always: the first by path.
        return current is None or file.path < current.path
    return rank(file) > rank(current)


def other_version(
    sessions: Sessions, library: MediaLibrary, row: Any, file: MediaFile, was: str | None
) -> MediaFile | None:
    """Return the best file of a movie, an episode or a track besides one; was is its identity."""
    if isinstance(row, Movie):
        files = of_movie(sessions, row)
    elif isinstance(row, Episode):
        files = of_episode(sessions, library.id, was, row.episode_number)
    else:
        files = alike(sessions, library.id, was)
    return max((one for one in files if one.id != file.id), key=rank, default=None)


def of_movie(sessions: Sessions, movie: Movie) -> list[MediaFile]:
    """Return a movie's files, by path: every version, and every part of one."""
    # A part's identity is the movie's and what part it is.
    files = alike(sessions, movie.library_id, movie.identity) + _named_between(
        sessions, movie.library_id, f"{movie.identity}:", f"{movie.identity};"
    )
    if movie.media_file_id is not None and all(file.id != movie.media_file_id for file in files):
        best = sessions.one(queries.file_by_id, movie.media_file_id)
        files += [best] if best is not None else []
    return sorted(files, key=_by_path)


def alike(sessions: Sessions, library_id: str, identity: str | None) -> list[MediaFile]:
    """Return the files of a library with an identity, by path."""
    if not identity:
        return []
    return _within(library_id, sessions.all(queries.files_named, identity))


def of_episode(
    sessions: Sessions, library_id: str, identity: str | None, number: int
) -> list[MediaFile]:
    """Return the files that hold an episode, one of which has or had an identity.

    Files with several episodes of the same season are among them.
    """
    show, _, which = (identity or "").rpartition(":")
    span = _SPAN.fullmatch(which)
    if span is None:
        return alike(sessions, library_id, identity)
    start = f"{show}:{span[1]}e"
    files = _named_between(sessions, library_id, start, start + ":")
    return [file for file in files if number in _span(str(file.identity))]


def _named_between(
    sessions: Sessions, library_id: str, start: str, end: str
) -> list[MediaFile]:
    return _within(library_id, sessions.all(queries.files_named_between, start, end))


def _within(library_id: str, files: list[MediaFile]) -> list[MediaFile]:
    return sorted((file for file in files if file.library_id == library_id), key=_by_path)


def _by_path(file: MediaFile) -> bytes:
    return os.fsencode(file.path)


def _span(identity: str) -> tuple[int, ...]:
    """Return the episodes that an identity's last part names: s01e02, s01e02-e04, s01e02e05."""
    found = [int(number) for number in re.findall(r"e(\d+)", identity.rpartition(":")[2])]
    if "-" in identity.rpartition(":")[2]:
        return tuple(range(found[0], found[-1] + 1))
    return tuple(found)
