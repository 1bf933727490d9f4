"""Works: the movies, episodes and tracks that watch state belongs to, whatever their rows.

A movie, an episode or a track in two libraries is one work, and so is one that was removed and
returns: a new row takes the work with its identity. Files are linked to the works they hold; the
links of a removed file stay. Everything runs in the caller's writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ...database.orm.reading import Reading, columns_of, shaped
from ...database.orm.internals import stored
from ...database.transactions.database import Database
from .. import identities
from ..models import Album, Episode, Movie, TVShow, Track, Work
from . import work_queries as queries

# Columns that a restored row gets afresh.
_NOT_KEPT = ("library", "media_file", "work", "identity", "created_at", "updated_at")
_ROWS: dict[str, Any] = {"movie": Movie, "show": TVShow, "episode": Episode, "track": Track}


class Works:
    """Finds, links and merges works, inside the caller's writer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def named(self, kind: str, key: str) -> str:
        """Return the id of the work with a key, inserting it if needed."""
        found = self._db.one(queries.work_by_key, key)
        return found[0] if found is not None else self._new(kind, key)

    def of_new_row(self, kind: str, library_id: str, key: str, other_key: str | None = None) -> str:
        """Return the work for a row that is about to be inserted into a library.

        Two rows of one library are two works, so a work that another row has is not shared. A work
        without a row is also found by another key, the one without a year for example.
        """
        found = self._db.one(queries.work_by_key, key)
        if found is None and other_key not in (None, key):
            found = self._db.one(queries.work_by_key, other_key)
            model = _ROWS[kind]
            if found is not None and not model.select().where(model.work == found[0]).exists():
                self._db.run(queries.set_key, key, found[0])
                return str(found[0])
            found = None
        if found is None:
            return self._new(kind, key)
        if self._is_taken(kind, library_id, found[0]):
            self._db.run(queries.set_key, None, found[0])
            return self._new(kind, key)
        return str(found[0])

    def of_episode(self, show_id: str, season: int, number: int) -> str:
        """Return the work of an episode of a show's work, inserting it if needed."""
        found = self._db.one(queries.work_by_number, show_id, season, number)
        if found is not None:
            return str(found[0])
        return self._new("episode", None, show_id, season, number)

    def of_identity(self, identity: str) -> dict[str, int]:
        """Return the works that a file's identity names, each with the file's part of it."""
        if movie := identities.movie_part(identity):
            return {self.named("movie", movie[0]): movie[1]}
        if episodes := identities.episode_numbers(identity):
            show = self.named("show", episodes.show)
            return {
                self.of_episode(show, season, number): 0
                for season, numbers in episodes.seasons
                for number in numbers
            }
        kind = "track" if identity.startswith("track:") else "other"
        return {self.named(kind, identity): 0}

    def rename(self, kind: str, library_id: str, work_id: str, key: str) -> None:
        """Change the key of the work of a row in a library.

        The work that had the key is merged into this one, unless another row of the library uses
        it: then it loses the key.
        """
        found = self._db.one(queries.work_by_key, key)
        if found is not None and found[0] == work_id:
            return
        if found is not None and self._is_taken(kind, library_id, found[0]):
            self._db.run(queries.set_key, None, found[0])
        elif found is not None:
            self.merge(found[0], work_id)
        self._db.run(queries.set_key, key, work_id)

    def merge(self, gone: str, kept: str) -> None:
        """Merge a work into another, with its files, rows and episodes."""
        if gone == kept:
            return
        for child in self._db.all(queries.episodes_of, gone):
            duplicate = self._db.one(queries.work_by_number, kept, child.season, child.number)
            if duplicate is not None:
                self.merge(child.id, duplicate[0])
            else:
                self._db.run(queries.set_show, kept, child.id)
        for model in _ROWS.values():
            model.update(work=kept).where(model.work == gone).execute()
        for file_id, part in self._db.all(queries.files_of, gone):
            self._db.run(queries.insert_link, file_id, kept, part)
        Work.delete().where(Work.id == gone).execute()

    def keep(self, movie: Movie) -> None:
        """Keep the columns of a movie whose row is about to be deleted."""
        written = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in stored(movie).items()
            if value is not None and name not in _NOT_KEPT
        }
        Work.update(kept=written).where(Work.id == movie.work_id).execute()

    def take_kept(self, work_id: str) -> dict[str, Any]:
        """Return the kept columns of a movie without a row, and forget them."""
        work = self._db.one(queries.work_by_id, work_id)
        written: dict[str, Any] = shaped(work, "kept", _MOVIE)
        if written:
            Work.update(kept=None).where(Work.id == work_id).execute()
            if Movie.get_or_none(Movie.id == written["id"]) is not None:
                del written["id"]  # its removal was interrupted
        return written

    # Files

    def link_new(self, named: Mapping[str, str]) -> None:
        """Link new files, by id, to the works of their identities, in a few statements."""
        keys: dict[str, tuple[str, str, int]] = {}
        for file_id, identity in named.items():
            movie = identities.movie_part(identity)
            if movie is not None:
                keys[file_id] = ("movie", *movie)
            elif identities.episode_numbers(identity) is not None:
                self.link(file_id, self.of_identity(identity))
            else:
                keys[file_id] = ("track" if identity.startswith("track:") else "other", identity, 0)
        works = self._named_together({key: kind for kind, key, _ in keys.values()})
        links = [(file_id, works[key], part) for file_id, (_, key, part) in keys.items()]
        queries.insert_links.run(self._db, links)

    def parts_of(self, file_id: str) -> dict[str, int]:
        """Return the works that a file is linked to, each with the file's part of it."""
        return dict(self._db.all(queries.links_of, file_id))

    def link(self, file_id: str, parts: Mapping[str, int]) -> None:
        """Link a file to these works, and to no others."""
        before = self.parts_of(file_id)
        for work_id in before.keys() - parts.keys():
            self._db.run(queries.delete_link, file_id, work_id)
        for work_id, part in parts.items():
            if before.get(work_id) != part:
                self._db.run(queries.insert_link, file_id, work_id, part)

    def add(self, file_id: str, kind: str, work_id: str) -> None:
        """Link a file to one more work; its other links stay for episodes of the same show only."""
        before = self.parts_of(file_id)
        if work_id in before:
            return
        beside: set[str] = set()
        if kind == "episode" and before:
            beside = {id for (id,) in self._db.all(queries.of_same_show, work_id, list(before))}
        kept = {id: part for id, part in before.items() if id in beside}
        self.link(file_id, {**kept, work_id: 0})

    def move_links(self, gone_file: str, kept_file: str) -> None:
        """Move the links of a file to the file that it is merged into."""
        parts = self.parts_of(gone_file)
        if parts:
            self.link(kept_file, parts)
            self.link(gone_file, {})

    def swap_links(self, one: str, other: str) -> None:
        """Swap the links of two files."""
        parts = self.parts_of(one)
        self.link(one, self.parts_of(other))
        self.link(other, parts)

    # Inside

    def _named_together(self, kinds: Mapping[str, str]) -> dict[str, str]:
        """Return the works of many keys, inserting those that are new."""
        found = dict(self._db.all(queries.works_by_keys, list(kinds)))
        new = [key for key in kinds if key not in found]
        found.update(zip(new, self._db.new_ids(len(new))))
        rows = [(found[key], kinds[key], key) for key in new]
        queries.insert_works.run(self._db, rows)
        return found

    def _new(self, kind: str, key: str | None, *episode: object) -> str:
        id = self._db.new_id()
        self._db.run(queries.insert_work, id, kind, key, *(episode or (None, None, None)))
        return id

    def _is_taken(self, kind: str, library_id: str, work_id: str) -> bool:
        model = _ROWS[kind]
        rows = model.select().where(model.work == work_id)
        of_library = Album.library if model is Track else model.library
        rows = rows.join(Album) if model is Track else rows
        return bool(rows.where(of_library == library_id).exists())


def _read_movie(stored: object) -> dict[str, Any]:
    """Return the kept columns of a movie, its id included."""
    written = {} if stored is None else columns_of(Movie, stored)
    if stored is not None and (not written["id"] or not written.keys().isdisjoint(_NOT_KEPT)):
        raise ValueError(stored)
    return written


_MOVIE = Reading("a JSON object of a movie's columns", _read_movie)
