"""Find a movie, an episode, a track or a file by what another program says of it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from ..database.checks import (
    checked_id, checked_path, checked_text, checked_whole, or_none,
)
from ..database.fields import stored_path
from ..database.sessions import Sessions
from . import queries, search
from .models import Episode, MediaFile, Movie, Track, best_of
from .name_facts import LONGEST_KEY, fold

_YEAR_AT_THE_END = re.compile(r"(.*\S)\s*\(([12]\d{3})\)\s*", re.ASCII | re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_LONGEST_TAIL = 32  # folders; no library is deeper


def movie(
    sessions: Sessions, title: str, year: int | None, library_id: str | None
) -> Movie | None:
    """Return the movie of a title, or None where there is none or one cannot tell which."""
    or_none(checked_whole, "year", year)
    with sessions.reader():
        libraries = _libraries(sessions, library_id)
        for name, of_year in _readings("title", title, year):
            found = _of_year(_called(sessions, "movie", name, libraries), of_year)
            if found:
                best: Movie = _best(found)
                return best
    return None


def episode(
    sessions: Sessions, show: str, season_number: int, episode_number: int, year: int | None
) -> Episode | None:
    """Return an episode by the title of its show and its numbers, or None as movie() does."""
    or_none(checked_whole, "year", year)
    numbers = (
        checked_whole("season_number", season_number),
        checked_whole("episode_number", episode_number),
    )
    with sessions.reader():
        libraries = _libraries(sessions, None)
        for name, of_year in _readings("show", show, year):
            shows = _of_year(_called(sessions, "show", name, libraries), of_year)
            ids = [each.id for each in shows]
            found = sessions.all(queries.episodes_numbered, ids, *numbers) if ids else []
            if found:
                best: Episode = _best(found)
                return best
    return None


def track(
    sessions: Sessions, title: str, artist: str | None, album: str | None
) -> Track | None:
    """Return the track of a title, or None where there is none or one cannot tell which."""
    or_none(checked_text, "artist", artist)
    or_none(checked_text, "album", album)
    key = _key(checked_text("title", title))
    rows = sessions.all(queries.titled("track"), key) if key else []
    found = [
        row for row in rows
        if (album is None or fold(row.album.title) == fold(album))
        and (artist is None or fold(artist) in _artists(row))
    ]
    # The same album in two libraries is no question of which.
    which = {(row.album.identity, row.disc_number, row.track_number) for row in found}
    return _best(found) if len(which) == 1 else None


def file(sessions: Sessions, path: str | os.PathLike[str]) -> MediaFile | None:
    """Return the file whose path ends as a path of another machine does; see _tails()."""
    text = checked_path("path", path)
    tails = _tails(text)
    longest, found = 0, list[MediaFile]()
    with sessions.reader():
        for library in sessions.all(queries.libraries):
            lengths = {
                stored_path(os.path.join(library.path, *tail)): len(tail) for tail in tails
            }
            if os.path.isabs(text):
                lengths[stored_path(os.path.abspath(text))] = _LONGEST_TAIL + 1
            for row in sessions.all(queries.files_at, library.id, list(lengths)):
                length = lengths[stored_path(row.path)]
                if length > longest:
                    longest, found = length, []
                if length == longest:
                    found.append(row)
    is_one = len({row.identity or row.id for row in found}) == 1
    return best_of(found) if is_one else None


# Inside


def _libraries(sessions: Sessions, library_id: str | None) -> list[str]:
    if library_id is not None:
        return [checked_id("library_id", library_id)]
    return [library.id for library in sessions.all(queries.libraries)]


def _readings(
    name: str, title: str, year: int | None
) -> Iterator[tuple[str, int | None]]:
    """Yield a title and a year as they are, then "Dune (2021)" as a title with its year."""
    yield checked_text(name, title), year
    ends = _YEAR_AT_THE_END.fullmatch(title)
    if ends is not None and year in (None, int(ends[2])):
        yield ends[1], int(ends[2])


def _key(title: str) -> str:
    return search.title_key(title)[:LONGEST_KEY]


def _called(sessions: Sessions, kind: str, title: str, libraries: Sequence[str]) -> list[Any]:
    """Return the movies or shows that are shown under a title, or whose files are named so."""
    model = queries.SEARCHED[kind][0]
    key = _key(title)
    rows = sessions.all(queries.titled(kind), key) if key else []
    found = {row.id: row for row in rows if row.library_id in libraries}
    if name := fold(title):
        start, end = f"{kind}:{name}:", f"{kind}:{name};"
        for library_id in libraries:
            for row in sessions.all(queries.named_between(model), library_id, start, end):
                found.setdefault(row.id, row)
    return list(found.values())


def _of_year(rows: list[Any], year: int | None) -> list[Any]:
    """Return the rows of one year: the one asked for, else the only one where that may be meant.

    Programs differ by a year where a film came out at a festival first.
    """
    years = {row.year for row in rows}
    if year in years and year is not None:
        return [row for row in rows if row.year == year]
    if len(years) != 1:
        return []
    (only,) = years
    return rows if year is None or only is None or abs(only - year) <= 1 else []


def _best(rows: list[Any]) -> Any:
    """Return the row with the best file: the others are the same thing in other libraries."""
    with_file = [row for row in rows if row.media_file_id is not None]
    if not with_file:
        return rows[0]
    best = best_of(row.media_file for row in with_file)
    return next(row for row in with_file if row.media_file is best)


def _artists(row: Track) -> set[str]:
    return {fold(name) for name in (row.artist, row.album.album_artist) if name}


def _tails(path: str) -> list[list[str]]:
    """Return the ends of a path, folder by folder, as they may stand below a library's root.

    It may have been written on Windows, and on a Mac with its accents apart.
    """
    if _DRIVE.match(path) or "/" not in path:
        path = path.replace("\\", "/")
    forms = dict.fromkeys((path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))))
    tails = []
    for form in forms:
        parts = [part for part in form.split("/") if part not in ("", ".", "..")][-_LONGEST_TAIL:]
        tails += [parts[start:] for start in range(len(parts))]
    return tails
