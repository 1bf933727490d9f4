"""Backups under kills, and restores of damaged stores."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.forks import Forks
from tests.support.rows import add
from tests.support.torture import tries
from tests.torture.databases import Database
from viewra_lite import Store
from viewra_lite.media.models import Movie

pytestmark = pytest.mark.timeout(tries(120, 1800))

KILLS = tries(10, 160)
DRILLS = tries(2, 30)
LARGE = tries(20, 2048)  # MiB


def test_a_killed_backup_leaves_no_bad_file_under_a_final_name(
    tmp_path: Path, forks: Forks
) -> None:
    path = tmp_path / "viewra.db"
    config = {"database": {"type": "sqlite", "database_path": str(path)}}
    with Store.open(config) as store:
        for number in range(200):
            add(store, f"library {number}")
        store.backups.create()
    kills, number, stride = 0, 1, tries(20, 1)
    while kills < KILLS:
        ended = forks.call("back_up_and_die", number, config)
        if ended.code == 0:
            number = 1
            continue
        assert ended.code == -9, ended.out
        kills, number = kills + 1, number + stride
        with Store.open(config) as store:
            backups = store.backups.list()
            assert backups and all(one.verified for one in backups)
            for backup in backups:
                assert store.backups.verify(backup.path).counts["media_libraries"] == 200
            for newer in backups[:-1]:
                Path(newer.path).unlink()
    print(f"{kills} kills during a backup: 0 bad files under a final name")


def test_a_restored_store_has_every_row(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seed, drills = random.Random(3), DRILLS // 2
    Store.open(database.config).close()
    for drill in range(drills):
        with Store.open(database.config) as store:
            for number in range(20):
                add(store, f"{drill} {number} ÅÄÖ")
            before = rows(store)
            backup = store.backups.create(tmp_path / f"backup-{drill}").path
            for number in range(20):
                add(store, f"{drill} {number} later")
        manifest = Path(f"{backup}.json")
        if seed.random() < 0.5:
            manifest.unlink()  # a bare file will do
        if database.engine == "sqlite":
            harm(database.path, seed)
        Store.restore(database.config, backup)
        with Store.open(database.config) as store:
            assert rows(store) == before
            assert store.migrations.drift() == []
    print(f"{drills} restore drills on {database.engine}: every row is there")


def harm(path: Path, seed: random.Random) -> None:
    """Damage, empty, remove or overwrite a store."""
    kind = seed.choice(("noise", "emptied", "removed", "log", "none"))
    if kind == "noise":
        with open(path, "r+b") as file:
            file.seek(seed.randrange(path.stat().st_size))
            file.write(seed.randbytes(9000))
    elif kind == "emptied":
        path.write_bytes(b"")
    elif kind == "removed":
        path.unlink()
    elif kind == "log":
        path.with_name("viewra.db-wal").write_bytes(seed.randbytes(50_000))


def rows(store: Store) -> list[Any]:
    with store.reader():
        database = Movie._meta.database
        return sorted(database.execute_sql("SELECT id, name FROM media_libraries").fetchall())


def test_a_large_store_is_restored(tmp_path: Path) -> None:
    path = tmp_path / "viewra.db"
    config = {"database": {"type": "sqlite", "database_path": str(path)}}
    with Store.open(config) as store:
        films = store.media.add_library("films", tmp_path, "movie").id
        for number in range(LARGE):
            overview = str(number % 10) * (1 << 20)
            store.media.save_movie(films, title=f"Film {number}", year=2001, overview=overview)
        backup = store.backups.create()
    size = path.stat().st_size
    assert size >= LARGE << 20
    path.unlink()
    Store.restore(config)
    with Store.open(config) as store, store.reader():
        assert Movie.select().count() == LARGE
    with closing(sqlite3.connect(path)) as connection:
        [total] = connection.execute("SELECT sum(length(overview)) FROM movies").fetchone()
    assert total == LARGE << 20
    print(f"a store of {size / 2**30:.2f} GiB was restored from {backup.size / 2**30:.2f} GiB")
    shutil.rmtree(tmp_path)
