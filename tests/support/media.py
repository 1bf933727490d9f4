"""Small media files that really play, written with PyAV for the tests and the demo."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
from av.container import OutputContainer

FRAME_RATE = 10  # frames per second
SAMPLE_RATE = 48_000  # Hz; the only rate that Opus and every other codec here accept
SEED_MARK = "seed 0000000000"

# suffix -> container format, default video codec, audio codec
VIDEO_FORMATS = {
    ".mkv": ("matroska", "libx264", "aac"),
    ".mp4": ("mp4", "libx264", "aac"),
    ".m4v": ("mp4", "libx264", "aac"),
    ".mov": ("mov", "libx264", "aac"),
    ".webm": ("webm", "libvpx-vp9", "libopus"),
    ".avi": ("avi", "mpeg4", "libmp3lame"),
}

# suffix -> container format, audio codec
AUDIO_FORMATS = {
    ".mp3": ("mp3", "libmp3lame"),
    ".flac": ("flac", "flac"),
    ".opus": ("opus", "libopus"),
    ".ogg": ("ogg", "vorbis"),
    ".m4a": ("ipod", "aac"),
}

ENCODER_OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "vorbis": {"strict": "experimental"},
}


@dataclass(frozen=True)
class DemoLibrary:
    """The three folders that make_library() filled."""

    movies: Path
    shows: Path
    music: Path


def write_video(
    path: Path,
    *,
    seconds: float = 1.0,
    width: int = 64,
    height: int = 36,
    video_codec: str | None = None,
    audio: bool = True,
    seed: int = 0,
) -> Path:
    """Write a video whose container follows the suffix.

    Another seed makes another content of exactly the same size. `video_codec` is an encoder's name,
    such as "libx265". The default picture keeps the file below 25 KB; 1080p takes about 90 KB.
    """
    template = _encode_video(path.suffix.lower(), seconds, width, height, video_codec, audio)
    return _write(path, template.replace(SEED_MARK.encode(), _seed_mark(seed).encode()))


def write_audio(
    path: Path,
    *,
    seconds: float = 1.0,
    title: str | None = None,
    artist: str | None = None,
    album: str | None = None,
    album_artist: str | None = None,
    track: int | None = None,
    disc: int | None = None,
    year: int | None = None,
    genre: str | None = None,
    musicbrainz_album_id: str | None = None,
    seed: int = 0,
) -> Path:
    """Write an audio file with these tags in the suffix's own tag format; None leaves a tag out."""
    tags = {
        "title": title,
        "artist": artist,
        "album": album,
        "album_artist": album_artist,
        "track": track,
        "disc": disc,
        "date": year,
        "genre": genre,
        "MUSICBRAINZ_ALBUMID": musicbrainz_album_id,
        "comment": _seed_mark(seed),
    }
    present = tuple((name, str(value)) for name, value in tags.items() if value is not None)
    return _write(path, _encode_audio(path.suffix.lower(), seconds, present))


def truncated(path: Path) -> Path:
    """Write a video or audio file that breaks off half-way, as an interrupted copy leaves it."""
    write = write_audio if path.suffix.lower() in AUDIO_FORMATS else write_video
    whole = write(path).read_bytes()
    return _write(path, whole[: len(whole) // 2])


def zero_bytes(path: Path) -> Path:
    """Write an empty file, as a download leaves it that never began."""
    return _write(path, b"")


def garbage(path: Path) -> Path:
    """Write 4 KiB that are no media at all, the same bytes each time."""
    return _write(path, random.Random(0).randbytes(4096))


def make_library(root: Path) -> DemoLibrary:
    """Write movies, a show and an album below `root`, named as people name them."""
    library = DemoLibrary(root / "Movies", root / "TV Shows", root / "Music")
    _write_movies(library.movies)
    _write_shows(library.shows)
    _write_music(library.music)
    return library


def _write_movies(folder: Path) -> None:
    write_video(folder / "Metropolis (1927)" / "Metropolis (1927).mkv", seed=1)
    write_video(folder / "Nosferatu (1922).mp4", width=96, height=72, seed=2)
    write_video(folder / "The.General.1926.1080p.BluRay.x264-DEMO.mkv", seconds=1.5, seed=3)
    write_video(folder / "City Lights [1931] 480p.avi", seed=4)
    write_video(folder / "Casablanca.1942.x265.mkv", video_codec="libx265", seed=5)
    write_video(folder / "Le Fabuleux Destin d'Amélie Poulain (2001).m4v", seconds=2.0, seed=6)
    write_video(folder / "2001 A Space Odyssey (1968)" / "2001.A.Space.Odyssey.1968.webm", seed=7)
    versions = folder / "Blade Runner (1982)"
    write_video(versions / "Blade Runner (1982) - 1080p.mkv", width=192, height=108, seed=8)
    write_video(versions / "Blade Runner (1982) - Final Cut.mkv", width=384, height=216, seed=9)


def _write_shows(folder: Path) -> None:
    show = folder / "The Adventures of Sherlock Holmes (1984)"
    seed = 100
    for season in (1, 2):
        for episode in ("E01", "E02", "E03"):
            name = f"The Adventures of Sherlock Holmes - S{season:02}{episode}.mkv"
            write_video(show / f"Season {season:02}" / name, seed=seed)
            seed += 1
    double = "The Adventures of Sherlock Holmes - S02E04-E05.mkv"
    write_video(show / "Season 02" / double, seconds=2.0, seed=seed)


def _write_music(folder: Path) -> None:
    album = folder / "Glenn Gould" / "The Goldberg Variations (1981)"
    titles = ("Aria", "Variatio 1", "Variatio 2", "Variatio 3")
    for number, title in enumerate(titles, start=1):
        suffix = ".flac" if number <= 2 else ".mp3"
        write_audio(
            album / f"{number:02} {title}{suffix}",
            title=title,
            artist="Glenn Gould",
            album="The Goldberg Variations",
            album_artist="Glenn Gould",
            track=number,
            disc=1,
            year=1981,
            genre="Classical",
            seed=number,
        )


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _seed_mark(seed: int) -> str:
    return f"seed {seed:010}"


@lru_cache(maxsize=64)
def _encode_video(
    suffix: str, seconds: float, width: int, height: int, video_codec: str | None, audio: bool
) -> bytes:
    container_format, default_codec, audio_codec = VIDEO_FORMATS[suffix]
    options = {"fflags": "+bitexact"}
    if container_format in ("matroska", "webm"):
        options["write_crc32"] = "0"  # write_video() changes the seed mark in the finished bytes
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format, options=options) as container:
        container.metadata["comment"] = SEED_MARK
        codec = video_codec or default_codec
        # All streams come before the first packet: muxing writes the header.
        picture = container.add_stream(codec, rate=FRAME_RATE, options=ENCODER_OPTIONS.get(codec))
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        picture.codec_context.thread_count = 1
        sound = _add_sound(container, audio_codec, "mono") if audio else None
        for number in range(max(1, round(seconds * FRAME_RATE))):
            container.mux(picture.encode(_video_frame(number, width, height)))
        container.mux(picture.encode())
        if sound:
            mux_silence(container, sound, seconds)
    return buffer.getvalue()


@lru_cache(maxsize=256)
def _encode_audio(suffix: str, seconds: float, tags: tuple[tuple[str, str], ...]) -> bytes:
    container_format, codec = AUDIO_FORMATS[suffix]
    layout = "stereo" if codec == "vorbis" else "mono"  # FFmpeg's own Vorbis encoder knows no mono
    buffer = io.BytesIO()
    options = {"fflags": "+bitexact"}
    with av.open(buffer, "w", format=container_format, options=options) as container:
        container.metadata.update(tags)
        mux_silence(container, _add_sound(container, codec, layout), seconds)
    return buffer.getvalue()


def _video_frame(number: int, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([20 + number * 7 % 200]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
    return frame


def _add_sound(container: OutputContainer, codec: str, layout: str) -> av.AudioStream:
    options = ENCODER_OPTIONS.get(codec)
    return container.add_stream(codec, rate=SAMPLE_RATE, layout=layout, options=options)


def mux_silence(container: OutputContainer, sound: av.AudioStream, seconds: float) -> None:
    """Encode that many seconds of silence into a stream, and end it."""
    context = sound.codec_context
    frame = av.AudioFrame(context.format.name, context.layout.name, round(seconds * SAMPLE_RATE))
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), 0
    container.mux(sound.encode(frame))
    container.mux(sound.encode())
