"""The wording of each mistake: short, naming the argument, whatever the value is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from viewra_lite.database import checks
from viewra_lite.errors import LONGEST_MESSAGE, InvalidValueError, ViewraError, shown

UTC = timezone.utc


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


class Unshowable:
    def __repr__(self) -> str:
        raise OSError("not today")


MONSTERS: list[Any] = [
    deep(),
    10**6000,
    "x" * 10**6,
    b"x" * 10**6,
    [10**6000],
    {"a": "x" * 10**6},
    Unshowable(),
    list(range(10**5)),
    {n: n for n in range(10**5)},
    "\ud800" * 9999,
]


@pytest.mark.parametrize("value", MONSTERS, ids=lambda value: type(value).__name__)
def test_no_value_is_too_deep_or_too_large_for_a_message(value: Any) -> None:
    assert 0 < len(shown(value)) < 200
    for check in (
        checks.checked_limit,
        checks.checked_user,
        lambda v: checks.known_id("movie", v),
        lambda v: checks.checked_moment("since", v),
        lambda v: checks.checked_title("title", v),
        lambda v: checks.checked_path("path", [v]),
        lambda v: checks.checked_truth("done", v),
        lambda v: checks.checked_choice("sort", v, ("a", "b")),
        lambda v: checks.checked_seconds("position", [v]),
        lambda v: checks.checked_number("progress", v, 0, 1),
        lambda v: checks.checked_whole("year", [v]),
    ):
        with pytest.raises(ViewraError) as caught:
            check(value)
        assert len(str(caught.value)) < 300
        str(caught.value).encode()


def test_a_message_that_grows_loses_its_middle() -> None:
    error = ViewraError("begins " + "x" * 10**6 + " ends")
    assert len(str(error)) <= LONGEST_MESSAGE
    assert str(error).startswith("begins ") and str(error).endswith(" ends")
    assert str(ViewraError("x" * LONGEST_MESSAGE)) == "x" * LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (checks.checked_limit, 0, "limit must be 1 to 1000, not 0"),
        (checks.checked_limit, 1001, "limit must be 1 to 1000, not 1001"),
        (checks.checked_limit, True, "limit must be a whole number, 1 to 1000, not True"),
        (checks.checked_limit, "5", "limit must be a whole number, 1 to 1000, not '5'"),
        (checks.checked_user, "", "user_id must not be empty"),
        (checks.checked_user, None, "user_id must be text, not None"),
        (checks.checked_user, "x" * 256, "user_id must have at most 255 characters, not 256"),
        (
            checks.checked_user,
            "a\0b",
            "user_id must be text without NUL and lone surrogates, not 'a\\x00b'",
        ),
        (lambda v: checks.known_id("media file", v), "x" * 256, None),
        (lambda v: checks.known_id("media file", v), 5, "no media file 5"),
        (lambda v: checks.checked_bytes("max_bytes", v), -1, "max_bytes must be 0 or more, not -1"),
        (
            lambda v: checks.checked_bytes("max_bytes", v),
            2**63,
            f"max_bytes must be 0 to {2**63 - 1}, not {2**63}",
        ),
        (
            lambda v: checks.checked_number("progress", v, 0, 1),
            1.5,
            "progress must be 0 to 1, not 1.5",
        ),
        (
            lambda v: checks.checked_number("progress", v, 0, 1),
            "1",
            "progress must be a number, 0 to 1, not '1'",
        ),
        (
            lambda v: checks.checked_seconds("position", v),
            float("nan"),
            "position must be seconds, 0 or more, not nan",
        ),
        (lambda v: checks.checked_title("title", v), " ", "title must not be empty"),
        (
            lambda v: checks.checked_moment("since", v),
            datetime(2024, 1, 2),
            "since must be an aware datetime, for example datetime.now(timezone.utc), not "
            "datetime.datetime(2024, 1, 2, 0, 0)",
        ),
    ],
)
def test_each_mistake_has_one_wording(check: Any, value: Any, message: str | None) -> None:
    with pytest.raises(ViewraError) as caught:
        check(value)
    assert message in (None, str(caught.value))


def test_a_moment_comes_back_in_utc_and_beyond_the_years_is_refused() -> None:
    east = timezone(timedelta(hours=5))
    found = checks.checked_moment("at", datetime(2024, 1, 1, 3, tzinfo=east))
    assert (found, found.tzinfo) == (datetime(2023, 12, 31, 22, tzinfo=UTC), UTC)
    for end in (
        datetime.min.replace(tzinfo=east),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
    ):
        with pytest.raises(InvalidValueError, match="^at must be in the years 1 to 9999 in UTC"):
            checks.checked_moment("at", end)
