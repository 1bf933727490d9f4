"""Finds the file of a row: by external id, by title and year, by episode numbers, or by path.

Uncertain matches are reported as near misses and never taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..database.transactions.database import Database
from ..errors import InvalidValueError
from ..media.names.keys import fold
from ..media.search import find
from ..media.search.find_queries import Found
from .record import IDS, SHOW_IDS, WatchedRecord

_MARK = re.compile(r"[\s.,:–-]S(\d{1,4})[\s.]?E(\d{1,4})\b", re.ASCII | re.IGNORECASE)
_MOST_NEAR = 3
_NO_MATCH = "is not in the library, or matches several titles"
_COLUMNS = {
    "movie": ("tmdb_id", "imdb_id"),
    "episode": ("tvdb_id", "tmdb_id", "imdb_id"),
    "show": ("tvdb_id", "tmdb_id", "imdb_id"),
    "track": ("musicbrainz_id",),
}


class NotMatched(Exception):
    """A row has too little information, or no match in the library."""

    def __init__(self, why: str, near: Iterable[Found] = ()) -> None:
        super().__init__(why)
        self.near = names_of(near)


def names_of(rows: Iterable[Found]) -> list[str]:
    """Return the distinct titles of the first few rows."""
    names = (f"{row.title} ({row.year})" if row.year else row.title for row in rows)
    return list(dict.fromkeys(names))[:_MOST_NEAR]


def kind_of(record: WatchedRecord) -> str:
    """Return the kind of a row: movie, episode or track; movie if it may be any."""
    if record.kind is not None:
        return record.kind
    if record.show is not None or any(getattr(record, name) is not None for name in SHOW_IDS):
        return "episode"
    is_track = (record.artist, record.album, record.musicbrainz_id) != (None, None, None)
    return "track" if is_track else "movie"


class Matcher:
    """Finds the files of rows in the caller's transaction, and caches the results."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._finder = find.Finder(db)

    def prefetch(self, records: Sequence[WatchedRecord]) -> None:
        """Query the ids and titles of many rows, in a few statements."""
        titles: dict[str, list[str]] = {"movie": [], "show": [], "track": []}
        for record in records:
            kind = kind_of(record)
            title = record.show if kind == "episode" else record.title
            if title is not None:
                of_kind = titles["show" if kind == "episode" else kind]
                of_kind += [name for name, _ in find.readings(title, record.year)]
        for kind, columns in _COLUMNS.items():
            prefix = "show_" if kind == "show" else ""
            row_kind = "episode" if kind == "show" else kind
            rows = [each for each in records if kind_of(each) == row_kind]
            for column in columns:
                values = [getattr(each, prefix + column) for each in rows]
                self._finder.with_value(kind, column, [each for each in values if each is not None])
        for kind, names in titles.items():
            self._finder.titled(kind, names)
        shows = [row.id for name in titles["show"] for row in self._titled("show", name)]
        self._finder.episodes(shows)

    def file(self, record: WatchedRecord) -> str:
        """Return the id of the file of a row; raises NotMatched."""
        try:
            rows = {"movie": self._movie, "episode": self._episode, "track": self._track}[
                kind_of(record)
            ](record)
        except NotMatched:
            at_path = self._at_path(record)
            if at_path is None:
                raise
            return at_path
        file = self._finder.file_of(rows) or self._at_path(record)
        if file is None:
            raise NotMatched("is in the library, but has no file")
        return file

    def near(self, record: WatchedRecord) -> list[str]:
        """Return the titles in the library that are similar to a row's."""
        kind = kind_of(record)
        title = record.show if kind == "episode" else record.title
        if kind == "track" or title is None:
            return []
        name = next(reversed([name for name, _ in find.readings(title, record.year)]))
        return names_of(self._finder.near("show" if kind == "episode" else "movie", name))

    def _at_path(self, record: WatchedRecord) -> str | None:
        if record.path is None:
            return None
        try:
            file = find.file(self._db, record.path)
        except InvalidValueError as exc:
            raise NotMatched(str(exc)) from exc
        return None if file is None else file.id

    # By id

    def _by_ids(self, kind: str, record: WatchedRecord) -> list[Found]:
        """Return the rows that have an id of the record; several only if they are one work."""
        prefix = "show_" if kind == "show" else ""
        found: dict[str, Found] = {}
        for column in _COLUMNS[kind]:
            value = getattr(record, prefix + column)
            if value is not None:
                found.update(
                    (row.id, row) for row in self._finder.with_value(kind, column, [value])[value]
                )
        return _one_work(list(found.values()), "has the ids of several works in the library")

    def _titled(self, kind: str, title: str) -> list[Found]:
        return self._finder.titled(kind, [title])[title]

    # Movies

    def _movie(self, record: WatchedRecord) -> list[Found]:
        found = self._by_ids("movie", record)
        if not found and record.kind is None and record.imdb_id is not None:
            found = self._by_ids("episode", record)
        if found:
            return found
        if record.title is None:
            raise NotMatched(_why_not_found(record))
        title, known = record.title, list[Found]()
        for name, year in find.readings(title, record.year):
            rows = self._titled("movie", name)
            known += rows
            found = find.only_of_year([row for row in rows if _agrees(row, record)], year)
            if found:
                return _one_work(found, "is the title of several movies")
        if record.kind != "movie":
            found = self._episode_in(record, title)
        if found:
            return found
        raise NotMatched(_NO_MATCH, known)

    def _episode_in(self, record: WatchedRecord, title: str) -> list[Found]:
        """Return the episode of a title like "Dark - S01E02" or "Dark: Secrets"."""
        mark = _MARK.search(title)
        if mark is not None:
            shows = self._shows(title[: mark.start()].rstrip(" .,:–-"), None, record)
            return self._numbered(shows, int(mark[1]), int(mark[2]))
        for at in (match.start() for match in re.finditer(": ", title)):
            shows = self._shows(title[:at], None, record)
            found = self._called(shows, None, title.rpartition(": ")[2])
            if found:
                return found
        return []

    # Episodes

    def _episode(self, record: WatchedRecord) -> list[Found]:
        found = self._by_ids("episode", record)
        if found:
            return found
        shows = self._by_ids("show", record)
        if shows:
            found = self._in_shows(shows, record)
        elif record.show is not None:
            for name, year in find.readings(record.show, record.year):
                shows = self._shows(name, year, record)
                found = self._in_shows(shows, record)
                if found:
                    break
            else:
                shows = self._shows(record.show, None, record) or shows
                found = self._of_its_year(shows, record)
        if found:
            return _one_work(found, "may be an episode of several shows")
        self._refuse_episode(record, shows)
        raise AssertionError

    def _refuse_episode(self, record: WatchedRecord, shows: list[Found]) -> None:
        if record.show is None and not any(getattr(record, name) for name in SHOW_IDS):
            raise NotMatched(_why_not_found(record))
        if record.title is None and (record.season is None or record.episode is None):
            raise NotMatched("names a show without the numbers of season and episode")
        near = self._titled("show", record.show) if record.show is not None else []
        raise NotMatched("is not in the library, but its show is" if shows else _NO_MATCH, near)

    def _shows(self, title: str, year: int | None, record: WatchedRecord) -> list[Found]:
        rows = [row for row in self._titled("show", title) if _agrees(row, record, "show_")]
        return find.only_of_year(rows, year)

    def _in_shows(self, shows: list[Found], record: WatchedRecord) -> list[Found]:
        if record.episode is not None:
            season = record.season
            return [] if season is None else self._numbered(shows, season, record.episode)
        return self._called(shows, record.season, record.title)

    def _of_its_year(self, shows: list[Found], record: WatchedRecord) -> list[Found]:
        """Return the episode of a row whose year may be the year of the episode."""
        begun = {show.id: show.year for show in shows}
        return [
            row
            for row in self._in_shows(shows, record)
            if record.year is None
            or (row.air_date is not None and str(row.air_date)[:4] == f"{record.year:04}")
            or (row.air_date is None and (begun[str(row.show_id)] or 0) <= record.year)
        ]

    def _every(self, shows: list[Found]) -> Iterator[Found]:
        known = self._finder.episodes(show.id for show in shows)
        for show in shows:
            yield from known[show.id]

    def _numbered(self, shows: list[Found], season: int, number: int) -> list[Found]:
        return [row for row in self._every(shows) if (row.season, row.number) == (season, number)]

    def _called(self, shows: list[Found], season: int | None, title: str | None) -> list[Found]:
        """Return the only episode with a title, in its season or else in any."""
        key = fold(title) if title is not None else ""
        rows = [row for row in self._every(shows) if key and row.title and fold(row.title) == key]
        found = [row for row in rows if season in (None, row.season)] or rows
        return found if len({row.work_id for row in found}) == 1 else []

    # Tracks

    def _track(self, record: WatchedRecord) -> list[Found]:
        found = self._by_ids("track", record)
        if found:
            return found
        if record.title is None:
            raise NotMatched(_why_not_found(record))
        rows = self._titled("track", record.title)
        found = [
            row
            for row in rows
            if (record.album is None or fold(row.album or "") == fold(record.album))
            and (record.artist is None or fold(record.artist) in _artists(row))
        ]
        if len({(row.show_id, row.season, row.number) for row in found}) == 1:
            return found
        raise NotMatched(_NO_MATCH, rows)


def _artists(row: Found) -> set[str]:
    return find.artist_keys(row.artist, row.artists, row.album_artist, row.album_artists)


def _agrees(row: Found, record: WatchedRecord, prefix: str = "") -> bool:
    """Whether no external id contradicts that a row and a record are the same work."""
    for name in IDS:
        given, known = getattr(record, prefix + name, None), getattr(row, name)
        if given is not None and known is not None and given != known:
            return False
    return True


def _one_work(rows: list[Found], why: str) -> list[Found]:
    if len({row.work_id for row in rows}) > 1:
        raise NotMatched(why, rows)
    return rows


def _why_not_found(record: WatchedRecord) -> str:
    if record.path is not None:
        return "no file in the library, or more than one, has this path or its end"
    if any(getattr(record, name) is not None for name in IDS):
        return "its id is not in the library, and it has no title"
    return "has no title, show, id or path"
