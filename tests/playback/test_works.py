"""Watch state hangs on what a file is, not on what it is called."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from tests.support.playing import add_files, progress_rows, resume
from tests.support.shelves import HOUR_S, Shelf, Viewer, episode_name, file_id
from viewra_lite import Store
from viewra_lite.media.models import Episode, MediaFile, TVShow, Work, WorkFile

pytestmark = pytest.mark.usefixtures("probing_here")

DAY_S = 86_400


def seen(viewer: Viewer, *media: Any) -> list[bool]:
    """Return which of these a viewer has watched to the end."""
    progress = viewer.playback.progress
    return [progress(viewer.user, file_id(each)).completed for each in media]


def purge(store: Store, clock: Any) -> None:
    """Forget what has been missing for longer than it is kept."""
    clock.advance(60 * DAY_S)
    store.media.tidy(clock())


@pytest.mark.parametrize("purged", [False, True])
def test_files_of_one_row_share_its_state_whatever_they_are_called(
    store: Store, tv: Shelf, ann: Viewer, clock: Any, purged: bool
) -> None:
    dark = tv.show("Dark", (1, 1), (1, 2), (1, 3))
    ann.watch(dark[1, 1], dark[1, 2])
    show = dark[1, 1].show_id
    tv.take(*(episode_name("Dark", 1, number) for number in (1, 2, 3)))
    if purged:
        purge(store, clock)
    new = tv.put("a.mkv", "b.mkv", "c.mkv", identity=None)
    for number, file in enumerate(new, 1):
        tv.episode(show, 1, number, file)
    assert seen(ann, *new) == [True, True, False]
    assert ann.next() == ["Dark S01E03"]


@pytest.mark.parametrize("purged", [False, True])
def test_a_double_episode_counts_as_both_and_both_count_as_it(
    store: Store, tv: Shelf, ann: Viewer, clock: Any, purged: bool
) -> None:
    names = episode_name("Dark", 1, 1, 2), episode_name("Lost", 1, 1), episode_name("Lost", 1, 2)
    double, *singles = tv.put(*names)
    ann.watch(double, *singles)
    tv.take(*names)
    if purged:
        purge(store, clock)
    one, two, both = tv.put(
        episode_name("Dark", 1, 1), episode_name("Dark", 1, 2), episode_name("Lost", 1, 1, 2)
    )
    assert seen(ann, one, two, both) == [True, True, True]
    assert [resume(store, "ann", file.id)[2] for file in (one, two, both)] == [1, 1, 1]


def test_a_double_episode_is_watched_once_both_are(tv: Shelf, ann: Viewer) -> None:
    one, two, both = tv.put(
        episode_name("Dark", 1, 1), episode_name("Dark", 1, 2), episode_name("Dark", 1, 1, 2)
    )
    ann.watch(one)
    assert seen(ann, one, two, both) == [True, False, False]
    ann.watch(two)
    assert seen(ann, one, two, both) == [True, True, True]


def test_a_position_in_a_double_episode_is_none_in_its_episodes(
    store: Store, tv: Shelf, ann: Viewer
) -> None:
    both, one = tv.put(episode_name("Dark", 1, 1, 2), episode_name("Dark", 1, 1))
    ann.at(both, 3000.0)
    assert resume(store, "ann", one.id)[0] == 0.0
    ann.at(one, 500.0)
    assert resume(store, "ann", both.id)[0] == 3000.0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_unmarking_an_episode_of_a_double_leaves_the_other_watched(
    store: Store, tv: Shelf, ann: Viewer, order: tuple[int, ...]
) -> None:
    both, one, two = tv.put(
        *((episode_name("Dark", 1, 1, 2), episode_name("Dark", 1, 1), episode_name("Dark", 1, 2)))
    )
    for n in order:
        ann.watch((both, one, two)[n])
    store.playback.mark_unwatched("ann", one.id)
    assert seen(ann, one, two, both) == [False, True, False]
    store.playback.mark_watched("ann", one.id)
    assert seen(ann, one, two, both) == [True, True, True]
    store.playback.mark_unwatched("ann", both.id)
    assert seen(ann, one, two, both) == [False, False, False]


def test_a_movie_and_its_parts_count_for_each_other(movies: Shelf, ann: Viewer) -> None:
    whole, first, second = movies.put("a.mkv", "b.mkv", "c.mkv", identity="movie:heat:1995")
    movies.put("b.mkv", identity="movie:heat:1995:part1")
    movies.put("c.mkv", identity="movie:heat:1995:part2")
    ann.watch(first)
    assert seen(ann, whole, first, second) == [False, True, False]
    ann.watch(second)
    assert seen(ann, whole, first, second) == [True, True, True]
    ann.playback.mark_unwatched("ann", whole.id)
    assert seen(ann, whole, first, second) == [False, False, False]
    ann.watch(whole)
    assert seen(ann, whole, first, second) == [True, True, True]


def test_next_up_remembers_episodes_that_were_watched_deleted_and_forgotten(
    store: Store, tv: Shelf, ann: Viewer, clock: Any
) -> None:
    numbers = [(1, number) for number in range(1, 9)]
    dark = tv.show("Dark", *numbers)
    ann.watch(*(dark[number] for number in numbers[:3]))
    tv.take(*(episode_name("Dark", *number) for number in numbers[:3]))
    assert ann.next() == ["Dark S01E04"]
    purge(store, clock)
    with store.writer():  # as a scan does with rows that have lost their last file
        Episode.delete().where(Episode.media_file.is_null()).execute()
    assert ann.next() == ["Dark S01E04"]
    ann.watch(dark[1, 4])
    assert ann.next() == ["Dark S01E05"]


def test_next_up_remembers_after_a_scan_and_the_chores(
    store: Store, tmp_path: Path, ann: Viewer, clock: Any
) -> None:
    folder = tmp_path / "tv/Dark/Season 1"
    for number in range(1, 6):
        clip(folder / f"Dark S01E0{number}.mkv", seed=number)
    library = store.media.add_library("TV", tmp_path / "tv", "tv")
    store.media.scan(library.id)
    files = {file.filename: file for file in store.media.files(library.id).items}
    for number in (1, 2, 3):
        store.playback.mark_watched("ann", files[f"Dark S01E0{number}.mkv"].id)
        clock.advance(60)
        (folder / f"Dark S01E0{number}.mkv").unlink()
    for _ in range(2):
        store.media.scan(library.id, accept_missing=True)
        assert ann.next() == ["Dark S01E04"]
        purge(store, clock)
    with store.reader():
        assert Episode.select().count() == 2
    assert ann.next() == ["Dark S01E04"]


def test_a_show_in_two_libraries_is_marked_and_followed_in_both(
    store: Store, tv: Shelf, tmp_path: Path, ann: Viewer
) -> None:
    other = Shelf(store, tmp_path / "more")
    here = tv.show("Dark", (1, 1), (1, 2))
    there = other.show("Dark", (1, 2), (1, 3))
    store.playback.mark_watched("ann", show_id=here[1, 1].show_id)
    assert seen(ann, *here.values(), *there.values()) == [True] * 4
    store.playback.mark_unwatched("ann", season_id=there[1, 2].season_id)
    assert seen(ann, *here.values(), *there.values()) == [False] * 4


def test_another_episode_number_takes_the_files_along(store: Store, tv: Shelf, ann: Viewer) -> None:
    dark = tv.show("Dark", (1, 1), (1, 2))
    ann.watch(dark[1, 1])
    moved = store.media.save_episode(
        dark[1, 1].show_id, season_number=1, episode_number=5, id=dark[1, 1].id
    )
    assert seen(ann, moved, dark[1, 2]) == [True, False]
    again = tv.put("again.mkv", identity=None)[0]
    assert not seen(ann, tv.episode(dark[1, 2].show_id, 1, 1, again))[0]


def test_what_another_user_and_another_work_have_is_not_shared(
    store: Store, tmp_path: Path, ann: Viewer
) -> None:
    ids = add_files(store, tmp_path / "films", "a.mkv", "b.mkv")
    store.playback.mark_watched("ann", ids[0])
    assert resume(store, "ann", ids[1]) == (0, False, 0)
    assert resume(store, "bob", ids[0]) == (0, False, 0)
    assert len(progress_rows(store)) == 1


def test_the_best_version_is_the_same_for_the_movie_and_for_the_lists(
    store: Store, movies: Shelf, ann: Viewer
) -> None:
    a, b, c = movies.put("a.mkv", "b.mkv", "c.mkv", identity="movie:dune:2021", size=1000)
    movie = movies.movie("Dune", 2021, a)
    ann.at(a, HOUR_S / 2)
    movies.take("a.mkv")
    best = store.media.movie(movie.id).media_file
    (item,) = store.playback.continue_watching("ann")
    assert best is not None and item.media_file.filename == best.filename == "b.mkv"
    assert {b.id, c.id} < {file.id for file in store.media.movie(movie.id).files}


def test_a_work_is_never_left_without_what_points_at_it(
    store: Store, tv: Shelf, movies: Shelf, ann: Viewer
) -> None:
    tv.show("Dark", (1, 1), (1, 2))
    movies.put("a.mkv", identity="movie:dune:2021")
    store.media.remove_library(tv.library.id)
    with store.reader():
        works = {row.id for row in Work.select()}
        assert {row.work_id for row in WorkFile.select()} <= works
        assert TVShow.select().count() == 0 and MediaFile.select().count() == 1


def test_a_file_of_two_seasons_counts_as_both_and_both_count_as_it(
    store: Store, tv: Shelf, ann: Viewer
) -> None:
    last, first, both = tv.put(
        episode_name("Dark", 1, 10), episode_name("Dark", 2, 1), "episode:dark::s01e10+s02e01.mkv"
    )
    ann.watch(last)
    assert seen(ann, last, first, both) == [True, False, False]
    ann.watch(first)
    assert seen(ann, last, first, both) == [True, True, True]
    store.playback.mark_unwatched("ann", both.id)
    assert seen(ann, last, first, both) == [False, False, False]
    ann.watch(both)
    assert seen(ann, last, first, both) == [True, True, True]


def test_the_title_of_a_file_of_two_seasons_names_both(
    store: Store, tv: Shelf, ann: Viewer
) -> None:
    dark = tv.show("Dark", (1, 9), (1, 10), (2, 2))
    (both,) = tv.put("episode:dark::s01e10+s02e01.mkv")
    tv.episode(dark[1, 9].show_id, 1, 10, both)
    tv.episode(dark[1, 9].show_id, 2, 1, both)
    ann.watch(dark[1, 9])
    assert ann.next() == ["Dark S01E10-S02E01"]
    ann.watch(both)
    assert ann.next() == ["Dark S02E02"]
