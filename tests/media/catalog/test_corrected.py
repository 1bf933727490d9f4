"""Corrected facts arrive: a better name of a file or a folder, and a changed tag."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.media.models import Movie, Work

pytestmark = pytest.mark.usefixtures("probing_here")

BLUE = "0b1f2c3d-0000-4000-8000-000000001994"
GREEN = "0b1f2c3d-0000-4000-8000-000000002001"


def library_of(store: Store, folder: Path, kind: str) -> str:
    folder.mkdir(exist_ok=True)
    return store.media.add_library(folder.name, folder, kind).id


def films(store: Store) -> list[tuple[Any, ...]]:
    """Return the name, the ids and the identity of each movie, and the key of its work."""
    with store.reader():
        return [
            (
                movie.title,
                movie.sort_title,
                movie.year,
                movie.tmdb_id,
                movie.imdb_id,
                movie.identity,
                Work.get_by_id(movie.work_id).key,
            )
            for movie in Movie.select().order_by(Movie.identity)
        ]


RENAMED = [
    ("Dune/Dune.mkv", "Dune (2021)/Dune.mkv"),
    ("Dune (2020)/Dune.mkv", "Dune (2021)/Dune.mkv"),
    ("Dune (2020)/Dune (2020).mkv", "Dune (2021)/Dune (2021).mkv"),
    ("Dnue (2021)/Dnue (2021).mkv", "Dune (2021)/Dune (2021).mkv"),
    ("DUNE (2021)/DUNE (2021).mkv", "Dune (2021)/Dune (2021).mkv"),
    ("The Dune (2021)/a.mkv", "A Dune (2021)/a.mkv"),
    ("Dune (2021)/Dune.mkv", "Dune (2021) {tmdb-438631}/Dune.mkv"),
    ("Dune (2021) {tmdb-111}/Dune.mkv", "Dune (2021) {tmdb-438631}/Dune.mkv"),
    ("Dune (2021) {imdb-tt0000001}/Dune.mkv", "Dune (2021) {imdb-tt1160419}/Dune.mkv"),
    ("Dune (2021) {tmdb-111}/Dune.mkv", "Dune (2021)/Dune.mkv"),
    ("Dune {tmdb-111}/Dune.mkv", "Dune (2021) {tmdb-438631}/Dune.mkv"),
    ("Dune (2020) {tmdb-111}/Dune.mkv", "Dune Two (2024) {tmdb-111}/Dune.mkv"),
]


def moved(root: Path, before: str, after: str) -> None:
    """Rename the folder of a file, then the file in it."""
    (root / before).parent.rename((root / after).parent)
    if Path(before).name != Path(after).name:
        (root / after).with_name(Path(before).name).rename(root / after)


@pytest.mark.parametrize(("before", "after"), RENAMED)
@pytest.mark.parametrize("versions", [1, 2])
def test_a_film_takes_the_better_name_of_its_folder(
    store: Store, tmp_path: Path, clock: Any, before: str, after: str, versions: int
) -> None:
    root = tmp_path / "films"
    library = library_of(store, root, "movie")
    clip(root / before, seed=1)
    if versions == 2:
        clip((root / before).with_stem(f"{Path(before).stem} - 720p"), seed=2)
    clock.advance(60)
    store.media.scan(library)
    (movie,) = store.media.movies().items
    moved(root, before, after)
    if versions == 2:
        old = (root / after).with_name(f"{Path(before).stem} - 720p.mkv")
        old.rename(old.with_name(f"{Path(after).stem} - 720p.mkv"))
    clock.advance(60)
    store.media.scan(library)
    corrected = films(store)
    assert [one.id for one in store.media.movies().items] == [movie.id]
    assert len(store.media.movie(movie.id).files) == versions
    store.media.remove_library(library)
    store.media.save_movie(
        library_of(store, tmp_path / "other", "movie"), title="Something else", year=1
    )
    store.media.scan(library_of(store, root, "movie"))
    fresh = [one for one in films(store) if one[0] != "Something else"]
    assert corrected == fresh
    assert store.media.search(corrected[0][0])[0].title == corrected[0][0]


@pytest.mark.parametrize("how", ["saved", "raw", "cleared"])
def test_what_was_written_of_a_film_stays_whatever_its_name_becomes(
    store: Store, tmp_path: Path, clock: Any, how: str
) -> None:
    root = tmp_path / "films"
    library = library_of(store, root, "movie")
    clip(root / "Dnue (2020) {tmdb-111}/Dune.mkv", seed=1)
    store.media.scan(library)
    (movie,) = store.media.movies().items
    written: dict[str, Any] = {"title": "Wüste", "year": 1999, "tmdb_id": 7}
    if how == "cleared":
        written.update(year=None, tmdb_id=None)
    if how == "raw":
        with store.writer():
            Movie.update(**written).where(Movie.id == movie.id).execute()
    else:
        store.media.save_movie(library, id=movie.id, **written)
    moved(root, "Dnue (2020) {tmdb-111}/Dune.mkv", "Dune (2021) {tmdb-438631}/Dune.mkv")
    clock.advance(60)
    store.media.scan(library)
    (after,) = store.media.movies().items
    assert after.id == movie.id
    assert {name: getattr(after, name) for name in written} == written


def test_a_value_that_a_person_confirmed_stays(store: Store, tmp_path: Path, clock: Any) -> None:
    root = tmp_path / "films"
    library = library_of(store, root, "movie")
    clip(root / "Dune (2021) {tmdb-111}/Dune.mkv", seed=1)
    store.media.scan(library)
    (movie,) = store.media.movies().items
    store.media.save_movie(library, title="Dune", year=2021, tmdb_id=111)  # the key says nothing
    moved(root, "Dune (2021) {tmdb-111}/Dune.mkv", "Dune Two (2024) {tmdb-2}/Dune.mkv")
    clock.advance(60)
    store.media.scan(library)
    (after,) = store.media.movies().items
    assert (after.id, after.title, after.year, after.tmdb_id) == (movie.id, "Dune Two", 2024, 111)


SHOWS = [
    ("Lost", "Lost (2004)", ("Lost", 2004, None, None)),
    ("Lost (2003)", "Lost (2004)", ("Lost", 2004, None, None)),
    ("Lsot (2004)", "Lost (2004)", ("Lost", 2004, None, None)),
    ("LOST (2004)", "Lost (2004)", ("Lost", 2004, None, None)),
    ("Lost (2004)", "Lost (2004) {tvdb-73739}", ("Lost", 2004, 73739, None)),
    ("Lost (2004) {tvdb-111}", "Lost (2004) {tvdb-73739}", ("Lost", 2004, 73739, None)),
    ("Lost (2004) {tvdb-111}", "Lost (2004)", ("Lost", 2004, None, None)),
    ("Lost {tmdb-111}", "Lost (2004) {tmdb-4607}", ("Lost", 2004, None, 4607)),
]


@pytest.mark.parametrize(("before", "after", "expected"), SHOWS)
def test_a_show_takes_the_better_name_of_its_folder(
    store: Store, tmp_path: Path, clock: Any, before: str, after: str, expected: Any
) -> None:
    root = tmp_path / "tv"
    library = library_of(store, root, "tv")
    for number in (1, 2):
        clip(root / before / f"Season 1/S01E0{number}.mkv", seed=number)
    clock.advance(60)
    store.media.scan(library)
    (show,) = store.media.shows().items
    episodes = [one.id for one in store.media.show(show.id).seasons[0].episodes]
    (root / before).rename(root / after)
    clock.advance(60)
    store.media.scan(library)
    (found,) = store.media.shows().items
    assert (found.title, found.year, found.tvdb_id, found.tmdb_id) == expected
    assert found.id == show.id
    assert [one.id for one in store.media.show(show.id).seasons[0].episodes] == episodes
    with store.reader():
        key = Work.get_by_id(store.media.show(show.id).work_id).key
    assert (found.identity, key) == ("show:lost:2004", "show:lost:2004")
    assert store.media.search("lost")[0].title == "Lost"


def test_an_episode_takes_the_better_name_of_its_file(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    root = tmp_path / "tv/Lost (2004)/Season 1"
    library = library_of(store, tmp_path / "tv", "tv")
    for name in ("E01-E02 - Pilot", "E03 - Tabla Rasa", "E04 - Walkabout"):
        clip(root / f"Lost - S01{name}.mkv", seed=len(name))
    store.media.scan(library)
    (show,) = store.media.shows().items
    store.media.save_episode(show.id, season_number=1, episode_number=4, title="Locke")
    for before, after in (
        ("E01-E02 - Pilot", "E01 - Pilot"),
        ("E03 - Tabla Rasa", "E03 - Tabula Rasa"),
        ("E04 - Walkabout", "E04"),
    ):
        (root / f"Lost - S01{before}.mkv").rename(root / f"Lost - S01{after}.mkv")
    clock.advance(60)
    store.media.scan(library)
    found = [
        (one.episode_number, one.episode_number_end, one.title)
        for one in store.media.show(show.id).seasons[0].episodes
    ]
    assert found == [(1, None, "Pilot"), (3, None, "Tabula Rasa"), (4, None, "Locke")]


@pytest.mark.parametrize("how", ["saved", "raw", "cleared"])
def test_what_was_written_of_a_show_stays_whatever_its_name_becomes(
    store: Store, tmp_path: Path, clock: Any, how: str
) -> None:
    root = tmp_path / "tv"
    library = library_of(store, root, "tv")
    clip(root / "Lsot (2003) {tvdb-111}/Season 1/S01E01 - Plot.mkv", seed=1)
    store.media.scan(library)
    (show,) = store.media.shows().items
    (episode,) = store.media.show(show.id).seasons[0].episodes
    of_show: dict[str, Any] = {"title": "Verloren", "year": 1999, "tvdb_id": 7}
    of_episode: dict[str, Any] = {"title": "Anfang"}
    if how == "cleared":
        of_show, of_episode = {"year": None, "tvdb_id": None}, {"title": None}
    if how == "raw":
        with store.writer():
            type(show).update(**of_show).where(type(show).id == show.id).execute()
            type(episode).update(**of_episode).where(type(episode).id == episode.id).execute()
    else:
        store.media.save_show(library, id=show.id, **of_show)
        store.media.save_episode(show.id, id=episode.id, **of_episode)
    (root / "Lsot (2003) {tvdb-111}").rename(root / "Lost (2004) {tvdb-73739}")
    path = root / "Lost (2004) {tvdb-73739}/Season 1/S01E01 - Plot.mkv"
    path.rename(path.with_name("S01E01 - Pilot.mkv"))
    clock.advance(60)
    store.media.scan(library)
    (after,) = store.media.shows().items
    (own,) = store.media.show(after.id).seasons[0].episodes
    assert (after.id, own.id) == (show.id, episode.id)
    assert {name: getattr(after, name) for name in of_show} == of_show
    assert {name: getattr(own, name) for name in of_episode} == of_episode


@pytest.mark.parametrize("after", ["S01E05 - White", "S01E07 - White"])
@pytest.mark.parametrize("numbers", [{"episode_number": 6}, {"season_number": 2}])
def test_an_episode_keeps_the_numbers_that_a_person_gave_it(
    store: Store, tmp_path: Path, clock: Any, numbers: dict[str, int], after: str
) -> None:
    root = tmp_path / "tv/Lost (2004)/Season 1"
    library = library_of(store, tmp_path / "tv", "tv")
    path = clip(root / "Lost S01E05 - White.mkv", seed=1)
    store.media.scan(library)
    (show,) = store.media.shows().items
    (episode,) = store.media.show(show.id).seasons[0].episodes
    store.media.save_episode(show.id, id=episode.id, **numbers)
    store.playback.set_progress("ann", episode.media_file_id, 0.1)
    if after == "S01E05 - White":
        clip(path, seed=2)
    else:
        path.rename(root / f"Lost {after}.mkv")
    clock.advance(60)
    store.media.scan(library)
    ((found,),) = [one.episodes for one in store.media.show(show.id).seasons if one.episodes]
    assert found.id == episode.id
    expected = {"season_number": 1, "episode_number": 5, **numbers}
    assert {name: getattr(found, name) for name in expected} == expected
    assert found.media_file.path == str(root / f"Lost {after}.mkv")


# Music

SONG = {
    "title": "Aria",
    "artist": "Gould",
    "album": "Goldberg",
    "track": 1,
    "disc": 1,
    "year": 1955,
    "genre": "Pop",
    "musicbrainz_album_id": BLUE,
}
RETAGGED = [
    {"title": "Aria da capo"},
    {"title": "ARIA"},
    {"artist": "Glenn Gould"},
    {"album": "Goldberg Variations"},
    {"album": "GOLDBERG"},
    {"album_artist": "Bach"},
    {"track": 2},
    {"disc": 2},
    {"year": 1981},
    {"genre": "Classical"},
    {"genre": None},
    {"year": None},
    {"musicbrainz_album_id": GREEN},
    {"musicbrainz_album_id": None},
    {"title": "Aria da capo", "track": 32, "year": 1981, "genre": "Classical"},
]


def song(path: Path, number: int, **tags: Any) -> None:
    merged = {**SONG, "title": f"{SONG['title']} {number}", "track": number, **tags}
    if number > 1:
        merged.update(title=f"{merged['title']} {number}", track=merged["track"] + number)
    write_audio(path, seconds=0.1, seed=sum(str(merged).encode()), **merged)


def music(store: Store) -> list[tuple[Any, ...]]:
    found = []
    for one in store.media.albums().items:
        album = store.media.album(one.id)
        found.append(
            (album.identity, album.title, album.sort_title, album.album_artist, album.artists)
            + (album.year, album.genres, album.musicbrainz_id, album.track_count)
        )
        found += [
            (track.title, track.artist, track.disc_number, track.track_number, track.year)
            + (track.genres, track.musicbrainz_id)
            for track in album.tracks
        ]
    return found


@pytest.mark.parametrize("tags", RETAGGED, ids=str)
@pytest.mark.parametrize("tracks", [1, 2])
def test_an_album_and_its_tracks_take_changed_tags(
    store: Store, tmp_path: Path, clock: Any, tags: dict[str, Any], tracks: int
) -> None:
    root = tmp_path / "music"
    library = library_of(store, root, "music")
    for number in range(1, tracks + 1):
        song(root / f"a/{number}.mp3", number)
    clock.advance(60)
    store.media.scan(library)
    (album,) = store.media.albums().items
    before = [track.id for track in store.media.album(album.id).tracks]
    for number in range(1, tracks + 1):
        song(root / f"a/{number}.mp3", number, **tags)
    clock.advance(60)
    assert store.media.scan(library).updated == tracks
    assert [one.id for one in store.media.albums().items] == [album.id]
    assert [track.id for track in store.media.album(album.id).tracks] == before
    corrected = music(store)
    store.media.remove_library(library)
    store.media.scan(library_of(store, root, "music"))
    assert corrected == music(store)


@pytest.mark.parametrize("how", ["saved", "raw", "cleared"])
def test_what_was_written_of_music_stays_whatever_its_tags_become(
    store: Store, tmp_path: Path, clock: Any, how: str
) -> None:
    root = tmp_path / "music"
    library = library_of(store, root, "music")
    song(root / "1.mp3", 1)
    store.media.scan(library)
    (album,) = store.media.albums().items
    (track,) = store.media.album(album.id).tracks
    of_album: dict[str, Any] = {
        "title": "Goldberg!",
        "year": 1956,
        "genres": ["Baroque"],
        "album_artist": "GG",
    }
    of_track: dict[str, Any] = {
        "title": "Aria!",
        "artist": "GG",
        "track_number": 9,
        "year": 1956,
        "genres": ["x"],
    }
    if how == "cleared":
        of_album, of_track = {"year": None, "genres": None}, {"year": None, "genres": None}
    if how != "raw":
        store.media.save_album(library, id=album.id, **of_album)
        store.media.save_track(album.id, id=track.id, **of_track)
    else:
        with store.writer():
            type(album).update(**of_album).where(type(album).id == album.id).execute()
            type(track).update(**of_track).where(type(track).id == track.id).execute()
    changed = {"title": "Air", "artist": "Bach", "year": 1, "genre": "y", "track": 3}
    song(root / "1.mp3", 1, **{**changed, "year": 1999})
    clock.advance(60)
    store.media.scan(library)
    (after,) = store.media.albums().items
    (own,) = store.media.album(after.id).tracks
    assert (after.id, own.id) == (album.id, track.id)
    assert {name: getattr(after, name) for name in of_album} == of_album
    assert {name: getattr(own, name) for name in of_track} == of_track


def test_the_first_track_speaks_for_its_album_in_whatever_order_they_come(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    found = []
    for order in ((1, 2, 3), (3, 1, 2)):
        root = tmp_path / f"music{order[0]}"
        library = library_of(store, root, "music")
        for number in order:
            song(root / f"a/{number}.mp3", number, year=1950 + number, genre=f"G{number}")
            clock.advance(60)
            store.media.scan(library)
        (album,) = store.media.albums(library_id=library).items
        found.append((album.year, album.genres))
    assert found == [(1951, ["G1"])] * 2


def test_a_plugin_writes_over_what_was_read_and_never_over_a_person(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    root = tmp_path / "films"
    library = library_of(store, root, "movie")
    clip(root / "Dune (2021)/Dune.mkv", seed=1)
    store.media.scan(library)
    (movie,) = store.media.movies().items
    store.media.save_movie(library, id=movie.id, overview="Sand.")
    values = {"title": "Dune: Part One", "overview": "A plugin's.", "runtime": 155}
    store.media.save_movie(library, id=movie.id, lock=False, **values)
    moved(root, "Dune (2021)/Dune.mkv", "DUNE (2021)/Dune.mkv")
    clock.advance(60)
    store.media.scan(library)
    after = store.media.movie(movie.id)
    assert (after.title, after.overview, after.runtime) == ("Dune: Part One", "Sand.", 155)
    assert {name: known[0] for name, known in after.sources.items()} == {
        "title": "plugin",
        "overview": "person",
        "runtime": "plugin",
        "year": "name",
    }
