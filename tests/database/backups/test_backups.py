"""Backups of a store: taken beside its work, checked before they count, rotated."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.rows import add, ids
from viewra_lite import Store
from viewra_lite.errors import BackupError, InvalidValueError, StoreFullError


def damage(path: str, at: int = 4096, length: int = 4096) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(os.urandom(length))


def test_a_backup_is_checked_and_counted_before_it_has_its_name(
    store: Store, backups: Any, clock: Clock
) -> None:
    add(store, "a")
    add(store, "b")
    backup = backups.create()
    assert backup.verified and backup.engine == store.engine and backup.kind == "manual"
    assert backup.counts["media_libraries"] == 2
    assert backup.schema["playback"] == "0001_initial"
    assert backup.created_at == clock()
    assert backup.size == Path(backup.path).stat().st_size
    assert backup.findings == ()
    assert backups.list() == [backup]
    assert backups.verify() == backups.verify(backup.path) == backup
    assert {path.name for path in Path(backup.path).parent.iterdir()} == {
        Path(backup.path).name,
        Path(backup.path).name + ".json",
    }
    assert os.stat(backup.path).st_mode & 0o077 == 0


def test_a_backup_holds_what_is_only_in_the_log(store: Store, backups: Any) -> None:
    with store.reader():  # the log cannot be moved into the database meanwhile
        ids(store)
        inside = threading.Thread(target=lambda: [add(store, f"{n}") for n in range(20)])
        inside.start()
        inside.join()
    assert backups.create().counts["media_libraries"] == 20


def test_a_backup_beside_writers_holds_whole_transactions(store: Store, backups: Any) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            with store.writer():
                add(store, f"{number}-a")
                add(store, f"{number}-b")
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [backups.create().counts["media_libraries"] for _ in range(3)]
    finally:
        stop.set()
        writer.join()
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)


def test_older_backups_go_when_a_newer_one_is_verified(
    store: Store, backups: Any, clock: Clock
) -> None:
    made = []
    for _ in range(3):
        made.append(backups.create().path)
        clock.advance(60)
    assert [one.path for one in backups.list()] == made[::-1]
    assert backups.prune(keep=1) == made[1::-1]
    assert [one.path for one in backups.list()] == made[2:]
    assert backups.prune(keep=1) == []
    assert os.path.exists(made[2] + ".json") and not os.path.exists(made[0] + ".json")


def test_backups_before_upgrades_are_counted_apart(
    store: Store, backups: Any, clock: Clock
) -> None:
    upgrades = []
    for _ in range(4):
        upgrades.append(backups.create(kind="upgrade").path)
        clock.advance(60)
    daily = backups.create(kind="daily").path
    assert backups.prune(keep=1) == []  # the fourth has already removed the first
    assert {one.path for one in backups.list()} == {daily, *upgrades[1:]}
    assert all("before-upgrade" in path for path in upgrades)


def test_the_last_verified_backup_is_never_removed(
    store: Store, backups: Any, clock: Clock
) -> None:
    first = backups.create(kind="upgrade").path
    for _ in range(4):
        clock.advance(60)
        os.remove(backups.create(kind="upgrade").path + ".json")  # who knows whether it is sound
    backups.prune(keep=1)
    assert first in [one.path for one in backups.list()]


def test_two_backups_in_one_second_have_two_names(store: Store, backups: Any) -> None:
    assert backups.create().path != backups.create().path
    assert len(backups.list()) == 2


def test_a_list_beside_a_pruning_names_those_that_are_left(store: Store, backups: Any) -> None:
    backups.folder.mkdir(parents=True)
    is_over = threading.Event()

    def prune() -> None:
        while not is_over.is_set():
            for number in range(20):
                backups.folder.joinpath(f"{number}.db").touch()
            for number in range(20):
                backups.folder.joinpath(f"{number}.db").unlink()

    pruning = threading.Thread(target=prune)
    pruning.start()
    try:
        for _ in range(200):
            assert len(backups.list()) <= 20
    finally:
        is_over.set()
        pruning.join()


def test_a_backup_goes_where_it_is_told_to_and_overwrites_nothing(
    store: Store, backups: Any, tmp_path: Path
) -> None:
    target = tmp_path / "elsewhere" / "mine.db"
    assert backups.create(target).path == str(target)
    assert backups.list() == []
    with pytest.raises(BackupError, match="exists: a backup never overwrites"):
        backups.create(target)
    inside = backups.create(target.parent).path
    assert Path(inside).parent == target.parent
    assert backups.verify(target).verified
    for wrong in ("", 5, "a\0b"):
        with pytest.raises(InvalidValueError, match="^path must"):
            backups.create(wrong)


def test_what_is_wrong_with_a_backup_is_named(
    store: Store, backups: Any, clock: Clock, tmp_path: Path
) -> None:
    add(store, "a")
    with pytest.raises(BackupError, match="holds no backup"):
        backups.verify()
    with pytest.raises(BackupError, match="cannot be read: it does not exist"):
        backups.verify(tmp_path / "absent.db")
    backup = backups.create()
    damage(backup.path)
    with pytest.raises(BackupError, match="SHA-256 differs"):
        backups.verify()
    os.remove(backup.path + ".json")
    with pytest.raises(BackupError, match="damaged"):
        backups.verify()
    Path(backup.path).write_bytes(b"")
    with pytest.raises(BackupError, match="is empty"):
        backups.verify()
    Path(backup.path).write_bytes(b"something else")
    with pytest.raises(BackupError, match="neither an SQLite file nor a dump"):
        backups.verify()


def test_a_backup_without_its_manifest_is_checked_all_the_same(store: Store, backups: Any) -> None:
    add(store, "a")
    backup = backups.create()
    for manifest in ("", "[]", "{", json.dumps({"size": "large"})):
        Path(backup.path + ".json").write_text(manifest)
        [bare] = backups.list()
        assert not bare.verified and bare.counts == {}
        assert backups.verify().counts == backup.counts
    os.remove(backup.path + ".json")
    assert backups.verify().sha256 == backup.sha256


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_a_bad_backup_is_kept_and_stops_all_pruning(
    store: Store, backups: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, "a")
    good = [backups.create().path]
    clock.advance(60)
    good.append(backups.create().path)
    break_a_row(store)
    clock.advance(60)
    with pytest.raises(BackupError, match="rows of .* refer to rows that do not exist.*kept as"):
        backups.create()
    [bad] = backups.bad()
    assert bad.endswith(".bad") and os.path.exists(bad)
    assert backups.prune(keep=1) == []
    assert [one.path for one in backups.list()] == good[::-1]
    mend_the_row(store)
    clock.advance(60)
    latest = backups.create().path
    assert backups.bad() == []
    assert backups.prune(keep=1) == good[::-1]
    assert [one.path for one in backups.list()] == [latest]


def break_a_row(store: Store) -> None:
    with closing(other_connection(store)) as other:
        other.execute("PRAGMA foreign_keys=0")
        other.execute("INSERT INTO seasons (id, show_id, season_number) VALUES ('s', 'no show', 1)")


def mend_the_row(store: Store) -> None:
    with closing(other_connection(store)) as other:
        other.execute("DELETE FROM seasons")


def other_connection(store: Store) -> Any:
    """The connection of another program that keeps no foreign keys."""
    backend = store.media.db.backend
    return backend.driver.connect(backend.path, 5.0)


def test_a_table_that_lost_most_of_its_rows_is_a_finding(
    store: Store, backups: Any, clock: Clock
) -> None:
    for number in range(20):
        add(store, f"{number}")
    backups.create()
    clock.advance(60)
    for library in store.media.libraries()[:11]:
        store.media.remove_library(library.id)
    backup = backups.create()
    assert backup.findings == ("media_libraries has 9 rows, and had 20 in the backup before",)
    assert backups.list()[0].findings == backup.findings


def test_what_a_killed_backup_left_is_removed_by_the_next(store: Store, backups: Any) -> None:
    backups.folder.mkdir(parents=True)
    left = backups.folder / "viewra-20200101T000000Z.db.part"
    left.write_bytes(b"half")
    assert backups.list() == []
    backups.create()
    assert not left.exists()


def test_unfinished_files_of_other_programs_stay(
    store: Store, backups: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    others = [folder / name for name in ("film.mkv.part", "old.bad", "notes.db.part")]
    for other in others:
        other.write_text("of another program")
    backups.create(folder)
    backups.create(folder / "mine.db")
    assert all(other.read_text() == "of another program" for other in others)
    (folder / "next.db.part").write_bytes(b"half")  # of a backup to this path that was killed
    assert backups.create(folder / "next.db").verified


def test_a_disk_that_is_too_full_is_found_before_anything_is_written(
    store: Store, backups: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda folder: Usage)
    with pytest.raises(StoreFullError, match="has 1000 bytes free"):
        backups.create()
    assert backups.list() == [] and not list(backups.folder.glob("*.part"))


def test_backups_go_to_the_folder_of_the_configuration(tmp_path: Path) -> None:
    options = {
        "type": "sqlite",
        "database_path": str(tmp_path / "x.db"),
        "backup_folder": str(tmp_path / "other disk"),
        "backup_keep": 1,
    }
    clock = Clock()
    with Store.open({"database": options}, clock=clock) as store:
        store.backups.create()
        clock.advance(timedelta(days=1).total_seconds())
        second = store.backups.create()
        assert store.backups.list() == [second]
        assert Path(second.path).parent == tmp_path / "other disk"


def test_a_folder_that_cannot_be_written_to_can_still_be_verified(tmp_path: Path) -> None:
    path = tmp_path / "viewra.db"
    with Store.open(f"sqlite:///{path}") as store:
        backup = store.backups.create()
        os.chmod(store.backups.folder, 0o500)
        try:
            assert store.backups.verify().sha256 == backup.sha256
        finally:
            os.chmod(store.backups.folder, 0o700)


def test_a_backup_is_a_single_file_without_a_log(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'viewra.db'}") as store:
        backup = store.backups.create(tmp_path / "plain.db")
    with closing(sqlite3.connect(backup.path)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
