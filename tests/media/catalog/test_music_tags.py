"""What tags bring to albums and tracks, and which file decides where they differ."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import write_audio
from tests.support.tagged import write_tagged
from viewra_lite import Store
from viewra_lite.media.models import Album, Track
from viewra_lite.media.probing.tag_values import LONGEST_LYRICS

pytestmark = pytest.mark.usefixtures("probing_here")

ONE, TWO, THREE = (f"0b1f2c3d-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
ALBUM = {
    "album": "Homogenic",
    "albumartist": "Björk",
    "date": "1997-09-22",
    "originaldate": "1997",
    "label": "One Little Indian",
    "releasetype": "album",
    "compilation": "0",
    "replaygain_album_gain": "-8.25 dB",
    "replaygain_album_peak": "1.012",
    "musicbrainz_albumid": TWO,
    "musicbrainz_albumartistid": ONE,
}
TRACK = {
    "title": "Jóga",
    "artist": "Björk",
    "tracknumber": "2/10",
    "discnumber": "1/2",
    "genre": "Electronic",
    "composer": "Sjón",
    "discsubtitle": "State of Emergency",
    "lyrics": "All these accidents\nthat happen",
    "replaygain_track_gain": "-7.50 dB",
    "replaygain_track_peak": "0.987",
    "musicbrainz_trackid": THREE,
    "musicbrainz_artistid": ONE,
}


class Shelf:
    """A music library, and a clock for its scans."""

    def __init__(self, store: Store, clock: Any, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.store, self.clock, self.folder = store, clock, folder
        self.id = store.media.add_library("Music", folder, "music").id

    def write(self, name: str, tags: Any = (), **more: Any) -> None:
        fields = [*(tags.items() if isinstance(tags, dict) else tags)]
        for key, value in more.items():
            fields = [(known, said) for known, said in fields if known != key]
            values = value if isinstance(value, list) else [value]
            fields += [(key, str(one)) for one in values if one is not None]
        write_tagged(self.folder / name, [*fields, ("comment", name)])  # a content of its own

    def scan(self) -> None:
        self.clock.advance(60)
        result = self.store.media.scan(self.id)
        assert not result.problems

    def albums(self) -> list[Album]:
        page = self.store.media.albums(library_id=self.id, limit=1000)
        return [self.store.media.album(album.id) for album in page.items]

    def album(self) -> Album:
        (album,) = self.albums()
        return album

    def track(self) -> Track:
        (track,) = self.album().tracks
        return track


@pytest.fixture
def shelf(store: Store, clock: Any, tmp_path: Path) -> Shelf:
    return Shelf(store, clock, tmp_path / "m")


def test_a_song_fills_its_album_and_its_track(shelf: Shelf) -> None:
    shelf.write("a.flac", {**ALBUM, **TRACK})
    shelf.scan()
    album, track = shelf.album(), shelf.track()
    assert (album.title, album.album_artist, album.artists) == ("Homogenic", "Björk", ["Björk"])
    assert (album.release_date, album.year) == (date(1997, 9, 22), 1997)
    assert (album.original_date, album.original_year) == (None, 1997)
    assert (album.label, album.album_type) == ("One Little Indian", "album")
    assert (album.is_compilation, album.genres) == (False, ["Electronic"])
    assert (album.replay_gain, album.replay_peak) == (-8.25, 1.012)
    assert (album.musicbrainz_id, album.musicbrainz_artist_ids) == (TWO, [ONE])
    assert (album.disc_titles, album.disc_count) == ({"1": "State of Emergency"}, 2)
    assert album.track_count == 10
    assert (track.title, track.artist, track.artists) == ("Jóga", "Björk", ["Björk"])
    assert (track.disc_number, track.track_number, track.year) == (1, 2, 1997)
    assert (track.genres, track.composer) == (["Electronic"], "Sjón")
    assert track.lyrics == "All these accidents\nthat happen"
    assert (track.replay_gain, track.replay_peak) == (-7.5, 0.987)
    assert (track.musicbrainz_id, track.musicbrainz_artist_ids) == (THREE, [ONE])


CORRECTED: dict[str, tuple[str, str, Any]] = {
    "label": ("Elektra", "label", "Elektra"),
    "releasetype": ("EP", "album_type", "ep"),
    "date": ("1998-01-02", "release_date", date(1998, 1, 2)),
    "originaldate": ("1996-01-02", "original_date", date(1996, 1, 2)),
    "compilation": ("1", "is_compilation", True),
    "replaygain_album_gain": ("-1 dB", "replay_gain", -1.0),
    "replaygain_album_peak": ("0.5", "replay_peak", 0.5),
    "musicbrainz_albumartistid": (THREE, "musicbrainz_artist_ids", [THREE]),
    "genre": ("Trip-Hop", "genres", ["Trip-Hop"]),
    "discsubtitle": ("Pluto", "disc_titles", {"1": "Pluto"}),
}


@pytest.mark.parametrize("field", CORRECTED)
def test_a_corrected_tag_of_an_album_arrives_and_a_persons_value_stays(
    shelf: Shelf, field: str
) -> None:
    written, column, after = CORRECTED[field]
    shelf.write("a.flac", {**ALBUM, **TRACK})
    shelf.scan()
    album = shelf.album()
    shelf.write("a.flac", {**ALBUM, **TRACK, field: written})
    shelf.scan()
    assert (shelf.album().id, getattr(shelf.album(), column)) == (album.id, after)
    shelf.store.media.save_album(shelf.id, id=album.id, **{column: getattr(album, column)})
    shelf.write("a.flac", {**ALBUM, **TRACK, field: written}, comment="again")
    shelf.scan()
    assert getattr(shelf.album(), column) == getattr(album, column)


@pytest.mark.parametrize(
    ("field", "column", "after"),
    [
        ("composer", "composer", "Björk"),
        ("lyrics", "lyrics", "Emotional landscapes"),
        ("replaygain_track_gain", "replay_gain", 2.0),
        ("replaygain_track_peak", "replay_peak", 0.25),
        ("musicbrainz_trackid", "musicbrainz_id", TWO),
        ("artist", "artist", "Bjork Trio"),
    ],
)
def test_a_corrected_tag_of_a_track_arrives_and_one_that_vanishes_is_cleared(
    shelf: Shelf, field: str, column: str, after: Any
) -> None:
    shelf.write("a.flac", {**ALBUM, **TRACK})
    shelf.scan()
    track = shelf.track()
    shelf.write("a.flac", {**ALBUM, **TRACK, field: str(after)})
    shelf.scan()
    assert (shelf.track().id, getattr(shelf.track(), column)) == (track.id, after)
    shelf.write("a.flac", {**ALBUM, **TRACK}, **{field: None})
    shelf.scan()
    assert getattr(shelf.track(), column) is None


def test_the_first_track_speaks_for_the_album_and_others_fill_its_gaps(shelf: Shelf) -> None:
    given = {"label": "First", "genre": "Rock"}
    shelf.write("a.flac", ALBUM, title="A", tracknumber=1, label=None, **{"genre": "Rock"})
    shelf.write("b.flac", ALBUM, title="B", tracknumber=2, label="Second", genre="Pop")
    shelf.scan()
    assert (shelf.album().label, shelf.album().genres) == ("Second", ["Rock"])
    shelf.write("b.flac", ALBUM, title="B", tracknumber=2, label="Third", genre="Folk")
    shelf.scan()
    assert shelf.album().genres == ["Rock"]
    shelf.write("a.flac", ALBUM, title="A", tracknumber=1, **given)
    shelf.scan()
    assert (shelf.album().label, shelf.album().genres) == ("First", ["Rock"])


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_whichever_file_comes_first_the_first_track_speaks(
    shelf: Shelf, order: tuple[str, str]
) -> None:
    numbers = {"a": (1, "One"), "b": (2, "Two")}
    for name in order:
        number, label = numbers[name]
        shelf.write(f"{name}.flac", ALBUM, title=name, tracknumber=number, label=label)
        shelf.scan()
    assert shelf.album().label == "One"


def test_each_disc_brings_its_title(shelf: Shelf) -> None:
    for disc, title in ((1, "Day"), (2, None), (3, "Night")):
        more = {"discnumber": f"{disc}/3", "tracknumber": "1/1", "discsubtitle": title}
        shelf.write(f"{disc}.flac", ALBUM, title=f"T{disc}", **more)
    shelf.scan()
    assert shelf.album().disc_titles == {"1": "Day", "3": "Night"}
    shelf.write("3.flac", ALBUM, title="T3", discnumber=3, tracknumber=1, discsubtitle="Dusk")
    shelf.scan()
    assert shelf.album().disc_titles == {"1": "Day", "3": "Dusk"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("1/2", "1/10")], (2, 10)),
        ([("1/2", "1/10"), ("2/2", "1/12")], (2, 22)),
        ([("1", "1"), ("1", "2")], (1, 2)),
        ([("1/1", "1/1"), ("1/1", "2/1")], (1, 2)),
        ([("1/2", "1/10"), ("2/2", "1")], (2, 11)),
        ([("3", "1")], (3, 1)),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_totals_in_tags_count_tracks_and_discs_that_are_not_there(
    shelf: Shelf, files: list[tuple[str, str]], expected: tuple[int, int], at_once: bool
) -> None:
    for number, (disc, track) in enumerate(files):
        more = {"discnumber": disc, "tracknumber": track}
        shelf.write(f"{number}.flac", ALBUM, title=f"T{number}", **more)
        if not at_once:
            shelf.scan()
    shelf.scan()
    assert (shelf.album().disc_count, shelf.album().track_count) == expected
    shelf.write("0.flac", ALBUM, title="T0", discnumber=files[0][0], tracknumber=files[0][1], x="y")
    shelf.scan()
    assert (shelf.album().disc_count, shelf.album().track_count) == expected


def test_a_total_that_is_corrected_arrives_and_a_persons_count_stays(shelf: Shelf) -> None:
    for tracks, expected in (("1/10", 10), ("1/8", 8)):
        shelf.write("a.flac", ALBUM, title="T", tracknumber=tracks)
        shelf.scan()
        assert shelf.album().track_count == expected
    shelf.store.media.save_album(shelf.id, id=shelf.album().id, track_count=99)
    shelf.write("a.flac", ALBUM, title="T", tracknumber="1/7")
    shelf.scan()
    assert shelf.album().track_count == 99


@pytest.mark.parametrize("folders", [("m", "m"), ("Ann/Hits", "Bob/Hits")])
def test_a_compilation_without_an_album_artist_is_one_album_of_various_artists(
    shelf: Shelf, folders: tuple[str, str]
) -> None:
    for number, (folder, artist) in enumerate(zip(folders, ("Ann", "Bob")), start=1):
        tags = {"album": "Hits", "artist": artist, "compilation": "1", "tracknumber": str(number)}
        shelf.write(f"{folder}/{number}.flac", tags, title=f"T{number}")
    shelf.scan()
    album = shelf.album()
    assert (album.title, album.album_artist) == ("Hits", "Various Artists")
    assert (album.artists, album.is_compilation) == (["Ann", "Bob"], True)
    assert [track.artist for track in album.tracks] == ["Ann", "Bob"]


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".flac", ".wma", ".ape"])
def test_a_compilation_in_every_format(shelf: Shelf, suffix: str) -> None:
    shelf.write(
        f"a{suffix}", [("title", "T"), ("album", "Hits"), ("artist", "A"), ("compilation", "1")]
    )
    shelf.scan()
    assert (shelf.album().album_artist, shelf.album().is_compilation) == ("Various Artists", True)


def test_a_sampler_that_nothing_calls_one_is_a_compilation_all_the_same(shelf: Shelf) -> None:
    for number, artist in enumerate(("Ann", "Bob"), start=1):
        tags = {"album": "Hits", "artist": artist, "title": f"T{number}"}
        shelf.write(f"{number}.flac", tags, tracknumber=number)
    shelf.scan()
    assert (shelf.album().album_artist, shelf.album().is_compilation) == ("Various Artists", True)


def test_several_artists_are_shown_joined_listed_and_found(shelf: Shelf) -> None:
    both = {"artist": ["Ann", "Robert"], "albumartist": ["Ann", "Zoe"]}
    shelf.write("a.flac", {"title": "T", "album": "Duets"}, **both)
    shelf.scan()
    album, track = shelf.album(), shelf.track()
    assert (album.album_artist, album.artists) == ("Ann & Zoe", ["Ann", "Zoe"])
    assert (track.artist, track.artists) == ("Ann & Robert", ["Ann", "Robert"])
    assert [hit.id for hit in shelf.store.media.search("Robert")] == [track.id]
    assert album.id in [hit.id for hit in shelf.store.media.search("Zoe")]
    shelf.write(
        "a.flac", {"title": "T", "album": "Duets"}, artist=["Ann", "Carl"], albumartist="Zoe"
    )
    shelf.scan()
    assert shelf.store.media.search("Robert") == []
    assert (shelf.album().artists, shelf.track().artists) == (["Zoe"], ["Ann", "Carl"])


def test_the_guests_that_tags_list_are_found_though_the_text_does_not_name_them(
    shelf: Shelf,
) -> None:
    shelf.write("a.flac", {"title": "T", "artist": "The Trio"}, artists=["Ann", "Bob", "Carl"])
    shelf.scan()
    assert (shelf.track().artist, shelf.track().artists) == ("The Trio", ["Ann", "Bob", "Carl"])
    assert [hit.id for hit in shelf.store.media.search("Carl")] == [shelf.track().id]


@pytest.mark.parametrize("artist", ["Ann", "Robert", "Zoe", "Ann & Robert", "ann and zoe"])
def test_a_song_is_found_and_imported_by_each_of_its_artists(shelf: Shelf, artist: str) -> None:
    both = {"artist": ["Ann", "Robert"], "albumartist": ["Ann", "Zoe"]}
    shelf.write("a.flac", {"title": "T", "album": "Duets"}, **both)
    shelf.scan()
    found = shelf.store.media.find_track("T", artist=artist)
    assert found is not None and found.id == shelf.track().id
    row = {"title": "T", "artist": artist, "watched": True}
    (shelf.folder / "played.json").write_text(json.dumps([row]))
    result = shelf.store.importing.watched(shelf.folder / "played.json", user_id="ann")
    assert (result.imported, len(result.unmatched)) == (1, 0)


def test_a_song_of_a_sampler_is_not_found_by_another_artist_of_the_sampler(shelf: Shelf) -> None:
    for number, artist in enumerate(("Ann", "Bob"), start=1):
        tags = {"album": "Hits", "artist": artist, "title": f"T{number}", "compilation": "1"}
        shelf.write(f"{number}.flac", tags, tracknumber=number)
    shelf.scan()
    find = shelf.store.media.find_track
    assert find("T1", artist="Bob") is None
    assert find("T1", artist="Ann") is not None
    assert find("T1", artist="Various Artists") is not None


def test_an_album_on_which_each_track_has_another_guest_is_its_artists(shelf: Shelf) -> None:
    for number, guests in enumerate((["Ann"], ["Ann", "Bob"], ["Ann", "Carl"]), start=1):
        tags = {"album": "Duets", "title": f"T{number}"}
        shelf.write(f"{number}.flac", tags, tracknumber=number, artist=guests)
    shelf.scan()
    assert (shelf.album().album_artist, shelf.album().track_count) == ("Ann", 3)


def test_an_artist_with_a_slash_is_one(shelf: Shelf) -> None:
    shelf.write("a.mp3", {"title": "T", "album": "Back", "artist": "AC/DC"})
    shelf.scan()
    assert (shelf.track().artists, shelf.album().album_artist) == (["AC/DC"], "AC/DC")


def test_lyrics_of_tags_keep_no_album_and_are_not_stored_twice(shelf: Shelf) -> None:
    shelf.write("a.flac", {**ALBUM, **TRACK}, lyrics="la " * LONGEST_LYRICS)
    shelf.scan()
    track = shelf.track()
    assert len(track.lyrics or "") <= LONGEST_LYRICS
    assert len(json.dumps(track.sources)) < 3000
    (shelf.folder / "a.flac").unlink()
    write_audio(shelf.folder / "b.flac", title="Other", album="Other", artist="Other")
    shelf.store.media.scan(shelf.id, accept_missing=True)
    shelf.store.media.tidy(shelf.clock.advance(60 * 86_400))
    assert [album.title for album in shelf.albums()] == ["Other"]


def test_the_best_file_of_a_track_brings_the_lyrics(shelf: Shelf) -> None:
    for suffix in (".mp3", ".flac"):
        shelf.write(f"a{suffix}", {**ALBUM, **TRACK}, lyrics=suffix)
        shelf.scan()
    track = shelf.track()
    assert track.lyrics == Path(track.media_file.path).suffix
    (shelf.folder / f"a{track.lyrics}").unlink()
    shelf.store.media.scan(shelf.id, accept_missing=True)
    assert Path(shelf.track().media_file.path).suffix != track.lyrics


@pytest.mark.parametrize("folders", [("m", "m"), ("Ann/Hits", "Bob/Hits")])
def test_a_compilation_that_is_marked_later_joins_its_albums_and_keeps_what_was_played(
    shelf: Shelf, folders: tuple[str, str]
) -> None:
    def write(**more: str) -> None:
        for number, (folder, artist) in enumerate(zip(folders, ("Ann", "Bob")), start=1):
            tags = {"album": "Hits", "artist": artist, "title": f"T{number}", **more}
            shelf.write(f"{folder}/{number}.flac", tags, tracknumber=number)

    write()
    shelf.scan()
    tracks = {track.title: track.id for album in shelf.albums() for track in album.tracks}
    file = shelf.store.media.find_file(shelf.id, shelf.folder / folders[1] / "2.flac")
    assert file is not None
    shelf.store.playback.mark_watched("ann", file.id)
    write(compilation="1")
    shelf.scan()
    album = shelf.album()
    assert (album.album_artist, album.is_compilation) == ("Various Artists", True)
    assert {track.title: track.id for track in album.tracks} == tracks
    progress = shelf.store.playback.progress("ann", file.id)
    assert progress is not None and progress.completed
    write(compilation="0")
    shelf.scan()
    owners = {track.title: track.id for one in shelf.albums() for track in one.tracks}
    assert owners == tracks
    progress = shelf.store.playback.progress("ann", file.id)
    assert progress is not None and progress.completed
