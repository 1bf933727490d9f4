"""Episode tokens in file names: S01E02, 1x02, a date, a bare number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from .text import CRUFT, YEAR


@dataclass(frozen=True, slots=True)
class Token:
    """The meaning of a token and its span of text; `number` is not within a season yet."""

    start: int
    end: int
    season: int | None = None
    episodes: tuple[int, ...] = ()
    number: int | None = None
    is_worded: bool = False  # "Episode 3", not a bare 3
    air_date: date | None = None


MOST_EPISODES_IN_A_FILE = 100

_SEASON_EPISODE = re.compile(
    r"(?<![^\W_])s(?:eason[ ._]?)?(\d{1,4})[ ._,-]{0,3}(?:e|ep|episode|x)[ ._]?(\d{1,4})"
    r"(?P<more>(?:[ ._]?[-&+~]?[ ._]?(?:s\d{1,4}[ ._]?)?ep?[ ._]?\d{1,4}"
    r"|-\d{1,3}(?![0-9a-z]))*)(?!\d)",
    re.I,
)
_CROSS = re.compile(
    r"(?<![^\W_])(\d{1,2})x(\d{1,3})(?P<more>(?:-(?:\d{1,2}x)?\d{1,3}|x\d{2,3}|"
    r"[ ._]-[ ._]\d{1,2}x\d{1,3})*)(?![0-9a-z])",
    re.I,
)
_MORE = re.compile(
    r"(?P<dash>[-~])?[ ._]?(?:s?\d{1,4}(?=[ex])[ ._]?)?[ex]?p?[ ._]?(?P<number>\d{1,4})", re.I
)
_SEASON_DASH = re.compile(
    r"(?<![^\W_])(?:s(?P<a>\d{1,2})|season[ ._](?P<b>\d{1,2})"
    r"|(?P<c>\d{1,2})(?:st|nd|rd|th)[ ._]season)"
    r"(?:[ ._]*-[ ._]*|[ ._]+)(?P<number>\d{1,3})(?:v\d)?(?![^\W_])",
    re.I,
)
_DATE = re.compile(rf"(?<!\d)({YEAR})[ ._-](0[1-9]|1[0-2])[ ._-]([0-2]\d|3[01])(?!\d)")
_WORDED = re.compile(
    r"(?<![^\W_])(?:(?:episode|folge|epis[oó]dio|[eé]pisode|ep|chapter|cap[ií]tulo|#)[ ._#]{0,2}|e)"
    r"(\d{1,4})(?P<more>(?:-e?p?\d{1,4})?)(?:v\d)?(?:[ ._]?of[ ._]?\d+)?(?![^\W_])",
    re.I,
)
_OF = re.compile(r"(?<![^\W_])(?:part[ ._]?)?(\d{1,2})[ ._]?of[ ._]?\d{1,3}(?![^\W_])", re.I)
_KANJI = re.compile(r"第\s*(\d{1,4})\s*[話集回]")
_SPECIAL = re.compile(
    r"(?<![^\W_])(?:ova|oad|ona(?=[ ._-]*\d)|sp|special)[ ._-]*(?:s)?[ ._-]*(\d{1,3})?"
    r"(?:v\d)?(?![^\W_])",
    re.I,
)
_LEADING = re.compile(
    r"\s*(\d{1,4})(?:-(?P<last>\d{1,4}))?(?:v\d)?"
    r"(?=\s*$|[ ._]*[-–.)\]\[(_][ ._]*|\s+[^\W\d_])(?!\.\d)"
)
_DASHED = re.compile(
    r"[ ._][-–][ ._]#?(\d{1,4})(?:[-~](?P<last>\d{1,4}))?(?:v\d)?(?![^\W_]|\.\d)", re.I
)
_TRAILING = re.compile(r"[ ._-]#?(\d{2,4})(?:v\d)?(?=[ ._]*(?:[\[(]|$|end\b))", re.I)
_THOUSANDS = re.compile(r"(?<=[^\W_])[ ._-]#?(\d{4})(?=[ ._-]*$)")
_PART = re.compile(
    r"(?<![^\W_])(?:part|pt|teil|partie)[ ._]?"
    r"(\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)"
    r"(?![^\W_])",
    re.I,
)
_NUMBER_WORDS = "one two three four five six seven eight nine ten".split()


def find_token(text: str) -> Token | None:
    """Return the most certain episode token of a name, or None."""
    return next(filter(None, (reader(text) for reader in _READERS)), None)


def _season_episode(text: str) -> Token | None:
    for pattern in (_SEASON_EPISODE, _CROSS):
        found = pattern.search(text)
        if found:
            episodes = _all_of(int(found[2]), found["more"])
            return Token(found.start(), found.end(), int(found[1]), episodes)
    return None


def _all_of(number: int, more: str) -> tuple[int, ...]:
    """Collect the episodes of "E01-E03" (a range) and "E01E02" (a list)."""
    episodes = [number]
    for found in _MORE.finditer(more):
        following = int(found["number"])
        span = range(episodes[-1] + 1, following) if found["dash"] else ()
        if following > episodes[-1] and len(span) < MOST_EPISODES_IN_A_FILE:
            episodes += [*span, following]
    return tuple(episodes)


def _dated(text: str) -> Token | None:
    found = _DATE.search(text)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return Token(found.start(), found.end(), air_date=day)


def _season_dash(text: str) -> Token | None:
    found = _SEASON_DASH.search(text)
    if found is None:
        return None
    season = int(found["a"] or found["b"] or found["c"])
    return Token(found.start(), found.end(), season, (int(found["number"]),))


def _worded(text: str) -> Token | None:
    for pattern in (_WORDED, _OF, _KANJI):
        found = pattern.search(text)
        if found:
            more = found.groupdict().get("more") or ""
            episodes = _all_of(int(found[1]), more)
            return Token(found.start(), found.end(), None, episodes, episodes[0], is_worded=True)
    return None


def _special(text: str) -> Token | None:
    found = _SPECIAL.search(text)
    if found is None or not (found[1] or found.group().isupper()):
        return None
    return Token(found.start(), found.end(), 0, (int(found[1] or 1),))


def _bare(text: str) -> Token | None:
    for found in _bare_numbers(text):
        number = int(found[1])
        if len(found[1]) == 4 and re.fullmatch(YEAR, found[1]):
            continue
        last = int(found.groupdict().get("last") or number)
        is_range = number < last < number + MOST_EPISODES_IN_A_FILE
        episodes = tuple(range(number, last + 1)) if is_range else (number,)
        return Token(found.start(), found.end(), None, episodes, number)
    return None


def _bare_numbers(text: str) -> Iterator[re.Match[str]]:
    yield from reversed(list(_DASHED.finditer(text)))
    leading = _LEADING.match(text)
    if leading:
        yield leading
    yield from reversed(list(_TRAILING.finditer(text)))
    yield from _THOUSANDS.finditer(text, 0, cruft.start() if (cruft := CRUFT.search(text)) else 0)


def _part(text: str) -> Token | None:
    found = _PART.search(text)
    if found is None:
        return None
    text = found[1].lower()
    number = int(text) if text.isdecimal() else _NUMBER_WORDS.index(text) + 1
    return Token(found.start(), found.end(), None, (number,), number, is_worded=True)


_READERS: tuple[Callable[[str], Token | None], ...] = (
    _season_episode,
    _season_dash,
    _dated,
    _worded,
    _special,
    _bare,
    _part,
)
