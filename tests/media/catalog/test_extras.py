"""Extras: files with a kind and a title, listed with their movie or show, never versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.libraries import clip
from viewra_lite import Store
from viewra_lite.media.models import MediaExtra, MediaLibrary

pytest.importorskip("guessit")
pytestmark = pytest.mark.usefixtures("probing_here")


def films(folder: Path, *names: str) -> None:
    for at, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        clip(path, seed=hash(name) % 10**9 + at)


def titles(extras: list[MediaExtra]) -> list[tuple[str, str]]:
    return [(extra.kind, extra.title) for extra in extras]


def test_extras_are_listed_by_their_film_and_are_no_versions_of_it(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(
        folder,
        "Heat (1995)/Heat (1995).mkv",
        "Heat (1995)/Heat (1995)-trailer.mkv",
        "Heat (1995)/Featurettes/The making of.mkv",
        "Heat (1995)/Deleted Scenes/Diner.mkv",
        "Ronin (1998).mkv",
        "Ronin (1998) - trailer.mkv",
    )
    store.media.scan(library.id)
    assert [movie.title for movie in store.media.movies().items] == ["Heat", "Ronin"]
    heat, ronin = (store.media.movie(movie.id) for movie in store.media.movies().items)
    assert titles(heat.extras) == [
        ("deleted_scene", "Diner"),
        ("featurette", "The making of"),
        ("trailer", "Trailer"),
    ]
    assert titles(ronin.extras) == [("trailer", "Trailer")]
    assert [Path(file.path).name for file in heat.files] == ["Heat (1995).mkv"]
    assert heat.extras[0].media_file.path.endswith("Diner.mkv")
    assert heat.extras[0].media_file.width == 64
    assert len(ronin.files) == 1 and ronin.media_file_id == ronin.files[0].id


def test_an_extra_finds_the_film_that_comes_later_and_again_when_it_returns(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "Heat (1995)/Trailers/Official.mkv", "Alien (1979)/Alien (1979).mkv")
    store.media.scan(library.id)
    assert [movie.title for movie in store.media.movies().items] == ["Alien"]
    films(folder, "Heat (1995)/Heat (1995).mkv")
    store.media.scan(library.id)
    heat = store.media.find_movie("Heat")
    assert heat is not None
    assert titles(store.media.movie(heat.id).extras) == [("trailer", "Official")]


def test_extras_of_shows_and_seasons(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "shows"
    films(
        folder,
        "Lost/Season 1/Lost S01E01.mkv",
        "Lost/Season 1/Extras/Blooper.mkv",
        "Lost/Interviews/Cast.mkv",
    )
    library = store.media.add_library("Shows", folder, "tv")
    store.media.scan(library.id)
    (show,) = store.media.shows().items
    show = store.media.show(show.id)
    assert {(extra.kind, extra.title, extra.season_number) for extra in show.extras} == {
        ("interview", "Cast", None),
        ("other", "Blooper", 1),
    }
    assert [len(season.episodes) for season in show.seasons] == [1]


def test_an_extra_of_a_film_that_is_named_otherwise_is_that_of_the_folder(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "My films/hd_heat/heat.1995.mkv", "My films/hd_heat/Extras/Diner.mkv")
    films(folder, "My films/Ronin.1998.mkv")
    store.media.scan(library.id)
    heat = store.media.find_movie("Heat")
    assert heat is not None and titles(store.media.movie(heat.id).extras) == [("other", "Diner")]


def test_of_two_films_of_a_title_an_extra_belongs_to_that_of_its_year(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "Dune (1984)/Dune (1984).mkv", "Dune (2021)/Dune (2021).mkv")
    films(folder, "Dune (2021)/Trailers/Main.mkv", "Dune (1984)/Dune (1984)-trailer.mkv")
    store.media.scan(library.id)
    by_year = {movie.year: store.media.movie(movie.id) for movie in store.media.movies().items}
    assert titles(by_year[2021].extras) == [("trailer", "Main")]
    assert titles(by_year[1984].extras) == [("trailer", "Trailer")]


def test_a_file_that_is_renamed_becomes_an_extra_and_a_film_again(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "Heat (1995)/Heat (1995).mkv", "Heat (1995)/Heat (1995) [cut].mkv")
    store.media.scan(library.id)
    (heat,) = store.media.movies().items
    cut = folder / "Heat (1995)/Heat (1995) [cut].mkv"
    id = store.media.find_file(library.id, cut).id
    cut = cut.rename(folder / "Heat (1995)/Heat (1995)-deleted.mkv")
    store.media.scan(library.id)
    movie = store.media.movie(heat.id)
    assert [extra.media_file_id for extra in movie.extras] == [id]
    assert len(movie.files) == 1 and movie.media_file_id != id
    cut.rename(folder / "Heat (1995)/Heat (1995) [cut].mkv")
    store.media.scan(library.id)
    movie = store.media.movie(heat.id)
    assert movie.extras == [] and len(movie.files) == 2


def test_samples_are_left_out_and_a_trailer_of_nothing_is_no_film(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "Heat (1995)/Heat (1995).mkv", "Heat (1995)/Sample/heat.mkv", "trailer.mkv")
    films(folder, "Heat (1995)/heat-sample.mkv")
    assert store.media.scan(library.id).added == 2
    (heat,) = store.media.movies().items
    assert (heat.title, store.media.movie(heat.id).extras) == ("Heat", [])


def test_a_trailer_beside_the_only_film_of_a_library_belongs_to_it(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "Heat (1995)"
    films(folder, "Heat (1995).mkv", "trailer.mkv")
    store.media.scan(store.media.add_library("Heat", folder, "movie").id)
    (movie,) = store.media.movies().items
    assert [extra.kind for extra in store.media.movie(movie.id).extras] == ["trailer"]


def test_an_extra_is_played_as_itself_and_is_not_to_be_continued(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    films(folder, "Heat (1995)/Heat (1995).mkv", "Heat (1995)/Heat (1995)-trailer.mkv")
    store.media.scan(library.id)
    (heat,) = store.media.movies().items
    (trailer,) = store.media.movie(heat.id).extras
    for file_id, duration in ((trailer.media_file_id, 3000.0), (heat.media_file_id, 6000.0)):
        assert file_id is not None
        session = store.playback.start_session(file_id, user_id="ann", duration=duration)
        store.playback.heartbeat(session.id, 1000.0)
        store.playback.stop_session(session.id)
    items = store.playback.continue_watching("ann")
    assert [(item.title, item.media_file_id) for item in items] == [
        ("Heat (1995)", heat.media_file_id)
    ]
    store.playback.mark_watched("ann", trailer.media_file_id)
    progress = store.playback.progress("ann", heat.media_file_id)
    assert progress is not None and not progress.completed
