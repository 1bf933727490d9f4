"""Hand-written SQL on the standard library's sqlite3: what everything is compared with.

Whoever writes holds a lock of the process, and one connection writes; `RawBusy` leaves it to
SQLite's busy_timeout, with a connection for each thread.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from . import rows
from .contender import BATCH, PAGE, READER_PRAGMAS, Contender, set_pragmas
from .tables import FACTS, WRITTEN, names

_FILE = ", ".join(f"f.{name}" for name in names("media_files"))
_MOVIE = ", ".join(f'm."{name}"' for name in names("movies"))
_GENRES, _CAST = names("movies").index("genres"), names("movies").index("cast")
_MOVIE_COLUMNS = len(names("movies"))
_INSERT_FILE = (
    f"INSERT INTO media_files ({', '.join(WRITTEN)}) VALUES ({', '.join('?' * len(WRITTEN))})"
)
_UPSERT_FILE = f"{_INSERT_FILE} ON CONFLICT (library_id, path) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in (*FACTS[1:], "updated_at", "status")
)
_FILE_BY_ID = f"SELECT {_FILE} FROM media_files AS f WHERE f.id = ?"
_FILES = f"""SELECT {_FILE} FROM media_files AS f WHERE f.library_id = ? AND f.path > ?
    ORDER BY f.path LIMIT ?"""
_PATH = names("media_files").index("path")
_MOVIES = f"""SELECT {_MOVIE}, {_FILE} FROM movies AS m
    LEFT JOIN media_files AS f ON f.id = m.media_file_id
    WHERE m.library_id = ? ORDER BY m.sort_title, m.id LIMIT ?"""
_HISTORY = f"""SELECT {", ".join(names("playback_history"))} FROM playback_history
    WHERE user_id = ? ORDER BY played_at DESC, id DESC LIMIT ?"""
_SESSION = f"SELECT {', '.join(names('playback_sessions'))} FROM playback_sessions WHERE id = ?"
_MOVE_SESSION = """UPDATE playback_sessions SET state = ?, position = ?, last_activity = ?,
    reported_at = ?, watched = ?, completed = ?, end_time = ? WHERE id = ?"""
_PROGRESS = f"""SELECT {", ".join(names("user_media_progress"))} FROM user_media_progress
    WHERE user_id = ?1 AND media_file_id IN (
        SELECT media_file_id FROM user_media_progress WHERE user_id = ?1 AND media_file_id = ?2
        UNION ALL SELECT o.media_file_id FROM work_files AS w
            JOIN work_files AS o ON o.work_id = w.work_id WHERE w.media_file_id = ?2)"""
_PUT_PROGRESS = f"""INSERT INTO user_media_progress ({", ".join(names("user_media_progress"))})
    VALUES ({", ".join("?" * len(names("user_media_progress")))})
    ON CONFLICT (user_id, media_file_id) DO UPDATE SET """ + ", ".join(
    f"{name} = excluded.{name}" for name in names("user_media_progress")[2:]
)
_FIRST = json.dumps(rows.FIRST_STATE)


class Raw(Contender):
    """Hand-written SQL; one lock for all writers."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._own = threading.local()
        self._lock = threading.Lock()
        self._writer = self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        set_pragmas(connection)
        return connection

    def _reader(self) -> sqlite3.Connection:
        try:
            connection: sqlite3.Connection = self._own.connection
        except AttributeError:
            connection = self._own.connection = self._connect()
            set_pragmas(connection, {**READER_PRAGMAS, "query_only": 1})
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    def close(self) -> None:
        self.leave_thread()
        self._writer.close()

    def leave_thread(self) -> None:
        if hasattr(self._own, "connection"):
            self._own.connection.close()
            del self._own.connection

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return facts

    def scan(self, library_id: str, taken: Any) -> None:
        self._write_files(_INSERT_FILE, library_id, taken)

    def rescan(self, library_id: str, taken: Any) -> None:
        self._write_files(_UPSERT_FILE, library_id, taken)

    def _write_files(self, sql: str, library_id: str, taken: Any) -> None:
        for start in range(0, len(taken), BATCH):
            now = rows.now_text()
            batch = [
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
                for fact in taken[start : start + BATCH]
            ]
            with self._writing() as connection:
                connection.executemany(sql, batch)

    # Reading

    def file(self, id: str) -> Any:
        return self._reader().execute(_FILE_BY_ID, (id,)).fetchone()

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        found = self._reader().execute(_MOVIES, (library_id, limit)).fetchall()
        return [(row, json.loads(row[_GENRES]), json.loads(row[_CAST])) for row in found]

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        return self._reader().execute(_HISTORY, (user_id, limit)).fetchall()

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := self._reader().execute(_FILES, (library_id, last, PAGE)).fetchall():
            last = page[-1][_PATH]
            yield page

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._writing() as connection:
            session = connection.execute(_SESSION, (session_id,)).fetchone()
            now = datetime.now(timezone.utc)
            passed = now - datetime.fromisoformat(session[11] or session[8])
            watched = session[12] + min(max(position - session[6], 0.0), passed.total_seconds())
            self._put(connection, session[2], session[1], position, session[7], now, session_id)
            connection.execute(
                _MOVE_SESSION,
                ("playing", position, rows.text(now), rows.text(now), watched, 0, None, session_id),
            )

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._writing() as connection:
            file = connection.execute(_FILE_BY_ID, (file_id,)).fetchone()
            self._put(
                connection, user_id, file_id, position, file[7], datetime.now(timezone.utc), None
            )

    def mark_watched(self, user_id: str, file_id: str) -> None:
        """Mark a file as watched."""
        with self._writing() as connection:
            file = connection.execute(_FILE_BY_ID, (file_id,)).fetchone()
            self._put(
                connection,
                user_id,
                file_id,
                0.0,
                file[7],
                datetime.now(timezone.utc),
                None,
                watched=True,
            )

    def _put(
        self,
        connection: sqlite3.Connection,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
        *,
        watched: bool = False,
    ) -> None:
        known = connection.execute(_PROGRESS, (user_id, file_id)).fetchall()
        plays, played_at, previous = (
            (known[0][6], known[0][8], known[0][12]) if known else (0, None, _FIRST)
        )
        if watched:
            plays, played_at = plays + 1, rows.text(now)
        connection.execute(
            _PUT_PROGRESS,
            (
                user_id,
                file_id,
                position,
                int(watched),
                rows.text(now),
                duration,
                plays,
                False,
                played_at,
                rows.text(now),
                0,
                session_id,
                previous,
            ),
        )

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        if table == "movies":
            row, genres, cast = item
            return {**dict(zip(names("movies"), row)), "genres": genres, "cast": cast}
        return dict(zip(names(table), item))

    def file_of(self, movie: Any) -> Any:
        return movie[0][_MOVIE_COLUMNS:]


class RawBusy(Raw):
    """Hand-written SQL; writers wait for each other by busy_timeout alone."""

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = getattr(self._own, "writer", None)
        if connection is None:
            connection = self._own.writer = self._connect()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


class RawFull(Raw):
    """Hand-written SQL; every commit is on disk before it returns."""

    def _connect(self) -> sqlite3.Connection:
        connection = super()._connect()
        connection.execute("PRAGMA synchronous=FULL")
        return connection
