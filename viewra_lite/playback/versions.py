"""Versions: the files of the same movie, episode or track, and the title they belong to.

Files of one work (another quality, another library, a removed file) are versions of it: a user
who has watched one has watched all. A file of several episodes shares completion with each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from peewee import JOIN

from ..database.orm.nodes import OneOf, Placeholder
from ..database.orm.statements import Query, statement
from ..database.pages import readable
from ..database.transactions.database import Database
from ..media.models import Episode, MediaExtra, MediaFile, Movie, Track, TVShow, best_of
from . import queries
from .shared import Parts


class Versions:
    """The requested files and every file that shares a work with one; read in three statements.

    for_list: files that cannot be read are left out, as for a list; else CorruptStoreError.
    """

    def __init__(self, db: Database, ids: Collection[str], *, for_list: bool = False) -> None:
        self.requested = list(dict.fromkeys(ids))
        self.kinds: dict[str, str] = {}
        """The kind of each work, by its id."""
        self.parts: Parts = self._load_parts(db)
        every = list({*self.requested, *self.parts})
        read = partial(readable, db) if for_list else db.all
        self.files: dict[str, MediaFile] = {
            file.id: file for file in read(queries.files_by_ids, every)
        }
        self.removed_names: dict[str, str] = {}
        unknown = [id for id in self.requested if id not in self.files]
        if unknown:
            for removed in db.all(queries.removed_by_ids, unknown):
                self.removed_names[removed.id] = removed.filename

    def _load_parts(self, db: Database) -> Parts:
        found = defaultdict(set)
        self._of_work: dict[str, set[str]] = defaultdict(set)
        for row in db.all(queries.parts_around, self.requested):
            found[row.file_id].add((row.work_id, row.part))
            self._of_work[row.work_id].add(row.file_id)
            self.kinds[row.work_id] = row.kind
        return {id: frozenset(parts) for id, parts in found.items()}

    def is_known(self, id: str) -> bool:
        """Whether a file is, or was, in the store."""
        return id in self.files or id in self.removed_names or id in self.parts

    def works_of(self, id: str) -> list[str]:
        """Return the ids of the works that a file holds."""
        return [work_id for work_id, _ in self.parts.get(id, ())]

    def ids_of(self, id: str) -> set[str]:
        """Return the ids of a file and of all that share a work with it, removed ones included."""
        return {id}.union(*(self._of_work[work_id] for work_id in self.works_of(id)))

    def is_music(self, id: str) -> bool:
        """Whether a file is known to be music."""
        kinds = {self.kinds[work_id] for work_id in self.works_of(id)}
        return "track" in kinds or is_music(self.files.get(id))

    def playable(self, id: str) -> MediaFile | None:
        """Return the file itself if it is on disk, else its best version on disk, or None."""
        own, parts = self.files.get(id), self.parts.get(id)
        if own is not None and own.status == "present":
            return own
        present = [
            self.files[one]
            for one in (self.ids_of(id) if parts else ())
            if self.parts[one] == parts
            and one in self.files
            and self.files[one].status == "present"
        ]
        return best_of(present) if present else None


def is_music(file: MediaFile | None) -> bool:
    """Whether a file is known to be music, which has its own thresholds."""
    return file is not None and names_music(file.identity, file.mime_type)


def names_music(identity: str | None, mime_type: str | None) -> bool:
    """Whether a file's identity or type is that of music."""
    return (identity or "").startswith("track:") or (mime_type or "").startswith("audio/")


@dataclass(frozen=True, slots=True)
class Subject:
    """The title of a file: a movie, episodes of a show, a track, an extra, or none."""

    kind: str
    """movie, episode, track, extra or other."""
    title: str
    """For lists: Dune (2021), Dark S01E01 Secrets, Gould - Aria, Dune (2021) - Teaser."""
    top_title: str
    """The key of statistics: the show, the movie or the show of an extra, else the title."""
    movie: Movie | None = None
    episodes: list[Episode] = field(default_factory=list)
    """In order; several where the file holds several. Each has its `show`."""
    track: Track | None = None

    @property
    def show(self) -> TVShow | None:
        """The show of an episode, else None."""
        return self.episodes[0].show if self.episodes else None


def subjects(db: Database, versions: Versions) -> dict[str, Subject]:
    """Return the title of each requested file, by id, without removed files that have none."""
    rows = _rows_of_works(db, versions.kinds)
    found = _extras(db, versions)
    for id in versions.requested:
        if id in found:
            continue
        file = versions.files.get(id)
        own = _in_one_library(
            [row for work_id in versions.works_of(id) for row in rows[work_id]],
            None if file is None else file.library_id,
        )
        if own or file is not None:
            found[id] = _subject(own, "" if file is None else file.filename, is_music(file))
    return found


class _Extra(NamedTuple):
    file_id: str
    title: str
    movie: str | None
    year: int | None
    show: str | None


@statement
def _extras_of_files(file_ids: Placeholder) -> Query:
    return (
        MediaExtra.select(
            MediaExtra.media_file, MediaExtra.title, Movie.title, Movie.year, TVShow.title
        )
        .join(Movie, JOIN.LEFT_OUTER)
        .switch(MediaExtra)
        .join(TVShow, JOIN.LEFT_OUTER)
        .where(OneOf(MediaExtra.media_file, file_ids))
        .objects(_Extra)
    )


def _extras(db: Database, versions: Versions) -> dict[str, Subject]:
    ids = [id for id in versions.requested if id in versions.files and versions.files[id].is_extra]
    found = {}
    for extra in db.all(_extras_of_files, ids) if ids else ():
        owner = extra.show if extra.movie is None else _movie_title(extra.movie, extra.year)
        title = extra.title if owner is None else f"{owner} - {extra.title}"
        found[extra.file_id] = Subject("extra", title, owner or title)
    return found


def subject_of(db: Database, id: str) -> Subject:
    """Return the title of one file."""
    versions = Versions(db, [id])
    known = subjects(db, versions).get(id)
    if known is None:
        name = _title_of_name(versions.removed_names.get(id, id))
        known = Subject("other", name, name)
    return known


def _rows_of_works(db: Database, kinds: dict[str, str]) -> dict[str, list[Any]]:
    """Return the movies, episodes (with their shows) and tracks of works, by work."""
    ids: dict[str, list[str]] = defaultdict(list)
    for work_id, kind in kinds.items():
        ids[kind].append(work_id)
    rows: dict[str, list[Any]] = defaultdict(list)
    for kind, of_works in (
        ("movie", queries.movies_of_works),
        ("episode", queries.episodes_of_works),
        ("track", queries.tracks_of_works),
    ):
        for row in readable(db, of_works, ids[kind]) if ids[kind] else ():
            rows[row.work_id].append(row)
    return rows


def _in_one_library(rows: list[Any], library_id: str | None) -> list[Any]:
    """Return the rows in the file's own library if it has any, else in the library added first."""
    libraries = {_library_id(row) for row in rows}
    chosen = library_id if library_id in libraries else min(libraries, default=None)
    return [row for row in rows if _library_id(row) == chosen]


def _library_id(row: Any) -> str:
    if isinstance(row, Episode):
        return str(row.show.library_id)
    return str(row.album.library_id if isinstance(row, Track) else row.library_id)


def _subject(rows: list[Any], filename: str, music: bool) -> Subject:
    if not rows:
        title = _title_of_name(filename)
        return Subject("track" if music else "other", title, title)
    first = rows[0]
    if isinstance(first, Movie):
        title = _movie_title(first.title, first.year)
        return Subject("movie", title, title, movie=first)
    if isinstance(first, Track):
        artist = first.artist or first.album.album_artist
        title = f"{artist} - {first.title}" if artist else first.title
        return Subject("track", title, title, track=first)
    episodes = sorted(rows, key=lambda row: (row.season_number, row.episode_number or 0))
    show = episodes[0].show
    return Subject("episode", _episode_title(show, episodes), show.title, episodes=episodes)


def _movie_title(title: str, year: int | None) -> str:
    return f"{title} ({year})" if year else title


def _title_of_name(filename: str) -> str:
    name = filename.rpartition(".")[0] or filename
    # A stored name that is not UTF-8 has lone surrogates, which a title must not have.
    return name.encode("utf-8", "replace").decode("utf-8")


def _episode_title(show: TVShow, episodes: list[Episode]) -> str:
    first, last = episodes[0], episodes[-1]
    number = ""
    if first.episode_number is not None:
        number = f"S{first.season_number:02}E{first.episode_number:02}"
    if last is not first:
        season = "" if last.season_number == first.season_number else f"S{last.season_number:02}"
        number += f"-{season}E{last.episode_number:02}"
    return " ".join(filter(None, (show.title, number, first.title)))
