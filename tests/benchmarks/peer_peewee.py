"""Plain Peewee: insert_many, models, a connection for each thread, a lock for all writers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import peewee

from . import rows
from .contender import BATCH, PAGE, WRITER_PRAGMAS, Contender
from .tables import FACTS, TABLES, WRITTEN, key_of

_MOMENTS = ["%Y-%m-%d %H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z"]
_FIELDS: dict[str, Any] = {
    "text": peewee.TextField,
    "integer": peewee.BigIntegerField,
    "real": peewee.DoubleField,
    "boolean": peewee.BooleanField,
    "date": peewee.DateField,
    "json": peewee.JSONField,
    "moment": lambda **options: peewee.DateTimeField(formats=_MOMENTS, **options),
}
_database = peewee.SqliteDatabase(None)


def _model(name: str, table: str, references: dict[str, Any]) -> Any:
    key = key_of(table)
    meta: dict[str, Any] = {"database": _database, "table_name": table}
    if len(key) > 1:
        meta["primary_key"] = peewee.CompositeKey(*key)
    fields: dict[str, Any] = {"Meta": type("Meta", (), meta)}
    for column, (kind, null) in TABLES[table].items():
        if column in references:
            fields[column.removesuffix("_id")] = peewee.ForeignKeyField(
                references[column], column_name=column, null=null
            )
        else:
            fields[column] = _FIELDS[kind](null=null, primary_key=key == (column,))
    return type(name, (peewee.Model,), fields)


File = _model("File", "media_files", {})
Movie = _model("Movie", "movies", {"media_file_id": File})
Session = _model("Session", "playback_sessions", {})
Progress = _model("Progress", "user_media_progress", {})
Play = _model("Play", "playback_history", {})
_WRITTEN = [getattr(File, name) for name in WRITTEN]


class Peewee(Contender):
    """Peewee as its documentation shows it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        _database.init(path, pragmas=WRITER_PRAGMAS)
        self._lock = threading.Lock()

    def close(self) -> None:
        _database.close()

    def leave_thread(self) -> None:
        _database.close()

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return facts

    def scan(self, library_id: str, taken: Any) -> None:
        self._write_files(library_id, taken, upsert=False)

    def rescan(self, library_id: str, taken: Any) -> None:
        self._write_files(library_id, taken, upsert=True)

    def _write_files(self, library_id: str, taken: Any, *, upsert: bool) -> None:
        for batch in peewee.chunked(taken, BATCH):
            now = datetime.now(timezone.utc)
            query = File.insert_many(
                [
                    (
                        rows.new_id(),
                        library_id,
                        fact[0],
                        fact[0].rpartition("/")[2],
                        fact[1],
                        *fact[3:10],
                        now,
                        now,
                        fact[2],
                        fact[10],
                        fact[11],
                        "present",
                        "pending",
                    )
                    for fact in batch
                ],
                fields=_WRITTEN,
            )
            if upsert:
                query = query.on_conflict(
                    conflict_target=[File.library_id, File.path],
                    preserve=[getattr(File, name) for name in (*FACTS[1:], "updated_at", "status")],
                )
            with self._lock, _database.atomic("IMMEDIATE"):
                query.execute()

    # Reading

    def file(self, id: str) -> Any:
        return File.get_by_id(id)

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        return list(
            Movie.select(Movie, File)
            .join(File, peewee.JOIN.LEFT_OUTER)
            .where(Movie.library_id == library_id)
            .order_by(Movie.sort_title, Movie.id)
            .limit(limit)
        )

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        return list(
            Play.select()
            .where(Play.user_id == user_id)
            .order_by(Play.played_at.desc(), Play.id.desc())
            .limit(limit)
        )

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := list(
            File.select()
            .where(File.library_id == library_id, File.path > last)
            .order_by(File.path)
            .limit(PAGE)
        ):
            last = page[-1].path
            yield page

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._lock, _database.atomic("IMMEDIATE"):
            session = Session.get_by_id(session_id)
            now = datetime.now(timezone.utc)
            passed = (now - (session.reported_at or session.start_time)).total_seconds()
            watched = session.watched + min(max(position - session.position, 0.0), passed)
            self._put(
                session.user_id, session.media_file_id, position, session.duration, now, session_id
            )
            Session.update(
                state="playing",
                position=position,
                last_activity=now,
                reported_at=now,
                watched=watched,
            ).where(Session.id == session_id).execute()

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._lock, _database.atomic("IMMEDIATE"):
            file = File.get_by_id(file_id)
            now = datetime.now(timezone.utc)
            self._put(user_id, file_id, position, file.duration, now, None)

    def _put(
        self,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
    ) -> None:
        known = Progress.get_or_none(
            (Progress.user_id == user_id) & (Progress.media_file_id == file_id)
        )
        Progress.insert(
            user_id=user_id,
            media_file_id=file_id,
            position=position,
            completed=False,
            updated_at=now,
            duration=duration,
            play_count=known.play_count if known else 0,
            last_played_at=known.last_played_at if known else None,
            reported_at=now,
            dropped=False,
            marked=False,
            session_id=session_id,
            previous=known.previous if known else rows.FIRST_STATE,
        ).on_conflict(
            conflict_target=[Progress.user_id, Progress.media_file_id],
            preserve=[
                Progress.position,
                Progress.updated_at,
                Progress.duration,
                Progress.reported_at,
                Progress.session_id,
                Progress.previous,
            ],
        ).execute()

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return movie.media_file
