"""An evening of three people on two devices, and one in which the server is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.clock import Clock
from tests.support.other_server import other_server
from tests.support.playing import HOUR_S, add_files, progress_rows, resume, sessions, watch
from tests.support.threads import in_threads
from viewra_lite import Store

MINUTE_S = 60.0
HALF_AN_HOUR_S = HOUR_S / 2


def shelve(store: Store, folder: Path) -> tuple[str, list[str]]:
    """Put a film of an hour and three episodes of half an hour on the shelves."""
    (film,) = add_files(store, folder / "films", "alien.mkv", identity="movie:alien:1979")
    library = store.media.libraries()[0].id
    store.media.save_movie(library, title="Alien", year=1979, media_file_id=film)
    names = [f"dark{number}.mkv" for number in (1, 2, 3)]
    episodes = add_files(store, folder / "shows", *names, kind="tv", duration=HALF_AN_HOUR_S)
    library = next(one.id for one in store.media.libraries() if one.type == "tv")
    show = store.media.save_show(library, title="Dark", year=2017)
    for number, file in enumerate(episodes, start=1):
        store.media.save_episode(
            show.id, season_number=1, episode_number=number, media_file_id=file
        )
    return film, episodes


def viewing(
    store: Store, user: str, device: str, file: str, begin: float, end: float
) -> Iterator[None]:
    """Watch a file in one session, a heartbeat a minute, and stop it."""
    id = store.playback.start_session(file, user_id=user, device_id=device, position=begin).id
    position = begin
    while position < end:
        yield
        position = min(position + MINUTE_S, end)
        store.playback.heartbeat(id, position)
    store.playback.stop_session(id, position=position)


def waiting(count: int) -> Iterator[None]:
    """Do something else for a number of minutes."""
    for _ in range(count):
        yield


def pausing(store: Store, user: str, device: str, file: str) -> Iterator[None]:
    """Watch ten minutes, go to the phone for twenty, and watch ten more."""
    id = store.playback.start_session(file, user_id=user, device_id=device).id
    for minute in range(1, 11):
        yield
        store.playback.heartbeat(id, minute * MINUTE_S)
    for _ in range(20):
        yield
        store.playback.heartbeat(id, 600, state="paused")
    store.playback.heartbeat(id, 600, state="playing")
    for minute in range(11, 21):
        yield
        store.playback.heartbeat(id, minute * MINUTE_S)
    store.playback.stop_session(id)


def live(store: Store, clock: Clock, *people: list[Iterator[None]]) -> None:
    """Let everybody do what they do, a minute at a time, each in a thread of their own."""
    plans = [iter_all(person) for person in people]
    at_it = list(range(len(plans)))
    while at_it:
        ended = in_threads(len(at_it), lambda n: next(plans[at_it[n]], "ended"))
        at_it = [number for number, end in zip(at_it, ended) if end != "ended"]
        store.playback.tidy(clock.advance(MINUTE_S))


def iter_all(plan: list[Iterator[None]]) -> Iterator[None]:
    for part in plan:
        yield from part


def history(store: Store, user: str) -> list[tuple[Any, ...]]:
    """Return the plays of a user, the earliest first, page by page."""
    rows: list[Any] = []
    after = None
    while True:
        page = store.playback.history(user, limit=2, after=after)
        rows += page.items
        if page.next is None:
            return [
                (row.title, row.device_id, row.duration_watched, row.completed)
                for row in reversed(rows)
            ]
        after = page.next


def test_three_people_watch_on_two_devices(store: Store, clock: Clock, tmp_path: Path) -> None:
    film, episodes = shelve(store, tmp_path)
    live(
        store,
        clock,
        # Ann watches the film on the television, with a break in which Cy has it.
        [
            viewing(store, "ann", "tv", film, 0, 1800),
            waiting(45),
            viewing(store, "ann", "tv", film, 1800, 3300),
        ],
        # Bob watches two episodes on the tablet, falls asleep in the second, and is interrupted.
        [
            viewing(store, "bob", "tablet", episodes[0], 0, HALF_AN_HOUR_S),
            viewing(store, "bob", "tablet", episodes[1], 0, 600),
        ],
        # Cy begins the film on the tablet, pauses, and goes on with it on the television.
        [
            pausing(store, "cy", "tablet", film),
            waiting(2),
            viewing(store, "cy", "tv", film, 1200, 1500),
        ],
    )
    assert store.playback.active_sessions() == []
    alien, dark = "Alien (1979)", "Dark S01E0"
    assert history(store, "ann") == [(alien, "tv", 1800, False), (alien, "tv", 1500, True)]
    assert history(store, "bob") == [
        (f"{dark}1", "tablet", 1800, True),
        (f"{dark}2", "tablet", 600, False),
    ]
    assert history(store, "cy") == [(alien, "tablet", 1200, False), (alien, "tv", 300, False)]
    assert resume(store, "ann", film) == (3300, True, 1)
    assert resume(store, "cy", film) == (1500, False, 0)
    assert store.playback.progress("bob", episodes[1]).resume_position == 600
    # Whoever goes to bed in between finds an evening's worth of steps back, not hundreds.
    assert max(len(row.previous) for row in progress_rows(store)) <= 3


def test_the_same_user_on_both_devices_goes_on_where_the_other_stopped(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    film, _ = shelve(store, tmp_path)
    for number, device in enumerate(("tv", "tablet", "tv", "tablet")):
        at = store.playback.progress("ann", film).resume_position
        assert at == number * 840
        live(store, clock, [viewing(store, "ann", device, film, at, at + 840)])
    assert resume(store, "ann", film) == (3360, True, 1)
    assert [play[2:] for play in history(store, "ann")] == [(840, False)] * 3 + [(840, True)]


def test_a_server_that_is_killed_in_the_middle_of_the_evening_loses_nobodys_place(
    store_config: Any, clock: Clock, tmp_path: Path
) -> None:
    with Store.open(store_config, clock=clock) as store:
        film, episodes = shelve(store, tmp_path)
    files = {"ann": film, "bob": episodes[0], "cy": film}
    began = clock()
    with other_server(store_config, began) as server:
        begun = {
            user: server("start_session", file, user_id=user, device_id="tv")["id"]
            for user, file in files.items()
        }
        for beat in range(1, 91):
            server("advance", 10)
            for user, id in begun.items():
                if user != "cy" or beat <= 60:  # Cy pauses after ten minutes
                    server("heartbeat", id, beat * 10.0)
                else:
                    server("heartbeat", id, 600.0, state="paused")
        server.kill()
    clock.advance(900 + 45)  # so long it takes to boot
    with Store.open(store_config, clock=clock) as store:
        assert {each.id for each in store.playback.active_sessions()} == set(begun.values())
        for user, id in begun.items():
            progress = store.playback.progress(user, files[user])
            assert progress.resume_position == sessions(store)[id].position
        # The players go on as if nothing had happened.
        for (_, id), end in zip(begun.items(), (HOUR_S, HALF_AN_HOUR_S, 1200)):
            at = sessions(store)[id].position
            store.playback.heartbeat(id, at, state="playing")
            watch(store, clock, id, at, end)
            store.playback.stop_session(id)
        assert [resume(store, user, file) for user, file in files.items()] == [
            (HOUR_S, True, 1),
            (HALF_AN_HOUR_S, True, 1),
            (1200, False, 0),
        ]
        for user, title, watched in (
            ("ann", "Alien (1979)", (3600, True)),
            ("bob", "Dark S01E01", (1800, True)),
            ("cy", "Alien (1979)", (1200, False)),
        ):
            assert history(store, user) == [(title, "tv", *watched)]


def test_two_servers_share_an_evening_and_one_of_them_dies(
    store_config: Any, clock: Clock, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(store_config, clock=clock))
        film, episodes = shelve(store, tmp_path)
        server = stack.enter_context(other_server(store_config, clock()))
        theirs = server("start_session", film, user_id="ann", device_id="tv")["id"]
        ours = store.playback.start_session(episodes[0], user_id="bob", device_id="tablet").id
        for beat in range(1, 61):
            server("advance", 10)
            clock.advance(10)
            server("heartbeat", theirs, beat * 10.0)
            store.playback.heartbeat(ours, beat * 10.0)
            if beat % 6 == 0:
                server("tidy")
                store.playback.tidy(clock())
        assert {s.id for s in store.playback.active_sessions()} == {theirs, ours}
        server.kill()
        store.playback.heartbeat(ours, 601.0, state="paused")
        store.playback.tidy(clock.advance(300))
        assert [s.id for s in store.playback.active_sessions()] == [ours]
        assert history(store, "ann") == [("Alien (1979)", "tv", 600, False)]
        live(store, clock, [viewing(store, "ann", "tv", film, 600, 780)])
        store.playback.heartbeat(ours, 605.0)
        assert resume(store, "ann", film)[0] == 780
        assert resume(store, "bob", episodes[0])[0] == 605
