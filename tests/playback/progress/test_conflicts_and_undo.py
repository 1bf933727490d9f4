"""Several devices report of one user: the latest wins, and every jump can be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.playing import (
    HOUR_S,
    add_files,
    minutes,
    plays,
    progress_rows,
    resume,
    sessions,
    told,
    watch,
)
from viewra_lite import Store
from viewra_lite.errors import ConflictError, NotFoundError
from viewra_lite.playback.progress.kept_states import KEPT_STATES


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def start(store: Store, film: str, device: str = "tv") -> str:
    return str(store.playback.start_session(film, user_id="ann", device_id=device).id)


def states(store: Store) -> int:
    return sum(len(row.previous or ()) for row in progress_rows(store))


def undone(store: Store, film: str) -> list[tuple[float, bool, int]]:
    """Undo as often as it goes; return what held after each."""
    found = []
    while True:
        try:
            progress = store.playback.undo_progress("ann", film)
        except ConflictError:
            return found
        found.append((progress.position, progress.completed, progress.play_count))
        assert found[-1] == resume(store, "ann", film)


# Which report wins


def test_an_older_report_never_wins_and_returns_what_holds(
    store: Store, film: str, clock: Clock
) -> None:
    store.playback.set_progress("ann", film, 1000, client_time=clock())
    before = told(store)
    for age in (timedelta(microseconds=1), minutes(1), timedelta(days=9999)):
        now = store.playback.set_progress("ann", film, 2000, client_time=clock() - age)
        assert now.position == 1000
        assert told(store) == before
    late = store.playback.set_progress(
        "ann", film, 1, completed=True, client_time=clock() - minutes(1)
    )
    assert not late.completed and told(store) == before


def test_an_equal_or_an_unknown_time_is_won_by_the_later_arrival(
    store: Store, film: str, clock: Clock
) -> None:
    moment = clock() - minutes(5)
    for position, when in ((1000, moment), (900, moment), (800, None), (700, None)):
        assert store.playback.set_progress("ann", film, position, client_time=when).position == (
            position
        )
    assert store.playback.set_progress("ann", film, 600, client_time=moment).position == 700


def test_times_are_compared_as_moments_whatever_their_zones(
    store: Store, film: str, clock: Clock
) -> None:
    here = clock()
    tokyo = timezone(timedelta(hours=9))
    store.playback.set_progress("ann", film, 1000, client_time=here.astimezone(tokyo))
    before = (here - minutes(1)).astimezone(timezone(timedelta(hours=14)))
    assert store.playback.set_progress("ann", film, 2000, client_time=before).position == 1000
    equal = here.astimezone(timezone(-timedelta(hours=11)))
    assert store.playback.set_progress("ann", film, 3000, client_time=equal).position == 3000


def test_a_device_whose_clock_is_ahead_does_not_win_for_ever(
    store: Store, film: str, clock: Clock
) -> None:
    ahead = clock() + timedelta(days=365)
    store.playback.set_progress("ann", film, 1000, client_time=ahead)
    assert progress_rows(store)[0].reported_at == clock()
    clock.advance(1)
    assert store.playback.set_progress("ann", film, 2000, client_time=clock()).position == 2000
    id = start(store, film)
    store.playback.heartbeat(id, 2010, client_time=ahead)
    assert sessions(store)[id].reported_at == clock()


def test_what_was_stored_before_the_clock_was_put_right_is_not_believed(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    store.playback.heartbeat(id, 1000, client_time=clock())
    clock.advance(-86_400)
    store.playback.heartbeat(id, 1010, client_time=clock())
    assert resume(store, "ann", film)[0] == sessions(store)[id].position == 1010
    assert progress_rows(store)[0].reported_at == clock()
    old = clock() - minutes(1)
    assert store.playback.set_progress("ann", film, 5, client_time=old).position == 1010


def test_heartbeats_that_arrive_out_of_order_leave_the_session_where_it_is(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    clock.advance(60)
    store.playback.heartbeat(id, 50, client_time=clock() - minutes(0.1))
    late = store.playback.heartbeat(id, 40, state="paused", client_time=clock() - minutes(0.5))
    assert (late.position, late.state, late.last_activity) == (50, "playing", clock())
    assert resume(store, "ann", film)[0] == 50


@pytest.mark.parametrize(
    ("state", "ended"), [("stopped", "stopped"), ("failed", "failed"), ("completed", "completed")]
)
def test_a_late_report_of_the_end_ends_the_session_where_it_is(
    store: Store, film: str, clock: Clock, state: str, ended: str
) -> None:
    id = start(store, film)
    clock.advance(80)
    store.playback.heartbeat(id, 70, client_time=clock())
    store.playback.heartbeat(id, 40, state=state, client_time=clock() - minutes(1))
    session = sessions(store)[id]
    assert (session.state, session.position, session.end_time) == (ended, 70, clock())
    is_completed = state == "completed"
    assert session.completed == plays(store)[id].completed == is_completed
    assert resume(store, "ann", film) == (70, is_completed, int(is_completed))


def test_a_session_on_another_device_that_reports_late_does_not_move_the_user(
    store: Store, film: str, clock: Clock
) -> None:
    tablet = start(store, film, "tablet")
    clock.advance(3600)
    store.playback.set_progress("ann", film, 2000)
    yesterday = clock() - timedelta(hours=20)
    session = store.playback.heartbeat(tablet, 700, client_time=yesterday)
    assert (session.position, session.state) == (700, "playing")
    assert resume(store, "ann", film)[0] == 2000
    store.playback.stop_session(tablet, position=800, client_time=yesterday + minutes(1))
    assert resume(store, "ann", film)[0] == 2000


def test_an_end_that_is_too_old_to_move_anyone_counts_and_counts_once(
    store: Store, film: str, clock: Clock
) -> None:
    slow = start(store, film, "a device whose clock is ten minutes late")
    clock.advance(3600)
    store.playback.set_progress("ann", film, 2000)
    store.playback.heartbeat(slow, 3300, client_time=clock() - minutes(10))
    assert resume(store, "ann", film) == (2000, True, 1)
    clock.advance(700)
    store.playback.heartbeat(slow, 3400, client_time=clock() - minutes(10))
    assert resume(store, "ann", film) == (3400, True, 1)
    assert store.playback.stop_session(slow).state == "completed"


def test_a_session_that_came_to_the_end_is_a_completed_play_even_if_it_came_too_late_to_move_anyone(
    store: Store, film: str, clock: Clock
) -> None:
    tablet = start(store, film, "tablet")
    clock.advance(7200)
    store.playback.set_progress("ann", film, 2000)
    store.playback.heartbeat(tablet, HOUR_S, client_time=clock() - minutes(60))
    assert store.playback.stop_session(tablet).state == "completed"
    assert plays(store)[tablet].completed
    assert resume(store, "ann", film) == (2000, True, 1)


def test_a_player_left_paused_does_not_take_back_what_is_watched_elsewhere(
    store: Store, film: str, clock: Clock
) -> None:
    laptop, tv = start(store, film, "laptop"), start(store, film, "tv")
    watch(store, clock, laptop, 0, 100)
    store.playback.heartbeat(laptop, 100, state="paused")
    position = 100.0
    for _ in range(30):
        clock.advance(10)
        position += 10
        store.playback.heartbeat(tv, position)
        store.playback.heartbeat(laptop, 100)
        store.playback.heartbeat(laptop, 100, state="paused")
        assert resume(store, "ann", film)[0] == position
    store.playback.stop_session(tv)
    store.playback.stop_session(laptop, position=100)
    assert resume(store, "ann", film)[0] == position
    assert states(store) <= 2


# Taking back


def test_undo_goes_back_through_jumps_sessions_and_decisions_step_by_step(
    store: Store, film: str, clock: Clock
) -> None:
    first = start(store, film)
    watch(store, clock, first, 0, 600)
    clock.advance(61)
    store.playback.heartbeat(first, 3000)  # a jump
    watch(store, clock, first, 3000, 3100)
    store.playback.stop_session(first)
    second = start(store, film, "tablet")
    clock.advance(10)
    store.playback.heartbeat(second, 10)  # another session
    watch(store, clock, second, 10, 200)
    clock.advance(10)
    store.playback.set_progress("ann", film, 3500)  # somebody clicks
    clock.advance(10)
    store.playback.set_progress("ann", film, 3500, completed=False)
    assert undone(store, film) == [
        (3500, True, 1),
        (200, False, 0),
        (3100, False, 0),
        (600, False, 0),
        (0, False, 0),
    ]
    assert store.playback.progress("ann", film).last_played_at is None


def test_undo_goes_back_through_marks(store: Store, film: str, clock: Clock) -> None:
    store.playback.set_progress("ann", film, 1000)
    clock.advance(60)
    store.playback.mark_watched("ann", film)
    assert resume(store, "ann", film) == (0, True, 0)
    clock.advance(60)
    store.playback.mark_unwatched("ann", film)
    assert resume(store, "ann", film) == (0, False, 0)
    assert undone(store, film) == [(0, True, 0), (1000, False, 0), (0, False, 0)]


def test_what_was_decided_while_it_plays_is_a_step_of_its_own(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    store.playback.heartbeat(id, 500)
    clock.advance(5)
    store.playback.set_progress("ann", film, 500, completed=True)
    clock.advance(5)
    store.playback.heartbeat(id, 510)
    assert undone(store, film) == [(500, True, 1), (500, False, 0), (0, False, 0)]


def test_there_is_nothing_to_undo_for_who_never_watched(store: Store, film: str) -> None:
    with pytest.raises(ConflictError, match="nothing to undo"):
        store.playback.undo_progress("ann", film)
    with pytest.raises(NotFoundError):
        store.playback.undo_progress("ann", "no-such")
    store.playback.set_progress("ann", film, 100)
    store.playback.undo_progress("ann", film)
    for _ in range(2):
        with pytest.raises(ConflictError, match="'ann'"):
            store.playback.undo_progress("ann", film)


def test_undo_brings_back_when_it_was_last_played(store: Store, film: str, clock: Clock) -> None:
    store.playback.set_progress("ann", film, HOUR_S)
    played = clock()
    clock.advance(3600)
    store.playback.set_progress("ann", film, 100)
    clock.advance(60)
    store.playback.set_progress("ann", film, HOUR_S)
    progress = store.playback.undo_progress("ann", film)
    assert (progress.last_played_at, progress.play_count) == (played, 1)
    assert isinstance(progress.last_played_at, datetime)
    assert store.playback.undo_progress("ann", film).last_played_at == played
    assert store.playback.undo_progress("ann", film).last_played_at is None


def test_an_older_report_does_not_undo_the_undo(store: Store, film: str, clock: Clock) -> None:
    store.playback.set_progress("ann", film, 1000)
    clock.advance(10)
    store.playback.set_progress("ann", film, 3000)
    clock.advance(10)
    store.playback.undo_progress("ann", film)
    late = clock() - minutes(0.1)
    assert store.playback.set_progress("ann", film, 3010, client_time=late).position == 1000


@pytest.mark.parametrize("step", [1.0, 10.0, 60.0])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_steady_playing_leaves_nothing_to_undo_but_its_beginning(
    store: Store, film: str, clock: Clock, step: float, speed: float
) -> None:
    id = start(store, film)
    position = 0.0
    while position < 600:
        clock.advance(step)
        position += step * speed
        store.playback.heartbeat(id, position)
    store.playback.heartbeat(id, position, state="paused")
    clock.advance(3000)
    store.playback.heartbeat(id, position, state="playing")
    assert states(store) == 1
    assert undone(store, film) == [(0, False, 0)]


@pytest.mark.parametrize("completed", [None, False])
def test_steady_reports_without_a_session_leave_nothing_either(
    store: Store, film: str, clock: Clock, completed: bool | None
) -> None:
    for position in range(0, 1000, 10):
        store.playback.set_progress("ann", film, position, completed=completed)
        clock.advance(10)
    assert states(store) == 1


def test_looking_for_a_scene_leaves_at_most_one_state_a_minute(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    watch(store, clock, id, 0, 300)
    clock.advance(60)
    for number in range(20):
        clock.advance(2)
        store.playback.heartbeat(id, 300 + number * 100 % 1700)
    assert undone(store, film)[-2:] == [(300, False, 0), (0, False, 0)]


def test_looking_for_a_scene_for_long_keeps_at_most_twenty_states(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    for number in range(200):
        clock.advance(20)
        store.playback.heartbeat(id, 500 + number * 700 % 2000)
        assert states(store) <= min(KEPT_STATES, 2 + number // 3)
    assert states(store) == KEPT_STATES == 20
    assert len(undone(store, film)) == 20


def test_two_devices_that_play_at_once_do_not_use_up_what_can_be_undone(
    store: Store, film: str, clock: Clock
) -> None:
    store.playback.set_progress("ann", film, 3000)
    tv, tablet = start(store, film), start(store, film, "tablet")
    for beat in range(1, 25):
        clock.advance(10)
        store.playback.heartbeat(tv, beat * 10)
        store.playback.heartbeat(tablet, 1000 + beat * 10)
    assert (3000, False, 0) in undone(store, film)


def test_what_is_undone_is_of_one_user_and_one_film(
    store: Store, film: str, tmp_path: Path
) -> None:
    (other,) = add_files(store, tmp_path / "more", "Brazil (1985).mkv")
    for user in ("ann", "bob"):
        for file in (film, other):
            store.playback.set_progress(user, file, 1000)
    store.playback.undo_progress("ann", film)
    assert [resume(store, u, f)[0] for u in ("ann", "bob") for f in (film, other)] == [
        0,
        1000,
        1000,
        1000,
    ]
