"""The files of folders, as they are on disk: names, nfo files and lyrics, each read once."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, lru_cache

from ..names.left_out import why_left_out
from .nfo.reader import LARGEST_BYTES, NfoFile, read
from .pictures import Pictures
from .subtitles import is_subtitle
from .nfo.xml import decoded

_KEPT = 256  # listings


class Listing:
    """The names in a folder; none where it cannot be read."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.files: list[str] = []
        self.folders: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if why_left_out(entry.name) is None:
                        (self.folders if _is_folder(entry) else self.files).append(entry.name)
        except OSError:
            self.files, self.folders = [], []  # the walk has reported it
        self.files.sort()
        self.folders.sort()

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures, but for those whose name is not text and cannot be stored."""
        return Pictures(name for name in self.files if _is_text(self.folder + name))

    @cached_property
    def subtitles(self) -> list[str]:
        """The names of subtitles."""
        return [name for name in self.files if is_subtitle(name)]

    @cached_property
    def lower(self) -> dict[str, str]:
        """The names, by their lower-case form."""
        return {name.lower(): name for name in reversed(self.files)}

    def path(self, name: str) -> str:
        """Return the path of a file in the folder."""
        return os.path.join(self.folder, name)

    def find(self, name: str) -> str | None:
        """Return the path of a file by its name in any case, or None."""
        found = self.lower.get(name.lower())
        return None if found is None else self.path(found)


class Disk:
    """Reads sidecars; calls `problem(path, message)` for files that it cannot read."""

    def __init__(self, problem: Callable[[str, str], None]) -> None:
        self._problem = problem
        self.listing = lru_cache(maxsize=_KEPT)(Listing)
        self.nfo = lru_cache(maxsize=_KEPT)(self._nfo)

    def _nfo(self, path: str) -> NfoFile:
        data = self._read(path)
        found = NfoFile() if data is None else read(data)
        if found.problem is not None:
            self._problem(path, found.problem)
        return found

    def lyrics(self, path: str) -> str | None:
        """Return the text of a file of lyrics with its times."""
        data = self._read(path)
        if data is None or len(data) > LARGEST_BYTES:
            return None
        text = decoded(data).replace("\0", "").replace("\r\n", "\n").strip()
        return text or None

    def _read(self, path: str) -> bytes | None:
        try:
            # Not of a pipe or a device, which might never answer.
            if not os.path.isfile(path):
                return None
            with open(path, "rb") as file:
                return file.read(LARGEST_BYTES + 1)
        except OSError as exc:
            self._problem(path, f"cannot be read: {(exc.strerror or str(exc)).lower()}")
            return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_text(name: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in name)
