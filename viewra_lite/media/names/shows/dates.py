"""Dates in names: 2024-04-30, 30.04.2024, 20240430, 30th Apr 2024, 240430."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from ..text import YEAR


@dataclass(frozen=True, slots=True)
class Day:
    """A date, and its span of text."""

    start: int
    end: int
    date: date


_MONTHS = {
    1: "jan january januar janvier janv enero gennaio gen januari janeiro stycznia ledna января",
    2: "feb february februar février fevrier févr febrero febbraio februari fevereiro lutego "
    "února февраля",
    3: "mar march märz maerz mrz mars marzo maart março marco marca března марта",
    4: "apr april avril avr abril abr aprile kwietnia dubna апреля",
    5: "may mai mayo maggio mag mei maj maio maja května мая",
    6: "jun june juni juin junio giugno giu junho czerwca června июня",
    7: "jul july juli juillet juil julio luglio lug julho lipca července июля",
    8: "aug august août aout agosto ago augustus augusti sierpnia srpna августа",
    9: "sep sept september septembre septiembre settembre set setembro września září сентября",
    10: "oct october oktober okt octobre octubre ottobre ott outubro out oktober października "
    "října октября",
    11: "nov november novembre noviembre novembro listopada listopadu ноября",
    12: "dec december dezember dez décembre decembre déc diciembre dic dicembre dezembro desember "
    "grudnia prosince декабря",
}
_MONTH_OF = {name: month for month, names in _MONTHS.items() for name in names.split()}
_MONTH_NAME = rf"({'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})(?![^\W\d_])\.?"
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th|er|º|\.(?= ))?"
_TIME = r"(?:[ ._-]\d\d[ ._-]\d\d(?:[ ._-]\d\d)?(?!\d))?"  # of a recording: "2018_03_24_19_00_00"
_YEAR_FIRST = re.compile(rf"(?<![^\W_])({YEAR})([ ._-])(\d\d)\2(\d\d)(?!\d){_TIME}")
_YEAR_LAST = re.compile(rf"(?<![^\W_])(\d\d)([ ._-])(\d\d)\2({YEAR})(?!\d)")
_YEAR_CROSS = re.compile(rf"(?<![^\W_])({YEAR})[xх]()(\d\d)\.(\d\d)(?![\d-])", re.I)
_COMPACT = re.compile(
    rf"(?<![^\W_])({YEAR})(\d\d)(\d\d)(?:(?:T|[ _-])\d{{4}}(?:\d\d)?)?(?![^\W_])", re.I
)
_DAY_MONTH = re.compile(
    rf"(?<![^\W_]){_ORDINAL}[ ._-](?:de[ ._])?{_MONTH_NAME}"
    rf"[ ._,-]{{1,2}}(?:de[ ._])?({YEAR})(?!\d)",
    re.I,
)
_MONTH_DAY = re.compile(
    rf"(?<![^\W_]){_MONTH_NAME}[ ._-]{_ORDINAL}[ ._,-]{{1,2}}({YEAR})(?!\d)", re.I
)
_YEAR_MONTH = re.compile(rf"(?<![^\W_])({YEAR})[ ._-]{_MONTH_NAME}[ ._-]{_ORDINAL}(?![^\W_])", re.I)
_LATEST_SHORT_YEAR = 29  # 30 is a day
_SEPARATED = re.compile(r"(?<![^\W_])(?<!\d[.-])(\d\d)([.-])(\d\d)\2(\d\d)(?![^\W_]|[.-]\d\d?\b)")
_SHORT = re.compile(r"(?<![^\W_])(\d\d)(\d\d)(\d\d)(?![^\W_])")


def find_day(text: str) -> Day | None:
    """Return the date that a name says, or None."""
    return next((day for reader in _READERS for day in reader(text)), None)


def find_short_day(text: str) -> Day | None:
    """Return the date of "221206 Title" (year, month, day), for a name without a longer one."""
    return next(_short(text), None)


def _short(text: str) -> Iterator[Day]:
    for found in _SHORT.finditer(text):
        day = _day(found, 2000 + int(found[1]), int(found[2]), int(found[3]))
        if day:
            yield day


def _short_separated(text: str) -> Iterator[Day]:
    """Read 24-04-30, else 30.04.24; "01-02-03" are three episodes."""
    for found in _SEPARATED.finditer(text):
        first, second, third = int(found[1]), int(found[3]), int(found[4])
        if (second, third) == (first + 1, first + 2):
            continue
        day = _day(found, 2000 + first, second, third) if first <= _LATEST_SHORT_YEAR else None
        day = day or _day(found, 2000 + third, second, first)
        if day:
            yield day


def _year_first(text: str) -> Iterator[Day]:
    for found in chain(_YEAR_FIRST.finditer(text), _YEAR_CROSS.finditer(text)):
        year, second, third = int(found[1]), int(found[3]), int(found[4])
        day = _day(found, year, second, third) or _day(found, year, third, second)
        if day:
            yield day


def _year_last(text: str) -> Iterator[Day]:
    """Read 30.04.2024; the day is first, unless it can only be a month."""
    for found in _YEAR_LAST.finditer(text):
        year, first, second = int(found[4]), int(found[1]), int(found[3])
        day = _day(found, year, second, first) or _day(found, year, first, second)
        if day:
            yield day


def _compact(text: str) -> Iterator[Day]:
    for found in _COMPACT.finditer(text):
        day = _day(found, int(found[1]), int(found[2]), int(found[3]))
        if day:
            yield day


def _with_month_name(text: str) -> Iterator[Day]:
    for found in _DAY_MONTH.finditer(text):
        day = _day(found, int(found[3]), _MONTH_OF[found[2].lower()], int(found[1]))
        if day:
            yield day
    for found in _YEAR_MONTH.finditer(text):
        day = _day(found, int(found[1]), _MONTH_OF[found[2].lower()], int(found[3]))
        if day:
            yield day
    for found in _MONTH_DAY.finditer(text):
        day = _day(found, int(found[3]), _MONTH_OF[found[1].lower()], int(found[2]))
        if day:
            yield day


def _day(found: re.Match[str], year: int, month: int, day: int) -> Day | None:
    try:
        return Day(found.start(), found.end(), date(year, month, day))
    except ValueError:
        return None


_READERS: tuple[Callable[[str], Iterator[Day]], ...] = (
    _year_first,
    _year_last,
    _compact,
    _with_month_name,
    _short_separated,
)
