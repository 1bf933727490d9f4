"""The values of music tags: names, lists, numbers, dates, gains and ids, of bounded size.

Each function takes all values of a field, because most formats allow several, and never fails:
what cannot be read is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from math import isfinite

from ..names.text import readable

LONGEST_TAG = 500  # characters, what a title may have; some taggers put a web page into a title
LONGEST_LYRICS = 100_000  # characters
MOST_VALUES = 100  # of a field
MOST_GAIN_DB = 100.0
MOST_PEAK = 1000.0
R128_REFERENCE_DB = 5.0
"""R128 gains aim at -23 LUFS, ReplayGain at -18 LUFS (RFC 7845, section 5.2.1)."""

_UUID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])")
_YEAR = re.compile(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d{1,3}(?!\d))")
_DAY = re.compile(r"(?<!\d)(\d{4})([-./]?)(\d\d?)\2(\d\d?)(?!\d)")
_PAIR = re.compile(r"\s*(\d{1,4})(?!\d)(?:\s*(?:/|of)\s*(\d{1,4})(?!\d))?")
_DECIBELS = re.compile(r"\s*([+-]?\d{1,4}(?:[.,]\d{1,20})?)\s*(?:db)?\s*", re.I)
_PLAYERS_SEPARATORS = ("; ", " / ", "\\\\")
_CREDITS = (
    r"\s*;\s*",
    r"\s+/\s+",
    r"\s*/\s*",
    r"\s+(?:feat\.?|ft\.?|featuring)\s+",
    r"\s+(?:vs\.?|versus)\s+",
    r"\s*&\s*",
    r"\s*,\s*",
    r"\s*(?:[;/,&+]|\s(?:feat\.?|ft\.?|featuring|vs\.?|versus|and|with|x)\s)\s*",
)
_GENRE_MARKS = {"rx": "Remix", "(rx)": "Remix", "cr": "Cover", "(cr)": "Cover"}  # of ID3
_YES = ("1", "yes", "true", "y")
_NO = ("0", "no", "false", "n")


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values as plain text, each once; NUL divides several values of one field."""
    found: dict[str, None] = {}
    for value in values:
        for piece in value[: LONGEST_TAG * MOST_VALUES].split("\0"):
            text = " ".join(readable(piece[:LONGEST_TAG].strip("\ufeff")).split())
            if text:
                found.setdefault(text)
            if len(found) == MOST_VALUES:
                return tuple(found)
    return tuple(found)


def first(values: Iterable[str]) -> str | None:
    """Return the first value, or None."""
    return next(iter(texts(values)), None)


def joined(names: Sequence[str]) -> str | None:
    """Join names as people do: "A", "A & B", "A, B & C"."""
    if len(names) < 2:
        return names[0] if names else None
    return f"{', '.join(names[:-1])} & {names[-1]}"[:LONGEST_TAG]


def credited(
    names: Iterable[str], listed: Iterable[str], ids: int
) -> tuple[str | None, tuple[str, ...]]:
    """Return artists as they are shown, and one by one.

    names are the values of ARTIST, listed those of ARTISTS, ids is the number of MusicBrainz ids
    of artists (0 if unknown), which shows how many names a text has.
    """
    shown, each = texts(names), texts(listed)
    if len(each) == 1:
        each = _divided(each[0], ids)
    if not each:
        each = shown if len(shown) > 1 else _divided(shown[0], ids) if shown else ()
    return joined(shown or each), each[:MOST_VALUES]


def _divided(text: str, ids: int) -> tuple[str, ...]:
    if ids == 0:
        return divided([text], *_PLAYERS_SEPARATORS)
    for pattern in _CREDITS if ids > 1 else ():
        pieces = texts(re.split(pattern, text, flags=re.I))
        if len(pieces) == ids:
            return pieces
    return (text,)


def divided(values: Iterable[str], *separators: str) -> tuple[str, ...]:
    """Return the values, divided at separators that no name contains: "AC/DC" stays one."""
    found = texts(values)
    for separator in separators:
        found = texts(piece for text in found for piece in text.split(separator))
    return found


def genres(values: Iterable[str]) -> tuple[str, ...]:
    """Return genres; "Rock; Pop" and "Rock / Pop" are two, "Hip-Hop/Rap" and "R&B" one."""
    return texts(_GENRE_MARKS.get(one.lower(), one) for one in divided(values, ";", " / ", "\\\\"))


def pair(values: Iterable[str]) -> tuple[int | None, int | None]:
    """Read "3" or "3/12" as a number and a total; 0 and nonsense are None."""
    for value in values:
        found = _PAIR.match(value[:LONGEST_TAG])
        if found:
            return int(found[1]) or None, int(found[2] or 0) or None
    return None, None


def year(values: Iterable[str]) -> int | None:
    """Return the first year."""
    years = (_YEAR.search(value[:LONGEST_TAG]) for value in values)
    return next((int(found[1]) for found in years if found), None)


def day(values: Iterable[str]) -> date | None:
    """Return the first full date, not a year or a month alone."""
    return next(_days(values), None)


def _days(values: Iterable[str]) -> Iterator[date]:
    for value in values:
        found = _DAY.search(value[:LONGEST_TAG])
        if found and year([found[1]]) and (found[2] or len(found[0]) == 8):
            try:
                yield date(int(found[1]), int(found[3]), int(found[4]))
            except ValueError:  # 1997-00-00, as some taggers write a year
                continue


def flag(values: Iterable[str]) -> bool | None:
    """Read 1, yes or true, and their contraries."""
    for value in values:
        said = value[:LONGEST_TAG].strip("\0 ").lower()
        if said in _YES or said in _NO:
            return said in _YES
    return None


def gain(replay_gain: Iterable[str], r128: Iterable[str]) -> float | None:
    """Return a gain in dB, of ReplayGain or of Opus's R128 tags (in 1/256 dB)."""
    decibels = _number(replay_gain)
    if decibels is None:
        steps = _number(r128)
        decibels = None if steps is None else steps / 256 + R128_REFERENCE_DB
    is_plausible = decibels is not None and abs(decibels) <= MOST_GAIN_DB
    return decibels if is_plausible else None


def peak(values: Iterable[str]) -> float | None:
    """Return a peak; 1.0 is full scale."""
    value = _number(values)
    return value if value is not None and 0 <= value <= MOST_PEAK else None


def _number(values: Iterable[str]) -> float | None:
    for value in values:
        found = _DECIBELS.fullmatch(value[:LONGEST_TAG].strip("\0"))
        number = float(found[1].replace(",", ".")) if found else float("nan")
        if isfinite(number):
            return number
    return None


def uuids(values: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in the values, however they are divided."""
    found = (one for value in values for one in _UUID.findall(value[:LONGEST_LYRICS].lower()))
    return tuple(dict.fromkeys(found))[:MOST_VALUES]


def lyrics(values: Iterable[str]) -> str | None:
    """Return the first lyrics, plain ones before lines with times."""
    found = [text for text in map(_verses, values) if text]
    plain = [text for text in found if not re.match(r"\[\d+:\d\d", text)]
    return next(iter(plain + found), None)


def _verses(value: str) -> str:
    lines = value[:LONGEST_LYRICS].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(readable(line).rstrip() for line in lines).strip("\ufeff\n ")
