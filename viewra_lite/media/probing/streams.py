"""Containers and codecs of a file by libmediainfo, under the names that players use."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...errors import ProbeUnavailable
from .plausible import plausible_pixels, plausible_seconds

# MediaInfo's format (lower case) -> the common short name
_CONTAINERS = {
    "ac-3": "ac3",
    "adts": "aac",
    "aiff": "aiff",
    "avi": "avi",
    "bdav": "mpegts",
    "dsf": "dsf",
    "dts": "dts",
    "flac": "flac",
    "flash video": "flv",
    "matroska": "matroska",
    "monkey's audio": "ape",
    "mpeg audio": "mp3",
    "mpeg video": "mpeg",
    "mpeg-4": "mp4",
    "mpeg-ps": "mpeg",
    "mpeg-ts": "mpegts",
    "ogg": "ogg",
    "realmedia": "rm",
    "rf64": "wav",
    "wave": "wav",
    "wavpack": "wavpack",
    "webm": "webm",
    "windows media": "asf",
}
_VIDEO_CODECS = {
    "av1": "av1",
    "avc": "h264",
    "dv": "dvvideo",
    "hevc": "hevc",
    "jpeg": "mjpeg",
    "mpeg-4 visual": "mpeg4",
    "prores": "prores",
    "realvideo 3": "rv30",
    "realvideo 4": "rv40",
    "sorenson spark": "flv1",
    "theora": "theora",
    "vc-1": "vc1",
    "vp6": "vp6",
    "vp7": "vp7",
    "vp8": "vp8",
    "vp9": "vp9",
    "vvc": "vvc",
    "wmv": "wmv",
    "xvid": "mpeg4",
}
_AUDIO_CODECS = {
    "ac-3": "ac3",
    "adpcm": "adpcm",
    "alac": "alac",
    "amr": "amr",
    "dsd": "dsd",
    "dts": "dts",
    "e-ac-3": "eac3",
    "flac": "flac",
    "mlp": "mlp",
    "mlp fba": "truehd",
    "monkey's audio": "ape",
    "opus": "opus",
    "pcm": "pcm",
    "speex": "speex",
    "truehd": "truehd",
    "tta": "tta",
    "vorbis": "vorbis",
    "wavpack": "wavpack",
    "wma": "wma",
}
_LAYERS = {"layer 1": "mp1", "layer 2": "mp2", "layer 3": "mp3"}
PARSE_SPEED = 0.5  # one value for all threads: libmediainfo keeps it in a global


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """The streams of a file: duration in seconds, stored width and height in pixels.

    `truncated` means that the file is shorter than its header claims.
    """

    container: str | None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    truncated: bool = False


def streams(path: str) -> StreamFacts:
    """Read a file's container and its first or default streams.

    Both codecs are None if the file holds no media. Takes 2 to 10 ms. Raises ProbeUnavailable
    without pymediainfo or its library, OSError if the file cannot be read.
    """
    tracks = _tracks(path)
    general = next(iter(_of_kind(tracks, "General")), None)
    video, audio = _best(_of_kind(tracks, "Video")), _best(_of_kind(tracks, "Audio"))
    durations = [_seconds(track) for track in (general, video, audio) if track]
    return StreamFacts(
        container=_container(general),
        duration=next((seconds for seconds in durations if seconds), None),
        width=_pixels(video, "width"),
        height=_pixels(video, "height"),
        video_codec=_video_codec(video) if video else None,
        audio_codec=_audio_codec(audio) if audio else None,
        truncated=getattr(general, "istruncated", None) == "Yes",
    )


def _tracks(path: str) -> list[Any]:
    try:
        from pymediainfo import MediaInfo
    except ImportError as exc:
        raise ProbeUnavailable(
            "pymediainfo, which reads streams, is missing: pip install pymediainfo"
        ) from exc
    # An open file, not the path: under LC_ALL=C libmediainfo cannot open a name beyond ASCII.
    with open(path, "rb") as file:
        try:
            found = MediaInfo.parse(file, parse_speed=PARSE_SPEED, encoding_errors="replace")
        except OSError as exc:
            if exc.errno is not None:
                raise
            raise ProbeUnavailable("libmediainfo, which reads streams, cannot be loaded") from exc
    return list(found.tracks)


def _of_kind(tracks: Iterable[Any], kind: str) -> list[Any]:
    return [track for track in tracks if track.track_type == kind]


def _best(tracks: list[Any]) -> Any:
    """Return the default track, else the first; a cover picture only without any other."""
    real = [track for track in tracks if _format(track) not in ("jpeg", "png")] or tracks
    return next((track for track in real if track.default == "Yes"), real[0] if real else None)


def _format(track: Any) -> str:
    return str(track.format or "").lower()


def _seconds(track: Any) -> float | None:
    try:
        return plausible_seconds(float(track.duration) / 1000) if track.duration else None
    except (TypeError, ValueError, OverflowError):
        return None


def _pixels(track: object, name: str) -> int | None:
    value = getattr(track, name, None)
    return plausible_pixels(value) if isinstance(value, int) else None


def _container(general: Any) -> str | None:
    if general is None or not general.format:
        return None
    profile = str(general.format_profile or "").lower()
    if _format(general) == "mpeg-4" and profile.startswith(("quicktime", "3gpp")):
        return "mov" if profile.startswith("quicktime") else "3gp"
    if _format(general) == "mpeg audio":
        return _LAYERS.get(profile, "mp3")
    return _short(_CONTAINERS, general)


def _video_codec(video: Any) -> str | None:
    if _format(video) == "mpeg video":
        version = str(video.format_version or "")
        return "mpeg1video" if version.endswith("1") else "mpeg2video"
    return _short(_VIDEO_CODECS, video)


def _audio_codec(audio: Any) -> str | None:
    if _format(audio) == "mpeg audio":
        return _LAYERS.get(str(audio.format_profile or "").lower(), "mp3")
    if _format(audio).startswith("aac"):
        return "aac"
    return _short(_AUDIO_CODECS, audio)


def _short(names: dict[str, str], track: object) -> str | None:
    """Look the format up, also without its trailing words ("DTS XLL", "MLP FBA 16-ch")."""
    said = _format(track).split()
    for count in range(len(said), 0, -1):
        name = names.get(" ".join(said[:count]))
        if name:
            return name
    return re.sub(r"[^a-z0-9]+", "", "".join(said)) or None
