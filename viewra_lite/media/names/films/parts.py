"""Parts of a film that is split over files or discs: cd1, part2, "1 of 2", a folder "Disc 2"."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ..kinds import above_discs
from ..text import CRUFT, YEAR

DISC_FOLDER = re.compile(
    r"(?:video_ts|audio_ts|hvdvd_ts|bdmv|avchd|stream|"
    r"(?:cd|dvd|disc|disk|part)[ ._-]?(?P<part>\d{1,2}))",
    re.I,
)
_DISC = r"(?:cd|dvd(?![59](?!\d))|dis[ck])"
_BEFORE = r"(?:^|[ ._()\[\]-]+)"
_OF = re.compile(
    rf"{_BEFORE}(?:(?:{_DISC}|part|pt)[ ._-]?)?(?P<part>\d{{1,2}})[ ._]?of[ ._]?(?P<all>\d{{1,2}})"
    r"(?![^\W_])[)\]]?",
    re.I,
)
# "Part 1" may end a title, "part1" and "CD 1" do not
_AT_END = re.compile(
    rf"{_BEFORE}(?:{_DISC}[ ._-]?(?P<disc>\d{{1,2}})|(?:{_DISC}|part|pt)(?P<part>\d{{1,2}}|[a-d]))"
    r"[)\]]?\s*$",
    re.I,
)
_BEFORE_CRUFT = re.compile(
    rf"(?<=[^\W_]){_BEFORE}{_DISC}[ ._-]?(?P<part>\d{{1,2}})(?=[ ._-]+{CRUFT.pattern})", re.I
)
_LOOSE = re.compile(
    rf"[ ._(\[-]+(?:{_DISC}|part|pt)[ ._-]*(?P<part>\d{{1,2}})(?![^\W_])[)\]]?", re.I
)
_YEAR = re.compile(rf"(?<=[^\W_])[ ._([-]+{YEAR}(?![^\W_])[)\]]?")


class Part(NamedTuple):
    """A part's number, from 1, and the name without it."""

    number: int
    name: str


@lru_cache(maxsize=1024)
def part_of(name: str) -> Part | None:
    """Find the part that a file or folder is; "Part 1 (2010)" is a title."""
    whole = _OF.search(name)
    if whole and 0 < int(whole["part"]) <= int(whole["all"]) > 1:
        return _part(name, whole)
    found = _AT_END.search(name) or _BEFORE_CRUFT.search(name)
    if found is None:
        years = list(_YEAR.finditer(name))
        found = _LOOSE.search(name, years[-1].end()) if years else None
    return _part(name, found) if found else None


def loose_part(name: str) -> Part | None:
    """Find a "Part 1" at the end of a name, which is a part if the rest is the whole title."""
    found = [match for match in _LOOSE.finditer(name) if match.end() == len(name)]
    return _part(name, found[0]) if found else None


def part_of_folders(parents: Sequence[str]) -> int | None:
    """Return the number of the nearest folder "CD2", also above a "VIDEO_TS"."""
    for name in reversed(parents):
        found = DISC_FOLDER.fullmatch(name)
        if found is None:
            return None
        if found["part"]:
            return int(found["part"])
    return None


def film_folder(folder: str) -> str:
    """Return the folder that a film's discs share: "Title" of "Title/CD1" and "Title - CD 1"."""
    names = [*above_discs(folder.split(os.sep))]
    while names and DISC_FOLDER.fullmatch(names[-1]):
        names.pop()
    part = part_of(names[-1]) if names else None
    return os.sep.join([*names[:-1], part.name.strip(" -_.")] if part else names)


def _part(name: str, found: re.Match[str]) -> Part:
    said = next(group for key, group in found.groupdict().items() if key != "all" and group)
    number = int(said) if said.isdecimal() else "abcd".index(said.lower()) + 1
    gap = " " if " " in name else "."
    return Part(number, f"{name[: found.start()]}{gap}{name[found.end() :]}".strip(" ."))
