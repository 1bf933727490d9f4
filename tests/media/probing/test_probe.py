"""The probe: real files, sound and broken, and what it says of them."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import garbage, truncated, write_audio, write_video, zero_bytes
from viewra_lite.media.names.facts import (
    EpisodeName,
    ExtraName,
    MovieName,
    SeasonEpisodes,
    TrackName,
)
from viewra_lite.media.names.kinds import kind_of
from viewra_lite.media.probing import streams as module
from viewra_lite.media.probing.parser import parsed
from viewra_lite.media.probing.probe import EXTRAS, Probe, available, fingerprint, probe, unread
from viewra_lite.media.probing.streams import Chapter, Stream, StreamFacts
from viewra_lite.media.probing.tags import TagFacts, tagged_name, tags

for extra in EXTRAS:
    pytest.importorskip(extra)

KIB = 1024


def looked_at(path: Path, library_type: str | None = None) -> Probe:
    kind = "music" if kind_of(path.name) == "audio" else "movie"
    return probe(str(path), library_type or kind, str(path.parent))


def streams(path: str) -> StreamFacts:
    return module.streams(parsed(path), path)


# -- fingerprints --------------------------------------------------------------------------------


def test_a_fingerprint_is_the_hash_of_size_and_both_ends(tmp_path: Path):
    content = os.urandom(300 * KIB)
    (tmp_path / "a").write_bytes(content)
    whole = len(content).to_bytes(8, "big") + content[: 64 * KIB] + content[-64 * KIB :]
    assert fingerprint(str(tmp_path / "a")) == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 64 * KIB, 64 * KIB + 1, 100 * KIB, 128 * KIB])
def test_a_small_file_is_hashed_whole(tmp_path: Path, size: int):
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    expected = hashlib.sha256(size.to_bytes(8, "big") + content).hexdigest()
    assert fingerprint(str(tmp_path / "a")) == expected


def test_a_fingerprint_survives_a_move_and_tells_contents_apart(tmp_path: Path):
    first, second = write_video(tmp_path / "a.mkv", seed=1), write_video(tmp_path / "b.mkv", seed=2)
    before = fingerprint(str(first))
    assert first.stat().st_size == second.stat().st_size
    assert fingerprint(str(second)) != before
    assert fingerprint(str(first.rename(tmp_path / "c.mkv"))) == before


# -- what a header may claim ----------------------------------------------------------------------


def wav(path: Path, *, samples: int, rate: int) -> Path:
    """Write a WAV file (RF64) of a tenth of a second whose header claims what it likes."""
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 2 * samples, 2 * samples, samples, 0)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    begin = b"RF64" if samples >= 2**31 else b"RIFF"
    path.write_bytes(
        begin
        + b"\xff" * 4
        + b"WAVE"
        + (sizes if begin == b"RF64" else b"")
        + head
        + b"data"
        + struct.pack("<I", min(2 * samples, 2**32 - 1))
        + b"\0\1" * 4410
    )
    return path


def test_a_duration_that_no_file_has_is_unknown(tmp_path: Path):
    found = looked_at(wav(tmp_path / "a.wav", samples=2**61, rate=44_100), "music")
    assert found.streams is not None and found.streams.audio_codec == "pcm_s16le"
    assert (found.streams.duration, found.error) == (None, None)  # 10 ** 14 s, it says


@pytest.mark.parametrize(
    ("claimed", "seconds"),
    [
        ("1e14", None),
        (str(1e7 + 1), None),
        ("nan", None),
        ("inf", None),
        ("-5", None),
        ("1e7", 1e7),
        ("1.000", 1.0),
        ("x", None),
        (None, None),
    ],
)
def test_what_a_parser_says_is_taken_only_where_it_can_be(claimed: Any, seconds: float | None):
    general = {"@type": "General", "Format": "AVI", "Duration": claimed, "OverallBitRate": "-1"}
    video = {
        "@type": "Video",
        "Format": "AVC",
        "Width": "70000",
        "Height": "65535",
        "BitRate": claimed,
        "FrameRate": "1e9",
        "BitDepth": "0",
        "StreamOrder": "x",
        "Language": "a language",
    }
    found = module.streams([general, video], "/a.avi")
    assert found.duration == seconds and found.bit_rate is None
    assert (found.width, found.height) == (None, 65_535)
    [stream] = found.streams
    assert (stream.stream_index, stream.width, stream.height) == (0, None, 65_535)
    assert (stream.frame_rate, stream.bit_depth, stream.language) == (None, None, None)


# -- streams and tags ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "codec", "expected"),
    [
        ("a.mkv", None, ("matroska", "h264", "aac")),
        ("a.mkv", "libx265", ("matroska", "hevc", "aac")),
        ("a.mp4", None, ("mp4", "h264", "aac")),
        ("a.m4v", None, ("mp4", "h264", "aac")),
        ("a.mov", None, ("mov", "h264", "aac")),
        ("a.webm", None, ("webm", "vp9", "opus")),
        ("a.avi", None, ("avi", "mpeg4", "mp3")),
    ],
)
def test_video_streams(
    tmp_path: Path, name: str, codec: str | None, expected: tuple[str, str, str]
):
    path = write_video(tmp_path / name, seconds=1.0, width=64, height=36, video_codec=codec)
    facts = streams(str(path))
    assert (facts.container, facts.video_codec, facts.audio_codec) == expected
    assert (facts.width, facts.height, facts.truncated) == (64, 36, False)
    assert facts.duration == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize(
    ("suffix", "container", "codec"),
    [
        (".mp3", "mp3", "mp3"),
        (".flac", "flac", "flac"),
        (".opus", "ogg", "opus"),
        (".ogg", "ogg", "vorbis"),
        (".m4a", "mp4", "aac"),
    ],
)
def test_music(tmp_path: Path, suffix: str, container: str, codec: str):
    path = write_audio(
        tmp_path / f"x{suffix}",
        title="Jóga",
        artist="Björk",
        album="Homogenic",
        album_artist="Björk",
        track=3,
        disc=1,
        year=1997,
        genre="Electronic",
    )
    facts, tag = streams(str(path)), tags(str(path), {})
    assert (facts.container, facts.video_codec, facts.audio_codec) == (container, None, codec)
    assert facts.duration == pytest.approx(1.0, abs=0.1) and tag is not None
    assert (tag.title, tag.artist, tag.album, tag.album_artist) == (
        "Jóga",
        "Björk",
        "Homogenic",
        "Björk",
    )
    assert (tag.track, tag.disc, tag.year, tag.genres) == (3, 1, 1997, ("Electronic",))


def test_a_track_is_named_by_its_tags_and_the_gaps_by_its_path(tmp_path: Path):
    folder = tmp_path / "Björk" / "Homogenic (1997)"
    folder.mkdir(parents=True)
    path = write_audio(folder / "03 - joga.mp3", title="Jóga", artist="Björk feat. X")
    found = probe(str(path), "music", str(tmp_path))
    assert found.name == TrackName(
        "Björk feat. X", "Homogenic", "Jóga", disc=None, track=3, year=1997, album_artist="Björk"
    )


def test_untagged_music_is_named_by_its_path(tmp_path: Path):
    path = write_audio(tmp_path / "Artist - Title.flac")
    assert looked_at(path, "music").name == TrackName("Artist", None, "Title")
    assert tagged_name(None, TrackName("A", "B", "C")) == TrackName("A", "B", "C")


def test_a_probe_says_all(tmp_path: Path):
    path = write_video(tmp_path / "The Matrix (1999).mkv")
    found = looked_at(path)
    assert found.name == MovieName("The Matrix", 1999)
    assert (found.size, found.error, found.skipped) == (path.stat().st_size, None, ())
    assert found.fingerprint == fingerprint(str(path))
    assert found.streams == streams(str(path)) and found.tags is None


def test_a_name_that_is_not_utf_8_is_read(tmp_path: Path):
    raw = os.fsencode(tmp_path) + b"/Am\xe9lie (2001).mkv"
    os.rename(write_video(tmp_path / "a.mkv"), raw)
    found = probe(os.fsdecode(raw), "movie", str(tmp_path))
    assert found.error is None and found.streams is not None
    assert found.streams.video_codec == "h264" and found.name == MovieName("Amélie", 2001)


def test_a_server_without_a_locale_reads_accents(tmp_path: Path):
    path = write_video(tmp_path / "Amélie (2001).mkv")
    code = (
        "import sys; from viewra_lite.media.probing.probe import probe; "
        "found = probe(sys.argv[1], 'movie', sys.argv[2]); "
        "sys.exit(found.error or found.streams.video_codec != 'h264')"
    )
    poor = {**os.environ, "LC_ALL": "C", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code, str(path), str(tmp_path)], env=poor, check=True)


# -- broken files --------------------------------------------------------------------------------


def test_an_empty_file(tmp_path: Path):
    assert looked_at(zero_bytes(tmp_path / "a.mkv")).error == "the file is empty (0 bytes)"


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.avi", "a.mp3", "a.flac"])
def test_garbage(tmp_path: Path, name: str):
    found = looked_at(garbage(tmp_path / name))
    assert found.error == ("no audio or video stream was found: the file is damaged or not media")
    assert found.fingerprint and found.size == 4096


@pytest.mark.parametrize("write", [garbage, zero_bytes])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, write: Callable[[Path], Path]):
    found = probe(str(write(tmp_path / "Dune (2021).mkv")), "movie", str(tmp_path))
    assert found.error is not None
    assert found.name == MovieName("Dune", 2021)
    assert unread(found.path, "movie", str(tmp_path), "the parser hung").name == found.name


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm", "a.avi", "a.mp3", "a.flac", "a.ogg"])
def test_a_truncated_file_never_raises(tmp_path: Path, name: str):
    found = looked_at(truncated(tmp_path / name))
    assert found.fingerprint and found.streams is not None
    assert found.error is not None or found.streams.audio_codec is not None


def test_a_truncated_matroska_says_so(tmp_path: Path):
    assert streams(str(truncated(tmp_path / "a.mkv"))).truncated


def test_a_film_is_no_song(tmp_path: Path):
    path = write_video(tmp_path / "a.mkv", audio=False)
    assert looked_at(path, "music").error == "no audio stream was found: the file is not music"


def test_a_vanished_file(tmp_path: Path):
    found = looked_at(tmp_path / "The Matrix (1999).mkv")
    assert (found.error, found.name) == ("the file is gone", None)  # so it is placed nowhere


def test_what_is_not_a_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mkv")
    assert looked_at(tmp_path / "pipe.mkv").error == "not a regular file"
    assert looked_at(tmp_path).error == "not a regular file"
    assert looked_at(tmp_path / "a\0b.mkv").error == "cannot be read: its path is not valid"
    assert "too long" in (looked_at(tmp_path / ("a" * 300)).error or "")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(tmp_path: Path):
    path = write_video(tmp_path / "a.mkv")
    path.chmod(0)
    assert looked_at(path).error == "cannot be read: permission denied"


def test_unread_keeps_a_given_error(tmp_path: Path):
    path = write_video(tmp_path / "a.mkv")
    found = unread(str(path), "movie", str(tmp_path), "it went wrong")
    assert (found.error, found.streams, found.size) == ("it went wrong", None, path.stat().st_size)


# -- JSON and extras -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found",
    [
        Probe("/a\udce9.mkv", error="x", skipped=("guessit",)),
        Probe("/a", 1, "f", MovieName("T", 1999, "E", 1, 2, "tt1"), StreamFacts("mp4", 1.5, 2, 3)),
        Probe(
            "/a",
            1,
            "f",
            streams=StreamFacts(
                "mp4", streams=(Stream(0, "video", "h264"),), chapters=(Chapter(1.5, "A"),)
            ),
        ),
        Probe(
            "/a", 1, "f", EpisodeName("S", 2005, 1, (1, 2), 3, "T", date(2019, 5, 12), 4, 5, "tt6")
        ),
        Probe(
            "/a", 1, "f", TrackName("A", "B", "C", 1, 2, 1999, "D"), None, TagFacts("T", year=1999)
        ),
        Probe("/a", name=EpisodeName("S", None, 1, (9,), later=(SeasonEpisodes(2, (1, 2)),))),
        Probe("/a", name=ExtraName("trailer", "T", MovieName("M", 2001))),
        Probe("/a", name=ExtraName("other", "T", EpisodeName("S", air_date=date(2019, 5, 12)))),
    ],
)
def test_a_probe_survives_json(found: Probe):
    assert Probe.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_available_names_what_is_installed():
    assert available() == {"guessit": True, "pymediainfo": True, "tinytag": True}


def test_without_the_extras_a_probe_says_what_it_skipped(tmp_path: Path):
    write_audio(tmp_path / "Artist - Title.mp3")
    code = (
        "import sys\n"
        "for name in ('guessit', 'pymediainfo', 'tinytag'): sys.modules[name] = None\n"
        "from viewra_lite.media.probing.probe import probe\n"
        "path = sys.argv[1] + '/Artist - Title.mp3'\n"
        "song, film = probe(path, 'music', sys.argv[1]), probe(path, 'movie', sys.argv[1])\n"
        "assert song.skipped == ('pymediainfo', 'tinytag'), song\n"
        "assert song.name.title == 'Title' and song.error is None and song.fingerprint, song\n"
        "assert film.skipped == ('guessit', 'pymediainfo') and film.name is None, film\n"
    )
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=paths, check=True)
