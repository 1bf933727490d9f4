"""The streams and chapters of a file, from libmediainfo's description of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from ..names.text import readable
from .codecs import audio_codec, container_of, subtitle_codec, video_codec
from .durations import counted_seconds
from .parser import Track, format_of, of_kind
from .plausible import plausible_pixels, plausible_seconds


class Stream(NamedTuple):
    """A stream of a file: the columns of MediaStream inside a file, in the table's order."""

    stream_index: int
    kind: str
    codec: str | None = None
    profile: str | None = None
    level: str | None = None
    language: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    bit_depth: int | None = None
    hdr: str | None = None
    channels: int | None = None
    sample_rate: int | None = None
    bit_rate: int | None = None
    is_default: bool = False
    is_forced: bool = False


class Chapter(NamedTuple):
    """A chapter of a file: its start in seconds."""

    start: float
    title: str | None = None


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a file holds: duration in seconds, width and height in pixels, bit rate per second.

    Width, height, codecs and HDR are those of the default or first streams. `truncated` means that
    the file is shorter than its header claims.
    """

    container: str | None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    truncated: bool = False
    bit_rate: int | None = None
    hdr: str | None = None
    streams: tuple[Stream, ...] = ()
    chapters: tuple[Chapter, ...] = ()


def streams(tracks: list[Track], path: str) -> StreamFacts:
    """Read container, streams and chapters from libmediainfo's description of the file at a path.

    Both codecs are None if the file holds no media. Raises OSError if the file cannot be read.
    """
    general = next(of_kind(tracks, "General"), None)
    video = _best(_films(tracks))
    audio = _best(list(of_kind(tracks, "Audio")))
    seconds = _duration(tracks, general, video, audio, path)
    return StreamFacts(
        container=container_of(general),
        duration=seconds,
        width=_pixels(video, "Width"),
        height=_pixels(video, "Height"),
        video_codec=video_codec(video) if video else None,
        audio_codec=audio_codec(audio) if audio else None,
        truncated=general is not None and _extra(general).get("IsTruncated") == "Yes",
        bit_rate=_bit_rate(general, seconds) if general else None,
        hdr=_hdr(video) if video else None,
        streams=tuple(_streams(tracks, general)),
        chapters=_chapters(tracks),
    )


def _best(tracks: list[Track]) -> Track | None:
    """Return the default track, else the first."""
    first = next(iter(tracks), None)
    return next((track for track in tracks if track.get("Default") == "Yes"), first)


def _films(tracks: list[Track]) -> list[Track]:
    """Return the video tracks without covers, and without the pictures of a talking book."""
    found = list(of_kind(tracks, "Video"))
    films = [track for track in found if format_of(track) not in _STILL]
    if films or not any(of_kind(tracks, "Audio")):
        return films or found
    return [track for track in found if (_number(track, "FrameRate", _MOST_FRAMES) or 0) >= 1]


_STILL = ("jpeg", "png", "bmp", "gif", "webp")


def _duration(
    tracks: list[Track], general: Track | None, video: Track | None, audio: Track | None, path: str
) -> float | None:
    for track in (general, video, audio):
        seconds = _seconds(track) if track else None
        if seconds:
            return seconds
    return plausible_seconds(counted_seconds(path, format_of(general))) if general else None


def _bit_rate(general: Track, seconds: float | None) -> int | None:
    said = _whole(general, "OverallBitRate", _MOST_BITS)
    size = _number(general, "FileSize", float("inf"))
    return round(size * 8 / seconds) if said is None and size and seconds else said


# Streams


def _streams(tracks: list[Track], general: Track | None) -> list[Stream]:
    """Return the streams in the order of the file, numbered as ffprobe numbers them."""
    found = [track for track in tracks if track["@type"] in ("Video", "Audio", "Text", "Image")]
    films = _films(tracks)
    said = [_order(track) for track in found]
    taken = {order for order in said if order is not None}
    free = (number for number in count() if number not in taken)
    streams, used = [], set()
    for track, order in zip(found, said):
        number = next(free) if order is None or order in used else order
        used.add(number)
        is_film = any(track is film for film in films)
        streams.append(_stream(track, number, "video" if is_film else "image"))
    if general is not None:
        streams += _pictures(general, free)
    return sorted(streams)


def _order(track: Track) -> int | None:
    """Return a stream's place in the file: 2 of "2", and of "0-2" in a transport stream."""
    said = str(track.get("StreamOrder") or "").rpartition("-")[2]
    return int(said) if said.isascii() and said.isdigit() and len(said) < 5 else None


def _stream(track: Track, number: int, video_kind: str) -> Stream:
    kind = track["@type"]
    common: dict[str, Any] = {
        "language": _language(track),
        "title": _text(track, "Title"),
        "bit_rate": _whole(track, "BitRate", _MOST_BITS),
        "is_default": track.get("Default") == "Yes",
        "is_forced": track.get("Forced") == "Yes",
    }
    if kind == "Audio":
        return Stream(number, "audio", **common, **_of_audio(track))
    if kind == "Text":
        return Stream(number, "subtitle", subtitle_codec(track), **common)
    return Stream(number, video_kind, **common, **_of_video(track))


def _of_video(track: Track) -> dict[str, Any]:
    return {
        "codec": video_codec(track),
        "profile": _text(track, "Format_Profile"),
        "level": _text(track, "Format_Level"),
        "width": _pixels(track, "Width"),
        "height": _pixels(track, "Height"),
        "frame_rate": _number(track, "FrameRate", _MOST_FRAMES),
        "bit_depth": _whole(track, "BitDepth", _MOST_BITS_A_SAMPLE),
        "hdr": _hdr(track),
    }


def _of_audio(track: Track) -> dict[str, Any]:
    is_lossy = track.get("Compression_Mode") == "Lossy"  # then a depth means nothing
    return {
        "codec": audio_codec(track),
        "profile": _audio_profile(track),
        "bit_depth": None if is_lossy else _whole(track, "BitDepth", _MOST_BITS_A_SAMPLE),
        "channels": _whole(track, "Channels", _MOST_CHANNELS),
        "sample_rate": _whole(track, "SamplingRate", _MOST_HERTZ),
    }


def _hdr(video: Track) -> str | None:
    """Name the highest form of HDR that a video stream has."""
    said = f"{video.get('HDR_Format', '')} {video.get('HDR_Format_Compatibility', '')}".lower()
    transfer = str(video.get("transfer_characteristics") or "")
    if "dolby vision" in said:
        return "Dolby Vision"
    if "2094 app 4" in said or "hdr10+" in said:
        return "HDR10+"
    if "HLG" in transfer:
        return "HLG"
    return "HDR10" if transfer == "PQ" or "hdr10" in said else None


_EXTENSIONS = {
    ("aac", "LC SBR"): "HE-AAC",
    ("aac", "LC SBR PS"): "HE-AACv2",
    ("dts", "XLL"): "DTS-HD MA",
    ("dts", "XLL X"): "DTS-HD MA + DTS:X",
    ("dts", "XBR"): "DTS-HD HRA",
    ("dts", "ES"): "DTS-ES",
    ("dts", "LBR"): "DTS Express",
    ("e-ac-3", "JOC"): "Dolby Digital Plus + Dolby Atmos",
    ("mlp", "16-ch"): "Dolby TrueHD + Dolby Atmos",
}


def _audio_profile(audio: Track) -> str | None:
    """Name the profile as ffprobe does; MPEG's layers and the like are in the codec's name."""
    said = _text(audio, "Format_AdditionalFeatures")
    family = format_of(audio).partition(" ")[0]
    return _EXTENSIONS.get((family, said.removeprefix("FBA ")), said) if said else None


_PICTURES = {".jpeg": "mjpeg", ".jpg": "mjpeg", ".png": "png", ".webp": "webp"}


def _pictures(general: Track, free: Iterator[int]) -> Iterator[Stream]:
    """Return the pictures in tags and attachments; an attached font has a number, too."""
    attached = str(_extra(general).get("Attachments") or "")
    for name in filter(None, attached.split(" / ")):
        number, codec = next(free), _PICTURES.get(name[name.rfind(".") :].lower())
        if codec:
            yield Stream(number, "image", codec, title=_readable(name))
    if general.get("Cover") == "Yes" and not attached:
        is_png = "png" in str(general.get("Cover_Mime")).lower()
        yield Stream(next(free), "image", "png" if is_png else "mjpeg")


# Chapters


_START = re.compile(r"_(\d+)_([0-5]\d)_([0-5]\d)_?(\d{3})")
_LANGUAGE_BEFORE = re.compile(r"[a-z]{2}(?:-[A-Z]{2})?:(?=\S)")


def _chapters(tracks: list[Track]) -> tuple[Chapter, ...]:
    """Return the chapters of the first list that has any; a film may have the same list twice."""
    for menu in of_kind(tracks, "Menu"):
        found = [
            Chapter(seconds, _chapter_title(title))
            for key, title in _extra(menu).items()
            if (seconds := _start(key)) is not None
        ]
        if found:
            return tuple(sorted(found, key=lambda chapter: chapter.start))
    return ()


def _start(key: str) -> float | None:
    found = _START.fullmatch(key)
    if found is None:
        return None
    hours, minutes, seconds, thousandths = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _chapter_title(said: object) -> str | None:
    text = str(said)
    return _readable(text[len(before[0]) :] if (before := _LANGUAGE_BEFORE.match(text)) else text)


# Values


_MOST_BITS = 10**12  # per second
_MOST_BITS_A_SAMPLE = 64
_MOST_CHANNELS = 255
_MOST_FRAMES = 10_000  # per second
_MOST_HERTZ = 10**8
_LONGEST = 500  # characters


def _extra(track: Track) -> dict[str, Any]:
    extra = track.get("extra")
    return extra if isinstance(extra, dict) else {}


def _number(track: Track, name: str, most: float) -> float | None:
    """Return a value above 0, the first of several ("48000 / 24000"), or None."""
    try:
        value = float(str(track.get(name) or "0").partition("/")[0])
    except ValueError:
        return None
    return value if 0 < value <= most else None


def _whole(track: Track, name: str, most: int) -> int | None:
    value = _number(track, name, most)
    return round(value) or None if value is not None else None


def _seconds(track: Track) -> float | None:
    try:
        return plausible_seconds(float(track.get("Duration") or 0))
    except (TypeError, ValueError, OverflowError):
        return None


def _pixels(track: Track | None, name: str) -> int | None:
    value = _number(track, name, float("inf")) if track else None
    return plausible_pixels(int(value)) if value and value < 1e9 else None


def _text(track: Track, name: str) -> str | None:
    return _readable(str(track.get(name) or ""))


def _readable(text: str) -> str | None:
    return " ".join(readable(text[:_LONGEST]).split()) or None


_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def _language(track: Track) -> str | None:
    said = str(track.get("Language") or "").partition("/")[0].strip()
    return said if said.lower() != "und" and _TAG.fullmatch(said) else None
