"""What is wanted of a transcoding, and what a worker can do."""

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

LONGEST_TEXT = 200  # characters of a worker's name, or of what chooses a stream
# How programs write the names of containers and codecs: h264, mp4a.40.2, e-ac-3, pcm_s16le.
_NAME = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}")
_COUNTS = ("bitrate", "audio_bitrate", "width", "height")


@dataclass(frozen=True, slots=True)
class TranscodeProfile:
    """What is wanted; what is None is up to the worker. Raises InvalidValueError.

    Names of containers and codecs are lower-cased, so that those that differ in case are equal.
    """

    container: str | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    quality: int | None = None
    """In the worker's own scale."""
    bitrate: int | None = None
    """Of the video, kbit/s."""
    audio_bitrate: int | None = None
    """kbit/s."""
    width: int | None = None
    """Pixels at most."""
    height: int | None = None
    """Pixels at most."""
    streams: tuple[int | str, ...] = ()
    """Which streams, in this order: indexes, or text that the worker understands (audio:eng)."""

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
        """Return a profile, made of a mapping (TranscodeSession.profile, say) where it is one."""
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

    def wanted(self) -> dict[str, Any]:
        """Return what is asked for as a JSON object, without what is not."""
        given = {name: getattr(self, name) for name in _KEYS}
        given["streams"] = list(self.streams) or None
        return {name: value for name, value in sorted(given.items()) if value is not None}

    def content_hash(self, fingerprint: str) -> str:
        """Return the SHA-256, in hex, of a file's fingerprint and this profile.

        Equal on every machine: the profile counts as JSON with sorted keys and nothing else.
        """
        if not checked_text("fingerprint", fingerprint):
            raise InvalidValueError("fingerprint must not be empty")
        text = json.dumps(self.wanted(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(f"{fingerprint}\n{text}".encode()).hexdigest()


_KEYS = tuple(field.name for field in fields(TranscodeProfile))


@dataclass(frozen=True, slots=True)
class Provider:
    """A worker and what it can make; None is anything. Raises InvalidValueError.

    A worker that takes streams as they are says so by the name that sessions ask by ("copy").
    """

    name: str
    containers: Iterable[str] | None = None
    video_codecs: Iterable[str] | None = None
    audio_codecs: Iterable[str] | None = None
    max_height: int | None = None
    """Pixels: sessions that ask for at most as many."""

    def __post_init__(self) -> None:
        _text("provider", self.name)
        for name in ("containers", "video_codecs", "audio_codecs"):
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        or_none(checked_whole, "max_height", self.max_height)

    @classmethod
    def of(cls, provider: Provider | str) -> Provider:
        """Return a provider; one that is only a name can do anything."""
        return provider if isinstance(provider, Provider) else cls(provider)

    def limits(self) -> dict[str, Any]:
        """Return what it is limited to, by the session's column, without what it is not."""
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


def _name(field: str, value: Any) -> str | None:
    if value is None:
        return None
    # Beyond ASCII what is lower case depends on the version of Python.
    name = value.lower() if isinstance(value, str) and value.isascii() else ""
    if not _NAME.fullmatch(name):
        raise refused(field, "a name of letters, digits, '.', '_', '+' and '-'", value)
    return name


def _names(field: str, values: Any) -> tuple[str, ...] | None:
    if values is None:
        return None
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise refused(field, "a list of names", values)
    return tuple(sorted({_name(field, value) or "" for value in values} - {""}))


def _streams(values: Any) -> tuple[int | str, ...]:
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


def _text(field: str, value: Any) -> str:
    if not checked_text(field, value, longest=LONGEST_TEXT).strip():
        raise InvalidValueError(f"{field} must not be empty")
    return str(value)
