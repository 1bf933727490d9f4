"""Mixed work on a store that reports each acknowledged write, and looks for those of before."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.rows import add_by_peewee
from viewra_lite import FileFacts, Store
from viewra_lite.media.models import MediaLibrary, Movie
from viewra_lite.playback.models import PlaybackSession, UserMediaProgress

FILES = 50
USERS = ("ann", "bob", "cem")


class Work:
    """One thread's writes. Positions only grow, so that a stored one may be compared."""

    def __init__(self, store: Store, seed: int, report: Callable[[str], None]) -> None:
        self._store = store
        self._random = random.Random(seed)
        self._report = report
        self._library = next(one.id for one in store.media.libraries() if one.name == "films")
        with store.reader():
            self._files = [file.id for file in store.media.files(self._library, limit=FILES).items]
        self._user = f"{USERS[seed % len(USERS)]}-{seed}"
        self._session = ""
        self._position = 0.0
        self._number = 0
        self.worst_s = 0.0
        self.writes = 0

    def step(self) -> None:
        """Write once, and report it when it was acknowledged."""
        kind = self._random.choices(
            (self._heartbeat, self._progress, self._movie, self._pair, self._watched),
            (60, 25, 8, 5, 2),
        )[0]
        self._number += 1
        began = time.monotonic()
        line = kind()
        self.worst_s = max(self.worst_s, time.monotonic() - began)
        self.writes += 1
        self._report(line)

    def _heartbeat(self) -> str:
        if not self._session or self._position > 3000:
            file = self._random.choice(self._files)
            started = self._store.playback.start_session(file, user_id=self._user, duration=3600.0)
            self._session, self._position = started.id, 0.0
            return f"session {started.id} 0"
        self._position += 1.0
        self._store.playback.heartbeat(self._session, self._position)
        return f"session {self._session} {self._position}"

    def _progress(self) -> str:
        file = self._random.choice(self._files)
        # A user of its own, so that heartbeats do not move it; a newer report wins.
        self._store.playback.set_progress(f"{self._user}-set", file, 600 + self._number / 1000)
        return f"progress {self._user}-set {file} {600 + self._number / 1000}"

    def _movie(self) -> str:
        title = f"{self._user} {self._number} ÅÄÖ"
        return f"movie {self._store.media.save_movie(self._library, title=title).id}"

    def _pair(self) -> str:
        name = f"{self._user}-{self._number}-{os.getpid()}"
        with self._store.writer():
            for half in ("a", "b"):
                add_by_peewee(f"{name}-{half}")
        return f"pair {name}"

    def _watched(self) -> str:
        file = self._random.choice(self._files)
        self._store.playback.mark_watched(f"{self._user}-mark", file)
        return f"watched {self._user}-mark {file}"


def make(path: str) -> None:
    """Make a store with a library of files."""
    (Path(path).parent / "films").mkdir()
    with Store.open(f"sqlite:///{path}") as store:
        library = store.media.add_library("films", str(Path(path).parent / "films"), "movie")
        with store.media.reconcile(library.id) as files:
            for number in range(FILES):
                place = str(Path(path).parent / "films" / f"Film {number} (2001).mkv")
                files.add(FileFacts(place, 1000 + number, 1, duration=3600.0))


def work(path: str, acknowledged: str, seed: int, driver: str) -> None:
    """Look for what was acknowledged before, then write in three threads until killed."""
    options = {"type": "sqlite", "database_path": path, "driver": driver}
    with Store.open({"database": options}) as store:
        lost = missing(store, Path(acknowledged).read_text(encoding="utf-8").splitlines())
        os.write(1, (json.dumps(lost) + "\n").encode())
        threads = [
            threading.Thread(target=_forever, args=(store, seed * 3 + number))
            for number in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def _forever(store: Store, seed: int) -> None:
    one = Work(store, seed, lambda line: os.write(1, (line + "\n").encode()) and None)
    while True:
        one.step()


def missing(store: Store, lines: list[str]) -> list[str]:
    """Return which acknowledged writes a store does not have, and the faults of its file."""
    with store.reader():
        database: Any = MediaLibrary._meta.database
        faults = [row[0] for row in database.execute_sql("PRAGMA integrity_check")]
        lost = [fault for fault in faults if fault != "ok"]
        lost += map(str, database.execute_sql("PRAGMA foreign_key_check").fetchall())
        movies = {id for (id,) in Movie.select(Movie.id).tuples()}
        names = {name for (name,) in MediaLibrary.select(MediaLibrary.name).tuples()}
        columns = (PlaybackSession.id, PlaybackSession.position)
        sessions = dict(PlaybackSession.select(*columns).tuples())
        progress = {(row.user_id, row.media_file_id): row for row in UserMediaProgress.select()}
    for line in lines:
        kind, *words = line.split(" ")
        if kind == "movie":
            is_there = words[0] in movies
        elif kind == "pair":
            is_there = {f"{words[0]}-a", f"{words[0]}-b"} <= names
        elif kind == "session":
            is_there = sessions.get(words[0], -1.0) >= float(words[1])
        else:
            row = progress.get((words[0], words[1]))
            is_there = row is not None and (
                row.completed if kind == "watched" else row.position >= float(words[2])
            )
        if not is_there:
            lost.append(line)
    halves = [name[:-2] for name in names if name.endswith("-a")]
    lost += [f"half of {name}" for name in halves if f"{name}-b" not in names]
    return lost
