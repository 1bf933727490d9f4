"""Kinds of files by name alone: media, files beside it, and samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

# suffix: (short container name, MIME type)
_VIDEO = {
    ".3g2": ("3gp", "video/3gpp2"),
    ".3gp": ("3gp", "video/3gpp"),
    ".asf": ("asf", "video/x-ms-asf"),
    ".avi": ("avi", "video/x-msvideo"),
    ".divx": ("avi", "video/x-msvideo"),
    ".dv": ("dv", "video/x-dv"),
    ".dvr-ms": ("asf", "video/x-ms-dvr"),
    ".evo": ("mpeg", "video/mpeg"),
    ".f4v": ("mp4", "video/mp4"),
    ".flv": ("flv", "video/x-flv"),
    ".img": ("iso", "application/x-iso9660-image"),
    ".iso": ("iso", "application/x-iso9660-image"),
    ".m1v": ("mpeg", "video/mpeg"),
    ".m2t": ("mpegts", "video/mp2t"),
    ".m2ts": ("mpegts", "video/mp2t"),
    ".m2v": ("mpeg", "video/mpeg"),
    ".m4v": ("mp4", "video/x-m4v"),
    ".mk3d": ("matroska", "video/x-matroska-3d"),
    ".mkv": ("matroska", "video/x-matroska"),
    ".mov": ("mov", "video/quicktime"),
    ".mp4": ("mp4", "video/mp4"),
    ".mpe": ("mpeg", "video/mpeg"),
    ".mpeg": ("mpeg", "video/mpeg"),
    ".mpg": ("mpeg", "video/mpeg"),
    ".mts": ("mpegts", "video/mp2t"),
    ".mxf": ("mxf", "application/mxf"),
    ".ogm": ("ogg", "video/ogg"),
    ".ogv": ("ogg", "video/ogg"),
    ".qt": ("mov", "video/quicktime"),
    ".rm": ("rm", "application/vnd.rn-realmedia"),
    ".rmvb": ("rm", "application/vnd.rn-realmedia-vbr"),
    ".strm": ("strm", "text/plain"),
    ".tp": ("mpegts", "video/mp2t"),
    ".ts": ("mpegts", "video/mp2t"),
    ".vob": ("mpeg", "video/mpeg"),
    ".webm": ("webm", "video/webm"),
    ".wmv": ("asf", "video/x-ms-wmv"),
    ".wtv": ("wtv", "video/x-wtv"),
}
_AUDIO = {
    ".aac": ("aac", "audio/aac"),
    ".aax": ("mp4", "audio/vnd.audible.aax"),
    ".ac3": ("ac3", "audio/ac3"),
    ".aif": ("aiff", "audio/aiff"),
    ".aifc": ("aiff", "audio/aiff"),
    ".aiff": ("aiff", "audio/aiff"),
    ".alac": ("mp4", "audio/mp4"),
    ".ape": ("ape", "audio/x-ape"),
    ".dff": ("dff", "audio/x-dff"),
    ".dsf": ("dsf", "audio/x-dsf"),
    ".dts": ("dts", "audio/vnd.dts"),
    ".eac3": ("eac3", "audio/eac3"),
    ".flac": ("flac", "audio/flac"),
    ".m4a": ("mp4", "audio/mp4"),
    ".m4b": ("mp4", "audio/mp4"),
    ".mka": ("matroska", "audio/x-matroska"),
    ".mp2": ("mp2", "audio/mpeg"),
    ".mp3": ("mp3", "audio/mpeg"),
    ".mpc": ("mpc", "audio/x-musepack"),
    ".oga": ("ogg", "audio/ogg"),
    ".ogg": ("ogg", "audio/ogg"),
    ".opus": ("ogg", "audio/ogg"),
    ".spx": ("ogg", "audio/ogg"),
    ".tta": ("tta", "audio/x-tta"),
    ".wav": ("wav", "audio/wav"),
    ".weba": ("webm", "audio/webm"),
    ".wma": ("asf", "audio/x-ms-wma"),
    ".wv": ("wavpack", "audio/x-wavpack"),
}
_ALL = {**_VIDEO, **_AUDIO}

# The index file of a disc that is a folder: the item of the whole disc.
_DISC_INDEXES = {
    "video_ts.ifo": ("mpeg", "x-content/video-dvd"),
    "index.bdmv": ("mpegts", "x-content/video-bluray"),
    "index.bdm": ("mpegts", "x-content/video-bluray"),
    "hva00001.vti": ("mpeg", "x-content/video-hddvd"),
    "hv000i01.ifo": ("mpeg", "x-content/video-hddvd"),
}
_DISC_FOLDERS = frozenset({"video_ts", "hvdvd_ts", "bdmv", "avchd"})
UNPARSED = frozenset({"iso", "strm"})
"""Containers without streams to read: the image of a disc, and a text with an address."""

VIDEO_SUFFIXES = frozenset(_VIDEO)
AUDIO_SUFFIXES = frozenset(_AUDIO)
SUBTITLE_SUFFIXES = frozenset(
    {".ass", ".idx", ".smi", ".srt", ".ssa", ".sub", ".sup", ".ttml", ".vtt"}
)


def suffix_of(filename: str) -> str:
    """Return the known media suffix as the name writes it (".MKV"), or ""."""
    dot = filename.rfind(".")
    return filename[dot:] if dot > 0 and filename[dot:].lower() in _ALL else ""


def kind_of(filename: str) -> Literal["video", "audio"] | None:
    """Return "video" or "audio" by the suffix, or None for other files."""
    suffix = suffix_of(filename).lower()
    if not suffix:
        return None
    return "video" if suffix in VIDEO_SUFFIXES else "audio"


def mime_type(filename: str) -> str:
    """Name the MIME type by the suffix; "application/octet-stream" when it is not media."""
    if is_disc_index(filename):
        return _DISC_INDEXES[filename.lower()][1]
    return _ALL.get(suffix_of(filename).lower(), ("", "application/octet-stream"))[1]


def container(filename: str) -> str | None:
    """Name the container by the suffix ("matroska", "mp4", ...), None when it is not media."""
    known = _DISC_INDEXES.get(filename.lower()) or _ALL.get(suffix_of(filename).lower())
    return known[0] if known else None


SIDECAR_SUFFIXES = SUBTITLE_SUFFIXES | {
    ".bif",
    ".jpeg",
    ".jpg",
    ".lrc",
    ".nfo",
    ".png",
    ".tbn",
    ".webp",
}
"""Suffixes of files beside media that belong to it, whether they are read or not."""


def is_disc_index(filename: str) -> bool:
    """Whether a file is the index of a disc that is a folder: VIDEO_TS.IFO, index.bdmv, ..."""
    return filename.lower() in _DISC_INDEXES


def above_discs(parts: Sequence[str]) -> Sequence[str]:
    """Return the folders above the first one of a disc, or all parts.

    It is VIDEO_TS, HVDVD_TS or BDMV, and of a camera PRIVATE/AVCHD or AVCHD.
    """
    for number, part in enumerate(parts):
        if part.lower() in _DISC_FOLDERS:
            return parts[: number - _is_camera(parts, number)]
    return parts


def without_camera(parts: Sequence[str]) -> Sequence[str]:
    """Return folders without the PRIVATE around an AVCHD."""
    number = len(above_discs(parts))
    return [*parts[:number], *parts[number + 1 :]] if _is_camera(parts, number + 1) else parts


def _is_camera(parts: Sequence[str], number: int) -> bool:
    """Whether these are PRIVATE and AVCHD, the second at a number."""
    return [part.lower() for part in parts[max(number - 1, 0) : number + 1]] == ["private", "avchd"]


SIDECAR = "sidecar"
_BY_SUFFIX = {
    **dict.fromkeys(SIDECAR_SUFFIXES, SIDECAR),
    **dict.fromkeys(VIDEO_SUFFIXES, "video"),
    **dict.fromkeys(AUDIO_SUFFIXES, "audio"),
}


def kind_or_sidecar(filename: str) -> str | None:
    """Return "video", "audio", or SIDECAR for a file that may belong to media beside it."""
    return _BY_SUFFIX.get(filename[filename.rfind(".") :].lower())


# Samples

LARGEST_SAMPLE_BYTES = 300 * 1024 * 1024
_SAMPLE_FOLDERS = frozenset({"sample", "samples", "proof"})
_SAMPLE = re.compile(r"sample\d?|.*[-._][ ]?sample\d?|sample-.*|.*[(\[]\s*sample\s*[)\]]", re.I)


def is_sample(parts: Sequence[str], size: int) -> bool:
    """Whether a file is a sample; `parts` run from the root to the file name.

    A file in a folder "Sample" is one whatever its size; by its own name only up to 300 MiB.
    """
    folders, stem = parts[:-1], stem_of(parts[-1])
    if folders and folders[-1].casefold() in _SAMPLE_FOLDERS:
        return True
    return size <= LARGEST_SAMPLE_BYTES and _SAMPLE.fullmatch(stem) is not None


def stem_of(filename: str) -> str:
    """Return a name without its media suffix."""
    return filename[: len(filename) - len(suffix_of(filename))]
