"""Bare numbers in names: " - 05", "[05]", "05 Title", "Show 105"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..text import CRUFT, YEAR
from .several import spanned
from .token import Token

_BRACKETED = re.compile(
    r"(?:\[(?!(?:480|720|1080|2160)\])(?:tv[ ._])?|\((?=\d\d|\d-))(?P<number>\d{1,4})"
    r"(?:(?:[-~_]|[ ]~[ ])(?P<last>\d{1,4}))?(?:[ ._]?v\d)?[ ._]?(?:end|fin|final|完)?[\])]",
    re.I,
)
_LEADING = re.compile(
    r"\s*(?P<number>\d{1,4})(?:(?:-\d{1,4})?-(?P<last>\d{1,4}))?(?:v\d)?"
    r"(?=\s*$|[ ._]*[-–.)\]\[(_][ ._]*|\s+(?:[^\W\d_]|\d{3,4}p))(?!\.\d)"
)
_RANGE_DASH = r"(?:v\d)?(?:[-~+&,]|[ ._][~+&][ ._]|[ ._](?:to|bis|ao)[ ._])"
_SPACED_RANGE = re.compile(
    r"[ ._(\[-](?P<number>0\d{1,2})[ ._][-–][ ._](?P<last>\d{2,3})"
    r"[ ._)\]]*(?=[ ._(\[](?:[\[(]|batch|complete))",
    re.I,
)
_DASHED = re.compile(
    r"[ ._][-–][ ._]{1,2}#?\(?(?P<number>\d{1,4})"
    rf"(?:{_RANGE_DASH}(?:(?<=0\d-)\d\d-)?(?P<last>\d{{1,4}}))?"
    r"(?:\.?v\d|[a-c])?(?![^\W_]|\.\d(?!\d)|-\d)",
    re.I,
)
_TRAILING = re.compile(r"[ ._-]#?(?P<number>\d{2,4})(?:v\d)?(?=[ ._]*(?:[\[(]|$|end\b))", re.I)
_TRAILING_RANGE = re.compile(
    rf"(?<!\d)(?<!part)[ ._(-](?P<number>\d{{1,4}})(?:v\d)?(?:{_RANGE_DASH}|[ ._]to[ ._])"
    r"(?:(?<=0\d-)\d\d-)?(?P<last>\d{1,4})(?:v\d)?"
    r"(?=[ ._)]*(?:[\[(]|batch\b|complete\b|end\b|$|-\.))",
    re.I,
)
_BEFORE_CRUFT = re.compile(
    r"(?<=[^\s._-])(?<!part)(?<!pt)(?<!teil)[ ._-]#?(?P<number>\d{2,4}|\d(?=-))"
    r"(?:-(?P<last>\d{2,4}))?(?=[ ._-]*$)",
    re.I,
)
_MIDDLE = re.compile(r"(?<=[^\W_])[ ._-](?P<number>\d{3}|0\d{1,3})(?=[ ._][^\W\d_])")
_CODEC = re.compile(r"(?<![^\W_])[hx][ ._]26[3-6](?!\d)", re.I)
_GLUED = re.compile(r"[a-z][a-z-]*[a-z](?P<number>\d{3})(?=-[a-z]+$|$)", re.I)  # "abc102"
_IN_SQUARE = re.compile(r"\[(\d{2,3})(?:v\d)?\]")
_IN_PARENTHESES = re.compile(r"[ ._]\((\d{1,3})\)(?=[ ._]*(?:$|\[))")
_RESOLUTION = re.compile(r"(?<=[ ._])(?:480|576|720|1080|2160)(?=[ ._])")


_MAY_HOLD_SEASON = (_LEADING, _TRAILING, _TRAILING_RANGE, _BEFORE_CRUFT, _MIDDLE, _GLUED)


def find_bare(text: str) -> Token | None:
    """Return the most certain bare number of a name, or None."""
    for found in _bare_numbers(text):
        if len(found["number"]) == 4 and re.fullmatch(YEAR, found["number"]):
            continue
        if _CODEC.match(text, max(found.start() - 1, 0)):
            continue
        if found.re is _TRAILING_RANGE and len(found["number"]) == 1 and found["last"][0] == "0":
            season, number = int(found["number"]), int(found["last"])  # "Show 2-05"
            return Token(found.start(), found.end(), (number,), season, "bare")
        if found.re is _TRAILING_RANGE and _is_pair(found):
            season, number = int(found["number"]), int(found["last"])  # "Show 03-20"
            return Token(found.start(), found.end(), (number,), season, "bare")
        is_loose = found.re in _MAY_HOLD_SEASON and (text[found.start()] != "-" or " " not in text)
        return Token(
            found.start("number") if found.re is _GLUED else found.start(),
            found.end(),
            spanned(found),
            kind="bare",
            may_hold_season=is_loose and len(found["number"]) > 2,
        )
    return None


_MOST_IN_A_FILE = 6  # of a name without brackets, which releases of many episodes have


def _is_pair(found: re.Match[str]) -> bool:
    """Whether "03-20" at the end is season 3, episode 20, and not 18 episodes."""
    is_short = len(found["number"]) == len(found["last"]) == 2 and "-" in found.group()
    spread = int(found["last"]) - int(found["number"])
    return is_short and spread >= _MOST_IN_A_FILE and not re.search(r"[\[(]", found.string)


def find_in_square(text: str) -> Token | None:
    """Return the "[05]" of a name that has a date, which other bare numbers may be parts of."""
    found = _IN_SQUARE.search(text)
    return Token(found.start(), found.end(), (int(found[1]),), kind="bare") if found else None


def find_in_parentheses(text: str) -> Token | None:
    """Return the "(5)" at the end of a fansub's name."""
    found = _IN_PARENTHESES.search(text)
    return Token(found.start(), found.end(), (int(found[1]),), kind="bare") if found else None


def _bare_numbers(text: str) -> Iterator[re.Match[str]]:
    """Find numbers that may be an episode's, the most certain first."""
    spaced = _SPACED_RANGE.search(text)  # "01 - 12 [720p]"
    if spaced and int(spaced["number"]) < int(spaced["last"]):
        yield spaced
    leading = _LEADING.match(text)
    dashed = list(_DASHED.finditer(text))
    # "16 - 12 Angry Men": the second number is in the title
    while dashed and re.match(r"\.?[ _]+[^\W\d_]", text[dashed[-1].end() :]):
        if not (leading and leading.end() == dashed[-1].start()) and len(dashed) == 1:
            break
        dashed.pop()
    yield from reversed(dashed)
    yield from reversed(list(_BRACKETED.finditer(text, 1)))
    yield from reversed(list(_TRAILING_RANGE.finditer(text)))
    trailing = list(_TRAILING.finditer(text))[::-1]
    if leading and leading["number"][0] != "0":  # "99 Harbours 05 [720p]"
        yield from (found for found in trailing if found["number"][0] == "0")
    if leading:
        yield leading
    yield from trailing
    for cruft in (_RESOLUTION.search(text), CRUFT.search(text)):
        if cruft:
            yield from _BEFORE_CRUFT.finditer(text, 0, cruft.start())
    yield from _MIDDLE.finditer(text)
    glued = _GLUED.match(text)
    if glued:
        yield glued
