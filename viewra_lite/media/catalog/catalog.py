"""The catalog: files become movies, shows with seasons and episodes, albums with tracks.

A scan writes only facts from names and tags: it inserts new rows, points each at its best file,
and never overwrites what plugins and people wrote. Everything runs in the caller's writer.
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
from ..names.keys import sort_title
from ..probing.tags import TagFacts
from ..search import indexing
from . import extras, matching
from .cleared import known
from .joining import Joining
from .music import Music
from .shows import Shows


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
            self._place_movie(file, name)
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
        for movie in list(Movie.select().where(Movie.media_file == file.id)):
            self._leave_movie(movie, file)
        self._shows.leave(file, [])
        self._music.leave(file, "")

    def merge_file(self, known: MediaFile | RemovedFile, new_row: MediaFile) -> MediaFile | None:
        """Merge a new row, which may be in the catalog already, into the row of the same file."""
        name = self._give_up_movie(new_row, known)
        episodes = _ids(Episode, new_row)
        tracks = _ids(Track, new_row)
        file = merge_into(self._db, known, new_row)
        if file is not None and name is not None:
            self._place_movie(file, name)
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
            for one in matching.alike(model, self._library, row)
            if versions.is_new(one, self._library, now) and not self._is_gone(one, gone)
        ]
        if len(new) == 1:
            others = matching.alike(model, self._library, new[0])
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
            name = MovieName(new_row.title, new_row.year)
            self._rename_movie(row, name, new_row.identity, new_row)

    def finish(self) -> None:
        """Update the counts of albums and the search index."""
        self._music.finish()
        for kind, ids in self._dirty_ids.items():
            indexing.index(self._db, kind, sorted(ids))
        self._dirty_ids.clear()

    # Movies

    def _place_movie(self, file: MediaFile, name: MovieName) -> None:
        rows, identity = matching.movies_of(self._db, self._library, file, name)
        movie = self._joining.joined(rows)
        for before in list(Movie.select().where(Movie.media_file == file.id)):
            if movie is not None and before.id == movie.id:
                continue
            is_last = versions.other_version(self._db, before, file) is None
            now = self._db.now()
            if is_last and (movie is None or versions.is_new(movie, self._library, now)):
                # Renamed or moved: the movie keeps its id, though the first of its files to be
                # probed may have become a new movie.
                self._rename_movie(before, name, identity, movie)
                movie = Movie.get_by_id(before.id)
            else:
                self._leave_movie(before, file)
        if movie is None:
            movie = self._new_movie(file, name, identity)
        elif known(movie, "year") is None and name.year is not None:
            self._give_year(movie, name.year, identity)
        matching.learn_ids(movie, name)
        if versions.is_better(self._db, file, movie.media_file_id):
            Movie.update(media_file=file.id).where(Movie.id == movie.id).execute()
        self._works.link(file.id, {movie.work_id: name.part or 0})

    def _give_year(self, movie: Movie, year: int, identity: str) -> None:
        Movie.update(year=year, identity=identity).where(Movie.id == movie.id).execute()
        self._works.rename("movie", self._library.id, movie.work_id, identity)
        self._dirty_ids["movie"].add(movie.id)

    def _new_movie(self, file: MediaFile, name: MovieName, identity: str) -> Movie:
        now = self._db.now()
        work = self._works.of_new_row(
            "movie", self._library.id, identity, movie_identity(name.title, None)
        )
        read = {
            "id": self._db.new_id(),
            "title": name.title,
            "sort_title": sort_title(name.title),
            "year": name.year,
            "tmdb_id": name.tmdb_id,
            "imdb_id": name.imdb_id,
        }
        movie: Movie = Movie.create(
            library=self._library.id,
            media_file=file.id,
            work=work,
            identity=identity,
            created_at=now,
            updated_at=now,
            **{**read, **self._works.take_kept(work)},
        )
        self._dirty_ids["movie"].add(movie.id)
        return movie

    def _rename_movie(
        self, movie: Movie, name: MovieName, identity: str, duplicate: Movie | None
    ) -> None:
        """Give a movie the new name of its files; a duplicate under that name is deleted."""
        changes: dict[str, Any] = {"identity": identity, "library": self._library.id}
        if movie.identity != identity and movie.identity.partition("#")[0] == movie_identity(
            movie.title, movie.year
        ):  # else a person has given it another title
            changes.update(title=name.title, sort_title=sort_title(name.title), year=name.year)
        if duplicate is not None:
            changes["media_file"] = duplicate.media_file_id
            Movie.delete().where(Movie.id == duplicate.id).execute()
        Movie.update(**changes, updated_at=self._db.now()).where(Movie.id == movie.id).execute()
        self._works.rename("movie", self._library.id, movie.work_id, identity)
        self._dirty_ids["movie"].add(movie.id)

    def _give_up_movie(self, new_row: MediaFile, known: Any) -> MovieName | None:
        """Delete a new row's movie if the known file has a movie to be renamed; return its name."""
        movie = Movie.get_or_none(Movie.media_file == new_row.id)
        own = Movie.get_or_none(Movie.media_file == known.id)
        if movie is None or own is None:
            return None
        part = self._works.parts_of(new_row.id).get(movie.work_id)
        if versions.other_version(self._db, movie, new_row) is None:
            Movie.delete().where(Movie.id == movie.id).execute()
        return MovieName(movie.title, movie.year, part=part or None)

    def _leave_movie(self, movie: Movie, file: MediaFile) -> None:
        other = versions.other_version(self._db, movie, file)
        if other is not None:
            Movie.update(media_file=other.id).where(Movie.id == movie.id).execute()
        else:
            self._works.keep(movie)
            Movie.delete().where(Movie.id == movie.id).execute()


def _ids(model: Any, file: MediaFile) -> list[str]:
    return [row.id for row in model.select(model.id).where(model.media_file == file.id)]
