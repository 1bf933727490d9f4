"""What is one movie or show of a library and what is two, whatever the order they come in."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from media_disk import clip

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

DAY_S = 86_400


@pytest.fixture
def tv(store: Store, tmp_path: Path) -> MediaLibrary:
    """An empty library of shows."""
    (tmp_path / "tv").mkdir()
    return store.media.add_library("TV", tmp_path / "tv", "tv")


@pytest.fixture
def films(store: Store, tmp_path: Path) -> MediaLibrary:
    """An empty library of movies."""
    (tmp_path / "films").mkdir()
    return store.media.add_library("Films", tmp_path / "films", "movie")


def put(library: MediaLibrary, *names: str) -> None:
    """Put files on the disk, each with a content of its own."""
    for name in names:
        path = Path(library.path) / name
        clip(path, seed=sum(name.encode()) % 4000)


def shows(store: Store) -> dict[tuple[str, int | None], int]:
    """Return how many episodes each show has, by title and year."""
    return {
        (show.title, show.year): show.episode_count for show in store.media.shows().items
    }


def movies(store: Store) -> list[tuple[str, int | None, int]]:
    """Return title, year and number of files of each movie."""
    return sorted(
        ((movie.title, movie.year, len(store.media.movie(movie.id).files))
         for movie in store.media.movies().items), key=str,
    )


def scan(store: Store, library: MediaLibrary, clock: Any) -> Any:
    """Scan a minute later."""
    clock.advance(60)
    return store.media.scan(library.id, accept_missing=True)


def file_named(store: Store, library: MediaLibrary, name: str) -> Any:
    """Return a file by the end of its path."""
    files = store.media.files(library.id, limit=100).items
    return next(file for file in files if file.path.endswith(name))


CHARMED = ("Charmed/Season 1/Charmed S01E01.mkv", "Charmed (2018)/Season 1/Charmed S01E01.mkv")


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_remake_is_a_show_of_its_own(
    store: Store, tv: MediaLibrary, clock: Any, order: tuple[int, ...]
) -> None:
    for number in order:
        put(tv, CHARMED[number])
        scan(store, tv, clock)
    assert shows(store) == {("Charmed", None): 1, ("Charmed", 2018): 1}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_three_shows_of_one_title_are_three_in_any_order(
    store: Store, tv: MediaLibrary, clock: Any, order: tuple[int, ...]
) -> None:
    folders = ("Doctor Who", "Doctor Who (1963)", "Doctor Who (2005)")
    for number in order:
        put(tv, *(f"{folders[number]}/Season 1/Doctor Who S01E0{n}.mkv" for n in (1, 2)))
        scan(store, tv, clock)
    assert shows(store) == {
        ("Doctor Who", None): 2, ("Doctor Who", 1963): 2, ("Doctor Who", 2005): 2
    }


def test_a_show_whose_folder_is_replaced_by_one_with_a_year_stays_and_so_does_what_was_watched(
    store: Store, tv: MediaLibrary, clock: Any
) -> None:
    old = [f"Severance/Season 1/Severance S01E0{n} 720p.mkv" for n in range(1, 6)]
    put(tv, *old)
    scan(store, tv, clock)
    (show,) = store.media.shows().items
    store.media.save_show(tv.id, title="Severance", id=show.id, overview="Work")
    for name in old[:2]:
        store.playback.mark_watched("ann", file_named(store, tv, name).id)
    for name in old:
        (Path(tv.path) / name).unlink()
    new = [f"Severance (2022)/Season 1/Severance S01E0{n} 1080p.mkv" for n in range(1, 6)]
    put(tv, *new)
    result = scan(store, tv, clock)
    (after,) = store.media.shows().items
    assert (after.id, after.year, after.overview, after.episode_count) == (
        show.id, 2022, "Work", 5
    )
    assert (result.missing, result.frozen) == (0, None)
    seen = [
        store.playback.progress("ann", file_named(store, tv, name).id).completed for name in new
    ]
    assert seen == [True, True, False, False, False]
    assert [item.title for item in store.playback.next_up("ann")] == ["Severance S01E03"]


@pytest.mark.parametrize("kind", ["movie", "show"])
def test_what_was_purged_and_comes_back_with_a_year_is_still_watched(
    store: Store, tv: MediaLibrary, films: MediaLibrary, clock: Any, kind: str
) -> None:
    library, old, new = {
        "movie": (films, "Heat.mkv", "Heat (1995).mkv"),
        "show": (tv, "Dark/Dark S01E01.mkv", "Dark (2017)/Dark S01E01 1080p.mkv"),
    }[kind]
    put(library, old, "Other (2001)/Other (2001) S01E01.mkv")
    scan(store, library, clock)
    store.playback.mark_watched("ann", file_named(store, library, old).id)
    (Path(library.path) / old).unlink()
    scan(store, library, clock)
    store.media.tidy(clock.advance(60 * DAY_S))
    put(library, new)
    scan(store, library, clock)
    assert store.playback.progress("ann", file_named(store, library, new).id).completed


def test_a_film_that_is_replaced_by_one_with_a_year_stays(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    put(films, "Heat.mkv", "Alien (1979).mkv")
    scan(store, films, clock)
    heat = next(movie for movie in store.media.movies().items if movie.title == "Heat")
    store.playback.mark_watched("ann", heat.media_file_id)
    (Path(films.path) / "Heat.mkv").unlink()
    put(films, "Heat (1995).mkv")
    scan(store, films, clock)
    assert movies(store) == [("Alien", 1979, 1), ("Heat", 1995, 1)]
    after = next(movie for movie in store.media.movies().items if movie.title == "Heat")
    assert after.id == heat.id
    assert store.playback.progress("ann", after.media_file_id).completed


@pytest.mark.parametrize(("names", "expected"), [
    (("Anna/Birthday.mp4", "Ben/Birthday.mp4"), [("Birthday", None, 1)] * 2),
    (("Heat/Heat.mkv", "Heat/Heat 1080p.mkv"), [("Heat", None, 2)]),
    (("A/Heat/Heat.mkv", "B/Heat/Heat.mkv"), [("Heat", None, 1)] * 2),
    (("Heat.mkv", "Heat (1995).mkv"), [("Heat", 1995, 1), ("Heat", None, 1)]),
    (("Dune (1984)/Dune (1984).mkv", "Dune (2021)/Dune (2021).mkv"),
     [("Dune", 1984, 1), ("Dune", 2021, 1)]),
    (("A/Dune (2021).mkv", "B/Dune (2021) 720p.mkv"), [("Dune", 2021, 2)]),
    (("A/Dune (2021) [tmdbid-1].mkv", "B/Dune (2021) [tmdbid-2].mkv"),
     [("Dune", 2021, 1)] * 2),
    (("A/Dune (2021) [tmdbid-1].mkv", "B/Arrakis [tmdbid-1].mkv"), [("Dune", 2021, 2)]),
])
@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_one_film_and_what_is_two(
    store: Store, films: MediaLibrary, clock: Any, names: tuple[str, str], expected: list[Any],
    backwards: bool,
) -> None:
    for name in reversed(names) if backwards else names:
        put(films, name)
        scan(store, films, clock)
    if "Arrakis" in names[1]:
        assert [count for *_, count in movies(store)] == [2]
    else:
        assert movies(store) == expected
    before = movies(store)
    scan(store, films, clock)
    assert movies(store) == before


@pytest.mark.parametrize(("names", "count"), [
    (("A {tvdb-1}/A S01E01.mkv", "A {tvdb-2}/A S01E01.mkv"), 2),
    (("A {tvdb-1}/A S01E01.mkv", "A - again {tvdb-1}/A S01E02.mkv"), 1),
    (("A/Season 1/A S01E01.mkv", "A/Season 2/A S02E01.mkv"), 1),
    (("A (2001)/A S01E01.mkv", "A (2002)/A S01E01.mkv"), 2),
])
@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_one_show_and_what_is_two(
    store: Store, tv: MediaLibrary, clock: Any, names: tuple[str, str], count: int,
    backwards: bool,
) -> None:
    for name in reversed(names) if backwards else names:
        put(tv, name)
        scan(store, tv, clock)
    assert len(store.media.shows().items) == count


def test_watching_one_of_two_films_of_a_name_says_nothing_of_the_other(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    put(films, "Anna/Birthday.mp4", "Ben/Birthday.mp4")
    scan(store, films, clock)
    anna, ben = (file_named(store, films, f"{who}/Birthday.mp4").id for who in ("Anna", "Ben"))
    store.playback.mark_watched("ann", anna)
    assert store.playback.progress("ann", anna).completed
    assert not store.playback.progress("ann", ben).completed


@pytest.mark.parametrize("removed", [False, True])
def test_what_was_written_of_a_film_comes_back_with_it(
    store: Store, films: MediaLibrary, clock: Any, removed: bool
) -> None:
    put(films, "Heat (1995).mkv", "Alien (1979).mkv")
    scan(store, films, clock)
    heat = next(movie for movie in store.media.movies().items if movie.title == "Heat")
    store.media.save_movie(
        films.id, title="Heat!", id=heat.id, overview="A heist", genres=["Crime"], tmdb_id=949,
        release_date=date(1995, 12, 15), rating=8.3,
    )
    before = store.media.movie(heat.id)
    away = Path(films.path).parent / "away.mkv"
    (Path(films.path) / "Heat (1995).mkv").rename(away)
    if removed:
        store.media.remove_library(films.id)
        assert store.media.movies().items == []
        films = store.media.add_library("Again", films.path, "movie")
    else:
        scan(store, films, clock)
        store.media.tidy(clock.advance(45 * DAY_S))
        assert [movie.title for movie in store.media.movies().items] == ["Alien"]
    away.rename(Path(films.path) / "Heat (1995).mkv")
    scan(store, films, clock)
    after = store.media.movie(heat.id)
    for name in ("title", "sort_title", "year", "overview", "genres", "tmdb_id", "release_date",
                 "rating", "work_id"):
        assert getattr(after, name) == getattr(before, name), name


def test_a_folder_that_brings_an_id_gives_it_to_the_film_and_is_told_from_another(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    for folder in ("Pinocchio (2022)", "Pinocchio (2022) {tmdb-1}", "Pinocchio (2022) {tmdb-2}"):
        put(films, f"{folder}/Pinocchio (2022).mkv")
        scan(store, films, clock)
    assert sorted(movie.tmdb_id for movie in store.media.movies().items) == [1, 2]


@pytest.mark.parametrize("folders", [
    ("caf\udce9: 1", "caf\udce9: 2"), ("a:b", "a:c"), ("x" * 200 + "/1", "x" * 200 + "/2"),
])
def test_folders_of_any_name_tell_films_apart(
    store: Store, films: MediaLibrary, clock: Any, folders: tuple[str, str]
) -> None:
    for number, folder in enumerate(folders):
        clip(Path(films.path) / folder / "Birthday.mp4", seed=number)
    result = scan(store, films, clock)
    assert (result.errors, movies(store)) == (0, [("Birthday", None, 1)] * 2)
    scan(store, films, clock)
    assert movies(store) == [("Birthday", None, 1)] * 2
