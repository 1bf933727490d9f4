"""libmediainfo's description of a file: its tracks, as mappings with the library's own keys."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, BinaryIO

from ...errors import ProbeUnavailable

Track = Mapping[str, Any]
"""Its "@type" is General, Video, Audio, Text, Image, Menu or Other; nearly all values are text."""

PARSE_SPEED = 0.5
_SEPARATELY = Lock()  # libmediainfo keeps its options in globals

# Formats that begin without a header: one may be taken for another where the name is not known.
_PARSERS = {"ac-3": "Ac3", "adts": "Adts", "dts": "Dts", "e-ac-3": "Ac3", "mpeg audio": "Mpega"}
_BY_SUFFIX = {
    ".aac": "Adts",
    ".ac3": "Ac3",
    ".dts": "Dts",
    ".eac3": "Ac3",
    ".mp2": "Mpega",
    ".mp3": "Mpega",
}
# Of two tags whose names differ only in "/" and spaces, the second is written without its name.
_NAMELESS = re.compile(r',"(?:[^"\\]|\\.)*"(?=[,}])')


def parsed(path: str) -> list[Track]:
    """Return the tracks of a file, "General" first; [] if it is not media.

    Takes 2 to 10 ms. Raises ProbeUnavailable without pymediainfo or its library, OSError if the
    file cannot be read.
    """
    # An open file, not the path: under LC_ALL=C libmediainfo cannot open a name beyond ASCII, and
    # it would read the files of a series (a01.ts, a02.ts) as one.
    with _SEPARATELY, open(path, "rb") as file:
        tracks = _tracks(file)
        parser = _BY_SUFFIX.get(os.path.splitext(path)[1].lower())
        taken_for = _PARSERS.get(format_of(tracks[0])) if tracks else None
        if parser and taken_for and taken_for != parser:
            tracks = _tracks(file, parser) or tracks
    return tracks


def _tracks(file: BinaryIO, parser: str | None = None) -> list[Track]:
    try:
        from pymediainfo import MediaInfo
    except ImportError as exc:
        raise ProbeUnavailable(
            "pymediainfo, which reads streams, is missing: pip install pymediainfo"
        ) from exc
    try:
        # JSON without the texts for people takes a fifth less time than pymediainfo's objects.
        found = MediaInfo.parse(
            file,
            parse_speed=PARSE_SPEED,
            full=False,
            output="JSON",
            mediainfo_options={"File_ForceParser": parser} if parser else None,
        )
    except OSError as exc:
        if exc.errno is not None:
            raise
        raise ProbeUnavailable("libmediainfo, which reads streams, cannot be loaded") from exc
    media = _loaded(found)["media"]
    return media["track"] if media else []


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return json.loads(_NAMELESS.sub("", text), strict=False)


def of_kind(tracks: list[Track], kind: str) -> Iterator[Track]:
    """Return the tracks of a kind, such as "Video"."""
    return (track for track in tracks if track["@type"] == kind)


def format_of(track: Track) -> str:
    """Return the name that libmediainfo has for a track's format, in lower case, or ""."""
    return str(track.get("Format") or "").lower()
