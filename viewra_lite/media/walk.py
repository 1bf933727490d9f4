"""Walk a library's folder: media files and nothing else, every folder once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from . import kinds
from .reconcile import FileFacts

_WANTED = {"movie": "video", "tv": "video", "music": "audio"}


def walk(
    root: str, library_type: str, unreadable: Callable[[str, str], None]
) -> Iterator[FileFacts]:
    """Yield path, size and modification time of the media files below a root.

    Hidden files, samples and extras are left out. Links are followed, loops are not: a folder
    that was entered under another name already is passed over. unreadable(path, reason) is called
    for each folder or file that cannot be read.
    """
    wanted = _WANTED[library_type]
    entered: set[tuple[int, int]] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            facts = os.stat(folder)
            if (facts.st_dev, facts.st_ino) in entered:
                continue
            entered.add((facts.st_dev, facts.st_ino))
            with os.scandir(folder) as entries:
                listing = [entry for entry in entries if not kinds.is_hidden(entry.name)]
        except OSError as exc:
            unreadable(folder, exc.strerror or str(exc))
            continue
        for entry in listing:
            if _is_folder(entry):
                folders.append(entry.path)
            elif kinds.kind_of(entry.name) == wanted:
                yield from _media_file(entry, root, unreadable)


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
