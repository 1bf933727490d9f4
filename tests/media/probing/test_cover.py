"""Covers inside files: extracted on request, whatever the file is."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import pytest

from tests.support.libraries import clip
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.errors import NotFoundError
from viewra_lite.media.probing.cover import LARGEST_COVER_BYTES, cover

pytest.importorskip("tinytag")
pytest.importorskip("pymediainfo")

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"picture" * 50
PNG = b"\x89PNG\r\n\x1a\n" + b"other" * 30
LIMIT_S = 60.0


def with_id3(path: Path, *pictures: tuple[int, bytes]) -> Path:
    """Write an MP3 whose ID3 tag has these pictures: 3 is a front cover, 4 a back cover."""
    write_audio(path, seconds=0.2)
    sound = path.read_bytes()
    frames = b""
    for kind, data in pictures:
        frame = b"\0image/x\0" + bytes([kind]) + b"\0" + data
        frames += b"APIC" + struct.pack(">I", len(frame)) + b"\0\0" + frame
    size = bytes(len(frames) >> shift & 127 for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + size + frames + sound[_id3_bytes(sound) :])
    return path


def _id3_bytes(sound: bytes) -> int:
    if sound[:3] != b"ID3":
        return 0
    return 10 + sum(byte << shift for byte, shift in zip(sound[6:10], (21, 14, 7, 0)))


def with_picture_block(path: Path, data: bytes) -> Path:
    """Write a FLAC with a picture block."""
    write_audio(path, seconds=0.2)
    sound = path.read_bytes()
    mime = b"image/png"
    block = struct.pack(">II", 3, len(mime)) + mime + struct.pack(">IIIII", 0, 1, 1, 24, 0)
    block += struct.pack(">I", len(data)) + data
    header = bytes([6]) + len(block).to_bytes(3, "big")
    path.write_bytes(sound[:42] + header + block + sound[42:])  # after the first block
    return path


def with_attached_picture(path: Path) -> tuple[Path, bytes]:
    """Write a video with a picture attached to it."""
    clip(path)
    with av.open(str(path)) as video, av.open(str(path) + ".new.mp4", "w", format="mp4") as out:
        source = video.streams.video[0]
        copied = out.add_stream_from_template(source)
        picture = out.add_stream("mjpeg", rate=1)
        picture.width, picture.height, picture.pix_fmt = 16, 16, "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        (packet,) = picture.encode(av.VideoFrame(16, 16, "yuvj420p"))
        data = bytes(packet)
        out.mux(packet)
        for one in video.demux(source):
            if one.dts is not None:
                one.stream = copied
                out.mux(one)
    os.replace(str(path) + ".new.mp4", path)
    return path, data


def test_the_cover_in_the_tags_of_music(tmp_path: Path) -> None:
    both = with_id3(tmp_path / "a.mp3", (4, PNG), (3, JPEG))
    found = cover(str(both), LIMIT_S)
    assert found is not None and (found.data, found.mime_type) == (JPEG, "image/jpeg")
    back = cover(str(with_id3(tmp_path / "b.mp3", (4, PNG))), LIMIT_S)
    assert back is not None and (back.data, back.mime_type) == (PNG, "image/png")
    flac = cover(str(with_picture_block(tmp_path / "c.flac", PNG)), LIMIT_S)
    assert flac is not None and (flac.data, flac.mime_type) == (PNG, "image/png")


def test_the_picture_that_is_attached_to_a_video(tmp_path: Path) -> None:
    path, data = with_attached_picture(tmp_path / "a.mp4")
    found = cover(str(path), LIMIT_S)
    assert found is not None and (found.data, found.mime_type) == (data, "image/jpeg")


def test_of_other_files_there_is_none(tmp_path: Path) -> None:
    names = {
        "plain.mp3": write_audio(tmp_path / "plain.mp3", seconds=0.2).read_bytes(),
        "empty.mp3": b"",
        "text.mkv": b"no media",
        "script.mp3": with_id3(tmp_path / "y.mp3", (3, b"<svg onload='x'>" * 9)).read_bytes(),
        "huge.mp3": with_id3(
            tmp_path / "z.mp3", (3, JPEG + bytes(LARGEST_COVER_BYTES))
        ).read_bytes(),
    }
    for name, data in names.items():
        path = tmp_path / name
        path.write_bytes(data)
        assert cover(str(path), LIMIT_S) is None, name
    assert cover(str(tmp_path / "gone.mp3"), LIMIT_S) is None
    os.mkfifo(tmp_path / "pipe.mp3")
    assert cover(str(tmp_path / "pipe.mp3"), 0.5) is None


def test_a_store_has_the_cover_of_a_file_and_keeps_no_copy(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    name = os.fsdecode(b"caf\xe9.mp3")
    with_id3(folder / name, (3, JPEG))
    library = store.media.add_library("Music", folder, "music")
    store.media.scan(library.id)
    (file,) = store.media.files(library.id).items
    found = store.media.cover(file.id)
    assert found is not None and found.data == JPEG
    (folder / name).unlink()
    assert store.media.cover(file.id) is None
    with pytest.raises(NotFoundError):
        store.media.cover("unknown")
