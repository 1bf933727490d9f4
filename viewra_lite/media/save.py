"""Write what plugins and people know of movies, shows and music."""

from __future__ import annotations

import difflib
from typing import Any

from ..database.fields import checked_value
from ..database.sessions import Sessions
from ..errors import ConflictError, InvalidValueError, NotFoundError
from . import search
from .models import Album, Episode, MediaFile, Movie, Season, Track, TVShow
from .name_facts import sort_title

_OURS = ("id", "identity", "created_at", "updated_at")
_KINDS = {Movie: "movie", TVShow: "show", Episode: "episode", Album: "album", Track: "track"}


def save(
    sessions: Sessions, model: Any, parent: tuple[Any, str], key: dict[str, Any],
    values: dict[str, Any], id: str | None,
) -> str:
    """Insert a row or update the one with this id or this key, inside a writer; return its id.

    parent is the foreign key that a new row hangs on and its value.
    """
    row = _found(model, parent, key, id)
    values = _checked(model, {**key, **values})
    _refuse_unknown_file(values)
    if "title" in values and "sort_title" in model._meta.fields:
        values.setdefault("sort_title", sort_title(values["title"]))
    if "updated_at" in model._meta.fields:
        values["updated_at"] = sessions.now()
    if row is None:
        row_id = _insert(sessions, model, parent, values)
    else:
        row_id = row.id
        _refuse_taken(model, parent, key, row_id)
        model.update(**values).where(model.id == row_id).execute()
    if model in _KINDS:
        search.index(sessions, _KINDS[model], [row_id])
    return row_id


def _found(model: Any, parent: tuple[Any, str], key: dict[str, Any], id: str | None) -> Any:
    if id is not None:
        row = model.get_or_none(model.id == id)
        if row is None:
            raise NotFoundError(f"there is no {model._meta.table_name} row {id}")
        return row
    return _by_key(model, parent, key)


def _by_key(model: Any, parent: tuple[Any, str], key: dict[str, Any]) -> Any:
    conditions = [getattr(model, name) == value for name, value in key.items()]
    return model.get_or_none(parent[0] == parent[1], *conditions)


def _refuse_taken(model: Any, parent: tuple[Any, str], key: dict[str, Any], id: str) -> None:
    other = _by_key(model, parent, key)
    if other is not None and other.id != id:
        raise ConflictError(f"{model._meta.table_name} row {other.id} is that already: {key}")


def _insert(
    sessions: Sessions, model: Any, parent: tuple[Any, str], values: dict[str, Any]
) -> str:
    field, parent_id = parent
    if field.rel_model.get_or_none(field.rel_model.id == parent_id) is None:
        raise NotFoundError(f"there is no {field.rel_model._meta.table_name} row {parent_id}")
    if "created_at" in model._meta.fields:
        values["created_at"] = values["updated_at"]
    row = model.create(id=sessions.new_id(), **{field.name: parent_id}, **values)
    return str(row.id)


def _checked(model: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values by field name; raises InvalidValueError for what the table cannot hold."""
    fields = model._meta.combined
    checked = {}
    for name, value in values.items():
        field = fields.get(name)
        if field is None or (name in _OURS and name != "identity"):
            near = difflib.get_close_matches(name, [n for n in fields if n not in _OURS], n=1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise InvalidValueError(f"{model._meta.table_name} has no column {name!r}{hint}")
        checked[field.name] = checked_value(field, value)
    return checked


def _refuse_unknown_file(values: dict[str, Any]) -> None:
    file_id = values.get("media_file")
    if file_id is not None and MediaFile.get_or_none(MediaFile.id == file_id) is None:
        raise NotFoundError(f"there is no media file {file_id}")


def season_of(sessions: Sessions, show_id: str, number: int) -> str:
    """Return the id of a show's season, made if it is new, inside a writer."""
    return save(sessions, Season, (Season.show, show_id), {"season_number": number}, {}, None)
