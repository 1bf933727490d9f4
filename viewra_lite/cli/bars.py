"""Bar charts in a terminal: in eighths of a block, or # if the encoding has no blocks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from .output import cells_of, printable

Bar = tuple[str, float]
"""Name and value, 0 or more."""

NARROWEST = 24
"""Cells: a narrower terminal cuts the lines."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL, _CUT = "█", "…"
_PLAIN_FULL, _PLAIN_CUT = "#", "..."
_GAP = "  "
_LONGEST_FIGURE = 9  # characters
_PERIODS = ("day", "week", "month", "year")
_MOST_PERIODS = 31  # lines of a chart: a month of days


def print_bars(heading: str, bars: Sequence[Bar]) -> None:
    """Print bars below a heading, as wide as the terminal (or COLUMNS, or 80 cells)."""
    width = shutil.get_terminal_size().columns
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    for line in ("", heading, *lines(bars, width, encoding)):
        print(line)


def lines(bars: Sequence[Bar], width: int, encoding: str = "utf-8") -> list[str]:
    """Return a line for each bar: name, value, and a bar in proportion to the largest value.

    A line has at most width cells (at least NARROWEST), half of them for the name. Every value
    above 0 has a bar.
    """
    has_blocks = _takes(encoding, _EIGHTHS + _FULL + _CUT)
    figures = [_figure(value) for _, value in bars]
    names = [_shown(name, encoding) for name, _ in bars]
    of_figures = max(map(len, figures), default=0)
    room = max(width, NARROWEST) - of_figures - 2 * len(_GAP)
    of_names = min(max(map(cells_of, names), default=0), room // 2)
    of_bars = room - of_names
    most = max((value for _, value in bars), default=0.0)
    cut = _CUT if has_blocks else _PLAIN_CUT
    return [
        _GAP.join(
            (
                _fitted(name, of_names, cut),
                figure.rjust(of_figures),
                _bar(value, most, of_bars, has_blocks),
            )
        ).rstrip()
        for name, figure, (_, value) in zip(names, figures, bars)
    ]


def _takes(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _shown(name: str, encoding: str) -> str:
    """Return a name as it will be printed, so that its cells can be counted."""
    text = printable(name)
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        return text


def _figure(value: float) -> str:
    text = f"{value:.1f}"
    return text if len(text) <= _LONGEST_FIGURE else f"{value:.2e}"


def _fitted(text: str, width: int, cut: str) -> str:
    """Return a text cut or padded to exactly width cells."""
    if cells_of(text) > width:
        kept, room = "", width - len(cut)
        for character in text:
            room -= cells_of(character)
            if room < 0:
                break
            kept += character
        text = kept + cut
    return text + " " * (width - cells_of(text))


def _bar(value: float, most: float, width: int, has_blocks: bool) -> str:
    if value <= 0:
        return ""
    share = value / most
    if not has_blocks:
        return _PLAIN_FULL * max(1, round(share * width))
    blocks, eighths = divmod(max(1, round(share * width * 8)), 8)
    return (_FULL * blocks + _EIGHTHS[eighths]).rstrip()


# Days


def by_period(days: Sequence[tuple[date, float]]) -> tuple[str, list[Bar]]:
    """Sum ordered days up by day, week, month or year, to at most a month of lines.

    Returns the name of the period and the sums, with 0 for periods in between without a value.
    """
    for period in _PERIODS:
        starts = _starts(days[0][0], days[-1][0], period) if days else iter(())
        names = [_name(start, period) for start in islice(starts, _MOST_PERIODS + 1)]
        if len(names) <= _MOST_PERIODS:
            break
    sums = dict.fromkeys(names, 0.0) if len(names) <= _MOST_PERIODS else {}
    for day, value in days:
        name = _name(_start(day, period), period)
        sums[name] = sums.get(name, 0.0) + value
    return period, list(sums.items())


def _starts(first: date, last: date, period: str) -> Iterator[date]:
    """Yield the first day of every period from one day to another."""
    start, end = _start(first, period), _start(last, period)
    yield start
    while start < end:
        start = _start(start + _SURELY_NEXT[period], period)
        yield start


_SURELY_NEXT = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}


def _start(day: date, period: str) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if period == "year" else day


def _name(start: date, period: str) -> str:
    return start.isoformat()[: {"month": 7, "year": 4}.get(period)]
