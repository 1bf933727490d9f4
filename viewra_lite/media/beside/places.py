"""The folders of titles: where the pictures and nfo files of a movie, a show or an album are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import partial

from ..names.shows.seasons import find_season, is_specials, number_only

_INNER = re.compile(
    r"(?:cd|dis[ck]|dvd|part|pt|vinyl|side)[ ._-]?[0-9a-d]{1,2}(?![0-9a-z]).*|"
    r"video_ts|audio_ts|hvdvd_ts|bdmv|stream",
    re.I,
)
_CAMERA = re.compile(r"(?:[\\/]private)?[\\/]avchd(?:[\\/]bdmv(?:[\\/].*)?)?", re.I)


def folders_of(root: str, paths: Sequence[str]) -> list[str]:
    """Return the folders of a movie or an album: that around all of its files, then of each.

    The folders of discs are left out, and so is the library's own, which no title has to itself.
    """
    folders = [_common(paths), *sorted(map(os.path.dirname, paths))]
    return [one for one in dict.fromkeys(map(partial(_outside, root), folders)) if one != root]


def _outside(root: str, folder: str) -> str:
    """Return the folder around the folders of discs and parts."""
    camera = _CAMERA.search(folder, len(root))
    if camera and camera.end() == len(folder):
        folder = folder[: camera.start()]
    while folder != root and _INNER.fullmatch(os.path.basename(folder)):
        folder = os.path.dirname(folder)
    return folder


def folders_of_show(root: str, paths: Iterable[str]) -> list[str]:
    """Return the folders of a show, one below each folder of the library's that has files of it."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        groups.setdefault(_top(root, path), []).append(path)
    found = []
    for _, some in sorted(groups.items()):
        common = _common(some)
        while _is_season(common) and os.path.dirname(common) != root:
            common = os.path.dirname(common)
        if len(common) > len(root):
            found.append(common)
    return found


def folder_of_season(shows: Iterable[str], paths: Iterable[str]) -> str | None:
    """Return the folder of a season, below its show's; None where it has none of its own."""
    for show in shows:
        below = {_top(show, path) for path in paths if path.startswith(os.path.join(show, ""))}
        if len(below) == 1 and "" not in below:
            return os.path.join(show, *below)
    return None


def _common(paths: Iterable[str]) -> str:
    return os.path.commonpath([os.path.dirname(path) for path in paths])


def _top(folder: str, path: str) -> str:
    """Return the first folder below a folder on the way to a file; "" for a file right in it."""
    return os.path.relpath(path, folder).split(os.sep)[0] if os.path.dirname(path) != folder else ""


def _is_season(folder: str) -> bool:
    name = os.path.basename(folder)
    return is_specials(name) or number_only(name) is not None or find_season(name) is not None
