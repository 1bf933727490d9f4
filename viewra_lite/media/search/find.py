"""Finding a movie, an episode, a track or a file by the names of another program."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...database.checks import checked_id, checked_path, checked_text, checked_whole, or_none
from ...database.orm.fields import canonical_path
from ...database.transactions.database import Database
from .. import queries
from ..models import Episode, MediaFile, Movie, Track, best_of
from ..names.facts import VARIOUS_ARTISTS
from ..names.keys import LONGEST_KEY, fold
from . import find_queries, queries as search_queries, words
from .find_queries import Found

_YEAR_AT_THE_END = re.compile(r"(.*\S)\s*\(([12]\d{3})\)\s*", re.ASCII | re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_MOST_NEAR = 3
_LONGEST_TAIL = 32  # folders; no library is deeper


def movie(db: Database, title: str, year: int | None, library_id: str | None) -> Movie | None:
    """Return the movie with a title, or None if none or several match."""
    or_none(checked_whole, "year", year)
    with db.reader():
        libraries = _libraries(db, library_id)
        for name, which in readings(checked_text("title", title), year):
            found = only_of_year(_called(db, "movie", name, libraries), which)
            if found:
                best: Movie = _best(found)
                return best
    return None


def episode(
    db: Database, show: str, season_number: int, episode_number: int, year: int | None
) -> Episode | None:
    """Return an episode by the title of its show and its numbers, or None as movie() does."""
    or_none(checked_whole, "year", year)
    numbers = (
        checked_whole("season_number", season_number),
        checked_whole("episode_number", episode_number),
    )
    with db.reader():
        libraries = _libraries(db, None)
        for name, which in readings(checked_text("show", show), year):
            shows = only_of_year(_called(db, "show", name, libraries), which)
            ids = [each.id for each in shows]
            found = db.all(search_queries.episodes_numbered, ids, *numbers) if ids else []
            if found:
                best: Episode = _best(found)
                return best
    return None


def track(db: Database, title: str, artist: str | None, album: str | None) -> Track | None:
    """Return the track with a title, or None if none or several match."""
    or_none(checked_text, "artist", artist)
    or_none(checked_text, "album", album)
    key = _key(checked_text("title", title))
    rows = db.all(search_queries.titled("track"), key) if key else []
    found = [
        row
        for row in rows
        if (album is None or fold(row.album.title) == fold(album))
        and (artist is None or fold(artist) in _artists(row))
    ]
    # The same album in two libraries is not ambiguous.
    which = {(row.album.identity, row.disc_number, row.track_number) for row in found}
    return _best(found) if len(which) == 1 else None


def file(db: Database, path: str | os.PathLike[str]) -> MediaFile | None:
    """Return the file whose path has the same end as a path of another machine; see _tails()."""
    text = checked_path("path", path)
    tails = _tails(text)
    longest, found = 0, list[MediaFile]()
    with db.reader():
        for library in db.all(queries.libraries):
            lengths = {
                canonical_path(os.path.join(library.path, *tail)): len(tail) for tail in tails
            }
            if os.path.isabs(text):
                lengths[canonical_path(os.path.abspath(text))] = _LONGEST_TAIL + 1
            for row in db.all(search_queries.files_at, library.id, list(lengths)):
                length = lengths[row.path]
                if length > longest:
                    longest, found = length, []
                if length == longest:
                    found.append(row)
    is_one = len({row.identity or row.id for row in found}) == 1
    return best_of(found) if is_one else None


class Finder:
    """Finds many titles at once as movie(), episode() and track() find one, and caches the rows.

    Use it inside one transaction: later changes are not seen.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._titled: dict[str, dict[str, list[Found]]] = {"movie": {}, "show": {}, "track": {}}
        self._valued: dict[tuple[str, str], dict[Any, list[Found]]] = {}
        self._episodes: dict[str, list[Found]] = {}
        self._named: dict[str, dict[str, list[str]]] = {}

    def with_value(self, kind: str, column: str, values: Iterable[Any]) -> dict[Any, list[Found]]:
        """Return the rows of a kind by a column's value: an external id, or the id itself."""
        known = self._valued.setdefault((kind, column), {})
        missing = [value for value in dict.fromkeys(values) if value not in known]
        if missing:
            known.update((value, []) for value in missing)
            statement = find_queries.with_values(kind, column)
            for each in self._db.all(statement, missing):
                known[getattr(each, column)].append(each)
        return known

    def titled(self, kind: str, titles: Iterable[str]) -> dict[str, list[Found]]:
        """Return the movies, shows or tracks by title, as shown or as in the names of files."""
        known = self._titled[kind]
        keys = {title: _key(title) for title in dict.fromkeys(titles) if title not in known}
        by_key: dict[str, list[Found]] = {}
        missing = [key for key in dict.fromkeys(keys.values()) if key]
        if missing:
            for each in self._db.all(find_queries.titled_any(kind), missing):
                by_key.setdefault(_key(each.title), []).append(each)
        for title, key in keys.items():
            known[title] = by_key.get(key, [])
        if kind != "track":
            self._add_named(kind, keys)
        return known

    def episodes(self, show_ids: Iterable[str]) -> dict[str, list[Found]]:
        """Return every episode of shows, by the show's id."""
        missing = [id for id in dict.fromkeys(show_ids) if id not in self._episodes]
        if missing:
            self._episodes.update((id, []) for id in missing)
            statement = find_queries.with_values("episode", "show_id")
            for each in self._db.all(statement, missing):
                self._episodes[str(each.show_id)].append(each)
        return self._episodes

    def file_of(self, rows: Iterable[Found]) -> str | None:
        """Return a file of one of these rows, possibly a removed one; whole ones first."""
        works = []
        for row in rows:
            if row.media_file_id is not None:
                return row.media_file_id
            works.append(row.work_id)
        links = self._db.all(find_queries.files_of_works, works) if works else []
        return min(((link.part, link.file_id) for link in links), default=(0, None))[1]

    def near(self, kind: str, title: str) -> list[Found]:
        """Return movies or shows with similar file names, the most similar first."""
        import difflib

        key, names = fold(title), self._names(kind)
        if not key:
            return []
        longer = [
            name
            for name in names
            if f"{name}-".startswith(f"{key}-") or f"{key}-".startswith(f"{name}-")
        ]
        alike = [name for name in names if name[:1] == key[:1] and abs(len(name) - len(key)) < 4]
        close = difflib.get_close_matches(key, alike, n=_MOST_NEAR, cutoff=0.75)
        ids = [id for name in dict.fromkeys([*close, *longer]) for id in names[name]][:_MOST_NEAR]
        rows = self.with_value(kind, "id", ids)
        return [row for id in ids for row in rows[id]]

    def _add_named(self, kind: str, titles: Iterable[str]) -> None:
        """Add the rows whose file names have the titles: another title may be shown."""
        ids = {title: self._names(kind).get(fold(title), []) for title in titles}
        missing = list({id for each in ids.values() for id in each})
        rows = self.with_value(kind, "id", missing) if missing else {}
        for title, each in ids.items():
            shown = {row.id for row in self._titled[kind][title]}
            self._titled[kind][title] += [
                row for id in each for row in rows.get(id, ()) if id not in shown
            ]

    def _names(self, kind: str) -> dict[str, list[str]]:
        if kind not in self._named:
            found: dict[str, list[str]] = {}
            for id, identity in self._db.all(find_queries.identities(kind)):
                found.setdefault(identity.split(":")[1], []).append(id)
            self._named[kind] = found
        return self._named[kind]


def readings(title: str, year: int | None) -> Iterator[tuple[str, int | None]]:
    """Yield a title and a year unchanged, then "Dune (2021)" as a title with its year."""
    yield title, year
    ends = _YEAR_AT_THE_END.fullmatch(title)
    if ends is not None and year in (None, int(ends[2])):
        yield ends[1], int(ends[2])


# Inside


def _libraries(db: Database, library_id: str | None) -> list[str]:
    if library_id is not None:
        return [checked_id("library_id", library_id)]
    return [library.id for library in db.all(queries.libraries)]


def _key(title: str) -> str:
    return words.title_key(title)[:LONGEST_KEY]


def _called(db: Database, kind: str, title: str, libraries: Sequence[str]) -> list[Any]:
    """Return the movies or shows with a title, shown or in the names of their files."""
    model = search_queries.SEARCHED[kind][0]
    key = _key(title)
    rows = db.all(search_queries.titled(kind), key) if key else []
    found = {row.id: row for row in rows if row.library_id in libraries}
    if name := fold(title):
        start, end = f"{kind}:{name}:", f"{kind}:{name};"
        for library_id in libraries:
            for row in db.all(search_queries.named_between(model), library_id, start, end):
                found.setdefault(row.id, row)
    return list(found.values())


def only_of_year(rows: list[Any], year: int | None) -> list[Any]:
    """Return the rows of the requested year, else those of the only year if it is close enough.

    Programs differ by a year if a film was first shown at a festival.
    """
    years = {row.year for row in rows}
    if year in years and year is not None:
        return [row for row in rows if row.year == year]
    if len(years) != 1:
        return []
    (only,) = years
    return rows if year is None or only is None or abs(only - year) <= 1 else []


def _best(rows: list[Any]) -> Any:
    """Return the row with the best file: the others are the same title in other libraries."""
    with_file = [row for row in rows if row.media_file_id is not None]
    if not with_file:
        return rows[0]
    best = best_of(row.media_file for row in with_file)
    return next(row for row in with_file if row.media_file is best)


def _artists(row: Track) -> set[str]:
    return artist_keys(row.artist, row.artists, row.album.album_artist, row.album.artists)


def artist_keys(
    artist: str | None, artists: object, album_artist: str | None, album_artists: object
) -> set[str]:
    """Return the keys of a track's and its album's artists, as shown and as listed.

    Of those of a sampler each plays only some tracks: they are left out.
    """
    found = [artist, album_artist]
    for names in (artists, None if album_artist == VARIOUS_ARTISTS else album_artists):
        found += names if isinstance(names, list) else []
    return {fold(name) for name in found if isinstance(name, str) and name}


def _tails(path: str) -> list[list[str]]:
    """Return the ends of a path, folder by folder, as candidates below a library's root.

    The path may be from Windows, or from a Mac with decomposed accents.
    """
    if _DRIVE.match(path) or "/" not in path:
        path = path.replace("\\", "/")
    forms = dict.fromkeys((path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))))
    tails = []
    for form in forms:
        parts = [part for part in form.split("/") if part not in ("", ".", "..")][-_LONGEST_TAIL:]
        tails += [parts[start:] for start in range(len(parts))]
    return tails
