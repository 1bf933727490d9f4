"""What plugins answer about movies, shows and music, in their rows; and locks of a person.

The only part of the catalog that the plugins module uses. A field is locked if a person has set it
(save_movie() and the like, or lock_field()); neither a scan nor a plugin changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...database.checks import known_id, no_such
from ...database.transactions.database import Database
from ..models import Album, Episode, MediaLibrary, Movie, Season, Track, TVShow
from ..names.keys import sort_title
from ..search import indexing
from . import events, sources
from .cleared import cleared
from .sources import Known

MODELS: dict[str, Any] = {
    "movie": Movie,
    "show": TVShow,
    "season": Season,
    "episode": Episode,
    "album": Album,
    "track": Track,
}
_NOT_FACTS = frozenset(
    ("id", "library", "media_file", "work", "show", "season", "album", "identity")
) | frozenset(("cleared", "sources", "created_at", "updated_at", "season_number"))
_EXTERNAL_IDS = ("tmdb_id", "tvdb_id", "imdb_id")
_UNKNOWN = "unknown"  # the status of a show of which nothing is known


class Said(NamedTuple):
    """What plugins say of a column."""

    plugin: str
    """The one that decided; of a list the first."""
    value: Any
    """As JSON has it."""


class Origin(NamedTuple):
    """Where a value of a row came from."""

    value: Any
    source: str | None
    """None: it was there before sources were remembered, or was written with SQL."""
    plugin: str | None
    is_locked: bool
    of_files: Known | None
    """The value that was read of the files, hidden by another one or not, as JSON has it."""


def found(kind: str, id: object) -> Any:
    """Return a row of a kind by its id, inside a session. Raises NotFoundError."""
    row = MODELS[kind].get_or_none(MODELS[kind].id == known_id(kind, id))
    if row is None:
        raise no_such(kind, id)
    return row


def fields_of(kind: str) -> list[str]:
    """Return the columns of a kind that plugins can answer and people can lock."""
    return [name for name in MODELS[kind]._meta.fields if name not in _NOT_FACTS]


def plugins_of(row: Any) -> dict[str, str]:
    """Return the plugins whose answers a row has, by column."""
    known = sources.sources_of(row)
    return {name: one.plugin for name, one in known.items() if one.plugin is not None}


def origin(row: Any, name: str) -> Origin:
    """Return the value of a column and where it came from."""
    value, known = getattr(row, name), sources.sources_of(row).get(name)
    if known is None:
        return Origin(value, None, None, not _is_open(row, name), None)
    if sources.plain(value) != known.value:  # changed by SQL
        return Origin(value, None, None, True, known.below)
    of_files = known.below
    if known.source not in sources.HIDING:
        of_files = Known(known.source, sources.whole(value))
    return Origin(value, known.source, known.plugin, known.source == sources.PERSON, of_files)


def take(db: Database, kind: str, row: Any, said: Mapping[str, Said]) -> str | None:
    """Give a row what plugins say, inside a writer; and what they hid where they say no more.

    Returns the id of the row that it is now, if that or any value of it has changed.
    """
    changes = _taken(row, said)
    if changes:
        return _write(db, kind, row, changes)
    return None


def lock(db: Database, kind: str, id: str, name: str) -> None:
    """Keep the value of a column as a person's, inside a writer."""
    row = found(kind, id)
    if not _is_persons(row, name):
        known = sources.sources_of(row)
        hidden = sources.hidden_by_new(row, name)
        known[name] = Known(sources.PERSON, sources.plain(getattr(row, name)), None, hidden)
        _write(db, kind, row, {"sources": known})


def unlock(db: Database, kind: str, id: str, name: str) -> None:
    """Give a column the value of its files again, inside a writer; plugins come after."""
    row = found(kind, id)
    before = sources.sources_of(row)
    known = before.get(name)
    if not origin(row, name).is_locked:
        return
    below = known.below if known is not None else None
    if below is None and known is not None and known.source not in sources.HIDING:
        below = sources.unhidden(known)  # the value was changed by SQL
    lost = dict(cleared(row))
    changes: dict[str, Any] = {}
    if name in lost:
        below = below or Known(sources.NAME, sources.whole(lost[name]))
        lost.pop(name, None)
        changes["cleared"] = lost or None
    after = dict(before)
    changes.update(_given_back(row, name, below, after))
    _write(db, kind, row, {**changes, "sources": after or None})


def _is_persons(row: Any, name: str) -> bool:
    known = sources.sources_of(row).get(name)
    is_as_set = known is not None and sources.plain(getattr(row, name)) == known.value
    return known is not None and is_as_set and known.source == sources.PERSON


def _is_open(row: Any, name: str) -> bool:
    """Whether a column without a source has no value but what follows from its files."""
    value = getattr(row, name)
    if value is None or (name == "status" and value == _UNKNOWN):
        return name not in cleared(row)
    return name == "sort_title" and value == sort_title(row.title)


def _taken(row: Any, said: Mapping[str, Said]) -> dict[str, Any]:
    before = sources.sources_of(row)
    after, changes = dict(before), {}
    for name in dict.fromkeys((*plugins_of(row), *said)):
        stored, known, one = sources.plain(getattr(row, name)), before.get(name), said.get(name)
        if known is None:
            if not _is_open(row, name):
                continue
        elif known.source == sources.PERSON or stored != known.value:
            continue
        if one is None:
            assert known is not None  # it is one of plugins_of(row)
            changes.update(_given_back(row, name, known.below, after))
            continue
        value = sources.of_column(row, name, one.value)
        hidden = sources.hidden_by_new(row, name)
        after[name] = Known(sources.PLUGIN, sources.plain(value), one.plugin, hidden)
        if sources.plain(value) != stored:
            changes[name] = value
    if "title" in changes and "sort_title" in type(row)._meta.fields and "sort_title" not in after:
        if row.sort_title == sort_title(row.title):
            changes["sort_title"] = sort_title(changes["title"])
    return changes if after == before else {**changes, "sources": after or None}


def _given_back(
    row: Any, name: str, below: Known | None, after: dict[str, Known]
) -> dict[str, Any]:
    """Return the change of a column that is as its files say again; changes the sources."""
    after.pop(name, None)
    if below is not None:
        after[name] = Known(below.source, sources.plain(below.value))
        value = sources.of_column(row, name, below.value)
    elif type(row)._meta.fields[name].null:
        value = None
    elif name == "sort_title":
        value = sort_title(row.title)
    elif name == "status":
        value = _UNKNOWN
    else:  # a title, which the next scan corrects
        value = getattr(row, name)
        after[name] = Known(sources.NAME, sources.plain(value))
    return {} if value == getattr(row, name) else {name: value}


def _write(db: Database, kind: str, row: Any, changes: dict[str, Any]) -> str:
    """Write changes of a row, with its search document and its event; return the row it is now."""
    model: Any = type(row)
    names = changes.keys() - {"sources", "cleared"}
    if names and "updated_at" in model._meta.fields:
        changes["updated_at"] = db.now()
    model.update(**changes).where(model.id == row.id).execute()
    if not names:
        return str(row.id)
    if kind in indexing.MARKS:
        indexing.index(db, kind, [row.id])
        events.updated(db, kind, [row.id])
    if model in (Movie, TVShow) and any(changes.get(name) for name in _EXTERNAL_IDS):
        from .catalog import Catalog

        catalog = Catalog(db, MediaLibrary.get_by_id(row.library_id))
        left = catalog.join_equal(model.get_by_id(row.id))
        catalog.finish()
        return left
    return str(row.id)
