"""Discs as folders: the file whose path is that of the whole disc, and the files of the disc."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_DVD_FILE = re.compile(r"(?:video_ts|vts_\d\d_\d)\.(?:ifo|bup|vob)", re.I)
_TITLE = re.compile(r"vts_(\d\d)_[1-9]\.vob", re.I)
_HD_DVD_FILE = re.compile(r".+\.(?:evo|map|vti|ifo|bup)", re.I)
_BLURAY_PARTS = frozenset(
    "stream playlist clipinf backup auxdata bdjo jar meta index.bdmv movieobject.bdmv "
    "index.bdm movieobj.bdm".split()
)
_INDEXES: dict[str, Literal["dvd", "hd-dvd", "blu-ray"]] = {
    "video_ts.ifo": "dvd",
    "hva00001.vti": "hd-dvd",
    "hv000i01.ifo": "hd-dvd",
    "index.bdmv": "blu-ray",
    "index.bdm": "blu-ray",  # of a camera
}
# One search for all names of a folder: it runs for every folder of a scan.
_SIGNS = re.compile(
    r"^(?:video_ts\.ifo|vts_\d\d_1\.vob|index\.bdmv?|stream|hva00001\.vti|hv000i01\.ifo|"
    r"feature_1\.evo)$",
    re.I | re.M,
)


@dataclass(frozen=True, slots=True)
class Disc:
    """A folder that is a disc; `path` is its index, or its first clip without one.

    The folder of a camera (AVCHD) is a Blu-ray.
    """

    folder: str
    path: str
    kind: Literal["dvd", "hd-dvd", "blu-ray"]

    @classmethod
    def found_in(
        cls, folder: str, names: Sequence[str], entries: Sequence[os.DirEntry[str]]
    ) -> Disc | None:
        """Return the disc that a folder is, by the names of its entries, or None."""
        if _SIGNS.search("\n".join(names)) is None:
            return None
        by_name = {name.lower(): name for name in names}
        for index, kind in _INDEXES.items():
            if index in by_name:
                return cls(folder, os.path.join(folder, by_name[index]), kind)
        first = _first_of_title(entries)
        if first is not None:
            return cls(folder, first, "dvd")
        if "feature_1.evo" in by_name:
            return cls(folder, os.path.join(folder, by_name["feature_1.evo"]), "hd-dvd")
        if os.path.basename(folder).lower() == "bdmv" and "stream" in by_name:
            clip = _largest_clip(os.path.join(folder, by_name["stream"]))
            return cls(folder, clip, "blu-ray") if clip else None
        return None

    def holds(self, name: str) -> bool:
        """Whether a file or a folder in the disc's folder belongs to the disc."""
        if self.kind != "blu-ray":
            files = _DVD_FILE if self.kind == "dvd" else _HD_DVD_FILE
            return files.fullmatch(name) is not None
        return name.lower() in _BLURAY_PARTS

    def modified_ns(self) -> int:
        """Return when any file of the disc was last changed; raises OSError."""
        folders = [self.folder]
        if self.kind == "blu-ray":
            with os.scandir(self.folder) as entries:
                folders += [
                    entry.path for entry in entries if entry.name.lower() in ("stream", "playlist")
                ]
        latest = 0
        for folder in folders:
            with os.scandir(folder) as entries:
                times = [entry.stat().st_mtime_ns for entry in entries if self._counts(entry)]
            latest = max(latest, *times, 0)
        return latest

    def _counts(self, entry: os.DirEntry[str]) -> bool:
        """Whether a change of an entry is a change of the disc."""
        return self.kind == "blu-ray" or self.holds(entry.name)


def _first_of_title(entries: Sequence[os.DirEntry[str]]) -> str | None:
    """Return the first file of a DVD's largest title set, or None."""
    sizes: dict[str, int] = {}
    first: dict[str, str] = {}
    for entry in entries:
        if vob := _TITLE.fullmatch(entry.name):
            first.setdefault(vob[1], entry.path)
            sizes[vob[1]] = sizes.get(vob[1], 0) + _size(entry)
    return first[max(sizes, key=lambda number: sizes[number])] if first else None


def _largest_clip(folder: str) -> str | None:
    try:
        with os.scandir(folder) as entries:
            clips = [(_size(entry), entry.path) for entry in entries if _is_clip(entry.name)]
    except OSError:
        return None
    return max(clips)[1] if clips else None


def _is_clip(name: str) -> bool:
    return name.lower().endswith((".m2ts", ".mts"))


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except OSError:
        return 0
