"""What sessions and progress refuse: it is named clearly, and nothing has changed."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import HOUR_S, add_files, resume, sessions, told
from viewra_lite import Store
from viewra_lite.errors import ConflictError, InvalidValueError, NotFoundError

NO_POSITIONS = [
    -1,
    -0.001,
    float("nan"),
    float("inf"),
    -float("inf"),
    True,
    False,
    "12",
    b"12",
    Decimal(12),
    10**400,
    [1],
    None,
    HOUR_S * 1.26,
    HOUR_S * 2,
]
NO_TEXTS = [None, 5, True, "", b"ann", "a\0b", "\udc80"]


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def start(store: Store, file_id: str, **options: Any) -> str:
    session = store.playback.start_session(file_id, **{"user_id": "ann", **options})
    return str(session.id)


@pytest.mark.parametrize("state", ["starting", "expired", "", "PLAYING", 3, True, ["playing"]])
def test_a_heartbeat_takes_no_other_state(store: Store, film: str, state: Any) -> None:
    id = start(store, film)
    before = told(store)
    with pytest.raises(InvalidValueError, match="playing, paused, stopped, completed, failed"):
        store.playback.heartbeat(id, 10, state=state)
    assert told(store) == before


@pytest.mark.parametrize("position", NO_POSITIONS, ids=lambda p: repr(p)[:12])
def test_a_position_that_cannot_be_is_refused_and_nothing_changes(
    store: Store, film: str, clock: Clock, position: Any
) -> None:
    id = start(store, film)
    store.playback.heartbeat(id, 100)
    before = told(store)
    clock.advance(10)
    uses = [
        lambda: store.playback.heartbeat(id, position),
        lambda: store.playback.set_progress("ann", film, position),
        lambda: store.playback.start_session(film, user_id="ann", position=position),
    ]
    if position is not None and type(position) not in (int, float):
        uses.append(lambda: store.playback.stop_session(id, position=position))
        uses.append(lambda: store.playback.fail_session(id, position=position))
    for use in uses:
        with pytest.raises(InvalidValueError, match="position"):
            use()
        assert told(store) == before


@pytest.mark.parametrize("beyond", [0.5, 1, 100, 900])
def test_a_position_up_to_a_quarter_beyond_the_end_is_the_end(
    store: Store, film: str, beyond: float
) -> None:
    id = start(store, film)
    assert store.playback.heartbeat(id, HOUR_S + beyond).position == HOUR_S
    assert store.playback.set_progress("bob", film, HOUR_S + beyond).position == HOUR_S
    assert store.playback.progress("ann", film).completed
    with pytest.raises(InvalidValueError, match="beyond the duration of 3600.0 seconds"):
        store.playback.heartbeat(id, 2 * HOUR_S)


@pytest.mark.parametrize(
    "position", [-1, -0.5, float("nan"), float("inf"), 1e300, 10**400, 7200, 99_999, 3_600_000]
)
@pytest.mark.parametrize("verb", ["stop_session", "fail_session"])
def test_no_number_keeps_a_session_from_ending_or_counts_as_its_end(
    store: Store, film: str, clock: Clock, verb: str, position: float
) -> None:
    id = start(store, film)
    clock.advance(100)
    store.playback.heartbeat(id, 100)
    clock.advance(10)
    ended = getattr(store.playback, verb)(id, position=position)
    assert ended.end_time == clock() and ended.position in (100, HOUR_S)
    assert store.playback.active_sessions() == []
    state = store.playback.progress("ann", film)
    assert (state.position, state.completed, state.play_count) == (100, False, 0)


def test_the_players_own_duration_counts_instead_of_the_files(store: Store, film: str) -> None:
    id = start(store, film, duration=7200)
    assert store.playback.heartbeat(id, 5000).position == 5000
    with pytest.raises(InvalidValueError, match="beyond the duration of 7200.0"):
        store.playback.heartbeat(id, 14_400)


def test_where_the_duration_is_unknown_every_position_is_taken(
    store: Store, tmp_path: Path
) -> None:
    (live,) = add_files(store, tmp_path / "live", "Live.mkv", duration=None)
    id = start(store, live)
    assert store.playback.heartbeat(id, 10**9).position == 1e9
    assert not store.playback.progress("ann", live).completed
    store.playback.stop_session(id)


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf"), True, "60", 10**400])
def test_a_duration_that_cannot_be_is_refused(store: Store, film: str, duration: Any) -> None:
    with pytest.raises(InvalidValueError, match="duration"):
        start(store, film, duration=duration)
    assert sessions(store) == {}


@pytest.mark.parametrize("value", NO_TEXTS, ids=repr)
def test_users_devices_and_methods_must_be_text(store: Store, film: str, value: Any) -> None:
    uses = [
        lambda: start(store, film, user_id=value),
        lambda: store.playback.set_progress(value, film, 10),
        lambda: store.playback.progress(value, film),
        lambda: store.playback.progress_of(value, [film]),
        lambda: store.playback.undo_progress(value, film),
    ]
    if value is not None:
        uses.append(lambda: store.playback.active_sessions(user_id=value))
    if value not in (None, ""):
        uses.append(lambda: start(store, film, device_id=value))
    for use in uses:
        with pytest.raises(InvalidValueError):
            use()
    with pytest.raises(InvalidValueError, match="direct, transcode, remux"):
        start(store, film, method=value)
    assert told(store) == []


@pytest.mark.parametrize("id", ["no-such", "", None, 7, True, "a\0b", "\udc80", ["x"]], ids=repr)
def test_what_is_not_known_is_not_found(store: Store, film: str, id: Any) -> None:
    playback = store.playback
    for use in (
        lambda: playback.session(id),
        lambda: playback.heartbeat(id, 1),
        lambda: playback.stop_session(id),
        lambda: playback.fail_session(id),
        lambda: start(store, id),
        lambda: playback.set_progress("ann", id, 1),
        lambda: playback.progress("ann", id),
        lambda: playback.undo_progress("ann", id),
    ):
        with pytest.raises((NotFoundError, InvalidValueError)) as caught:
            use()
        if id in ("no-such", ""):
            assert caught.type is NotFoundError and repr(id) in str(caught.value)
    assert told(store) == []


@pytest.mark.parametrize("moment", [datetime(2024, 5, 1), "2024-05-01", 1714564800, True])
def test_a_time_without_a_zone_or_that_is_none_is_refused(
    store: Store, film: str, moment: Any
) -> None:
    id = start(store, film)
    before = told(store)
    for use in (
        lambda: store.playback.heartbeat(id, 1, client_time=moment),
        lambda: store.playback.stop_session(id, client_time=moment),
        lambda: store.playback.set_progress("ann", film, 1, client_time=moment),
    ):
        with pytest.raises(InvalidValueError, match="client_time must be an aware datetime"):
            use()
    with pytest.raises(InvalidValueError):
        store.playback.tidy(moment)
    assert told(store) == before


@pytest.mark.parametrize("zone", [timezone.max, timezone.min])
def test_a_time_at_the_end_of_all_times_breaks_nothing(
    store: Store, film: str, clock: Clock, zone: timezone
) -> None:
    id = start(store, film)
    for moment in (datetime.min, datetime.max):
        try:
            store.playback.heartbeat(id, 10, client_time=moment.replace(tzinfo=zone))
        except InvalidValueError:
            pass
    clock.advance(10)
    assert store.playback.heartbeat(id, 20).position == 20
    assert resume(store, "ann", film)[0] == 20


def test_an_error_names_the_session_and_the_remedy(store: Store, film: str) -> None:
    id = start(store, film)
    store.playback.stop_session(id)
    with pytest.raises(ConflictError, match="start a new one, or report with set_progress"):
        store.playback.heartbeat(id, 1)


def test_a_header_that_is_too_short_marks_nothing_as_watched(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    (recording,) = add_files(store, tmp_path / "live", "Live.mkv", duration=600)
    id = start(store, recording)
    for position in range(10, 3600, 10):
        clock.advance(10)
        store.playback.heartbeat(id, position)
    state = store.playback.progress("ann", recording)
    assert (state.position, state.completed, state.play_count) == (3590, False, 0)
    assert store.playback.stop_session(id).state == "stopped"
    assert [play.completed for play in store.playback.history("ann").items] == [False]
    again = store.playback.start_session(recording, user_id="ann", position=state.resume_position)
    assert again.position == 3590


@pytest.mark.parametrize("marked", [False, True])
def test_a_header_that_is_too_short_takes_back_no_other_viewing(
    store: Store, tmp_path: Path, clock: Clock, marked: bool
) -> None:
    (recording,) = add_files(store, tmp_path / "live", "Live.mkv", duration=600)
    if marked:
        store.playback.mark_watched("ann", recording)
    else:
        store.playback.record_play("ann", recording, played_at=clock())
    clock.advance(86_400)
    id = start(store, recording)
    for position in range(10, 1000, 10):
        clock.advance(10)
        store.playback.heartbeat(id, position)
    state = store.playback.progress("ann", recording)
    assert (state.completed, state.play_count) == (True, 0 if marked else 1)
