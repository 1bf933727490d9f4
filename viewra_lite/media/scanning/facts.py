"""FileFacts, the input of a reconciliation, and ScanResult, its result."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from operator import attrgetter

from ...database.checks import checked_bytes, checked_number, checked_text, refused
from ...database.orm.fields import canonical_path, checked_value
from ...errors import InvalidValueError, shown
from ..libraries import why_too_long
from ..models import MediaFile
from ..probing.plausible import LONGEST_S, MOST_PIXELS, RANGES


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The columns of one file that a caller knows, for reconcile(); None is unknown.

    path is absolute and below the library's folder; size is in bytes, duration in seconds, width
    and height in pixels, modified_ns in nanoseconds since 1970. Omitted mime_type and container
    are derived from the name.
    """

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
"""The columns of MediaFile that FileFacts has, in the same order."""
CONTENT = ("size", "modified_ns", "fingerprint")
"""Columns whose change means that the content has changed."""
DETAILS = tuple(name for name in FACTS if name not in CONTENT)
"""Columns that a caller may correct while the content stays the same."""
facts_of, content_of, details_of = (attrgetter(*names) for names in (FACTS, CONTENT, DETAILS))


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or a folder that could not be read, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The result of a scan or a reconciliation; the first nine are numbers of files."""

    added: int = 0
    updated: int = 0
    """Changed in place, returned, or replaced by another file of the same movie or episode."""
    moved: int = 0
    """Renamed or moved; they keep their id."""
    removed: int = 0
    """Newly marked missing."""
    unchanged: int = 0
    missing: int = 0
    """All missing files, those of earlier scans included."""
    errors: int = 0
    probed: int = 0
    """New, changed, or left by a scan that was interrupted, lacked a package, or was older."""
    unplaced: int = 0
    """All files that belong to no movie, episode or track: files(library_id, placed=False)."""
    frozen: str | None = None
    """Why nothing was marked missing, or None."""
    cancelled: bool = False
    """Whether cancel_scan() ended it: files added so far stay, and nothing was marked missing."""
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    """The first hundred errors."""
    ignored: dict[str, int] = field(default_factory=dict, hash=False)
    """How many files and folders were left out, by reason: hidden, system folder, ignore file,
    not media, sample, incomplete download. A folder counts once, whatever is in it."""
    not_probed: tuple[str, ...] = ()
    """Optional packages that are not installed, so that probing was incomplete."""
    in_process: str | None = None
    """Why files were probed in this process, where one that crashes or hangs the parser ends or
    hangs the program; None if worker processes probed them."""


def checked_facts(facts: FileFacts, inside: str) -> str:
    """Return the canonical path of facts; raises InvalidValueError for impossible ones.

    inside is the library's canonical folder, with a separator at its end.
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
    if too_long := why_too_long(facts.path):
        raise InvalidValueError(f"{shown(facts.path)} cannot be stored: {too_long}")
    if not _is_plain(facts):
        for name in FACTS:
            value = getattr(facts, name)
            if value is not None:
                _check(facts.path, name, getattr(MediaFile, name), value)
    return path


def _is_plain(facts: FileFacts) -> bool:
    """Whether facts are of the common form, which needs no check of each column."""
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
LONGEST_TEXT = 600  # characters: some are indexed, and an index row of PostgreSQL has 2,704 bytes
_texts = attrgetter(
    "mime_type", "container", "video_codec", "audio_codec", "fingerprint", "identity"
)
_numbers = attrgetter("size", "modified_ns", "width", "height", "duration")


def _is_crooked(path: str) -> bool:
    """Whether an absolute path is not normalized."""
    if "/." not in path and "//" not in path and path[-1] != "/":
        return False
    return os.path.normpath(path) != path


def _checked_path(path: object) -> str:
    if not isinstance(path, str) or "\0" in path:
        raise InvalidValueError(f"{shown(path)} is not the path of a file")
    checked_value(MediaFile.path, path)
    return canonical_path(path)


def _check(path: str, name: str, field: object, value: object) -> None:
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
