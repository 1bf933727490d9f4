"""What is one album and what is two, and that a renamed album stays the same one."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import every_file
from tests.support.media import write_audio
from viewra_lite import Album, Store
from viewra_lite.media.scanning import scan

pytestmark = [pytest.mark.usefixtures("probing_here")]

BLUE = "0b1f2c3d-0000-4000-8000-000000001994"
GREEN = "0b1f2c3d-0000-4000-8000-000000002001"
Song = dict[str, Any]


def song(path: str, **tags: Any) -> Song:
    """Return a file to be written: its path and its tags."""
    return {"path": path, **tags}


def write(folder: Path, *songs: Song) -> None:
    """Write songs, each with a content of its own."""
    for one in songs:
        tags = {name: value for name, value in one.items() if name != "path"}
        seed = sum(one["path"].encode()) * 1000 + len(str(tags))
        write_audio(folder / one["path"], seconds=0.1, seed=seed, **tags)


def scanned(store: Store, folder: Path, *steps: tuple[Song, ...]) -> str:
    """Scan a new music library after each step; return its id."""
    folder.mkdir()
    library = store.media.add_library(folder.name, folder, "music")
    for songs in steps:
        write(folder, *songs)
        store.media.scan(library.id)
    return library.id


def albums(store: Store, library_id: str) -> list[tuple[Any, ...]]:
    """Return what tells a library's albums apart, and the titles of their tracks."""
    found = [store.media.album(one.id) for one in store.media.albums(library_id=library_id).items]
    return sorted(
        (
            one.identity,
            one.title,
            one.album_artist,
            one.artists,
            one.track_count,
            sorted(track.title for track in one.tracks),
        )
        for one in found
    )


def weezer(folder: str, number: int = 1, **tags: Any) -> Song:
    given = {"artist": "Weezer", "album": "Weezer", "title": f"{folder} {number}", **tags}
    return song(f"Weezer/{folder}/{number:02} x.mp3", track=number, **given)


BY_TWO = {"album": "Greatest Hits", "track": 1}
CASES: dict[str, tuple[int, list[Song]]] = {
    "ids differ": (
        2,
        [weezer("Blue", musicbrainz_album_id=BLUE), weezer("Green", musicbrainz_album_id=GREEN)],
    ),
    "ids differ in one folder": (
        2,
        [weezer("All", musicbrainz_album_id=BLUE), weezer("All", 2, musicbrainz_album_id=GREEN)],
    ),
    "ids differ, and years are equal": (
        2,
        [
            weezer("Blue", year=1994, musicbrainz_album_id=BLUE),
            weezer("Green", year=1994, musicbrainz_album_id=GREEN),
        ],
    ),
    "an equal id joins folders and years": (
        1,
        [
            weezer("Blue", year=1994, musicbrainz_album_id=BLUE),
            weezer("Bonus", 2, year=2004, musicbrainz_album_id=BLUE),
        ],
    ),
    "an equal id joins names": (
        1,
        [
            weezer("Blue", musicbrainz_album_id=BLUE),
            weezer("Blue 2", 2, album="Weezer (disc two)", musicbrainz_album_id=BLUE),
        ],
    ),
    "years and folders differ": (2, [weezer("Blue", year=1994), weezer("Green", year=2001)]),
    "years differ in one folder": (1, [weezer("All", year=1994), weezer("All", 2, year=2001)]),
    "years differ, one id": (
        2,
        [weezer("Blue", year=1994, musicbrainz_album_id=BLUE), weezer("Green", year=2001)],
    ),
    "no year is no proof": (1, [weezer("Blue", year=1994), weezer("More", 2)]),
    "no id is no proof": (1, [weezer("Blue", musicbrainz_album_id=BLUE), weezer("Blue", 2)]),
    "discs below one folder": (
        1,
        [weezer("Box/CD1", disc=1, year=1994), weezer("Box/Disc 2", 2, disc=2, year=1995)],
    ),
    "discs side by side": (
        1,
        [weezer("Box CD1", disc=1, year=1994), weezer("Box CD2", 2, disc=2, year=1995)],
    ),
    "a sampler": (
        1,
        [
            song(
                f"Sampler/{n:02} x.mp3",
                album="Sampler",
                artist=f"Artist {n}",
                title=f"T{n}",
                track=n,
            )
            for n in (1, 2, 3, 4)
        ],
    ),
    "a sampler on two discs": (
        1,
        [
            song(
                f"Sampler/CD{n}/01 x.mp3",
                album="Sampler",
                artist=f"Artist {n}",
                title=f"T{n}",
                track=1,
                disc=n,
            )
            for n in (1, 2)
        ],
    ),
    "two samplers of one title": (
        2,
        [
            song(
                f"{place}/{n:02} x.mp3",
                album="Hits",
                artist=f"{place} {n}",
                title=f"{place}{n}",
                track=n,
            )
            for place in ("Here", "There")
            for n in (1, 2)
        ],
    ),
    "a title by two artists": (
        2,
        [
            song("Abba/Greatest Hits/01 x.mp3", artist="Abba", title="A", **BY_TWO),
            song("Queen/Greatest Hits/01 x.mp3", artist="Queen", title="Q", **BY_TWO),
        ],
    ),
    "album artists differ in one folder": (
        2,
        [
            song("Mixed/1.mp3", artist="A", album_artist="Abba", title="A", **BY_TWO),
            song("Mixed/2.mp3", artist="Q", album_artist="Queen", title="Q", **BY_TWO),
        ],
    ),
    "a guest on an album": (
        1,
        [
            song("Queen/Greatest Hits/01 x.mp3", artist="Queen", title="A", **BY_TWO),
            song("Queen/Greatest Hits/02 x.mp3", artist="David Bowie & Queen", title="B", **BY_TWO),
        ],
    ),
    "an album artist, and none": (
        1,
        [
            song("Hits/1.mp3", artist="Queen", album_artist="Queen", title="A", **BY_TWO),
            song("Hits/2.mp3", artist="Queen", title="B", **BY_TWO),
            song("Hits/3.mp3", artist="David Bowie", title="C", **BY_TWO),
        ],
    ),
    "various artists, and none": (
        1,
        [
            song("Hits/1.mp3", artist="Queen", album_artist="Various Artists", title="A", **BY_TWO),
            song("Hits/2.mp3", artist="Abba", title="B", **BY_TWO),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_one_album_and_what_is_two_in_whatever_order(
    store: Store, tmp_path: Path, case: str
) -> None:
    count, songs = CASES[case]
    once = albums(store, scanned(store, tmp_path / "m", tuple(songs)))
    assert len(once) == count
    tell_all(store, tmp_path)
    for name, order in (("m", songs), ("m", songs[::-1])):
        later = scanned(store, tmp_path / name, *((one,) for one in order))
        found = albums(store, later)
        assert found == once, case
        tell_all(store, tmp_path)


def tell_all(store: Store, tmp_path: Path) -> None:
    """Take the library away, with its folder."""
    (library,) = store.media.libraries()
    store.media.remove_library(library.id)
    (tmp_path / "m").rename(tmp_path / f"old-{len(list(tmp_path.iterdir()))}")


def test_a_sampler_is_of_various_artists_and_names_them(store: Store, tmp_path: Path) -> None:
    _, songs = CASES["a sampler"]
    ((_, title, artist, artists, count, _),) = albums(
        store, scanned(store, tmp_path / "m", tuple(songs))
    )
    assert (title, artist, count) == ("Sampler", "Various Artists", 4)
    assert artists == ["Artist 1", "Artist 2", "Artist 3", "Artist 4"]


def test_a_guest_leaves_an_album_to_the_artist_of_its_folder(store: Store, tmp_path: Path) -> None:
    _, songs = CASES["a guest on an album"]
    assert albums(store, scanned(store, tmp_path / "m", tuple(songs)))[0][2] == "Queen"


def test_files_without_an_album_are_no_compilation(store: Store, tmp_path: Path) -> None:
    loose = tuple(song(f"{n}.mp3", artist=f"Artist {n}", title=f"T{n}") for n in (1, 2))
    assert [row[2] for row in albums(store, scanned(store, tmp_path / "m", loose))] == [
        "Artist 1",
        "Artist 2",
    ]


def test_an_album_that_is_alone_again_needs_nothing_but_its_name(
    store: Store, tmp_path: Path
) -> None:
    green = weezer("Green", year=2001)
    library_id = scanned(store, tmp_path / "m", (weezer("Blue", year=1994), green))
    assert [row[0] for row in albums(store, library_id)] == [
        "album:weezer:weezer:1994",
        "album:weezer:weezer:2001",
    ]
    write(tmp_path / "m", {**green, "album": "Green"})
    store.media.scan(library_id)
    assert [row[0] for row in albums(store, library_id)] == [
        "album:weezer:green",
        "album:weezer:weezer",
    ]


OLD = {"artist": "Wezer", "album": "Blu", "year": 1994}
RENAMES: dict[str, tuple[Song, Song]] = {
    "title": (OLD, {**OLD, "album": "Blue"}),
    "artist": (OLD, {**OLD, "artist": "Weezer"}),
    "both": (OLD, {**OLD, "artist": "Weezer", "album": "Blue"}),
    "album artist": ({**OLD, "album_artist": "Wezer"}, {**OLD, "album_artist": "Weezer"}),
    "album artist appears": (OLD, {**OLD, "album_artist": "Weezer"}),
    "album artist disappears": ({**OLD, "album_artist": "Weezer"}, OLD),
    "title, one id": (
        {**OLD, "musicbrainz_album_id": BLUE},
        {**OLD, "album": "B", "musicbrainz_album_id": BLUE},
    ),
    "an id appears": (OLD, {**OLD, "musicbrainz_album_id": BLUE}),
    "another id": ({**OLD, "musicbrainz_album_id": GREEN}, {**OLD, "musicbrainz_album_id": BLUE}),
}


def disc(tags: Song) -> tuple[Song, ...]:
    return tuple(song(f"x/y/{n:02} {n}.mp3", title=f"T{n}", track=n, **tags) for n in (1, 2, 3))


def tagged(album: Album) -> tuple[Any, ...]:
    return album.title, album.album_artist, album.sort_title, album.musicbrainz_id, album.identity


@pytest.mark.parametrize(
    ("case", "batch"), [*((case, 1) for case in RENAMES), ("title", 100), ("artist", 100)]
)
def test_a_renamed_album_keeps_its_id_and_its_tracks_what_was_played(
    store: Store, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, batch: int
) -> None:
    monkeypatch.setattr(scan, "_PROGRESS_EVERY", batch)
    before, after = RENAMES[case]
    library_id = scanned(store, tmp_path / "m", disc(before))
    (album,) = store.media.albums(library_id=library_id).items
    store.media.save_album(library_id, id=album.id, label="Geffen", cover_path="c.jpg")
    tracks = [track.id for track in store.media.album(album.id).tracks]
    file = every_file(store, library_id)[0]
    store.playback.mark_watched("ann", file.id)
    clock.advance(60)
    write(tmp_path / "m", *disc(after))
    store.media.scan(library_id)
    (now,) = store.media.albums(library_id=library_id).items
    assert (now.id, now.label, now.cover_path) == (album.id, "Geffen", "c.jpg")
    assert [track.id for track in store.media.album(now.id).tracks] == tracks
    assert store.playback.progress("ann", file.id).completed
    found = tagged(now)
    tell_all(store, tmp_path)
    fresh = scanned(store, tmp_path / "m", disc(after))
    assert tagged(store.media.albums(library_id=fresh).items[0]) == found
    assert store.playback.progress("ann", every_file(store, fresh)[0].id).completed


def test_a_name_that_a_person_gave_an_album_outlives_new_tags(
    store: Store, clock: Any, tmp_path: Path
) -> None:
    library_id = scanned(store, tmp_path / "m", disc(OLD))
    (album,) = store.media.albums(library_id=library_id).items
    store.media.save_album(library_id, id=album.id, title="The Blue Album", artists=["Rivers"])
    clock.advance(60)
    write(tmp_path / "m", *disc({**OLD, "album": "Blue"}))
    store.media.scan(library_id)
    (now,) = store.media.albums(library_id=library_id).items
    assert (now.id, now.title, now.artists) == (album.id, "The Blue Album", ["Rivers"])
    assert album.id in [hit.id for hit in store.media.search("Blue Album")]


def test_a_track_that_leaves_for_another_album_takes_only_itself(
    store: Store, tmp_path: Path
) -> None:
    library_id = scanned(store, tmp_path / "m", disc(OLD))
    (album,) = store.media.albums(library_id=library_id).items
    write(tmp_path / "m", disc({**OLD, "album": "Other"})[0])
    store.media.scan(library_id)
    assert [row[1::3] for row in albums(store, library_id)] == [("Blu", 2), ("Other", 1)]
    assert store.media.album(album.id).title == "Blu"


def test_a_renamed_album_of_two_formats_keeps_its_id(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    def both(album: str) -> tuple[Song, ...]:
        return tuple(
            song(f"x/{suffix[1:]}/01 1{suffix}", title="T1", track=1, artist="A", album=album)
            for suffix in (".flac", ".mp3")
        )

    library_id = scanned(store, tmp_path / "m", both("Old"))
    (album,) = store.media.albums(library_id=library_id).items
    clock.advance(60)
    write(tmp_path / "m", *both("New"))
    store.media.scan(library_id)
    (now,) = store.media.albums(library_id=library_id).items
    assert (now.id, now.title, now.track_count) == (album.id, "New", 1)


@pytest.mark.parametrize("case", ["title", "artist", "both", "album artist", "another id"])
def test_an_album_that_is_renamed_over_several_scans_keeps_its_id(
    store: Store, clock: Any, tmp_path: Path, case: str
) -> None:
    before, after = RENAMES[case]
    library_id = scanned(store, tmp_path / "m", disc(before))
    (album,) = store.media.albums(library_id=library_id).items
    tracks = {track.id for track in store.media.album(album.id).tracks}
    for one in disc(after):
        clock.advance(60)
        write(tmp_path / "m", one)
        store.media.scan(library_id)
    (now,) = store.media.albums(library_id=library_id).items
    assert (now.id, now.title) == (album.id, after["album"])
    assert {track.id for track in store.media.album(now.id).tracks} == tracks


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_songs_without_year_and_id_join_the_only_album_of_their_name_that_there_is(
    store: Store, tmp_path: Path, order: tuple[int, ...]
) -> None:
    songs = (weezer("A", year=1994), weezer("B", year=2001), weezer("C"))
    found = scanned(store, tmp_path / "m", *((songs[number],) for number in order))
    assert len(albums(store, found)) == (3 if order[2] == 2 else 2)
    tell_all(store, tmp_path)
    assert len(albums(store, scanned(store, tmp_path / "m", songs))) == 3  # in the order of paths


@pytest.mark.parametrize("curated", [False, True])
def test_an_album_whose_tracks_all_go_to_one_with_more_does_not_replace_it(
    store: Store, clock: Any, tmp_path: Path, curated: bool
) -> None:
    library_id = scanned(store, tmp_path / "m", disc(OLD))
    new = {**OLD, "album": "Blue"}
    extra = song("x/y/09 9.mp3", title="T9", track=9, **new)
    write(tmp_path / "m", *(disc(new)[:1] if curated else (extra,)))
    clock.advance(60)
    store.media.scan(library_id)
    blue = next(one for one in store.media.albums().items if one.title == "Blue")
    if curated:
        store.media.save_album(library_id, id=blue.id, label="Geffen")
    for one in disc(new):
        clock.advance(60)
        write(tmp_path / "m", one)
        store.media.scan(library_id)
    (now,) = store.media.albums(library_id=library_id).items
    assert (now.id, now.label) == (blue.id, "Geffen" if curated else None)
