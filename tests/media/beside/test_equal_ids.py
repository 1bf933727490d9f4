"""Two rows that a file beside, a plugin or a name shows to be one title are joined."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from viewra_lite import Store
from viewra_lite.media.catalog import sources
from viewra_lite.media.catalog.save import save
from viewra_lite.media.models import MediaLibrary, Movie, TVShow

pytestmark = pytest.mark.usefixtures("probing_here")

NFO = '<movie><plot>{}</plot><uniqueid type="tmdb">7</uniqueid></movie>'
SHOW_NFO = '<tvshow><plot>{}</plot><uniqueid type="tvdb">8</uniqueid></tvshow>'


def library_of(store: Store, tmp_path: Path, kind: str) -> MediaLibrary:
    (tmp_path / kind).mkdir()
    return store.media.add_library(kind, tmp_path / kind, kind)


def by_nfo(store: Store, library: MediaLibrary) -> None:
    folder = Path(library.path, "Alien (1979)")
    clip(folder / "Alien (1979).mkv", seed=1)
    (folder / "movie.nfo").write_text(NFO.format("Of Alien."))


def by_other_nfo(store: Store, library: MediaLibrary) -> None:
    folder = Path(library.path, "Le Huitième Passager (1979)")
    clip(folder / "huitieme.mkv", seed=2)
    (folder / "movie.nfo").write_text(NFO.format("Of Passager."))


def by_name(store: Store, library: MediaLibrary) -> None:
    clip(Path(library.path, "Obcy [tmdbid-7]/obcy.mkv"), seed=3)


def by_plugin(store: Store, library: MediaLibrary) -> None:
    clip(Path(library.path, "Vetřelec/vetrelec.mkv"), seed=4)
    store.media.scan(library.id)
    (movie,) = [one for one in store.media.movies().items if one.tmdb_id is None]
    with store.writer():
        save(store.media.db, Movie, library.id, {"tmdb_id": 7}, movie.id, sources.PLUGIN)


SAYING: dict[str, Callable[[Store, MediaLibrary], None]] = {
    "nfo": by_nfo,
    "other nfo": by_other_nfo,
    "name": by_name,
    "plugin": by_plugin,
}


@pytest.mark.parametrize(("first", "second"), list(permutations(SAYING, 2)))
@pytest.mark.parametrize("watched", [0, 1])
def test_films_of_one_id_are_one_in_any_order_whoever_says_it(
    store: Store, tmp_path: Path, clock: Any, first: str, second: str, watched: int
) -> None:
    library, media = library_of(store, tmp_path, "movie"), store.media
    SAYING[first](store, library)
    media.scan(library.id)
    (before,) = media.movies().items
    if watched == 0:
        store.playback.mark_watched("ann", str(before.media_file_id))
    clock.advance(60)
    SAYING[second](store, library)
    if watched == 1 and second == "plugin":
        (added,) = [f for f in media.files(library.id).items if f.id != before.media_file_id]
        store.playback.mark_watched("ann", added.id)
    media.scan(library.id)
    (movie,) = [media.movie(one.id) for one in media.movies().items]
    assert (movie.id, movie.tmdb_id, len(movie.files)) == (before.id, 7, 2)
    if watched == 1 and second != "plugin":
        (added,) = [file for file in movie.files if file.id != before.media_file_id]
        store.playback.mark_watched("ann", added.id)
    for file in movie.files:
        progress = store.playback.progress("ann", file.id)
        assert progress is not None and progress.completed
    assert [hit.id for hit in media.search(movie.title)] == [movie.id]
    clock.advance(60)
    media.scan(library.id)
    assert [(one.id, one.title) for one in media.movies().items] == [(movie.id, movie.title)]


def test_films_of_one_id_that_come_in_one_scan_are_one(store: Store, tmp_path: Path) -> None:
    library = library_of(store, tmp_path, "movie")
    by_nfo(store, library)
    by_other_nfo(store, library)
    by_name(store, library)
    store.media.scan(library.id)
    (movie,) = store.media.movies().items
    movie = store.media.movie(movie.id)
    assert (movie.title, movie.year, movie.overview) == ("Alien", 1979, "Of Alien.")
    assert len(movie.files) == 3


def test_what_was_watched_before_the_id_was_known_stays_watched(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    library, media = library_of(store, tmp_path, "movie"), store.media
    by_nfo(store, library)
    by_other_nfo(store, library)
    nfo = Path(library.path, "Alien (1979)/movie.nfo")
    nfo.rename(nfo.with_suffix(".later"))
    media.scan(library.id)
    older, newer = sorted(media.movies().items, key=lambda movie: movie.id)
    files = [str(one.media_file_id) for one in (older, newer)]
    store.playback.mark_watched("ann", files[1])
    store.playback.set_progress("bob", files[0], 0.1)
    media.save_movie(library.id, id=newer.id, director="Ridley", overview="A person's.")
    nfo.with_suffix(".later").rename(nfo)
    clock.advance(60)
    media.scan(library.id)
    (left,) = media.movies().items
    assert (left.id, left.director) == (older.id, "Ridley")
    assert {file.id for file in media.movie(left.id).files} == set(files)
    progress = store.playback.progress("ann", files[0])
    assert progress is not None and progress.completed
    progress = store.playback.progress("bob", files[0])
    assert progress is not None and progress.position == 0.1


def test_films_of_another_id_beside_the_equal_one_stay_two(store: Store, tmp_path: Path) -> None:
    library = library_of(store, tmp_path, "movie")
    by_nfo(store, library)
    clip(Path(library.path, "Aliens (1986) [imdbid-tt0090605]/aliens.mkv"), seed=5)
    nfo = Path(library.path, "Alien (1979)/movie.nfo")
    ids = '<uniqueid type="tmdb">7</uniqueid><uniqueid type="imdb">tt0078748</uniqueid>'
    nfo.write_text(f"<movie>{ids}</movie>")
    other = Path(library.path, "Aliens (1986) [imdbid-tt0090605]/movie.nfo")
    other.write_text(NFO.format("Wrong."))
    store.media.scan(library.id)
    assert [movie.title for movie in store.media.movies().items] == ["Alien", "Aliens"]


@pytest.mark.parametrize("wrong", [0, 1])
def test_films_that_a_wrong_nfo_has_joined_are_two_again_when_it_is_corrected(
    store: Store, tmp_path: Path, clock: Any, wrong: int
) -> None:
    library, media = library_of(store, tmp_path, "movie"), store.media
    names = ["Alien (1979)", "Aliens (1986)"]
    for seed, name in enumerate(names):
        clip(Path(library.path, name, f"{name}.mkv"), seed=seed)
        Path(library.path, name, "movie.nfo").write_text(NFO.format(name))
    media.scan(library.id)
    (movie,) = media.movies().items
    assert len(media.movie(movie.id).files) == 2
    corrected = NFO.format("Corrected.").replace("7", "8")
    Path(library.path, names[wrong], "movie.nfo").write_text(corrected)
    clock.advance(60)
    media.scan(library.id)
    for _ in range(2):
        found = {one.title: media.movie(one.id) for one in media.movies().items}
        assert list(found) == ["Alien", "Aliens"]
        for title, name in zip(found, names):
            is_wrong = name == names[wrong]
            assert [Path(file.path).stem for file in found[title].files] == [name]
            assert found[title].tmdb_id == (8 if is_wrong else 7)
            assert found[title].overview == ("Corrected." if is_wrong else name)
        clock.advance(60)
        media.scan(library.id)


def test_an_extra_of_the_one_is_an_extra_of_both(store: Store, tmp_path: Path, clock: Any) -> None:
    library = library_of(store, tmp_path, "movie")
    by_nfo(store, library)
    by_other_nfo(store, library)
    clip(Path(library.path, "Le Huitième Passager (1979)/Trailers/Teaser.mkv"), seed=6)
    clip(Path(library.path, "Alien (1979)/Trailers/Trailer.mkv"), seed=7)
    for _ in range(2):
        store.media.scan(library.id)
        (movie,) = store.media.movies().items
        extras = store.media.movie(movie.id).extras
        assert sorted(extra.title for extra in extras) == ["Teaser", "Trailer"]
        clock.advance(60)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("how", ["nfo", "plugin", "name"])
def test_shows_of_one_id_are_one(
    store: Store, tmp_path: Path, clock: Any, how: str, backwards: bool
) -> None:
    library, media = library_of(store, tmp_path, "tv"), store.media
    other = "Kontoret {tvdb-8}" if how == "name" else "Kontoret"
    folders = [Path(library.path, name) for name in ("The Office", other)]

    def add_nfo() -> None:
        clip(folders[0] / "The Office S01E01.mkv", seed=1)
        (folders[0] / "tvshow.nfo").write_text(SHOW_NFO.format("Paper."))
        media.scan(library.id)

    def add_other() -> None:
        clip(folders[1] / "Kontoret S01E02.mkv", seed=2)
        clip(folders[1] / "Kontoret S01E01.mkv", seed=3)
        if how == "nfo":
            (folders[1] / "tvshow.nfo").write_text(SHOW_NFO.format("Papir."))
        media.scan(library.id)
        if how == "plugin":
            (show,) = [one for one in media.shows().items if one.tvdb_id is None]
            with store.writer():
                save(media.db, TVShow, library.id, {"tvdb_id": 8}, show.id, sources.PLUGIN)

    steps = [add_other, add_nfo] if backwards else [add_nfo, add_other]
    steps[0]()
    (before,) = media.shows().items
    first = media.show(before.id).seasons[0].episodes[0]
    store.playback.mark_watched("ann", str(first.media_file_id))
    clock.advance(60)
    steps[1]()
    (show,) = [media.show(one.id) for one in media.shows().items]
    assert (show.id, show.tvdb_id) == (before.id, 8)
    (season,) = show.seasons
    assert [(one.episode_number, len(one.files)) for one in season.episodes] == [(1, 2), (2, 1)]
    for file in season.episodes[0].files:
        progress = store.playback.progress("ann", file.id)
        assert progress is not None and progress.completed
