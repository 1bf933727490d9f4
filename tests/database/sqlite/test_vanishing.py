"""Files beside a store that another process removes or creates while they are looked at."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

import pytest

from tests.support.interrupting import at_each_call
from viewra_lite import SqliteConfig, Store
from viewra_lite.errors import CorruptStoreError, StoreUnavailableError
from viewra_lite.maintenance.doctor import files

# SQLite's journal of a process that sets a new store up, and a lock of a newer version.
BESIDE = ["viewra.db-journal", "viewra.db-lock/lease"]


def opened(path: Path) -> None:
    Store.open(f"sqlite:///{path}").close()


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    """An empty store."""
    shutil.copytree(sqlite_template, tmp_path / "d")
    path = tmp_path / "d" / "viewra.db"
    opened(path)  # what is imported for it is not imported below
    return path


@pytest.mark.parametrize("name", BESIDE)
def test_a_file_that_vanishes_or_appears_beside_a_store_keeps_none_from_opening_it(
    name: str, path: Path
) -> None:
    beside = path.parent / name
    for prepare, act in (
        (beside.touch, lambda: beside.unlink(missing_ok=True)),
        (lambda: beside.unlink(missing_ok=True), beside.touch),
    ):
        assert at_each_call(prepare, act, lambda: opened(path)) > 10
        beside.unlink(missing_ok=True)


def test_a_store_that_vanishes_while_it_is_opened_has_an_error_of_ours(path: Path) -> None:
    kept = {each: each.read_bytes() for each in path.parent.rglob("*") if each.is_file()}

    def put_back() -> None:
        shutil.rmtree(path.parent)
        for each, content in kept.items():
            each.parent.mkdir(exist_ok=True)
            each.write_bytes(content)

    def look() -> None:
        with suppress(CorruptStoreError, StoreUnavailableError):
            opened(path)

    assert at_each_call(put_back, lambda: path.unlink(missing_ok=True), look) > 10


@pytest.mark.parametrize("end", ["", ".json"], ids=["backup", "manifest"])
def test_a_backup_that_is_pruned_meanwhile_ends_no_look_of_the_doctor(end: str, path: Path) -> None:
    with Store.open(f"sqlite:///{path}") as store:
        pruned = Path(store.backups.create().path + end)
        store.backups.create()
    content = pruned.read_bytes()

    def put_back() -> None:
        pruned.write_bytes(content)
        pruned.chmod(0o644)

    config, now = SqliteConfig(database_path=path), datetime.now(timezone.utc)

    def examine() -> None:
        files.restrict(config)
        checks = files.permissions, files.free_space, files.file_systems
        found = [*chain(*(check(config) for check in checks)), *files.backups(config, now, now)]
        assert {finding.severity for finding in found} <= {"info"}

    put_back()
    examine()
    assert at_each_call(put_back, lambda: pruned.unlink(missing_ok=True), examine) > 10
