"""The file of a store is looked at before SQLite opens it: nothing is lost by opening a path."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import running_python
from tests.support.rows import add, ids
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.database.sqlite import store_file
from viewra_lite.errors import (
    ConfigError,
    CorruptStoreError,
    MigrationError,
    StoreUnavailableError,
    ViewraError,
)


@pytest.fixture
def path(driver: Any, tmp_path: Path) -> Path:
    """The file of a closed store with two libraries."""
    file = tmp_path / "data" / "viewra.db"
    with opened(file) as store:
        add(store, "a")
        add(store, "b")
    return file


def opened(path: Path) -> Store:
    return Store.open({"database": {"type": "sqlite", "database_path": str(path)}})


def refuse(path: Path, error: type[ViewraError], words: str) -> None:
    """Opening is refused twice, and changes no file."""
    before = files(path)
    for _ in range(2):
        with pytest.raises(error, match=words):
            opened(path)
    assert files(path) == before


def files(path: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in path.parent.iterdir()
        if file.is_file() and not file.name.endswith("-shm") and file.stat().st_size
    }


def kill_with_a_log(path: Path) -> None:
    """Write through a process that is killed, so that its commits are in the log only."""
    code = f"""
import os
from tests.support.rows import add
from viewra_lite import Store
store = Store.open("sqlite:///{path}")
add(store, "c")
os.kill(os.getpid(), 9)
"""
    with running_python("-c", code) as process:
        process.wait()
    assert path.with_name(path.name + "-wal").stat().st_size


def test_what_was_closed_is_opened_without_a_check(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file.StoreFile, "_check", None)  # it would fail
    with opened(path) as store:
        assert ids(store) == ["a", "b"]
    with opened(path) as store, opened_elsewhere(path):
        add(store, "c")
    with opened(path) as store:
        assert ids(store) == ["a", "b", "c"]


def opened_elsewhere(path: Path) -> Any:
    code = f"""
from viewra_lite import Store
with Store.open("sqlite:///{path}") as store:
    print("open", flush=True)
"""
    process = running_python("-c", code)
    return process


def test_a_store_that_is_gone_is_not_replaced_by_a_new_one(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    refuse(path, CorruptStoreError, "is gone, but a store was here: put it back, mount its disk")
    path.with_name("elsewhere").rename(path)
    with opened(path) as store:
        assert ids(store) == ["a", "b"]


def test_a_store_that_is_gone_beside_its_log_is_not_replaced(path: Path, tmp_path: Path) -> None:
    kill_with_a_log(path)
    away = tmp_path / "away.db"
    path.rename(away)
    shutil.rmtree(path.with_name("viewra.db-lock"))  # even without its note
    refuse(path, CorruptStoreError, "is gone, but its log is here")
    away.rename(path)
    with opened(path) as store:
        assert ids(store) == ["a", "b", "c"]


@pytest.mark.parametrize("size", [0, 1, 100, 511])
def test_a_store_that_was_emptied_is_found(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    refuse(path, CorruptStoreError, "is empty, but it was a store" if not size else "is damaged")


def test_a_database_without_tables_where_a_store_was_is_found(path: Path, driver: Any) -> None:
    path.unlink()
    path.touch()
    connection = driver.connect(path, 1.0)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("DROP TABLE t")
    connection.close()
    refuse(path, CorruptStoreError, "has no tables, but it was a store")


def test_a_small_file_of_another_program_is_no_store(driver: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("a")
    refuse(path, ConfigError, "is not an SQLite database")


def test_folders_above_are_not_made_on_a_mount_point(driver: Any, tmp_path: Path) -> None:
    path = tmp_path / "disk" / "viewra" / "viewra.db"
    with pytest.raises(StoreUnavailableError, match="disk does not exist: mount its disk"):
        opened(path)
    assert not (tmp_path / "disk").exists()


def test_the_log_of_a_killed_process_is_kept(path: Path) -> None:
    kill_with_a_log(path)
    with opened(path) as store:
        assert ids(store) == ["a", "b", "c"]


def test_what_a_killed_migration_left_is_no_foreign_log(path: Path) -> None:
    """A store that is opened without migrating notes that it is open before it writes."""
    code = f"""
import os
from tests.support.rows import add
from viewra_lite import Store
store = Store.open("sqlite:///{path}", migrate=False)
add(store, "c")
os.kill(os.getpid(), 9)
"""
    with running_python("-c", code) as process:
        process.wait()
    assert path.with_name("viewra.db-wal").stat().st_size
    with opened(path) as store:
        assert ids(store) == ["a", "b", "c"]


def test_to_look_at_a_store_that_was_not_closed_does_not_count_as_closing_it(path: Path) -> None:
    with opened(path) as store, store.reader():  # a page that opening it does not read
        rows = store.media.db.backend.database.execute_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'movies'"
        )
        [page] = rows.fetchone()
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    url = f"sqlite:///{path}"
    with Store.open(url, migrate=False) as store:
        assert store.migrations.pending() == []
    refuse(path, CorruptStoreError, "damaged")


def test_the_log_of_another_database_is_found_and_not_merged(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "viewra.db"
    with opened(other) as store:
        add(store, "of another")
    kill_with_a_log(other)
    log = path.with_name("viewra.db-wal")
    shutil.copy(other.with_name("viewra.db-wal"), log)
    refuse(path, CorruptStoreError, "viewra.db-wal appeared after .* had been closed")
    refuse_a_look(path, "viewra.db-wal appeared after .* had been closed")
    log.unlink()
    path.with_name("viewra.db-shm").unlink(missing_ok=True)
    with opened(path) as store:
        assert ids(store) == ["a", "b"]


def test_the_log_of_a_new_store_is_found_beside_an_older_one(path: Path, tmp_path: Path) -> None:
    """All of a new store may be in its log, which then looks like a whole database."""
    other = tmp_path / "new" / "viewra.db"
    kill_with_a_log(other)
    os.utime(path)  # as if it had not been closed
    shutil.copy(other.with_name("viewra.db-wal"), path.with_name("viewra.db-wal"))
    refuse(path, CorruptStoreError, "is the log of another database")
    refuse_a_look(path, "is the log of another database")


def refuse_a_look(path: Path, words: str) -> None:
    """To look at a store without migrating it is refused too, and merges no log into it."""
    before = files(path)
    with pytest.raises(CorruptStoreError, match=words):
        Store.open(f"sqlite:///{path}", migrate=False)
    assert files(path) == before


def test_a_log_that_is_gone_after_a_crash_is_reported(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kill_with_a_log(path)
    whole = shutil.copytree(path.parent, tmp_path / "whole") / path.name
    path.with_name("viewra.db-wal").unlink()
    path.with_name("viewra.db-shm").unlink()
    with opened(whole) as store:
        assert ids(store) == ["a", "b", "c"]
    assert "is gone" not in caplog.text
    with opened(path) as store:
        assert ids(store) == ["a", "b"]
    assert "was not closed, and its log (viewra.db-wal) is gone" in caplog.text


def damaged(sound: bytes, kind: str, seed: random.Random) -> bytes:
    """Return the bytes of a database with one fault."""
    page, other = (seed.randrange(len(sound) // 4096) * 4096 for _ in range(2))
    found = bytearray(sound)
    if kind == "noise":
        found[page : page + 4096] = seed.randbytes(4096)
    elif kind == "zeros":
        found[page : page + 4096] = bytes(4096)
    elif kind == "swapped":
        found[page : page + 4096] = sound[other : other + 4096]
    elif kind == "bytes":
        at = seed.randrange(len(sound))
        found[at : at + 30] = seed.randbytes(30)
    elif kind == "header":
        at = seed.randrange(100)
        found[at : at + 8] = seed.randbytes(8)
    elif kind == "cut":
        del found[page:]
    elif kind == "emptied":
        found.clear()
    return bytes(found)


KINDS = ("noise", "zeros", "swapped", "bytes", "header", "cut", "emptied", "log")


def test_damage_is_found_before_anything_is_served(path: Path, driver: Any) -> None:
    rows = everything(path, driver)
    sound, seed = path.read_bytes(), random.Random(7)
    log = path.with_name("viewra.db-wal")
    missed, tried, found = [], 0, 0
    while tried < tries(32, 440):
        kind = KINDS[tried % len(KINDS)]
        content = damaged(sound, kind, seed)
        if content == sound and kind != "log":
            continue
        tried += 1
        path.write_bytes(content)
        if kind == "log":  # of another database, or nonsense
            log.write_bytes(seed.randbytes(5000))
        try:
            opened(path).close()
        except (CorruptStoreError, ConfigError, MigrationError):  # of its history
            found += 1
        else:
            if everything(path, driver) != rows:  # else it hit bytes that hold nothing
                missed.append((kind, tried))
        restore(path, sound)
    print(f"{tried} damaged files: {found} refused, the others whole, 0 served damaged or empty")
    assert missed == []


def everything(path: Path, driver: Any) -> Any:
    """Return every row of every table, except the bookkeeping of the search."""
    connection = driver.connect(path, 1.0)
    try:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search_index%'"
        ).fetchall()
        return [
            (name, sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"').fetchall())))
            for (name,) in names
        ]
    finally:
        driver.close(connection)


def restore(path: Path, sound: bytes) -> None:
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(sound)


def test_an_endless_check_ends_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_file, "LONGEST_CHECK_S", 0.0)
    os.utime(path)
    with opened(path) as store:
        assert ids(store) == ["a", "b"]


def test_writing_to_a_file_that_was_removed_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_file, "LOOK_EVERY_S", 0.0)
    with opened(path) as store:
        add(store, "c")
        away = path.with_name("away")
        path.rename(away)
        with pytest.raises(StoreUnavailableError, match="was removed or replaced while it is open"):
            with store.writer():
                add(store, "d")
        away.rename(path)
        with store.writer():
            add(store, "e")
        assert ids(store) == ["a", "b", "c", "e"]
