"""Discs as folders: the files of the main title of a DVD, an HD DVD or a Blu-ray.

A disc is one item. Its path is that of its index file, VIDEO_TS.IFO or index.bdmv: the file that
players open, and the one that stays when titles are cut. The index says nothing of the content
(those of two discs may be equal), so size, fingerprint and streams are those of the main title.
"""

from __future__ import annotations

import os
import re
import struct
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

_SECTOR = 2048
_MOST_BYTES = 4 * 1024 * 1024
_MOST_PLAYLISTS = 2000
_TICKS = 45_000  # a second, in a playlist
_VOB = re.compile(r"vts_(\d\d)_[1-9]\.vob", re.I)
_CLIP = re.compile(r"(.+)\.m2?ts", re.I)
_EVO = re.compile(r"(.+)\.evo", re.I)
_LENGTH = re.compile(r'\btitleDuration="(\d\d):(\d\d):(\d\d)[:"]', re.I)
_CLIP_OF_TITLE = re.compile(r'\bsrc="[^"]*/([^"/]+)\.map"', re.I)


class Title(NamedTuple):
    """The clips of a title in order, their bytes, and its length as the disc says it."""

    clips: tuple[str, ...]
    size: int
    largest: str
    """The clip to read streams from."""
    seconds: float | None = None


def main_title(index: str) -> Title | None:
    """Return the main title of the disc with an index file, or None; raises OSError.

    Of a DVD it is the title set with the most bytes, of a Blu-ray the longest playlist, of an HD
    DVD the longest title of its playlist, or without one the clips of one name with the most bytes.
    """
    folder, name = os.path.split(index)
    if name.lower().startswith("hv"):
        return _of_hd_dvd(folder)
    if index.lower().endswith(".ifo"):
        return _of_dvd(folder)
    return _of_bluray(folder)


# DVD


def _of_dvd(folder: str) -> Title | None:
    sets: dict[str, list[_Clip]] = defaultdict(list)
    for found, clip in _clips(folder, _VOB):
        sets[found].append(clip)
    titles = [_title(clips) for clips in sets.values()]
    if not titles:
        return None
    best = max(titles, key=lambda title: title.size)
    first = best.clips[0]  # VTS_01_1.VOB, of VTS_01_0.IFO
    suffix = ".IFO" if first.endswith(".VOB") else ".ifo"
    return best._replace(seconds=_seconds_of_set(f"{first[: -len('1.VOB')]}0{suffix}"))


def _seconds_of_set(path: str) -> float | None:
    """Return the length of the longest program chain of a title set's .IFO, or None."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES)
        if not data.startswith(b"DVDVIDEO-VTS"):
            return None
        [sector] = struct.unpack_from(">I", data, 0xCC)
        table = sector * _SECTOR
        [count] = struct.unpack_from(">H", data, table)
        chains = [
            table + struct.unpack_from(">I", data, table + 12 + 8 * number)[0]
            for number in range(count)
        ]
        lengths = [_clock(data[chain + 4 : chain + 7]) for chain in chains]
    except (OSError, struct.error):
        return None
    return max(lengths, default=0.0) or None


def _clock(digits: bytes) -> float:
    """Read hours, minutes and seconds, two decimal digits a byte."""
    hours, minutes, seconds = ((byte >> 4) * 10 + (byte & 15) for byte in digits.ljust(3, b"\0"))
    return float(hours * 3600 + minutes * 60 + seconds)


# HD DVD


def _of_hd_dvd(folder: str) -> Title | None:
    clips = dict(_clips(folder, _EVO))
    titles = [
        _title([clips[name] for name in names])._replace(seconds=seconds)
        for names, seconds in _titles_of_playlist(os.path.dirname(folder))
        if clips.keys() >= names.keys()
    ]
    if not titles:
        groups: dict[str, list[_Clip]] = defaultdict(list)
        for name, clip in clips.items():  # FEATURE_1, FEATURE_2
            groups[re.sub(r"_?\d+$", "", name)].append(clip)
        titles = [_title(group) for group in groups.values()]
    return max(titles, key=lambda title: (title.seconds or 0.0, title.size), default=None)


def _titles_of_playlist(disc: str) -> Iterator[tuple[dict[str, None], float]]:
    """Yield the clips and the seconds of each title that ADV_OBJ/VPLST000.XPL has."""
    folder = _folder_in(disc, "adv_obj")
    names = sorted(os.listdir(folder)) if folder else []
    for name in names[:_MOST_PLAYLISTS]:
        if not folder or not name.lower().endswith(".xpl"):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
        for title in text.split("<Title ")[1 : _MOST_PLAYLISTS + 1]:
            clips = dict.fromkeys(clip.upper() for clip in _CLIP_OF_TITLE.findall(title))
            length = _LENGTH.search(title)
            if clips and length:
                hours, minutes, seconds = map(int, length.groups())
                yield clips, float(hours * 3600 + minutes * 60 + seconds)


# Blu-ray


def _of_bluray(folder: str) -> Title | None:
    streams, playlists = _folder_in(folder, "stream"), _folder_in(folder, "playlist")
    if streams is None:
        return None
    clips = dict(_clips(streams, _CLIP))
    titles = []
    for items in _playlists(playlists):
        names = dict.fromkeys(item.clip for item in items)
        if clips.keys() >= names.keys():
            # A loop over one clip, as of a menu, is no longer than the clip.
            seconds = sum(item.end - item.start for item in set(items)) / _TICKS
            titles.append(_title([clips[name] for name in names])._replace(seconds=seconds))
    titles = titles or [_title([clip]) for clip in clips.values()]
    return max(titles, key=lambda title: (title.seconds or 0.0, title.size), default=None)


def _playlists(folder: str | None) -> Iterator[list[_Item]]:
    names = sorted(os.listdir(folder)) if folder else []
    for name in names[:_MOST_PLAYLISTS]:
        if folder and name.lower().endswith((".mpls", ".mpl")):
            with open(os.path.join(folder, name), "rb") as file:
                items = _items(file.read(_MOST_BYTES))
            if items:
                yield items


class _Item(NamedTuple):
    """What a playlist plays of a clip, in ticks."""

    clip: str
    start: int
    end: int


def _items(data: bytes) -> list[_Item]:
    items: list[_Item] = []
    if not data.startswith(b"MPLS"):
        return items
    try:
        [place] = struct.unpack_from(">I", data, 8)
        [count] = struct.unpack_from(">H", data, place + 6)
        place += 10
        for _ in range(count):
            length, clip = struct.unpack_from(">H5s", data, place)
            start, end = struct.unpack_from(">II", data, place + 14)
            items.append(_Item(clip.decode("ascii", "replace").upper(), start, max(start, end)))
            place += 2 + length
    except struct.error:
        return []
    return items


def _folder_in(folder: str, name: str) -> str | None:
    found = [entry for entry in os.listdir(folder) if entry.lower() == name]
    return os.path.join(folder, found[0]) if found else None


class _Clip(NamedTuple):
    path: str
    size: int


def _clips(folder: str, pattern: re.Pattern[str]) -> list[tuple[str, _Clip]]:
    """Return the clips of a folder by name, each with what the pattern finds in its name."""
    with os.scandir(folder) as entries:
        named = [
            (found[1].upper(), entry.name, _Clip(entry.path, entry.stat().st_size))
            for entry in entries
            if (found := pattern.fullmatch(entry.name))
        ]
    return [(found, clip) for found, _, clip in sorted(named)]


def _title(clips: list[_Clip]) -> Title:
    paths = tuple(clip.path for clip in clips)
    largest = max(clips, key=lambda clip: clip.size).path
    return Title(paths, sum(clip.size for clip in clips), largest)
