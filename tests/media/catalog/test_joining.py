"""Two rows that a later file shows to be one are joined, in whatever order they came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.libraries import clip

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")


def add(store: Store, library: MediaLibrary, clock: Any, name: str) -> str:
    """Write a file, scan a minute later, and return the file's id."""
    path = clip(Path(library.path) / name, seed=sum(name.encode()) % 4000)
    clock.advance(60)
    store.media.scan(library.id)
    file = store.media.find_file(library.id, path)
    assert file is not None
    return file.id


def library_of(store: Store, folder: Path, kind: str) -> MediaLibrary:
    folder.mkdir()
    return store.media.add_library(folder.name, folder, kind)


# A film by its name, one by its id, and a file that is both.
FILMS = {
    "title and year": (
        "A/Alien (1979).mkv",
        "B/Ale [tmdbid-7].mkv",
        "C/Alien (1979) [tmdbid-7].mkv",
    ),
    "title and folder": (
        "D/Dark.mkv",
        "E/Dark (1999) [tmdbid-8].mkv",
        "D/Dark (1999) [tmdbid-8].mkv",
    ),
    "two ids": (
        "Fargo (1996) [imdbid-tt0116282].mkv",
        "Far (1996) [tmdbid-9].mkv",
        "Fargo (1996) [imdbid-tt0116282] [tmdbid-9].mkv",
    ),
}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("case", FILMS)
def test_two_films_that_a_file_shows_to_be_one_are_joined_into_the_older(
    store: Store, tmp_path: Path, clock: Any, case: str, backwards: bool
) -> None:
    films, media = library_of(store, tmp_path / "films", "movie"), store.media
    by_name, by_id, both = FILMS[case]
    pair = (by_id, by_name) if backwards else (by_name, by_id)
    files = [add(store, films, clock, name) for name in pair]
    first, second = sorted(media.movies().items, key=lambda movie: movie.id)
    media.save_movie(films.id, id=first.id, title=first.title, overview="Older")
    media.save_movie(films.id, id=second.id, overview="Newer", director="Ridley")
    store.playback.mark_watched("ann", files[1])
    files.append(add(store, films, clock, both))
    (left,) = media.movies().items
    assert (left.id, left.overview, left.director) == (first.id, "Older", "Ridley")
    assert {file.id for file in media.movie(left.id).files} == set(files)
    assert all(store.playback.progress("ann", file).completed for file in files)
    assert [hit.id for hit in media.search(left.title)] == [left.id]
    clock.advance(60)
    media.scan(films.id)
    assert [movie.id for movie in media.movies().items] == [first.id]


SHOWS = ("Office (2005)/Office S01E0{}.mkv", "The Off (2005) {{tvdb-73244}}/x S01E0{}.mkv")
BOTH = "Office (2005) {tvdb-73244}/x S01E03.mkv"


@pytest.mark.parametrize("backwards", [False, True])
def test_two_shows_that_a_file_shows_to_be_one_are_joined_into_the_older(
    store: Store, tmp_path: Path, clock: Any, backwards: bool
) -> None:
    tv, media = library_of(store, tmp_path / "tv", "tv"), store.media
    older, newer = reversed(SHOWS) if backwards else SHOWS
    files = [add(store, tv, clock, name.format(n)) for name in (older, newer) for n in (1, 2)]
    first, second = sorted(media.shows().items, key=lambda show: show.id)
    media.save_show(tv.id, id=second.id, overview="Paper", network="NBC")
    media.save_show(tv.id, id=first.id, network="BBC")
    media.save_season(second.id, season_number=1, overview="The first")
    media.save_episode(second.id, season_number=1, episode_number=1, overview="Pilot")
    media.save_episode(second.id, season_number=4, episode_number=1, overview="To come")
    store.playback.mark_watched("ann", files[2])
    files.append(add(store, tv, clock, BOTH))
    (left,) = media.shows().items
    show = media.show(left.id)
    assert (show.id, show.year, show.tvdb_id) == (first.id, 2005, 73244)
    assert (show.overview, show.network) == ("Paper", "BBC")
    numbers = [
        (one.season_number, one.episode_number, one.overview)
        for season in show.seasons
        for one in season.episodes
    ]
    assert numbers == [(1, 1, "Pilot"), (1, 2, None), (1, 3, None), (4, 1, "To come")]
    assert [season.overview for season in show.seasons] == ["The first", None]
    seen = [store.playback.progress("ann", file) for file in files]
    assert [bool(one and one.completed) for one in seen] == [True, False, True, False, False]
    clock.advance(60)
    media.scan(tv.id)
    assert media.show(first.id).seasons[0].episodes[0].overview == "Pilot"
    assert len(media.shows().items) == 1


@pytest.mark.parametrize("backwards", [False, True])
def test_two_films_of_unequal_years_are_not_joined_by_a_file_with_the_wrong_id(
    store: Store, tmp_path: Path, clock: Any, backwards: bool
) -> None:
    films = library_of(store, tmp_path / "films", "movie")
    pair = ["Alien (1979).mkv", "Heat (1995) [tmdbid-949].mkv"]
    for name in reversed(pair) if backwards else pair:
        add(store, films, clock, name)
    add(store, films, clock, "Alien (1979) [tmdbid-949].mkv")
    assert [movie.title for movie in store.media.movies().items] == ["Alien", "Heat"]
