"""The catalog: files become movies, shows with seasons and episodes, albums with tracks.

A scan writes what names, tags and the files beside say: it inserts new rows, points each at its
best file, corrects what it has read before, and never overwrites what plugins and people wrote.
Everything runs in the caller's writer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from ...database.transactions.database import Database
from .. import queries
from ..files import versions
from ..files.relink import merge_into
from ..files.works import Works
from ..identities import movie_identity
from ..models import Episode, MediaFile, MediaLibrary, Movie, RemovedFile, Track, TVShow
from ..names.facts import EpisodeName, ExtraName, MovieName, NameFacts, TrackName
from ..probing.tags import TagFacts
from ..search import indexing
from . import events, extras, matching, sources
from .cleared import known
from .joining import Joining
from .music.tracks import Music
from .shows import Shows
from .sources import Read, Speaker


class Catalog:
    """Places files as movies, episodes and tracks, inside one writer; finish() ends each batch."""

    def __init__(self, db: Database, library: MediaLibrary) -> None:
        self._db = db
        self._library = library
        self._dirty_ids: dict[str, set[str]] = defaultdict(set)
        self._works = Works(db)
        self._joining = Joining(db, library, self._works, self._dirty_ids)
        self._shows = Shows(db, library, self._works, self._joining, self._dirty_ids)
        self._music = Music(db, library, self._works, self._dirty_ids)

    def place(self, file: MediaFile, name: NameFacts, tags: TagFacts | None = None) -> None:
        """Link a file to its movie, episodes or track, inserted if needed, or record an extra.

        The rows it was linked to before get another version, or are deleted.
        """
        if isinstance(name, MovieName):
            self._place_movie(file, name, _read(name))
        elif isinstance(name, EpisodeName):
            self._shows.place(file, name)
        elif isinstance(name, TrackName):
            self._music.place(file, name, tags)
        if isinstance(name, ExtraName):
            self.release(file)
            self._works.link(file.id, {})
            extras.place(self._db, file, name)
        else:
            extras.leave(self._db, file)

    def release(self, file: MediaFile) -> None:
        """Take a file that is about to be deleted out of the catalog.

        Its rows get another version; a row without one is deleted, unless a plugin or a person
        wrote to it.
        """
        for movie in self._db.all(queries.movies_of_file, file.id):
            self._leave_movie(movie, file)
        self._shows.leave(file, [])
        self._music.leave(file, "")

    def merge_file(self, known: MediaFile | RemovedFile, new_row: MediaFile) -> MediaFile | None:
        """Merge a new row, which may be in the catalog already, into the row of the same file."""
        movie = self._give_up_movie(new_row, known)
        episodes = _ids(Episode, new_row)
        tracks = _ids(Track, new_row)
        file = merge_into(self._db, known, new_row)
        if file is not None and movie is not None:
            self._place_movie(file, *movie)
        if file is not None and episodes:
            self._shows.leave(file, episodes)
        if file is not None and tracks:
            self._music.leave(file, tracks[0])
        return file

    def prefer_present(self, ids: Sequence[str]) -> None:
        """Point the rows of missing files at a version that is present, if there is one."""
        models: tuple[Any, ...] = (Movie, Episode, Track)
        for model in models:
            for row in list(model.select().where(model.media_file.in_(ids))):
                gone = self._db.one(queries.file_by_id, row.media_file_id)
                other = versions.other_version(self._db, row, gone)
                if other is not None and other.status == "present":
                    model.update(media_file=other.id).where(model.id == row.id).execute()

    def rename_into(self, some: Sequence[str], gone: Collection[str]) -> None:
        """Merge each movie and show of some files with the new row that replaced it.

        It must be the only new one of its title, and all files of the old one must be gone. gone
        are all files that a scan has not found, which may not be marked as missing yet.
        """
        of_movies = Movie.select().where(Movie.media_file.in_(some))
        of_shows = TVShow.select().join(Episode).where(Episode.media_file.in_(some)).distinct()
        for row in [*of_movies, *of_shows]:
            if self._is_gone(row, gone):
                self._replace_by_new(row, gone)

    def _replace_by_new(self, row: Any, gone: Collection[str]) -> None:
        model, now = type(row), self._db.now()
        new = [
            one
            for one in matching.alike(self._db, model, self._library, row)
            if versions.is_new(one, self._library, now) and not self._is_gone(one, gone)
        ]
        if len(new) == 1:
            others = matching.alike(self._db, model, self._library, new[0])
            if [one.id for one in others if self._is_gone(one, gone)] == [row.id]:
                self._replace(row, new[0])

    def _is_gone(self, row: Any, gone: Collection[str]) -> bool:
        rows = [row] if isinstance(row, Movie) else Episode.select().where(Episode.show == row.id)
        files = [file for one in rows for file in versions.files_of(self._db, one)]
        return bool(files) and all(file.id in gone or file.status == "missing" for file in files)

    def _replace(self, row: Any, new_row: Any) -> None:
        if isinstance(row, TVShow):
            self._shows.replace(row, new_row)
        else:
            self._rename_movie(row, sources.read_of(new_row), new_row.identity, new_row)

    def join_equal(self, row: Movie | TVShow) -> str:
        """Join a movie or a show with those that have its external id; return the id of the oldest.

        A file beside, or a plugin, said which one it is after it had been placed by its name.
        """
        rows: list[Any] = matching.of_equal_ids(row)
        joined = self._joining.joined(rows)
        return str(joined.id if joined is not None else row.id)

    def finish(self) -> None:
        """Update the counts of albums and the search index."""
        self._music.finish()
        for kind, ids in self._dirty_ids.items():
            indexing.index(self._db, kind, sorted(ids))
            events.updated(self._db, kind, sorted(ids))
        self._dirty_ids.clear()

    # Movies

    def _place_movie(self, file: MediaFile, name: MovieName, read: Read) -> None:
        rows, identity = matching.movies_of(self._db, self._library, file, name)
        movie = self._joining.joined(rows)
        for before in self._db.all(queries.movies_of_file, file.id):
            if movie is not None and before.id == movie.id:
                continue
            is_last = versions.other_version(self._db, before, file) is None
            now = self._db.now()
            if is_last and (movie is None or versions.is_new(movie, self._library, now)):
                # Renamed or moved: the movie keeps its id, though the first of its files to be
                # probed may have become a new movie.
                identity = matching.own_identity(before, name, identity)
                self._rename_movie(before, read, identity, movie)
                movie = Movie.get_by_id(before.id)
            else:
                self._leave_movie(before, file)
        if movie is None:
            movie = self._new_movie(file, name, read, identity)
        else:
            self._read_movie(movie, file, name, read, identity)
        self._works.link(file.id, {movie.work_id: name.part or 0})

    def _read_movie(
        self, movie: Movie, file: MediaFile, name: MovieName, read: Read, identity: str
    ) -> None:
        """Give a known movie what a file says of it; the best file decides."""
        best = sources.best_file(self._db, movie, file)
        is_best = best == file.id
        changes: dict[str, Any] = {} if best == movie.media_file_id else {"media_file": best}
        before = known(movie, "year")

        def others() -> list[str]:
            return versions.other_paths(self._db, movie, file)

        def decides() -> bool:
            # One with the id of the movie and another year may have a wrong name.
            is_same = None in (before, name.year) or before == name.year
            return is_best if is_same else not sources.is_in(before, others())

        speaker = Speaker(decides, others)
        changes.update(sources.changes(movie, read, speaker, _implied(movie)))
        year = changes.get("year", before)
        if not changes.keys().isdisjoint(("title", "year")) and year == name.year:
            changes["identity"] = identity
            self._works.rename("movie", self._library.id, movie.work_id, identity)
        self._update(movie, changes)

    def _update(self, movie: Movie, changes: dict[str, Any]) -> None:
        if not changes.keys() <= {"media_file", "sources"}:
            changes["updated_at"] = self._db.now()
            self._dirty_ids["movie"].add(movie.id)
        if changes:
            Movie.update(**changes).where(Movie.id == movie.id).execute()

    def _new_movie(self, file: MediaFile, name: MovieName, read: Read, identity: str) -> Movie:
        now = self._db.now()
        work = self._works.of_new_row(
            "movie", self._library.id, identity, movie_identity(name.title, None)
        )
        values = sources.of_new_row(Movie, read)
        if kept := self._works.take_kept(work):
            values = {**kept, **sources.changes(Movie(**kept), read)}
        movie: Movie = Movie.create(
            library=self._library.id,
            media_file=file.id,
            work=work,
            identity=identity,
            created_at=now,
            updated_at=now,
            **{"id": self._db.new_id(), **values},
        )
        events.added(self._db, movie)
        self._dirty_ids["movie"].add(movie.id)
        return movie

    def _rename_movie(
        self, movie: Movie, read: Read, identity: str, duplicate: Movie | None
    ) -> None:
        """Give a movie the new name of its files; a duplicate under that name is deleted."""
        if duplicate is not None:
            self._works.merge(duplicate.work_id, movie.work_id)
            read = {**sources.read_of(duplicate), **read}
            events.delete(self._db, [duplicate])
        changes = sources.changes(movie, read, implied=_implied(movie))
        changes.update(identity=identity, library=self._library.id)
        if duplicate is not None:
            changes["media_file"] = duplicate.media_file_id
        self._works.rename("movie", self._library.id, movie.work_id, identity)
        self._update(movie, changes)

    def _give_up_movie(self, new_row: MediaFile, known: Any) -> tuple[MovieName, Read] | None:
        """Delete a new row's movie if the known file has a movie to be renamed.

        Returns its name, and all that was read of it.
        """
        movie = Movie.get_or_none(Movie.media_file == new_row.id)
        own = Movie.get_or_none(Movie.media_file == known.id)
        if movie is None or own is None:
            return None
        part = self._works.parts_of(new_row.id).get(movie.work_id)
        if versions.other_version(self._db, movie, new_row) is None:
            events.delete(self._db, [movie])
        ids = (movie.tmdb_id, movie.imdb_id)
        name = MovieName(movie.title, movie.year, None, part or None, *ids)
        return name, sources.read_of(movie)

    def _leave_movie(self, movie: Movie, file: MediaFile) -> None:
        other = versions.other_version(self._db, movie, file)
        if other is not None:
            Movie.update(media_file=other.id).where(Movie.id == movie.id).execute()
        else:
            self._works.keep(movie)
            events.delete(self._db, [movie])


def _read(name: MovieName) -> Read:
    """Return what the name of a file says of its movie."""
    columns = ("title", "year", "tmdb_id", "imdb_id")
    return {sources.NAME: {column: getattr(name, column) for column in columns}}


def _implied(movie: Movie) -> tuple[str, ...]:
    """Return the columns that are those of a movie's name, unless a person has changed them."""
    is_named = movie.identity.partition("#")[0] == movie_identity(movie.title, movie.year)
    return ("title", "year") if is_named else ()


def _ids(model: Any, file: MediaFile) -> list[str]:
    return [row.id for row in model.select(model.id).where(model.media_file == file.id)]
