"""Statistics: the same numbers whatever has been archived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.plays import DAY, NOON, a_play, add_plays, added_up, forget_all
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.playback.history.stats import DayTotal, Stats, TitleTotal, UserTotal

MIDNIGHT = NOON.replace(hour=0)
TINY = timedelta(microseconds=1)
BORDERS = [
    None,
    NOON,
    NOON + DAY,
    MIDNIGHT,
    MIDNIGHT - TINY,
    MIDNIGHT + TINY,
    MIDNIGHT + DAY,
    MIDNIGHT + DAY - TINY,
    MIDNIGHT + 2 * DAY,
    MIDNIGHT + 3 * DAY + TINY,
    MIDNIGHT + 4 * DAY,
    MIDNIGHT.replace(tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime.min.replace(tzinfo=timezone.utc),
    datetime.max.replace(tzinfo=timezone.utc),
    datetime(9999, 12, 31, tzinfo=timezone.utc),
]


def test_a_store_without_plays_has_statistics(store: Store) -> None:
    assert store.playback.stats() == Stats(0, 0, 0.0, [], [], [])


def test_plays_are_counted_by_title_day_and_user(store: Store) -> None:
    add_plays(
        store,
        [
            a_play(0, duration_watched=3600, top_title="Dark", kind="episode"),
            a_play(1, duration_watched=1800, top_title="Dark", kind="episode", completed=False),
            a_play(2, duration_watched=None, top_title=None, user_id="Bob"),
            a_play(11, duration_watched=1800, top_title="Dune", user_id="Bob"),
            a_play(12, duration_watched=3600, top_title="Dune", user_id="Bob", completed=False),
        ],
    )
    expected = Stats(
        5,
        3,
        3.0,
        [
            TitleTotal("episode", "Dark", 2, 1, 1.5),
            TitleTotal("movie", "Dune", 2, 1, 1.5),
            TitleTotal("movie", "", 1, 1, 0.0),
        ],
        [DayTotal(date(2024, 4, 20), 4, 3, 2.0), DayTotal(date(2024, 4, 21), 1, 0, 1.0)],
        [UserTotal("Bob", 3, 2, 1.5), UserTotal("ann", 2, 1, 1.5)],
    )
    found = store.playback.stats()
    assert found == expected
    store.playback.archive_history(older_than=timedelta(0))
    assert store.playback.stats() == expected
    for total in (found, store.playback.stats()):
        for each in (total, total.by_day[0], total.by_user[0], total.top_titles[0]):
            assert [type(value) for value in (each.plays, each.completed, each.hours)] == [
                int,
                int,
                float,  # never what a driver makes of a sum
            ]
    own = store.playback.stats(user_id="ann")
    assert (own.plays, [each.user_id for each in own.by_user]) == (2, ["ann"])


def test_the_ten_top_titles_come_by_hours_then_plays_then_title(store: Store) -> None:
    names = ["b", "a", "B", "Ä", "ä", "Z", "千", "😀", "", "0", "c", "d"]
    rows = [a_play(n, top_title=name, user_id=name or "-") for n, name in enumerate(names)]
    rows += [
        a_play(20, top_title="c", duration_watched=0, user_id="c"),
        a_play(21, top_title="d", duration_watched=61, user_id="d"),
    ]
    add_plays(store, rows)
    for _ in range(2):
        found = store.playback.stats()
        assert [each.title for each in found.top_titles] == [
            "d",
            "c",
            "",
            "0",
            "B",
            "Z",
            "a",
            "b",
            "Ä",
            "ä",
        ]
        assert [each.user_id for each in found.by_user] == [
            "d",
            "c",
            "-",
            "0",
            "B",
            "Z",
            "a",
            "b",
            "Ä",
            "ä",
            "千",
            "😀",
        ]
        store.playback.archive_history(older_than=timedelta(0))


def test_a_day_is_one_of_utc_whatever_the_zone_of_the_question(store: Store) -> None:
    tokyo = timezone(timedelta(hours=9))
    rows = [
        a_play(n, played_at=moment)
        for n, moment in enumerate(
            [MIDNIGHT - TINY, MIDNIGHT, (MIDNIGHT + DAY - TINY).astimezone(tokyo), MIDNIGHT + DAY]
        )
    ]
    add_plays(store, rows)
    for _ in range(2):
        days = store.playback.stats().by_day
        assert [(each.day.day, each.plays) for each in days] == [(19, 1), (20, 2), (21, 1)]
        morning = MIDNIGHT.replace(tzinfo=tokyo)  # nine hours earlier
        assert store.playback.stats(since=morning, until=morning + DAY).plays == 2
        assert store.playback.stats(since=MIDNIGHT, until=MIDNIGHT + DAY).plays == 2
        store.playback.archive_history(older_than=timedelta(0))


@pytest.mark.parametrize("days", [1, 9])
def test_archiving_changes_no_number_for_any_borders(store: Store, days: int) -> None:
    rows = [
        a_play(
            7 * n,
            user_id=("ann", "bob")[n % 2],
            kind=("movie", "episode")[n % 3 % 2],
            top_title=(None, "", "Dark", "Dune")[n % 4],
            completed=n % 5 > 0,
            duration_watched=(None, 5, 2**31 - 1)[n % 3],
        )
        for n in range(16)
    ]
    rows += [a_play(100, played_at=MIDNIGHT), a_play(101, played_at=MIDNIGHT + DAY - TINY)]
    add_plays(store, rows)
    store.playback.archive_history(older_than=NOON + days * DAY)
    for since in BORDERS:
        for until in (each for each in BORDERS if None in (since, each) or since <= each):
            for user in (None, "ann"):
                assert store.playback.stats(user_id=user, since=since, until=until) == added_up(
                    rows, user, since, until
                )


def test_a_time_that_ends_before_it_begins_is_refused(store: Store) -> None:
    for verb in (store.playback.stats, store.playback.restore_history):
        with pytest.raises(InvalidValueError, match="^since must not be after until: "):
            verb(since=NOON, until=NOON - TINY)
        verb(since=NOON, until=NOON)


def test_a_border_that_is_no_moment_is_refused(store: Store) -> None:
    for moment in (
        NOON.replace(tzinfo=None),
        "2024-04-20",
        5,
        date(2024, 4, 20),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ):
        for name in ("since", "until"):
            with pytest.raises(InvalidValueError):
                store.playback.stats(**{name: moment})
    for user in ("", 5, "a\0b"):
        with pytest.raises(InvalidValueError):
            store.playback.stats(user_id=user)


@pytest.fixture
def emptied(driver: Any, tmp_path: Path) -> Iterator[Store]:
    """A SQLite store that each example empties."""
    config = {"database": {"type": "sqlite", "database_path": str(tmp_path / "viewra.db")}}
    with Store.open(config) as opened:
        yield opened


moments = st.integers(-(2 * 24 * 60), 4 * 24 * 60).flatmap(
    lambda minutes: st.sampled_from(
        [
            NOON + timedelta(minutes=minutes),
            NOON + timedelta(hours=12 * (minutes // 720)),
            NOON + timedelta(hours=12 * (minutes // 720)) - TINY,
        ]
    )
)
plays = st.fixed_dictionaries(
    {
        "played_at": moments,
        "user_id": st.sampled_from(["ann", "bob", "Bob"]),
        "kind": st.sampled_from(["movie", "episode", "extra", "other"]),
        "top_title": st.none() | st.sampled_from(["", "Dark", "dark", "Ä"]),
        "duration_watched": st.none() | st.integers(0, 5) | st.integers(0, 2**31 - 1),
        "completed": st.booleans(),
    }
)
spans = st.tuples(moments, moments).map(sorted)
steps = st.tuples(st.sampled_from(["archive", "restore"]), spans)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(plays, max_size=25),
    moves=st.lists(steps, max_size=4),
    borders=spans | st.tuples(st.none(), moments) | st.tuples(moments, st.none()),
    user=st.none() | st.sampled_from(["ann", "Bob", "nobody"]),
)
def test_archiving_and_restoring_change_no_number_of_any_plays(
    emptied: Store, drawn: list[dict[str, Any]], moves: list[Any], borders: Any, user: str | None
) -> None:
    forget_all(emptied)
    rows = [a_play(n, **play) for n, play in enumerate(drawn)]
    add_plays(emptied, rows)
    since, until = borders
    for verb, (start, end) in [("", (NOON, NOON)), *moves]:
        if verb == "archive":
            emptied.playback.archive_history(older_than=start)
        elif verb == "restore":
            emptied.playback.restore_history(since=start, until=end)
        for span in ((None, None), (since, until)):
            found = emptied.playback.stats(user_id=user, since=span[0], until=span[1])
            assert found == added_up(rows, user, *span)
