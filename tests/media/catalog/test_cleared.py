"""What a person has cleared stays empty: no scan brings it back or makes the row another thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.libraries import clip
from tests.support.media import write_audio

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")


def library_of(store: Store, folder: Path, kind: str) -> MediaLibrary:
    folder.mkdir()
    return store.media.add_library(folder.name, folder, kind)


def add(store: Store, library: MediaLibrary, clock: Any, *names: str) -> None:
    """Write clips, and scan a minute later."""
    for name in names:
        clip(Path(library.path) / name, seed=sum(name.encode()) % 4000)
    clock.advance(60)
    store.media.scan(library.id)


def test_the_id_of_a_film_that_was_cleared_stays_so_and_still_tells_it_from_others(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    films, media = library_of(store, tmp_path / "films", "movie"), store.media
    add(store, films, clock, "A/Heat (1995) [tmdbid-949] [imdbid-tt0113277].mkv")
    (heat,) = media.movies().items
    media.save_movie(films.id, id=heat.id, tmdb_id=None)
    media.save_movie(films.id, id=heat.id, imdb_id=None, title="Heat")
    add(store, films, clock, "B/Heat (1995) [tmdbid-949].mkv", "C/Heat (1995).mkv")
    (after,) = media.movies().items
    assert (after.id, after.tmdb_id, after.imdb_id) == (heat.id, None, None)
    assert len(media.movie(heat.id).files) == 3
    add(store, films, clock, "D/Heat (1995) [tmdbid-12].mkv")
    ids = sorted((movie.id, movie.tmdb_id) for movie in media.movies().items)
    assert ids == [(heat.id, None), (ids[1][0], 12)]
    assert media.save_movie(films.id, id=heat.id, tmdb_id=949).tmdb_id == 949


def test_the_year_of_a_film_and_the_id_of_a_show_that_were_cleared_stay_so(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    films, media = library_of(store, tmp_path / "films", "movie"), store.media
    tv = library_of(store, tmp_path / "tv", "tv")
    add(store, films, clock, "Dark/Dark (1999).mkv")
    add(store, tv, clock, "Bones (2005) {tvdb-75682}/Bones S01E01 Pilot.mkv")
    (dark,), (bones,) = media.movies().items, media.shows().items
    media.save_movie(films.id, id=dark.id, year=None)
    media.save_show(tv.id, id=bones.id, tvdb_id=None, year=None)
    media.save_episode(bones.id, season_number=1, episode_number=1, title=None)
    add(store, films, clock, "Dark/Dark (1999) 720p.mkv", "Dark/Dark (2005).mkv")
    add(store, tv, clock, "Bones (2005) {tvdb-75682}/Bones S01E01 Pilot 720p.mkv")
    assert media.movie(dark.id).year is None
    assert len(media.movie(dark.id).files) == 2
    (bones,) = media.shows().items
    assert (bones.tvdb_id, bones.year) == (None, None)
    (episode,) = media.show(bones.id).seasons[0].episodes
    assert episode.title is None


BLUE = "0b1f2c3d-0000-4000-8000-000000001994"
GREEN = "0b1f2c3d-0000-4000-8000-000000002001"


def test_the_id_and_the_year_of_an_album_that_were_cleared_stay_so(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    music, media = library_of(store, tmp_path / "music", "music"), store.media
    songs = [("Blue", 1, 1994, BLUE), ("Blue", 2, 1994, BLUE), ("Green", 3, 2001, GREEN)]
    for folder, number, year, id in songs:
        write_audio(
            Path(music.path) / folder / f"{number}.mp3",
            seconds=0.1,
            seed=number,
            **{"artist": "Weezer", "album": "Weezer", "title": f"T{number}", "track": number},
            **{"year": year, "musicbrainz_album_id": id},
        )
        clock.advance(60)
        media.scan(music.id)
        if number == 1:
            (blue,) = media.albums().items
            media.save_album(music.id, id=blue.id, musicbrainz_id=None, year=None)
    assert [track.title for track in media.album(blue.id).tracks] == ["T1", "T2"]
    assert (media.album(blue.id).musicbrainz_id, media.album(blue.id).year) == (None, None)
    assert len(media.albums().items) == 2
