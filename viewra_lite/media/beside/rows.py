"""Rows and the sidecars of their media: which of the values a row takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..catalog import sources
from ..identities import movie_identity, show_identity
from ..models import Album, Episode, Movie, Track, TVShow
from ..names.keys import sort_title
from .finding import COLUMNS, Values

# Columns that names and tags fill as well: without the file beside, they are read again.
_ALSO_READ: dict[Any, frozenset[str]] = {
    Movie: frozenset({"title", "year", "tmdb_id", "imdb_id"}),
    TVShow: frozenset({"title", "year", "tmdb_id", "tvdb_id", "imdb_id"}),
    Episode: frozenset({"title", "air_date", "tmdb_id", "tvdb_id", "imdb_id"}),
    Album: frozenset(COLUMNS[Album]) - {"cover_path"},
    Track: frozenset({"lyrics"}),
}
_IDS = ("tmdb_id", "tvdb_id", "imdb_id", "musicbrainz_id")


def changes_of(row: Any, values: Values) -> tuple[dict[str, Any], bool]:
    """Return the changes of a row, and whether its files have to be read again.

    A column without a value has none beside the media: a value that came from there is removed.
    An id in the name of a file is preferred, because files are matched by it.
    """
    model, known = type(row), sources.sources_of(row)
    beside = {name: values.get(name) for name in COLUMNS[model]}
    for name in _IDS:
        if beside.get(name) is not None and _is_named(known.get(name)):
            beside[name] = None
    lost = {
        name
        for name, value in beside.items()
        if value is None and name in known and known[name].source == sources.SIDECAR
    }
    hidden = {
        name
        for name, value in beside.items()
        if value is None and name in known and _is_hidden(known[name])
    }
    if beside.get("sort_title") is None and "sort_title" not in lost:
        beside.pop("sort_title", None)
    read: dict[str, Mapping[str, Any]] = {sources.SIDECAR: beside}
    if lost:
        read[sources.NAME] = _without(row, lost)
    changes = sources.changes(row, read, implied=_implied(row))
    after = changes.get("sources") or {}
    if "sort_title" in beside and "sort_title" in changes:
        changes["sort_title"] = beside["sort_title"] or sort_title(row.title)
    if "sort_title" in after and after["sort_title"].source == sources.NAME:
        del after["sort_title"]  # it follows the title again
    is_lost = bool((lost | hidden) & _ALSO_READ.get(model, frozenset())) and bool(changes)
    return changes, is_lost


def _is_named(known: sources.Known | None) -> bool:
    of_files = None if known is None else known.of_files
    return of_files is not None and of_files.source == sources.NAME


def _is_hidden(known: sources.Known) -> bool:
    return known.below is not None and known.below.source == sources.SIDECAR


def _without(row: Any, lost: set[str]) -> dict[str, Any]:
    """Return what columns that are never empty have until the names of the files are read."""
    stay = {"title": row.title, "status": "unknown"}
    if "sort_title" in lost:
        stay["sort_title"] = sort_title(row.title)
    fields = type(row)._meta.fields
    return {name: stay[name] for name in lost & stay.keys() if not fields[name].null}


def _implied(row: Any) -> list[str]:
    """Return the columns whose values nothing but a scan has set, though they have no source."""
    implied = []
    if isinstance(row, (Movie, TVShow)):
        identity = movie_identity if isinstance(row, Movie) else show_identity
        if str(row.identity).partition("#")[0] == identity(row.title, row.year):
            implied += ["title", "year"]
        if row.sort_title == sort_title(row.title):
            implied.append("sort_title")
    if isinstance(row, TVShow) and row.status == "unknown":
        implied.append("status")
    return implied
