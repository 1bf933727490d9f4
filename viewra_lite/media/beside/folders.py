"""Folders with files beside the media: noticing that they have changed since they were read.

A walk lists each folder anyway, so its names cost nothing; sizes and times are asked only of files
whose text is read (nfo, lyrics). A folder without any such file has no row.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import blake2b

from ...database.orm.fields import canonical_path
from ...database.transactions.database import Database
from ..files.relink import exists
from ..models import MediaLibrary
from . import queries
from .subtitles import FOLDERS

NFO, LYRICS = ".nfo", ".lrc"
_READ = (NFO, LYRICS)
_BATCH = 500


def is_for_subtitles(folder: str) -> bool:
    """Whether a folder with this name holds the subtitles of the videos around it."""
    return folder.lower() in FOLDERS


def signature_of(entries: Iterable[os.DirEntry[str]]) -> str:
    """Return a hash of the names of a folder, and of size and time of the files that are read."""
    facts = []
    for entry in entries:
        name = entry.name
        facts.append(name)
        if name.endswith(_READ) or name.lower().endswith(_READ):
            try:
                status = entry.stat()
            except OSError:
                continue  # it is read later, and reported then
            facts.append(f"{status.st_size} {status.st_mtime_ns}")
    return blake2b(os.fsencode("\0".join(facts)), digest_size=8).hexdigest()


def owner_of(folder: str, root: str) -> str:
    """Return the folder of the media that the files of a folder are beside.

    It is the folder itself, but for subtitles the one around "Subs" or "Subs/<name of the video>".
    """
    around, name = os.path.split(folder)
    above, name_above = os.path.split(around)
    if folder != root and is_for_subtitles(name):
        return around
    if root not in (folder, around) and is_for_subtitles(name_above):
        return above
    return folder


class Folders:
    """Takes the folders of a walk with what they hold, and marks those that have changed."""

    def __init__(self, db: Database, library: MediaLibrary) -> None:
        self._db = db
        self._library = library
        self._batch: dict[str, str] = {}
        self._seen: set[int] = set()  # hashes: the paths themselves would be large

    def add(self, path: str, signature: str) -> None:
        """Add a folder with files beside the media."""
        self._batch[canonical_path(path)] = signature
        if len(self._batch) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Mark the changed folders of those added so far, in a transaction of their own."""
        batch, self._batch = self._batch, {}
        if not batch:
            return
        self._seen.update(map(hash, batch))
        known = dict(self._db.all(queries.known_folders, self._library.id, list(batch)))
        changed = [path for path, signature in batch.items() if known.get(path) != signature]
        if changed:
            self._db.yield_to_writers()
            with self._db.writer():
                for path in changed:
                    self._db.run(queries.change_folder, self._library.id, path, batch[path])

    def finish(self, part: str | None, is_unreadable: Callable[[str], bool]) -> None:
        """Mark the folders that have nothing beside the media any more, and forget those gone.

        part is the folder that was walked, None for the whole library.
        """
        self.flush()
        if part is None:
            (count,) = self._db.one(queries.count_folders, self._library.id)
            if count == len(self._seen):
                return
        root = part or self._library.path
        last, end = root[:-1], root + "\U0010ffff"
        while rows := self._db.all(queries.folders_between, self._library.id, last, end, _BATCH):
            last = rows[-1][0]
            left = [
                path
                for path, _ in rows
                if (path == root or path.startswith(os.path.join(root, "")))
                and hash(path) not in self._seen
                and not is_unreadable(path)
            ]
            if left:
                self._leave(left)

    def moved(self, path: str) -> None:
        """Have the folder of a file that has moved there read, inside a writer."""
        self._db.run(queries.read_again, self._library.id, os.path.dirname(path))

    def _leave(self, paths: list[str]) -> None:
        here = {path for path in paths if exists(path)}
        self._db.yield_to_writers()
        with self._db.writer():
            for path in paths:
                if path in here:
                    self._db.run(queries.change_folder, self._library.id, path, "")
                    continue
                self._db.run(queries.delete_folder, self._library.id, path)
                around = os.path.dirname(path)
                if path != self._library.path and exists(around):
                    self._db.run(queries.read_again, self._library.id, around)
