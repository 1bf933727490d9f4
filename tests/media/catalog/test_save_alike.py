"""save_* of one of several that are called the same: the one that is meant, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.libraries import clip
from tests.support.media import write_audio

from viewra_lite import Store
from viewra_lite.errors import ConflictError
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")

BLUE = "0b1f2c3d-0000-4000-8000-000000001994"
GREEN = "0b1f2c3d-0000-4000-8000-000000002001"


def library_of(store: Store, folder: Path, kind: str) -> MediaLibrary:
    folder.mkdir()
    return store.media.add_library(folder.name, folder, kind)


@pytest.fixture
def music(store: Store, tmp_path: Path) -> MediaLibrary:
    """Two albums of one name and artist."""
    library = library_of(store, tmp_path / "music", "music")
    for number, (folder, year, id) in enumerate((("Blue", 1994, BLUE), ("Green", 2001, GREEN))):
        tags: dict[str, Any] = {"album": "Weezer", "artist": "Weezer", "title": folder}
        write_audio(
            tmp_path / "music" / folder / "1.mp3",
            seconds=0.1,
            seed=number,
            **tags,
            year=year,
            musicbrainz_album_id=id,
        )
    store.media.scan(library.id)
    return library


@pytest.mark.parametrize("given", [{"year": 2001}, {"musicbrainz_id": GREEN}])
def test_an_album_is_told_from_another_of_its_name_by_year_or_id(
    store: Store, music: MediaLibrary, given: dict[str, Any]
) -> None:
    saved = store.media.save_album(
        music.id, title="Weezer", album_artist="Weezer", label="Geffen", **given
    )
    assert (saved.year, saved.musicbrainz_id) == (2001, GREEN)
    assert [album.label for album in store.media.albums().items].count("Geffen") == 1


@pytest.mark.parametrize("given", [{}, {"year": 1999}, {"musicbrainz_id": "another"}])
def test_one_of_two_albums_of_a_name_is_refused_naming_both(
    store: Store, music: MediaLibrary, given: dict[str, Any]
) -> None:
    before = sorted(album.id for album in store.media.albums().items)
    said = f"'Weezer': give musicbrainz_id, year or id, one of {', '.join(before)}"
    with pytest.raises(ConflictError, match=said):
        store.media.save_album(
            music.id, title="Weezer", album_artist="Weezer", label="Geffen", **given
        )
    assert sorted(album.id for album in store.media.albums().items) == before
    assert store.media.save_album(music.id, title="Weezer", album_artist="Cher").id not in before
    renamed = store.media.save_album(music.id, id=before[0], title="Blue Album")
    (left,) = {before[1]} - {renamed.id}
    assert store.media.save_album(music.id, title="Weezer", album_artist="Weezer").id == left


def test_films_and_shows_of_a_name_are_told_apart_by_an_external_id(
    store: Store, tmp_path: Path
) -> None:
    media = store.media
    films = library_of(store, tmp_path / "films", "movie")
    tv = library_of(store, tmp_path / "tv", "tv")
    names = [f"Pinocchio (2022) [tmdbid-{n}].mkv" for n in (1, 2)]
    names += [f"{who}/Birthday.mkv" for who in ("Anna", "Ben")]
    for number, name in enumerate(names):
        clip(tmp_path / "films" / name, seed=number)
    for number in (1, 2):
        clip(tmp_path / f"tv/Arrow {{tvdb-{number}}}/Arrow S01E01.mkv", seed=number)
    media.scan(films.id)
    media.scan(tv.id)
    movie = media.save_movie(films.id, title="Pinocchio", year=2022, tmdb_id=2, overview="x")
    show = media.save_show(tv.id, title="Arrow", tvdb_id=2, overview="x")
    assert (movie.tmdb_id, show.tvdb_id) == (2, 2)
    assert [one.overview for one in media.movies().items].count("x") == 1
    assert (len(media.movies().items), len(media.shows().items)) == (4, 2)
    for title, year in (("Pinocchio", 2022), ("Birthday", None)):
        with pytest.raises(ConflictError, match=f"several movies .* '{title}': give tmdb_id"):
            media.save_movie(films.id, title=title, year=year)
    with pytest.raises(ConflictError, match="several shows .*: give tmdb_id, tvdb_id, imdb_id"):
        media.save_show(tv.id, title="Arrow")
