"""A header that says too short a running time is believed by nobody once it is disproved."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.libraries import clip
from tests.support.playing import add_files, resume
from viewra_lite import FileFacts, Store

pytestmark = pytest.mark.usefixtures("probing_here")

Play = Callable[[Store, Clock, str, str, int], None]


def by_session(store: Store, clock: Clock, user_id: str, file_id: str, until: int) -> None:
    """Play from the start in one sitting."""
    id = store.playback.start_session(file_id, user_id=user_id).id
    for position in range(10, until + 1, 10):
        clock.advance(10)
        store.playback.heartbeat(id, position)
    store.playback.stop_session(id)


def by_reports(store: Store, clock: Clock, user_id: str, file_id: str, until: int) -> None:
    """Play from the start, without a session."""
    for position in range(0, until + 1, 10):
        store.playback.set_progress(user_id, file_id, position)
        clock.advance(10)


PLAYS = pytest.mark.parametrize("play", [by_session, by_reports])


@pytest.fixture
def recording(store: Store, tmp_path: Path) -> str:
    """A recording of an hour whose header says 600 seconds."""
    return add_files(store, tmp_path / "live", "Live.mkv", duration=600, fingerprint="f")[0]


def tell(store: Store, file_id: str, **facts: object) -> None:
    """Walk over the library of a recording, again."""
    file = store.media.file(file_id)
    with store.media.reconcile(file.library_id) as files:
        files.add(FileFacts(file.path, **{"size": 1000, "modified_ns": 1, **facts}))


@PLAYS
def test_a_disproved_running_time_marks_nothing_as_watched_for_the_next_user_or_sitting(
    store: Store, clock: Clock, recording: str, play: Play
) -> None:
    store.playback.set_progress("eve", recording, 300)
    waiting = store.playback.start_session(recording, user_id="kim").id
    store.playback.heartbeat(waiting, 500)
    play(store, clock, "ann", recording, 800)
    assert store.media.file(recording).duration is None
    for user in ("ann", "bob", "eve"):
        for sitting in (by_session, by_reports):
            sitting(store, clock, user, recording, 590)
            assert resume(store, user, recording) == (590, False, 0)
    clock.advance(90)
    assert store.playback.heartbeat(waiting, 590).duration is None
    store.playback.stop_session(waiting)
    assert resume(store, "kim", recording) == (590, False, 0)
    assert not any(play.completed for play in store.playback.history().items)


@PLAYS
def test_a_running_time_stays_disproved_until_the_content_changes(
    store: Store, clock: Clock, recording: str, play: Play
) -> None:
    play(store, clock, "ann", recording, 800)
    tell(store, recording, duration=600, fingerprint="f")
    assert store.media.file(recording).duration is None
    tell(store, recording, duration=600, fingerprint="f", width=1920)
    assert (store.media.file(recording).width, store.media.file(recording).duration) == (1920, None)
    tell(store, recording, duration=3600, fingerprint="f")
    assert store.media.file(recording).duration == 3600
    play(store, clock, "bob", recording, 4600)
    tell(store, recording, size=2000, duration=3600, fingerprint="g")
    assert store.media.file(recording).duration == 3600


def test_what_says_the_same_each_time_is_unchanged(
    store: Store, clock: Clock, recording: str
) -> None:
    by_session(store, clock, "ann", recording, 800)
    file = store.media.file(recording)
    with store.media.reconcile(file.library_id) as files:
        files.add(FileFacts(file.path, 1000, 1, duration=600, fingerprint="f"))
    assert (files.result.unchanged, files.result.updated) == (1, 0)


def test_a_running_time_that_a_player_says_disproves_nothing_of_the_file(
    store: Store, clock: Clock, recording: str
) -> None:
    id = store.playback.start_session(recording, user_id="ann", duration=300).id
    for position in range(10, 500, 10):
        clock.advance(10)
        store.playback.heartbeat(id, position)
    assert store.media.file(recording).duration == 600


@pytest.mark.parametrize("away", ["missing", "moved", "removed"])
def test_a_running_time_stays_disproved_when_its_file_comes_back(
    store: Store, tmp_path: Path, clock: Clock, away: str
) -> None:
    folder = tmp_path / "films"
    path = clip(folder / "Live (2020).mkv")
    clip(folder / "Alien (1979).mkv", seed=1)
    library = store.media.add_library("Films", folder, "movie")
    store.media.scan(library.id)
    file = store.media.find_file(library.id, path)
    assert file is not None and file.duration
    by_session(store, clock, "ann", file.id, 600)
    if away == "removed":
        store.media.remove_library(library.id)
        library = store.media.add_library("Films", folder, "movie")
    elif away == "moved":
        path = path.rename(folder / "Live again (2020).mkv")
    else:
        os.rename(path, tmp_path / "away.mkv")
        store.media.scan(library.id, accept_missing=True)
        os.rename(tmp_path / "away.mkv", path)
    store.media.scan(library.id)
    found = store.media.find_file(library.id, path)
    assert found is not None
    assert (found.id, found.duration, found.probe_state) == (file.id, None, "done")
    clip(path, seed=2)
    os.utime(path, ns=(5, 5))
    store.media.scan(library.id)
    assert store.media.file(found.id).duration
