"""The archive: every play is in one of two tables and counted once, whatever happens."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import add_files
from tests.support.plays import (
    DAY,
    NOON,
    TABLES,
    a_play,
    add_plays,
    added_up,
    ids_of,
    rows_of,
    walked,
)
from tests.support.processes import running_python
from tests.support.threads import in_threads
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.playback.history import archive
from viewra_lite.playback.models import PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive

BATCH = 5


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of five plays, so that a few plays fill several."""
    monkeypatch.setattr(archive, "_BATCH", BATCH)


def some_plays(count: int, **columns: Any) -> list[dict[str, Any]]:
    """Return plays of two users over some days, several at the same moment."""
    return [
        a_play(
            n,
            user_id=("ann", "bob")[n % 2],
            played_at=NOON + timedelta(hours=6 * (n // 4)),
            top_title=(None, "Dark", "Dune")[n % 3],
            duration_watched=(None, n, 60)[n % 3],
            **columns,
        )
        for n in range(count)
    ]


def assert_each_once(store: Store, rows: list[dict[str, Any]]) -> None:
    """Check that every play is in one table as it was, and that the totals are of the archive."""
    live, archived = rows_of(store, PlaybackHistory), rows_of(store, PlaybackHistoryArchive)
    assert sorted([*live, *archived], key=lambda row: str(row["id"])) == rows
    assert store.playback.stats() == added_up(rows)
    totals = rows_of(store, PlaybackDailyTotal)
    assert sum(total["plays"] for total in totals) == len(archived)
    assert sum(total["completed"] for total in totals) == sum(r["completed"] for r in archived)
    assert sum(total["seconds"] for total in totals) == sum(
        row["duration_watched"] or 0 for row in archived
    )
    assert all(total["plays"] > 0 for total in totals)


@pytest.mark.usefixtures("small_batches")
def test_what_is_older_is_moved_and_counted_by_day_user_and_title(
    store: Store, clock: Clock
) -> None:
    rows = some_plays(40)
    add_plays(store, rows)
    border = NOON + timedelta(hours=36)
    tokyo = border.astimezone(timezone(timedelta(hours=9)))
    result = store.playback.archive_history(older_than=tokyo)
    assert (result.plays, result.before, result.dry_run) == (24, border, False)
    assert result.before.utcoffset() == timedelta(0)
    assert ids_of(store, PlaybackHistoryArchive) == [row["id"] for row in rows[:24]]
    assert_each_once(store, rows)
    with store.reader():
        assert {row.archived_at for row in PlaybackHistoryArchive.select()} == {clock()}
    first = [t for t in rows_of(store, PlaybackDailyTotal) if t["day"] == NOON.date()]
    assert [(t["user_id"], t["kind"], t["top_title"], t["plays"], t["seconds"]) for t in first] == [
        ("ann", "movie", "", 2, 0),
        ("ann", "movie", "Dark", 1, 4),
        ("ann", "movie", "Dune", 1, 60),
        ("bob", "movie", "", 1, 0),
        ("bob", "movie", "Dark", 2, 8),
        ("bob", "movie", "Dune", 1, 60),
    ]
    assert store.playback.archive_history(older_than=border).plays == 0
    assert_each_once(store, rows)


def test_an_age_is_counted_from_now(store: Store, clock: Clock) -> None:
    rows = [a_play(0, played_at=clock() - DAY), a_play(1, played_at=clock() - DAY * 2)]
    add_plays(store, rows)
    result = store.playback.archive_history(older_than=DAY)
    assert (result.plays, result.before) == (1, clock() - DAY)  # what is exactly so old stays
    assert store.playback.archive_history(older_than=timedelta(0)).plays == 1


def test_a_dry_run_only_counts(store: Store) -> None:
    rows = some_plays(10)
    add_plays(store, rows)
    result = store.playback.archive_history(older_than=NOON + timedelta(hours=7), dry_run=True)
    assert (result.plays, result.before, result.dry_run) == (8, NOON + timedelta(hours=7), True)
    assert rows_of(store, PlaybackHistory) == rows
    assert rows_of(store, PlaybackHistoryArchive) == rows_of(store, PlaybackDailyTotal) == []


def test_what_is_no_moment_and_no_age_is_refused(store: Store) -> None:
    add_plays(store, some_plays(3))
    refused: list[Any] = [
        None,
        30,
        "30 days",
        True,
        timedelta(microseconds=-1),
        timedelta.max,
        NOON.date(),
        NOON.replace(tzinfo=None),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    ]
    for older_than in refused:
        for dry_run in (True, False):
            with pytest.raises(InvalidValueError):
                store.playback.archive_history(older_than=older_than, dry_run=dry_run)
    assert ids_of(store, PlaybackHistoryArchive) == []


@pytest.mark.usefixtures("small_batches")
def test_archive_and_restore_come_out_even(store: Store) -> None:
    rows = some_plays(23)
    add_plays(store, rows)
    store.playback.archive_history(older_than=NOON + 9 * DAY)
    archived = [rows_of(store, model) for model in TABLES]
    assert store.playback.restore_history() == 23
    assert [rows_of(store, model) for model in TABLES] == [rows, [], []]
    assert store.playback.restore_history() == 0
    store.playback.archive_history(older_than=NOON + 9 * DAY)
    assert [rows_of(store, model) for model in TABLES] == archived == [[], rows, archived[2]]


@pytest.mark.usefixtures("small_batches")
def test_a_time_is_restored_from_its_first_moment_to_before_its_last(store: Store) -> None:
    rows = some_plays(40)
    add_plays(store, rows)
    store.playback.archive_history(older_than=NOON + 9 * DAY)
    since, until = NOON + timedelta(hours=6), NOON + timedelta(hours=36)
    assert store.playback.restore_history(since=since, until=until) == 20
    assert ids_of(store, PlaybackHistory) == [row["id"] for row in rows[4:24]]
    assert_each_once(store, rows)
    assert store.playback.restore_history(since=until) == 16
    assert store.playback.restore_history(until=since) == 4
    assert_each_once(store, rows)
    for moment in ("2024-04-20", NOON.replace(tzinfo=None)):
        with pytest.raises(InvalidValueError):
            store.playback.restore_history(since=moment)


# Interrupted, and several at once

MOVING = f"""
import json, sys
from datetime import datetime, timezone
from viewra_lite import Store
from viewra_lite.database.transactions import slices
from viewra_lite.playback.history import archive

archive._BATCH, slices.MOST_MS = {BATCH}, 0  # a transaction each
config, verb, left = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Store.open(config) as store:
    run = store.media.db.run

    def run_until_killed(statement, *arguments):
        global left
        if not left:
            print("now", flush=True)
            sys.stdin.readline()
        left -= 1
        return run(statement, *arguments)

    store.media.db.run = run_until_killed
    if verb == "archive":
        store.playback.archive_history(older_than=datetime(2024, 5, 1, tzinfo=timezone.utc))
    else:
        store.playback.restore_history()
"""


def kill_moving(config: Any, verb: str, statements: int) -> None:
    """Kill a process that archives or restores before it runs one more statement."""
    with running_python("-c", MOVING, json.dumps(config), verb, str(statements)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.kill()


@pytest.mark.usefixtures("small_batches")
def test_a_killed_archiver_loses_and_repeats_nothing(store: Store, store_config: Any) -> None:
    rows = some_plays(22)
    add_plays(store, rows)
    for statements in (0, 1, 2, 3 + 1, 3 + 2):  # three in a batch
        before = len(ids_of(store, PlaybackHistoryArchive))
        kill_moving(store_config, "archive", statements)
        assert len(ids_of(store, PlaybackHistoryArchive)) == before + statements // 3 * BATCH
        assert_each_once(store, rows)
    assert store.playback.archive_history(older_than=NOON + 9 * DAY).plays == 12
    assert_each_once(store, rows)
    for statements in (1, 2, 3, 4 + 2):  # four in a batch
        before = len(ids_of(store, PlaybackHistory))
        kill_moving(store_config, "restore", statements)
        assert len(ids_of(store, PlaybackHistory)) == before + statements // 4 * BATCH
        assert_each_once(store, rows)
    assert store.playback.restore_history() == 17
    assert_each_once(store, rows)


@pytest.mark.usefixtures("small_batches")
def test_archivers_at_once_move_each_play_once(store: Store) -> None:
    rows = some_plays(60)
    add_plays(store, rows)
    done = in_threads(
        4, lambda number: store.playback.archive_history(older_than=NOON + 9 * DAY).plays
    )
    assert sum(done) == 60
    assert_each_once(store, rows)


@pytest.mark.usefixtures("small_batches")
def test_an_archiver_and_a_restorer_at_once_come_to_an_end(store: Store) -> None:
    rows = some_plays(60)
    add_plays(store, rows)
    store.playback.archive_history(older_than=NOON + 3 * DAY)
    in_threads(
        4,
        lambda number: (
            store.playback.archive_history(older_than=NOON + 9 * DAY).plays
            if number % 2
            else store.playback.restore_history()
        ),
    )
    assert_each_once(store, rows)


@pytest.mark.usefixtures("small_batches")
def test_readers_and_recorders_see_every_play_once_while_it_is_archived(
    store: Store, tmp_path: Path
) -> None:
    files = add_files(store, tmp_path / "films", *(f"{n}.mkv" for n in range(10)))
    rows = some_plays(60, media_file_id=files[0])
    add_plays(store, rows)
    started, stop = threading.Barrier(3, timeout=120), threading.Event()

    def move() -> None:
        try:
            for _ in range(4):
                store.playback.archive_history(older_than=NOON + timedelta(hours=60))
                store.playback.restore_history(since=NOON + timedelta(hours=30))
        finally:
            stop.set()

    def record() -> None:
        for file in files:
            assert store.playback.record_play("cid", file, played_at=NOON)
            assert not store.playback.record_play("cid", file, played_at=NOON)

    def read() -> None:
        while not stop.is_set():
            assert store.playback.stats(user_id="ann").plays == 30
            assert len(store.playback.history("ann", limit=100, archived=True).items) == 30

    def work(number: int) -> None:
        started.wait()
        (move, record, read)[number]()

    in_threads(3, work)
    assert store.playback.stats().plays == 70
    assert len(walked(store, 9, archived=True)) == 70
