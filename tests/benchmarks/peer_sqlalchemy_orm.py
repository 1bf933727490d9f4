"""SQLAlchemy's ORM: mapped objects, bulk inserts through the session, eager joins."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session as OrmSession, joinedload, registry, relationship

from . import rows
from .contender import BATCH, PAGE, Contender
from .sqlalchemy_tables import FILES, MOVIES, PLAYS, PROGRESS, SESSIONS, engine
from .tables import FACTS, TABLES

_mapped = registry()


class File:
    """A media file."""


class Movie:
    """A movie with its file."""


class Session:
    """A playback session."""


class Progress:
    """Where a user is in a file."""


class Play:
    """A play."""


for _model, _table in ((File, FILES), (Session, SESSIONS), (Progress, PROGRESS), (Play, PLAYS)):
    _mapped.map_imperatively(_model, _table)
_mapped.map_imperatively(Movie, MOVIES, properties={"media_file": relationship(File)})
_file, _movie, _play = FILES.c, MOVIES.c, PLAYS.c


class SqlAlchemyOrm(Contender):
    """SQLAlchemy with its ORM; a session for each call."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._engine = engine(path)
        self._writer = self._engine.execution_options(writes=True)
        self._lock = threading.Lock()

    def _session(self) -> OrmSession:
        return OrmSession(self._engine, expire_on_commit=False)

    @contextmanager
    def _writing(self) -> Iterator[OrmSession]:
        with self._lock, OrmSession(self._writer, expire_on_commit=False) as session:
            with session.begin():
                yield session

    def close(self) -> None:
        self._engine.dispose()

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [dict(zip(FACTS, fact)) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        self._write_files(insert(File), library_id, taken)

    def rescan(self, library_id: str, taken: Any) -> None:
        statement = insert(File)
        changes = {name: statement.excluded[name] for name in (*FACTS[1:], "updated_at", "status")}
        self._write_files(
            statement.on_conflict_do_update(
                index_elements=[_file.library_id, _file.path], set_=changes
            ),
            library_id,
            taken,
        )

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
            with self._writing() as session:
                session.execute(statement, batch)

    # Reading

    def file(self, id: str) -> Any:
        with self._session() as session:
            return session.get_one(File, id)

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        with self._session() as session:
            return session.scalars(
                select(Movie)
                .options(joinedload(Movie.media_file))  # type: ignore[attr-defined]
                .where(_movie.library_id == library_id)
                .order_by(_movie.sort_title, _movie.id)
                .limit(limit)
            ).all()

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        with self._session() as session:
            return session.scalars(
                select(Play)
                .where(_play.user_id == user_id)
                .order_by(_play.played_at.desc(), _play.id.desc())
                .limit(limit)
            ).all()

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := self._page(library_id, last):
            last = page[-1].path
            yield page

    def _page(self, library_id: str, last: str) -> Sequence[Any]:
        with self._session() as session:
            return session.scalars(
                select(File)
                .where(_file.library_id == library_id, _file.path > last)
                .order_by(_file.path)
                .limit(PAGE)
            ).all()

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._writing() as session:
            played: Any = session.get_one(Session, session_id)
            now = datetime.now(timezone.utc)
            passed = (now - (played.reported_at or played.start_time)).total_seconds()
            played.watched += min(max(position - played.position, 0.0), passed)
            self._put(
                session,
                played.user_id,
                played.media_file_id,
                position,
                played.duration,
                now,
                session_id,
            )
            played.state, played.position = "playing", position
            played.last_activity = played.reported_at = now

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._writing() as session:
            file: Any = session.get_one(File, file_id)
            now = datetime.now(timezone.utc)
            self._put(session, user_id, file_id, position, file.duration, now, None)

    def _put(
        self,
        session: OrmSession,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
    ) -> None:
        known: Any = session.get(Progress, (user_id, file_id))
        if known is None:
            known = Progress()
            known.user_id, known.media_file_id, known.completed = user_id, file_id, False
            known.play_count, known.dropped, known.marked = 0, False, False
            known.previous = rows.FIRST_STATE
            session.add(known)
        known.position, known.duration, known.session_id = position, duration, session_id
        known.updated_at = known.reported_at = now

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: getattr(item, name) for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return movie.media_file
