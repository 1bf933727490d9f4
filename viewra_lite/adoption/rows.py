"""Copies rows of tables that were created by hand into ours, and fills in required values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NoReturn

import peewee

from ..database.backend import Connection
from ..database.orm.fields import ChoiceField, DateField, JSONField, PathField, TimestampField
from ..errors import ConflictError, InvalidValueError, MigrationError
from ..media.identities import album_identity, movie_identity, show_identity, track_identity
from ..media.names.keys import sort_title
from ..playback.models import OPEN_STATES
from . import values

Row = dict[str, Any]

UNKNOWN_USER = "unknown"
ACTIVE_STATUSES = ("pending", "running")

_LISTS = frozenset(("genres", "cast", "creators", "artists"))
_SHARES = frozenset(("transcode_sessions.progress", "plugin_metadata.confidence"))

# Values for NULL in columns that are NOT NULL and have no default in the models.
_DEFAULTS: Mapping[str, Any] = {
    "playback_history.user_id": UNKNOWN_USER,
    "playback_sessions.method": "direct",
    "playback_sessions.state": "stopped",
    "playback_sessions.user_id": UNKNOWN_USER,
    "plugin_metadata.metadata": "null",
    "plugin_metadata.metadata_type": "unknown",
    "transcode_cache.file_size": 0,
    "user_media_progress.user_id": UNKNOWN_USER,
}

_ADOPTED = {
    "movie": ("Adopted files", "(adopted{})"),
    "tv": ("Adopted shows", "(adopted shows{})"),
    "music": ("Adopted music", "(adopted music{})"),
}

_READERS: Mapping[type, Callable[[Any], Any]] = {
    TimestampField: values.moment,
    DateField: values.day,
    JSONField: values.json_text,
    PathField: values.path,
    peewee.BooleanField: values.truth,
    peewee.DoubleField: values.number,
    peewee.BigIntegerField: values.whole_number,
    peewee.IntegerField: partial(values.whole_number, bits=31),  # as on PostgreSQL
}


class Rows:
    """Copies one table at a time; parents must come before their children."""

    def __init__(
        self,
        connection: Connection,
        translate: Callable[[BaseException], BaseException],
        now: str,
        new_id: Callable[[], str],
    ) -> None:
        self._connection = connection
        self._translate = translate
        self._encoding = str(self._one("PRAGMA encoding"))
        self._now = now
        self._new_id = new_id

    def copy(self, model: Any, source: str) -> None:
        """Copy every row of the table `source` into the model's table.

        Columns without a counterpart are saved in the table adopted_<table>. Raises MigrationError,
        which names the row and the column that cannot be read.
        """
        table = model._meta.table_name
        shape = self._connection.execute(f"SELECT * FROM {quoted(source)} LIMIT 0")
        written = [column[0] for column in shape.description]
        names = [name.lower() for name in written]
        fields = {field.column_name: field for field in model._meta.sorted_fields}
        readers = {name: _reader(table, fields[name]) for name in names if name in fields}
        left_over = [name for name in names if name not in fields]
        complete = getattr(self, f"_complete_{table}", None)
        columns = ", ".join(
            _as_bytes(name) if name.lower() in fields else quoted(name) for name in written
        )
        for found in self._connection.execute(f"SELECT {columns} FROM {quoted(source)}"):
            given = dict(zip(names, found))
            row = {name: self._read(table, given, name, readers[name]) for name in readers}
            self._fill(model, row, complete)
            self._insert(table, row)
            if any(given[name] is not None for name in left_over):
                self._keep(model, row, {name: given[name] for name in left_over})

    def _read(self, table: str, given: Row, name: str, reader: Callable[[Any], Any]) -> Any:
        if given[name] is None:
            return None
        if isinstance(given[name], bytes):
            given[name] = given[name].decode(self._encoding, "surrogateescape")
        try:
            return reader(given[name])
        except ValueError as exc:
            refuse(table, given, f"{name} is {given[name]!r}, and {exc}")

    # Required values

    def _fill(self, model: Any, row: Row, complete: Callable[[Row], None] | None) -> None:
        table = model._meta.table_name
        if "id" in model._meta.columns and row.get("id") is None:
            row["id"] = self._new_id()
        if complete is not None:
            complete(row)
        for field in model._meta.sorted_fields:
            name = field.column_name
            if isinstance(field, peewee.ForeignKeyField) and row.get(name) is not None:
                row[name] = self._existing(field.rel_model._meta.table_name, row[name])
            if row.get(name) is None and not field.null:
                row[name] = self._default(table, field)
                if row[name] is None and not isinstance(field, peewee.AutoField):
                    refuse(table, row, f"{name} is missing, or names a row that does not exist")

    def _default(self, table: str, field: Any) -> Any:
        if f"{table}.{field.column_name}" in _DEFAULTS:
            return _DEFAULTS[f"{table}.{field.column_name}"]
        if isinstance(field, TimestampField):
            return self._now
        return field.default() if callable(field.default) else field.default

    def _complete_media_libraries(self, row: Row) -> None:
        if row.get("scan_interval") is not None:
            row["scan_interval"] = max(row["scan_interval"], 0)

    def _complete_media_files(self, row: Row) -> None:
        path = row.get("path") or ""
        row["filename"] = row.get("filename") or values.last_part(path)
        library = self._existing("media_libraries", row.get("library_id"))
        number = 0
        while library is None or self._has("media_files", library_id=library, path=path):
            number += 1
            library = self._adopted_library("movie", number)
        row["library_id"] = library

    def _complete_movies(self, row: Row) -> None:
        row["media_file_id"] = file = self._existing("media_files", row.get("media_file_id"))
        row["library_id"] = row.get("library_id") or self._one(
            "SELECT library_id FROM media_files WHERE id = ?", file
        )
        row["year"] = row.get("year") or values.year_of(row.get("release_date"))
        self._complete_title("movies", "movie", row, movie_identity, row["year"])
        self._connection.execute(
            "UPDATE media_files SET identity = ? WHERE id = ? AND identity IS NULL",
            (row["identity"], file),
        )
        row["work_id"] = self._work("movie", file, key=row["identity"])

    def _complete_tv_shows(self, row: Row) -> None:
        row["year"] = year = row.get("year") or values.year_of(row.get("first_air_date"))
        self._complete_title("tv_shows", "tv", row, show_identity, year)
        row["work_id"] = self._work("show", None, key=row["identity"])

    def _complete_episodes(self, row: Row) -> None:
        numbers = {name: row.get(name) for name in ("season_number", "episode_number")}
        show = self._one("SELECT work_id FROM tv_shows WHERE id = ?", row.get("show_id"))
        row["work_id"] = self._work("episode", row.get("media_file_id"), show_id=show, **numbers)

    def _complete_albums(self, row: Row) -> None:
        row["year"] = row.get("year") or values.year_of(row.get("release_date"))
        self._complete_title("albums", "music", row, album_identity, row.get("album_artist"))

    def _complete_tracks(self, row: Row) -> None:
        album = self._one("SELECT identity FROM albums WHERE id = ?", row.get("album_id"))
        key = track_identity(
            album or "",
            row.get("disc_number") or 1,
            row.get("track_number") or 0,
            row.get("title") or "",
        )
        row["work_id"] = self._work("track", row.get("media_file_id"), key=key)

    def _complete_title(
        self, table: str, kind: str, row: Row, identity: Callable[[str, Any], str], qualifier: Any
    ) -> None:
        if row.get("title") is None:
            refuse(table, row, "title is missing")
        row["sort_title"] = row.get("sort_title") or sort_title(row["title"])
        row["identity"] = row.get("identity") or identity(row["title"], qualifier)
        library = self._existing("media_libraries", row.get("library_id"))
        row["library_id"] = library or self._adopted_library(kind, 1)
        if self._has(table, library_id=row["library_id"], identity=row["identity"]):
            # Not ":", which in a movie's identity is followed by a part.
            row["identity"] = f"{row['identity']}#{row['id']}"

    def _work(self, kind: str, file: str | None, **columns: object) -> str:
        """Insert the work of a row and link the row's file to it."""
        key = columns.get("key")
        if key is not None and self._has("works", key=key):
            columns["key"] = None
        id = self._new_id()
        self._insert("works", {"id": id, "kind": kind, **columns})
        if file is not None and self._has("media_files", id=file):
            self._insert("work_files", {"media_file_id": file, "work_id": id})
        return id

    def _complete_playback_sessions(self, row: Row) -> None:
        start, last, end = (row.get(n) for n in ("start_time", "last_activity", "end_time"))
        row["start_time"] = start or last or end
        row["last_activity"] = last or end or start
        is_open = row.get("state") in OPEN_STATES
        if is_open and end:
            row["state"] = "stopped"
        elif not is_open:
            row["end_time"] = end or row["last_activity"] or self._now
        row.update(self._title_of(row.get("media_file_id")))

    def _complete_user_media_progress(self, row: Row) -> None:
        row["media_file_id"] = file = row.get("media_file_id") or self._new_id()
        user, number = row.get("user_id") or UNKNOWN_USER, 1
        row["user_id"] = user
        while self._has("user_media_progress", user_id=row["user_id"], media_file_id=file):
            number += 1
            row["user_id"] = f"{user} ({number})"
        if row.get("completed"):
            row["marked"], row["last_played_at"] = True, row.get("updated_at")

    def _complete_playback_history(self, row: Row) -> None:
        row.update(self._title_of(row.get("media_file_id")))

    def _complete_transcode_sessions(self, row: Row) -> None:
        self._unlink("media_file_id", row)
        row["content_hash"] = row.get("content_hash") or f"adopted:{row['id']}"
        if row.get("status") is None:
            ended = "completed" if row.get("completed_at") else "cancelled"
            row["status"] = "failed" if row.get("error_message") else ended
        if row["status"] in ACTIVE_STATUSES and any(
            self._has("transcode_sessions", content_hash=row["content_hash"], status=status)
            for status in ACTIVE_STATUSES
        ):
            row["status"] = "cancelled"  # only one active session per content hash

    def _complete_transcode_cache(self, row: Row) -> None:
        row["content_hash"] = row.get("content_hash") or f"adopted:{row['id']}"
        row["last_accessed"] = row.get("last_accessed") or row.get("created_at")

    def _complete_plugin_metadata(self, row: Row) -> None:
        plugin = row.get("plugin_id") or "unknown"
        if not self._existing("plugins", plugin):
            self._insert(
                "plugins",
                {
                    "id": plugin,
                    "name": plugin,
                    "type": "unknown",
                    "enabled": 0,
                    "created_at": self._now,
                    "updated_at": self._now,
                },
            )
        row["plugin_id"] = plugin
        row["media_file_id"] = self._file_or_stand_in(row.get("media_file_id") or "unknown")

    def _title_of(self, file: str | None) -> Row:
        """Return the title columns of a play of a file, as the playback module would set them."""
        found = self._connection.execute(
            "SELECT m.title, m.year, f.filename FROM media_files f "
            "LEFT JOIN movies m ON m.media_file_id = f.id WHERE f.id = ?",
            (file,),
        ).fetchone()
        if found is None:
            return {}
        movie, year, filename = found
        name = (f"{movie} ({year})" if year else movie) or filename.rpartition(".")[0] or filename
        return {"kind": "movie" if movie else "other", "title": name, "top_title": name}

    # Stand-ins for missing rows

    def _unlink(self, name: str, row: Row) -> None:
        row[name] = self._existing("media_files", row.get(name))

    def _file_or_stand_in(self, id: str) -> str:
        """Return a file's id; an unknown file gets a row with the status "missing"."""
        if not self._existing("media_files", id):
            self._insert(
                "media_files",
                {
                    "id": id,
                    "library_id": self._adopted_library("movie", 1),
                    "path": f"(adopted)/{id}",
                    "filename": id,
                    "status": "missing",
                    "probe_state": "pending",
                    "missing_since": self._now,
                    "created_at": self._now,
                    "updated_at": self._now,
                },
            )
        return id

    def _adopted_library(self, kind: str, number: int) -> str:
        """Return the library for rows without one; number > 1 for paths that occur repeatedly."""
        name, path = _ADOPTED[kind]
        suffix = f" {number}" if number > 1 else ""
        path = path.format(suffix)
        id = self._one("SELECT id FROM media_libraries WHERE path = ?", path)
        if id is None:
            id = self._new_id()
            self._insert(
                "media_libraries",
                {
                    "id": id,
                    "name": name + suffix,
                    "path": path,
                    "type": kind,
                    "scan_interval": 0,
                    "created_at": self._now,
                    "updated_at": self._now,
                },
            )
        return str(id)

    def _keep(self, model: Any, row: Row, left_over: Row) -> None:
        """Save the values of columns that we do not have, under the row's key."""
        table = f"adopted_{model._meta.table_name}"
        keys = [field.column_name for field in model._meta.get_primary_keys()]
        columns = [f"{quoted(key)} TEXT NOT NULL" for key in keys] + list(map(quoted, left_over))
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {quoted(table)} "
            f"({', '.join(columns)}, PRIMARY KEY ({', '.join(map(quoted, keys))}))"
        )
        self._insert(table, {**{key: row[key] for key in keys}, **left_over})

    # Statements

    def _insert(self, table: str, row: Row) -> None:
        present = {name: value for name, value in row.items() if value is not None}
        columns = ", ".join(map(quoted, present))
        places = ", ".join("?" * len(present))
        try:
            self._connection.execute(
                f"INSERT INTO {quoted(table)} ({columns}) VALUES ({places})",
                tuple(present.values()),
            )
        except Exception as exc:
            why = self._translate(exc)
            if isinstance(why, (ConflictError, InvalidValueError)):
                refuse(table, row, str(why))
            raise

    def _existing(self, table: str, id: object) -> Any:
        return id if id is not None and self._has(table, id=id) else None

    def _has(self, table: str, **equal: object) -> bool:
        condition = " AND ".join(f"{quoted(name)} = ?" for name in equal)
        sql = f"SELECT 1 FROM {quoted(table)} WHERE {condition}"
        return self._one(sql, *equal.values()) is not None

    def _one(self, sql: str, *arguments: object) -> Any:
        found = self._connection.execute(sql, arguments).fetchone()
        return found[0] if found else None


@lru_cache(maxsize=256)
def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return '"{}"'.format(name.replace('"', '""'))


def _as_bytes(name: str) -> str:
    """Return SQL that selects text as bytes: a driver refuses text that is not in its encoding."""
    return (
        f"CASE typeof({quoted(name)}) WHEN 'text' THEN CAST({quoted(name)} AS BLOB) ELSE "
        f"{quoted(name)} END"
    )


def refuse(table: str, row: Row, why: str) -> NoReturn:
    """Raise the MigrationError for a row that cannot be adopted."""
    keys = ("id",) if row.get("id") is not None else ("user_id", "media_file_id", "path", "title")
    where = " and ".join(f"{key} is {row[key]!r}" for key in keys if row.get(key) is not None)
    raise MigrationError(
        f"{table} cannot be adopted: in the row where {where or 'nothing is set'}, {why}. "
        "Correct or clear it with sqlite3, then open the store again; nothing was changed"
    )


def _reader(table: str, field: Any) -> Callable[[Any], Any]:
    column = f"{table}.{field.column_name}"
    if isinstance(field, ChoiceField):
        return partial(values.choice, column, field.allowed)
    if isinstance(field, JSONField) and field.column_name in _LISTS:
        return values.json_array
    if column in _SHARES:
        return values.share
    readers = (reader for kind, reader in _READERS.items() if isinstance(field, kind))
    return next(readers, values.text)
