"""A backup or a restore that is killed at any of its steps leaves nothing that looks whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.forks import Forks, forks_of
from tests.support.rows import add, ids
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.errors import CorruptStoreError


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Processes that die at a step."""
    with forks_of("tests.database.backups.dying") as found:
        yield found


def killed_at(step: int, function: str, url: str, forks: Forks) -> bool:
    """Call a function until its step of that number; whether its process was killed there."""
    ended = forks.call(function, step, url)
    assert ended.code in (0, -9), ended.out
    return ended.code != 0


@pytest.fixture
def path(tmp_path: Path, clock: Clock) -> Path:
    with Store.open(f"sqlite:///{tmp_path / 'viewra.db'}", clock=clock) as store:
        add(store, "a")
        store.backups.create()
        add(store, "b")
    return tmp_path / "viewra.db"


def test_a_killed_backup_leaves_no_bad_file_under_a_final_name(
    path: Path, clock: Clock, forks: Forks
) -> None:
    step, kills = 1, 0
    while killed_at(step, "back_up", f"sqlite:///{path}", forks):
        kills += 1
        with Store.open(f"sqlite:///{path}", clock=clock) as store:
            backups = store.backups.list()
            assert len(backups) in (1, 2)  # the kill after the rename leaves a whole one
            for backup in backups:
                store.backups.verify(backup.path)
            assert all(one.verified for one in backups)
            for newer in backups[:-1]:
                Path(newer.path).unlink()
        step += tries(2, 1)
    assert kills >= 10
    assert not list(path.parent.glob("backups/*.part"))


def test_a_killed_restore_leaves_the_old_store_the_new_one_or_none(
    path: Path, tmp_path: Path, clock: Clock, forks: Forks
) -> None:
    before = tmp_path / "before"
    shutil.copytree(path.parent, before, ignore=shutil.ignore_patterns("before"))
    seen, step = set(), 1
    while True:
        here = tmp_path / f"{step}"
        shutil.copytree(before, here)
        url = f"sqlite:///{here / 'viewra.db'}"
        killed = killed_at(step, "put_back", url, forks)
        seen.add(state(here, url, clock))
        if not killed:
            break
        # Restoring again always succeeds, and the old store is whole where it was moved to.
        Store.restore(url, clock=clock)
        assert rows(url, clock) == ["a"]
        assert moved(here, clock) == ["a", "b"]
        step += 1
    assert step > 10
    assert seen == {("a", "b"), "none", ("a",)}


def test_a_killed_recovery_leaves_the_old_files_or_the_new_store(
    path: Path, tmp_path: Path, clock: Clock, forks: Forks
) -> None:
    before = tmp_path / "before"
    shutil.copytree(path.parent, before, ignore=shutil.ignore_patterns("before"))
    with open(before / "viewra.db", "r+b") as file:
        file.write(bytes(100))  # which loses nothing
    seen, step = set(), 1
    while True:
        here = tmp_path / f"{step}"
        shutil.copytree(before, here)
        url = f"sqlite:///{here / 'viewra.db'}"
        killed = killed_at(step, "mend", url, forks)
        seen.add(damaged_state(here, url, clock))
        if not killed:
            break
        if not (here / "viewra.db").exists():
            with pytest.raises(CorruptStoreError, match="is gone, but a store was here"):
                Store.open(url)
        # Recovering again always succeeds, with all that was there.
        assert Store.recover(url, clock=clock).is_whole
        assert rows(url, clock) == ["a", "b"]
        step += tries(12, 1)
    assert step > 50
    assert seen >= {"damaged", "none", "recovered"} or not tries(0, 1)


def damaged_state(here: Path, url: str, clock: Clock) -> str:
    """Which files a store's place has: the old ones, all of them, or the new one alone."""
    path = here / "viewra.db"
    if not path.exists():
        [aside] = here.glob("viewra.db-damaged-*")
        assert (aside / "viewra.db").exists()
        return "none"
    if path.read_bytes()[:16] == bytes(16):
        return "damaged"
    assert rows(url, clock) == ["a", "b"]
    return "recovered"


def state(here: Path, url: str, clock: Clock) -> Any:
    if not (here / "viewra.db").exists():
        return "none"
    return tuple(rows(url, clock))


def rows(url: str, clock: Clock) -> list[str]:
    with Store.open(url, clock=clock) as store:
        return ids(store)


def moved(here: Path, clock: Clock) -> list[str]:
    found = []
    for folder in sorted(here.glob("viewra.db-before-restore-*")):
        if (folder / "viewra.db").exists():
            found.append(rows(f"sqlite:///{folder / 'viewra.db'}", clock))
    return max(found)
