"""What a person has cleared of a row: scans leave it empty, and still tell things apart by it."""

from __future__ import annotations

from typing import Any

from ...database.orm.reading import Reading, shaped
from ..models import Album, Episode, Movie, TVShow

# What scans fill in where it is empty.
_FILLED = {
    Movie: ("year", "tmdb_id", "imdb_id"),
    TVShow: ("year", "tmdb_id", "tvdb_id", "imdb_id"),
    Episode: ("title",),
    Album: ("year", "musicbrainz_id"),
}


def known(row: Any, name: str) -> Any:
    """Return what a row or a name says, or what the row said until a person cleared that."""
    value = getattr(row, name, None)
    return cleared(row).get(name) if value is None else value


def cleared(row: Any) -> dict[str, Any]:
    """Return what a person has cleared of a row, by column, as it was before."""
    return shaped(row, "cleared", _CLEARED) if type(row) in _FILLED else {}


def after_saving(row: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is to be stored of what a row's new values clear; nothing where none do."""
    names = [name for name in _FILLED.get(type(row), ()) if name in given]
    before = cleared(row) if names else {}
    after = {name: value for name, value in before.items() if given.get(name) is None}
    for name in names:
        if given[name] is None and getattr(row, name) is not None:
            after[name] = getattr(row, name)
    return {} if after == before else {"cleared": after or None}


def _read(stored: Any) -> dict[str, Any]:
    if not isinstance(stored, (dict, type(None))):
        raise TypeError(stored)
    return stored or {}


_CLEARED = Reading("a JSON object of columns that were cleared", _read)
