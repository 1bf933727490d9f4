"""TranscodeProfile, the requested output, and Provider, a worker's capabilities."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..database.checks import (
    MOST_32_BITS,
    checked_text,
    checked_whole,
    or_none,
    refused,
    unknown_name,
)
from ..errors import InvalidValueError

LONGEST_TEXT = 200  # characters of a worker's name, or of a stream selector
# Names of containers and codecs as programs write them: h264, mp4a.40.2, e-ac-3, pcm_s16le.
_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_COUNTS = ("bitrate", "audio_bitrate", "width", "height")


@dataclass(frozen=True, slots=True)
class TranscodeProfile:
    """The requested output; None leaves a choice to the worker. Raises InvalidValueError.

    Names of containers and codecs are lower-cased, so that H264 and h264 are one profile.

        TranscodeProfile(container="mp4", video_codec="h264", height=720, streams=(0, "audio:eng"))
    """

    container: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    quality: int | None = None
    """In the worker's own scale."""
    bitrate: int | None = None
    """Of the video, in kbit/s."""
    audio_bitrate: int | None = None
    """In kbit/s."""
    width: int | None = None
    """At most, in pixels."""
    height: int | None = None
    """At most, in pixels."""
    streams: tuple[int | str, ...] = ()
    """The streams to keep, in order: indexes, or selectors that the worker knows (audio:eng)."""

    def __post_init__(self) -> None:
        for name in ("container", "video_codec", "audio_codec"):
            object.__setattr__(self, name, _name(name, getattr(self, name)))
        if self.quality is not None:
            checked_whole("quality", self.quality, -MOST_32_BITS)
        for name in _COUNTS:
            if getattr(self, name) is not None:
                checked_whole(name, getattr(self, name), 1)
        object.__setattr__(self, "streams", _streams(self.streams))

    @classmethod
    def of(cls, profile: TranscodeProfile | Mapping[str, Any]) -> TranscodeProfile:
        """Return a profile, from one or from a mapping of its fields (TranscodeSession.profile).

        Raises InvalidValueError for an unknown field or a bad value.
        """
        if isinstance(profile, TranscodeProfile):
            return profile
        if not isinstance(profile, Mapping):
            raise refused(
                "profile", f"a TranscodeProfile, or a mapping of {', '.join(_KEYS)}", profile
            )
        for key in profile:
            if key not in _KEYS:
                raise unknown_name("a profile", key, _KEYS)
        given = {key: value for key, value in profile.items() if value is not None}
        return cls(**given)

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are set, as a JSON object that of() reads."""
        given = {name: getattr(self, name) for name in _KEYS}
        given["streams"] = list(self.streams) or None
        return {name: value for name, value in sorted(given.items()) if value is not None}

    def content_hash(self, fingerprint: str) -> str:
        """Return the SHA-256, in hex, of a file's fingerprint and this profile.

        It is the same on every machine: the profile is hashed as JSON with sorted keys. Raises
        InvalidValueError for an empty fingerprint.
        """
        if not checked_text("fingerprint", fingerprint):
            raise InvalidValueError("fingerprint must not be empty")
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{fingerprint}\n{text}".encode()).hexdigest()


_KEYS = tuple(field.name for field in fields(TranscodeProfile))


@dataclass(frozen=True, slots=True)
class Provider:
    """A worker and its capabilities; None sets no limit. Raises InvalidValueError.

    A worker that can copy streams unchanged lists the name that profiles use for it ("copy").
    """

    name: str
    containers: Iterable[str] | None = None
    video_codecs: Iterable[str] | None = None
    audio_codecs: Iterable[str] | None = None
    max_height: int | None = None
    """In pixels; sessions that request more are left to other workers."""

    def __post_init__(self) -> None:
        _text("provider", self.name)
        for name in ("containers", "video_codecs", "audio_codecs"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        or_none(checked_whole, "max_height", self.max_height)

    @classmethod
    def of(cls, provider: Provider | str) -> Provider:
        """Return a provider, from one or from a name, which sets no limits.

        Raises InvalidValueError.
        """
        return provider if isinstance(provider, Provider) else cls(provider)

    def limits(self) -> dict[str, Any]:
        """Return the limits that are set, by the column of the session that each applies to."""
        given = {
            "container": self.containers,
            "video_codec": self.video_codecs,
            "audio_codec": self.audio_codecs,
            "height": self.max_height,
        }
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in given.items()
            if value is not None
        }


def _name(field: str, value: object) -> str | None:
    if value is None:
        return None
    # Beyond ASCII, lower case depends on the version of Python.
    name = value.lower() if isinstance(value, str) and value.isascii() else ""
    if not _NAME.fullmatch(name):
        raise refused(field, "a name of letters, digits, '.', '_', '+' and '-'", value)
    return name


def _names(field: str, values: object) -> tuple[str, ...] | None:
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise refused(field, "a list of names", values)
    return tuple(sorted({_name(field, value) or "" for value in values} - {""}))


def _streams(values: object) -> tuple[int | str, ...]:
    if values is None:
        return ()
    if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
        raise refused("streams", "a list of indexes or texts", values)
    streams = tuple(values)
    for stream in streams:
        if isinstance(stream, str):
            _text("each of streams", stream)
        else:
            checked_whole("each of streams", stream)
    return streams


def _text(field: str, value: object) -> str:
    if not checked_text(field, value, longest=LONGEST_TEXT).strip():
        raise InvalidValueError(f"{field} must not be empty")
    return str(value)
