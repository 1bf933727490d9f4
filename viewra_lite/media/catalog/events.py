"""Events of movies, episodes and tracks, recorded in the caller's writer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...database.transactions.database import Database
from ..models import Album, Episode, Movie, Track

_KINDS = {Movie: "movie", Episode: "episode", Track: "track"}
_PARENTS = {Movie: "library_id", Episode: "show_id", Track: "album_id"}


def added(db: Database, row: Any) -> None:
    """Record that a row was inserted."""
    if kind := _KINDS.get(type(row)):
        _record(db, kind, "added", row.id)


def updated(db: Database, kind: str, ids: Iterable[str]) -> None:
    """Record that rows of a kind have changed; shows and albums have no events."""
    if kind in _KINDS.values():
        for id in ids:
            _record(db, kind, "updated", id)


def delete(db: Database, rows: Iterable[Any]) -> None:
    """Delete rows of one model, with the tracks of albums, and record it."""
    rows = list(rows)
    model = type(rows[0]) if rows else Movie
    ids = [row.id for row in rows]
    if model is Album:
        delete(db, Track.select(Track.id, Track.album).where(Track.album.in_(ids)))
    model.delete().where(model.id.in_(ids)).execute()
    if kind := _KINDS.get(model):
        parent = _PARENTS[model]
        for row in rows:
            _record(db, kind, "removed", row.id, **{parent: getattr(row, parent)})


def _record(db: Database, kind: str, what: str, id: str, **facts: Any) -> None:
    facts = {f"{kind}_id": id, **facts}
    db.events.record(f"{kind}.{what}", **facts)
