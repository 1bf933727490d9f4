"""Walking a library's folder: media files only, every folder once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator

from ..libraries import why_too_long
from ..names import kinds
from ..names.films.extras import is_extra
from .facts import FileFacts

_KINDS = {"movie": "video", "tv": "video", "music": "audio"}


def walk(
    root: str, library_type: str, unreadable: Callable[[str, str], None]
) -> Iterator[FileFacts]:
    """Yield path, size and modification time of the media files below a root.

    Hidden files, samples and extras are skipped. Links to folders are followed after all real
    folders, and a folder that was already entered under another name is skipped: so loops end, and
    a file has the same path each time. Calls unreadable(path, reason) for each folder or file that
    cannot be read, and for each file whose path is too long to be stored.
    """
    kind = _KINDS[library_type]
    entered: set[tuple[int, int]] = set()
    folders, links = [root], deque[str]()
    while folders or links:
        folder = folders.pop() if folders else links.popleft()
        listing = _listing(folder, entered, unreadable)
        for entry in listing:
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
            elif kinds.kind_of(entry.name) == kind:
                yield from _media_file(entry, root, library_type, unreadable)


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


def _media_file(
    entry: os.DirEntry[str], root: str, library_type: str, unreadable: Callable[[str, str], None]
) -> Iterator[FileFacts]:
    try:
        if not entry.is_file():
            return  # a broken link, a pipe, a socket
        status = entry.stat()
    except OSError as exc:
        unreadable(entry.path, exc.strerror or str(exc))
        return
    parts = os.path.relpath(entry.path, root).split(os.sep)
    if kinds.is_sample(parts, status.st_size) or is_extra(parts, library_type):
        return
    too_long = why_too_long(entry.path)
    if too_long is not None:
        unreadable(entry.path, too_long)
    else:
        yield FileFacts(entry.path, status.st_size, status.st_mtime_ns)
