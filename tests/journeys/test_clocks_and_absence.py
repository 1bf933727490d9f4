"""A clock that jumps back in the middle of a film, and a device that was offline for a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.playing import HOUR_S, add_files, minutes, plays, resume, sessions, watch
from tests.support.threads import in_threads
from viewra_lite import Store

Queue = list[tuple[str, float, datetime]]


@pytest.fixture
def films(store: Store, tmp_path: Path) -> list[str]:
    """Three films of an hour."""
    return add_files(
        store, tmp_path / "films", "Alien (1979).mkv", "Brazil (1985).mkv", "Contact (1997).mkv"
    )


@pytest.mark.parametrize("back_s", [30, HOUR_S, 400 * 86_400])
@pytest.mark.parametrize("tells_time", [False, True])
def test_a_clock_that_jumps_back_in_the_middle_of_a_film_takes_nobody_back(
    store: Store, films: list[str], clock: Clock, back_s: float, tells_time: bool
) -> None:
    ids = {user: store.playback.start_session(films[0], user_id=user).id for user in ("ann", "bob")}
    for second in range(30, 3630, 30):
        clock.advance(30)
        if second == 1800:
            clock.advance(-back_s)  # the server and the devices ask the same time server
        moment = clock() if tells_time else None
        for user, id in ids.items():
            store.playback.heartbeat(id, second, client_time=moment)
            assert resume(store, user, films[0])[0] == second
        if second % 60 == 0:
            store.playback.tidy(clock())
    for user, id in ids.items():
        assert store.playback.stop_session(id).state == "completed"
        assert resume(store, user, films[0]) == (HOUR_S, True, 1)
        session = sessions(store)[id]
        assert session.end_time >= session.start_time
        assert HOUR_S - 60 <= plays(store)[id].duration_watched <= HOUR_S
    # Who wants to go back may land where the clock jumped, for nobody knew how long that took.
    assert store.playback.undo_progress("ann", films[0]).position == 1770
    assert store.playback.undo_progress("ann", films[0]).position == 0


def test_a_clock_that_was_ahead_for_a_while_is_forgotten(
    store: Store, films: list[str], clock: Clock
) -> None:
    clock.advance(10 * 365 * 86_400)  # no battery in the little server
    first = store.playback.start_session(films[0], user_id="ann").id
    watch(store, clock, first, 0, 600)
    store.playback.set_progress("ann", films[1], 300, client_time=clock())
    clock.advance(-10 * 365 * 86_400)
    watch(store, clock, first, 600, 900)
    assert resume(store, "ann", films[0])[0] == 900
    assert store.playback.set_progress("ann", films[1], 400, client_time=clock()).position == 400
    old = clock() - minutes(1)
    assert store.playback.set_progress("ann", films[1], 5, client_time=old).position == 400
    assert {s.id for s in store.playback.active_sessions()} == {first}
    clock.advance(299)
    store.playback.tidy(clock())
    assert {s.id for s in store.playback.active_sessions()} == {first}
    store.playback.tidy(clock.advance(1))
    assert store.playback.active_sessions() == []


def offline(begun: datetime, file: str, start: float, stop: float) -> Queue:
    """Return what a tablet writes down while it is away, a report each ten minutes."""
    reports, position, moment = [], start, begun
    while position < stop:
        position, moment = min(position + 600, stop), moment + minutes(10)
        reports.append((file, position, moment))
    return reports


def test_a_device_that_was_offline_for_a_day_moves_only_what_nobody_has_watched_since(
    store: Store, films: list[str], clock: Clock
) -> None:
    alien, brazil, contact = films
    tablet = store.playback.start_session(alien, user_id="ann", device_id="tablet").id
    watch(store, clock, tablet, 0, 300)
    away = clock()
    queue = [
        *offline(away, alien, 300, 2100),
        *offline(away + minutes(60), brazil, 0, HOUR_S),
        *offline(away + minutes(180), contact, 0, 1200),
    ]
    # Meanwhile, at home: on with the first, half an hour after the tablet wrote its last of it.
    store.playback.tidy(clock.advance(3600))
    assert sessions(store)[tablet].state == "expired"
    at_home = store.playback.start_session(alien, user_id="ann", position=300).id
    watch(store, clock, at_home, 300, 3000, step=60)
    store.playback.stop_session(at_home)
    clock.advance(23 * 3600)
    # The tablet is back, and goes on with its session; what it wrote down still counts.
    session = store.playback.heartbeat(tablet, 2100, client_time=queue[2][2])
    assert session.state == "playing"
    store.playback.stop_session(tablet)
    for file, position, moment in queue:
        store.playback.set_progress("ann", file, position, client_time=moment)
    assert resume(store, "ann", alien) == (3000, False, 0)
    assert resume(store, "ann", brazil) == (HOUR_S, True, 1)
    assert store.playback.progress("ann", brazil).last_played_at == away + minutes(60 + 60)
    assert store.playback.progress("ann", contact).resume_position == 1200
    assert plays(store)[tablet].duration_watched == 2100
    # Steady watching, however late it is told, leaves nothing behind but where it began.
    store.playback.undo_progress("ann", contact)
    assert resume(store, "ann", contact)[0] == 0


def test_it_does_not_matter_in_which_order_late_reports_arrive(
    store: Store, films: list[str], clock: Clock
) -> None:
    clock.advance(86_400)
    away = clock() - timedelta(hours=20)
    queue = offline(away, films[0], 0, 2400)
    for number, order in enumerate(permutations(queue)):
        user = f"user {number}"
        for file, position, moment in order:
            store.playback.set_progress(user, file, position, client_time=moment)
        assert resume(store, user, films[0]) == (2400, False, 0)


def test_late_reports_of_a_session_that_is_open_still_do_not_take_back_what_came_since(
    store: Store, films: list[str], clock: Clock
) -> None:
    clock.advance(3600)
    tablet = store.playback.start_session(films[0], user_id="ann", device_id="tablet").id
    watch(store, clock, tablet, 0, 300)
    store.playback.heartbeat(tablet, 300, state="paused")
    away = clock()
    clock.advance(1200)
    store.playback.set_progress("ann", films[0], 2500)
    clock.advance(300)
    for number in range(1, 11):
        store.playback.heartbeat(
            tablet, 300 + number * 30, state="playing", client_time=away + minutes(number / 2)
        )
        assert resume(store, "ann", films[0])[0] == 2500
    assert store.playback.session(tablet).position == 600
    clock.advance(30)
    store.playback.heartbeat(tablet, 630)  # online again: now it is the latest
    assert resume(store, "ann", films[0])[0] == 630
    assert store.playback.undo_progress("ann", films[0]).position == 2500


def test_many_devices_that_come_back_at_once_end_with_the_latest(
    store: Store, films: list[str], clock: Clock
) -> None:
    clock.advance(86_400)
    now = clock()

    def come_back(number: int) -> None:
        for step in range(10):
            store.playback.set_progress(
                "ann",
                films[0],
                number * 100 + step,
                client_time=now - minutes(100 - number * 10 - step),
            )

    in_threads(6, come_back)
    assert resume(store, "ann", films[0])[0] == 509
