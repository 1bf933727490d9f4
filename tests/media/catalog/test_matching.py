"""What is one movie or show of a library and what is two, whatever the order they come in."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")

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
    return {(show.title, show.year): show.episode_count for show in store.media.shows().items}


def movies(store: Store) -> list[tuple[str, int | None, int]]:
    """Return title, year and number of files of each movie."""
    return sorted(
        (
            (movie.title, movie.year, len(store.media.movie(movie.id).files))
            for movie in store.media.movies().items
        ),
        key=str,
    )


def scan(store: Store, library: MediaLibrary, clock: Any) -> Any:
    """Scan a minute later."""
    clock.advance(60)
    return store.media.scan(library.id, accept_missing=True)


def file_named(store: Store, library: MediaLibrary, name: str) -> Any:
    """Return a file by the end of its path."""
    files = store.media.files(library.id, limit=100).items
    return next(file for file in files if file.path.endswith(name))


# Shows by the order in which their three folders come: all in one library, in three scans.
ORDERS = dict(
    zip(
        ("Arrow", "Bones", "Castle", "Dallas", "Emergency", "Fargo"),
        permutations(("", " (1963)", " (2005)")),
    )
)


def test_a_remake_is_a_show_of_its_own_in_whatever_order_they_come(
    store: Store, tv: MediaLibrary, clock: Any
) -> None:
    for turn in range(3):
        put(
            tv,
            *(
                f"{title}{order[turn]}/Season 1/{title} S01E0{number}.mkv"
                for title, order in ORDERS.items()
                for number in (1, 2)
            ),
        )
        scan(store, tv, clock)
    assert shows(store) == {(title, year): 2 for title in ORDERS for year in (None, 1963, 2005)}


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
    assert (after.id, after.year, after.overview, after.episode_count) == (show.id, 2022, "Work", 5)
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


# Two files of a title, and what they become: year and number of files of each movie.
FILMS: dict[str, tuple[str, str, list[tuple[int | None, int]]]] = {
    "Birthday": ("Anna/Birthday.mp4", "Ben/Birthday.mp4", [(None, 1), (None, 1)]),
    "Heat": ("Heat/Heat.mkv", "Heat/Heat 1080p.mkv", [(None, 2)]),
    "Alien": ("A/Alien/Alien.mkv", "B/Alien/Alien.mkv", [(None, 1), (None, 1)]),
    "Brazil": ("Brazil.mkv", "Brazil (1985).mkv", [(1985, 1), (None, 1)]),
    "Dune": ("Dune (1984)/Dune (1984).mkv", "Dune (2021)/Dune (2021).mkv", [(1984, 1), (2021, 1)]),
    "Contact": ("A/Contact (1997).mkv", "B/Contact (1997) 720p.mkv", [(1997, 2)]),
    "Pinocchio": (
        "A/Pinocchio (2022) [tmdbid-1].mkv",
        "B/Pinocchio (2022) [tmdbid-2].mkv",
        [(2022, 1), (2022, 1)],
    ),
}
SAME_ID = ("A/Solaris (1972) [tmdbid-7].mkv", "B/Solyaris [tmdbid-7].mkv")


@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_one_film_and_what_is_two(
    store: Store, films: MediaLibrary, clock: Any, backwards: bool
) -> None:
    for turn in (1, 0) if backwards else (0, 1):
        put(films, *(case[turn] for case in FILMS.values()), SAME_ID[turn])
        scan(store, films, clock)
    for title, (*_, expected) in FILMS.items():
        assert [found[1:] for found in movies(store) if found[0] == title] == expected
    found = movies(store)
    assert [count for title, _, count in found if title.startswith("Sol")] == [2]
    scan(store, films, clock)
    assert movies(store) == found


# Two files of a title, and how many shows they are.
SHOWS = {
    "Arrow": ("Arrow {tvdb-1}/Arrow S01E01.mkv", "Arrow {tvdb-2}/Arrow S01E01.mkv", 2),
    "Bones": ("Bones {tvdb-3}/Bones S01E01.mkv", "Bones - again {tvdb-3}/Bones S01E02.mkv", 1),
    "Castle": ("Castle/Season 1/Castle S01E01.mkv", "Castle/Season 2/Castle S02E01.mkv", 1),
    "Dallas": ("Dallas (2001)/Dallas S01E01.mkv", "Dallas (2002)/Dallas S01E01.mkv", 2),
}


@pytest.mark.parametrize("backwards", [False, True])
def test_what_is_one_show_and_what_is_two(
    store: Store, tv: MediaLibrary, clock: Any, backwards: bool
) -> None:
    for turn in (1, 0) if backwards else (0, 1):
        put(tv, *(str(case[turn]) for case in SHOWS.values()))
        scan(store, tv, clock)
    titles = [show.title.split()[0] for show in store.media.shows().items]
    assert {title: titles.count(title) for title in SHOWS} == {
        title: case[2] for title, case in SHOWS.items()
    }


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
        films.id,
        title="Heat!",
        id=heat.id,
        overview="A heist",
        genres=["Crime"],
        tmdb_id=949,
        release_date=date(1995, 12, 15),
        rating=8.3,
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
    for name in (
        "title",
        "sort_title",
        "year",
        "overview",
        "genres",
        "tmdb_id",
        "release_date",
        "rating",
        "work_id",
    ):
        assert getattr(after, name) == getattr(before, name), name


def test_a_folder_that_brings_an_id_gives_it_to_the_film_and_is_told_from_another(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    for folder in ("Pinocchio (2022)", "Pinocchio (2022) {tmdb-1}", "Pinocchio (2022) {tmdb-2}"):
        put(films, f"{folder}/Pinocchio (2022).mkv")
        scan(store, films, clock)
    assert sorted(movie.tmdb_id for movie in store.media.movies().items) == [1, 2]


def test_folders_of_any_name_tell_films_apart(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    folders = ("caf\udce9: 1", "caf\udce9: 2", "a:b", "a:c", "x" * 200 + "/1", "x" * 200 + "/2")
    for number, folder in enumerate(folders):
        clip(Path(films.path) / folder / "Birthday.mp4", seed=number)
    for _ in range(2):
        assert scan(store, films, clock).errors == 0
        assert movies(store) == [("Birthday", None, 1)] * 6


@pytest.mark.parametrize(
    "names",
    [
        ("Red Sea/Red Sea cd1.mkv", "Red Sea/Red Sea cd2.mkv"),
        ("Red Sea/CD1/red sea.mkv", "Red Sea/CD2/red sea.mkv"),
        ("Red Sea - cd 1/VIDEO_TS/VTS_01_1.mkv", "Red Sea - cd 2/VIDEO_TS/VTS_01_1.mkv"),
        ("Red Sea/Red Sea Disc 1/movie.mkv", "Red Sea/Red Sea Disc 2/movie.mkv"),
        ("Red Sea/Disc 1/BDMV/STREAM/00001.mkv", "Red Sea/Disc 2/BDMV/STREAM/00001.mkv"),
        ("Red Sea (Part 1 of 2).mkv", "Red Sea (Part 2 of 2).mkv"),
    ],
)
def test_the_discs_of_a_film_without_a_year_are_its_parts(
    store: Store, films: MediaLibrary, clock: Any, names: tuple[str, str]
) -> None:
    put(films, *names)
    scan(store, films, clock)
    (movie,) = store.media.movies().items
    assert movie.title.casefold() == "red sea" and movie.year is None
    assert [file.part for file in store.media.movie(movie.id).files] == [1, 2]


def test_labels_are_versions_of_a_film_without_a_year(
    store: Store, films: MediaLibrary, clock: Any
) -> None:
    labels = ("", " [test]", " - Director's Cut", "_720p", "-bluray", " (sharp)", " - apple")
    put(films, *(f"Red Sea/Red Sea{label}.mkv" for label in labels))
    put(films, "Red Sea/Red Sea - Return.mkv", "Other/Red Sea.mkv")
    scan(store, films, clock)
    assert movies(store) == [
        ("Red Sea - Return", None, 1),
        ("Red Sea", None, 1),
        ("Red Sea", None, len(labels)),
    ]
