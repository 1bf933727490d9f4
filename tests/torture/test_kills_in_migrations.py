"""A process is killed before each statement of an upgrade or an adoption: never a half state."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any


import pytest

from tests.support.by_hand import FILLED, SPECIFICATION
from tests.support.catalogue import sqlite_catalogue
from tests.support.forks import Forks
from tests.support.script_packages import Guest
from tests.support.torture import tries
from tests.torture.databases import CHUNKS, REBUILT, Database

pytestmark = pytest.mark.timeout(tries(120, 1800))


def killed_everywhere(
    forks: Forks,
    arguments: tuple[Any, ...],
    reset: Callable[[], None],
    few: int,
    check: Callable[[bool], None],
) -> str:
    """Open anew with a kill in each state between two statements; return the counts.

    Before which statements the state is another than before the last, one whole run finds out.
    """
    reset()
    ended = forks.call("look_before_each", *arguments)
    assert ended.code == 0, ended.out
    check(False)
    statements, firsts = json.loads(ended.out)
    tried = tries(few, len(firsts))
    for number in firsts[:: -(-len(firsts) // tried)]:
        reset()
        ended = forks.call("open_and_die", number, *arguments)
        assert ended.code == -9, ended.out
        check(True)
    return f"{statements} statements, {len(firsts)} states that a kill can leave, {tried} kills"


def test_a_new_store_is_never_half_made(database: Database, forks: Forks) -> None:
    database.keep()
    assert forks.call("open_and_die", 0, database.config).code == 0
    whole = database.catalogue()

    def check(was_killed: bool) -> None:
        if was_killed:
            looked = forks.call("look_then_open", database.config)
            assert looked.code == 0 and json.loads(looked.out) == [], looked.out
        assert database.catalogue() == whole

    counts = killed_everywhere(forks, (database.config,), database.put_back, 3, check)
    print(f"{counts} while a store is made on {database.engine}: 0 half states")


def test_an_upgrade_of_rows_is_never_half_done(
    database: Database, forks: Forks, package: Guest
) -> None:
    where = (str(package.folder.parent), package.name)
    assert forks.call("open_and_die", 0, database.config, *where).code == 0
    package.write("0002_rebuilt", REBUILT)
    package.write("0003_capitals", CHUNKS)
    database.keep()
    assert forks.call("open_and_die", 0, database.config, *where).code == 0
    whole = database.catalogue()

    def check(was_killed: bool) -> None:
        if was_killed:
            looked = forks.call("look_then_open", database.config, *where)
            assert looked.code == 0 and json.loads(looked.out) == [], looked.out
        assert database.catalogue() == whole
        rows = database.rows("SELECT DISTINCT text, stars, capitals FROM notes")
        assert rows == [("a", 3, "A")]
        assert database.rows("SELECT count(*) FROM notes") == [(20,)]

    counts = killed_everywhere(forks, (database.config, *where), database.put_back, 3, check)
    print(f"{counts} during an upgrade on {database.engine}: 0 half states")


def test_an_adoption_is_whole_or_did_not_happen(tmp_path: Path, forks: Forks) -> None:
    made = tmp_path / "by-hand.db"
    with closing(sqlite3.connect(made)) as connection:
        connection.executescript(SPECIFICATION + FILLED)
    path = tmp_path / "store" / "viewra.db"
    config = {"database": {"type": "sqlite", "database_path": str(path)}}

    def reset() -> None:
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copy(made, path)

    reset()
    assert forks.call("open_and_die", 0, config).code == 0
    by_hand, whole, adopted = contents(made), sqlite_catalogue(path), counts(path)
    seen = set()

    def check(was_killed: bool) -> None:
        if was_killed:
            is_adopted = all_rows(counts(path), adopted)
            assert is_adopted or contents(path) == by_hand
            seen.add(is_adopted)
            ended = forks.call("open_and_die", 0, config)
            assert ended.code == 0, ended.out
        assert sqlite_catalogue(path).keys() == whole.keys()
        assert counts(path) == adopted

    found = killed_everywhere(forks, (config,), reset, 3, check)
    print(f"{found} during an adoption: 0 half states")


def all_rows(found: dict[str, int], adopted: dict[str, int]) -> bool:
    """Whether all rows are adopted, whichever scripts that change no rows are still to come.

    What the next open records of sessions that had ended by then is not among them.
    """
    later = ("viewra_", "changes")
    expected = {name: count for name, count in adopted.items() if not name.startswith(later)}
    return "viewra_migrations_media" in found and all(
        found.get(name, 0) == count for name, count in expected.items()
    )


def contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return list(connection.iterdump())


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_index%'"
        ).fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in names
        }
