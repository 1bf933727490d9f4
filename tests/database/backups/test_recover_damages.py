"""Whatever damages a store's file, recovering makes a sound store and counts what is lost."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.damage import KINDS, TABLES, Truth, damage, make_store, rows
from tests.support.torture import tries
from viewra_lite import Store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A store that was killed: its path, its rows, and those of its backup."""
    yield make_store(tmp_path_factory.mktemp("damaged"), tries(150, 600))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_store_is_sound_again_and_its_losses_are_counted(
    made: Any, kind: str, tmp_path: Path
) -> None:
    stores, truth, backup = made
    totals: Counter[str] = Counter()
    for seed in range(tries(2, 60)):
        chance = random.Random(f"{kind} {seed}")
        here = tmp_path / f"{seed}"
        is_closed = seed % 4 > 1 and "log" not in kind
        shutil.copytree(stores / ("closed" if is_closed else "crashed"), here)
        damage(here / "viewra.db", kind, chance)
        has_backup = bool(seed % 2)
        if not has_backup:
            shutil.rmtree(here / "backups")
        totals += recovered(here / "viewra.db", truth, backup if has_backup else {})
        shutil.rmtree(here)
    print(f"{kind}: {dict(totals)}")


def recovered(path: Path, truth: Truth, backup: Truth) -> Counter[str]:
    done = Store.recover(f"sqlite:///{path}", clock=Clock())
    sound(path)
    found = rows(path)
    totals: Counter[str] = Counter(stores=1)
    for report in done.tables:
        if report.name not in TABLES:
            continue
        there, were = found[report.name], truth[report.name]
        older = backup.get(report.name, {})
        assert len(there) == report.saved + report.from_backup + report.made_again, report
        true = sum(there[key] == were.get(key) for key in there)
        stale = sum(there[key] != were.get(key) for key in there)
        of_backup = sum(
            there[key] == older.get(key) for key in there if there[key] != were.get(key)
        )
        detached = report.detached
        if report.is_exact and done.is_whole | (not log_is_damaged(done)):
            total = report.saved + report.from_backup + report.lost
            assert total == len(were), (report, len(were))
            assert stale <= of_backup + detached + report.made_again, report
        totals.update(
            unknown=not report.is_exact,
            rows=len(were),
            saved=report.saved,
            backup=report.from_backup,
            lost=report.lost,
            true=true,
        )
    assert done.is_whole is False or all(found[name] == truth[name] for name in TABLES)
    totals["whole"] += done.is_whole
    return totals


def log_is_damaged(done: Any) -> bool:
    return any("log is" in finding for finding in done.findings)


def sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        db.execute("INSERT INTO search_index(search_index) VALUES('integrity-check')")
        db.rollback()
    with Store.open(f"sqlite:///{path}") as store:
        store.media.movies()
        store.media.search("amelie")
        store.playback.history("user1")
