"""Recovering a store: every kind of table, each part that may be lost, and the files."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.damage import PAGE, TABLES, Truth, fill, rows
from tests.support.rows import ids
from viewra_lite import Store
from viewra_lite.errors import StoreFullError

EXTRA = """
CREATE TABLE x_keyed (a TEXT, b INTEGER, c REAL, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE x_counted (id INTEGER PRIMARY KEY AUTOINCREMENT, big BLOB, text TEXT);
CREATE TABLE x_plain (a, b, doubled GENERATED ALWAYS AS (a * 2) VIRTUAL,
                      tripled GENERATED ALWAYS AS (a * 3) STORED);
CREATE INDEX x_plain_b ON x_plain (b COLLATE NOCASE DESC);
CREATE VIRTUAL TABLE x_words USING fts5(words);
CREATE VIEW x_view AS SELECT count(*) AS number FROM x_plain;
CREATE TRIGGER x_trigger AFTER INSERT ON x_plain BEGIN DELETE FROM x_keyed WHERE b = -1; END;
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed store with rows in many tables, and in tables of every kind."""
    file = tmp_path_factory.mktemp("filled") / "viewra.db"
    with Store.open(f"sqlite:///{file}", clock=Clock()):
        fill(file, 0, 100)
        with closing(sqlite3.connect(file)) as db, db:
            db.executescript(EXTRA)
            many = range(500)
            db.executemany("INSERT INTO x_keyed VALUES (?, ?, ?)", [(f"{n}", n, n) for n in many])
            db.executemany(
                "INSERT INTO x_counted VALUES (?, ?, ?)",
                [(n * 3, os.urandom(n * 20), "é" * n) for n in many],
            )
            db.executemany(
                "INSERT INTO x_plain (a, b) VALUES (?, ?)", [(n, f"B{n % 50}") for n in many]
            )
            db.execute("DELETE FROM x_counted WHERE id > 900")
            db.execute("ALTER TABLE x_plain ADD COLUMN added TEXT DEFAULT 'new'")
            db.execute("INSERT INTO x_plain (a, b, added) VALUES (1.5, NULL, x'00ff')")
            db.executemany("INSERT INTO x_words VALUES (?)", [(f"word{n}",) for n in many])
    return file.parent


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    """The file of a copy of it."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    return tmp_path / "viewra.db"


def everything(path: Path) -> dict[str, Any]:
    """All rows of all tables, and the catalogue."""
    with closing(sqlite3.connect(path)) as db:
        names = [
            name
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
            ).fetchall()
            if not name.startswith(("search_index", "x_words_", "sqlite_stat"))
        ]
        found: dict[str, Any] = {
            name: sorted(map(repr, db.execute(f'SELECT * FROM "{name}"').fetchall()))
            for name in names
        }
        found["schema"] = sorted(
            map(repr, db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())
        )
        found["word"] = db.execute("SELECT rowid FROM x_words('word77')").fetchall()
        return found


def recover(path: Path, clock: Clock, **options: Any) -> Any:
    return Store.recover(f"sqlite:///{path}", clock=clock, **options)


def test_a_recovered_store_is_well_before_it_is_opened(path: Path, clock: Clock) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "INSERT INTO removed_files (id, filename, removed_at) VALUES (?, 'x', ?)",
            [(f"removed{n}", "2024-01-01 00:00:00.000000+00:00") for n in range(2000)],
        )
    recover(path, clock)
    checks = ["journal", "statistics"]
    assert Store.check(f"sqlite:///{path}", only=checks, clock=clock) == []


def zero(path: Path, *numbers: int) -> None:
    with open(path, "r+b") as file:
        for number in numbers:
            file.seek((number - 1) * PAGE)
            file.write(bytes(PAGE))


@pytest.mark.parametrize("lost", ["nothing", "the header", "the catalogue's root"])
def test_every_kind_of_table_is_saved_whole(path: Path, clock: Clock, lost: str) -> None:
    before = everything(path)
    if lost == "the header":
        path.write_bytes(bytes(100) + path.read_bytes()[100:])
    elif lost != "nothing":
        zero(path, 1)
    recovered = recover(path, clock)
    assert recovered.is_whole, [one for one in recovered.tables if not one.is_whole]
    after = everything(path)
    for name in before:
        assert after[name] == before[name], name
    with Store.open(f"sqlite:///{path}", clock=clock) as store:
        assert store.migrations.pending() == []


@pytest.mark.parametrize("table", TABLES)
def test_rows_behind_a_lost_inner_page_are_found_by_an_index(
    path: Path, clock: Clock, table: str
) -> None:
    before = rows(path)
    with closing(sqlite3.connect(path)) as db:
        [root] = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
    kind = path.read_bytes()[(root - 1) * PAGE]
    zero(path, root)
    recovered = recover(path, clock)
    after = rows(path)
    if kind == 5:  # an inner page: no row was on it
        assert recovered.is_whole and after == before
    else:
        of_table = next(one for one in recovered.tables if one.name == table)
        assert of_table.lost >= len(before[table]) and of_table.is_exact
    assert kind == 5 or len(before[table]) <= 100


def test_a_backup_gives_what_is_lost_and_brings_nothing_deleted_back(
    path: Path, clock: Clock
) -> None:
    with Store.open(f"sqlite:///{path}", clock=clock) as store:
        store.backups.create()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM playback_history WHERE id < 'play000010'")
        db.execute("UPDATE playback_history SET title = 'later' WHERE id > 'play000290'")
    before = rows(path)
    zero(path, *leaves(path, "playback_history")[:2], *leaves(path, "media_libraries"))
    recovered = recover(path, clock)
    assert recovered.backup is not None and not recovered.is_whole
    assert rows(path) == before
    lost = {one.name: one for one in recovered.tables if not one.is_whole}
    assert set(lost) == {"playback_history", "media_libraries"}
    assert lost["media_libraries"].from_backup == 3
    assert 0 < lost["playback_history"].from_backup < len(before["playback_history"])
    assert {one.lost for one in lost.values()} == {0}


def leaves(path: Path, table: str) -> list[int]:
    """Return the pages of a table's rows, in the order of the file."""
    with closing(sqlite3.connect(path)) as db:
        try:
            found = db.execute(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno",
                (table,),
            )
            return [number for (number,) in found.fetchall()]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")


@pytest.mark.parametrize("table", ["playback_history", "movies"])
def test_a_swapped_page_of_the_catalogue_loses_no_table(
    path: Path, clock: Clock, table: str
) -> None:
    before = rows(path)
    one, two = leaves(path, "sqlite_schema")[1], leaves(path, table)[-1]
    data = bytearray(path.read_bytes())
    first, second = ((number - 1) * PAGE for number in (one, two))
    content = data[first : first + PAGE]
    data[first : first + PAGE] = data[second : second + PAGE]
    data[second : second + PAGE] = content
    path.write_bytes(data)
    recover(path, clock)
    assert rows(path) == before


def test_without_a_backup_watch_state_outlives_what_it_is_of(path: Path, clock: Clock) -> None:
    before = rows(path)
    zero(path, *leaves(path, "works"), *leaves(path, "movies"))
    recovered = recover(path, clock)
    after = rows(path)
    for table in ("playback_history", "user_media_progress", "playback_sessions", "media_files"):
        assert after[table] == before[table]
    lost = {one.name: one for one in recovered.tables if one.lost}
    assert lost["movies"].lost == len(before["movies"])
    assert lost["search_documents"].without_parent == len(before["search_documents"])
    add_up(recovered, before, after)


def test_lost_libraries_and_works_are_made_again(path: Path, clock: Clock) -> None:
    before = rows(path)
    zero(path, *leaves(path, "media_libraries"), *leaves(path, "works"))
    recovered = recover(path, clock)
    after = rows(path)
    made = {one.name: one.made_again for one in recovered.tables if one.made_again}
    assert made == {"media_libraries": 3, "works": 100} and not recovered.is_whole
    for table in set(TABLES) - {"media_libraries"}:
        assert after[table] == before[table], table
    with Store.open(f"sqlite:///{path}", clock=clock) as store:
        found = {(one.id, one.name, one.path, one.type) for one in store.media.libraries()}
    assert found == {(f"lib{n}", f"films{n}", f"/films{n}", "movie") for n in range(3)}
    add_up(recovered, before, after)


def add_up(recovered: Any, before: Truth, after: Truth) -> None:
    for one in recovered.tables:
        if one.name in before:
            assert one.saved + one.from_backup + one.made_again == len(after[one.name])
            assert one.saved + one.from_backup + one.lost == len(before[one.name])


def test_a_dry_run_counts_and_changes_nothing(path: Path, clock: Clock) -> None:
    zero(path, *leaves(path, "playback_history")[:1])
    files = {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()}
    planned = recover(path, clock, dry_run=True)
    assert planned.moved_to is None and not planned.is_whole
    assert {file: file.read_bytes() for file in path.parent.rglob("*") if file.is_file()} == files
    done = recover(path, clock)
    assert done.tables == planned.tables
    assert Path(done.moved_to, "viewra.db").read_bytes() == files[path]


def test_an_unsound_backup_is_passed_over_and_named(path: Path, clock: Clock) -> None:
    with Store.open(f"sqlite:///{path}", clock=clock) as store:
        good = store.backups.create().path
        clock.advance(60)
        bad = store.backups.create().path
    zero(Path(bad), 3)
    path.unlink()
    recovered = recover(path, clock)
    assert recovered.backup.path == good
    assert any(bad in finding for finding in recovered.findings)
    with Store.open(f"sqlite:///{path}", clock=clock) as store:
        assert len(ids(store)) == 3


def test_a_log_of_another_database_is_left_out(path: Path, tmp_path: Path, clock: Clock) -> None:
    before = rows(path)
    other = tmp_path / "other.db"
    shutil.copy(path, other)
    with closing(sqlite3.connect(other, isolation_level=None)) as db:
        for name in store_modules(db):
            db.execute(f"UPDATE {name} SET applied = '2030-01-01 00:00:00'")
        db.execute("UPDATE playback_history SET title = 'foreign'")
        log = other.with_name("other.db-wal").read_bytes()
    path.with_name("viewra.db-wal").write_bytes(log)
    path.with_name("viewra.db-lock").joinpath("store").unlink()
    recovered = recover(path, clock)
    assert any("log of another database" in finding for finding in recovered.findings)
    assert rows(path) == before


def store_modules(db: sqlite3.Connection) -> list[str]:
    found = db.execute("SELECT name FROM sqlite_master WHERE name GLOB 'viewra_migrations_*'")
    return [name for (name,) in found.fetchall()]


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_a_killed_recovery_left_is_removed_by_the_next(
    path: Path, clock: Clock, dry_run: bool
) -> None:
    left = path.with_name("viewra.db-recovering") / "20240101T000000Z"
    left.mkdir(parents=True)
    left.joinpath("store.db").write_bytes(bytes(PAGE))
    assert recover(path, clock, dry_run=dry_run).is_whole
    assert not left.parent.exists()


def test_a_disk_that_is_too_full_is_found_first(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        f_files = f_favail = f_blocks = 1000
        f_bavail = f_frsize = 1

    monkeypatch.setattr("os.statvfs", lambda folder: Full)
    with pytest.raises(StoreFullError, match="it has 1 bytes free, and .* are needed"):
        recover(path, clock)
    assert not path.with_name("viewra.db-recovering").exists()
