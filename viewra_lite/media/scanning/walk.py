"""Walking a library's folder: media files only, every folder once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator

from ..files.relink import exists
from ..libraries import is_inside, why_too_long
from ..names import kinds
from ..names.films.extras import kind_of_extra
from .facts import FileFacts
from .reconcile import Reconciliation

_KINDS = {"movie": "video", "tv": "video", "music": "audio"}


class Walk:
    """The media files of a reconciliation's library, or of its part, as FileFacts.

    Hidden files and samples are skipped. Links to folders are followed after all real
    folders, and a folder that was already entered under another name is skipped: so loops end, and
    a file has the same path each time. A folder or file that cannot be read, and a file whose path
    is too long to be stored, is a problem of the reconciliation, which keeps their state.
    """

    def __init__(self, files: Reconciliation) -> None:
        self._files = files
        self._root = files.library.path
        self._part = files.folder
        self._kind = _KINDS[files.library.type]
        self._entered: set[tuple[int, int]] = set()

    def __iter__(self) -> Iterator[FileFacts]:
        if self._is_left_out():
            return
        folders, links = [self._part or self._root], deque[str]()
        while folders or links:
            self._files.report("walk", self._files.tally.seen, 0)
            if self._files.is_cancelled:
                return
            folder = folders.pop() if folders else links.popleft()
            for entry in self._entries(folder):
                if _is_folder(entry):
                    self._follow(entry, folders, links)
                elif kinds.kind_of(entry.name) == self._kind:
                    yield from self._media_file(entry)

    def _is_left_out(self) -> bool:
        """Whether a walk of the whole library would not get to the part, or finds it deleted."""
        if self._part is None:
            return False
        below = os.path.relpath(self._part, self._root).split(os.sep)
        is_deleted = self._files.accept_missing and not exists(self._part)
        return is_deleted or any(map(kinds.is_hidden, below))

    def _follow(self, entry: os.DirEntry[str], folders: list[str], links: deque[str]) -> None:
        if not entry.is_symlink():
            folders.append(entry.path)
        elif self._is_walked_elsewhere(entry.path):
            self._files.skip(entry.path)
        else:
            links.append(entry.path)

    def _is_walked_elsewhere(self, link: str) -> bool:
        """Whether a link leads out of the part into the library: only a walk of it all decides."""
        if self._part is None:
            return False
        real, root, part = map(os.path.realpath, (link, self._root, self._part))
        return is_inside(real, root) and not is_inside(real, part)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        return _listing(folder, self._entered, self._unreadable)

    def _unreadable(self, path: str, reason: str) -> None:
        self._files.skip(path)
        self._files.tally.problem(path, f"cannot be read: {reason}")

    def _media_file(self, entry: os.DirEntry[str]) -> Iterator[FileFacts]:
        try:
            if not entry.is_file():
                return  # a broken link, a pipe, a socket
            status = entry.stat()
        except OSError as exc:
            self._unreadable(entry.path, exc.strerror or str(exc))
            return
        parts = os.path.relpath(entry.path, self._root).split(os.sep)
        extra = kind_of_extra(parts, self._files.library.type)
        if extra == "sample" or (extra is None and kinds.is_sample(parts, status.st_size)):
            return
        too_long = why_too_long(entry.path)
        if too_long is not None:
            self._unreadable(entry.path, too_long)
        else:
            yield FileFacts(entry.path, status.st_size, status.st_mtime_ns)


def _listing(
    folder: str, entered: set[tuple[int, int]], unreadable: Callable[[str, str], None]
) -> list[os.DirEntry[str]]:
    """Return the entries of a folder, by name; none if it was entered before."""
    try:
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in entered:
            return []
        entered.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if not kinds.is_hidden(entry.name)]
    except OSError as exc:
        unreadable(folder, exc.strerror or str(exc))
        return []
    return sorted(found, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
