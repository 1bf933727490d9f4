"""The tags of music files, by tinytag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ProbeUnavailable
from ..names.facts import TrackName
from ..names.keys import fold
from ..names.text import readable
from .plausible import plausible_seconds


@dataclass(frozen=True, slots=True)
class TagFacts:
    """A music file's tags; duration in seconds."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    disc: int | None = None
    track: int | None = None
    year: int | None = None
    genre: str | None = None
    duration: float | None = None
    musicbrainz_track_id: str | None = None
    musicbrainz_album_id: str | None = None
    musicbrainz_artist_id: str | None = None


LONGEST_TAG = 500  # characters, what a title may have; some taggers put a web page into a title


def tags(path: str) -> TagFacts | None:
    """Read a music file's tags; None if tinytag cannot read the format or the file is damaged.

    Raises ProbeUnavailable without tinytag, OSError if the file cannot be read.
    """
    try:
        from tinytag import TinyTag
        from tinytag.tinytag import TinyTagException
    except ImportError as exc:
        raise ProbeUnavailable(
            "tinytag, which reads music tags, is missing: pip install tinytag"
        ) from exc
    try:
        tag = TinyTag.get(path)
    except TinyTagException:
        return None
    return _facts(tag)


def _facts(tag: Any) -> TagFacts:
    other = {re.sub(r"[\W_]", "", key.lower()): value for key, value in _other(tag).items()}
    return TagFacts(
        title=_text(tag.title),
        artist=_text(tag.artist),
        album=_text(tag.album),
        album_artist=_text(tag.albumartist),
        disc=_number(tag.disc),
        track=_number(tag.track),
        year=_year(tag.year),
        genre=_text(tag.genre),
        duration=plausible_seconds(tag.duration),
        musicbrainz_track_id=_uuid(other.get("musicbrainztrackid")),
        musicbrainz_album_id=_uuid(other.get("musicbrainzalbumid")),
        musicbrainz_artist_id=_uuid(other.get("musicbrainzartistid")),
    )


def _other(tag: object) -> Mapping[str, Any]:
    other = getattr(tag, "other", None)
    return other if isinstance(other, Mapping) else {}


def _text(value: object) -> str | None:
    said = value[0] if isinstance(value, list) and value else value
    if not isinstance(said, str):
        return None
    return " ".join(readable(said[:LONGEST_TAG]).split()) or None


def _number(value: object) -> int | None:
    """Read 3, "3" or "3/12"; 0 and nonsense are None."""
    found = re.match(r"\s*(\d{1,4})(?!\d)", str(value)) if value is not None else None
    return int(found.group(1)) or None if found else None


def _year(value: object) -> int | None:
    found = re.search(r"(?<!\d)(1[4-9]\d\d|20\d\d)(?!\d{1,3}(?!\d))", str(value or ""))
    return int(found.group(1)) if found else None


def _uuid(value: object) -> str | None:
    text = (_text(value) or "").lower()
    return text if re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) else None


def tagged_name(tag: TagFacts | None, name: TrackName) -> TrackName:
    """Name a track by its tags; the names of file and folders fill the gaps."""
    if tag is None:
        return name
    return TrackName(
        artist=tag.artist or name.artist,
        album=tag.album or name.album,
        title=tag.title or name.title,
        disc=tag.disc or name.disc,
        track=tag.track or name.track,
        year=tag.year or name.year,
        album_artist=tag.album_artist or _album_artist(tag, name),
    )


def _album_artist(tag: TagFacts, name: TrackName) -> str | None:
    """Keep "Queen feat. Bowie" on Queen's album when only the folder says whose it is."""
    if name.album_artist or not name.artist or not tag.artist:
        return name.album_artist
    return name.artist if fold(tag.artist).startswith(fold(name.artist) + "-") else None
