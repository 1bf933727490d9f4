"""Tags: each field in each format that can carry it, several values, and hostile files."""

from __future__ import annotations

import json
import struct
import tempfile
from dataclasses import fields, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tagged import NUL, apev2, id3, write_mp3, write_m4a, write_tagged
from viewra_lite.media.names.facts import TrackName
from viewra_lite.media.probing.parser import parsed
from viewra_lite.media.probing.probe import probe
from viewra_lite.media.probing.tag_values import LONGEST_LYRICS, LONGEST_TAG, MOST_VALUES
from viewra_lite.media.probing.tags import TagFacts, tagged_name, tags

for extra in ("pymediainfo", "tinytag"):
    pytest.importorskip(extra)

ONE, TWO, THREE = (f"0b1f2c3d-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
WRITTEN = [
    ("title", "Jóga"),
    ("artist", "Björk"),
    ("album", "Homogenic"),
    ("albumartist", "Björk Guðmundsdóttir"),
    ("tracknumber", "2/10"),
    ("discnumber", "1/2"),
    ("date", "1997-09-22"),
    ("originaldate", "1997-09-20"),
    ("genre", "Electronic"),
    ("composer", "Sjón"),
    ("label", "One Little Indian"),
    ("releasetype", "album"),
    ("compilation", "0"),
    ("discsubtitle", "State of Emergency"),
    ("lyrics", "All these accidents\nthat happen"),
    ("replaygain_track_gain", "-7.50 dB"),
    ("replaygain_track_peak", "0.987"),
    ("replaygain_album_gain", "-8.25 dB"),
    ("replaygain_album_peak", "1.012"),
    ("musicbrainz_trackid", ONE),
    ("musicbrainz_albumid", TWO),
    ("musicbrainz_artistid", THREE),
    ("musicbrainz_albumartistid", ONE),
]
READ = TagFacts(
    title="Jóga",
    artist="Björk",
    artists=("Björk",),
    album="Homogenic",
    album_artist="Björk Guðmundsdóttir",
    album_artists=("Björk Guðmundsdóttir",),
    disc=1,
    disc_total=2,
    disc_title="State of Emergency",
    track=2,
    track_total=10,
    year=1997,
    release_date=date(1997, 9, 22),
    original_date=date(1997, 9, 20),
    original_year=1997,
    genres=("Electronic",),
    composer="Sjón",
    label="One Little Indian",
    album_type="album",
    is_compilation=False,
    lyrics="All these accidents\nthat happen",
    replay_gain=-7.5,
    replay_peak=0.987,
    album_gain=-8.25,
    album_peak=1.012,
    musicbrainz_track_id=ONE,
    musicbrainz_album_id=TWO,
    musicbrainz_artist_ids=(THREE,),
    musicbrainz_album_artist_ids=(ONE,),
)
FORMATS = [".mp3", ".flac", ".opus", ".ogg", ".m4a", ".aac", ".aiff", ".wma"]
BY_MEDIAINFO = [".ape", ".mpc", ".wv", ".tta", ".dsf", ".dff", ".mka"]
LISTS = [".mp3", ".flac", ".opus", ".m4a", ".ape", ".mpc", ".wv", ".tta", ".dsf"]


def read(path: Path) -> TagFacts:
    found = tags(str(path), (parsed(str(path)) or [{}])[0])
    assert found is not None
    return found


def read_alone(path: Path) -> TagFacts:
    """Read a file of which libmediainfo says nothing."""
    found = tags(str(path), {})
    assert found is not None
    return found


@pytest.mark.parametrize("field", [field.name for field in fields(TagFacts)])
@pytest.mark.parametrize("suffix", FORMATS + BY_MEDIAINFO)
def test_every_field_in_every_format(written: Any, suffix: str, field: str) -> None:
    assert getattr(written(suffix), field) == getattr(READ, field)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder, found = tmp_path_factory.mktemp("tags"), {}

    def of(suffix: str) -> TagFacts:
        if suffix not in found:
            found[suffix] = read(write_tagged(folder / f"a{suffix}", WRITTEN))
        return found[suffix]

    return of


@pytest.mark.parametrize("field", ["title", "artist", "album", "track", "track_total", "disc"])
def test_the_few_fields_of_a_wav_file(written: Any, field: str) -> None:
    expected = replace(READ, disc=None)
    assert getattr(written(".wav"), field) == getattr(expected, field)


SEVERAL = [
    ("artist", "Ann"),
    ("artist", "AC/DC"),
    ("albumartist", "Ann"),
    ("albumartist", "Bob"),
    ("genre", "Rock"),
    ("genre", "Pop/Funk"),
    ("genre", "R&B"),
    ("composer", "Cid"),
    ("composer", "Dee"),
    ("label", "E"),
    ("label", "F"),
    ("releasetype", "album"),
    ("releasetype", "live"),
    ("musicbrainz_artistid", ONE),
    ("musicbrainz_artistid", TWO),
]


@pytest.mark.parametrize("suffix", LISTS)
def test_a_field_that_is_there_several_times_is_a_list(tmp_path: Path, suffix: str) -> None:
    found = read(write_tagged(tmp_path / f"a{suffix}", SEVERAL))
    assert (found.artists, found.artist) == (("Ann", "AC/DC"), "Ann & AC/DC")
    assert (found.album_artists, found.album_artist) == (("Ann", "Bob"), "Ann & Bob")
    assert found.genres == ("Rock", "Pop/Funk", "R&B")
    assert (found.composer, found.label, found.album_type) == ("Cid, Dee", "E, F", "album + live")
    assert found.musicbrainz_artist_ids == (ONE, TWO)


@pytest.mark.parametrize("suffix", LISTS)
def test_the_artists_that_picard_lists_are_preferred_and_artist_is_what_is_shown(
    tmp_path: Path, suffix: str
) -> None:
    shown = ("artist", "Ann feat. Bob")
    listed = [("artists", "Ann"), ("artists", "Bob")]
    for order in ([shown, *listed], [*listed, shown]):
        found = read(write_tagged(tmp_path / f"a{suffix}", order))
        assert (found.artist, found.artists) == ("Ann feat. Bob", ("Ann", "Bob"))


ARTISTS: dict[str, tuple[list[tuple[str, str]], str, tuple[str, ...]]] = {
    "one": ([("artist", "AC/DC")], "AC/DC", ("AC/DC",)),
    "names with marks": (
        [("artist", "Earth, Wind & Fire; Tyler, The Creator")],
        "Earth, Wind & Fire; Tyler, The Creator",
        ("Earth, Wind & Fire", "Tyler, The Creator"),
    ),
    "a slash with spaces": ([("artist", "Ann / Bob")], "Ann / Bob", ("Ann", "Bob")),
    "three": (
        [("artist", "Ann"), ("artist", "Bob"), ("artist", "Cid")],
        "Ann, Bob & Cid",
        ("Ann", "Bob", "Cid"),
    ),
    "twice the same": ([("artist", "Ann"), ("artist", "Ann")], "Ann", ("Ann",)),
    "only the list": ([("artists", "Ann"), ("artists", "Bob")], "Ann & Bob", ("Ann", "Bob")),
    "one id is one artist": (
        [("artist", "Ann / Bob"), ("musicbrainz_artistid", ONE)],
        "Ann / Bob",
        ("Ann / Bob",),
    ),
    "two ids are two": (
        [
            ("artist", "Simon & Garfunkel feat. Ann"),
            ("musicbrainz_artistid", ONE),
            ("musicbrainz_artistid", TWO),
        ],
        "Simon & Garfunkel feat. Ann",
        ("Simon & Garfunkel", "Ann"),
    ),
    "an id of each name, in the form of ID3v2.3": (
        [("artist", "Ann/Bob"), ("musicbrainz_artistid", f"{ONE}/{TWO}")],
        "Ann/Bob",
        ("Ann", "Bob"),
    ),
    "ids that no division fits": (
        [("artist", "Ann & Bob"), ("musicbrainz_artistid", f"{ONE};{TWO};{THREE}")],
        "Ann & Bob",
        ("Ann & Bob",),
    ),
}


@pytest.mark.parametrize("case", ARTISTS)
def test_who_plays(tmp_path: Path, case: str) -> None:
    written, shown, each = ARTISTS[case]
    found = read(write_tagged(tmp_path / "a.flac", written))
    assert (found.artist, found.artists) == (shown, each)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Rock; Pop", ("Rock", "Pop")),
        ("Rock;Pop", ("Rock", "Pop")),
        ("Rock / Pop", ("Rock", "Pop")),
        ("Hip-Hop/Rap", ("Hip-Hop/Rap",)),
        ("Folk, World, & Country", ("Folk, World, & Country",)),
        (";;", ()),
    ],
)
def test_genres_in_one_text(tmp_path: Path, said: str, expected: tuple[str, ...]) -> None:
    assert read(write_tagged(tmp_path / "a.flac", [("genre", said)])).genres == expected


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_version_of_id3(tmp_path: Path, version: int) -> None:
    lost = {"disc_title"} if version == 2 else set()
    written = [pair for pair in WRITTEN if version != 2 or pair[0] != "discsubtitle"]
    found = read(write_tagged(tmp_path / "a.mp3", written, id3_version=version))
    assert found == replace(READ, **dict.fromkeys(lost))


def test_numbers_of_genres_in_id3(tmp_path: Path) -> None:
    found = read(write_mp3(tmp_path / "a.mp3", [("TCON", NUL.join(("17", "(13)", "RX", "Own")))]))
    assert found.genres == ("Rock", "Pop", "Remix", "Own")


def test_a_day_that_id3_has_apart_from_the_year(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "a.mp3", [("TYER", "1997"), ("TDAT", "2209")], version=3)
    assert read(path).release_date == date(1997, 9, 22)


@pytest.mark.parametrize(
    ("said", "day", "year"),
    [
        ("1997", None, 1997),
        ("1997-09", None, 1997),
        ("1997-09-22", date(1997, 9, 22), 1997),
        ("1997-09-22T07:00:00Z", date(1997, 9, 22), 1997),
        ("19970922", date(1997, 9, 22), 1997),
        ("1997/9/2", date(1997, 9, 2), 1997),
        ("1997-00-00", None, 1997),
        ("1997-02-30", None, 1997),
        ("0000-00-00", None, None),
        ("soon", None, None),
    ],
)
def test_dates_are_whole_days_and_years_the_rest(
    tmp_path: Path, said: str, day: date | None, year: int | None
) -> None:
    found = read(
        write_tagged(tmp_path / "a.flac", [("date", said), ("originaldate", said), ("title", "T")])
    )
    assert (found.release_date, found.year) == (day, year)
    assert (found.original_date, found.original_year) == (day, year)


def test_a_release_date_of_its_own_beats_the_date(tmp_path: Path) -> None:
    found = read(
        write_tagged(tmp_path / "a.flac", [("date", "1969"), ("releasedate", "2009-09-09")])
    )
    assert (found.year, found.release_date) == (1969, date(2009, 9, 9))


@pytest.mark.parametrize(
    ("said", "expected"),
    [("1", True), ("0", False), ("Yes", True), ("no", False), ("", None), ("maybe", None)],
)
def test_whether_it_is_a_compilation(tmp_path: Path, said: str, expected: bool | None) -> None:
    path = write_tagged(tmp_path / "a.flac", [("compilation", said), ("title", "T")])
    assert read(path).is_compilation is expected


@pytest.mark.parametrize(
    ("said", "decibels"),
    [
        ("-7.5 dB", -7.5),
        ("+3,25 db", 3.25),
        ("0", 0.0),
        ("1e9 dB", None),
        ("-101 dB", None),
        ("nan", None),
        ("loud", None),
    ],
)
def test_gains_in_db(tmp_path: Path, said: str, decibels: float | None) -> None:
    path = write_tagged(tmp_path / "a.flac", [("replaygain_track_gain", said), ("title", "T")])
    assert read(path).replay_gain == decibels


def test_gains_of_opus_are_made_those_of_replay_gain(tmp_path: Path) -> None:
    path = write_tagged(
        tmp_path / "a.opus", [("R128_TRACK_GAIN", "-1024"), ("R128_ALBUM_GAIN", "256")]
    )
    assert (read(path).replay_gain, read(path).album_gain) == (1.0, 6.0)


def test_an_mp3_has_the_gains_of_its_ape_tag_and_the_texts_of_its_id3_tag(tmp_path: Path) -> None:
    ape = [("Title", "Of APE"), ("REPLAYGAIN_TRACK_GAIN", "-3 dB")]
    found = read(write_mp3(tmp_path / "a.mp3", [("TIT2", "Of ID3")], ape=ape))
    assert (found.title, found.replay_gain) == ("Of ID3", -3.0)


def test_an_mp3_without_id3v2_has_the_whole_texts_of_its_ape_tag(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "a.mp3", [], ape=[("Title", "A title of more than thirty letters")])
    sound = path.read_bytes()
    sound = sound[sound.index(b"\xff\xfb") :]
    path.write_bytes(sound + b"TAG" + b"A title of more than thirty le".ljust(125, b"\0"))
    assert read(path).title == "A title of more than thirty letters"


def test_quicktime_keys_are_read_by_libmediainfo(tmp_path: Path) -> None:
    path = write_m4a(tmp_path / "a.m4a", [("©nam", "T")])
    assert read(path).title == "T"


# -- hostile files -------------------------------------------------------------------------------


def test_texts_lists_and_lyrics_are_bounded(tmp_path: Path) -> None:
    many = [("genre", f"Genre {number}") for number in range(1000)]
    long = [("title", "t" * 10**6), ("lyrics", "la\n" * 10**6), ("artist", "; ".join("a" * 999))]
    found = read_alone(write_tagged(tmp_path / "a.flac", [*many, *long]))
    assert len(found.title or "") == LONGEST_TAG and len(found.genres) == MOST_VALUES
    assert len(found.lyrics or "") <= LONGEST_LYRICS
    assert len(json.dumps(found.to_json())) < 2 * LONGEST_LYRICS


@pytest.mark.parametrize("bad", ["\0", "\x01\x02", " \ufeff ", "\u200b" * 3, "…"])
@pytest.mark.parametrize("suffix", [".flac", ".mp3", ".m4a", ".ape"])
def test_no_value_holds_what_postgresql_refuses(tmp_path: Path, suffix: str, bad: str) -> None:
    written = [(name, f"a{bad}b") for name in ("title", "artist", "genre", "lyrics", "label")]
    found = read(write_tagged(tmp_path / f"a{suffix}", written))
    assert "\\u0000" not in json.dumps(found.to_json())
    assert found.title is not None and found.lyrics is not None


@pytest.mark.parametrize(
    ("length", "count"), [(2**32 - 1, 1), (31, 1), (0, 1), (64, 2**32 - 1), (2**31, 0)]
)
def test_an_ape_tag_that_lies_about_its_size(tmp_path: Path, length: int, count: int) -> None:
    whole = write_tagged(tmp_path / "a.ape", [("title", "T")]).read_bytes()
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, length, count, 0x80000000) + bytes(8)
    (tmp_path / "a.ape").write_bytes(whole[:-32] + footer)
    tags(str(tmp_path / "a.ape"), {})


@pytest.mark.parametrize("cut", [1, 3, 7, 20, 31, 33, 60, 100])
@pytest.mark.parametrize("suffix", FORMATS + BY_MEDIAINFO)
def test_half_a_file_never_fails(tmp_path: Path, suffix: str, cut: int) -> None:
    whole = write_tagged(tmp_path / f"a{suffix}", WRITTEN).read_bytes()
    for part in (whole[:cut], whole[:-cut], whole[cut:]):
        (tmp_path / f"b{suffix}").write_bytes(part)
        tags(str(tmp_path / f"b{suffix}"), {})


@pytest.mark.parametrize(
    "suffix", [".mp3", ".flac", ".opus", ".m4a", ".wma", ".ape", ".dsf", ".dff"]
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=8))))
def test_no_damage_makes_reading_fail(
    tmp_path: Path, suffix: str, changes: list[tuple[int, bytes]]
) -> None:
    content = bytearray(whole_file(suffix))
    for at, written in changes:
        content[at % len(content) : at % len(content) + len(written)] = written
    (tmp_path / f"a{suffix}").write_bytes(content)
    found = tags(str(tmp_path / f"a{suffix}"), {})
    assert TagFacts.from_json(json.loads(json.dumps(found.to_json()))) == found


@cache
def whole_file(suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_tagged(Path(folder) / f"a{suffix}", WRITTEN).read_bytes()


def test_what_is_no_ape_item_is_left_out(tmp_path: Path) -> None:
    picture = struct.pack("<II", 3, 2) + b"Cover Art (Front)\0" + b"\xff\xd8\xff"
    tag = apev2([("Title", "T")])
    (tmp_path / "a.wv").write_bytes(picture + tag)
    assert read_alone(tmp_path / "a.wv").title == "T"
    assert id3([("TIT2", "T")]).startswith(b"ID3")


# -- names ---------------------------------------------------------------------------------------

NAME = TrackName("Folder", "Album", "Title", 1, 2, 1999)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (TagFacts(is_compilation=True, artist="Ann"), "Various Artists"),
        (TagFacts(is_compilation=True, artist="Ann", album_artist="Bob"), "Bob"),
        (TagFacts(is_compilation=False, artist="Ann"), None),
        (TagFacts(album_artist="VA"), "Various Artists"),
        (TagFacts(album_artist="various artists"), "Various Artists"),
        (TagFacts(artist="Folder feat. Bob"), "Folder"),
    ],
)
def test_whose_album_it_is(tag: TagFacts, expected: str | None) -> None:
    assert tagged_name(tag, NAME).album_artist == expected


def test_a_compilation_without_an_album_is_nobodys(tmp_path: Path) -> None:
    name = replace(NAME, album=None)
    assert tagged_name(TagFacts(is_compilation=True, artist="Ann"), name).album_artist is None


@pytest.mark.parametrize("tag", [TagFacts(), READ])
def test_tags_survive_json(tag: TagFacts) -> None:
    assert TagFacts.from_json(json.loads(json.dumps(tag.to_json()))) == tag


@pytest.mark.parametrize("names", [("MusicBrainz Album Id", "MusicBrainz/Album Id"), ("a", "A")])
def test_two_fields_that_libmediainfo_takes_for_one_are_no_fault(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = write_tagged(tmp_path / "a.wma", [("title", "T"), *((name, TWO) for name in names)])
    found = probe(str(path), "music", str(tmp_path))
    assert found.error is None and found.tags is not None and found.tags.title == "T"
