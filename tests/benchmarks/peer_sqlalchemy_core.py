"""SQLAlchemy Core: tables and rows, statements from its cache, executemany."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import sqlalchemy
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from . import rows
from .contender import BATCH, PAGE, Contender
from .sqlalchemy_tables import FILES, MOVIES, PLAYS, PROGRESS, SESSIONS, engine
from .tables import FACTS, TABLES

_INSERT_FILE = insert(FILES)
_UPSERT_FILE = _INSERT_FILE.on_conflict_do_update(
    index_elements=[FILES.c.library_id, FILES.c.path],
    set_={name: _INSERT_FILE.excluded[name] for name in (*FACTS[1:], "updated_at", "status")},
)
_FILE = select(FILES).where(FILES.c.id == bindparam("id"))
_FILES = (
    select(FILES)
    .where(FILES.c.library_id == bindparam("library"), FILES.c.path > bindparam("last"))
    .order_by(FILES.c.path)
    .limit(PAGE)
)
_MOVIES = (
    select(MOVIES, *(column.label(f"file_{column.name}") for column in FILES.c))
    .join(FILES, FILES.c.id == MOVIES.c.media_file_id, isouter=True)
    .where(MOVIES.c.library_id == bindparam("library"))
    .order_by(MOVIES.c.sort_title, MOVIES.c.id)
)
_HISTORY = (
    select(PLAYS)
    .where(PLAYS.c.user_id == bindparam("user"))
    .order_by(PLAYS.c.played_at.desc(), PLAYS.c.id.desc())
)
_SESSION = select(SESSIONS).where(SESSIONS.c.id == bindparam("id"))
_MOVE_SESSION = SESSIONS.update().where(SESSIONS.c.id == bindparam("key"))
_PROGRESS = select(PROGRESS).where(
    PROGRESS.c.user_id == bindparam("user"), PROGRESS.c.media_file_id == bindparam("file")
)
_INSERT_PROGRESS = insert(PROGRESS)
_PUT_PROGRESS = _INSERT_PROGRESS.on_conflict_do_update(
    index_elements=[PROGRESS.c.user_id, PROGRESS.c.media_file_id],
    set_={
        name: _INSERT_PROGRESS.excluded[name]
        for name in TABLES["user_media_progress"]
        if name not in ("user_id", "media_file_id")
    },
)


class SqlAlchemyCore(Contender):
    """SQLAlchemy without its ORM."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._engine = engine(path)
        self._writer = self._engine.execution_options(writes=True)
        self._lock = threading.Lock()

    @contextmanager
    def _writing(self) -> Iterator[sqlalchemy.Connection]:
        with self._lock, self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [dict(zip(FACTS, fact)) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        self._write_files(_INSERT_FILE, library_id, taken)

    def rescan(self, library_id: str, taken: Any) -> None:
        self._write_files(_UPSERT_FILE, library_id, taken)

    def _write_files(self, statement: Any, library_id: str, taken: Any) -> None:
        for start in range(0, len(taken), BATCH):
            now = datetime.now(timezone.utc)
            batch = [
                {
                    **fact,
                    "id": rows.new_id(),
                    "library_id": library_id,
                    "filename": fact["path"].rpartition("/")[2],
                    "created_at": now,
                    "updated_at": now,
                    "status": "present",
                    "probe_state": "pending",
                }
                for fact in taken[start : start + BATCH]
            ]
            with self._writing() as connection:
                connection.execute(statement, batch)

    # Reading

    def file(self, id: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(_FILE, {"id": id}).one()

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(_MOVIES.limit(limit), {"library": library_id}).all()

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(_HISTORY.limit(limit), {"user": user_id}).all()

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := self._page(library_id, last):
            last = page[-1].path
            yield page

    def _page(self, library_id: str, last: str) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(_FILES, {"library": library_id, "last": last}).all()

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._writing() as connection:
            session = connection.execute(_SESSION, {"id": session_id}).one()
            now = datetime.now(timezone.utc)
            passed = (now - (session.reported_at or session.start_time)).total_seconds()
            watched = session.watched + min(max(position - session.position, 0.0), passed)
            self._put(
                connection,
                session.user_id,
                session.media_file_id,
                position,
                session.duration,
                now,
                session_id,
            )
            connection.execute(
                _MOVE_SESSION,
                {
                    "key": session_id,
                    "state": "playing",
                    "position": position,
                    "last_activity": now,
                    "reported_at": now,
                    "watched": watched,
                },
            )

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._writing() as connection:
            file = connection.execute(_FILE, {"id": file_id}).one()
            now = datetime.now(timezone.utc)
            self._put(connection, user_id, file_id, position, file.duration, now, None)

    def _put(
        self,
        connection: sqlalchemy.Connection,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
    ) -> None:
        known = connection.execute(_PROGRESS, {"user": user_id, "file": file_id}).one_or_none()
        connection.execute(
            _PUT_PROGRESS,
            {
                "user_id": user_id,
                "media_file_id": file_id,
                "position": position,
                "completed": False,
                "updated_at": now,
                "duration": duration,
                "play_count": known.play_count if known else 0,
                "last_played_at": known.last_played_at if known else None,
                "reported_at": now,
                "dropped": False,
                "marked": False,
                "session_id": session_id,
                "previous": known.previous if known else rows.FIRST_STATE,
            },
        )

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return type(
            "File", (), {name: getattr(movie, f"file_{name}") for name in TABLES["media_files"]}
        )
