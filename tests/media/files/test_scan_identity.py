"""Ids outlive renames, moves, replacements and removals, and with them what people watched."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import FOUR, clip, counts, ids, progress_by_path, seed_movies, watched
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.mark.parametrize(
    "name", ["Alien (1979) [1080p].mkv", "Alien/Alien (1979).mkv", "Aliens (1986).mkv"]
)
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
