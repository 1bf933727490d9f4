"""Sessions: starting -> playing <-> paused -> stopped, completed, expired or failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import (
    HOUR_S,
    add_files,
    plays,
    progress_rows,
    resume,
    sessions,
    told,
    watch,
)
from tests.support.threads import in_threads
from viewra_lite import Store
from viewra_lite.errors import ConflictError, StoreClosedError


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def start(store: Store, file_id: str, **options: Any) -> str:
    session = store.playback.start_session(file_id, **{"user_id": "ann", **options})
    return str(session.id)


def test_a_session_begins_as_starting_and_tells_all_of_itself(
    store: Store, film: str, clock: Clock
) -> None:
    begun = store.playback.start_session(
        film, user_id="ann", device_id="tv", method="remux", position=12, duration=HOUR_S
    )
    assert begun.__data__ == store.playback.session(begun.id).__data__
    assert (begun.state, begun.method, begun.device_id) == ("starting", "remux", "tv")
    assert (begun.position, begun.duration) == (12.0, HOUR_S)
    assert begun.start_time == begun.last_activity == clock() and begun.end_time is None
    assert (begun.kind, begun.title, begun.top_title) == ("other", *["Alien (1979)"] * 2)
    assert progress_rows(store) == [] and plays(store) == {}


@pytest.mark.parametrize("method", ["direct", "transcode", "remux"])
def test_every_method_may_be_played(store: Store, film: str, clock: Clock, method: str) -> None:
    id = start(store, film, method=method)
    clock.advance(60)
    assert store.playback.stop_session(id, position=60).method == plays(store)[id].method == method


def test_a_session_plays_pauses_and_plays_on(store: Store, film: str, clock: Clock) -> None:
    id = start(store, film)
    for state, expected in (
        (None, "playing"),
        ("paused", "paused"),
        (None, "paused"),
        ("playing", "playing"),
        (None, "playing"),
    ):
        clock.advance(10)
        told_back = store.playback.heartbeat(id, 10, state=state)
        assert told_back.state == store.playback.session(id).state == expected
        assert told_back.last_activity == clock()
        assert [s.id for s in store.playback.active_sessions()] == [id]


@pytest.mark.parametrize(
    ("state", "ended"), [("stopped", "stopped"), ("failed", "failed"), ("completed", "completed")]
)
@pytest.mark.parametrize("before", ["starting", "playing", "paused"])
def test_every_open_state_may_end_and_a_terminal_one_is_final(
    store: Store, film: str, clock: Clock, before: str, state: str, ended: str
) -> None:
    id = start(store, film)
    if before != "starting":
        clock.advance(65)
        store.playback.heartbeat(id, 65, state=before)
    clock.advance(65)
    assert store.playback.heartbeat(id, 130, state=state).state == ended
    assert sessions(store)[id].end_time == clock()
    assert store.playback.active_sessions() == []
    assert plays(store)[id].completed == (state == "completed")
    before_all = told(store)
    clock.advance(5)
    for again in ("playing", "paused", "stopped", "completed", "failed", None):
        with pytest.raises(ConflictError, match=f"{id} has ended .{ended}"):
            store.playback.heartbeat(id, 20, state=again)
    for verb in (store.playback.stop_session, store.playback.fail_session):
        for position in (None, 30):
            with pytest.raises(ConflictError, match="has ended"):
                verb(id, position=position)
    assert told(store) == before_all


@pytest.mark.parametrize("verb", ["heartbeat", "stop_session", "fail_session"])
def test_an_expired_session_goes_on_and_is_one_play(
    store: Store, film: str, clock: Clock, verb: str
) -> None:
    id = start(store, film)
    watch(store, clock, id, 0, 100)
    store.playback.tidy(clock.advance(300))
    assert (sessions(store)[id].state, set(plays(store))) == ("expired", {id})
    clock.advance(3000)
    session = getattr(store.playback, verb)(id, position=160)
    assert (session.position, session.watched) == (160, 160)
    if verb == "heartbeat":
        assert (session.state, session.end_time) == ("playing", None)
        assert [each.id for each in store.playback.active_sessions()] == [id]
        watch(store, clock, id, 160, HOUR_S)
        store.playback.stop_session(id)
        assert resume(store, "ann", film) == (HOUR_S, True, 1)
    assert [play.duration_watched for play in plays(store).values()] == [
        round(sessions(store)[id].watched)
    ]


def test_an_expired_session_that_is_stopped_ended_when_it_was_heard_of_last(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    watch(store, clock, id, 0, 100)
    last = clock()
    store.playback.tidy(clock.advance(300))
    assert store.playback.stop_session(id).end_time == last
    with pytest.raises(ConflictError, match="has ended"):
        store.playback.heartbeat(id, 110)


def test_a_heartbeat_moves_session_and_progress_together(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    clock.advance(30)
    told_back = store.playback.heartbeat(id, 25.5)
    (row,) = progress_rows(store)
    session = sessions(store)[id]
    assert told_back.__data__ == session.__data__
    assert session.position == row.position == 25.5
    assert session.last_activity == row.updated_at == row.reported_at == clock()
    assert (row.user_id, row.media_file_id, row.session_id) == ("ann", film, id)


def test_a_heartbeat_inside_a_writer_that_rolls_back_never_was(store: Store, film: str) -> None:
    id = start(store, film)
    before = told(store)
    with pytest.raises(ZeroDivisionError), store.writer():
        store.playback.heartbeat(id, 100)
        store.playback.stop_session(id)
        1 / 0
    assert told(store) == before


def test_the_history_says_what_was_watched_and_not_what_was_skipped(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film, device_id="tv")
    watch(store, clock, id, 0, 600)
    store.playback.heartbeat(id, 3000)  # skipped
    watch(store, clock, id, 3000, 3100)
    store.playback.heartbeat(id, 3100, state="paused")
    clock.advance(1200)
    store.playback.heartbeat(id, 2500)  # looks for a scene while it is paused
    clock.advance(300)
    store.playback.heartbeat(id, 2700, state="playing")
    watch(store, clock, id, 2700, 2800)
    store.playback.stop_session(id)
    play = plays(store)[id]
    assert (play.duration_watched, play.completed) == (800, False)
    assert (play.user_id, play.media_file_id, play.device_id) == ("ann", film, "tv")
    assert play.played_at == sessions(store)[id].start_time


def test_stopping_at_the_end_completes(store: Store, film: str, clock: Clock) -> None:
    for last in (HOUR_S * 0.9, HOUR_S - 1, HOUR_S):
        id = start(store, film)
        clock.advance(HOUR_S)
        assert store.playback.stop_session(id, position=last).state == "completed"
        assert plays(store)[id].completed
    id = start(store, film)
    watch(store, clock, id, 3000, 3300)
    clock.advance(10)
    store.playback.heartbeat(id, 60)  # back for a scene
    assert store.playback.stop_session(id).state == "completed"


def test_what_is_said_to_be_completed_is_wherever_it_ends(store: Store, film: str) -> None:
    for position in (0.0, 1.0, 1800.0):
        id = start(store, film, user_id=f"u{position}")
        session = store.playback.heartbeat(id, position, state="completed")
        assert (session.state, session.completed) == ("completed", True)
        assert plays(store)[id].completed
        assert resume(store, f"u{position}", film) == (position, True, 1)


def test_what_could_not_be_played_is_no_play_and_moves_nobody(
    store: Store, film: str, clock: Clock
) -> None:
    store.playback.set_progress("ann", film, 1200)
    for position in (None, 0, 0.0):
        id = start(store, film, position=1200)
        clock.advance(3)
        assert store.playback.fail_session(id, position=position).state == "failed"
    assert plays(store) == {}
    assert resume(store, "ann", film)[0] == 1200
    id = start(store, film, position=1200)
    watch(store, clock, id, 1200, 1300)
    store.playback.fail_session(id)
    assert plays(store)[id].duration_watched == 100


@pytest.mark.parametrize("begun_at", [0.0, 1200.0])
def test_a_player_that_loads_does_not_take_the_user_back_to_the_start(
    store: Store, film: str, clock: Clock, begun_at: float
) -> None:
    store.playback.set_progress("ann", film, 1200)
    id = start(store, film, position=begun_at)
    for _ in range(3):  # it buffers for half a minute, at 0 until it has sought
        clock.advance(10)
        store.playback.heartbeat(id, 0)
        assert resume(store, "ann", film)[0] == 1200
    clock.advance(10)
    store.playback.heartbeat(id, 1205)
    assert resume(store, "ann", film)[0] == 1205
    clock.advance(10)
    store.playback.heartbeat(id, 0)  # now it is the user who wants it from the start
    assert resume(store, "ann", film)[0] == 0


def test_silence_expires_what_plays_after_5_and_what_is_paused_after_30_minutes(
    store: Store, film: str, clock: Clock
) -> None:
    began = clock()
    starting, playing, paused = (start(store, film, user_id=user) for user in "abc")
    store.playback.heartbeat(playing, 60)
    store.playback.heartbeat(paused, 70, state="paused")
    store.playback.tidy(clock.advance(299))
    assert len(store.playback.active_sessions()) == 3
    store.playback.tidy(clock.advance(1))
    assert [s.id for s in store.playback.active_sessions()] == [paused]
    store.playback.tidy(clock.advance(1499))
    assert [s.id for s in store.playback.active_sessions()] == [paused]
    store.playback.tidy(clock.advance(1))
    for id, session in sessions(store).items():
        assert (session.state, session.end_time) == ("expired", began)
    assert resume(store, "b", film)[0] == 60 and resume(store, "c", film)[0] == 70
    assert starting in sessions(store) and plays(store) == {}  # nobody has watched a minute


def test_the_silence_that_expires_can_be_configured(
    store_config: Any, tmp_path: Path, clock: Clock
) -> None:
    database = {"type": "sqlite", "database_path": str(tmp_path / "s.db")}
    options = {"session_timeout_s": 20, "paused_timeout_s": 40}
    with Store.open({"database": {**database, **options}}, clock=clock) as store:
        (film,) = add_files(store, tmp_path / "films", "Alien.mkv")
        playing, paused = start(store, film), start(store, film)
        store.playback.heartbeat(paused, 1, state="paused")
        for seconds, left in ((19, {playing, paused}), (1, {paused}), (19, {paused}), (1, set())):
            store.playback.tidy(clock.advance(seconds))
            assert {s.id for s in store.playback.active_sessions()} == left


def test_a_clock_that_goes_back_neither_expires_nor_keeps_a_session_for_ever(
    store: Store, film: str, clock: Clock
) -> None:
    id = start(store, film)
    store.playback.heartbeat(id, 60)
    store.playback.tidy(clock.advance(-86_400))
    assert store.playback.active_sessions() != []
    clock.advance(10)
    assert store.playback.heartbeat(id, 70).state == "playing"
    assert resume(store, "ann", film)[0] == 70
    clock.advance(-86_400)
    store.playback.tidy(clock())
    store.playback.tidy(clock.advance(300))
    session = sessions(store)[id]
    assert session.state == "expired" and session.end_time >= session.start_time


def test_no_session_ends_before_it_began(store: Store, film: str, clock: Clock) -> None:
    stopped, _ = start(store, film), start(store, film)
    began = clock()
    clock.advance(-3600)
    assert store.playback.stop_session(stopped).end_time == clock()
    store.playback.tidy(clock())
    store.playback.tidy(clock.advance(300))
    for session in sessions(store).values():
        assert began > session.end_time >= session.start_time


def test_active_sessions_are_told_oldest_first_and_by_user(
    store: Store, film: str, clock: Clock
) -> None:
    ids = []
    for user in ("ann", "bob", "ann"):
        ids.append(start(store, film, user_id=user))
        clock.advance(1)
    store.playback.stop_session(start(store, film))
    assert [s.id for s in store.playback.active_sessions()] == ids
    assert [s.id for s in store.playback.active_sessions(user_id="ann")] == [ids[0], ids[2]]
    assert store.playback.active_sessions(user_id="nobody") == []


def test_one_end_wins_when_many_end_a_session_at_once(store: Store, film: str) -> None:
    id = start(store, film)
    store.playback.heartbeat(id, 10)

    def end(number: int) -> str:
        try:
            return str(
                store.playback.heartbeat(
                    id, 10 + number, state=("stopped", "failed", "completed")[number % 3]
                ).state
            )
        except ConflictError:
            return "refused"

    ends = in_threads(8, end)
    assert ends.count("refused") == 7
    assert sessions(store)[id].state in ends
    assert len(plays(store)) <= 1


def test_heartbeats_of_many_threads_lose_nothing(store: Store, film: str) -> None:
    ids = [start(store, film, user_id=f"u{n}") for n in range(4)]

    def play(number: int) -> None:
        for position in range(1, 26):
            store.playback.heartbeat(ids[number], position)

    in_threads(4, play)
    assert {s.position for s in sessions(store).values()} == {25.0}
    assert {row.position for row in progress_rows(store)} == {25.0}


def test_a_closed_store_starts_nothing(store: Store, film: str) -> None:
    id = start(store, film)
    store.close()
    for use in (
        lambda: start(store, film),
        lambda: store.playback.heartbeat(id, 1),
        lambda: store.playback.stop_session(id),
    ):
        with pytest.raises(StoreClosedError):
            use()


def test_what_a_verb_returns_can_be_read_outside_of_every_session(store: Store, film: str) -> None:
    session = store.playback.heartbeat(start(store, film), 10)
    for row in (session, *store.playback.active_sessions(), store.playback.progress("ann", film)):
        for name in row._meta.fields:
            getattr(row, name)
