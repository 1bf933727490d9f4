"""The verbs of media: libraries, scans, files, finding and search."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..database.checks import (
    checked_truth,
    checked_choice,
    checked_id,
    checked_limit,
    checked_moment,
    checked_seconds,
    checked_whole,
    or_none,
    refused,
)
from ..database.pages import readable, rows_or_none, start_after, Page
from . import libraries, queries
from .catalog.verbs import CatalogVerbs
from .models import (
    LIBRARY_TYPES,
    Album,
    Episode,
    MediaChapter,
    MediaExtra,
    MediaFile,
    MediaFolder,
    MediaLibrary,
    MediaScan,
    MediaStream,
    Movie,
    RemovedFile,
    Season,
    Track,
    TVShow,
    Work,
    WorkFile,
)

from .search.models import SearchDocument

# The verbs that scan, save and search import what they need: it takes longer than opening the
# store.
if TYPE_CHECKING:
    from .probing.cover import Cover
    from .scanning.facts import ScanResult
    from .scanning.reconcile import Reconciliation
    from .scanning.watch import Watcher
    from .search.searching import SearchHit


class MediaModule(CatalogVerbs):
    """Libraries, their files, and the movies, shows and music in them.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError or
    CorruptStoreError, and one that writes raises StoreFullError if the disk is full, and
    TransactionError inside reader().
    """

    name = "media"
    models = (
        MediaLibrary,
        MediaFile,
        MediaStream,
        MediaChapter,
        MediaFolder,
        MediaScan,
        RemovedFile,
        Work,
        WorkFile,
        Movie,
        TVShow,
        Season,
        Episode,
        MediaExtra,
        Album,
        Track,
        SearchDocument,
    )
    migrations = "viewra_lite.media.migrations"
    timed = ("movies", "movie", "shows", "show", "albums", "album", "files", "search")

    # Libraries

    def add_library(
        self, name: str, path: str | PathLike[str], type: str, *, scan_interval: int = 3600
    ) -> MediaLibrary:
        """Add a folder to scan; type is movie, tv or music, scan_interval seconds (0 = never).

        On disk before it returns. Raises InvalidValueError for a path that is not a folder,
        ConflictError if it overlaps another library.

            library = store.media.add_library("Films", "/srv/films", "movie")
            store.media.scan(library.id)
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
        libraries.write_beside(
            self.db,
            lambda known: libraries.refuse_overlap(values["path"], known),
            lambda _: libraries.create(self.db, values),
        )
        return self.library(values["id"])

    def library(self, id: str) -> MediaLibrary:
        """Return a library. Raises NotFoundError."""
        return libraries.found(self.db, id)

    def find_library(self, path: str | PathLike[str]) -> MediaLibrary | None:
        """Return the library with this root folder, or None. Raises InvalidValueError."""
        root = libraries.absolute(path)
        library: MediaLibrary | None = self.db.one(queries.library_by_path, root)
        return library

    def libraries(self) -> list[MediaLibrary]:
        """Return all libraries, sorted by name."""
        return readable(self.db, queries.libraries)

    def libraries_due(self, now: datetime | None = None) -> list[MediaLibrary]:
        """Return the libraries whose scan_interval has passed since their last completed scan.

        Raises InvalidValueError.
        """
        moment = or_none(checked_moment, "now", now) or self.db.now()
        return [library for library in self.libraries() if libraries.is_due(library, moment)]

    def update_library(self, id: str, **changes: object) -> MediaLibrary:
        """Change name, path, type or scan_interval; on disk before it returns.

        A new path moves the known files along, in one transaction. Raises NotFoundError,
        InvalidValueError, and ConflictError for a path that overlaps another library, a new type
        of a library with files, or a new path during a scan.

            store.media.update_library(library.id, path="/mnt/films", scan_interval=86400)
        """
        self.library(id)
        with ExitStack() as held:
            if "path" in changes:
                held.enter_context(libraries.locked(self.db, id))
            libraries.write_beside(
                self.db,
                lambda known: libraries.checked_changes(id, known, changes),
                lambda checked: libraries.change(self.db, id, checked),
            )
        return self.library(id)

    def remove_library(self, id: str) -> None:
        """Delete a library and the rows of its files, in bounded transactions.

        The files on disk, progress and history stay; a file that returns gets its id back. After
        an interruption, call it again. Raises NotFoundError, and ConflictError during a scan.
        """
        with libraries.locked(self.db, self.library(id).id) as library:
            libraries.remove(self.db, library)

    # Scanning

    def scan(
        self,
        library_id: str,
        *,
        folder: str | PathLike[str] | None = None,
        progress: object = None,
        accept_missing: bool = False,
    ) -> ScanResult:
        """Walk and probe a library's folder; calls progress(phase, done, total) along the way.

        With folder, a folder in it, only this part is scanned: files elsewhere are not missing,
        freeze_threshold counts the files of the part, and last_scan stays. The phases are walk,
        probe and finish. Writes in transactions of at most scan_batch_ms; the next scan resumes
        an interrupted one. accept_missing=True marks vanished files as missing however many they
        are, also those of a deleted part, but not those of an unreadable folder or an empty
        library. Raises NotFoundError, InvalidValueError, TransactionError inside reader() or
        writer(), and ConflictError while any process scans this library.

            result = store.media.scan(library.id)
            if result.frozen:
                print(result.frozen)  # why nothing was marked as missing
        """
        from .scanning.scan import scan

        if progress is not None and not callable(progress):
            raise refused("progress", "a function, or None", progress)
        library = self.library(library_id)
        part = libraries.part_of(library, folder) if folder is not None else None
        files = self._reconciliation(library, accept_missing, part)
        result = scan(self.db, files, self.config, progress)
        self.db.emit("library_scanned", library_id)
        return result

    def reconcile(self, library_id: str, *, accept_missing: bool = False) -> Reconciliation:
        """Return a context manager that takes a library's files as FileFacts, without probing.

        A clean exit marks the files that were not added as missing; accept_missing is as in
        scan(). add() raises InvalidValueError. Raises NotFoundError at once, and on entry
        ConflictError while any process scans this library.

            with store.media.reconcile(library.id) as files:
                files.add(FileFacts("/srv/films/Heat (1995).mkv", size=8_000_000_000))
            print(files.result.added)
        """
        return self._reconciliation(self.library(library_id), accept_missing)

    def _reconciliation(
        self, library: MediaLibrary, accept_missing: bool, folder: str | None = None
    ) -> Reconciliation:
        from .scanning.reconcile import Reconciliation

        return Reconciliation(
            self.db, library, self.config, accept_missing=accept_missing, folder=folder
        )

    def watch(
        self, *, quiet_s: float = 5.0, scanned: Callable[[str, ScanResult], Any] | None = None
    ) -> Watcher:
        """Return a context manager that scans folders that change, in a thread of its own.

        A folder of any library is scanned, as by scan(folder=), once nothing in it has changed
        for quiet_s seconds; then scanned(library_id, result) is called in that thread. Changes
        before the block are not noticed, nor are those on network shares (NFS, SMB, SSHFS), which
        have to be scanned from time to time. Errors are logged, and the watching continues. The
        end of the block cancels a scan that runs. Raises InvalidValueError, and ConfigError
        without the package watchfiles.

            with store.media.watch(quiet_s=10):
                serve()
        """
        from .scanning.watch import Watcher

        if scanned is not None and not callable(scanned):
            raise refused("scanned", "a function, or None", scanned)
        seconds = checked_seconds("quiet_s", quiet_s)
        return Watcher(
            self.scan, self.libraries, self.cancel_scan, quiet_s=seconds, scanned=scanned
        )

    def scans(self) -> list[MediaScan]:
        """Return the running or last scan of each library, the latest start first.

        A scan of any process, or a reconciliation, writes how far it is once a second at most.
        `running` is False if it has ended, or if its process has died.
        """
        scans: list[MediaScan] = readable(self.db, queries.scans)
        for scan in scans:
            scan.running = scan.ended_at is None and libraries.is_locked(self.db, scan.library_id)
        return scans

    def cancel_scan(self, library_id: str) -> bool:
        """Ask the scan of a library, in any process, to end; return False if none is running.

        It ends within about a second: files added so far stay, nothing is marked missing, its
        ScanResult says `cancelled`, and the next scan continues. Raises NotFoundError.
        """
        library = self.library(library_id)
        if not libraries.is_locked(self.db, library.id):
            return False
        return bool(self.db.run(queries.cancel_scan, library.id))

    def why_in_process(self) -> str | None:
        """Return why scans probe files in this process, or None: see ScanResult.in_process."""
        from .probing.workers.starting import why_in_process

        return why_in_process()

    # Files

    def file(self, id: str) -> MediaFile:
        """Return a file with its `streams` and `chapters`. Raises NotFoundError."""
        file: MediaFile = self._found("media file", id, queries.file_by_id)
        self._load_streams([file])
        return file

    def cover(self, id: str) -> Cover | None:
        """Return the picture inside a file as `data` and `mime_type`, or None if it has none.

        Not stored: each call reads the file, in a process of its own, for 0.1 s to
        probe_timeout_s. Raises NotFoundError.
        """
        from .probing.cover import cover

        return cover(self.file(id).path, self.config.probe_timeout_s)

    def find_file(self, library_id: str, path: str | PathLike[str]) -> MediaFile | None:
        """Return the file at an absolute path, or None. Raises InvalidValueError."""
        file: MediaFile | None = self.db.one(
            queries.file_by_path, checked_id("library_id", library_id), libraries.absolute(path)
        )
        return file

    def find_file_by_path(self, path: str | PathLike[str]) -> MediaFile | None:
        """Return the file at a path, of this machine or of another one, or None.

        For a path of another machine, it is the file whose path within its library matches the
        longest end of it. Raises InvalidValueError.
        """
        from .search import find

        return find.file(self.db, path)

    def files(
        self,
        library_id: str,
        *,
        placed: bool | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[MediaFile]:
        """Return a page of a library's files, missing ones included, sorted by path.

        placed=True returns only files of a movie, an episode or a track, and extras; False only the
        others. limit is 1 to 1000; after is the `next` of the page before. Raises
        InvalidValueError.
        """
        start = start_after(after, "files", str)
        count = checked_limit(limit) + 1
        checked_id("library_id", library_id)
        or_none(checked_truth, "placed", placed)
        if placed is not None:
            from .files import queries as file_queries

            statement = file_queries.files_placed(placed, start is not None)
            rows = rows_or_none(self.db, statement, library_id, count, *(start or ()))
        elif start is None:
            rows = rows_or_none(self.db, queries.files_first, library_id, count)
        else:
            rows = rows_or_none(self.db, queries.files_after, library_id, count, start[0])
        return self._page(rows, limit, "files", lambda file: (file.path,))

    # Finding

    def find_movie(
        self, title: str, *, year: int | None = None, library_id: str | None = None
    ) -> Movie | None:
        """Return the movie with a title, or None if none or several match.

        A year that is off by one still matches the only movie of the title. Raises
        InvalidValueError.
        """
        from .search import find

        return find.movie(self.db, title, year, library_id)

    def find_episode(
        self, show: str, season_number: int, episode_number: int, *, year: int | None = None
    ) -> Episode | None:
        """Return an episode with its show, or None if none or several match.

        year is the show's, as in find_movie(). Raises InvalidValueError.
        """
        from .search import find

        return find.episode(self.db, show, season_number, episode_number, year)

    def find_track(
        self, title: str, *, artist: str | None = None, album: str | None = None
    ) -> Track | None:
        """Return a track with its album, or None if none or several match.

        Raises InvalidValueError.
        """
        from .search import find

        return find.track(self.db, title, artist, album)

    def search(self, text: str, *, limit: int = 20) -> list[SearchHit]:
        """Return the titles that match every word of a text, or its beginning, best first.

        limit is 1 to 1000. Raises InvalidValueError.
        """
        from .search import searching

        return searching.search(self.db, text, limit)

    # Chores

    def tidy(self, now: datetime) -> None:
        """Forget files that have been missing for longer than retention_days, batch by batch.

        Skips a library whose root is unreadable or empty. Raises InvalidValueError.
        """
        from .scanning.purge import purge_missing

        before = checked_moment("now", now) - timedelta(days=self.config.retention_days)
        for library in self.libraries():
            purge_missing(self.db, library, before)
