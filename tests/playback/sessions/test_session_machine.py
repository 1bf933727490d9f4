"""Sessions and progress of two users on two devices, against a plain model of what must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.clock import Clock
from tests.support.playing import HOUR_S, add_files, plays, progress_rows, sessions
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.errors import ConflictError
from viewra_lite.playback.models import PlaybackHistory, PlaybackSession, UserMediaProgress

END = 0.9 * HOUR_S
OPEN = ("starting", "playing", "paused")


def at_end(position: float) -> bool:
    return position >= END


def moment_of(client_time: datetime | None, now: datetime) -> datetime:
    return now if client_time is None else min(client_time, now)


def is_late(client_time: datetime | None, stored: datetime | None, now: datetime) -> bool:
    return client_time is not None and stored is not None and client_time < stored <= now


@dataclass
class Kept:
    """What undo may go back to."""

    state: tuple[float, bool]
    when: datetime
    by: str | None


@dataclass
class Watching:
    """What holds for one user, whichever version is watched."""

    begun: bool = False
    position: float = 0.0
    completed: bool = False
    reported: datetime | None = None
    by: str | None = None
    kept: list[Kept] = field(default_factory=list)

    @property
    def told(self) -> tuple[float, bool]:
        return self.position, self.completed

    def keep(self, now: datetime, by: str | None) -> None:
        self.kept = [*self.kept, Kept(self.told, now, by)][-20:]

    def plays_on(self, position: float, moment: datetime, now: datetime) -> bool:
        passed = max((moment - (self.reported or now)).total_seconds(), 0)
        return 0 <= position - self.position <= 2 * passed + 2

    def leaves_a_state(
        self,
        position: float,
        moment: datetime,
        now: datetime,
        by: str | None,
        completed: bool | None,
    ) -> bool:
        if not self.begun or (completed is not None and completed != self.completed):
            return True
        lately = by is not None and any(
            one.by == by and timedelta(0) <= now - one.when < timedelta(seconds=60)
            for one in self.kept
        )
        if by is not None and by != self.by:
            return self.by is None or not lately
        return not self.plays_on(position, moment, now) and not lately

    def set(
        self, position: float, client_time: datetime | None, now: datetime, completed: bool | None
    ) -> None:
        """Take a report that belongs to no session."""
        if self.begun and is_late(client_time, self.reported, now):
            return
        moment = moment_of(client_time, now)
        if self.leaves_a_state(position, moment, now, None, completed):
            self.keep(now, None)
        self.completed = (
            completed if completed is not None else (self.completed or at_end(position))
        )
        self.position, self.reported, self.by, self.begun = position, moment, None, True

    def decide(self, watched: bool, now: datetime) -> None:
        self.keep(now, None)
        self.completed = watched
        self.position, self.reported, self.by, self.begun = 0.0, now, None, True

    def undo(self, now: datetime) -> bool:
        if not self.kept:
            return False
        self.position, self.completed = self.kept.pop().state
        self.reported, self.by = now, None
        return True


@dataclass
class Playing:
    """A session."""

    user: str
    position: float
    began: datetime
    last: datetime
    state: str = "starting"
    reported: datetime | None = None
    watched: float = 0.0
    end: datetime | None = None

    def set_right(self, now: datetime) -> None:
        self.began = min(self.began, now)
        self.reported = None if self.reported is None else min(self.reported, now)

    def beat(
        self,
        watching: Watching,
        id: str,
        position: float,
        state: str | None,
        client_time: datetime | None,
        now: datetime,
    ) -> None:
        self.set_right(now)
        if self.state == "expired":
            self.state, self.end = "playing", None
        wanted = state or ("playing" if self.state == "starting" else self.state)
        if is_late(client_time, self.reported, now):
            wanted = wanted if wanted not in OPEN else self.state
        else:
            stays = self.state == "paused" and wanted != "playing" and position == self.position
            loads = position == 0 and self.watched == 0
            stood = at_end(self.position)
            moment = moment_of(client_time, now)
            if self.state != "paused":
                passed = max((moment - (self.reported or self.began)).total_seconds(), 0)
                self.watched += min(max(position - self.position, 0), passed)
            self.position, self.reported = position, moment
            if wanted == "completed" or not (stays or loads):
                self.tell(watching, id, wanted == "completed", stood, client_time, now)
        if wanted == "completed":
            watching.completed = True
        self.last = now
        if wanted in OPEN:
            self.state = wanted
        else:
            self.finish(wanted, now)

    def tell(
        self,
        watching: Watching,
        id: str,
        ends: bool,
        stood: bool,
        client_time: datetime | None,
        now: datetime,
    ) -> None:
        """Move the user, unless it is too late for that; to come to the end is never too late."""
        here, moment = self.position, moment_of(client_time, now)
        if not (watching.begun and is_late(client_time, watching.reported, now)):
            if watching.leaves_a_state(here, moment, now, id, None):
                watching.keep(now, id)
            watching.position, watching.reported = here, moment
            watching.by, watching.begun = id, True
        if ends or at_end(here) and not stood:
            watching.completed = watching.begun = True

    def finish(self, state: str, now: datetime) -> None:
        self.end = max(now, self.began) if self.state != "expired" else self.end
        self.state = state

    def grow_silent(self, now: datetime) -> None:
        if self.last > now:
            self.last = now
            self.set_right(now)
        elif now - self.last >= timedelta(minutes=30 if self.state == "paused" else 5):
            self.finish("expired", now)
            self.end = max(self.last, self.began)


POSITIONS = st.sampled_from([0, 0, 10, 400, 1000, 1800, 3239, 3240, 3300, 3599.5, 3600, 3600.5])
CLIENT_TIMES = st.sampled_from([None, None, None, 0, -5, -30, -4000, 4000])
USERS, VERSIONS, DEVICES = (st.sampled_from([0, 1]) for _ in range(3))


class Evening(RuleBasedStateMachine):
    """Everything two people may do, in any order; the clock goes forwards and backwards."""

    begun = Bundle("begun")
    store: Store
    clock: Clock
    films: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.users = ["ann", "bob"]
        self.watching = {user: Watching() for user in self.users}
        self.playing: dict[str, Playing] = {}

    def client_time(self, age: float | None) -> datetime | None:
        return None if age is None else self.clock() + timedelta(seconds=age)

    @rule(target=begun, user=USERS, device=DEVICES, version=VERSIONS, position=POSITIONS)
    def start(self, user: int, device: int, version: int, position: float) -> str:
        id = str(
            self.store.playback.start_session(
                self.films[version],
                user_id=self.users[user],
                device_id=f"device {device}",
                position=position,
            ).id
        )
        now = self.clock()
        self.playing[id] = Playing(self.users[user], min(position, HOUR_S), now, now)
        return id

    @rule(
        id=begun,
        position=POSITIONS,
        age=CLIENT_TIMES,
        end=st.booleans(),
        state=st.sampled_from([None, None, "playing", "paused"]),
        last=st.sampled_from(["stopped", "completed", "failed"]),
    )
    def heartbeat(
        self, id: str, position: float, age: float | None, end: bool, state: str | None, last: str
    ) -> None:
        self.beat(id, position, last if end and position % 3 else state, age)

    @rule(id=begun, seconds=st.sampled_from([5, 10, 60]), beats=st.integers(1, 4))
    def play_on(self, id: str, seconds: float, beats: int) -> None:
        for _ in range(beats):
            self.clock.advance(seconds)
            position = min(self.playing[id].position + seconds, HOUR_S)
            self.beat(id, position, None, None)

    def beat(self, id: str, position: float, state: str | None, age: float | None) -> None:
        session, when = self.playing[id], self.client_time(age)
        if session.end is not None and session.state != "expired":
            with pytest.raises(ConflictError):
                self.store.playback.heartbeat(id, position, state=state, client_time=when)
            return
        self.store.playback.heartbeat(id, position, state=state, client_time=when)
        session.beat(
            self.watching[session.user], id, min(position, HOUR_S), state, when, self.clock()
        )

    @rule(id=begun, fails=st.booleans())
    def end(self, id: str, fails: bool) -> None:
        verb = self.store.playback.fail_session if fails else self.store.playback.stop_session
        session = self.playing[id]
        if session.end is not None and session.state != "expired":
            with pytest.raises(ConflictError):
                verb(id)
            return
        verb(id)
        session.set_right(self.clock())
        session.finish("failed" if fails else "stopped", self.clock())

    @rule(seconds=st.sampled_from([1, 59, 61, 299, 301, 1801, 90_000, -30, -7200]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.store.playback.tidy(self.clock())
        for session in self.playing.values():
            if session.end is None:
                session.grow_silent(self.clock())
        for watching in self.watching.values():
            if watching.reported is not None:
                watching.reported = min(watching.reported, self.clock())

    @rule(
        user=USERS,
        version=VERSIONS,
        position=POSITIONS,
        age=CLIENT_TIMES,
        completed=st.sampled_from([None, None, True, False]),
    )
    def set_progress(
        self, user: int, version: int, position: float, age: float | None, completed: bool | None
    ) -> None:
        name, when = self.users[user], self.client_time(age)
        self.store.playback.set_progress(
            name, self.films[version], position, completed=completed, client_time=when
        )
        self.watching[name].set(min(position, HOUR_S), when, self.clock(), completed)

    @rule(user=USERS, version=VERSIONS, watched=st.booleans())
    def mark(self, user: int, version: int, watched: bool) -> None:
        playback, name = self.store.playback, self.users[user]
        verb = playback.mark_watched if watched else playback.mark_unwatched
        verb(name, self.films[version])
        self.watching[name].decide(watched, self.clock())

    @rule(user=USERS, version=VERSIONS)
    def undo(self, user: int, version: int) -> None:
        name = self.users[user]
        if self.watching[name].undo(self.clock()):
            self.store.playback.undo_progress(name, self.films[version])
        else:
            with pytest.raises(ConflictError):
                self.store.playback.undo_progress(name, self.films[version])

    @invariant()
    def both_versions_show_what_holds(self) -> None:
        for user, watching in self.watching.items():
            found = self.store.playback.progress_of(user, self.films)
            for film in self.films:
                one = found[film]
                assert (one.position, one.completed) == watching.told
                resumed = one.position if HOUR_S * 0.05 <= one.position < END else 0
                assert one.resume_position == resumed
                assert len(one.previous or ()) == len(watching.kept)
        assert all(row.media_file_id in self.films for row in progress_rows(self.store))

    @invariant()
    def every_session_is_where_it_should_be(self) -> None:
        stored = sessions(self.store)
        for id, model in self.playing.items():
            session = stored[id]
            wanted = {"stopped", "completed"} if model.state == "stopped" else {model.state}
            assert session.state in wanted
            assert (session.user_id, session.position) == (model.user, model.position)
            assert (session.end_time, session.last_activity) == (model.end, model.last)
            assert session.watched == model.watched
        for user in self.users:
            assert {s.id for s in self.store.playback.active_sessions(user_id=user)} == {
                id for id, s in self.playing.items() if s.end is None and s.user == user
            }

    @invariant()
    def a_play_is_a_minute_or_the_end_and_completed_is_completed_everywhere(self) -> None:
        history, stored = plays(self.store), sessions(self.store)
        for id, model in self.playing.items():
            if model.end is not None:
                assert (id in history) == (
                    model.watched >= 60
                    or stored[id].completed
                    or id in history
                    and history[id].completed
                )
            if stored[id].completed:
                assert history[id].completed
        completed = {
            user: sum(row.completed for row in history.values() if row.user_id == user)
            for user in self.users
        }
        for user in self.users:
            rows = progress_rows(self.store, user_id=user)
            assert sum(row.play_count for row in rows) == completed[user]
            if rows:
                state = self.store.playback.progress(user, self.films[0])
                assert state.play_count == completed[user]
        assert self.store.playback.stats().completed == sum(completed.values())

    def teardown(self) -> None:
        with self.store.writer():
            for model in (PlaybackSession, UserMediaProgress, PlaybackHistory):
                model.delete().execute()


def test_two_users_two_devices_and_two_versions_agree_with_the_model(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    films = add_files(store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979")

    class Here(Evening):
        pass

    Here.store, Here.clock, Here.films = store, clock, films
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=tries(6 if store.engine == "postgres" else 12, 16), stateful_step_count=35
        ),
    )
