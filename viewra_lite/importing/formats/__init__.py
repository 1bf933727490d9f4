"""The formats of exports, one module each, and their detection.

A format is a module with NAME, TITLE, recognises(part) and records(part, zone). The first format
that recognises a file is used; flat, our own format, comes last.
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
    """The interface of a format's module."""

    NAME: str
    TITLE: str

    def recognises(self, part: Part) -> bool:
        """Whether a file is of this format."""

    def records(self, part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
        """Yield the record of each row; zone applies to times without a zone."""


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

    In a ZIP only recognised files are read: it also contains profiles, ratings and comments.
    """
    chosen = _named(name) if name is not None else None
    found: list[tuple[Format, Part]] = []
    for part in parts:
        known = chosen or recognised(part, in_zip=len(parts) > 1)
        if known is not None and (chosen is None or len(parts) == 1 or chosen.recognises(part)):
            found.append((known, part))
    if not found:
        raise InvalidValueError(
            f"{label}: contains no file of a known format ({', '.join(FORMATS)}): unpack it and "
            "import the file with the watch history"
        )
    rows = (row for known, part in found for row in known.records(part, zone))
    records = list(islice(rows, MOST_ROWS + 1))
    if len(records) > MOST_ROWS:
        raise InvalidValueError(
            f"{label}: contains more than {MOST_ROWS} rows: split it into several files"
        )
    return " and ".join(dict.fromkeys(known.NAME for known, _ in found)), records


def recognised(part: Part, *, in_zip: bool = False) -> Format | None:
    """Return the format of a file: flat if no other recognises it, None for that in a ZIP."""
    for known in FORMATS.values():
        if known is not flat and known.recognises(part):
            return known
    return None if in_zip else FORMATS["flat"]


def _named(name: object) -> Format:
    if isinstance(name, str) and name in FORMATS:
        return FORMATS[name]
    shown = repr(name) if isinstance(name, str) and len(name) < 60 else type(name).__name__
    raise InvalidValueError(f"no format {shown}: one of {', '.join(FORMATS)}")
