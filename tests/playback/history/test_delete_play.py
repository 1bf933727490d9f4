"""delete_play(): a play goes with its session and its count; where the user is stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.playing import HOUR_S, add_files, sessions
from viewra_lite import Store
from viewra_lite.errors import ConflictError, NotFoundError


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def watched(store: Store, clock: Clock, film: str) -> str:
    """Watch a film to its end; return the id of the play."""
    session = store.playback.start_session(film, user_id="ann")
    clock.advance(HOUR_S)
    store.playback.stop_session(session.id, position=HOUR_S - 5)
    clock.advance(HOUR_S)
    return session.id


@pytest.mark.parametrize("archived", [False, True])
def test_a_deleted_play_takes_its_session_and_its_count_along(
    store: Store, clock: Clock, film: str, archived: bool
) -> None:
    first, second = watched(store, clock, film), watched(store, clock, film)
    assert store.playback.progress("ann", film).play_count == 2
    if archived:
        store.playback.archive_history(older_than=clock() + timedelta(seconds=1))

    store.playback.delete_play(first)

    assert [play.id for play in store.playback.history("ann", archived=True).items] == [second]
    assert first not in sessions(store)
    state = store.playback.progress("ann", film)
    assert (state.play_count, state.completed) == (1, True)
    assert store.playback.stats().completed == 1
    with pytest.raises(NotFoundError, match="play"):
        store.playback.delete_play(first)


def test_the_play_of_an_open_session_is_not_deleted(store: Store, clock: Clock, film: str) -> None:
    session = store.playback.start_session(film, user_id="ann")
    clock.advance(60)
    store.playback.heartbeat(session.id, 60.0)

    with pytest.raises(ConflictError, match="is open: end it"):
        store.playback.delete_play(session.id)
    assert store.playback.session(session.id).position == 60.0
