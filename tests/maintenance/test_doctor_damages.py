"""Whatever happens to a store, doctor ends, and names what its users would feel."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.home import furnish
from tests.support.torture import tries
from viewra_lite import Finding, Store

PAGE = 4096
STORES = 18  # of a test
TABLES = (
    "media_libraries media_files works work_files movies tv_shows seasons episodes albums tracks "
    "search_documents user_media_progress playback_history playback_sessions"
).split()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed store with a small home in it, and a backup."""
    folder = tmp_path_factory.mktemp("sound")
    with Store.open(url(folder / "data" / "viewra.db"), clock=Clock()) as store:
        furnish(store, folder)
        store.backups.create()
    return folder / "data"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


# Damages: of the file, of its neighbours, of tables and of rows


def noise(path: Path, dice: random.Random) -> None:
    at = dice.randrange(path.stat().st_size)
    _write(path, at, dice.randbytes(dice.choice((1, 16, 512, PAGE))))


def zeros(path: Path, dice: random.Random) -> None:
    _write(path, dice.randrange(path.stat().st_size // PAGE) * PAGE, bytes(PAGE))


def swapped(path: Path, dice: random.Random) -> None:
    pages = path.stat().st_size // PAGE
    one, other = (dice.randrange(pages) * PAGE for _ in range(2))
    content = path.read_bytes()
    _write(path, one, content[other : other + PAGE])


def cut(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size))


def _write(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def neighbours(path: Path, dice: random.Random) -> None:
    note, log = Path(f"{path}-lock/store"), Path(f"{path}-wal")
    [manifest] = (path.parent / "backups").glob("*.json")
    backup = manifest.with_suffix("")
    action: Callable[[], Any] = dice.choice(
        (
            lambda: note.write_bytes(dice.randbytes(50)),
            lambda: note.unlink(),
            lambda: log.write_bytes(dice.randbytes(5000)),
            lambda: log.mkdir(),
            lambda: shutil.rmtree(note.parent),
            lambda: path.unlink(),
            lambda: path.with_name("viewra.db-journal").write_bytes(dice.randbytes(100)),
            lambda: backup.write_bytes(dice.randbytes(100)),
            lambda: manifest.write_bytes(dice.randbytes(100)),
        )
    )
    action()


def schema(path: Path, dice: random.Random) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        parts = connection.execute(
            "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
        ).fetchall()
        kind, name = dice.choice(parts)
        connection.execute(f'DROP {kind} "{name}"')


def columns(path: Path, dice: random.Random) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        table = dice.choice(TABLES)
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        ]
        connection.execute(f'ALTER TABLE {table} RENAME COLUMN "{dice.choice(names)}" TO other')


def rows(path: Path, dice: random.Random) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"DELETE FROM {dice.choice(TABLES)} WHERE random() > 0")


def values(path: Path, dice: random.Random) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=1")
        table = dice.choice(TABLES)
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        ]
        value = dice.choice(
            ("x", "", b"\xff\x00", -1, 2**62, 1.5, "2024-99-99 00:00:00", "{", None)
        )
        try:
            connection.execute(f'UPDATE {table} SET "{dice.choice(names)}" = ?', (value,))
        except sqlite3.Error:
            pass  # NOT NULL or UNIQUE refuses it


KINDS = (noise, zeros, swapped, cut, neighbours, schema, columns, rows, values)


def damaged(sound: Path, folder: Path, seed: int) -> tuple[Path, str]:
    """Return a copy of the store after one to three damages, and their names."""
    dice = random.Random(seed)
    path = shutil.copytree(sound, folder) / "viewra.db"
    kind = KINDS[seed % len(KINDS)]
    for _ in range(dice.choice((1, 1, 2, 3))):
        try:
            kind(path, dice)
        except (sqlite3.Error, OSError, ValueError):
            pass  # it is damaged already
    return path, kind.__name__


def felt(path: Path) -> Any:
    """Return what users see of a store: their titles, what they search and watched."""
    clock = Clock()
    with Store.open(url(path), clock=clock) as store:
        media, playback = store.media, store.playback
        movies, shows, albums = media.movies().items, media.shows().items, media.albums().items
        seen = [
            [(each.title, each.year, each.genres) for each in movies],
            [
                [
                    (episode.title, episode.episode_number)
                    for season in media.show(show.id).seasons
                    for episode in season.episodes
                ]
                for show in shows
            ],
            [[track.title for track in media.album(album.id).tracks] for album in albums],
            [
                [hit.title for hit in media.search(text)]
                for text in ("dune", "heat", "lost", "aria")
            ],
            [each.media_file_id for each in playback.continue_watching("ann")],
            [(play.title, play.completed) for play in playback.history("bob").items],
            [library.name for library in media.libraries()],
        ]
        session = playback.start_session(movies[0].media_file_id, user_id="cy")
        playback.heartbeat(session.id, 60.0)
        media.save_movie(media.libraries()[0].id, title="Brazil", year=1985)
        return seen, len(media.search("brazil"))


@pytest.mark.parametrize("part", range(tries(1, 16)))
def test_every_damage_that_is_felt_is_named(sound: Path, tmp_path: Path, part: int) -> None:
    whole = shutil.copytree(sound, tmp_path / "whole") / "viewra.db"
    expected = felt(whole)
    silent = []
    for seed in range(part * STORES, (part + 1) * STORES):
        path, kind = damaged(sound, tmp_path / str(seed), seed)
        found = Store.check(url(path), clock=Clock())
        assert all(isinstance(each, Finding) and each.text for each in found)
        assert all(each.remedy for each in found if each.severity != "info"), found
        is_named = any(each.severity != "info" for each in found)
        try:
            is_felt = felt(path) != expected
        except Exception:  # of SQLite too: a table of the search may be gone
            is_felt = True
        if is_felt and not is_named and kind != "rows":  # deleted rows may be what a user wanted
            silent.append((seed, kind))
        shutil.rmtree(path.parent)
    assert silent == []
