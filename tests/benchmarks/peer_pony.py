"""Pony: entities in a db_session for each call; it has no bulk insert and no upsert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from pony import orm
from pony.orm.core import Attribute

from . import rows
from .contender import BATCH, PAGE, WRITER_PRAGMAS, Contender
from .tables import FACTS, TABLES, key_of

_database = orm.Database()
_TYPES: dict[str, Any] = {
    "text": str,
    "integer": int,
    "real": float,
    "boolean": bool,
    "json": orm.Json,
    "moment": str,  # its own type cannot read a time zone
    "date": str,
}


@_database.on_connect(provider="sqlite")
def _connected(database: Any, connection: Any) -> None:
    for name, value in WRITER_PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}")


def _entity(name: str, table: str) -> Any:
    key = key_of(table)
    fields: dict[str, Any] = {"_table_": table}
    for column, (kind, null) in TABLES[table].items():
        options: dict[str, Any] = {"size": 64} if kind == "integer" else {}
        fields[column] = _attribute(kind, null, key == (column,), options)
    if len(key) > 1:
        fields["_indexes_"] = [orm.core.Index(*(fields[column] for column in key), is_pk=True)]
    return type(_database.Entity)(name, (_database.Entity,), fields)


def _attribute(kind: str, null: bool, is_key: bool, options: dict[str, Any]) -> Attribute:
    if is_key:
        return orm.PrimaryKey(str)
    if null and kind in ("text", "moment", "date"):
        return orm.Optional(_TYPES[kind], nullable=True, **options)
    return (orm.Optional if null else orm.Required)(_TYPES[kind], **options)


File = _entity("File", "media_files")
Movie = _entity("Movie", "movies")
Session = _entity("Session", "playback_sessions")
Progress = _entity("Progress", "user_media_progress")
Play = _entity("Play", "playback_history")


class Pony(Contender):
    """Pony ORM; it lets one thread write at a time by itself."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        _database.bind(provider="sqlite", filename=path, create_db=False)
        _database.generate_mapping(create_tables=False)

    def close(self) -> None:
        _database.disconnect()

    def leave_thread(self) -> None:
        _database.disconnect()

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [dict(zip(FACTS, fact)) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        for start in range(0, len(taken), BATCH):
            with orm.db_session(immediate=True):
                for fact in taken[start : start + BATCH]:
                    self._insert(library_id, fact)

    def rescan(self, library_id: str, taken: Any) -> None:
        for start in range(0, len(taken), BATCH):
            with orm.db_session(immediate=True):
                batch = taken[start : start + BATCH]
                paths = [fact["path"] for fact in batch]
                known = {
                    file.path: file
                    for file in File.select(
                        lambda f: f.library_id == library_id and f.path in paths
                    )
                }
                for fact in batch:
                    file = known.get(fact["path"])
                    if file is None:
                        self._insert(library_id, fact)
                    else:
                        file.set(**fact, updated_at=rows.now_text(), status="present")

    def _insert(self, library_id: str, fact: dict[str, Any]) -> None:
        now = rows.now_text()
        File(
            **fact,
            id=rows.new_id(),
            library_id=library_id,
            filename=fact["path"].rpartition("/")[2],
            created_at=now,
            updated_at=now,
            status="present",
            probe_state="pending",
        )

    # Reading

    def file(self, id: str) -> Any:
        with orm.db_session:
            return File[id]

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        with orm.db_session:
            found = list(
                Movie.select(lambda movie: movie.library_id == library_id)
                .order_by(lambda movie: (movie.sort_title, movie.id))
                .limit(limit)
            )
            ids = [movie.media_file_id for movie in found]
            files = {file.id: file for file in File.select(lambda file: file.id in ids)}
            return [(movie, files.get(movie.media_file_id)) for movie in found]

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        with orm.db_session:
            return list(
                Play.select(lambda play: play.user_id == user_id)
                .order_by(lambda play: (orm.desc(play.played_at), orm.desc(play.id)))
                .limit(limit)
            )

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := self._page(library_id, last):
            last = page[-1].path
            yield page

    def _page(self, library_id: str, last: str) -> Sequence[Any]:
        with orm.db_session:
            return list(
                File.select(lambda file: file.library_id == library_id and file.path > last)
                .order_by(File.path)
                .limit(PAGE)
            )

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with orm.db_session(immediate=True):
            session = Session[session_id]
            now = datetime.now(timezone.utc)
            since = datetime.fromisoformat(session.reported_at or session.start_time)
            passed = (now - since).total_seconds()
            watched = session.watched + min(max(position - session.position, 0.0), passed)
            self._put(
                session.user_id, session.media_file_id, position, session.duration, now, session_id
            )
            session.set(
                state="playing",
                position=position,
                last_activity=rows.text(now),
                reported_at=rows.text(now),
                watched=watched,
            )

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with orm.db_session(immediate=True):
            file = File[file_id]
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
        known = Progress.get(user_id=user_id, media_file_id=file_id)
        changes = {
            "position": position,
            "duration": duration,
            "updated_at": rows.text(now),
            "reported_at": rows.text(now),
            "session_id": session_id,
        }
        if known is not None:
            known.set(**changes)
        else:
            Progress(
                user_id=user_id,
                media_file_id=file_id,
                completed=False,
                play_count=0,
                dropped=False,
                marked=False,
                previous=rows.FIRST_STATE,
                **changes,
            )

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        item = item[0] if table == "movies" else item
        return {name: getattr(item, name) for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return movie[1]
