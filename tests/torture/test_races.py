"""Four processes that open, adopt or migrate one store at once do it exactly once."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import FILLED, SPECIFICATION
from tests.support.forks import Forks
from tests.support.script_packages import Guest
from tests.support.torture import tries
from tests.torture.databases import CHUNKS, REBUILT, Database

pytestmark = pytest.mark.timeout(tries(120, 1800))

RACES = tries(1, 12)
PROCESSES = 4


def raced(forks: Forks, *arguments: Any) -> None:
    """Let processes begin at once: each opens a store without drift."""
    for ended in forks.together([("opened_with_others", *arguments)] * PROCESSES):
        assert ended.code == 0 and json.loads(ended.out) == [], ended.out


def histories(database: Database) -> dict[str, int]:
    found = {}
    for kind, name, *_ in database.catalogue():
        if kind in ("table", "relation") and name.startswith("viewra_migrations_"):
            if not name.endswith("_pkey"):
                found[name] = database.rows(f"SELECT count(*) FROM {name}")[0][0]
    return found


def test_a_new_store_is_made_once(database: Database, forks: Forks) -> None:
    database.keep()
    raced(forks, database.config)
    whole, scripts = database.catalogue(), histories(database)
    for _ in range(RACES):
        database.put_back()
        raced(forks, database.config)
        assert (database.catalogue(), histories(database)) == (whole, scripts)
    print(f"{RACES} races of {PROCESSES} to make a store on {database.engine}: each made once")


def test_an_upgrade_runs_once(database: Database, forks: Forks, package: Guest) -> None:
    where = (str(package.folder.parent), package.name)
    raced(forks, database.config, *where)
    package.write("0002_rebuilt", REBUILT)
    package.write("0003_capitals", CHUNKS)
    database.keep()
    for _ in range(RACES):
        database.put_back()
        raced(forks, database.config, *where)
        rows = database.rows("SELECT text, stars, capitals, count(*) FROM notes GROUP BY 1, 2, 3")
        assert rows == [("a", 3, "A", 20)]
        assert histories(database)["viewra_migrations_notes"] == 3
    print(f"{RACES} races of {PROCESSES} to upgrade on {database.engine}: each script ran once")


def test_an_adoption_runs_once(tmp_path: Path, forks: Forks) -> None:
    made, path = tmp_path / "by-hand.db", tmp_path / "store" / "viewra.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.executescript(SPECIFICATION + FILLED)
    config = {"database": {"type": "sqlite", "database_path": str(path)}}
    found = []
    for _ in range(RACES):
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copy(made, path)
        raced(forks, config)
        with closing(sqlite3.connect(path)) as connection:
            found.append(
                [
                    connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                    for name in ("media_files", "movies", "playback_history")
                ]
            )
    assert found == found[:1] * RACES
    print(f"{RACES} races of {PROCESSES} to adopt a database: each adopted once")
