"""What is told of files, and what a scan or a reconciliation says in the end."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from ...database.checks import checked_bytes, checked_number, checked_text, refused
from ...database.orm.fields import canonical_path, checked_value
from ...errors import InvalidValueError, shown
from ..models import MediaFile
from ..probing.plausible import LONGEST_S, MOST_PIXELS, RANGES


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a caller knows of one file; None = not known. Size in bytes, duration in seconds."""

    path: str
    size: int | None = None
    modified_ns: int | None = None
    mime_type: str | None = None
    container: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    fingerprint: str | None = None
    identity: str | None = None


FACTS = tuple(field.name for field in fields(FileFacts) if field.name != "path")
"""What is known of a file: columns of MediaFile, in the order in which all else has them."""
CONTENT = ("size", "modified_ns", "fingerprint")
"""What says that a file's content is another."""
TOLD = tuple(name for name in FACTS if name not in CONTENT)
"""What a caller may know better than the store, of the same content."""
facts_of, content_of, told_of = (attrgetter(*names) for names in (FACTS, CONTENT, TOLD))


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or a folder that could not be read, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan or a reconciliation found; all but the last four are numbers of files."""

    added: int = 0
    updated: int = 0
    """Changed in place, come back, or replaced by another file of the same movie or episode."""
    moved: int = 0
    """Renamed or moved; they keep their id."""
    removed: int = 0
    """Newly marked missing."""
    unchanged: int = 0
    missing: int = 0
    """All that are missing now, those of earlier scans included."""
    errors: int = 0
    probed: int = 0
    """Read: new, changed, or left by a scan that was interrupted or lacked a package."""
    frozen: str | None = None
    """Why nothing was marked missing, or None."""
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    """The first hundred errors."""
    not_probed: tuple[str, ...] = ()
    """Optional packages that are not installed, so that something was left out."""


def checked_facts(facts: FileFacts, inside: str) -> str:
    """Return the path as the store knows it; raises InvalidValueError for facts that cannot be.

    inside is the library's folder as the store knows it, with a separator at its end.
    """
    if not isinstance(facts, FileFacts):
        raise refused("what add() takes", "FileFacts", facts)
    path = facts.path
    if not (path.__class__ is str and path.isascii() and "\0" not in path):
        path = _checked_path(path)
    if not path.startswith(inside) or _is_crooked(path):
        raise InvalidValueError(
            f"{shown(facts.path)} is not the path of a file below the library's folder "
            f"{shown(inside)}"
        )
    if not _is_plain(facts):
        for name in FACTS:
            value = getattr(facts, name)
            if value is not None:
                _check(facts.path, name, getattr(MediaFile, name), value)
    return path


def _is_plain(facts: FileFacts) -> bool:
    """Whether facts are as nearly all are, so that no column need be asked what it holds."""
    for text in _texts(facts):
        if text is not None and not (
            text.__class__ is str
            and text.isascii()
            and "\0" not in text
            and len(text) <= LONGEST_TEXT
        ):
            return False
    size, modified_ns, width, height, seconds = _numbers(facts)
    # Written out, and by class: this runs for every file of a scan.
    return (
        (size is None or size.__class__ is int and 0 <= size < _BEYOND_BIGINT)
        and (
            modified_ns is None
            or modified_ns.__class__ is int
            and 0 <= modified_ns < _BEYOND_BIGINT
        )
        and (width is None or width.__class__ is int and 0 <= width <= MOST_PIXELS)
        and (height is None or height.__class__ is int and 0 <= height <= MOST_PIXELS)
        and (seconds is None or seconds.__class__ is float and 0.0 <= seconds <= LONGEST_S)
    )


_BEYOND_BIGINT = 1 << 63
LONGEST_TEXT = 600  # characters: some stand in an index, and PostgreSQL's hold 2,704 bytes a row
_texts = attrgetter(
    "mime_type", "container", "video_codec", "audio_codec", "fingerprint", "identity"
)
_numbers = attrgetter("size", "modified_ns", "width", "height", "duration")


def _is_crooked(path: str) -> bool:
    """Whether an absolute path is not written in the one shortest way."""
    if "/." not in path and "//" not in path and path[-1] != "/":
        return False
    return os.path.normpath(path) != path


def _checked_path(path: Any) -> str:
    if not isinstance(path, str) or "\0" in path:
        raise InvalidValueError(f"{shown(path)} is not the path of a file")
    checked_value(MediaFile.path, path)
    return canonical_path(path)


def _check(path: str, name: str, field: Any, value: Any) -> None:
    try:
        checked_value(field, value)
    except InvalidValueError as exc:
        raise InvalidValueError(f"{shown(path)}: {exc}") from exc
    if isinstance(value, str):
        checked_text(f"{shown(path)}: {name}", value, longest=LONGEST_TEXT)
    elif name in RANGES:
        checked_number(f"{shown(path)}: {name}", value, *RANGES[name])
    elif name == "size":
        checked_bytes(f"{shown(path)}: {name}", value)
