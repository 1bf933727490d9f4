"""Write what plugins and people know of movies, shows and music."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from ..database.checks import (
    LONGEST_ID, LONGEST_TITLE, checked_id, checked_number, checked_text, known_id, no_such,
    or_none, refused, unknown_name,
)
from ..database.fields import checked_value
from ..database.sessions import Sessions
from ..errors import ConflictError, NotFoundError, shown
from . import queries, search, versions
from .identities import track_identity
from .models import Album, Episode, MediaFile, MediaLibrary, Movie, Season, Track, TVShow
from .name_facts import LONGEST_KEY, sort_title
from .works import Works

_OURS = ("id", "identity", "created_at", "updated_at", "work", "work_id")
_REFERENCES = ("media_file", "media_file_id")
_KINDS = {Movie: "movie", TVShow: "show", Episode: "episode", Album: "album", Track: "track"}
_LISTS = {"genres", "cast", "creators", "artists"}
_TITLES = {"title", "sort_title", "original_title", "album_artist", "artist"}
HIGHEST_RATING = 10
_WATCHED = {Movie, Episode, Track}
_NOUNS = {**_KINDS, Season: "season", MediaLibrary: "library"}
# By these a row is found, besides its identity: a person may have given it another title.
_ALSO_KNOWN_BY = {Movie: ("title", "year"), Album: ("title", "album_artist")}


def save(
    sessions: Sessions, model: Any, parent: tuple[Any, str], key: dict[str, Any],
    values: dict[str, Any], id: str | None,
) -> str:
    """Insert a row or update the one with this id or this key, inside a writer; return its id.

    parent is the foreign key that a new row hangs on and its value. A row's identity, by which
    scans know it, is set once and outlives every new title.
    """
    checked = _checked(model, parent[0], key, values)
    _refuse_unknown_parent(parent)
    _refuse_unknown_file(checked)
    if id is not None:
        row = _by_id(model, parent, id)
    else:
        row = _matching(model, parent, key) or _alike(sessions, model, parent, checked)
    if "title" in checked and "sort_title" in model._meta.fields:
        checked.setdefault("sort_title", sort_title(checked["title"]))
    if "updated_at" in model._meta.fields:
        checked["updated_at"] = sessions.now()
    if row is None:
        row_id = _insert(sessions, model, parent, checked)
    else:
        row_id = row.id
        _refuse_taken(model, parent, key, row_id)
        checked.pop("identity", None)
        model.update(**checked).where(model.id == row_id).execute()
    if model in _WATCHED:
        _link(sessions, model, row_id, checked.get("media_file"))
    if model in _KINDS:
        search.index(sessions, _KINDS[model], [row_id])
    return row_id


def _by_id(model: Any, parent: tuple[Any, str], id: Any) -> Any:
    noun = _NOUNS[model]
    row = model.get_or_none(model.id == known_id(noun, id), parent[0] == parent[1])
    if row is None:
        raise NotFoundError(f"{no_such(noun, id)} in {parent[0].name} {shown(parent[1])}")
    return row


def _alike(
    sessions: Sessions, model: Any, parent: tuple[Any, str], values: dict[str, Any]
) -> Any:
    """Return the row that is called the same, found by the index of all titles."""
    if model not in _ALSO_KNOWN_BY:
        return None
    names = (parent[0].object_id_name, *_ALSO_KNOWN_BY[model])
    wanted = (parent[1], *(values[name] for name in _ALSO_KNOWN_BY[model]))
    key = search.title_key(values["title"])[:LONGEST_KEY]
    titled = sessions.all(queries.titled(_KINDS[model]), key)
    return next((row for row in titled if attrgetter(*names)(row) == wanted), None)


def _matching(model: Any, parent: tuple[Any, str], columns: dict[str, Any]) -> Any:
    conditions = [
        getattr(model, name).is_null() if value is None else getattr(model, name) == value
        for name, value in columns.items()
    ]
    return model.get_or_none(parent[0] == parent[1], *conditions)


def _refuse_taken(model: Any, parent: tuple[Any, str], key: dict[str, Any], id: str) -> None:
    other = _matching(model, parent, key)
    if other is not None and other.id != id:
        raise ConflictError(f"{_NOUNS[model]} {other.id} is that already: {key}")


def _insert(
    sessions: Sessions, model: Any, parent: tuple[Any, str], values: dict[str, Any]
) -> str:
    if "created_at" in model._meta.fields:
        values["created_at"] = values["updated_at"]
    if "work" in model._meta.fields:
        values["work"] = _work(Works(sessions), model, parent[1], values)
    row = model.create(id=sessions.new_id(), **{parent[0].name: parent[1]}, **values)
    return str(row.id)


def _work(works: Works, model: Any, parent_id: str, values: dict[str, Any]) -> str:
    """Return the work of a row that is about to be inserted."""
    if model is Episode:
        show = TVShow.get_by_id(parent_id)
        return works.of_episode(show.work_id, values["season_number"], values["episode_number"])
    if model is Track:
        album = Album.get_by_id(parent_id)
        key = track_identity(
            album.identity, values["disc_number"], values["track_number"], values["title"]
        )
        return works.of_new_row("track", album.library_id, key)
    return works.of_new_row(_KINDS[model], parent_id, values["identity"])


def _link(sessions: Sessions, model: Any, row_id: str, file_id: str | None) -> None:
    """Let a row's file share the row's watch state, and the row's files follow its number."""
    works, row = Works(sessions), model.get_by_id(row_id)
    if model is Episode:
        show = TVShow.get_by_id(row.show_id)
        work = works.of_episode(show.work_id, row.season_number, row.episode_number)
        if work != row.work_id:
            for file in versions.files_of(sessions, row):
                parts = works.parts_of(file.id)
                del parts[row.work_id]
                works.link(file.id, {**parts, work: 0})
            Episode.update(work=work).where(Episode.id == row_id).execute()
            row.work_id = work
    if file_id is not None:
        works.add(file_id, _KINDS[model], row.work_id)


def _checked(
    model: Any, parent: Any, key: dict[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """Return the values by field name; raises InvalidValueError for what the table cannot hold."""
    fields = {
        name: field for name, field in model._meta.combined.items()
        if field is not parent and name not in _OURS
    }
    checked = {name: checked_value(model._meta.combined[name], key[name]) for name in key}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            raise unknown_name(_NOUNS[model], name, list(fields))
        checked[field.name] = _reference(name, value) if name in _REFERENCES else checked_value(
            field, value
        )
    _refuse_out_of_range(checked)
    return checked


def _refuse_out_of_range(values: dict[str, Any]) -> None:
    for name in _LISTS & values.keys():
        if not isinstance(values[name], (list, tuple, type(None))):
            raise refused(name, "a list", values[name])
    for name, value in values.items():
        if isinstance(value, str) and (name in _TITLES or name.endswith("_id")):
            longest = LONGEST_TITLE if name in _TITLES else LONGEST_ID
            checked_text(name, value, longest=longest)
    if values.get("rating") is not None:
        checked_number("rating", values["rating"], 0, HIGHEST_RATING)


def _reference(name: str, value: Any) -> Any:
    return or_none(checked_id, name, getattr(value, "id", value))


def _refuse_unknown_parent(parent: tuple[Any, str]) -> None:
    field, id = parent
    noun, key = _NOUNS[field.rel_model], field.rel_model.id
    if field.rel_model.get_or_none(key == known_id(noun, id)) is None:
        raise no_such(noun, id)


def _refuse_unknown_file(values: dict[str, Any]) -> None:
    file_id = values.get("media_file")
    if file_id is not None and MediaFile.get_or_none(MediaFile.id == file_id) is None:
        raise no_such("media file", file_id)


def season_of(sessions: Sessions, show_id: str, number: int) -> str:
    """Return the id of a show's season, made if it is new, inside a writer."""
    return save(sessions, Season, (Season.show, show_id), {"season_number": number}, {}, None)
