"""Servers die, fork, close and lose their database: nobody's place is lost, no session stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.other_server import OTHER_SERVER, OtherServer, other_server
from tests.support.playing import (
    add_files,
    minutes,
    plays,
    progress_rows,
    resume,
    sessions,
    told,
    watch,
)
from tests.support.postgres import PostgresMissing, Server, running_server
from tests.support.processes import running_python
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


def test_what_a_crash_left_open_is_closed_by_the_next_open_once_it_was_silent_for_long(
    store_config: Any, film: str, clock: Clock
) -> None:
    began = clock()
    with other_server(store_config, began) as other:
        playing = other("start_session", film, user_id="ann", device_id="tv")["id"]
        paused = other("start_session", film, user_id="bob")["id"]
        starting = other("start_session", film, user_id="cy")["id"]
        ended = other("start_session", film, user_id="ann")["id"]
        other("stop_session", ended)
        other("advance", 70)
        other("heartbeat", playing, 65)
        other("heartbeat", paused, 3300, state="paused")
        other.kill()
    clock.advance(7200)
    with opened(store_config, clock) as store:
        assert store.playback.active_sessions() == []
        found = sessions(store)
        assert {found[id].state for id in (playing, paused, starting)} == {"expired"}
        assert found[ended].state == "stopped"
        assert found[playing].end_time == found[paused].end_time == began + minutes(7 / 6)
        assert found[starting].end_time == began
        assert (found[playing].position, found[paused].position) == (65, 3300)
        play = plays(store)
        assert set(play) == {playing, paused}
        assert (play[playing].duration_watched, play[playing].device_id) == (65, "tv")
        assert (play[playing].completed, play[paused].completed) == (False, True)
        assert resume(store, "ann", film)[0] == 65
        assert resume(store, "bob", film) == (3300, True, 1)
        before = told(store)
        store.playback.tidy(clock())
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
        with Store.open(store_config, clock=clock, migrate=False) as store:
            session, (row,) = sessions(store)[id], progress_rows(store)
            assert session.state == "playing" and row.session_id == id
            assert session.position == row.position == session.watched
            assert session.last_activity == row.updated_at
            last = max(acknowledged, default=25)
            assert session.position in (last, last + 1)  # it may have died before it could tell
        clock.advance(3600)


def test_a_restart_does_not_cut_a_play_in_two(store_config: Any, film: str, clock: Clock) -> None:
    with opened(store_config, clock) as store:
        id = store.playback.start_session(film, user_id="ann").id
        watch(store, clock, id, 0, 1200)
    clock.advance(5)
    with opened(store_config, clock) as store:
        store.playback.tidy(clock())
        assert [each.id for each in store.playback.active_sessions()] == [id]
        watch(store, clock, id, 1200, 3500)
        store.playback.stop_session(id)
        (play,) = plays(store).values()
        assert (play.id, play.duration_watched, play.completed) == (id, 3500, True)


@pytest.mark.parametrize("silence", [299, 300, 86_400])
def test_an_orphan_expires_after_silence_only_and_goes_on_all_the_same(
    store_config: Any, film: str, clock: Clock, silence: float
) -> None:
    with opened(store_config, clock) as store:
        id = store.playback.start_session(film, user_id="ann").id
        watch(store, clock, id, 0, 1200)
        last = clock()
    clock.advance(silence)
    with Store.open(store_config, clock=clock, migrate=False) as store:
        assert sessions(store)[id].state == "playing"
    with opened(store_config, clock) as store:
        session = sessions(store)[id]
        assert (session.state, session.end_time) == (
            ("playing", None) if silence < 300 else ("expired", last)
        )
        watch(store, clock, id, 1200, 3500)
        store.playback.stop_session(id)
        (play,) = plays(store).values()
        assert (play.id, play.duration_watched, play.completed) == (id, 3500, True)
        assert resume(store, "ann", film) == (3500, True, 1)


def test_a_process_that_is_replaced_while_its_neighbour_tidies_up_loses_no_session(
    store_config: Any, film: str, clock: Clock
) -> None:
    with ExitStack() as stack:
        store = stack.enter_context(opened(store_config, clock))
        with other_server(store_config, clock()) as first:
            id = first("start_session", film, user_id="ann")["id"]
            first("advance", 100)
            first("heartbeat", id, 100)
            first.kill()
        clock.advance(105)
        store.playback.tidy(clock())
        second = stack.enter_context(other_server(store_config, clock()))
        second("tidy")
        second("advance", 60)
        assert second("heartbeat", id, 160)["state"] == "playing"
        clock.advance(65)
        assert store.playback.stop_session(id, position=165).watched == 165
        assert [play.duration_watched for play in plays(store).values()] == [165]


def test_whoever_tidies_expires_what_is_silent_whichever_process_began_it(
    store_config: Any, film: str, clock: Clock
) -> None:
    with other_server(store_config, clock()) as other, opened(store_config, clock) as store:
        theirs = other("start_session", film, user_id="ann")["id"]
        other("heartbeat", theirs, 100, state="paused")
        ours = store.playback.start_session(film, user_id="bob").id
        store.playback.tidy(clock.advance(299))
        assert {each.id for each in store.playback.active_sessions()} == {theirs, ours}
        store.playback.tidy(clock.advance(1))
        assert [each.id for each in store.playback.active_sessions()] == [theirs]
        store.playback.tidy(clock.advance(1500))
        assert sessions(store)[theirs].state == "expired"
        other("advance", 1800)
        assert other("heartbeat", theirs, 100)["state"] == "playing"


def test_servers_that_start_together_after_a_crash_close_each_session_once(
    store_config: Any, film: str, clock: Clock
) -> None:
    with other_server(store_config, clock()) as other:
        begun = {other("start_session", film, user_id=f"u{n}")["id"] for n in range(12)}
        other("advance", 60)
        for id in begun:
            other("heartbeat", id, 60)
        other.kill()
    clock.advance(360)
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
                    id=f"s{number}",
                    media_file_id=film,
                    user_id="ann",
                    method="direct",
                    state="playing",
                    position=1,
                    start_time=clock(),
                    last_activity=clock(),
                    title="Alien",
                    watched=60,
                ).execute()
        assert len(store.playback.active_sessions()) == 250
    clock.advance(300)
    with opened(store_config, clock) as store:
        assert store.playback.active_sessions() == []
        assert len(plays(store)) == 250


FORK = """
import gc, json, os, sys
from tests.support.clock import Clock
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
            for expected in ("alive\n", "closed\n"):
                parent.stdin.write("\n")
                parent.stdin.flush()
                assert parent.stdout.readline() == expected
            store.playback.tidy(clock.advance(300))
            assert store.playback.active_sessions() == []
            assert resume(store, "ann", film)[0] == 20


# A PostgreSQL that restarts


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that these tests may stop."""
    try:
        with running_server() as server:
            yield server
    except PostgresMissing as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


def test_a_server_that_restarts_ends_no_session(
    own_server: Server, tmp_path: Path, clock: Clock
) -> None:
    config = own_server.create_database("restart")
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
        store.playback.heartbeat(id, 30)
        with other_server(config, clock()) as other:
            other("tidy")
        assert sessions(store)[id].state == "playing"
        assert resume(store, "ann", film)[0] == 30
