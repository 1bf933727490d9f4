"""Media files of many codecs, with several streams, chapters and flags, written with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer
from av.stream import Disposition

from tests.support.media import ENCODER_OPTIONS

MS = Fraction(1, 1000)
FORCED, DEFAULT = Disposition.forced, Disposition.default


@dataclass(frozen=True)
class Part:
    """A stream to write: `codec` is an encoder's name, `packet` the one packet of a subtitle."""

    kind: str
    codec: str
    language: str | None = None
    title: str | None = None
    flags: Any = 0
    rate: int | None = None
    pixels: str = "yuv420p"
    size: tuple[int, int] = (64, 48)
    layout: str = "stereo"
    bit_rate: int | None = None
    packet: bytes = b""
    options: dict[str, str] = field(default_factory=dict)


def video(codec: str, **more: Any) -> Part:
    """Describe a video stream."""
    return Part("video", codec, **more)


def audio(codec: str, **more: Any) -> Part:
    """Describe an audio stream."""
    return Part("audio", codec, **more)


def subtitle(codec: str, packet: bytes, **more: Any) -> Part:
    """Describe a subtitle stream of one packet."""
    return Part("subtitle", codec, packet=packet, **more)


def write_parts(
    path: Path,
    *parts: Part,
    chapters: Sequence[tuple[int, str]] = (),
    attached: Sequence[tuple[str, str, bytes]] = (),
    format: str | None = None,
    seconds: float = 0.3,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a file with these streams; chapters are (milliseconds, title)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=format, options=options or {}) as container:
        streams = [(part, _added(container, part)) for part in parts]
        for attachment in attached:
            container.add_attachment(*attachment)
        if chapters:
            container.set_chapters(
                [
                    {
                        "id": number,
                        "start": start,
                        "end": start + 1,
                        "time_base": MS,
                        "metadata": {"title": title},
                    }
                    for number, (start, title) in enumerate(chapters)
                ]
            )
        for part, stream in streams:
            _fill(container, part, stream, seconds)
    return path


def _added(container: OutputContainer, part: Part) -> Any:
    options = {"strict": "experimental", **ENCODER_OPTIONS.get(part.codec, {}), **part.options}
    stream: Any
    if part.kind == "video":
        stream = container.add_stream(part.codec, rate=part.rate or 24, options=options)
        stream.width, stream.height = part.size
        stream.pix_fmt = part.pixels
        stream.codec_context.thread_count = 1
    elif part.kind == "audio":
        rate = part.rate or 48_000
        stream = container.add_stream(part.codec, rate=rate, layout=part.layout, options=options)
        if part.bit_rate:
            stream.bit_rate = part.bit_rate
    else:
        stream = container.add_mux_stream(part.codec)
    for name in ("language", "title"):
        if getattr(part, name):
            stream.metadata[name] = getattr(part, name)
    if part.flags:
        stream.disposition = part.flags
    return stream


def _fill(container: OutputContainer, part: Part, stream: Any, seconds: float) -> None:
    if part.kind == "subtitle":
        packet = av.Packet(part.packet)
        packet.stream, packet.time_base = stream, MS
        packet.pts = packet.dts = 0
        packet.duration = 200
        container.mux(packet)
        return
    context = stream.codec_context
    context.open(strict=False)
    if part.kind == "video":
        frames: Any = _pictures(part, context, seconds)
    else:
        frames = _silence(context, seconds)
    for frame in frames:
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _pictures(part: Part, context: Any, seconds: float) -> Any:
    for number in range(max(2, round(seconds * context.rate))):
        frame = av.VideoFrame(*part.size, part.pixels)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = number, 1 / Fraction(context.rate)
        yield frame


def _silence(context: Any, seconds: float) -> Any:
    step = context.frame_size or 4096
    for place in range(0, round(seconds * context.sample_rate), step):
        frame = av.AudioFrame(context.format.name, context.layout.name, step)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = context.sample_rate, place
        frame.time_base = Fraction(1, context.sample_rate)
        yield frame


def codecs_of(path: Path) -> list[str]:
    """Return the codec of each stream as ffmpeg names it."""
    with av.open(str(path)) as container:
        return [
            stream.codec_context.codec.canonical_name
            for stream in container.streams
            if stream.codec_context is not None
        ]


def write_dsf(path: Path, seconds: float, *, rate: int = 2_822_400) -> Path:
    """Write a DSF file: one bit a sample, in blocks of 4,096 bytes for each channel."""
    samples, block, channels = round(seconds * rate), 4096, 2
    data = b"\x69" * (-(-samples // (8 * block)) * block * channels)
    facts = (b"fmt ", 52, 1, 0, 2, channels, rate, 1, samples, block, 0)
    body = struct.pack("<4sQIIIIIIQII", *facts)
    body += struct.pack("<4sQ", b"data", 12 + len(data)) + data
    path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(body), 0) + body)
    return path


def with_cover(mp3: bytes, mime: str, picture: bytes) -> bytes:
    """Put a front cover before an MP3, in an ID3 tag."""
    frame = b"\0" + mime.encode() + b"\0\3\0" + picture
    tag = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + tag + mp3
