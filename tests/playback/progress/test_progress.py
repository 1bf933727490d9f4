"""How far a user is: when a thing is watched, from where it is resumed, how often it was played."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.clock import Clock
from tests.support.playing import HOUR_S, add_files, progress_rows, resume, told, watch
from tests.support.threads import in_threads
from viewra_lite import Store
from viewra_lite.config.options import SqliteConfig
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.media.models import MediaFile
from viewra_lite.playback.progress.thresholds import Thresholds, checked_position


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def test_who_never_watched_is_at_the_start(store: Store, film: str) -> None:
    progress = store.playback.progress("ann", film)
    assert (progress.position, progress.resume_position, progress.completed) == (0.0, 0.0, False)
    assert (progress.play_count, progress.last_played_at) == (0, None)
    assert (progress.user_id, progress.media_file_id) == ("ann", film)
    assert progress_rows(store) == []


def test_each_user_has_a_position_of_their_own(store: Store, film: str) -> None:
    for number, user in enumerate(("ann", "bob", "Ann", "änn", "a" * 255)):
        store.playback.set_progress(user, film, 1000 + number)
    for number, user in enumerate(("ann", "bob", "Ann", "änn", "a" * 255)):
        assert store.playback.progress(user, film).position == 1000 + number


def test_progress_of_many_files_leaves_out_what_is_not_known(
    store: Store, film: str, tmp_path: Path
) -> None:
    more = add_files(store, tmp_path / "more", *(f"Film {n} (2001).mkv" for n in range(50)))
    for number, id in enumerate(more[:25]):
        store.playback.set_progress("ann", id, 600 + number)
    found = store.playback.progress_of("ann", [*more, film, "no-such", more[0]])
    assert set(found) == {*more, film}
    assert [found[id].resume_position for id in more[:25]] == [600.0 + n for n in range(25)]
    assert {found[id].position for id in (*more[25:], film)} == {0.0}
    assert store.playback.progress_of("ann", []) == {}
    with pytest.raises(InvalidValueError):
        store.playback.progress_of("ann", [film, 7])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("position", "completed", "resumed"),
    [
        (0, False, 0),
        (179.9, False, 0),
        (180, False, 180),
        (1800, False, 1800),
        (3239.9, False, 3239.9),
        (3240, True, 0),
        (3600, True, 0),
    ],
)
def test_an_hour_is_resumed_from_5_percent_and_watched_from_90(
    store: Store, film: str, position: float, completed: bool, resumed: float
) -> None:
    for progress in (
        store.playback.set_progress("ann", film, position),
        store.playback.progress("ann", film),
    ):
        assert (progress.position, progress.completed) == (position, completed)
        assert progress.resume_position == resumed
        assert progress.play_count == int(completed)


@pytest.mark.parametrize(
    ("duration", "position", "completed", "resumed"),
    [
        (299, 150, False, 0),
        (300, 150, False, 150),  # under 300 s there is no resume point
        (8, 6.9, False, 0),
        (8, 7.0, True, 0),  # within a second of the end
        (0.2, 0.0, False, 0),
        (0.2, 0.1, True, 0),
        (None, 150, False, 150),
    ],
)
def test_short_files_and_those_of_unknown_length(
    store: Store,
    tmp_path: Path,
    duration: float | None,
    position: float,
    completed: bool,
    resumed: float,
) -> None:
    (clip,) = add_files(store, tmp_path / "films", "Clip (2001).mkv", duration=duration)
    progress = store.playback.set_progress("ann", clip, position)
    assert (progress.completed, progress.resume_position) == (completed, resumed)


@pytest.mark.parametrize(
    "facts", [{"mime_type": "audio/flac"}, {"identity": "track:gould:goldberg:1:1"}]
)
def test_music_is_played_from_half_on_and_only_long_mixes_are_resumed(
    store: Store, tmp_path: Path, clock: Clock, facts: dict[str, str]
) -> None:
    (song,) = add_files(store, tmp_path / "a", "Song.flac", kind="music", duration=300, **facts)
    (mix,) = add_files(
        store, tmp_path / "b", "Mix.flac", kind="music", duration=1200, mime_type="audio/flac"
    )
    assert store.playback.set_progress("ann", song, 149).resume_position == 0
    assert not store.playback.progress("ann", song).completed
    assert store.playback.set_progress("ann", song, 150).completed
    assert store.playback.set_progress("ann", mix, 60).resume_position == 60
    assert store.playback.progress("ann", mix).resume_position == 60
    session = store.playback.start_session(song, user_id="bob")
    assert session.kind == "track"
    watch(store, clock, session.id, 0, 150)
    assert resume(store, "bob", song) == (150, True, 1)
    assert store.playback.stop_session(session.id).state == "completed"


@pytest.mark.usefixtures("driver")
def test_the_thresholds_can_be_configured(tmp_path: Path, clock: Clock) -> None:
    options = {
        "completed_at": 0.5,
        "resume_from": 0.2,
        "resume_min_duration_s": 50,
        "music_completed_at": 0.8,
        "music_resume_from": 0.1,
        "music_resume_min_duration_s": 0,
    }
    database = {"type": "sqlite", "database_path": str(tmp_path / "s.db"), **options}
    with Store.open({"database": database}, clock=clock) as store:
        (film,) = add_files(store, tmp_path / "v", "Film (2001).mkv", duration=100)
        (song,) = add_files(store, tmp_path / "a", "Song.mp3", kind="music", duration=100)
        for position, told_of_film, told_of_song in (
            (9, (False, 0), (False, 0)),
            (10, (False, 0), (False, 10)),
            (20, (False, 20), (False, 20)),
            (50, (True, 0), (False, 50)),
            (80, (True, 0), (True, 0)),
        ):
            for file, expected in ((film, told_of_film), (song, told_of_song)):
                now = store.playback.set_progress("ann", file, position)
                assert (now.completed, now.resume_position) == expected


def test_starting_again_never_takes_back_that_it_was_watched(
    store: Store, film: str, clock: Clock
) -> None:
    store.playback.set_progress("ann", film, HOUR_S)
    played = clock()
    clock.advance(86_400)
    session = store.playback.start_session(film, user_id="ann")
    assert resume(store, "ann", film) == (HOUR_S, True, 1)
    watch(store, clock, session.id, 0, 1800)
    progress = store.playback.progress("ann", film)
    assert (progress.completed, progress.play_count) == (True, 1)
    assert (progress.last_played_at, progress.resume_position) == (played, 1800)
    watch(store, clock, session.id, 1800, HOUR_S)
    progress = store.playback.progress("ann", film)
    assert (progress.completed, progress.play_count) == (True, 2)
    assert progress.last_played_at is not None and progress.last_played_at > played


def test_a_session_counts_once_however_often_one_goes_back(
    store: Store, film: str, clock: Clock
) -> None:
    session = store.playback.start_session(film, user_id="ann").id
    for _ in range(3):
        watch(store, clock, session, 3000, HOUR_S, step=60)
        store.playback.heartbeat(session, 10)
    store.playback.heartbeat(session, 3500, state="paused")
    store.playback.heartbeat(session, HOUR_S, state="completed")
    assert resume(store, "ann", film) == (HOUR_S, True, 1)


def test_the_credits_in_another_session_are_no_second_play(
    store: Store, film: str, clock: Clock
) -> None:
    first = store.playback.start_session(film, user_id="ann").id
    watch(store, clock, first, 3200, 3300)
    store.playback.stop_session(first)
    second = store.playback.start_session(film, user_id="ann", position=3300).id
    watch(store, clock, second, 3300, HOUR_S)
    store.playback.stop_session(second)
    assert resume(store, "ann", film) == (HOUR_S, True, 1)


def test_every_session_that_comes_to_the_end_is_a_play_however_it_says_so(
    store: Store, film: str, clock: Clock
) -> None:
    for number, state in enumerate(("completed", "stopped", "completed", "completed"), start=1):
        session = store.playback.start_session(film, user_id="ann").id
        watch(store, clock, session, 0, 100)
        last = HOUR_S if number != 4 else 3000  # the player knows better than 90 percent
        clock.advance(last)
        store.playback.heartbeat(session, last, state=state)
        assert resume(store, "ann", film) == (last, True, number)
        assert store.playback.progress("ann", film).last_played_at == clock()


def test_completed_is_decided_where_it_is_given(store: Store, film: str, clock: Clock) -> None:
    played = clock()
    for position in (10, 20, 1800):
        now = store.playback.set_progress("ann", film, position, completed=True)
        assert (now.completed, now.play_count, now.last_played_at) == (True, 1, played)
        clock.advance(60)
    now = store.playback.set_progress("ann", film, HOUR_S, completed=False)
    assert (now.completed, now.play_count) == (False, 1)
    assert resume(store, "ann", film) == (HOUR_S, False, 1)
    for value in (1, 0, "yes", "", [True]):
        with pytest.raises(InvalidValueError):
            store.playback.set_progress("ann", film, 5, completed=value)  # type: ignore[arg-type]


def test_what_was_said_to_be_unwatched_stays_so_while_the_credits_roll_on(
    store: Store, film: str, clock: Clock
) -> None:
    session = store.playback.start_session(film, user_id="ann").id
    watch(store, clock, session, 3000, 3400)
    store.playback.set_progress("ann", film, 0, completed=False)
    watch(store, clock, session, 3400, 3500)
    assert resume(store, "ann", film)[:2] == (3500, False)


def test_who_goes_back_after_an_unwanted_jump_to_the_end_can_still_watch_it_to_the_end(
    store: Store, film: str, clock: Clock
) -> None:
    session = store.playback.start_session(film, user_id="ann").id
    watch(store, clock, session, 0, 1000)
    clock.advance(1)
    store.playback.heartbeat(session, 3590)
    assert resume(store, "ann", film) == (3590, True, 1)
    store.playback.undo_progress("ann", film)
    assert resume(store, "ann", film) == (1000, False, 0)
    watch(store, clock, session, 1000, 3300)
    assert resume(store, "ann", film) == (3300, True, 1)
    store.playback.stop_session(session)
    assert resume(store, "ann", film) == (3300, True, 1)


def test_setting_progress_to_the_end_again_and_again_is_one_play(
    store: Store, film: str, clock: Clock
) -> None:
    for position in (3300, 3400, 3500, HOUR_S, HOUR_S):
        clock.advance(100)
        store.playback.set_progress("ann", film, position)
    assert resume(store, "ann", film) == (HOUR_S, True, 1)
    store.playback.set_progress("ann", film, 100)
    store.playback.set_progress("ann", film, HOUR_S)
    assert resume(store, "ann", film) == (HOUR_S, True, 1)  # so soon it cannot be another
    clock.advance(HOUR_S)
    store.playback.set_progress("ann", film, HOUR_S)
    assert resume(store, "ann", film) == (HOUR_S, True, 2)
    assert store.playback.stats().completed == len(store.playback.history("ann").items) == 2


def test_a_file_that_grew_longer_is_judged_by_the_length_of_the_report(
    store: Store, film: str
) -> None:
    session = store.playback.start_session(film, user_id="ann", duration=4000)
    store.playback.heartbeat(session.id, 3500)
    assert resume(store, "ann", film) == (3500, False, 0)
    assert store.playback.progress("ann", film).duration == 4000


def test_progress_of_a_removed_file_is_told_and_may_be_moved(store: Store, film: str) -> None:
    with store.writer():
        MediaFile.update(fingerprint="0" * 64).where(MediaFile.id == film).execute()
    store.playback.set_progress("ann", film, 1000)
    library = store.media.libraries()[0].id
    store.media.remove_library(library)
    assert resume(store, "ann", film)[0] == 1000
    assert store.playback.progress("bob", film).position == 0
    assert store.playback.set_progress("ann", film, 1100).position == 1100
    with pytest.raises(NotFoundError):
        store.playback.start_session(film, user_id="ann")


def test_progress_of_what_is_removed_is_still_told(store: Store, film: str) -> None:
    store.playback.set_progress("ann", film, 1000)
    store.media.remove_library(store.media.libraries()[0].id)
    assert resume(store, "ann", film)[0] == 1000
    assert resume(store, "bob", film)[0] == 0


def test_a_refused_report_changes_nothing(store: Store, film: str) -> None:
    store.playback.set_progress("ann", film, 1000)
    before = told(store)
    for position, options in (
        (5000, {}),
        (-1, {}),
        (1, {"completed": "yes"}),
        (1, {"client_time": 5}),
    ):
        with pytest.raises(InvalidValueError):
            store.playback.set_progress("ann", film, position, **options)
    assert told(store) == before


def test_plays_of_many_threads_are_counted_once_each(store: Store, film: str) -> None:
    def play(number: int) -> None:
        session = store.playback.start_session(film, user_id="ann").id
        store.playback.heartbeat(session, 100)
        store.playback.stop_session(session, position=3000 if number % 2 else 3400)

    in_threads(8, play)
    position, completed, count = resume(store, "ann", film)
    assert position in (3000, 3400) and completed
    # Two that stand at the end one after the other are one play: the second came back to credits.
    assert 1 <= count <= 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(0.01, 1e6),
    st.floats(0, 1.2),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 10_000),
)
def test_a_resume_point_is_a_position_before_the_end_or_none(
    duration: float, share: float, end: float, begin: float, shortest: int
) -> None:
    limits = Thresholds(end, begin, shortest)
    position = duration * share
    try:
        checked = checked_position(position, duration)
    except InvalidValueError:
        assert position >= duration + 1
        return
    resumed = limits.resume_position(checked, duration)
    assert 0 <= checked <= duration and resumed in (0.0, checked)
    if resumed:
        assert not limits.is_at_end(checked, duration)
        assert duration >= shortest and checked >= duration * begin


def test_the_defaults_are_those_of_the_issue() -> None:
    config: Any = SqliteConfig()
    assert Thresholds.of(config, is_music=False) == Thresholds(0.9, 0.05, 300)
    assert Thresholds.of(config, is_music=True) == Thresholds(0.5, 0.05, 1200)
    assert (config.session_timeout_s, config.paused_timeout_s) == (300, 1800)
