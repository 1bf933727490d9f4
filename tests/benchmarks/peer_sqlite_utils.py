"""sqlite-utils: dicts in and out; JSON is the caller's to decode."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import sqlite_utils

from . import rows
from .contender import BATCH, PAGE, Contender, set_pragmas
from .tables import FACTS, TABLES, names

_MOVIES = f"""SELECT {", ".join(f'm."{name}"' for name in names("movies"))},
    {", ".join(f"f.{name} AS file_{name}" for name in names("media_files"))}
    FROM movies AS m LEFT JOIN media_files AS f ON f.id = m.media_file_id
    WHERE m.library_id = ? ORDER BY m.sort_title, m.id LIMIT ?"""


class SqliteUtils(Contender):
    """sqlite-utils on a connection for each thread, with a lock for all writers."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._own = threading.local()
        self._lock = threading.Lock()

    @property
    def _database(self) -> sqlite_utils.Database:
        try:
            database: sqlite_utils.Database = self._own.database
        except AttributeError:
            connection = sqlite3.connect(self.path)
            set_pragmas(connection)
            database = self._own.database = sqlite_utils.Database(connection)
        return database

    @contextmanager
    def _writing(self) -> Iterator[sqlite_utils.Database]:
        database = self._database
        with self._lock:
            database.conn.execute("BEGIN IMMEDIATE")
            with database.conn:
                yield database

    def close(self) -> None:
        self._database.conn.close()

    def leave_thread(self) -> None:
        self._database.conn.close()
        del self._own.database

    # Scanning

    def taken(self, facts: Sequence[tuple[Any, ...]]) -> Any:
        return [dict(zip(FACTS, fact)) for fact in facts]

    def scan(self, library_id: str, taken: Any) -> None:
        for start in range(0, len(taken), BATCH):
            batch = [self._row(library_id, fact) for fact in taken[start : start + BATCH]]
            with self._writing() as database:
                database["media_files"].insert_all(batch, batch_size=BATCH)

    def rescan(self, library_id: str, taken: Any) -> None:
        # Its upsert goes by the primary key, so that has to be known.
        known = {
            row["path"]: row
            for row in self._database["media_files"].rows_where(
                "library_id = ?", [library_id], select="path, id, created_at, probe_state"
            )
        }
        for start in range(0, len(taken), BATCH):
            batch = [
                {**self._row(library_id, fact), **known.get(fact["path"], {})}
                for fact in taken[start : start + BATCH]
            ]
            with self._writing() as database:
                database["media_files"].upsert_all(batch, pk="id", batch_size=BATCH)

    def _row(self, library_id: str, fact: dict[str, Any]) -> dict[str, Any]:
        now = rows.now_text()
        return {
            **fact,
            "id": rows.new_id(),
            "library_id": library_id,
            "filename": fact["path"].rpartition("/")[2],
            "created_at": now,
            "updated_at": now,
            "status": "present",
            "probe_state": "pending",
        }

    # Reading

    def file(self, id: str) -> Any:
        return self._database["media_files"].get(id)

    def movies(self, library_id: str, limit: int) -> Sequence[Any]:
        found = list(self._database.query(_MOVIES, [library_id, limit]))
        for row in found:
            row["genres"], row["cast"] = json.loads(row["genres"]), json.loads(row["cast"])
        return found

    def history(self, user_id: str, limit: int) -> Sequence[Any]:
        return list(
            self._database["playback_history"].rows_where(
                "user_id = ?", [user_id], order_by="played_at DESC, id DESC", limit=limit
            )
        )

    def every_file(self, library_id: str) -> Iterator[Sequence[Any]]:
        last = ""
        while page := list(
            self._database["media_files"].rows_where(
                "library_id = ? AND path > ?", [library_id, last], order_by="path", limit=PAGE
            )
        ):
            last = page[-1]["path"]
            yield page

    # Playing

    def heartbeat(self, session_id: str, position: float) -> None:
        with self._writing() as database:
            session = database["playback_sessions"].get(session_id)
            now = datetime.now(timezone.utc)
            since = datetime.fromisoformat(session["reported_at"] or session["start_time"])
            passed = (now - since).total_seconds()
            self._put(
                database,
                session["user_id"],
                session["media_file_id"],
                position,
                session["duration"],
                now,
                session_id,
            )
            database["playback_sessions"].update(
                session_id,
                {
                    "state": "playing",
                    "position": position,
                    "last_activity": rows.text(now),
                    "reported_at": rows.text(now),
                    "watched": session["watched"]
                    + min(max(position - session["position"], 0.0), passed),
                },
            )

    def set_progress(self, user_id: str, file_id: str, position: float) -> None:
        with self._writing() as database:
            file = database["media_files"].get(file_id)
            now = datetime.now(timezone.utc)
            self._put(database, user_id, file_id, position, file["duration"], now, None)

    def _put(
        self,
        database: sqlite_utils.Database,
        user_id: str,
        file_id: str,
        position: float,
        duration: float,
        now: datetime,
        session_id: str | None,
    ) -> None:
        table = database["user_media_progress"]
        known = next(
            table.rows_where("user_id = ? AND media_file_id = ?", [user_id, file_id]), None
        )
        changes = {
            "position": position,
            "duration": duration,
            "updated_at": rows.text(now),
            "reported_at": rows.text(now),
            "session_id": session_id,
        }
        if known is not None:
            table.update((user_id, file_id), changes)
        else:
            table.insert(
                {
                    "user_id": user_id,
                    "media_file_id": file_id,
                    "completed": 0,
                    "play_count": 0,
                    "dropped": 0,
                    "marked": 0,
                    "previous": json.dumps(rows.FIRST_STATE),
                    **changes,
                }
            )

    # For the checks

    def columns(self, item: Any, table: str) -> dict[str, Any]:
        return {name: item[name] for name in TABLES[table]}

    def file_of(self, movie: Any) -> Any:
        return {name: movie[f"file_{name}"] for name in names("media_files")}
