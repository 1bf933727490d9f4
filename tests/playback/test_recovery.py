"""Servers die, fork, close and lose their database: nobody's place is lost, no session stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Clock
from postgres_server import PostgresMissing, Server, running_server

from tests.database.processes import running_python
from tests.playback.rooms import (
    OTHER_SERVER, OtherServer, add_files, lock_files, minutes, other_server, plays, progress_rows,
    resume, sessions, told,
)
from viewra_lite import Store
from viewra_lite.errors import StoreUnavailableError
from viewra_lite.playback.models import PlaybackSession


@pytest.fixture
def film(store_config: Any, tmp_path: Path, clock: Clock) -> str:
    """A film of an hour in a store that is closed."""
    with Store.open(store_config, clock=clock) as store:
        return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def opened(config: Any, clock: Clock) -> Store:
    return Store.open(config, clock=clock)


def test_after_a_crash_the_next_open_closes_what_was_left_open(
    store_config: Any, film: str, clock: Clock
) -> None:
    began = clock()
    with other_server(store_config, began) as other:
        playing = other("start_session", film, user_id="ann", device_id="tv")["id"]
        paused = other("start_session", film, user_id="bob")["id"]
        starting = other("start_session", film, user_id="cy")["id"]
        ended = other("start_session", film, user_id="ann")["id"]
        other("stop_session", ended)
        other("advance", 60)
        other("heartbeat", playing, 55)
        other("heartbeat", paused, 3300, state="paused")
        assert len(lock_files(store_config)) in (0, 1)
        other.kill()
    clock.advance(7200)
    with opened(store_config, clock) as store:
        assert store.playback.active_sessions() == []
        found = sessions(store)
        assert {found[id].state for id in (playing, paused, starting)} == {"expired"}
        assert found[ended].state == "stopped"
        assert found[playing].end_time == found[paused].end_time == began + minutes(1)
        assert found[starting].end_time == began
        assert (found[playing].position, found[paused].position) == (55, 3300)
        play = plays(store)
        assert set(play) == {playing, paused, starting, ended}
        assert (play[playing].duration_watched, play[playing].device_id) == (55, "tv")
        assert (play[playing].completed, play[paused].completed) == (False, True)
        assert resume(store, "ann", film)[0] == 55
        assert resume(store, "bob", film) == (3300, True, 1)
        before = told(store)
        store.playback.tidy(clock())
    assert lock_files(store_config) == []
    with opened(store_config, clock) as store:
        assert told(store) == before


def test_no_crash_comes_between_a_session_and_its_progress(
    store_config: Any, film: str, clock: Clock
) -> None:
    for _ in range(3):
        with other_server(store_config, clock()) as other:
            id = other("start_session", film, user_id="ann")["id"]
            process = other.process
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(["heartbeat_for_ever", [id], {}]) + "\n")
            process.stdin.flush()
            for _ in range(25):
                process.stdout.readline()
            process.kill()
            acknowledged = [int(line) for line in process.stdout.read().split()]
            process.wait()
        with opened(store_config, clock) as store:
            session, (row,) = sessions(store)[id], progress_rows(store)
            assert session.state == "expired" and row.session_id == id
            assert session.position == row.position == plays(store)[id].duration_watched
            assert session.end_time == session.last_activity == row.updated_at
            last = max(acknowledged, default=25)
            assert session.position in (last, last + 1)  # it may have died before it could tell
        clock.advance(3600)


def test_a_closed_store_leaves_its_sessions_to_the_next(
    store_config: Any, film: str, clock: Clock
) -> None:
    with opened(store_config, clock) as store:
        id = store.playback.start_session(film, user_id="ann").id
        store.playback.heartbeat(id, 100)
        last = clock()
    clock.advance(60)
    with Store.open(store_config, clock=clock, migrate=False) as store:
        assert sessions(store)[id].state == "playing"
    with opened(store_config, clock) as store:
        assert (sessions(store)[id].state, sessions(store)[id].end_time) == ("expired", last)


def test_the_sessions_of_another_living_process_are_its_own(
    store_config: Any, film: str, clock: Clock
) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(other_server(store_config, clock()))
        theirs = other("start_session", film, user_id="ann")["id"]
        store = stack.enter_context(opened(store_config, clock))  # no orphans for this open
        ours = store.playback.start_session(film, user_id="bob").id
        for _ in range(2):
            assert {s.id for s in store.playback.active_sessions()} == {theirs, ours}
            store.playback.tidy(clock())
            other("tidy")
        # Silent for too long as far as we know: it is not for us to say.
        clock.advance(400)
        store.playback.tidy(clock())
        assert [s.id for s in store.playback.active_sessions()] == [theirs]
        other("heartbeat", theirs, 42)
        other.kill()
        store.playback.tidy(clock())
        assert store.playback.active_sessions() == []
        assert sessions(store)[theirs].state == "expired"
        assert resume(store, "ann", film)[0] == 42
        assert set(plays(store)) == {ours, theirs}


def test_a_process_that_closes_hands_its_sessions_to_the_tidy_of_another(
    store_config: Any, film: str, clock: Clock
) -> None:
    with other_server(store_config, clock()) as other, opened(store_config, clock) as store:
        id = other("start_session", film, user_id="ann")["id"]
        other("close")
        assert sessions(store)[id].state == "starting"
        store.playback.tidy(clock())
        assert sessions(store)[id].state == "expired"


def test_who_hears_of_a_session_keeps_it_when_the_one_that_began_it_dies(
    store_config: Any, film: str, clock: Clock
) -> None:
    with ExitStack() as stack:
        worker = stack.enter_context(other_server(store_config, clock()))
        id = worker("start_session", film, user_id="ann")["id"]
        store = stack.enter_context(opened(store_config, clock))
        store.playback.heartbeat(id, 10)
        worker.kill()
        store.playback.tidy(clock())
        clock.advance(10)
        assert store.playback.heartbeat(id, 20).state == "playing"
        store.playback.tidy(clock.advance(300))  # and it is ours to expire
        assert sessions(store)[id].state == "expired"


def test_a_heartbeat_saves_a_session_whose_process_has_died(
    store_config: Any, film: str, clock: Clock
) -> None:
    with ExitStack() as stack:
        worker = stack.enter_context(other_server(store_config, clock()))
        store = stack.enter_context(opened(store_config, clock))
        id = worker("start_session", film, user_id="ann")["id"]
        worker.kill()
        store.playback.heartbeat(id, 10)
        store.playback.tidy(clock())
        assert sessions(store)[id].state == "playing"


def test_a_heartbeat_that_comes_while_orphans_are_looked_for_saves_its_session(
    store_config: Any, film: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        worker = stack.enter_context(other_server(store_config, clock()))
        store = stack.enter_context(opened(store_config, clock))
        kept, lost = (worker("start_session", film, user_id=user)["id"] for user in ("ann", "bob"))
        worker.kill()
        owner = store.playback._lifecycle.owner
        is_dead = owner.is_dead

        def hear_meanwhile(name: str | None) -> bool:
            found = is_dead(name)
            store.playback.heartbeat(kept, 10)
            return found

        monkeypatch.setattr(owner, "is_dead", hear_meanwhile)
        store.playback.tidy(clock())
        assert [sessions(store)[id].state for id in (kept, lost)] == ["playing", "expired"]


def test_servers_that_start_together_after_a_crash_close_each_session_once(
    store_config: Any, film: str, clock: Clock
) -> None:
    with other_server(store_config, clock()) as other:
        begun = {other("start_session", film, user_id=f"u{n}")["id"] for n in range(12)}
        other.kill()
    with ExitStack() as stack:
        arguments = (*OTHER_SERVER, json.dumps(store_config), clock().isoformat())
        servers = [stack.enter_context(running_python(*arguments)) for _ in range(3)]
        for process in servers:
            assert process.stdout is not None and process.stdout.readline() == "open\n"
            OtherServer(process)("tidy")
        with opened(store_config, clock) as store:
            assert {s.state for s in sessions(store).values()} == {"expired"}
            assert set(plays(store)) == set(sessions(store)) == begun


def test_hundreds_of_orphans_are_closed(store_config: Any, film: str, clock: Clock) -> None:
    with opened(store_config, clock) as store:
        with store.writer():
            for number in range(250):
                PlaybackSession.insert(
                    id=f"s{number}", media_file_id=film, user_id="ann", method="direct",
                    state="playing", position=1, start_time=clock(), last_activity=clock(),
                    title="Alien", owner=None if number % 2 else "somebody",
                ).execute()
        assert len(store.playback.active_sessions()) == 250
    with opened(store_config, clock) as store:
        assert store.playback.active_sessions() == []
        assert len(plays(store)) == 250
    assert lock_files(store_config) == []


FORK = """
import gc, json, os, sys
from tests.conftest import Clock
from viewra_lite import Store
from viewra_lite.errors import ViewraError

store = Store.open(json.loads(sys.argv[1]), clock=Clock())
id = store.playback.start_session(sys.argv[2], user_id="ann").id
store.playback.heartbeat(id, 10)
child = os.fork()
if not child:
    for use in (lambda: store.playback.heartbeat(id, 99), lambda: store.playback.tidy(Clock()())):
        try:
            use()
        except ViewraError:
            pass
        else:
            os._exit(1)
    if sys.argv[3] == "closes":
        store.close()
    del store
    gc.collect()
    sys.exit(0)  # as an interpreter ends, with everything that is called then
assert os.waitpid(child, 0)[1] == 0
print("forked", flush=True)
sys.stdin.readline()
store.playback.heartbeat(id, 20)
print("alive", flush=True)
sys.stdin.readline()
store.close()
print("closed", flush=True)
"""


@pytest.mark.parametrize("child", ["closes", "exits"])
def test_a_forked_child_that_ends_takes_nothing_from_its_parent(
    store_config: Any, film: str, clock: Clock, child: str
) -> None:
    with running_python("-c", FORK, json.dumps(store_config), film, child) as parent:
        assert parent.stdin is not None and parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        with opened(store_config, clock) as store:
            assert len(store.playback.active_sessions()) == 1
            store.playback.tidy(clock())
            assert len(store.playback.active_sessions()) == 1
            assert len(lock_files(store_config)) in (0, 1)
            for expected in ("alive\n", "closed\n"):
                parent.stdin.write("\n")
                parent.stdin.flush()
                assert parent.stdout.readline() == expected
            store.playback.tidy(clock())
            assert store.playback.active_sessions() == []
            assert resume(store, "ann", film)[0] == 20
    assert lock_files(store_config) == []


# A PostgreSQL that restarts


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that these tests may stop."""
    try:
        with running_server() as server:
            yield server
    except PostgresMissing as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


@pytest.mark.parametrize("remedy", ["tidy", "heartbeat", "start_session"])
def test_a_server_that_restarts_drops_the_lock_and_the_next_verb_takes_it_again(
    own_server: Server, tmp_path: Path, clock: Clock, remedy: str
) -> None:
    config = own_server.create_database(f"restart_{remedy}")
    with opened(config, clock) as store:
        (film,) = add_files(store, tmp_path / "films", "Alien (1979).mkv")
        id = store.playback.start_session(film, user_id="ann").id
        store.playback.heartbeat(id, 10)
        own_server.stop()
        with pytest.raises(StoreUnavailableError):
            store.playback.heartbeat(id, 20)
        with pytest.raises(StoreUnavailableError):
            store.playback.tidy(clock())
        own_server.start()
        if remedy == "tidy":
            store.playback.tidy(clock())
        elif remedy == "heartbeat":
            store.playback.heartbeat(id, 20)
        else:
            store.playback.start_session(film, user_id="bob")
        with other_server(config, clock()) as other:
            other("tidy")
            assert sessions(store)[id].state == "playing"
        store.playback.heartbeat(id, 30)
        assert resume(store, "ann", film)[0] == 30
