"""Small media files that play, byte by byte: Matroska with raw pictures, and FLAC with silence."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

WIDTH, HEIGHT = 32, 18
_FRAMES_PER_S = 1
SAMPLE_RATE = 8000  # Hz
_BLOCK = 4000  # samples in a frame of FLAC


def matroska(seconds: int, tags: Mapping[str, str], seed: bytes) -> bytes:
    """Return a video of one picture a second; seed (16 bytes) makes its content its own."""
    head = _element(
        0x1A45DFA3,
        _text(0x4282, "matroska"),
        *(_number(id, value) for id, value in ((0x4286, 1), (0x42F7, 1), (0x4287, 4))),
    )
    info = _element(
        0x1549A966,
        _element(0x73A4, seed),
        _number(0x2AD7B1, 1_000_000),  # nanoseconds: times are milliseconds
        _element(0x4489, struct.pack(">d", seconds * 1000)),
        _text(0x4D80, "viewra_lite.testing"),
        _text(0x5741, "viewra_lite.testing"),
    )
    picture = _element(
        0xE0, _number(0xB0, WIDTH), _number(0xBA, HEIGHT), _element(0x2EB524, b"I420")
    )
    track = _element(
        0xAE,
        *(_number(id, 1) for id in (0xD7, 0x73C5, 0x83)),
        _number(0x23E383, 1_000_000_000 // _FRAMES_PER_S),
        _text(0x86, "V_UNCOMPRESSED"),
        picture,
    )
    simple = (
        _element(0x67C8, _text(0x45A3, name), _text(0x4487, value)) for name, value in tags.items()
    )
    named = [_element(0x1254C367, _element(0x7373, _element(0x63C0), *simple))] if tags else []
    clusters = (
        _element(
            0x1F43B675,
            _number(0xE7, at * 1000),
            _element(0xA3, b"\x81\x00\x00\x80", _picture(at + seed[0])),
        )
        for at in range(seconds)
    )
    segment = _element(0x18538067, info, _element(0x1654AE6B, track), *named, *clusters)
    return head + segment


def _picture(shade: int) -> bytes:
    chroma = 2 * (WIDTH // 2) * (HEIGHT // 2)
    return bytes([20 + shade % 200]) * (WIDTH * HEIGHT) + b"\x80" * chroma


def _element(id: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return (
        id.to_bytes((id.bit_length() + 7) // 8, "big")
        + (1 << 56 | len(data)).to_bytes(8, "big")
        + data
    )


def _number(id: int, value: int) -> bytes:
    return _element(id, value.to_bytes(8, "big"))


def _text(id: int, value: str) -> bytes:
    return _element(id, value.encode())


def flac(seconds: int, comments: Mapping[str, str]) -> bytes:
    """Return mono silence with Vorbis comments."""
    samples = seconds * SAMPLE_RATE
    described = SAMPLE_RATE << 44 | 15 << 36 | samples  # one channel, 16 bits
    stream = (
        struct.pack(">HH", _BLOCK, _BLOCK) + bytes(6) + described.to_bytes(8, "big") + bytes(16)
    )
    lines = [f"{name}={value}".encode() for name, value in comments.items()]
    vendor = b"viewra_lite.testing"
    block = struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(lines))
    block += b"".join(struct.pack("<I", len(line)) + line for line in lines)
    blocks = b"\x00" + len(stream).to_bytes(3, "big") + stream
    blocks += b"\x84" + len(block).to_bytes(3, "big") + block
    return b"fLaC" + blocks + b"".join(map(_silence, range(samples // _BLOCK)))


def _silence(number: int) -> bytes:
    """Return a frame of zeros: 16 bits of block size, 8 kHz, mono, 16 bits, constant."""
    head = b"\xff\xf8\x74\x08" + chr(number).encode() + struct.pack(">H", _BLOCK - 1)
    frame = head + bytes([_checksum(head, 8, 0x07)]) + b"\x00\x00\x00"
    return frame + struct.pack(">H", _checksum(frame, 16, 0x8005))


def _checksum(data: Iterable[int], bits: int, polynomial: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (bits - 1) & 1 else 0)
            value &= (1 << bits) - 1
    return value
