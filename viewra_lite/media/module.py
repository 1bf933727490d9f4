"""The media module's verbs: libraries, files, scanning, movies, shows, music, search."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from ..database.checks import (
    NOT_GIVEN,
    checked_choice,
    checked_id,
    checked_limit,
    checked_moment,
    checked_text,
    checked_whole,
    known_id,
    no_such,
    or_none,
    refused,
)
from ..database.orm.statements import Statement
from ..database.pages import Page, page_of, start_after
from ..module import Module
from . import libraries, queries
from .models import (
    LIBRARY_TYPES,
    MODELS,
    Album,
    Episode,
    MediaFile,
    MediaLibrary,
    Movie,
    Season,
    Track,
    TVShow,
)

# What scans, saves and searches is imported by the verbs that do: it takes longer than to open
# the store and read from it.
if TYPE_CHECKING:
    from .scanning.facts import ScanResult
    from .scanning.reconcile import Reconciliation
    from .search.searching import SearchHit

Row = TypeVar("Row")


class MediaModule(Module):
    """Libraries, the files in them, and what the files are."""

    name = "media"
    models = MODELS
    migrations = "viewra_lite.media.migrations"

    # Libraries

    def add_library(
        self, name: str, path: str | PathLike[str], type: str, *, scan_interval: int = 3600
    ) -> MediaLibrary:
        """Add a folder to scan; type is movie, tv or music, scan_interval seconds (0 = never).

        On disk before it returns. Raises InvalidValueError for a path that is no folder,
        ConflictError where it overlaps another library.
        """
        now = self.db.now()
        values: dict[str, Any] = {
            "id": self.db.new_id(),
            "name": libraries.checked_name(name),
            "path": libraries.checked_root(path),
            "type": checked_choice("type", type, LIBRARY_TYPES),
            "scan_interval": checked_whole("scan_interval", scan_interval),
            "created_at": now,
            "updated_at": now,
        }
        with self.db.writer(durable=True):
            libraries.refuse_overlap(values["path"], self.libraries())
            MediaLibrary.create(**values)
        return self.library(values["id"])

    def library(self, id: str) -> MediaLibrary:
        """Return a library; raises NotFoundError."""
        return libraries.found(self.db, id)

    def find_library(self, path: str | PathLike[str]) -> MediaLibrary | None:
        """Return the library whose root is this folder, or None."""
        root = libraries.absolute(path)
        library: MediaLibrary | None = self.db.one(queries.library_by_path, root)
        return library

    def libraries(self) -> list[MediaLibrary]:
        """Return all libraries, by name."""
        return self.db.all(queries.libraries)

    def libraries_due(self, now: datetime | None = None) -> list[MediaLibrary]:
        """Return the libraries whose scan_interval has passed since their last completed scan."""
        moment = or_none(checked_moment, "now", now) or self.db.now()
        return [library for library in self.libraries() if libraries.is_due(library, moment)]

    def update_library(self, id: str, **changes: Any) -> MediaLibrary:
        """Change name, path, type or scan_interval; on disk before it returns.

        A new path takes the known files along, in one transaction. Raises NotFoundError,
        InvalidValueError, ConflictError (overlap; type of a library that holds files; a new path
        while it is being scanned).
        """
        self.library(id)
        with ExitStack() as held:
            if "path" in changes:
                held.enter_context(libraries.claimed(self.db, id))
            with self.db.writer(durable=True):
                self._update_library(self.library(id), changes)
        return self.library(id)

    def remove_library(self, id: str) -> None:
        """Delete a library and its files' rows, in bounded transactions; media stays on disk.

        Progress and history stay, and files that come back get their ids again. Raises
        NotFoundError, and ConflictError while it is being scanned.
        """
        with libraries.claimed(self.db, self.library(id).id) as library:
            libraries.remove(self.db, library)

    # Scanning

    def scan(
        self, library_id: str, *, progress: Any = None, accept_missing: bool = False
    ) -> ScanResult:
        """Walk and probe a library's folder; progress(phase, done, total) is called as it goes.

        Phases are walk, probe and finish. Writes in transactions of at most scan_batch_ms; an
        interrupted scan resumes with the next. accept_missing: somebody says that what vanished
        is really gone, however much it is; an unreadable or empty folder is still not believed.
        Raises NotFoundError, and ConflictError while another scan of this library runs in any
        process.
        """
        from .scanning.scan import scan

        if progress is not None and not callable(progress):
            raise refused("progress", "a function, or None", progress)
        files = self.reconcile(library_id, accept_missing=accept_missing)
        result = scan(self.db, files, self.config, progress)
        self.db.emit("library_scanned", library_id)
        return result

    def reconcile(self, library_id: str, *, accept_missing: bool = False) -> Reconciliation:
        """Return a context manager that takes a library's files as FileFacts, without probing.

        A clean exit marks what was not added as missing; accept_missing as in scan(). Raises
        NotFoundError at once, and ConflictError on entry while a scan of this library runs.
        """
        from .scanning.reconcile import Reconciliation

        library = self.library(library_id)
        return Reconciliation(self.db, library, self.config, accept_missing=accept_missing)

    # Files

    def file(self, id: str) -> MediaFile:
        """Return a file; raises NotFoundError."""
        file: MediaFile = self._found("media file", id, queries.file_by_id)
        return file

    def find_file(self, library_id: str, path: str | PathLike[str]) -> MediaFile | None:
        """Return the file at an absolute path, or None."""
        file: MediaFile | None = self.db.one(
            queries.file_by_path, checked_id("library_id", library_id), libraries.absolute(path)
        )
        return file

    def find_file_by_path(self, path: str | PathLike[str]) -> MediaFile | None:
        """Return the file that lies there, or whose path in its library ends this one, or None."""
        from .search import find

        return find.file(self.db, path)

    def files(
        self, library_id: str, *, limit: int = 50, after: str | None = None
    ) -> Page[MediaFile]:
        """Return a page of a library's files, by path, those missing included."""
        start = start_after(after, "files", 1)
        count = checked_limit(limit) + 1
        checked_id("library_id", library_id)
        if start is None:
            rows = self.db.all(queries.files_first, library_id, count)
        else:
            rows = self.db.all(queries.files_after, library_id, count, start[0])
        return self._page(rows, limit, "files", lambda file: (file.path,))

    # Movies, shows, music

    def movies(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Movie]:
        """Return a page of movies with their best files; sort is title, or added (newest first)."""
        return self._sorted(Movie, "movies", library_id, sort, limit, after)

    def movie(self, id: str) -> Movie:
        """Return a movie with its best file, and all its files as `files`; raises NotFoundError."""
        from .files import versions

        movie: Movie = self._found("movie", id, queries.movie_by_id)
        movie.files = versions.files_of(self.db, movie)
        return movie

    def shows(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[TVShow]:
        """Return a page of shows, each with `season_count` and `episode_count`."""
        page: Page[TVShow] = self._sorted(TVShow, "shows", library_id, sort, limit, after)
        ids = [show.id for show in page.items]
        seasons = dict(self.db.all(queries.season_counts, ids))
        episodes = dict(self.db.all(queries.episode_counts, ids))
        for show in page.items:
            show.season_count = seasons.get(show.id, 0)
            show.episode_count = episodes.get(show.id, 0)
        return page

    def show(self, id: str) -> TVShow:
        """Return a show with `seasons`, each with `episodes` and their files; NotFoundError."""
        show: TVShow = self._found("show", id, queries.show_by_id)
        show.seasons = self.db.all(queries.seasons_of_show, id)
        by_season: dict[str, list[Episode]] = {season.id: [] for season in show.seasons}
        for episode in self.db.all(queries.episodes_of_show, id):
            by_season.setdefault(episode.season_id, []).append(episode)
        for season in show.seasons:
            season.episodes = by_season[season.id]
        return show

    def albums(
        self,
        *,
        library_id: str | None = None,
        sort: str = "title",
        limit: int = 50,
        after: str | None = None,
    ) -> Page[Album]:
        """Return a page of albums."""
        return self._sorted(Album, "albums", library_id, sort, limit, after)

    def album(self, id: str) -> Album:
        """Return an album with its `tracks` and their files; raises NotFoundError."""
        album: Album = self._found("album", id, queries.album_by_id)
        album.tracks = self.db.all(queries.tracks_of_album, id)
        return album

    def find_movie(
        self, title: str, *, year: int | None = None, library_id: str | None = None
    ) -> Movie | None:
        """Return the movie of a title, or None where none or several can be meant.

        A year may be off by one where there is only one of that title.
        """
        from .search import find

        return find.movie(self.db, title, year, library_id)

    def find_episode(
        self, show: str, season_number: int, episode_number: int, *, year: int | None = None
    ) -> Episode | None:
        """Return an episode with its show; year is the show's, as in find_movie()."""
        from .search import find

        return find.episode(self.db, show, season_number, episode_number, year)

    def find_track(
        self, title: str, *, artist: str | None = None, album: str | None = None
    ) -> Track | None:
        """Return a track with its album, or None where none or several can be meant."""
        from .search import find

        return find.track(self.db, title, artist, album)

    def search(self, text: str, *, limit: int = 20) -> list[SearchHit]:
        """Return what matches every word of a text, or its beginning; best first."""
        from .search import searching

        return searching.search(self.db, text, limit)

    # Saving

    def save_movie(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        year: int | None = NOT_GIVEN,
        id: str | None = None,
        **columns: Any,
    ) -> Movie:
        """Insert a movie, or update the one with this id, or with this title and year.

        What is not given stays, None clears it; a new movie needs its title. columns are those of
        the table (media_file_id, overview, cast, ...). Raises InvalidValueError, NotFoundError,
        ConflictError.
        """
        values = {"title": title, "year": year, **columns}
        return self.movie(self._save(Movie, library_id, values, id))

    def save_show(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        year: int | None = NOT_GIVEN,
        id: str | None = None,
        **columns: Any,
    ) -> TVShow:
        """Insert a show, or update the one with this id, or with this title and year.

        The rest as save_movie().
        """
        values = {"title": title, "year": year, **columns}
        return self.show(self._save(TVShow, library_id, values, id))

    def save_season(
        self, show_id: str, *, season_number: int = NOT_GIVEN, id: str | None = None, **columns: Any
    ) -> Season:
        """Insert a season of a show, or update the one with this id or number; 0 is specials.

        The rest as save_movie(); a new season needs its number.
        """
        with self.db.writer():
            saved = self._save(Season, show_id, {"season_number": season_number, **columns}, id)
            return _with_id(self.show(show_id).seasons, saved)

    def save_episode(
        self,
        show_id: str,
        *,
        season_number: int = NOT_GIVEN,
        episode_number: int = NOT_GIVEN,
        id: str | None = None,
        **columns: Any,
    ) -> Episode:
        """Insert an episode of a show, or update the one with this id or these numbers.

        The rest as save_movie(); a new episode needs both numbers, and its season is made if it
        is new.
        """
        values = {"season_number": season_number, "episode_number": episode_number, **columns}
        with self.db.writer():
            saved = self._save(Episode, show_id, values, id)
            episodes = self.db.all(queries.episodes_of_show, show_id)
        episode: Episode = _with_id(episodes, saved)
        return episode

    def save_album(
        self,
        library_id: str,
        *,
        title: str = NOT_GIVEN,
        album_artist: str | None = NOT_GIVEN,
        id: str | None = None,
        **columns: Any,
    ) -> Album:
        """Insert an album, or update the one with this id, or with this title and artist.

        The rest as save_movie().
        """
        values = {"title": title, "album_artist": album_artist, **columns}
        return self.album(self._save(Album, library_id, values, id))

    def save_track(
        self,
        album_id: str,
        *,
        title: str = NOT_GIVEN,
        disc_number: int = NOT_GIVEN,
        track_number: int = NOT_GIVEN,
        id: str | None = None,
        **columns: Any,
    ) -> Track:
        """Insert a track of an album, or update the one with this id, or with title and numbers.

        The rest as save_movie(). Without numbers the title alone finds it, or ConflictError where
        several have it; a new track is then on disc 1, its number 0 (unknown).
        """
        numbers = {"disc_number": disc_number, "track_number": track_number}
        with self.db.writer():
            saved = self._save(Track, album_id, {"title": title, **numbers, **columns}, id)
            tracks = self.db.all(queries.tracks_of_album, album_id)
        track: Track = _with_id(tracks, saved)
        return track

    # Chores

    def tidy(self, now: datetime) -> None:
        """Forget files that have been missing for longer than retention_days, batch by batch.

        A library whose root cannot be read, or is empty, is left alone.
        """
        from .scanning.purge import purge_missing

        before = checked_moment("now", now) - timedelta(days=self.config.retention_days)
        for library in self.libraries():
            purge_missing(self.db, library, before)

    # Inside

    def _save(self, model: Any, parent_id: str, values: dict[str, Any], id: str | None) -> str:
        from .catalog.save import save

        with self.db.writer():
            return save(self.db, model, parent_id, values, id)

    def _sorted(
        self,
        model: Any,
        kind: str,
        library_id: str | None,
        sort: str,
        limit: int,
        after: str | None,
    ) -> Page[Any]:
        checked_choice("sort", sort, queries.SORTS)
        or_none(checked_id, "library_id", library_id)
        cursor = f"{kind}-{sort}"
        start = start_after(after, cursor, 2 if sort == "title" else 1)
        for part in start or ():
            checked_text("after", part)
        statement = queries.page_statement(model, sort, library_id is not None, start is not None)
        count = checked_limit(limit) + 1
        rows = self.db.all(statement, library_id, count, *(start or ()))
        if sort == "title":
            return self._page(rows, limit, cursor, lambda row: (row.sort_title, row.id))
        return self._page(rows, limit, cursor, lambda row: (row.id,))

    def _page(self, rows: list[Any], limit: int, kind: str, key: Any) -> Page[Any]:
        page: Page[Any] = page_of(rows, limit, kind, key)
        return page

    def _update_library(self, library: MediaLibrary, changes: dict[str, Any]) -> None:
        changed = libraries.checked_changes(self.db, library, changes)
        if "path" in changed:
            libraries.move_files(library.id, library.path, changed["path"])
        MediaLibrary.update(**changed, updated_at=self.db.now()).where(
            MediaLibrary.id == library.id
        ).execute()

    def _found(self, noun: str, id: str, by_id: Statement) -> Any:
        row = self.db.one(by_id, known_id(noun, id))
        if row is None:
            raise no_such(noun, id)
        return row


def _with_id(rows: list[Row], id: str) -> Row:
    return next(row for row in rows if row.id == id)  # type: ignore[attr-defined]
