"""The values of an nfo file: text, numbers, days and lists, each within what a column holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from math import isfinite

from ....database.checks import LONGEST_TITLE, MOST_32_BITS
from ...names.text import readable
from ...probing.plausible import HIGHEST_RATING, LONGEST_RUNTIME_MIN, MOST_NUMBER
from .xml import Element

LONGEST_TEXT = 20_000
MOST_ENTRIES = 200
_FIRST_YEAR, _LAST_YEAR = 1870, 2100


def line(text: str) -> str | None:
    """Return a title or a name on one line, or None."""
    return " ".join(readable(text[: 2 * LONGEST_TITLE]).split())[:LONGEST_TITLE].strip() or None


def prose(text: str) -> str | None:
    """Return a longer text with its lines, or None."""
    lines = (" ".join(readable(one).split()) for one in text[:LONGEST_TEXT].splitlines())
    return "\n".join(lines).strip() or None


def lines(texts: Iterable[str]) -> list[str] | None:
    """Return the names of several elements, each once, or None."""
    found = dict.fromkeys(name for text in texts if (name := line(text)))
    return list(found)[:MOST_ENTRIES] or None


def split(texts: Iterable[str]) -> list[str] | None:
    """Return names, several of which may be one text: "Action / Drama"."""
    return lines(part for text in texts for part in _SLASHES.split(text[:LONGEST_TEXT]))


_SLASHES = re.compile(r"(?:^|\s+)/(?:\s+|$)|[|;]")


def joined(texts: Iterable[str]) -> str | None:
    """Return names with commas, or None."""
    return line(", ".join(lines(texts) or ()))


def whole(text: str, most: int = MOST_NUMBER) -> int | None:
    """Return a whole number from 0 to a bound, or None."""
    found = re.fullmatch(r"\s*\+?(\d{1,10})(?:\.0*)?\s*", text, re.ASCII)
    number = int(found.group(1)) if found else -1
    return number if 0 <= number <= most else None


def id_number(text: str) -> int | None:
    """Return an external id that is a number, or None."""
    return whole(text, MOST_32_BITS) or None


def imdb_id(text: str) -> str | None:
    """Return an id at imdb.com, or None."""
    found = re.fullmatch(r"\s*(tt\d{5,10})\s*", text, re.I | re.ASCII)
    return found.group(1).lower() if found else None


def uuid(text: str) -> str | None:
    """Return an id at musicbrainz.org, or None."""
    lower = text.strip().lower()
    return lower if re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", lower) else None


def day(text: str) -> date | None:
    """Return the day of a date or a time, 2001-04-25 or 25.04.2001, or None.

    Years that programs write for an unknown day (1, 1601) are none.
    """
    iso = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text, re.ASCII)
    other = re.match(r"\s*(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)", text, re.ASCII)
    numbers = iso.groups() if iso else other.groups()[::-1] if other else ()
    try:
        found = date(*map(int, numbers)) if numbers else None
    except ValueError:
        return None
    return found if found and _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def year(text: str) -> int | None:
    """Return the year of a year or a date, or None."""
    found = re.match(r"\s*(\d{4})(?!\d)", text, re.ASCII)
    number = int(found.group(1)) if found else 0
    return number if _FIRST_YEAR <= number <= _LAST_YEAR else None


def minutes(text: str) -> int | None:
    """Return a running time in minutes: 136, "136 min", "2h 16m" or 2:16:00, or None."""
    text = text.strip().lower()
    clock = re.fullmatch(r"(\d{1,2}):(\d\d):\d\d", text, re.ASCII)
    hours = re.fullmatch(r"(\d{1,2})\s*h\D{0,6}(?:(\d{1,2})\s*m?\D{0,6})?", text, re.ASCII)
    plain = re.match(r"(\d{1,6})(?:[.,]\d+)?\s*(?:m|$)", text, re.ASCII)
    number = 0
    if found := clock or hours:
        number = int(found.group(1)) * 60 + int(found.group(2) or 0)
    elif plain:
        number = int(plain.group(1))
    return number if 0 < number <= LONGEST_RUNTIME_MIN else None


def decimal(text: str) -> float | None:
    """Return a finite number, with a point or a comma, or None."""
    text = text.strip().replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,12}(?:\.\d{1,12})?", text, re.ASCII):
        return None
    number = float(text)
    return number if isfinite(number) else None


def rating(root: Element) -> float | None:
    """Return the default rating, or the first, of 10, or None."""
    some = [one for group in root.all("ratings") for one in group.all("rating")]
    some.sort(key=lambda one: one.attributes.get("default", "").lower() != "true")
    found = [_of_ten(one.first("value"), one.attributes.get("max", "")) for one in some]
    found += [_of_ten(one.text, one.attributes.get("max", "")) for one in root.all("rating")]
    return next((number for number in found if number), None)


def _of_ten(text: str, most: str) -> float | None:
    number, scale = decimal(text), decimal(most) or HIGHEST_RATING
    if number is None or not 0 < number <= scale:
        return None
    return round(number * HIGHEST_RATING / scale, 3)


def address(text: str) -> str | None:
    """Return an http address, or None."""
    text = text.strip()
    return text if re.fullmatch(r"https?://[^\s<>\"]{3,2000}", text, re.I) else None
