"""Values as other programs write them, read one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.adoption import values

MOMENT = "2024-01-02 03:04:05.000000+00:00"


@pytest.mark.parametrize(
    "value",
    [
        "2024-01-02T03:04:05Z",
        "2024-01-02 03:04:05",
        "2024-01-02 03:04:05+00:00",
        "2024-01-02T04:04:05+01:00",
        "2024-01-02T03:04:05.000Z",
        " 2024-01-02 03:04:05 UTC ",
        "2024-01-02 03:04:05 +0000 UTC",
        "2024-01-02 04:04:05.0 +0100 CET m=+0.012",
        "2024-01-02 08:34:05 +0530 +0530",
        "2024-01-01T21:34:05-05:30",
        1704164645,
        1704164645.0,
        "1704164645",
        1704164645000,
        1704164645000000,
        1704164645000000000,
        b"2024-01-02 03:04:05",
    ],
)
def test_one_moment_in_many_forms(value: Any) -> None:
    assert values.moment(value) == MOMENT


@pytest.mark.parametrize(
    "value, text",
    [
        ("2024-01-02", "2024-01-02 00:00:00.000000+00:00"),
        ("2024-01-02 03:04", "2024-01-02 03:04:00.000000+00:00"),
        ("2024-01-02 03:04:05.123456789 +0000 UTC", "2024-01-02 03:04:05.123456+00:00"),
        ("2024-01-02 03:04:05,5", "2024-01-02 03:04:05.500000+00:00"),
        (1704164645.25, "2024-01-02 03:04:05.250000+00:00"),
        (-1, "1969-12-31 23:59:59.000000+00:00"),
        ("0001-01-01 00:00:00+00:00", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_moments(value: Any, text: str | None) -> None:
    assert values.moment(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2024-13-01",
        "2024-02-30 01:00:00",
        "2024-01-02 25:00:00",
        "02/01/2024",
        "9999-12-31 23:59:59-05:00",
        1e30,
        float("inf"),
        "2024-01-02 03:04:05 nonsense",
        "2024-01-02 03:04:05+99:00",
    ],
)
def test_no_moments(value: Any) -> None:
    with pytest.raises(ValueError):
        values.moment(value)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))
def test_every_time_is_read_as_python_means_it(time: datetime) -> None:
    utc = time.astimezone(timezone.utc)
    assert values.moment(time.isoformat()) == utc.isoformat(" ", "microseconds")


@pytest.mark.parametrize(
    "value, text",
    [
        ("2001-04-25", "2001-04-25"),
        (2001, "2001-01-01"),
        ("2001", "2001-01-01"),
        ("2001-04", "2001-04-01"),
        ("2001-04-25T23:00:00-05:00", "2001-04-25"),
        (1704164645, "2024-01-02"),
        ("0001-01-01", None),
        ("", None),
        (None, None),
    ],
)
def test_days(value: Any, text: str | None) -> None:
    assert values.day(value) == text


@pytest.mark.parametrize(
    "read, value, result",
    [
        (values.whole_number, "42", 42),
        (values.whole_number, 12.6, 13),
        (values.whole_number, "", None),
        (values.whole_number, 2**62 + 1, 2**62 + 1),
        (values.whole_number, "1e3", 1000),
        (values.number, " 2.5 ", 2.5),
        (values.number, None, None),
        (values.number, b"3", 3),
        (values.share, 0.5, 0.5),
        (values.share, 1, 1.0),
        (values.share, 85, 0.85),
        (values.share, "100", 1.0),
        (values.share, None, None),
        (values.truth, "TRUE", 1),
        (values.truth, "f", 0),
        (values.truth, 2, 1),
        (values.truth, "0", 0),
        (values.truth, "", None),
        (values.truth, None, None),
        (values.json_text, "", None),
        (values.json_text, '{"a":1}', '{"a":1}'),
        (values.json_text, "{a}", '"{a}"'),
        (values.json_text, "NaN", '"NaN"'),
        (values.json_text, b"[1]", "[1]"),
        (values.json_array, "Drama, Comedy", '["Drama", "Comedy"]'),
        (values.json_array, "null", None),
        (values.json_array, '"Drama"', '["Drama"]'),
        (values.json_array, "2001", "[2001]"),
        (values.json_array, "Bj\u00f6rk,", '["Bj\u00f6rk"]'),
        (values.json_array, "[]", "[]"),
        (values.text, b"\xff", "\U0010ffff"),
        (values.text, 7, "7"),
        (values.text, "", ""),
    ],
)
def test_other_values(read: Callable[[Any], Any], value: Any, result: Any) -> None:
    found = read(value)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    "read, value",
    [
        (values.number, "big"),
        (values.number, "nan"),
        (values.whole_number, 2.0**63),
        (values.whole_number, "9223372036854775808"),
        (values.text, "a\0b"),
        (values.share, -0.1),
        (values.share, 101),
        (values.truth, "maybe"),
        (values.day, "25/04/2001"),
        (values.day, "2001-02-30"),
    ],
)
def test_refused_values(read: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(ValueError):
        read(value)


@pytest.mark.parametrize("column, words", values.SYNONYMS.items())
def test_synonyms_lead_to_words_that_are_allowed(column: str, words: dict[str, str]) -> None:
    from viewra_lite.media.models import MediaLibrary, TVShow
    from viewra_lite.playback.models import PlaybackSession
    from viewra_lite.transcoding.models import TranscodeSession

    fields = {
        f"{model._meta.table_name}.{field.column_name}": field
        for model in (MediaLibrary, TVShow, PlaybackSession, TranscodeSession)
        for field in model._meta.sorted_fields
    }
    allowed = fields[column].allowed
    assert set(words.values()) <= set(allowed)
    assert not set(words) & set(allowed)
    for word, meaning in words.items():
        assert values.choice(column, allowed, f" {word.upper()} ") == meaning
