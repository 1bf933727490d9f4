"""Bars in the terminal: they fit, whatever they are of."""

from __future__ import annotations

from datetime import date, timedelta
from unicodedata import combining, east_asian_width

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from viewra_lite.cli.bars import NARROWEST, by_period, lines

ENCODINGS = ("utf-8", "ascii", "latin-1", "cp437", "gb18030", "no such encoding")
VALUES = st.one_of(
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    st.integers(0, 10**30),
    st.sampled_from([0.0, 5e-324, 1e-9, 0.05, 1.0, 999.95, 1.7976931348623157e308]),
)
NAMES = st.one_of(
    st.text(max_size=60), st.text("東京\u0301👩\u200d\x1b\n\udce9", max_size=60), st.just("")
)


def cells(text: str) -> int:
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=8), st.integers(0, 300), st.sampled_from(ENCODINGS)
)
@example([("x" * 100, 1.0), ("y", 1.7976931348623157e308)], 1, "ascii")
def test_no_line_is_wider_than_the_terminal(
    bars: list[tuple[str, float]], width: int, encoding: str
) -> None:
    drawn = lines(bars, width, encoding)
    assert len(drawn) == len(bars)
    for line in drawn:
        assert cells(line) <= max(width, NARROWEST)
        assert not set(line) & set("\n\r\x1b")
        if encoding != "no such encoding":
            line.encode(encoding)


@given(st.lists(VALUES, min_size=1, max_size=8), st.integers(NARROWEST, 300))
def test_longer_is_more_and_the_largest_fills_the_line(values: list[float], width: int) -> None:
    drawn = lines([("", value) for value in values], width, "ascii")
    lengths = [line.count("#") for line in drawn]
    assert sorted(lengths) == [length for _, length in sorted(zip(values, lengths))]
    for value, line in zip(values, drawn):
        assert ("#" in line) == (value > 0)
        if value == max(values) > 0:
            assert len(line) == width


def test_a_bar_is_drawn_in_eighths() -> None:
    assert lines([("a", 8.0), ("bc", 4.5), ("d", 0.01), ("e", 0.0)], 25) == [
        "a   8.0  ████████████████",
        "bc  4.5  █████████",
        "d   0.0  ▏",
        "e   0.0",
    ]
    assert lines([("a", 16.0), ("b", 0.625), ("c", 15.875)], 25) == [
        "a  16.0  ████████████████",
        "b   0.6  ▋",
        "c  15.9  ███████████████▉",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "no such encoding"])
def test_an_encoding_without_the_blocks_gets_plain_bars(encoding: str) -> None:
    assert lines([("a", 2.0), ("b", 1.0)], 25, encoding) == [
        "a  2.0  #################",
        "b  1.0  ########",
    ]


def test_a_long_name_is_cut_and_a_wide_one_counts_twice() -> None:
    assert lines([("Metropolis", 1.0), ("メトロポリス", 0.5)], 24) == [
        "Metropo…  1.0  █████████",
        "メトロ…   0.5  ████▌",
    ]
    assert lines([("Amélie", 1.0)], 24, "ascii") == ["Am\\xe...  1.0  #########"]


# Days


def test_a_month_is_shown_by_day_with_the_empty_ones() -> None:
    first = date(2024, 2, 27)
    assert by_period([(first, 1.0), (first + timedelta(days=3), 2.5)]) == (
        "day",
        [("2024-02-27", 1.0), ("2024-02-28", 0.0), ("2024-02-29", 0.0), ("2024-03-01", 2.5)],
    )


def test_what_is_longer_is_added_up() -> None:
    monday = date(2024, 4, 29)
    days = [(monday, 1.0), (monday + timedelta(days=6), 2.0), (monday + timedelta(days=35), 4.0)]
    assert by_period(days) == (
        "week",
        [
            ("2024-04-29", 3.0),
            ("2024-05-06", 0.0),
            ("2024-05-13", 0.0),
            ("2024-05-20", 0.0),
            ("2024-05-27", 0.0),
            ("2024-06-03", 4.0),
        ],
    )
    assert by_period([(monday, 1.0), (date(2025, 2, 1), 2.0)])[0] == "month"
    assert by_period([(monday, 1.0), (date(2025, 2, 1), 2.0)])[1][-1] == ("2025-02", 2.0)
    assert by_period([(monday, 1.0), (date(2030, 2, 1), 2.0)])[1] == [
        ("2024", 1.0),
        ("2025", 0.0),
        ("2026", 0.0),
        ("2027", 0.0),
        ("2028", 0.0),
        ("2029", 0.0),
        ("2030", 2.0),
    ]


def test_no_days_are_no_bars() -> None:
    assert by_period([]) == ("day", [])
    assert lines([], 80) == []


@given(st.dictionaries(st.dates(), st.integers(0, 100), min_size=1, max_size=20))
@example({date.min: 1, date.max: 2})
@example({date(9999, 12, 1): 1, date.max: 2})
def test_few_lines_hold_every_hour_in_order(played: dict[date, int]) -> None:
    period, bars = by_period(sorted(played.items()))
    assert sum(value for _, value in bars) == sum(played.values())
    assert [name for name, _ in bars] == sorted(name for name, _ in bars)
    assert len(bars) <= max(31, len(played))
