"""A store with rows in many tables, and ways to damage its file."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from viewra_lite import Store

from tests.support.clock import Clock

Truth = dict[str, dict[Any, tuple[Any, ...]]]

NOW = "2024-05-01 12:00:00.000000"
# Of the store that is damaged; what recovery may not change is left out.
TABLES = (
    "media_libraries",
    "media_files",
    "works",
    "work_files",
    "movies",
    "search_documents",
    "playback_history",
    "user_media_progress",
    "playback_sessions",
)
PAGE = 4096


def fill(path: Path, begin: int, end: int) -> None:
    """Add films, their files and who watched them, with numbers from begin up to end."""
    numbers = range(begin, end)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA wal_autocheckpoint=0")
        if begin == 0:
            db.executemany(
                "INSERT INTO media_libraries (id, name, path, type, created_at, updated_at) "
                "VALUES (?, ?, ?, 'movie', ?, ?)",
                [(f"lib{n}", f"Films {n}", f"/films{n}", NOW, NOW) for n in range(3)],
            )
        db.executemany(
            "INSERT INTO media_files (id, library_id, path, filename, size, duration, created_at, "
            "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (f"file{n:06}", f"lib{n % 3}", f"/films{n % 3}/{n}", f"{n}", n, n / 2, NOW, NOW)
                for n in numbers
            ],
        )
        db.executemany(
            "INSERT INTO works (id, kind, key) VALUES (?, 'movie', ?)",
            [(f"work{n:06}", f"movie:{n}:2001") for n in numbers],
        )
        db.executemany(
            "INSERT INTO work_files (media_file_id, work_id) VALUES (?, ?)",
            [(f"file{n:06}", f"work{n:06}") for n in numbers],
        )
        db.executemany(
            "INSERT INTO movies (id, library_id, media_file_id, work_id, identity, title, "
            "sort_title, overview, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    f"movie{n:06}",
                    f"lib{n % 3}",
                    f"file{n:06}",
                    f"work{n:06}",
                    f"movie:{n}:2001",
                    f"Amélie {n}",
                    f"amelie {n}",
                    "long " * (n % 7 and 10 or 3000),
                    NOW,
                    NOW,
                )
                for n in numbers
            ],
        )
        db.executemany(
            "INSERT INTO search_documents (kind, movie_id, title, title_key, terms) "
            "VALUES ('movie', ?, ?, ?, ?)",
            [(f"movie{n:06}", f"Amélie {n}", f"amelie {n}", f"amelie {n}") for n in numbers],
        )
        _play(db, begin, end)


def _play(db: sqlite3.Connection, begin: int, end: int) -> None:
    numbers = range(begin * 3, end * 3)
    db.executemany(
        "INSERT INTO playback_history (id, user_id, media_file_id, played_at, duration_watched, "
        "completed, kind, title) VALUES (?, ?, ?, ?, ?, 1, 'movie', ?)",
        [
            (f"play{n:06}", f"user{n % 4}", f"file{n // 3:06}", NOW, n, f"Amélie {n // 3}")
            for n in numbers
        ],
    )
    db.executemany(
        "INSERT INTO user_media_progress (user_id, media_file_id, position, updated_at) "
        "VALUES (?, ?, ?, ?)",
        [(f"user{n % 4}", f"file{n // 3:06}", n / 4, NOW) for n in numbers],
    )
    db.executemany(
        "INSERT INTO playback_sessions (id, user_id, media_file_id, method, state, position, "
        "start_time, last_activity, end_time) "
        "VALUES (?, 'ann', ?, 'direct', 'stopped', ?, ?, ?, ?)",
        [(f"play{n:06}", f"file{n // 3:06}", float(n), NOW, NOW, NOW) for n in numbers],
    )


def change(path: Path) -> None:
    """Change and remove rows, as after a backup."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("UPDATE user_media_progress SET position = position + 1000")
        db.execute("DELETE FROM playback_history WHERE duration_watched % 10 = 3")


def rows(path: Path) -> Truth:
    """Return the rows of a sound store, by table and primary key."""
    found: Truth = {}
    with closing(sqlite3.connect(path)) as db:
        for table in TABLES:
            keys = [
                row[0] for row in db.execute(f"PRAGMA table_info({table})").fetchall() if row[5]
            ]
            found[table] = {
                tuple(row[place] for place in keys): row
                for row in db.execute(f"SELECT * FROM {table}").fetchall()
            }
    return found


def make_store(folder: Path, films: int) -> tuple[Path, Truth, Truth]:
    """Make a store with a backup and a log; return its folder, its rows, and the backup's.

    The folder has it twice: "crashed" with its log, and "closed" without.
    """
    path = folder / "made" / "viewra.db"
    path.parent.mkdir()
    with Store.open(f"sqlite:///{path}", clock=Clock()) as store:
        fill(path, 0, films)
        store.backups.create()
    backup = rows(path)
    with Store.open(f"sqlite:///{path}", clock=Clock()) as store:
        store.media.add_library("Empty", path.parent, "movie")  # it is noted as open
        change(path)
        fill(path, films, films + films // 5)
        truth = rows(path)
        shutil.copytree(path.parent, folder / "crashed")
    shutil.copytree(path.parent, folder / "closed")
    return folder, truth, backup


def damage(path: Path, kind: str, chance: random.Random) -> None:
    """Damage a store's file or its log at random."""
    log = path.with_name(path.name + "-wal")
    data = bytearray(path.read_bytes())
    pages = len(data) // PAGE
    if kind == "lost log":
        log.unlink()
        return
    if kind == "damaged log":
        data = bytearray(log.read_bytes())
        _overwrite(data, chance.randrange(len(data)), chance.choice((100, 5000)), chance)
        log.write_bytes(data)
        return
    if kind == "truncated":
        del data[chance.randrange(len(data)) :]
    elif kind == "emptied":
        data.clear()
    elif kind == "header":
        _overwrite(data, 0, chance.choice((16, 100, PAGE)), chance)
    elif kind == "swapped":
        for _ in range(chance.choice((1, 5))):
            one, two = (chance.randrange(pages) * PAGE for _ in range(2))
            data[one : one + PAGE], data[two : two + PAGE] = (
                data[two : two + PAGE],
                data[one : one + PAGE],
            )
    else:
        for _ in range(chance.choice((1, 3, 10, 40))):
            at = chance.randrange(pages) * PAGE
            if kind == "zeros":
                data[at : at + PAGE] = bytes(PAGE)
            else:
                _overwrite(data, at, PAGE, chance)
    path.write_bytes(data)


KINDS = ("zeros", "garbage", "truncated", "header", "swapped", "emptied", "lost log", "damaged log")


def _overwrite(data: bytearray, at: int, length: int, chance: random.Random) -> None:
    end = min(len(data), at + length)
    data[at:end] = chance.randbytes(end - at)
