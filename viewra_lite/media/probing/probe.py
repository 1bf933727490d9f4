"""Probing one file: its size, fingerprint, name, streams and tags."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from importlib.util import find_spec
from typing import Any

from ...errors import ProbeUnavailable
from ..names.facts import EpisodeName, ExtraName, MovieName, NameFacts, SeasonEpisodes, TrackName
from ..names.kinds import UNPARSED, container, is_disc_index, kind_of
from ..names.reading import name_of
from .discs import Title, main_title
from .parser import Track, parsed
from .plausible import plausible_seconds
from .streams import Chapter, Stream, StreamFacts, streams
from .tags import TagFacts, tagged_name, tags

__all__ = [
    "Probe",
    "StreamFacts",
    "TagFacts",
    "available",
    "fingerprint",
    "late",
    "probe",
    "tags",
    "unread",
]

EXTRAS = ("guessit", "pymediainfo", "tinytag")
FINGERPRINT_BYTES = 64 * 1024  # from each end


@dataclass(frozen=True, slots=True)
class Probe:
    """The result of probing a file: size in bytes; `error` is one line, None for a sound file.

    `skipped` names the optional packages that were missing. `fingerprint` is "" if the file could
    not be read, and `name` is None if the file is gone. `is_late`: the probe was ended.
    """

    path: str
    size: int = 0
    fingerprint: str = ""
    name: NameFacts | None = None
    streams: StreamFacts | None = None
    tags: TagFacts | None = None
    error: str | None = None
    skipped: tuple[str, ...] = ()
    is_late: bool = False

    def to_json(self) -> dict[str, Any]:
        """Make a mapping that json.dumps takes; from_json makes the same Probe of it."""
        plain = asdict(replace(self, name=None, tags=None))
        plain["name"] = self.name and _plain_name(self.name)
        plain["tags"] = self.tags and self.tags.to_json()
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Probe:
        """Rebuild a Probe; unknown keys are ignored, a missing one raises KeyError."""
        found = {field.name: plain[field.name] for field in fields(cls)}
        found["name"] = _name_from(plain["name"]) if plain["name"] else None
        found["streams"] = _streams_from(plain["streams"]) if plain["streams"] else None
        found["tags"] = None if plain["tags"] is None else TagFacts.from_json(plain["tags"])
        return cls(**{**found, "skipped": tuple(plain["skipped"])})


_NAMES: dict[str, type[Any]] = {
    model.__name__: model for model in (MovieName, EpisodeName, TrackName, ExtraName)
}


def _plain_name(name: NameFacts) -> dict[str, Any]:
    plain = {**asdict(name), "type": type(name).__name__}
    if isinstance(name, ExtraName):
        plain["of"] = _plain_name(name.of)
    if isinstance(name, EpisodeName) and name.air_date:
        plain["air_date"] = name.air_date.isoformat()
    return plain


def _name_from(plain: Mapping[str, Any]) -> NameFacts:
    facts = {key: value for key, value in plain.items() if key != "type"}
    if facts.get("of"):
        facts["of"] = _name_from(facts["of"])
    if facts.get("air_date"):
        facts["air_date"] = date.fromisoformat(facts["air_date"])
    if "episodes" in facts:
        facts["episodes"] = tuple(facts["episodes"])
        facts["later"] = tuple(
            SeasonEpisodes(season, tuple(episodes)) for season, episodes in facts["later"]
        )
    name: NameFacts = _NAMES[plain["type"]](**facts)
    return name


def _streams_from(plain: Mapping[str, Any]) -> StreamFacts:
    streams = tuple(Stream(*stream) for stream in plain["streams"])
    chapters = tuple(Chapter(*chapter) for chapter in plain["chapters"])
    return StreamFacts(**{**plain, "streams": streams, "chapters": chapters})


def available() -> dict[str, bool]:
    """Return which optional packages are installed, without importing them."""
    return {name: find_spec(name) is not None for name in EXTRAS}


def fingerprint(path: str) -> str:
    """Hash the size and the first and last 64 KiB (a file below 128 KiB whole): SHA-256, hex.

    Reads 128 KiB at most. Raises OSError if the file cannot be read.
    """
    if is_disc_index(os.path.basename(path)):
        return _fingerprint_of_disc(main_title(path))
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256(size.to_bytes(8, "big"))
        digest.update(file.read(FINGERPRINT_BYTES))
        file.seek(max(FINGERPRINT_BYTES, size - FINGERPRINT_BYTES))
        digest.update(file.read(FINGERPRINT_BYTES))
    return digest.hexdigest()


def _fingerprint_of_disc(title: Title | None) -> str:
    """Hash the bytes of the main title, and its first and last 64 KiB; "" without one."""
    if title is None:
        return ""
    digest = hashlib.sha256(title.size.to_bytes(8, "big"))
    for clip, place in ((title.clips[0], 0), (title.clips[-1], -FINGERPRINT_BYTES)):
        with open(clip, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(place if place >= -size else 0, os.SEEK_SET if place == 0 else os.SEEK_END)
            digest.update(file.read(FINGERPRINT_BYTES))
    return digest.hexdigest()


def probe(path: str, library_type: str, root: str) -> Probe:
    """Probe one file; never raises: a failure is in `error`.

    `library_type` is movie, tv or music. Takes 5 to 30 ms on a local disk.
    """
    found = unread(path, library_type, root)
    if found.error is not None:
        return found
    try:
        return _read(found, is_music=library_type == "music")
    except (OSError, ValueError) as exc:
        return replace(found, error=_reason(exc))
    except MemoryError:
        return replace(found, error="cannot be read: it takes too much memory")
    except Exception as exc:  # a parser's own bug must not end the scan of a library
        return replace(found, error=f"cannot be read: {type(exc).__name__}")


def unread(path: str, library_type: str, root: str, error: str | None = None) -> Probe:
    """Probe one file without parsing it: only size, fingerprint and name; never raises.

    A given `error` is kept, unless the file cannot even be read.
    """
    name, skipped = _named(path, library_type, root)
    found = Probe(path, name=name, error=error, skipped=skipped)
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):
            return replace(found, name=None, error="not a regular file")
        if is_disc_index(os.path.basename(path)):
            return _unread_disc(found, main_title(path))
        found = replace(found, size=facts.st_size, fingerprint=fingerprint(path))
    except FileNotFoundError as exc:
        return replace(found, name=None, error=_reason(exc))
    except (OSError, ValueError) as exc:
        return replace(found, error=_reason(exc))
    return found if found.size else replace(found, error="the file is empty (0 bytes)")


def _unread_disc(found: Probe, title: Title | None) -> Probe:
    if title is None or not title.size:
        return replace(found, error="no title was found on the disc: files of it are missing")
    return replace(found, size=title.size, fingerprint=_fingerprint_of_disc(title))


def late(path: str, library_type: str, root: str, error: str) -> Probe:
    """Probe one file without reading it, because that takes too long: only its name."""
    name, skipped = _named(path, library_type, root)
    return Probe(path, name=name, error=error, skipped=skipped, is_late=True)


def _named(path: str, library_type: str, root: str) -> tuple[NameFacts | None, tuple[str, ...]]:
    try:
        return name_of(path, library_type, root), ()
    except ProbeUnavailable:
        return None, ("guessit",)


def _read(found: Probe, *, is_music: bool) -> Probe:
    if container(os.path.basename(found.path)) in UNPARSED:
        return found
    if is_disc_index(os.path.basename(found.path)):
        return _read_disc(found, main_title(found.path))
    skipped, seen, tag = list(found.skipped), None, None
    general: Track = {}
    try:
        tracks = parsed(found.path)
        seen, general = streams(tracks, found.path), next(iter(tracks), general)
    except ProbeUnavailable:
        skipped.append("pymediainfo")
    try:
        tag = tags(found.path, general) if is_music and kind_of(found.path) == "audio" else None
    except ProbeUnavailable:
        skipped.append("tinytag")
    name = tagged_name(tag, found.name) if isinstance(found.name, TrackName) else found.name
    error = None if seen is None else _fault(seen, is_music=is_music)
    return replace(found, name=name, streams=seen, tags=tag, error=error, skipped=tuple(skipped))


def _read_disc(found: Probe, title: Title | None) -> Probe:
    """Read the streams of a disc from the largest clip of its main title."""
    if title is None:
        return replace(found, error="no title was found on the disc")
    clip = _read(replace(found, path=title.largest), is_music=False)
    seen = clip.streams
    seconds = plausible_seconds(title.seconds)
    if seen is not None and seconds:
        seen = replace(seen, duration=seconds, bit_rate=round(title.size * 8 / seconds))
    return replace(clip, path=found.path, streams=seen)


def _fault(seen: StreamFacts, *, is_music: bool) -> str | None:
    if seen.video_codec is None and seen.audio_codec is None:
        return "no audio or video stream was found: the file is damaged or not media"
    if is_music and seen.audio_codec is None:
        return "no audio stream was found: the file is not music"
    return None


def _reason(exc: OSError | ValueError) -> str:
    if isinstance(exc, FileNotFoundError):
        return "the file is gone"
    if isinstance(exc, OSError) and exc.strerror:
        return f"cannot be read: {exc.strerror.lower()}"
    return "cannot be read: its path is not valid"
