"""Chores run when they are due, once in all processes, and one that fails harms no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import add_files
from tests.support.processes import running_python
from tests.support.reviews import Reviews
from viewra_lite import Chore, Store
from viewra_lite.errors import ConflictError, InvalidValueError, StoreClosedError, TransactionError

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


@pytest.fixture
def reviews() -> Reviews:
    return Reviews()


@pytest.fixture
def kept(store_config: Any, clock: Clock, reviews: Reviews) -> Iterator[Store]:
    """A store with a module of others."""
    with Store.open(store_config, clock=clock, modules=[reviews]) as opened:
        yield opened


def names(results: list[Any]) -> list[str]:
    return [result.name for result in results]


def chore(store: Store, name: str) -> Chore:
    return next(one for one in store.maintenance.chores() if one.name == name)


# What is stored


@pytest.mark.parametrize("text", ["a path: b\udce9", "NUL: \0", "half of a character: \ud83c"])
def test_an_error_that_no_database_stores_as_it_is_still_counts(
    kept: Store, clock: Clock, reviews: Reviews, text: str
) -> None:
    def fail(now: datetime) -> None:
        raise ValueError(text)

    reviews.does = fail
    assert "reviews.tidy" in names(kept.maintenance.run_due())
    failed = chore(kept, "reviews.tidy")
    assert failed.failures == 1 and failed.error.startswith(f"ValueError: {text[:4]}")
    assert failed.due_at > clock()


# When


def test_each_chore_runs_once_and_again_after_its_period(
    kept: Store, clock: Clock, reviews: Reviews
) -> None:
    first = names(kept.maintenance.run_due())
    assert {"media.tidy", "playback.tidy", "plugins.tidy", "reviews.tidy"} < set(first)
    assert "maintenance.tidy" not in first  # it has none
    assert kept.maintenance.run_due() == []
    clock.advance(300)
    assert set(names(kept.maintenance.run_due())) == {
        name for name in ("checkpoint", "playback.tidy", "transcoding.tidy") if name in first
    }
    clock.advance(HOUR_S)
    assert "reviews.tidy" in names(kept.maintenance.run_due())
    assert len(reviews.runs) == 2


def test_a_timer_that_is_a_little_late_leaves_no_period_out(
    kept: Store, clock: Clock, reviews: Reviews
) -> None:
    for _ in range(10):
        kept.maintenance.run_due()
        clock.advance(HOUR_S + 1.5)
    assert len(reviews.runs) == 10


def test_the_time_can_be_given(kept: Store, clock: Clock, reviews: Reviews) -> None:
    later = clock() + timedelta(days=3)
    kept.maintenance.run_due(later)
    assert reviews.runs == [later]
    assert kept.maintenance.run_due(later) == []
    with pytest.raises(InvalidValueError, match="^now must"):
        kept.maintenance.run_due(datetime(2024, 1, 1))
    with pytest.raises(InvalidValueError, match="^budget_s must"):
        kept.maintenance.run_due(budget_s=-1)
    kept.maintenance.run_due(datetime.max.replace(tzinfo=timezone.utc))
    kept.maintenance.run_due(datetime.min.replace(tzinfo=timezone.utc))


def test_a_clock_that_ran_ahead_delays_a_chore_by_one_period_at_most(
    kept: Store, clock: Clock, reviews: Reviews
) -> None:
    kept.maintenance.run_due(clock() + timedelta(days=4000))
    kept.maintenance.run_due()
    assert chore(kept, "reviews.tidy").due_at == clock() + timedelta(seconds=HOUR_S)
    assert chore(kept, "backup").due_at <= clock() + timedelta(days=1)
    clock.advance(HOUR_S)
    kept.maintenance.run_due()
    assert len(reviews.runs) == 2


# What is left, what fails


def test_what_does_not_fit_the_budget_is_left_for_the_next_time(
    kept: Store, reviews: Reviews
) -> None:
    left = kept.maintenance.run_due(budget_s=0)
    assert left and all(result.left for result in left) and reviews.runs == []
    done = kept.maintenance.run_due()
    assert names(done) == names(left) and not any(result.left for result in done)


def test_a_chore_that_fails_stops_no_other_and_is_tried_again_with_growing_distance(
    kept: Store, clock: Clock, reviews: Reviews
) -> None:
    def fail(now: datetime) -> None:
        raise RuntimeError("the disk of the reviews is away")

    reviews.does = fail
    results = kept.maintenance.run_due()
    assert [one.error for one in results if one.error] == [
        "RuntimeError: the disk of the reviews is away"
    ]
    assert names(results).index("reviews.tidy") < names(results).index("optimize")
    distances = []
    for _ in range(9):
        failed = chore(kept, "reviews.tidy")
        assert failed.error == "RuntimeError: the disk of the reviews is away"
        wait = failed.due_at - clock()
        distances.append(wait.total_seconds() / MINUTE_S)
        clock.advance(wait.total_seconds() - 1)
        assert "reviews.tidy" not in names(kept.maintenance.run_due())
        clock.advance(1)
        assert "reviews.tidy" in names(kept.maintenance.run_due())
    assert distances == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert chore(kept, "reviews.tidy").failures == 10
    reviews.does = lambda now: None
    clock.advance(HOUR_S)
    kept.maintenance.run_due()
    mended = chore(kept, "reviews.tidy")
    assert (mended.error, mended.failures, mended.last_run_at) == (None, 0, clock())


def test_an_interrupted_chore_is_still_due(kept: Store, reviews: Reviews) -> None:
    def interrupt(now: datetime) -> None:
        raise KeyboardInterrupt

    reviews.does = interrupt
    with pytest.raises(KeyboardInterrupt):
        kept.maintenance.run_due()
    reviews.does = lambda now: None
    assert "reviews.tidy" in names(kept.maintenance.run_due())


def test_a_store_that_is_closed_meanwhile_ends_the_chores(kept: Store, reviews: Reviews) -> None:
    def close(now: datetime) -> None:
        threading.Thread(target=kept.close).run()
        kept.media.libraries()

    reviews.does = close
    with pytest.raises(StoreClosedError):
        kept.maintenance.run_due()


def test_chores_have_transactions_of_their_own(kept: Store) -> None:
    maintenance = kept.maintenance
    for call in (
        maintenance.run_due,
        lambda: maintenance.run("optimize"),
        maintenance.checkpoint,
        maintenance.optimize,
        maintenance.vacuum,
    ):
        with pytest.raises(TransactionError, match="leave that block first"), kept.writer():
            call()


def test_one_chore_can_be_run_before_it_is_due(kept: Store, clock: Clock, reviews: Reviews) -> None:
    kept.maintenance.run_due()
    due = chore(kept, "reviews.tidy").due_at
    clock.advance(MINUTE_S)
    assert kept.maintenance.run("reviews.tidy").error is None
    assert len(reviews.runs) == 2 and chore(kept, "reviews.tidy").due_at == due
    with pytest.raises(InvalidValueError, match="^name must be"):
        kept.maintenance.run("dusting")


def test_the_chores_are_listed_before_the_first_run_too(kept: Store) -> None:
    before = {one.name: one.last_run_at for one in kept.maintenance.chores()}
    kept.maintenance.run_due()
    assert {one.name for one in kept.maintenance.chores()} == before.keys()
    assert set(before.values()) == {None}


def test_the_period_of_a_module_is_a_whole_number_of_seconds(store_config: Any) -> None:
    class Hasty(Reviews):
        tidy_every_s = 0

    with pytest.raises(InvalidValueError, match="Hasty.tidy_every_s must be"):
        Store.open(store_config, modules=[Hasty()])


# Processes

OTHER = """
import sys
from datetime import datetime, timezone
from tests.support.reviews import Reviews
from viewra_lite import Store

def wait(now):
    print("running", flush=True)
    sys.stdin.readline()

with Store.open(sys.argv[1], modules=[Reviews(wait)]) as store:
    store.maintenance.run_due(datetime.fromisoformat(sys.argv[2]))
    print("done", flush=True)
"""


@pytest.mark.parametrize("store_config", ["sqlite", "postgres"], indirect=True)
@pytest.mark.parametrize("end", ["done", "killed"])
def test_a_chore_runs_in_one_process_and_is_run_again_if_that_dies(
    store_config: Any, tmp_path: Path, clock: Clock, reviews: Reviews, end: str
) -> None:
    url = store_config if isinstance(store_config, str) else f"sqlite:///{tmp_path}/viewra.db"
    with (
        Store.open(store_config, clock=clock, modules=[reviews]) as kept,
        running_python("-c", OTHER, url, clock().isoformat()) as other,
    ):
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "running\n"
        assert "reviews.tidy" not in names(kept.maintenance.run_due())
        with pytest.raises(ConflictError, match="another process or thread is running"):
            kept.maintenance.run("reviews.tidy")
        if end == "killed":
            other.kill()
            other.wait()
        else:
            print(file=other.stdin, flush=True)
            assert other.stdout.readline() == "done\n"
        kept.maintenance.run_due()
        assert len(reviews.runs) == (end == "killed")


# The chores themselves


def test_the_chore_of_each_module_does_its_work(kept: Store, clock: Clock, tmp_path: Path) -> None:
    kept.maintenance.run_due()
    (file,) = add_files(kept, tmp_path / "films", "a.mkv")
    session = kept.playback.start_session(file, user_id="ann")
    clock.advance(HOUR_S)
    kept.maintenance.run_due()
    assert kept.playback.session(session.id).end_time is not None
