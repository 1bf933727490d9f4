"""Subtitles beside a video, by name alone: language, forced or not, format."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from .languages import language_of

# suffix: the codec, as ffprobe names it
CODECS = {
    ".ass": "ass",
    ".idx": "dvd_subtitle",
    ".smi": "sami",
    ".srt": "subrip",
    ".ssa": "ass",
    ".sub": "microdvd",
    ".sup": "hdmv_pgs_subtitle",
    ".ttml": "ttml",
    ".vtt": "webvtt",
}
FOLDERS = frozenset({"subs", "sub", "subtitles", "subtitle", "vobsubs"})
LONGEST_TITLE = 200


class Subtitle(NamedTuple):
    """A subtitle file: its name, and what the name says."""

    name: str
    codec: str
    language: str | None = None
    is_forced: bool = False
    is_default: bool = False
    title: str | None = None


class _Marks(NamedTuple):
    """What the part of a name after the video's says; whether every word of it is known."""

    language: str | None
    is_forced: bool
    is_default: bool
    title: str | None
    is_understood: bool


def is_subtitle(name: str) -> bool:
    """Whether a file is a subtitle."""
    return os.path.splitext(name)[1].lower() in CODECS


def subtitles_of(
    stem: str, stems: Iterable[str], names: Iterable[str], *, is_only: bool
) -> list[Subtitle]:
    """Return the subtitles of a video among the names beside it, by name.

    stem is the video's name without suffix, stems those of all videos of the folder: a subtitle
    belongs to the longest that it begins with. One that only names a language belongs to a video
    that is the only one.
    """
    lower = {one.lower() for one in stems}
    return [
        found
        for name in _without_pairs(names)
        if (rest := _rest(os.path.splitext(name)[0], stem.lower(), lower, is_only)) is not None
        and (found := _subtitle(name, rest[0], rest[1])) is not None
    ]


def subtitles_in(names: Iterable[str]) -> list[Subtitle]:
    """Return all subtitles of a folder that belongs to one video, by name."""
    found = [
        _subtitle(name, os.path.splitext(name)[0], is_own=True) for name in _without_pairs(names)
    ]
    return [subtitle for subtitle in found if subtitle is not None]


def _without_pairs(names: Iterable[str]) -> list[str]:
    """Return the subtitles; of a VobSub only the .idx, which names its .sub."""
    some = sorted(name for name in names if is_subtitle(name))
    pairs = {name[:-4].lower() for name in some if name.lower().endswith(".idx")}
    return [
        name for name in some if not (name.lower().endswith(".sub") and name[:-4].lower() in pairs)
    ]


def _rest(name: str, stem: str, stems: set[str], is_only: bool) -> tuple[str, bool] | None:
    """Return what follows the video's name, and whether it did; None for another video's."""
    lower = name.lower()
    longest = max((one for one in stems if _begins_with(lower, one)), key=len, default=None)
    if longest is not None:
        return (name[len(stem) :], True) if longest == stem else None
    return (name, False) if is_only else None


def _begins_with(name: str, stem: str) -> bool:
    return name == stem or (name.startswith(stem) and name[len(stem)] in " .-_[(")


def _subtitle(name: str, rest: str, is_own: bool) -> Subtitle | None:
    marks = _marks(rest)
    if not marks.is_understood and (not is_own or rest.startswith(" ")):
        return None  # "Alien 3.srt" beside "Alien.mkv"
    codec = CODECS[os.path.splitext(name)[1].lower()]
    return Subtitle(name, codec, marks.language, marks.is_forced, marks.is_default, marks.title)


_BREAK = re.compile(r"[ .\[\](){}+,]+|_+-*|-_+")
_FORCED = {"forced", "foreign"}
_TITLES = {
    "sdh": "SDH",
    "cc": "CC",
    "hi": "SDH",
    "commentary": "Commentary",
    "signs": "Signs",
    "songs": "Songs",
    "full": None,
    "default": None,
    "sub": None,
    "subs": None,
}


def _marks(rest: str) -> _Marks:
    language, titles, unknown = None, [], False
    words = _words(rest)
    for word in words:
        lower = word.lower()
        if (found := language_of(word)) is not None and language is None:
            if lower != "hi" or not any(language_of(one) for one in words if one.lower() != "hi"):
                language = found
                continue
        if lower in _TITLES:
            titles.append(_TITLES[lower])
        elif lower not in _FORCED and not lower.isdecimal():
            titles.append(word)
            unknown = True
    lower_words = {word.lower() for word in words}
    title = " ".join(dict.fromkeys(filter(None, titles)))[:LONGEST_TITLE]
    return _Marks(
        language,
        bool(lower_words & _FORCED),
        "default" in lower_words,
        title or None,
        not unknown and (not words or not all(map(str.isdecimal, words))),
    )


def _words(rest: str) -> list[str]:
    """Cut a text into words; "pt-BR" and "pt_BR" are one."""
    found: list[str] = []
    for word in _BREAK.split(
        re.sub(r"(?i)(?<![a-z])(pt|zh|es|en|fr)_([a-z]{2,4}|419)\b", r"\1-\2", rest)
    ):
        word = word.strip("-")
        if word:
            found += [word] if language_of(word) else [part for part in word.split("-") if part]
    return found
