"""The history: every play once, the latest first, readable when the file is gone."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.plans import plan_of
from tests.support.playing import HOUR_S, add_files, progress_rows
from tests.support.plays import DAY, NOON, a_play, add_plays, rows_of, walked
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.playback.history.queries import (
    archived_near,
    oldest_archived,
    oldest_plays,
    page_of_plays,
    plays_near,
)
from viewra_lite.playback.models import PlaybackHistory, PlaybackHistoryArchive

MODELS = (PlaybackHistory, PlaybackHistoryArchive)


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


@pytest.fixture
def versions(store: Store, tmp_path: Path) -> list[str]:
    """Two files of one film."""
    return add_files(
        store, tmp_path / "both", "Dune hd.mkv", "Dune uhd.mkv", identity="movie:dune:1984"
    )


def newest_first(rows: list[dict[str, Any]]) -> list[str]:
    ordered = sorted(rows, key=lambda row: (row["played_at"], row["id"]), reverse=True)
    return [row["id"] for row in ordered]


def of_three_at_a_time(count: int) -> list[dict[str, Any]]:
    """Return plays of two users, three of which began at the same moment each."""
    return [
        a_play(n, user_id=("ann", "Bob")[n % 2], played_at=NOON + timedelta(microseconds=n // 3))
        for n in range(count)
    ]


# Pages


def test_every_play_comes_once_the_latest_first_whatever_the_limit(store: Store) -> None:
    rows = of_three_at_a_time(30)
    add_plays(store, rows)
    own = [row for row in rows if row["user_id"] == "Bob"]
    for limit in (1, 2, 3, 7, 29, 30, 31):
        assert [play.id for play in walked(store, limit)] == newest_first(rows)
        assert [play.id for play in walked(store, limit, "Bob")] == newest_first(own)
    assert walked(store, 1, "nobody") == walked(store, 1, "bob") == []


def test_a_play_comes_back_as_it_was(store: Store) -> None:
    rows = [
        a_play(0, played_at=datetime(1970, 1, 1, tzinfo=timezone.utc)),
        a_play(1, played_at=datetime(2024, 5, 1, 1, 30, 0, 1, timezone(timedelta(hours=2)))),
        a_play(
            2,
            media_file_id=None,
            duration_watched=None,
            completed=False,
            kind="other",
            title=None,
            top_title=None,
            device_id=None,
            method=None,
        ),
    ]
    add_plays(store, rows)
    found = {play.id: play for play in store.playback.history().items}
    for row in rows:
        assert found[row["id"]].__data__ == row
        assert found[row["id"]].played_at.utcoffset() == timedelta(0)


def test_pages_are_whole_while_plays_are_added_and_archived(store: Store) -> None:
    rows = of_three_at_a_time(40)
    add_plays(store, rows)
    seen, after = [], None
    for turn in range(14):
        page = store.playback.history(limit=3, after=after, archived=True)
        seen += [play.id for play in page.items]
        after = page.next
        if after is None:
            break
        add_plays(store, [a_play(100 + turn, played_at=NOON + DAY)])
        store.playback.archive_history(older_than=NOON + timedelta(microseconds=turn))
        if turn == 9:
            store.playback.restore_history()
    assert seen == newest_first(rows)


def test_archived_plays_are_read_only_on_demand_and_in_the_same_order(store: Store) -> None:
    rows = of_three_at_a_time(24)
    add_plays(store, rows)
    border = NOON + timedelta(microseconds=4)
    store.playback.archive_history(older_than=border)
    late = [a_play(50, played_at=NOON), a_play(51, played_at=NOON + timedelta(microseconds=1))]
    add_plays(store, late)  # imported later: older than what is archived
    live = [row for row in rows if row["played_at"] >= border] + late
    for limit in (1, 4, 5, 100):
        assert [play.id for play in walked(store, limit)] == newest_first(live)
        both = walked(store, limit, archived=True)
        assert [play.id for play in both] == newest_first(rows + late)
        kinds = {row["id"]: PlaybackHistory for row in live}
        assert [type(play) for play in both] == [
            kinds.get(play.id, PlaybackHistoryArchive) for play in both
        ]
    own = newest_first([row for row in rows + late if row["user_id"] == "ann"])
    assert [play.id for play in walked(store, 5, "ann", archived=True)] == own


def test_a_cursor_that_was_changed_is_refused(store: Store) -> None:
    add_plays(store, of_three_at_a_time(3))

    def cursor(*parts: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()

    moment = "2024-04-20 12:00:00.000000+00:00"
    assert len(store.playback.history(after=cursor("history", moment, "play-000002")).items) == 2
    for after in (
        "",
        "?",
        5,
        cursor("history", moment),
        cursor("movies-title", moment, "x"),
        cursor("history", "soon", "x"),
        cursor("history", "2024-04-20 12:00:00", "x"),
        cursor("history", "0001-01-01 00:00:00+14:00", "x"),
        cursor("history", moment, "a\0b"),
        cursor("history", moment, "\udc80"),
        cursor("history", moment, 5),
    ):
        with pytest.raises(InvalidValueError, match="after is not a cursor"):
            store.playback.history(after=after)
    for limit in (0, -1, 1001, True, "5", None):
        with pytest.raises(InvalidValueError, match="limit"):
            store.playback.history(limit=limit)


def test_titles_stay_readable_when_the_file_and_its_library_are_gone(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    file = add_files(store, tmp_path / "tv", "a.mkv", kind="tv", identity="episode:dark::s01e02")[0]
    library = store.media.libraries()[0].id
    show = store.media.save_show(library, title="Dark")
    store.media.save_episode(
        show.id, season_number=1, episode_number=2, title="Lies", media_file_id=file
    )
    watched = store.playback.start_session(file, user_id="ann")
    clock.advance(60)
    store.playback.stop_session(watched.id, position=60)
    assert store.playback.record_play("ann", file, played_at=NOON - DAY)
    store.media.remove_library(library)
    store.playback.archive_history(older_than=NOON + DAY)
    plays = store.playback.history(archived=True).items
    assert [(play.title, play.top_title, play.kind, play.media_file_id) for play in plays] == [
        ("Dark S01E02 Lies", "Dark", "episode", file)
    ] * 2
    assert [title.title for title in store.playback.stats().top_titles] == ["Dark"]


def test_pages_and_batches_are_ranges_of_an_index(store: Store) -> None:
    add_plays(store, of_three_at_a_time(3))
    asked: list[tuple[Any, ...]] = [
        (plays_near, "ann", NOON, NOON, ["a"]),
        (archived_near, "ann", NOON, NOON, ["a"]),
    ]
    key = ("2024-04-20 12:00:00.000000+00:00", "play-000002")
    asked += [(batch, *key, NOON + DAY, 5) for batch in (oldest_plays, oldest_archived)]
    for model in MODELS:
        asked += [
            (page_of_plays(model, False, False), 5),
            (page_of_plays(model, True, False), 5, "ann"),
            (page_of_plays(model, False, True), 5, *key),
            (page_of_plays(model, True, True), 5, "ann", *key),
        ]
    for statement, *arguments in asked:
        plan = plan_of(store, statement, arguments)
        assert not any("TEMP B-TREE" in step or "Sort" in step for step in plan), plan
        assert not any("Seq Scan" in step for step in plan), plan
        scans = [step for step in plan if "SCAN" in step and "json_each" not in step]
        if "WHERE" in statement.compiled[store.engine].sql:
            assert any("SEARCH" in step or "Index Cond" in step for step in plan), plan
            assert scans == []
        else:  # the first page walks the index and stops at the limit
            assert all("USING INDEX" in step for step in scans), plan


# Plays that happened elsewhere


ENDS = [NOON, NOON + DAY, NOON + 2 * DAY]


def test_plays_come_in_in_any_order_and_once(store: Store, film: str) -> None:
    plays: list[dict[str, Any]] = [{"played_at": moment} for moment in ENDS]
    plays.append({"played_at": NOON + 3 * DAY, "completed": False, "position": 1200})
    for order in permutations(range(4)):
        user = str(order)
        for is_new in (True, False):
            for n in order:
                assert store.playback.record_play(user, film, **plays[n]) is is_new
            found = store.playback.progress(user, film)
            assert (found.completed, found.play_count, found.last_played_at) == (True, 3, ENDS[-1])
            assert (found.position, found.resume_position) == (1200.0, 1200.0)
        assert [play.played_at for play in store.playback.history(user).items] == [
            NOON + 3 * DAY,
            *reversed(ENDS),
        ]


def test_a_play_of_one_version_is_a_play_of_all(store: Store, versions: list[str]) -> None:
    hd, uhd = versions
    record = store.playback.record_play
    assert record("ann", hd, played_at=ENDS[1], duration_watched=3000.4)
    assert not record("ann", uhd, played_at=ENDS[1].astimezone(timezone(timedelta(hours=9))))
    assert record("bob", uhd, played_at=ENDS[1])
    assert record("ann", uhd, played_at=ENDS[0])
    store.playback.archive_history(older_than=ENDS[2])
    assert not record("ann", hd, played_at=ENDS[0]) and not record("ann", uhd, played_at=ENDS[1])
    assert record("ann", hd, played_at=ENDS[2])
    for file in versions:
        state = store.playback.progress("ann", file)
        assert (state.play_count, state.last_played_at) == (3, ENDS[2])
    archived = walked(store, 10, "ann", archived=True)
    assert [play.duration_watched for play in archived] == [None, 3000, None]
    assert {(play.device_id, play.method, play.completed) for play in archived} == {
        (None, None, True)
    }


def test_what_was_marked_as_never_watched_stays_so_when_it_is_imported_again(
    store: Store, film: str
) -> None:
    assert store.playback.record_play("ann", film, played_at=NOON)
    store.playback.mark_unwatched("ann", film)
    before = progress_rows(store)
    for archived in (False, True):
        assert not store.playback.record_play("ann", film, played_at=NOON)
        state = store.playback.progress("ann", film)
        assert (state.completed, state.play_count, state.last_played_at) == (False, 1, None)
        assert progress_rows(store) == before
        if not archived:
            store.playback.archive_history(older_than=timedelta(0))


def test_an_old_play_counts_but_moves_nothing(store: Store, film: str, clock: Clock) -> None:
    clock.advance(60)
    session = store.playback.start_session(film, user_id="ann")
    clock.advance(600)
    store.playback.heartbeat(session.id, 600)
    before = store.playback.progress("ann", film)
    clock.advance(60)
    assert store.playback.record_play("ann", film, played_at=NOON)
    after = store.playback.progress("ann", film)
    assert (after.position, after.updated_at, after.session_id) == (
        600.0,
        before.updated_at,
        session.id,
    )
    assert (after.completed, after.play_count, after.last_played_at) == (True, 1, NOON)
    assert store.playback.record_play("ann", film, played_at=ENDS[1], completed=False, position=9)
    assert store.playback.progress("ann", film).position == 600.0
    undone = store.playback.undo_progress("ann", film)
    assert (undone.position, undone.completed, undone.play_count) == (600.0, False, 1)


def test_a_play_that_stopped_at_the_end_is_a_completed_one(store: Store, film: str) -> None:
    stopped = {"completed": False, "position": HOUR_S * 0.95}
    assert store.playback.record_play("ann", film, played_at=ENDS[1], **stopped)
    assert store.playback.record_play("ann", film, played_at=ENDS[0], **stopped)
    state = store.playback.progress("ann", film)
    assert (state.completed, state.play_count, state.resume_position) == (True, 2, 0.0)
    assert store.playback.stats().completed == 2


def test_a_play_of_a_removed_file_is_kept_and_one_of_none_refused(
    store: Store, versions: list[str]
) -> None:
    store.media.remove_library(store.media.libraries()[0].id)
    assert store.playback.record_play("ann", versions[0], played_at=NOON)
    assert not store.playback.record_play("ann", versions[1], played_at=NOON)
    assert store.playback.progress("ann", versions[1]).play_count == 1
    with pytest.raises(NotFoundError, match="no media file"):
        store.playback.record_play("ann", "never", played_at=NOON)
    assert len(rows_of(store, PlaybackHistory)) == 1


def test_a_play_that_cannot_be_is_refused_and_changes_nothing(
    store: Store, film: str, clock: Clock
) -> None:
    refused: list[dict[str, Any]] = [
        {"played_at": value}
        for value in (
            clock() + timedelta(microseconds=1),
            NOON.replace(tzinfo=None),
            "2024-04-20",
            None,
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
        )
    ]
    refused += [{"duration_watched": value} for value in (-1, float("nan"), "5", True, 1e10, 1e300)]
    refused += [{"position": value} for value in (-1, HOUR_S * 2, float("inf"), "5", False)]
    refused += [{"completed": value} for value in (None, 1, "yes")]
    for options in refused:
        with pytest.raises(InvalidValueError):
            store.playback.record_play("ann", film, **{"played_at": NOON, **options})
    for user, file in ((None, film), ("", film), ("a\0b", film), ("ann", None), ("ann", 5)):
        with pytest.raises(NotFoundError if user == "ann" else InvalidValueError):
            store.playback.record_play(user, file, played_at=NOON)
    assert rows_of(store, PlaybackHistory) == [] and progress_rows(store) == []
    assert store.playback.record_play("ann", film, played_at=clock())
