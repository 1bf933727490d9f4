"""Reading sidecars: the last step of a scan, for folders that have changed.

Each folder stays pending until its titles have their values, so an interrupted scan is
resumed. Disk and rows are read outside of transactions; only changes take the writer.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, TypeVar

from ...config.options import Config
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ..catalog import events
from ..catalog.catalog import Catalog
from ..files.relink import exists
from ..models import Album, Episode, MediaLibrary, MediaStream, Movie, Track, TVShow
from ..search import indexing
from . import finding, places, queries
from .disk import Disk
from .finding import Numbered, Values
from .folders import owner_of
from .queries import FileBeside, FileOfTitle
from .rows import changes_of
from .subtitles import Subtitle

_FOLDERS = 50  # per transaction
_BELOW = 200  # files that are looked at to find the only title below a folder
_PART = 100  # ids of a statement
_IDS = ("tmdb_id", "tvdb_id", "imdb_id")
_KINDS = {Movie: "movie", TVShow: "show", Episode: "episode", Album: "album", Track: "track"}
_File = TypeVar("_File", FileBeside, FileOfTitle)
Found = Iterator[tuple[Any, Values, list[str]]]
"""Rows, the sidecar values of each, and the ids of its files."""


class Beside:
    """Reads the pending folders of a library; calls `problem(path, message)` for bad files.

    is_gone(path) is whether a stored file was not found, which is marked as missing later.
    """

    def __init__(
        self,
        db: Database,
        library: MediaLibrary,
        config: Config,
        problem: Callable[[str, str], None],
        is_gone: Callable[[str], bool],
    ) -> None:
        self._db = db
        self._library = library
        self._root = library.path
        self._config = config
        self._disk = Disk(problem)
        self._is_gone = is_gone
        self._writes: list[Callable[[], None]] = []
        self._again: set[str] = set()
        self._apart: set[str] = set()

    @property
    def has_lost(self) -> bool:
        """Whether files are pending again, because their names and tags decide once more."""
        return bool(self._again)

    def read(self) -> Iterator[None]:
        """Read the pending folders; yields between batches, each of which is written."""
        last = ""
        while rows := self._db.all(queries.pending_folders, self._library.id, last, _FOLDERS):
            owners = set()
            for path, signature in rows:
                last = path
                owner = owner_of(path, self._root)
                if owner not in owners and self._is_readable(owner):
                    self._read_folder(owner)
                    owners.add(owner)
                if owner in owners:
                    self._writes.append(partial(self._was_read, path, signature))
            self._write()
            yield

    def read_apart(self) -> Iterator[None]:
        """Read the folders of files that have left a movie whose nfo is not theirs."""
        if not self._apart:
            return
        with self._db.writer():
            for folder in sorted(self._apart):
                self._db.run(queries.read_again, self._library.id, folder)
        self._apart.clear()
        yield from self.read()

    def _is_readable(self, folder: str) -> bool:
        try:
            os.scandir(folder).close()
        except OSError:
            return not exists(folder)  # nothing is in a folder that is gone
        return True

    def _read_folder(self, folder: str) -> None:
        inside = os.path.join(folder, "")
        between = (self._library.id, inside, inside[:-1] + chr(ord(os.sep) + 1))
        here: list[FileBeside] = self._db.all(queries.files_in, *between, len(inside))
        below: list[FileBeside] = self._db.all(queries.files_below, *between, _BELOW)
        ids = list(dict.fromkeys(file.id for file in [*here, *below] if not file.is_extra))
        find = {"movie": self._movies, "tv": self._shows, "music": self._albums}
        for row, values, files in find[self._library.type](folder, ids):
            if changes_of(row, values)[0]:
                self._writes.append(partial(self._change, row, values, files))
        here = self._found(here)
        if self._library.type != "music":
            for file in here:
                self._find_subtitles(file, here)

    # Titles

    def _movies(self, folder: str, ids: list[str]) -> Found:
        for movie, files, has_left in self._titles(Movie, ids):
            paths = _best_first(files)
            folders = places.folders_of(self._root, paths)
            if has_left or folder in folders or _is_in(folder, paths):
                is_alone = partial(self._is_alone, {file.id for file in files})
                values = finding.of_movie(self._disk, folders, paths, is_alone)
                yield movie, values, [file.id for file in files[:1]]
                for file in files if len(files) > 1 else ():
                    own = places.folders_of(self._root, [file.path])
                    said = finding.of_movie(self._disk, own, [file.path], is_alone)
                    if _is_another(said, values):
                        self._writes.append(partial(self._set_apart, file))

    def _shows(self, folder: str, ids: list[str]) -> Found:
        shows: dict[str, bool] = {}
        for episode, _, has_left in self._titles(Episode, ids):
            shows[episode.show_id] = shows.get(episode.show_id, False) or has_left
        for show in self._db.all(queries.shows_by_ids, list(shows)):
            files = self._files_of(Episode, [show.id], Episode.show)
            folders = places.folders_of_show(self._root, [file.path for file in files])
            is_alone = lru_cache(partial(self._is_alone, {file.id for file in files}))
            is_own = shows[show.id] or folder in folders
            if is_own:
                values = finding.of_show(self._disk, folders, is_alone)
                yield show, values, [file.id for file in files[:1]]
            yield from self._seasons(folder, show, folders, files, is_own, is_alone)

    def _seasons(
        self,
        folder: str,
        show: TVShow,
        folders: list[str],
        files: list[FileOfTitle],
        is_own: bool,
        is_alone: Callable[[str], bool],
    ) -> Found:
        episodes = {one.id: one for one in self._db.all(queries.episodes_of, show.id)}
        of_season: dict[str, list[str]] = defaultdict(list)
        of_file: dict[str, list[Numbered]] = defaultdict(list)
        of_episode: dict[str, list[FileOfTitle]] = defaultdict(list)
        for file in files:
            episode = episodes.get(file.title_id)
            if episode is not None:
                of_season[episode.season_id].append(file.path)
                of_file[file.path].append(_numbered(episode))
                of_episode[episode.id].append(file)
        for season in self._db.all(queries.seasons_of, show.id):
            own = places.folder_of_season(folders, of_season[season.id])
            if is_own or folder == own:
                number = season.season_number
                titles = finding.titles_of_seasons(self._disk, folders, is_alone)
                title = titles.get(number)
                values = finding.of_season(self._disk, folders, own, number, title)
                yield season, values, []
        for id, some in of_episode.items():
            if _is_in(folder, [file.path for file in some]):
                paths = [(path, sorted(of_file[path], key=_order)) for path in _best_first(some)]
                values = finding.of_episode(self._disk, paths, _numbered(episodes[id]))
                yield episodes[id], values, [file.id for file in some]

    def _albums(self, folder: str, ids: list[str]) -> Found:
        albums: dict[str, bool] = {}
        for track, files, has_left in self._titles(Track, ids):
            albums[track.album_id] = albums.get(track.album_id, False) or has_left
            paths = _best_first(files)
            if has_left or _is_in(folder, paths):
                yield track, finding.of_track(self._disk, paths), [file.id for file in files]
        for album in self._db.all(queries.albums_by_ids, list(albums)):
            files = self._files_of(Track, [album.id], Track.album)
            paths = [file.path for file in files]
            folders = places.folders_of(self._root, paths)
            folders += sorted(set(map(os.path.dirname, paths)).difference(folders))
            if albums[album.id] or folder in folders:
                is_alone = partial(self._is_alone, {file.id for file in files})
                values = finding.of_album(self._disk, folders, is_alone)
                yield album, values, [file.id for file in files]

    def _titles(self, model: Any, ids: list[str]) -> Iterator[tuple[Any, list[FileOfTitle], bool]]:
        """Yield the movies, episodes or tracks of some files, each once, with all its files.

        The last value is whether one of its files is gone, so that it has left a folder.
        """
        seen: set[str] = set()
        for part in _parts(ids):
            rows = self._db.all(queries.titles_of(model), self._library.id, part)
            new = {row.id: row for row in rows if row.id not in seen}
            seen.update(new)
            files: dict[str, list[FileOfTitle]] = defaultdict(list)
            for file in self._db.all(queries.files_of(model), self._library.id, list(new)):
                files[file.title_id].append(file)
            for id, row in new.items():
                if found := self._found(files[id]):
                    yield row, found, len(found) < len(files[id])

    def _is_alone(self, own: set[str], folder: str) -> bool:
        """Whether a folder has files of one title only, besides extras."""
        if folder == self._root:
            return False
        inside = os.path.join(folder, "")
        end = inside[:-1] + chr(ord(os.sep) + 1)
        files = self._db.all(queries.files_below, self._library.id, inside, end, len(own) + _BELOW)
        return all(file.is_extra or file.id in own for file in self._found(files))

    def _files_of(self, model: Any, ids: list[str], parent: Any) -> list[FileOfTitle]:
        return self._found(self._db.all(queries.files_of(model, parent), self._library.id, ids))

    def _found(self, files: list[_File]) -> list[_File]:
        """Return the files that are still there."""
        return [file for file in files if not self._is_gone(file.path)]

    # Subtitles

    def _find_subtitles(self, file: FileBeside, here: Sequence[FileBeside]) -> None:
        found = finding.subtitles(self._disk, file, here)
        streams: list[MediaStream] = self._db.all(queries.streams_of, file.id)
        known = [_subtitle(one) for one in streams if one.external_path is not None]
        if known != found:
            self._writes.append(partial(self._change_subtitles, file.id, found))

    def _change_subtitles(self, file_id: str, found: list[Subtitle]) -> None:
        self._db.run(queries.delete_subtitles, file_id)
        streams = self._db.all(queries.streams_of, file_id)
        first = max((one.stream_index for one in streams), default=-1) + 1
        rows = [(file_id, first + at, "subtitle", *one) for at, one in enumerate(found)]
        queries.insert_subtitles.run(self._db, rows)

    # Writing

    def _write(self) -> None:
        """Write the changes found so far, in transactions of at most scan_batch_ms."""
        steps, self._writes = self._writes, []
        in_slices(self._db, steps, most_ms=self._config.scan_batch_ms)

    def _change(self, row: Any, values: Values, files: list[str]) -> None:
        model: Any = type(row)
        row = self._db.one(queries.row_by_id(model), row.id)
        if row is None:
            return  # deleted in the meantime
        changes, is_lost = changes_of(row, values)
        if not changes:
            return
        if "updated_at" in model._meta.fields and changes.keys() != {"sources"}:
            changes["updated_at"] = self._db.now()
        self._db.run(queries.change_row(model, tuple(sorted(changes))), id=row.id, **changes)
        if model in _KINDS:
            indexing.index(self._db, _KINDS[model], [row.id])
            events.updated(self._db, _KINDS[model], [row.id])
        if model in (Movie, TVShow) and any(changes.get(name) for name in _IDS):
            catalog = Catalog(self._db, self._library)
            catalog.join_equal(self._db.one(queries.row_by_id(model), row.id))
            catalog.finish()
        if is_lost:
            self._db.run(queries.read_files_again, files)
            self._again.update(files)

    def _set_apart(self, file: FileOfTitle) -> None:
        """Have a file placed by its name again: its nfo says that it is another movie.

        They were joined by an id that has been corrected.
        """
        self._db.run(queries.read_files_again, [file.id])
        self._again.add(file.id)
        self._apart.add(os.path.dirname(file.path))

    def _was_read(self, path: str, signature: str) -> None:
        if signature:
            self._db.run(queries.folder_was_read, self._library.id, path, signature)
        else:
            self._db.run(queries.delete_folder, self._library.id, path)


def _is_another(said: Values, values: Values) -> bool:
    """Whether an external id differs."""
    return any(
        None not in (said.get(name), values.get(name)) and said[name] != values[name]
        for name in _IDS
    )


def _best_first(files: Iterable[FileOfTitle]) -> list[str]:
    return [file.path for file in sorted(files, key=lambda file: file.id != file.best_id)]


def _is_in(folder: str, paths: Iterable[str]) -> bool:
    return any(os.path.dirname(path) == folder for path in paths)


def _numbered(episode: Episode) -> Numbered:
    return Numbered(episode.season_number, episode.episode_number)


def _order(episode: Numbered) -> tuple[int, int]:
    return episode.season, -1 if episode.number is None else episode.number


def _subtitle(stream: MediaStream) -> Subtitle:
    return Subtitle(
        str(stream.external_path),
        str(stream.codec),
        stream.language,
        stream.is_forced,
        stream.is_default,
        stream.title,
    )


def _parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _PART):
        yield ids[start : start + _PART]
