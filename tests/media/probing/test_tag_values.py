"""The values of tags: no text makes them fail, and what they return is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from viewra_lite.media.probing import tag_values
from viewra_lite.media.probing.tag_values import (
    LONGEST_LYRICS,
    LONGEST_TAG,
    MOST_GAIN_DB,
    MOST_PEAK,
    MOST_VALUES,
)

said = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.text("0123456789-/.:;,+ \0dBe&٣²", max_size=30),
        st.from_regex(r"\d{1,20}[-/.]?\d{1,20}[-/.]?\d{1,20}"),
    ),
    max_size=6,
)


@given(said)
@example(["\ud800" * 900, "²/³", "٣/٤"])
def test_texts_and_genres_are_plain_short_and_different(values: Sequence[str]) -> None:
    for found in (
        tag_values.texts(values),
        tag_values.genres(values),
        tag_values.divided(values, ";", "/"),
        tag_values.uuids(values),
    ):
        assert len(set(found)) == len(found) <= MOST_VALUES
        assert all(0 < len(text) <= LONGEST_TAG and text == text.strip() for text in found)
        "".join(found).encode()
        assert not any("\0" in text for text in found)


@given(said, said, st.integers(0, 5))
def test_artists_are_shown_if_and_only_if_there_are_some(
    names: Sequence[str], listed: Sequence[str], ids: int
) -> None:
    shown, each = tag_values.credited(names, listed, ids)
    assert (shown is None) == (not each)
    assert len(shown or "") <= LONGEST_TAG and len(each) <= MOST_VALUES


@given(said)
@example(["9999999999/1", "3 of 12", "007/0"])
def test_numbers_dates_and_gains_are_plausible_or_unknown(values: Sequence[str]) -> None:
    assert all(number is None or 0 < number < 10_000 for number in tag_values.pair(values))
    year, day = tag_values.year(values), tag_values.day(values)
    assert year is None or 1400 <= year < 2100
    assert day is None or date(1400, 1, 1) <= day < date(2100, 1, 1)
    gain, peak = tag_values.gain(values, ()), tag_values.peak(values)
    assert gain is None or abs(gain) <= MOST_GAIN_DB
    assert tag_values.gain((), values) is None or abs(tag_values.gain((), values) or 0) <= 105
    assert peak is None or 0 <= peak <= MOST_PEAK
    assert tag_values.flag(values) in (None, True, False)


@given(said)
def test_lyrics_keep_their_lines_and_nothing_else_below_a_space(values: Sequence[str]) -> None:
    found = tag_values.lyrics(values)
    assert found is None or found.strip() and len(found) <= LONGEST_LYRICS
    assert all(char == "\n" or ord(char) >= 32 for char in found or "")
    (found or "").encode()


@given(st.integers(1400, 2099), st.integers(1, 12), st.integers(1, 28))
def test_a_whole_day_is_read_however_it_is_written(year: int, month: int, day: int) -> None:
    for written in (
        f"{year}-{month:02}-{day:02}",
        f"{year}/{month}/{day}",
        f"{year}.{month:02}.{day:02}",
        f"{year}{month:02}{day:02}",
        f"{year}-{month:02}-{day:02} 07:00:00 UTC",
    ):
        assert tag_values.day(["soon", written]) == date(year, month, day)


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_a_number_and_its_total(number: int, total: int) -> None:
    for written in (f"{number}/{total}", f" {number:04} / {total}", f"{number} of {total}"):
        assert tag_values.pair([written]) == (number, total)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["[00:01.00]la", "la"], "la"),
        (["[00:01.00]la"], "[00:01.00]la"),
        (["", "\n\n"], None),
        (["a\r\nb\rc\n\n"], "a\nb\nc"),
    ],
)
def test_plain_lyrics_come_before_those_with_times(values: list[str], expected: str | None) -> None:
    assert tag_values.lyrics(values) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [((), None), (("A",), "A"), (("A", "B"), "A & B"), (("A", "B", "C"), "A, B & C")],
)
def test_names_are_joined_as_people_do(names: tuple[str, ...], expected: str | None) -> None:
    assert tag_values.joined(names) == expected
