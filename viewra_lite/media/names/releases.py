"""Music releases: "Artist_Name-Album-(Label)-CD-1999-GRP" with "01-artist_name-title-grp" in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .text import YEAR, words

_END = re.compile(rf"-[^\W_]*?\(?(?P<year>{YEAR})\)?-(?P<group>[^\W_]+)(?:_int)?", re.I)
_YEAR_SECOND = re.compile(
    rf"(?P<artist>[^-]+)-(?P<year>{YEAR})-(?P<album>[^-]+)-(?P<group>[^\W_]+)"
)
_DASH = re.compile(r"-+(?![^(]*\))")  # not one in parentheses
_WIDE_DASH = re.compile(r"_-_|[ ]-[ ]")
_ABOUT = re.compile(
    r"|\(.*|\d{0,2}x?(?:cd(?:[rsm]|ep)?|dvda?|lp|ep|mcd|vls|vinyl|tape)|(?-i:[A-Z0-9_]+)|web|flac|"
    r"mp3|wav|x26[45]|\d+(?:kbps|p).*|retail|promo|proper|repack|advance|reissue|remastered|bootleg|single|"
    r"digipak|(?:cd|dis[ck])_?\d{1,2}|(?:[^\W_]+[ _]){0,3}edition(?:[ _].*)?",
    re.I,
)
_DISC = re.compile(r"(?:cd|dis[ck])_?(\d{1,2})", re.I)
_TRACK = re.compile(
    r"(?:(?P<disc>[1-9](?=\d\d))?(?P<track>\d\d)|(?P<side>[a-h]\d))\.?-(?P<rest>[^\s-]\S*)", re.I
)


@dataclass(frozen=True, slots=True)
class Release:
    """What the folder of a release says; `group` ends the names of its files."""

    artist: str
    album: str
    year: int
    disc: int | None
    group: str


@lru_cache(maxsize=256)  # the tracks of an album have one folder
def release_of(folder: str) -> Release | None:
    """Read the folder of a release, or return None for another one."""
    second = _YEAR_SECOND.fullmatch(folder)
    if second:
        artist, album = words(second["artist"]), words(second["album"])
        return Release(artist, album, int(second["year"]), None, second["group"])
    ends = [end for end in _END.finditer(folder) if end.end() == len(folder)]
    if not ends:
        return None
    pieces, disc = _without_words(_pieces(folder[: ends[0].start()]))
    if len(pieces) < 2:
        return None
    album = words("-".join(pieces[1:]))
    return Release(words(pieces[0]), album, int(ends[0]["year"]), disc, ends[0]["group"])


def _pieces(body: str) -> list[str]:
    wide = _WIDE_DASH.search(body)
    if wide:
        return [body[: wide.start()], *_joined(_DASH.split(body[wide.end() :]))]
    return _joined(_DASH.split(body))


def _joined(pieces: list[str]) -> list[str]:
    """Join what a hyphen divided: "T-Pain", "Jay-Z", "86-98"."""
    joined: list[str] = []
    for piece in pieces:
        if joined and _is_one_word(joined[-1], piece):
            joined[-1] += f"-{piece}"
        else:
            joined.append(piece)
    return joined


def _is_one_word(left: str, right: str) -> bool:
    if left[-2:].isdecimal() and right.isdecimal():
        return not left.isdecimal()
    last = re.split(r"[\W_]", left)[-1]
    is_open = len(last) == 1 and last.isalpha() and "-" not in left
    return is_open or (len(right) == 1 and right.isalpha())


def _without_words(pieces: list[str]) -> tuple[list[str], int | None]:
    """Drop the words about a release, which follow artist and album, and read a disc from them."""
    abouts = [at for at, piece in enumerate(pieces) if at > 1 and _ABOUT.fullmatch(piece)]
    kept = pieces[: abouts[0]] if abouts else pieces
    discs = [found for piece in pieces[len(kept) :] if (found := _DISC.fullmatch(piece))]
    return kept, int(discs[0][1]) if discs else None


def release_track(stem: str, parents: list[str]) -> str:
    """Write a release's track as other people do: "1-01 - artist name - title"."""
    found = _TRACK.fullmatch(stem)
    releases = [release for release in map(release_of, parents) if release] if found else []
    if found is None or not (releases or "_" in found["rest"]):
        return stem
    rest = found["rest"]
    if releases and rest.casefold().endswith(f"-{releases[-1].group.casefold()}"):
        rest = rest[: -len(releases[-1].group) - 1]
    end = _performer_end(rest, releases[-1].artist if releases else "")
    number = f"{found['disc']}-{found['track']}" if found["disc"] else found["track"]
    number = number or found["side"].upper()
    return " - ".join(filter(None, [number, rest[:end], rest[end + 1 :]]))


def _performer_end(rest: str, artist: str) -> int:
    """Return where the performer's name ends: behind the release's artist, or at a hyphen."""
    if artist and re.sub(r"\W", "_", rest).casefold().startswith(
        re.sub(r"\W", "_", artist).casefold() + "_"
    ):
        return len(artist)
    return rest.find("-") if "-" in rest else len(rest)
