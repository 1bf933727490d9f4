"""Watch state outlives the file: it follows what people watch, wherever and however it lies."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.libraries import FOUR, clip, ids, seed_movies
from tests.support.media import write_audio
from tests.support.playing import add_files, plays, progress_rows, resume, sessions
from viewra_lite import Store
from viewra_lite.errors import ConflictError
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.media.probing.workers.pool import ProbePool
from viewra_lite.media.scanning import scan

ALIEN = FOUR[0]


@pytest.fixture(autouse=True)
def probing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe in this process: starting others takes the most time."""
    monkeypatch.setattr(scan, "ProbePool", lambda workers, timeout_s: ProbePool(0, timeout_s))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four movies."""
    seed_movies(tmp_path / "movies", *FOUR)
    return tmp_path / "movies"


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    """The library of that folder, scanned."""
    library = store.media.add_library("Movies", folder, "movie")
    store.media.scan(library.id)
    return library


def scan_again(store: Store, library: MediaLibrary, clock: Clock) -> dict[str, str]:
    clock.advance(60)
    store.media.scan(library.id)
    return ids(store, library.id)


def watch_all(store: Store, file_id: str, user: str = "ann") -> None:
    """Watch to the end, and begin again: the clips last 0.2 seconds."""
    store.playback.set_progress(user, file_id, 0.2)
    store.playback.set_progress(user, file_id, 0.02)


WATCHED = (0.02, True, 2)


def begun_again(store: Store, file_id: str) -> None:
    """See that who has watched it and begun again is still there."""
    position, completed, count = resume(store, "ann", file_id)
    assert (position, completed) == (0.02, True) and count >= 1


@pytest.mark.parametrize("name", ["Alien (1979) [1080p].mkv", "A/Alien (1979).mkv", "Aliens.mkv"])
def test_it_follows_a_rename_and_a_move(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock, name: str
) -> None:
    id = ids(store, library.id)[ALIEN]
    watch_all(store, id)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / ALIEN).rename(folder / name)
    after = scan_again(store, library, clock)
    assert after[name] == id
    begun_again(store, after[name])


def test_it_follows_a_move_to_another_library(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Clock
) -> None:
    watch_all(store, ids(store, library.id)[ALIEN])
    clip(tmp_path / "more/Zardoz (1974).mkv", seed=99)
    more = store.media.add_library("More", tmp_path / "more", "movie")
    (folder / ALIEN).rename(tmp_path / "more" / ALIEN)
    begun_again(store, scan_again(store, more, clock)[ALIEN])
    scan_again(store, library, clock)
    begun_again(store, ids(store, more.id)[ALIEN])


def test_it_follows_a_replacement_in_place_and_under_another_name(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    watch_all(store, ids(store, library.id)[ALIEN])
    clip(folder / ALIEN, seed=60, width=128)
    begun_again(store, scan_again(store, library, clock)[ALIEN])
    (folder / ALIEN).unlink()
    clip(folder / "Alien.1979.1080p.mkv", seed=61, width=160)
    begun_again(store, scan_again(store, library, clock)["Alien.1979.1080p.mkv"])


def test_it_outlives_a_better_version_that_lay_beside_the_old_one_for_a_scan(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    old = ids(store, library.id)[ALIEN]
    watch_all(store, old)
    clip(folder / "Alien.1979.1080p.mkv", seed=61, width=160)
    better = scan_again(store, library, clock)["Alien.1979.1080p.mkv"]
    assert better != old
    begun_again(store, better)
    (folder / ALIEN).unlink()
    assert scan_again(store, library, clock)["Alien.1979.1080p.mkv"] == better
    begun_again(store, better)
    clock.advance(90 * 86_400)
    store.media.tidy(clock())  # forgets what has been missing for so long
    begun_again(store, better)
    begun_again(store, old)
    store.playback.set_progress("ann", better, 0.03)
    assert resume(store, "ann", old)[0] == resume(store, "ann", better)[0] == 0.03


def test_two_versions_show_the_same_whichever_is_watched(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    small, large = add_files(
        store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979"
    )
    (elsewhere,) = add_files(store, tmp_path / "more", "c.mkv", identity="movie:alien:1979")
    (other,) = add_files(store, tmp_path / "other", "d.mkv", identity="movie:brazil:1985")
    versions = (small, large, elsewhere)
    steps: list[tuple[Any, tuple[float, bool, int]]] = [
        (lambda: store.playback.set_progress("ann", small, 1000), (1000, False, 0)),
        (lambda: store.playback.set_progress("ann", large, 500), (500, False, 0)),
        (lambda: store.playback.set_progress("ann", elsewhere, 3600), (3600, True, 1)),
        (lambda: store.playback.set_progress("ann", small, 100), (100, True, 1)),
        (lambda: store.playback.set_progress("ann", large, 3600), (3600, True, 1)),
        (lambda: store.playback.set_progress("ann", small, 10, completed=False), (10, False, 1)),
        (lambda: store.playback.undo_progress("ann", elsewhere), (3600, True, 1)),
        (lambda: store.playback.undo_progress("ann", small), (100, True, 1)),
        (lambda: store.playback.undo_progress("ann", large), (3600, True, 1)),
        (lambda: store.playback.undo_progress("ann", large), (500, False, 0)),
    ]
    for number, (act, expected) in enumerate(steps):
        if number % 3:
            clock.advance(1)  # and sometimes two happen at one moment
        returned = act()
        assert (returned.position, returned.completed, returned.play_count) == expected
        told = store.playback.progress_of("ann", versions)
        for id in versions:
            assert resume(store, "ann", id) == expected, number
            assert told[id].position == expected[0] and told[id].media_file_id == id
    assert resume(store, "ann", other) == (0, False, 0)


def test_versions_agree_when_the_clock_goes_back(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    both = add_files(store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979")
    for number in range(1, 7):
        store.playback.set_progress("ann", both[number % 2], number * 100)
        assert [resume(store, "ann", id)[0] for id in both] == [number * 100] * 2
        clock.advance(-3600)


def test_an_older_report_of_one_version_does_not_move_another(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    both = add_files(store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979")
    store.playback.set_progress("ann", both[0], 1000)
    before = clock()
    clock.advance(60)
    store.playback.set_progress("ann", both[1], 2000)
    assert store.playback.set_progress("ann", both[0], 5, client_time=before).position == 2000


def test_marks_hold_for_every_version(store: Store, tmp_path: Path, clock: Clock) -> None:
    both = add_files(store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979")
    store.playback.mark_watched("ann", both[0])
    assert [resume(store, "ann", id) for id in both] == [(0, True, 0)] * 2
    store.playback.mark_unwatched("ann", both[1])
    assert [resume(store, "ann", id) for id in both] == [(0, False, 0)] * 2


def test_a_removed_version_and_one_that_is_there_decide_together(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    (gone,) = add_files(store, tmp_path / "a", "a.mkv", identity="movie:alien:1979")
    library = store.media.libraries()[0].id
    (here,) = add_files(store, tmp_path / "b", "b.mkv", identity="movie:alien:1979")
    session = store.playback.start_session(gone, user_id="ann").id
    store.playback.set_progress("ann", here, 3600)
    store.media.remove_library(library)
    clock.advance(60)
    for act in (
        lambda: store.playback.set_progress("ann", gone, 100),
        lambda: store.playback.heartbeat(session, 200),
        lambda: store.playback.set_progress("ann", gone, 300, completed=False),
        lambda: store.playback.undo_progress("ann", gone),
        lambda: store.playback.set_progress("ann", here, 3000),
    ):
        act()
        assert resume(store, "ann", gone) == resume(store, "ann", here)
    assert resume(store, "ann", here) == (3000, True, 1)
    before = store.playback.progress("ann", here).reported_at
    clock.advance(60)
    store.playback.set_progress("ann", here, 3100)
    late = store.playback.set_progress("ann", gone, 5, client_time=before)
    assert late.position == resume(store, "ann", gone)[0] == 3100


def test_it_comes_back_with_a_library_that_was_removed_and_added_again(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    before = ids(store, library.id)
    watch_all(store, before[ALIEN])
    store.playback.set_progress("bob", before[FOUR[1]], 0.1)
    store.media.remove_library(library.id)
    begun_again(store, before[ALIEN])
    again = store.media.add_library("Again", folder, "movie")
    after = scan_again(store, again, clock)
    assert after == before
    begun_again(store, after[ALIEN])
    assert resume(store, "bob", after[FOUR[1]])[0] == 0.1


def test_what_was_watched_between_adding_and_finding_out_is_not_lost(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    old = ids(store, library.id)[ALIEN]
    watch_all(store, old)
    (folder / ALIEN).rename(folder / "Xenomorph.mkv")
    clock.advance(60)

    # The walk has seen a new file, and probing has not yet told that it is a known one.
    during: dict[str, Any] = {}

    def watch_meanwhile(phase: str, done: int, total: int) -> None:
        if phase == "probe" and not during:
            new = store.media.find_file(library.id, folder / "Xenomorph.mkv")
            assert new is not None and new.id != old
            session = store.playback.start_session(new.id, user_id="ann", device_id="tv")
            clock.advance(10)
            store.playback.heartbeat(session.id, 0.04)
            ended = store.playback.start_session(new.id, user_id="bob")
            clock.advance(10)
            store.playback.heartbeat(ended.id, 0.1, state="completed")
            during.update(new=new.id, session=session.id, ended=ended.id)

    store.media.scan(library.id, progress=watch_meanwhile)
    assert during and ids(store, library.id)["Xenomorph.mkv"] == old
    assert resume(store, "ann", old)[:2] == (0.04, True)
    assert resume(store, "bob", old)[0] == 0.1
    assert progress_rows(store, media_file_id=during["new"]) == []
    assert {s.media_file_id for s in sessions(store).values()} == {old}
    assert plays(store)[during["ended"]].media_file_id == old
    clock.advance(10)
    store.playback.heartbeat(during["session"], 0.05, state="completed")
    assert resume(store, "ann", old)[0] == 0.05
    assert plays(store)[during["session"]].media_file_id == old


def test_a_session_whose_library_is_removed_goes_on_and_ends_in_a_readable_history(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    id = ids(store, library.id)[ALIEN]
    session = store.playback.start_session(id, user_id="ann").id
    store.media.remove_library(library.id)
    clock.advance(10)
    assert store.playback.heartbeat(session, 0.1).position == 0.1
    store.playback.stop_session(session)
    play = plays(store)[session]
    assert (play.title, play.top_title, play.kind) == (*["Alien (1979)"] * 2, "movie")
    assert play.media_file_id == id
    again = store.media.add_library("Again", folder, "movie")
    assert resume(store, "ann", scan_again(store, again, clock)[ALIEN])[0] == 0.1


def test_an_episode_and_a_track_are_called_by_their_names(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    clip(tmp_path / "tv/Lost/Lost S01E02-E03.mkv", seed=1)
    write_audio(
        tmp_path / "music/01 Aria.mp3",
        seconds=0.2,
        title="Aria",
        artist="Gould",
        album="Goldberg",
        track=1,
    )
    titles = []
    for kind in ("tv", "music"):
        library = store.media.add_library(kind, tmp_path / kind, kind)
        ((_, id),) = scan_again(store, library, clock).items()
        session = store.playback.start_session(id, user_id="ann")
        titles.append((session.kind, session.title, session.top_title))
        store.playback.set_progress("ann", id, 0.1)
    assert titles == [
        ("episode", "Lost S01E02-E03", "Lost"),
        ("track", "Gould - Aria", "Gould - Aria"),
    ]


def test_a_name_that_is_no_text_gives_a_title_that_is(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    clip(tmp_path / "music" / "caf\udce9.mkv", seed=1)
    shutil.move(tmp_path / "music", tmp_path / "other")
    library = store.media.add_library("other", tmp_path / "other", "movie")
    ((_, id),) = scan_again(store, library, clock).items()
    session = store.playback.start_session(id, user_id="ann")
    assert session.title is not None and session.title.encode()
    store.playback.heartbeat(session.id, 0.1, state="completed")
    assert plays(store)[session.id].title == session.title


def test_two_contents_that_change_places_take_their_watch_state_along(
    store: Store, library: MediaLibrary, folder: Path, clock: Clock
) -> None:
    before = ids(store, library.id)
    store.playback.set_progress("ann", before[FOUR[0]], 0.05)
    store.playback.set_progress("ann", before[FOUR[1]], 0.1)
    (folder / FOUR[0]).rename(folder / "between")
    (folder / FOUR[1]).rename(folder / FOUR[0])
    (folder / "between").rename(folder / FOUR[1])
    for name in FOUR[:2]:
        (folder / name).touch()
    after = scan_again(store, library, clock)
    assert resume(store, "ann", after[FOUR[1]])[0] == 0.05
    assert resume(store, "ann", after[FOUR[0]])[0] == 0.1


def test_undo_reaches_back_to_what_another_version_left(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    first, second = add_files(
        store, tmp_path / "films", "a.mkv", "b.mkv", identity="movie:alien:1979"
    )
    store.playback.set_progress("ann", first, 3000)
    clock.advance(1)
    store.playback.set_progress("ann", second, 10)
    assert store.playback.undo_progress("ann", second).position == 3000
    assert resume(store, "ann", first)[0] == 3000
    store.playback.undo_progress("ann", first)
    with pytest.raises(ConflictError):
        store.playback.undo_progress("ann", second)


def test_a_file_without_an_identity_is_a_version_of_nothing(store: Store, tmp_path: Path) -> None:
    one, other = add_files(store, tmp_path / "films", "a.mkv", "b.mkv")
    with store.writer():
        MediaFile.update(identity="").where(MediaFile.id == one).execute()
    (third,) = add_files(store, tmp_path / "more", "c.mkv")
    store.playback.set_progress("ann", one, 1000)
    assert [resume(store, "ann", id)[0] for id in (other, third)] == [0, 0]
