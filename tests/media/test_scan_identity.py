"""Ids outlive renames, moves, replacements and removals, and with them what people watched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from media_disk import clip, counts, every_file, ids, progress_by_path, watched
from media_factory import write_audio

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary


pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "movies"
    made.mkdir()
    return made


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    return store.media.add_library("Movies", folder, "movie")


def seed_movies(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        clip(folder / name, seed=number)


def only(found: dict[str, str]) -> tuple[str, str]:
    ((path, id),) = found.items()
    return path, id


FOUR = ("Alien (1979).mkv", "Brazil (1985).mkv", "Contact (1997).mkv", "Dune (1984).mkv")


@pytest.mark.parametrize("name", ["Alien (1979) [1080p].mkv", "Alien/Alien (1979).mkv",
                                  "Aliens (1986).mkv"])
def test_a_renamed_file_keeps_its_id_its_progress_and_its_movie(
    store: Store, library: MediaLibrary, folder: Path, clock: Any, name: str
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    movies = {movie.id for movie in store.media.movies().items}
    watched(store, before["Alien (1979).mkv"])
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / "Alien (1979).mkv").rename(folder / name)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"moved": 1, "unchanged": 3}
    assert ids(store, library.id)[name] == before["Alien (1979).mkv"]
    assert progress_by_path(store) == {Path(name).name: 42.0}
    assert {movie.id for movie in store.media.movies().items} == movies


@pytest.mark.parametrize("first", ["from", "to"])
def test_a_file_moved_to_another_library_keeps_its_id_whichever_is_scanned_first(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Any, first: str
) -> None:
    other = tmp_path / "more"
    other.mkdir()
    seed_movies(folder, *FOUR, "Eraserhead (1977).mkv")
    clip(other / "Zardoz (1974).mkv", seed=99)
    more = store.media.add_library("More", other, "movie")
    store.media.scan(library.id)
    store.media.scan(more.id)
    id = ids(store, library.id)["Alien (1979).mkv"]
    movie = next(m.id for m in store.media.movies().items if m.title == "Alien")
    watched(store, id)
    (folder / "Alien (1979).mkv").rename(other / "Alien (1979).mkv")
    for one in (library, more) if first == "from" else (more, library):
        clock.advance(60)
        assert store.media.scan(one.id).frozen is None
    assert ids(store, more.id)["Alien (1979).mkv"] == id
    assert store.media.movie(movie).library_id == more.id
    assert [file.id for file in store.media.movie(movie).files] == [id]
    assert progress_by_path(store) == {"Alien (1979).mkv": 42.0}
    assert len(store.media.movies().items) == 6


def test_a_better_version_of_a_movie_inherits_id_and_progress(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    id = ids(store, library.id)["Alien (1979).mkv"]
    watched(store, id)
    (folder / "Alien (1979).mkv").unlink()
    clip(folder / "Alien.1979.1080p.BluRay.mkv", seed=50, width=128)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1, "unchanged": 3}
    file = store.media.file(id)
    assert (Path(file.path).name, file.width) == ("Alien.1979.1080p.BluRay.mkv", 128)
    assert progress_by_path(store) == {"Alien.1979.1080p.BluRay.mkv": 42.0}
    assert len(store.media.movies().items) == 4


def test_a_better_version_that_comes_scans_later_inherits_too(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    id = ids(store, library.id)["Alien (1979).mkv"]
    (folder / "Alien (1979).mkv").unlink()
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"removed": 1, "missing": 1, "unchanged": 3}
    clip(folder / "Alien.1979.1080p.BluRay.mkv", seed=50)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1, "unchanged": 3}
    assert ids(store, library.id)["Alien.1979.1080p.BluRay.mkv"] == id


def test_a_better_version_does_not_take_the_id_from_a_file_that_was_only_renamed(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    id = ids(store, library.id)["Alien (1979).mkv"]
    clip(folder / "A/Alien.1979.1080p.mkv", seed=50)
    (folder / "Alien (1979).mkv").rename(folder / "Alien.1979.480p.mkv")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"added": 1, "moved": 1, "unchanged": 3}
    assert ids(store, library.id)["Alien.1979.480p.mkv"] == id
    movie = next(m for m in store.media.movies().items if m.title == "Alien")
    assert len(store.media.movie(movie.id).files) == 2


def test_a_better_version_of_an_episode_inherits_id_and_progress(
    store: Store, folder: Path, clock: Any
) -> None:
    library = store.media.add_library("Shows", folder, "tv")
    for number in range(1, 6):
        clip(folder / f"Lost/Season 1/Lost.S01E0{number}.mkv", seed=number)
    store.media.scan(library.id)
    id = ids(store, library.id)["Lost/Season 1/Lost.S01E02.mkv"]
    (show,) = store.media.shows().items
    episodes = [e.id for e in store.media.show(show.id).seasons[0].episodes]
    watched(store, id)
    (folder / "Lost/Season 1/Lost.S01E02.mkv").unlink()
    clip(folder / "Lost/Season 1/Lost - 1x02 - 720p.mkv", seed=77)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1, "unchanged": 4}
    assert progress_by_path(store) == {"Lost - 1x02 - 720p.mkv": 42.0}
    again = store.media.show(show.id).seasons[0].episodes
    assert [episode.id for episode in again] == episodes
    assert again[1].media_file_id == id


def test_other_content_under_the_same_path_keeps_the_id(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    clip(folder / "Alien (1979).mkv", seed=60, width=128)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1, "unchanged": 3}
    assert ids(store, library.id) == before
    assert store.media.file(before["Alien (1979).mkv"]).width == 128


def test_copies_get_ids_of_their_own_and_the_original_keeps_its_own(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    original = "Alien (1979).mkv"
    for copy in ("Copy/Alien (1979).mkv", "A Copy (1979).mkv"):
        (folder / copy).parent.mkdir(exist_ok=True)
        shutil.copy2(folder / original, folder / copy)
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"added": 2, "unchanged": 4}
    after = ids(store, library.id)
    assert {name: after[name] for name in before} == before
    assert len(set(after.values())) == 6
    (folder / original).unlink()
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"removed": 1, "missing": 1, "unchanged": 5}
    del after[original]
    assert ids(store, library.id) == after
    assert store.media.file(before[original]).status == "missing"


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
    assert ids(store, again.id) == before
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
            write_audio(folder / f"Old/{number:02} Song {number}.mp3", seconds=0.2, seed=number,
                        title=f"Song {number}", artist="Ann", album="First", track=number)
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


def test_most_of_a_library_may_be_renamed_while_a_few_files_go(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *(f"Old/Film {number} (1950).mkv" for number in range(8)))
    store.media.scan(library.id)
    (folder / "Old").rename(folder / "New")
    for number in (1, 2):
        (folder / f"New/Film {number} (1950).mkv").unlink()
    clock.advance(60)
    result = store.media.scan(library.id)
    assert (counts(result), result.frozen) == ({"moved": 6, "removed": 2, "missing": 2}, None)


def test_a_file_that_is_missing_for_a_while_comes_back_as_itself(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    movie = next(m for m in store.media.movies().items if m.title == "Alien")
    (folder / FOUR[0]).rename(tmp_path / "away")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"removed": 1, "missing": 1, "unchanged": 3}
    assert store.media.file(before[FOUR[0]]).missing_since == clock()
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"missing": 1, "unchanged": 3}
    (tmp_path / "away").rename(folder / FOUR[0])
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 1, "unchanged": 3}
    assert ids(store, library.id) == before
    assert store.media.movie(movie.id).media_file_id == before[FOUR[0]]
    assert store.media.file(before[FOUR[0]]).missing_since is None


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


def test_empty_files_are_not_taken_for_each_other(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    (folder / "Empty One (2001).mkv").touch()
    store.media.scan(library.id)
    id = ids(store, library.id)["Empty One (2001).mkv"]
    (folder / "Empty One (2001).mkv").unlink()
    (folder / "Void (2002).mkv").touch()
    clock.advance(60)
    assert store.media.scan(library.id).moved == 0
    assert ids(store, library.id)["Void (2002).mkv"] != id


def test_copies_of_one_content_that_all_move_keep_one_id_each(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    names = [f"Old/Film {number} (1950).mkv" for number in range(4)]
    for name in names:
        clip(folder / name, seed=1)
    store.media.scan(library.id)
    before = ids(store, library.id)
    (folder / "Old").rename(folder / "New")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"moved": 4}
    assert ids(store, library.id) == {
        name.replace("Old/", "New/"): id for name, id in before.items()
    }


def test_identity_needs_no_clock_that_runs(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    seed_movies(folder, *FOUR)
    store.media.scan(library.id)
    before = ids(store, library.id)
    (folder / FOUR[0]).rename(folder / "Renamed (1979).mkv")
    (folder / FOUR[1]).unlink()
    clip(folder / "Brazil 1985 2160p.mkv", seed=90)
    clock.advance(-3600)
    assert counts(store.media.scan(library.id)) == {"moved": 1, "updated": 1, "unchanged": 2}
    after = ids(store, library.id)
    assert after["Renamed (1979).mkv"] == before[FOUR[0]]
    assert after["Brazil 1985 2160p.mkv"] == before[FOUR[1]]
