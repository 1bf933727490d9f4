"""Walk a library's folder: media files and nothing else, every folder once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator

from ..names import kinds
from .facts import FileFacts

_WANTED = {"movie": "video", "tv": "video", "music": "audio"}


def walk(
    root: str, library_type: str, unreadable: Callable[[str, str], None]
) -> Iterator[FileFacts]:
    """Yield path, size and modification time of the media files below a root.

    Hidden files, samples and extras are left out. Links to folders are followed once all real
    folders are done, and a folder that was entered under another name already is passed over: so
    loops end, and a file has the same path each time. unreadable(path, reason) is called for each
    folder or file that cannot be read.
    """
    wanted = _WANTED[library_type]
    entered: set[tuple[int, int]] = set()
    folders, links = [root], deque[str]()
    while folders or links:
        folder = folders.pop() if folders else links.popleft()
        listing = _listing(folder, entered, unreadable)
        for entry in listing:
            if _is_folder(entry):
                (links if entry.is_symlink() else folders).append(entry.path)
            elif kinds.kind_of(entry.name) == wanted:
                yield from _media_file(entry, root, unreadable)


def _listing(
    folder: str, entered: set[tuple[int, int]], unreadable: Callable[[str, str], None]
) -> list[os.DirEntry[str]]:
    """Return what is in a folder, by name; nothing where it was entered before."""
    try:
        facts = os.stat(folder)
        if (facts.st_dev, facts.st_ino) in entered:
            return []
        entered.add((facts.st_dev, facts.st_ino))
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
    entry: os.DirEntry[str], root: str, unreadable: Callable[[str, str], None]
) -> Iterator[FileFacts]:
    try:
        if not entry.is_file():
            return  # a broken link, a pipe, a socket
        facts = entry.stat()
    except OSError as exc:
        unreadable(entry.path, exc.strerror or str(exc))
        return
    parts = os.path.relpath(entry.path, root).split(os.sep)
    if not kinds.is_sample(parts, facts.st_size) and not kinds.is_extra(parts):
        yield FileFacts(entry.path, facts.st_size, facts.st_mtime_ns)
