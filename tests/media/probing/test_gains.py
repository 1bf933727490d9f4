"""Gains that are not text: RVA2 frames of ID3, and the header of Opus."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tagged import write_mp3, write_tagged
from tests.support.libraries import every_file
from viewra_lite import Store
from viewra_lite.media.probing.tags import TagFacts, tags

pytest.importorskip("tinytag")

Gains = tuple[float | None, float | None, float | None, float | None]


def read(path: Path) -> TagFacts:
    return tags(str(path), {})


def gains(path: Path) -> Gains:
    found = read(path)
    return found.replay_gain, found.replay_peak, found.album_gain, found.album_peak


def rva2(name: str, decibels: float, peak: float = 0.0, *, channel: int = 1) -> bytes:
    bits = 16 if peak else 0
    steps = struct.pack(">BhB", channel, round(decibels * 512), bits)
    return name.encode() + b"\0" + steps + (struct.pack(">H", round(peak * 32768)) if bits else b"")


def frame(name: bytes, content: bytes, version: int) -> bytes:
    size = len(content)
    safe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return name + (safe if version == 4 else size.to_bytes(4, "big")) + b"\0\0" + content


def mp3(path: Path, *frames: bytes, version: int = 4, flags: int = 0) -> Path:
    """Write an MP3 whose tag has a title, a large picture, these frames, and room."""
    sound = write_mp3(path, []).read_bytes()
    sound = sound[sound.index(b"\xff\xfb") :]
    first = frame(b"TIT2", b"\0Low Tide", version)
    picture = frame(b"APIC", b"\0image/png\0\3\0" + bytes(70_000), version)
    body = b"".join((first, picture, *frames)) + bytes(100)
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3" + bytes([version, 0, flags]) + size + body + sound)
    return path


@pytest.mark.parametrize(("name", "version"), [(b"RVA2", 4), (b"XRVA", 3), (b"RVA2", 3)])
def test_gains_of_rva2_are_those_of_the_track_and_the_album(
    tmp_path: Path, name: bytes, version: int
) -> None:
    frames = [
        frame(name, rva2("track", -6.5, 0.5), version),
        frame(name, rva2("album", 1.25), version),
    ]
    path = mp3(tmp_path / "a.mp3", *frames, version=version)
    assert gains(path) == (-6.5, 0.5, 1.25, None)
    assert read(path).title == "Low Tide"


def test_a_frame_for_another_purpose_is_of_the_track_and_only_its_master_channel_counts(
    tmp_path: Path,
) -> None:
    several = rva2("normalize", 3.0, 0.25, channel=2) + rva2("", -2.0)[1:]
    assert gains(mp3(tmp_path / "a.mp3", frame(b"RVA2", several, 4))) == (-2.0, None, None, None)
    right = frame(b"RVA2", rva2("track", 3.0, channel=2), 4)
    assert gains(mp3(tmp_path / "b.mp3", right)) == (None, None, None, None)


def test_the_text_of_replay_gain_is_preferred(tmp_path: Path) -> None:
    text = frame(b"TXXX", b"\0REPLAYGAIN_TRACK_GAIN\0-1 dB", 4)
    path = mp3(tmp_path / "a.mp3", frame(b"RVA2", rva2("track", -6.5, 0.5), 4), text)
    assert gains(path) == (-1.0, None, None, None)


def test_a_tag_without_synchronisation_is_read(tmp_path: Path) -> None:
    content = rva2("track", -0.5)  # 0xFF00, which is written as 0xFF0000
    assert b"\xff\0" in content
    stuffed = content.replace(b"\xff\0", b"\xff\0\0")
    path = mp3(tmp_path / "a.mp3", frame(b"RVA2", stuffed, 4), flags=0x80)
    assert gains(path)[0] == -0.5


@given(st.binary(max_size=100), st.integers(0, 120))
def test_any_frame_is_read(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    whole = frame(b"RVA2", rva2("track", -6.5, 0.5), 4)
    path = tmp_path_factory.getbasetemp() / "any.mp3"
    body = whole[:at] + data + whole[at:]
    path.write_bytes(b"ID3\4\0\0" + bytes([0, 0, len(body) >> 7, len(body) & 0x7F]) + body)
    assert isinstance(read(path), TagFacts)


# Opus


def opus(path: Path, gain_db: float, *comments: tuple[str, str]) -> Path:
    """Write an Opus file with a gain in its header."""
    written = write_tagged(path, comments)
    sound = bytearray(written.read_bytes())
    struct.pack_into("<h", sound, sound.index(b"OpusHead") + 16, round(gain_db * 256))
    written.write_bytes(sound)
    return written


@pytest.mark.parametrize("gain_db", [-11.5, 3.0])
def test_opus_that_was_brought_to_a_level_by_its_header_lacks_the_difference_of_replay_gain(
    tmp_path: Path, gain_db: float
) -> None:
    assert gains(opus(tmp_path / "a.opus", gain_db, ("TITLE", "T"))) == (5.0, None, None, None)


def test_opus_has_the_gains_of_its_tags_whatever_its_header_says(tmp_path: Path) -> None:
    path = opus(tmp_path / "a.opus", -11.5, ("R128_TRACK_GAIN", "-1024"), ("TITLE", "T"))
    assert gains(path) == (1.0, None, None, None)
    assert gains(opus(tmp_path / "b.opus", 0.0, ("TITLE", "T"))) == (None, None, None, None)


@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".ogg"])
def test_r128_gains_are_read_in_any_format(tmp_path: Path, suffix: str) -> None:
    path = write_tagged(tmp_path / f"a{suffix}", [("R128_TRACK_GAIN", "-1024"), ("title", "T")])
    assert gains(path)[0] == 1.0


def test_a_scan_stores_such_gains(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "music/Reeds/Low Tide"
    folder.mkdir(parents=True)
    frames = [frame(b"RVA2", rva2(what, -6.5, 0.5), 4) for what in ("track", "album")]
    mp3(folder / "01 Low Tide.mp3", *frames)
    library = store.media.add_library("music", tmp_path / "music", "music")
    assert store.media.scan(library.id).errors == 0
    [file] = every_file(store, library.id)
    [album] = store.media.albums().items
    [track] = store.media.album(album.id).tracks
    assert (track.media_file_id, track.replay_gain, track.replay_peak) == (file.id, -6.5, 0.5)
    assert (album.replay_gain, album.replay_peak) == (-6.5, 0.5)
