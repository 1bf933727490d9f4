"""Saving movies, shows and music for plugins and people."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from ...database.checks import (
    LONGEST_ID,
    LONGEST_TITLE,
    NOT_GIVEN,
    checked_id,
    checked_number,
    checked_text,
    checked_title,
    known_id,
    no_such,
    or_none,
    refused,
    unknown_name,
)
from ...database.orm.fields import checked_value
from ...database.transactions.database import Database
from ...errors import ConflictError, InvalidValueError, NotFoundError, shown
from ..files import queries as file_queries, versions
from ..files.works import Works
from ..identities import album_identity, movie_identity, show_identity, track_identity
from ..models import Album, Episode, MediaFile, MediaLibrary, Movie, Season, Track, TVShow
from ..names.keys import LONGEST_KEY, sort_title
from ..probing.plausible import RANGES
from ..search import indexing, queries, words
from . import events, sources
from .cleared import after_saving

_OURS = ("id", "identity", "created_at", "updated_at", "work", "work_id", "cleared", "sources")
_REFERENCES = ("media_file", "media_file_id")
_KINDS = {Movie: "movie", TVShow: "show", Episode: "episode", Album: "album", Track: "track"}
_NUMBERS = ("season_number", "episode_number")
_LISTS = {"genres", "cast", "creators", "artists"}
_TITLES = {"title", "sort_title", "original_title", "album_artist", "artist"}
_WATCHED = {Movie, Episode, Track}
_NOUNS = {**_KINDS, Season: "season", MediaLibrary: "library"}
_PARENTS = {
    Movie: Movie.library,
    TVShow: TVShow.library,
    Season: Season.show,
    Episode: Episode.show,
    Album: Album.library,
    Track: Track.album,
}
# The columns that a row is found by, and the defaults of those that a new row may omit.
_KEYS: dict[Any, tuple[str, ...]] = {
    Movie: ("title", "year"),
    TVShow: ("title", "year"),
    Season: ("season_number",),
    Episode: ("season_number", "episode_number"),
    Album: ("title", "album_artist"),
    Track: ("disc_number", "track_number", "title"),
}
_UNLESS_GIVEN = {"year": None, "album_artist": None, "disc_number": 1, "track_number": 0}
# Rows of one key differ in these, the surest first.
_TELLING = ("musicbrainz_id", "tmdb_id", "tvdb_id", "imdb_id", "artist", "year")
_EXTERNAL_IDS = ("tmdb_id", "tvdb_id", "imdb_id")
_MOST_NAMED = 10  # ids in a message
_IDENTITIES: dict[Any, Callable[..., str]] = {
    Movie: movie_identity,
    TVShow: show_identity,
    Album: album_identity,
}


def save(
    db: Database,
    model: Any,
    parent_id: str,
    values: dict[str, Any],
    id: str | None,
    source: str = sources.PERSON,
) -> str:
    """Insert a row or update the one with this id or this key, inside a writer; return its id.

    A column that is NOT_GIVEN keeps its value, and one of a higher source as well. The identity, by
    which scans find the row, survives every new title.
    """
    parent = (_PARENTS[model], parent_id)
    given = _checked(model, parent[0], values)
    _refuse_unknown_parent(parent)
    _refuse_unknown_file(given)
    row = _by_id(model, parent, id) if id is not None else _found(db, model, parent, given)
    if row is not None:
        given = sources.writable(row, given, source)
    key = _key(model, given, row)
    if row is not None and any(key[name] != getattr(row, name) for name in key):
        _refuse_taken(model, parent, key, row.id)
    marks = _marks(model, row, given, source, is_by_key=id is None)
    if model is Episode and (row is None or "season_number" in given):
        given["season"] = save(db, Season, parent_id, {"season_number": key["season_number"]}, None)
    _add_sort_title(model, given, row)
    if "updated_at" in model._meta.fields:
        given["updated_at"] = db.now()
    if row is None:
        row_id = _insert(db, model, parent, {**given, **key, **_unique(model, key), **marks})
    else:
        row_id = row.id
        given.update(after_saving(row, given), **marks)
        if given:
            model.update(**given).where(model.id == row_id).execute()
    if model in _WATCHED:
        _link(db, model, row_id, given.get("media_file"))
    if model in _KINDS:
        indexing.index(db, _KINDS[model], [row_id])
        events.updated(db, _KINDS[model], [row_id])
    if source == sources.PLUGIN and any(given.get(name) for name in _EXTERNAL_IDS):
        return _joined(db, model, row_id)
    return row_id


def _joined(db: Database, model: Any, row_id: str) -> str:
    """Join a movie or a show that a plugin has identified with the rows that it turns out to be."""
    from .catalog import Catalog

    row = model.get_by_id(row_id)
    if model not in (Movie, TVShow):
        return row_id
    catalog = Catalog(db, MediaLibrary.get_by_id(row.library_id))
    left = catalog.join_equal(row)
    catalog.finish()
    return left


def _marks(
    model: Any, row: Any, given: dict[str, Any], source: str, *, is_by_key: bool
) -> dict[str, Any]:
    """Return the change of `sources` that saving makes; a key that finds a row says nothing."""
    found_by = _KEYS[model] if row is not None and is_by_key else ()
    written = {name: value for name, value in given.items() if name not in (*found_by, *_NUMBERS)}
    numbers = {name: given[name] for name in _NUMBERS if model is Episode and name in given}
    if row is not None and any(getattr(row, name) != numbers[name] for name in numbers):
        # Its file has other numbers, and belongs to it.
        written["episode_number"] = numbers.get("episode_number", row.episode_number)
    is_derived = written.get("sort_title", NOT_GIVEN) is None
    if is_derived:
        del written["sort_title"]
    return sources.saved(row, written, source, ("sort_title",) if is_derived else ())


def _key(model: Any, given: dict[str, Any], row: object) -> dict[str, Any]:
    """Return the key of a row: the given values, else the stored ones, else the defaults."""
    key = {}
    for name in _KEYS[model]:
        if name in given:
            key[name] = given[name]
        elif row is not None:
            key[name] = getattr(row, name)
        elif name in _UNLESS_GIVEN:
            key[name] = _UNLESS_GIVEN[name]
        else:
            raise InvalidValueError(f"{name} must be given for a new {_NOUNS[model]}")
    return key


def _unique(model: object, key: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that are unique within a parent."""
    identity = _IDENTITIES.get(model)
    return key if identity is None else {"identity": identity(*key.values())}


def _add_sort_title(model: Any, given: dict[str, Any], row: Any) -> None:
    """Derive sort_title from a new title, unless a person has set it."""
    if "sort_title" not in model._meta.fields:
        return
    if given.get("sort_title", NOT_GIVEN) is None:
        given["sort_title"] = sort_title(given.get("title") or row.title)
    elif "title" in given and (row is None or row.sort_title == sort_title(row.title)):
        given.setdefault("sort_title", sort_title(given["title"]))


def _found(db: Database, model: object, parent: tuple[Any, str], given: dict[str, Any]) -> Any:
    """Return the row with the given key, or None."""
    key = _key(model, given, None)
    if model in _IDENTITIES:
        rows = _named(model, parent, key) or _alike(db, model, parent, key)
        return _only(model, parent, rows, given)
    if model is Track:
        rows = list(Track.select().where(parent[0] == parent[1], *_where(Track, key)))
        row = _only(model, parent, rows, given)
    else:
        row = _matching(model, parent, _unique(model, key))
    if row is None and model is Track and not {"disc_number", "track_number"} & given.keys():
        return _track_called(parent, given["title"])
    return row


def _track_called(parent: tuple[Any, str], title: str) -> Any:
    """Return the track of an album by its title alone, or None."""
    tracks = list(Track.select().where(parent[0] == parent[1], Track.title == title).limit(2))
    if len(tracks) > 1:
        raise ConflictError(
            f"several tracks of album {parent[1]} have the title {shown(title)}: give disc_number "
            "and track_number, or id"
        )
    return tracks[0] if tracks else None


def _by_id(model: Any, parent: tuple[Any, str], id: Any) -> Any:
    noun = _NOUNS[model]
    row = model.get_or_none(model.id == known_id(noun, id), parent[0] == parent[1])
    if row is None:
        raise NotFoundError(f"{no_such(noun, id)} in {parent[0].name} {shown(parent[1])}")
    return row


def _named(model: Any, parent: tuple[Any, str], key: dict[str, Any]) -> list[Any]:
    """Return the rows that scans know by a key; those that are still called so, if any are."""
    of_key, mark = _IDENTITIES[model], ":" if model is Album else "#"
    name = of_key(*key.values())
    marked = (model.identity >= name + mark) & (model.identity < name + chr(ord(mark) + 1))
    rows = list(model.select().where(parent[0] == parent[1], (model.identity == name) | marked))
    called = [row for row in rows if of_key(*attrgetter(*key)(row)) == name]
    return called or [row for row in rows if row.identity == name]


def _alike(db: Database, model: Any, parent: tuple[Any, str], key: dict[str, Any]) -> list[Any]:
    """Return the rows with the same shown title and key, found by the search index."""
    names = (parent[0].object_id_name, *key)
    expected = (parent[1], *key.values())
    title_key = words.title_key(key["title"])[:LONGEST_KEY]
    titled = db.all(queries.titled(_KINDS[model]), title_key)
    ids = [row.id for row in titled if attrgetter(*names)(row) == expected]
    return list(model.select().where(model.id.in_(ids)).order_by(model.id)) if ids else []


def _only(model: Any, parent: tuple[Any, str], rows: list[Any], given: dict[str, Any]) -> Any:
    """Return the only row that fits the given values, or None; raises ConflictError."""
    telling = [name for name in _TELLING if name in model._meta.fields and name not in _KEYS[model]]
    for name in telling:
        if len(rows) > 1 and given.get(name) is not None:
            rows = [row for row in rows if getattr(row, name) == given[name]] or rows
    if len(rows) > 1:
        ids = ", ".join(sorted(row.id for row in rows)[:_MOST_NAMED])
        called = f"{parent[0].name} {parent[1]} are called {shown(given['title'])}"
        raise ConflictError(
            f"several {_NOUNS[model]}s of {called}: give {', '.join(telling)} or id, one of {ids}"
        )
    return rows[0] if rows else None


def _matching(model: Any, parent: tuple[Any, str], columns: dict[str, Any]) -> Any:
    return model.get_or_none(parent[0] == parent[1], *_where(model, columns))


def _where(model: Any, columns: dict[str, Any]) -> list[Any]:
    return [
        getattr(model, name).is_null() if value is None else getattr(model, name) == value
        for name, value in columns.items()
    ]


def _refuse_taken(model: Any, parent: tuple[Any, str], key: dict[str, Any], id: str) -> None:
    other = _matching(model, parent, _unique(model, key))
    if other is not None and other.id != id:
        named = ", ".join(f"{name} {shown(value)}" for name, value in key.items())
        raise ConflictError(
            f"{_NOUNS[model]} {other.id} has {named} already: update it by its id, or choose others"
        )


def _insert(db: Database, model: Any, parent: tuple[Any, str], values: dict[str, Any]) -> str:
    if "created_at" in model._meta.fields:
        values["created_at"] = values["updated_at"]
    if "work" in model._meta.fields:
        values["work"] = _work(Works(db), model, parent[1], values)
    row = model.create(id=db.new_id(), **{parent[0].name: parent[1]}, **values)
    events.added(db, row)
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


def _link(db: Database, model: Any, row_id: str, file_id: str | None) -> None:
    """Link a row's file to its work, and move an episode's files to the work of a new number."""
    works, row = Works(db), model.get_by_id(row_id)
    if model is Episode:
        show = TVShow.get_by_id(row.show_id)
        work = works.of_episode(show.work_id, row.season_number, row.episode_number)
        if work != row.work_id:
            for file in versions.files_of(db, row):
                parts = works.parts_of(file.id)
                del parts[row.work_id]
                works.link(file.id, {**parts, work: 0})
            Episode.update(work=work).where(Episode.id == row_id).execute()
            row.work_id = work
    if file_id is not None:
        works.add(file_id, _KINDS[model], row.work_id)
        db.run(file_queries.forget_unplaced)


def _checked(model: Any, parent: object, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values by field name; raises InvalidValueError for one that cannot be stored."""
    ours = (*_OURS, "season", "season_id") if model is Episode else _OURS
    fields = {
        name: field
        for name, field in model._meta.combined.items()
        if field is not parent and name not in ours
    }
    checked = {}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            raise unknown_name(_NOUNS[model], name, list(fields))
        if value is not NOT_GIVEN:
            checked[field.name] = _value(field, name, value)
    _refuse_out_of_range(checked)
    return checked


def _value(field: Any, name: str, value: object) -> Any:
    if name in _REFERENCES:
        return or_none(checked_id, name, getattr(value, "id", value))
    if name == "title" and not field.null:
        return checked_title(name, value)
    if name == "episode_number" and value is None:
        raise InvalidValueError(
            "episode_number must not be None: only scans add specials without a number"
        )
    return value if name == "sort_title" and value is None else checked_value(field, value)


def _refuse_out_of_range(values: dict[str, Any]) -> None:
    for name in _LISTS & values.keys():
        if not isinstance(values[name], (list, tuple, type(None))):
            raise refused(name, "a list", values[name])
    for name, value in values.items():
        if isinstance(value, str) and (name in _TITLES or name.endswith("_id")):
            longest = LONGEST_TITLE if name in _TITLES else LONGEST_ID
            checked_text(name, value, longest=longest)
    for name in RANGES.keys() & values.keys():
        or_none(lambda name, value: checked_number(name, value, *RANGES[name]), name, values[name])


def _refuse_unknown_parent(parent: tuple[Any, str]) -> None:
    field, id = parent
    noun, key = _NOUNS[field.rel_model], field.rel_model.id
    if field.rel_model.get_or_none(key == known_id(noun, id)) is None:
        raise no_such(noun, id)


def _refuse_unknown_file(values: dict[str, Any]) -> None:
    file_id = values.get("media_file")
    if file_id is not None and MediaFile.get_or_none(MediaFile.id == file_id) is None:
        raise no_such("media file", file_id)
