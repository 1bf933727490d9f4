"""Columns that a person has cleared: scans leave them empty, but still use the earlier values."""

from __future__ import annotations

from typing import Any

from ...database.orm.reading import Reading, shaped
from ..models import Album, Episode, Movie, TVShow

# What scans fill in where it is empty.
_FILLED: dict[type, tuple[str, ...]] = {
    Movie: ("year", "tmdb_id", "imdb_id"),
    TVShow: ("year", "tmdb_id", "tvdb_id", "imdb_id"),
    Episode: ("title", "tmdb_id", "tvdb_id", "imdb_id"),
    Album: ("year", "musicbrainz_id"),
}


def known(row: object, name: str) -> Any:
    """Return a value of a row or a name, or the value that a person has cleared."""
    value = getattr(row, name, None)
    return cleared(row).get(name) if value is None else value


def cleared(row: object) -> dict[str, Any]:
    """Return the earlier values that a person has cleared in a row, by column."""
    return shaped(row, "cleared", _CLEARED) if type(row) in _FILLED else {}


def after_saving(row: object, given: dict[str, Any]) -> dict[str, Any]:
    """Return the change of `cleared` that saving new values makes, if any."""
    names = [name for name in _FILLED.get(type(row), ()) if name in given]
    before = cleared(row) if names else {}
    after = {name: value for name, value in before.items() if given.get(name) is None}
    for name in names:
        if given[name] is None and getattr(row, name) is not None:
            after[name] = getattr(row, name)
    return {} if after == before else {"cleared": after or None}


def _read(stored: object) -> dict[str, Any]:
    if not isinstance(stored, (dict, type(None))):
        raise TypeError(stored)
    return stored or {}


_CLEARED = Reading("a JSON object of columns that were cleared", _read)
