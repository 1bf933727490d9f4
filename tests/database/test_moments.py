"""Times as people and other programs write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from viewra_lite.database.moments import since_epoch, written

UTC = timezone.utc
offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@pytest.mark.parametrize(
    ("text", "moment", "is_day"),
    [
        ("2024-05-31", datetime(2024, 5, 31), True),
        ("2024-05-31T20:15", datetime(2024, 5, 31, 20, 15), False),
        (" 2024-05-31 20:15:01,5 ", datetime(2024, 5, 31, 20, 15, 1, 500_000), False),
        ("2024-05-31T20:15:01.123456789Z", datetime(2024, 5, 31, 20, 15, 1, 123_456, UTC), False),
        ("2024-05-31 20:15 UTC", datetime(2024, 5, 31, 20, 15, tzinfo=UTC), False),
        ("2024-05-31 18:15:00 +0000 UTC m=+0.1", datetime(2024, 5, 31, 18, 15, tzinfo=UTC), False),
        ("2024-05-31T20:15-02", datetime(2024, 5, 31, 22, 15, tzinfo=UTC), False),
    ],
)
def test_the_forms_that_programs_write_are_read(text: str, moment: datetime, is_day: bool) -> None:
    found = written(text)

    assert found is not None and found == (moment, is_day)
    assert (found.moment.tzinfo is None) == (moment.tzinfo is None)


@pytest.mark.parametrize("text", ["", "20240531", "31.05.2024", "2024-05-31T", "٢٠٢٤-05-31"])
def test_other_text_is_not_a_time(text: str) -> None:
    assert written(text) is None


@pytest.mark.parametrize("text", ["2024-02-30", "2024-05-31T25:00", "0000-01-01"])
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        written(text)


@given(st.datetimes(timezones=st.none() | offsets))
def test_what_python_writes_is_read_back(moment: datetime) -> None:
    found = written(moment.isoformat())

    assert found is not None and found == (moment, False)


@given(st.datetimes(datetime(1975, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_the_size_of_a_count_since_1970_decides_its_unit(moment: datetime) -> None:
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    assert since_epoch(microseconds) == moment
    assert since_epoch(microseconds * 1000) == moment
    assert since_epoch(microseconds // 1000) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
    assert since_epoch(microseconds // 10**6) == moment.replace(microsecond=0)
