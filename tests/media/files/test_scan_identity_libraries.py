"""Ids outlive whole libraries: removed and added, renamed, renumbered, and moved elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import (
    FOUR,
    clip,
    counts,
    every_file,
    ids,
    progress_by_path,
    seed_movies,
    watched,
)
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")


def test_a_library_removed_and_added_again_gets_every_id_and_all_progress_back(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR, "Alien (1979) - Director's Cut.mkv", "Copy/Dune (1984).mkv")
    shutil.copy2(folder / FOUR[3], folder / "Copy" / FOUR[3])
    store.media.scan(library.id)
    before = ids(store, library.id)
    for id in before.values():
        watched(store, id)
    store.media.remove_library(library.id)
    assert store.media.libraries() == [] and progress_by_path(store) == {}
    clock.advance(60)
    again = store.media.add_library("Movies again", folder, "movie")
    assert counts(store.media.scan(again.id)) == {"moved": 6}
    after = ids(store, again.id)
    assert set(after.values()) == set(before.values())
    # The two that are one content under one name are one work: which has which id is the same.
    assert all(after[name] == before[name] for name in before if "Dune" not in name)
    assert len(progress_by_path(store)) == 5  # by name: two are called Dune
    clock.advance(60)
    assert counts(store.media.scan(again.id)) == {"unchanged": 6}


def test_a_removed_library_that_comes_back_with_better_files_keeps_ids_by_what_they_are(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    store.media.remove_library(library.id)
    clip(folder / FOUR[0], seed=70)
    clip(folder / "A better Dune/Dune (1984) 1080p.mkv", seed=71)
    clock.advance(60)
    again = store.media.add_library("Movies again", folder, "movie")
    assert counts(store.media.scan(again.id)) == {"added": 1, "moved": 3, "updated": 1}
    after = ids(store, again.id)
    assert {name: after[name] for name in FOUR} == before


@pytest.mark.parametrize("kind", ["movie", "tv", "music"])
def test_a_library_renamed_file_by_file_loses_nothing_and_is_not_frozen(
    store: Store, folder: Path, clock: Any, kind: str
) -> None:
    library = store.media.add_library("All", folder, kind)
    for number in range(1, 9):
        if kind == "music":
            write_audio(
                folder / f"Old/{number:02} Song {number}.mp3",
                seconds=0.2,
                seed=number,
                title=f"Song {number}",
                artist="Ann",
                album="First",
                track=number,
            )
        elif kind == "tv":
            clip(folder / f"Old/Show S01E{number:02}.mkv", seed=number)
        else:
            clip(folder / f"Old/Film {number} (19{number:02}).mkv", seed=number)
    store.media.scan(library.id)
    before = ids(store, library.id)
    for id in before.values():
        watched(store, id)
    (folder / "Old").rename(folder / "New")
    clock.advance(60)
    result = store.media.scan(library.id)
    assert (counts(result), result.frozen) == ({"moved": 8}, None)
    assert ids(store, library.id) == {
        name.replace("Old/", "New/"): id for name, id in before.items()
    }
    assert len(progress_by_path(store)) == 8


def swap(one: Path, other: Path) -> None:
    between = one.with_suffix(".tmp")
    one.rename(between)
    other.rename(one)
    between.rename(other)


def test_two_files_that_swap_names_swap_their_ids_and_no_movie_is_lost(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    movies = {movie.title: movie.id for movie in store.media.movies().items}
    watched(store, before[FOUR[0]])
    os.utime(folder / FOUR[0], ns=(5, 5))
    clock.advance(60)
    store.media.scan(library.id)
    swap(folder / FOUR[0], folder / FOUR[1])
    clock.advance(60)
    store.media.scan(library.id)
    after = ids(store, library.id)
    assert (after[FOUR[0]], after[FOUR[1]]) == (before[FOUR[1]], before[FOUR[0]])
    assert progress_by_path(store) == {FOUR[1]: 42.0}
    assert {movie.title: movie.id for movie in store.media.movies().items} == movies
    alien = store.media.movie(movies["Alien"])
    assert [file.id for file in alien.files] == [alien.media_file_id] == [before[FOUR[1]]]
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 4}


def test_episodes_that_are_renumbered_take_their_progress_along(
    store: Store, folder: Path, clock: Any
) -> None:
    library = store.media.add_library("Shows", folder, "tv")
    for number in range(1, 6):
        clip(folder / f"Lost/Lost S01E0{number}.mkv", seed=number)
        os.utime(folder / f"Lost/Lost S01E0{number}.mkv", ns=(number, number))
    store.media.scan(library.id)
    before = ids(store, library.id)
    for number in range(5, 0, -1):
        (folder / f"Lost/Lost S01E0{number}.mkv").rename(
            folder / f"Lost/Lost S01E0{number + 1}.mkv"
        )
    clock.advance(60)
    result = store.media.scan(library.id)
    assert counts(result) == {"moved": 5}
    after = ids(store, library.id)
    for number in range(1, 6):
        old, new = f"Lost/Lost S01E0{number}.mkv", f"Lost/Lost S01E0{number + 1}.mkv"
        assert after[new] == before[old]
    (show,) = store.media.shows().items
    (season,) = store.media.show(show.id).seasons
    assert [e.episode_number for e in season.episodes] == [2, 3, 4, 5, 6]
    for episode in season.episodes:
        assert episode.media_file.path.endswith(f"S01E0{episode.episode_number}.mkv")


def test_a_new_file_in_the_place_of_a_renamed_one_leaves_no_id_twice(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    (folder / FOUR[0]).rename(folder / "Alien (1979) old.mkv")
    clip(folder / FOUR[0], seed=80, width=128)
    clock.advance(60)
    store.media.scan(library.id)
    after = ids(store, library.id)
    assert len(set(after.values())) == 5
    assert before[FOUR[0]] in (after[FOUR[0]], after["Alien (1979) old.mkv"])
    assert len(store.media.movies().items) == 4
    assert all(file.probe_state == "done" for file in every_file(store, library.id))


@pytest.mark.parametrize("curated", [False, True])
def test_a_renamed_show_stays_the_show_that_it_was(
    store: Store, folder: Path, clock: Any, curated: bool
) -> None:
    library = store.media.add_library("Shows", folder, "tv")
    for number in range(1, 7):
        clip(
            folder / f"Lst/Season {number % 2 + 1}/Lst S0{number % 2 + 1}E0{number}.mkv",
            seed=number,
        )
    store.media.scan(library.id)
    (show,) = store.media.shows().items
    before = {e.id for s in store.media.show(show.id).seasons for e in s.episodes}
    if curated:
        store.media.save_show(library.id, title="Lst", overview="An island", tmdb_id=4607)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rename(path.with_name(path.name.replace("Lst", "Lost")))
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"moved": 6}
    (again,) = store.media.shows().items
    assert (again.id, again.title, again.season_count) == (show.id, "Lost", 2)
    assert again.overview == ("An island" if curated else None)
    assert {e.id for s in store.media.show(show.id).seasons for e in s.episodes} == before
    assert [hit.title for hit in store.media.search("lost") if hit.kind == "show"] == ["Lost"]


def test_a_show_that_moves_to_another_library_takes_everything_along(
    store: Store, folder: Path, tmp_path: Path, clock: Any
) -> None:
    (tmp_path / "more").mkdir()
    first = store.media.add_library("First", folder, "tv")
    second = store.media.add_library("Second", tmp_path / "more", "tv")
    for number in range(1, 4):
        clip(folder / f"Lost/Lost S01E0{number}.mkv", seed=number)
    for number in range(1, 10):
        clip(folder / f"Other/Other S01E0{number}.mkv", seed=50 + number)
    store.media.scan(first.id)
    lost = next(show for show in store.media.shows().items if show.title == "Lost")
    store.media.save_show(first.id, title="Lost", overview="An island")
    episodes = {e.id: e.media_file_id for e in store.media.show(lost.id).seasons[0].episodes}
    (folder / "Lost").rename(tmp_path / "more/Lost")
    for library in (second, first):
        clock.advance(60)
        store.media.scan(library.id)
    show = store.media.show(lost.id)
    assert (show.library_id, show.overview) == (second.id, "An island")
    assert {e.id: e.media_file_id for e in show.seasons[0].episodes} == episodes
    assert len(store.media.shows().items) == 2
