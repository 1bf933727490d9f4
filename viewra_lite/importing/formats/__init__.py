"""The formats of exports, one module each, and which of them a file is.

A format is a module with NAME, TITLE, recognises(part) and records(part, zone). The first that
recognises a file is taken; flat, the format of our own, comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from typing import Any, Protocol

from ...errors import InvalidValueError
from ..reading import MOST_ROWS, Part
from ..record import WatchedRecord
from . import (
    flat,
    imdb,
    kodi,
    lastfm,
    letterboxd,
    listenbrainz,
    netflix,
    playback_reporting,
    simkl,
    tautulli,
    trakt,
    yamtrack,
)


class Format(Protocol):
    """What a module of this package offers."""

    NAME: str
    TITLE: str

    def recognises(self, part: Part) -> bool:
        """Whether a file is of this format."""

    def records(self, part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
        """Yield what each row says; times without a zone are of the given one."""


_ORDER: tuple[Any, ...] = (
    playback_reporting,
    trakt,
    tautulli,
    simkl,
    letterboxd,
    imdb,
    netflix,
    yamtrack,
    listenbrainz,
    lastfm,
    kodi,
    flat,
)
FORMATS: dict[str, Format] = {module.NAME: module for module in _ORDER}


def records_of(
    parts: Sequence[Part], label: str, name: str | None, zone: tzinfo
) -> tuple[str, list[WatchedRecord]]:
    """Return the format of an export and its rows; raises InvalidValueError.

    In a ZIP only what is recognised is read: it also holds profiles, ratings and comments.
    """
    wanted = _named(name) if name is not None else None
    found: list[tuple[Format, Part]] = []
    for part in parts:
        known = wanted or recognised(part, in_zip=len(parts) > 1)
        if known is not None and (wanted is None or len(parts) == 1 or wanted.recognises(part)):
            found.append((known, part))
    if not found:
        raise InvalidValueError(
            f"{label}: holds nothing of a known format ({', '.join(FORMATS)}): unpack it and "
            "import the file that lists what was watched"
        )
    rows = (row for known, part in found for row in known.records(part, zone))
    records = list(islice(rows, MOST_ROWS + 1))
    if len(records) > MOST_ROWS:
        raise InvalidValueError(
            f"{label}: holds more than {MOST_ROWS} rows: split it into several files"
        )
    return " and ".join(dict.fromkeys(known.NAME for known, _ in found)), records


def recognised(part: Part, *, in_zip: bool = False) -> Format | None:
    """Return the format of a file; flat for what only that can read."""
    for known in FORMATS.values():
        if known is not flat and known.recognises(part):
            return known
    return None if in_zip else FORMATS["flat"]


def _named(name: Any) -> Format:
    if isinstance(name, str) and name in FORMATS:
        return FORMATS[name]
    shown = repr(name) if isinstance(name, str) and len(name) < 60 else type(name).__name__
    raise InvalidValueError(f"no format {shown}: one of {', '.join(FORMATS)}")
