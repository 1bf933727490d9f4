"""Restoring a backup: what was there is moved aside as a whole, and never mixed with it."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.support.clock import Clock
from tests.support.postgres import Server
from tests.support.processes import running_python
from tests.support.rows import add, ids
from viewra_lite import Store
from viewra_lite.errors import BackupError, CorruptStoreError, StoreBusyError


@pytest.fixture
def saved(here: None, store_config: Any, clock: Clock) -> Any:
    """What opens a store that was backed up with one library, and then got a second one."""
    with Store.open(store_config, clock=clock) as store:
        add(store, "a")
        store.backups.create()
        add(store, "b")
    return store_config


_MANY_ROWS = """
INSERT INTO removed_files (id, filename, removed_at) WITH RECURSIVE n (i) AS
    (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
SELECT 'r' || i, 'x', '2024-01-01 00:00:00.000000+00:00' FROM n"""


def contents(config: Any, clock: Clock) -> list[str]:
    with Store.open(config, clock=clock) as store:
        return ids(store)


def test_restoring_brings_the_latest_backup_back_and_keeps_what_was_there(
    saved: Any, clock: Clock
) -> None:
    restored = Store.restore(saved, clock=clock)
    assert restored.backup.counts["media_libraries"] == 1
    assert restored.moved_to is not None
    assert contents(saved, clock) == ["a"]
    if isinstance(saved, dict):
        moved = Path(restored.moved_to) / "viewra.db"
        assert contents(f"sqlite:///{moved}", clock) == ["a", "b"]
    clock.advance(1)
    assert Store.restore(saved, restored.backup.path, clock=clock).moved_to != restored.moved_to
    assert contents(saved, clock) == ["a"]


def test_a_restored_store_is_well_before_it_is_opened(
    here: None, store_config: Any, clock: Clock
) -> None:
    with Store.open(store_config, clock=clock) as store:
        with store.writer():
            store.media.db.backend.database.execute_sql(_MANY_ROWS)
        store.backups.create()
    Store.restore(store_config, clock=clock)
    found = Store.check(store_config, only=["journal", "statistics"], clock=clock)
    assert [each.text for each in found if "the server's" not in each.text] == []


def test_a_store_that_is_open_is_not_restored(saved: Any, clock: Clock) -> None:
    with Store.open(saved, clock=clock) as store:
        with pytest.raises(StoreBusyError, match="is open in a process: stop it, then restore"):
            Store.restore(saved, clock=clock)
        assert ids(store) == ["a", "b"]
    code = f"""
from viewra_lite import Store
with Store.open({saved!r}):
    print("open", flush=True)
    input()
"""
    with running_python("-c", code) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusyError, match="is open in a process"):
            Store.restore(saved, clock=clock)
        other.kill()
        other.wait()
    assert Store.restore(saved, clock=clock).moved_to is not None
    assert contents(saved, clock) == ["a"]


def test_a_damaged_latest_backup_is_refused_and_the_one_before_is_named(
    saved: Any, clock: Clock
) -> None:
    with Store.open(saved, clock=clock) as store:
        older = store.backups.list()[0].path
        clock.advance(60)
        latest = store.backups.create().path
    with open(latest, "r+b") as file:
        file.seek(100)
        file.write(b"\0" * 4096)
    with pytest.raises(BackupError, match="The one before is of .*: to restore it, name it: ") as e:
        Store.restore(saved, clock=clock)
    assert older in str(e.value)
    assert contents(saved, clock) == ["a", "b"]  # nothing was moved
    Store.restore(saved, older, clock=clock)
    assert contents(saved, clock) == ["a"]


@pytest.mark.parametrize("schema", ["viewra", 'Of "us".* b'])
def test_a_store_in_a_schema_of_its_own_is_checked_backed_up_and_restored(
    here: None, clock: Clock, postgres_url: str, schema: str
) -> None:
    name = sql.Identifier(schema)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        set_path = sql.SQL("ALTER DATABASE {} SET search_path = {}").format(database, name)
        connection.execute(set_path)
    with Store.open(postgres_url, clock=clock) as store:
        add(store, "a")
        assert store.backups.create().counts["media_libraries"] == 1
        add(store, "b")
        checks = ["schema", "integrity", "foreign-keys", "permissions", "statistics"]
        assert store.maintenance.check(only=checks) == []
        assert store.maintenance.statistics().sizes.indexes
    restored = Store.restore(postgres_url, clock=clock)
    assert str(restored.moved_to).startswith(f"{schema}_before_restore_".lower())
    assert contents(postgres_url, clock) == ["a"]


@pytest.mark.parametrize("store_config", ["postgres"], indirect=True)
class TestServers:
    """A store on a server."""

    @pytest.mark.parametrize("schema", ["viewra", 'Of "us".* b'])
    def test_a_backup_is_restored_into_a_schema_of_another_name(
        self, saved: Any, clock: Clock, postgres_server: Server, schema: str
    ) -> None:
        with Store.open(saved, clock=clock) as store:
            backup = store.backups.list()[0].path
        name = f"moved_{uuid4().hex}"
        url = postgres_server.create_database(name)
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                names = sql.Identifier(name), sql.Identifier(schema)
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(names[1]))
                connection.execute(sql.SQL("ALTER DATABASE {} SET search_path = {}").format(*names))
                connection.execute("CREATE TABLE public.of_another_program (x int)")
            with pytest.raises(BackupError, match="the schema public of this database is in use"):
                Store.restore(url, backup, clock=clock)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP TABLE public.of_another_program")
            Store.restore(url, backup, clock=clock)
            assert contents(url, clock) == ["a"]
            assert Store.check(url, only=["schema", "integrity"], clock=clock) == []
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("CREATE TABLE public.of_another_program (x int)")
        finally:
            postgres_server.drop_database(name)

    def test_what_other_roles_may_do_stays(
        self, saved: Any, clock: Clock, postgres_server: Server
    ) -> None:
        role = f"reader_{uuid4().hex}"
        with psycopg.connect(saved, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {role}")
            connection.execute(f"GRANT CREATE, USAGE ON SCHEMA public TO {role}")
            connection.execute(f"GRANT SELECT, UPDATE ON movies TO {role} WITH GRANT OPTION")
        may = (
            f"SELECT has_schema_privilege('{role}', 'public', 'CREATE'),"
            f" has_table_privilege('{role}', 'movies', 'UPDATE WITH GRANT OPTION'),"
            f" has_table_privilege('{role}', 'movies', 'DELETE')"
        )
        try:
            Store.restore(saved, clock=clock)
            with psycopg.connect(saved) as connection:
                assert connection.execute(may).fetchone() == (True, True, False)
        finally:
            with psycopg.connect(saved, autocommit=True) as connection:
                connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")

    def test_an_empty_database_takes_a_backup(
        self, saved: Any, clock: Clock, postgres_url: str, tmp_path: Path
    ) -> None:
        backup = next(tmp_path.joinpath("viewra-data", "backups").glob("*.dump"))
        assert Store.restore(postgres_url, backup, clock=clock).moved_to is None
        assert contents(postgres_url, clock) == ["a"]

    def test_a_restore_that_fails_leaves_the_store_as_it_was(
        self, saved: Any, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = shutil.which("pg_restore")
        script = tmp_path / "bin" / "pg_restore"
        script.parent.mkdir()
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *--dbname*) echo "no luck" >&2; exit 1;; esac\n'
            f'exec {real} "$@"\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(BackupError, match="pg_restore failed: no luck"):
            Store.restore(saved, clock=clock)
        assert contents(saved, clock) == ["a", "b"]

    def test_what_is_missing_is_named(
        self, saved: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with Store.open(saved, clock=clock) as store:
            with pytest.raises(BackupError, match="pg_dump is not installed: .* postgresql-client"):
                store.backups.create()
            with pytest.raises(BackupError, match="pg_restore is not installed"):
                store.backups.verify()


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
class TestFiles:
    """A store that is a file."""

    def test_a_bare_machine_needs_the_backup_alone(
        self, saved: Any, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        backup = next(tmp_path.joinpath("backups").glob("*.db*[bt]"))
        bare = tmp_path / "bare" / "usb" / "copy of it"
        bare.parent.mkdir(parents=True)
        shutil.copy(backup, bare)  # without its manifest
        target = {"database": {"type": "sqlite", "database_path": str(tmp_path / "new" / "v.db")}}
        restored = Store.restore(target, bare, clock=clock)
        assert restored.moved_to is None
        assert f"{bare} has no manifest: it is sound, but" in caplog.text
        assert contents(target, clock) == ["a"]
        assert os.stat(restored.store).st_mode & 0o077 == 0

    @pytest.mark.parametrize("damage", ["zeros", "removed", "empty", "a folder's worth of junk"])
    def test_a_damaged_store_needs_not_be_readable(
        self, saved: Any, clock: Clock, tmp_path: Path, damage: str
    ) -> None:
        path = tmp_path / "viewra.db"
        if damage == "removed":
            path.unlink()
        else:
            path.write_bytes({"zeros": bytes(9000), "empty": b""}.get(damage, os.urandom(5000)))
        path.with_name("viewra.db-wal").write_bytes(os.urandom(5000))
        restored = Store.restore(saved, clock=clock)
        moved = Path(str(restored.moved_to))
        assert (moved / "viewra.db-wal").stat().st_size == 5000
        assert (moved / "viewra.db").exists() == (damage != "removed")
        assert contents(saved, clock) == ["a"]

    def test_a_damaged_store_names_the_newest_backup(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        path = tmp_path / "viewra.db"
        path.write_bytes(path.read_bytes()[:9000])
        with pytest.raises(CorruptStoreError, match="viewra-lite restore goes back to .*: ") as e:
            Store.open(saved, clock=clock)
        backup = str(e.value).rpartition(": ")[2]
        Store.restore(saved, backup, clock=clock)
        assert contents(saved, clock) == ["a"]

    def test_a_log_that_a_crash_left_follows_its_database(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        aside = tmp_path / "viewra.db-before-restore-20240501T115900Z"
        aside.mkdir()
        (tmp_path / "viewra.db").rename(aside / "viewra.db")  # and the power failed here
        (tmp_path / "viewra.db-wal").write_bytes(b"log")
        assert Store.restore(saved, clock=clock).moved_to == str(aside)
        assert (aside / "viewra.db-wal").read_bytes() == b"log"
        assert contents(saved, clock) == ["a"]

    @pytest.mark.parametrize("renamed", [0, 1])
    def test_what_a_restore_that_was_killed_has_left_is_removed_or_named(
        self, saved: Any, clock: Clock, tmp_path: Path, renamed: int
    ) -> None:
        """Killed before the old file is moved aside, and before the new one takes its place."""
        code = f"""
import os, signal
from viewra_lite import Store
rename, left = os.rename, {renamed}
def killed(*arguments):
    global left
    left -= 1
    os.kill(os.getpid(), signal.SIGKILL) if left < 0 else rename(*arguments)
os.rename = killed
Store.restore({saved!r})
"""
        with running_python("-c", code) as other:
            assert other.wait() == -signal.SIGKILL
        left = tmp_path / "viewra.db.restoring"
        assert left.exists()
        if renamed:
            text = f"viewra.db is gone, because a restore was killed: .* or remove {left} to start"
            for _ in range(2):  # without the note beside it too
                with pytest.raises(CorruptStoreError, match=text):
                    Store.open(saved, clock=clock)
                [found] = Store.check(saved, only=["store"], clock=clock)
                assert "a restore was killed: run viewra-lite restore again" in found.text
                shutil.rmtree(tmp_path / "viewra.db-lock", ignore_errors=True)
            Store.restore(saved, clock=clock)
            assert contents(saved, clock) == ["a"]
        else:
            left.with_name("viewra.db.restoring-wal").write_bytes(b"log")
            assert contents(saved, clock) == ["a", "b"]
        assert not list(tmp_path.glob("*.restoring*"))

    def test_no_file_beside_the_old_store_is_left_or_overwritten(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        ends = ("-wal", "-shm", "-journal")
        moved = []
        for content in (b"first", b"second"):  # in the same second
            for end in ends:
                tmp_path.joinpath(f"viewra.db{end}").write_bytes(content)
            moved.append(Path(str(Store.restore(saved, clock=clock).moved_to)))
            assert {moved[-1].joinpath(f"viewra.db{end}").read_bytes() for end in ends} == {content}
            assert not [end for end in ends if tmp_path.joinpath(f"viewra.db{end}").exists()]
        assert moved[0] != moved[1]
        assert contents(saved, clock) == ["a"]

    def test_a_log_does_not_follow_an_older_restore(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        tmp_path.joinpath("viewra.db-wal").write_bytes(b"of the first")
        first = Path(str(Store.restore(saved, clock=clock).moved_to))
        clock.advance(60)
        tmp_path.joinpath("viewra.db").unlink()
        tmp_path.joinpath("viewra.db-wal").write_bytes(b"of the second")
        second = Path(str(Store.restore(saved, clock=clock).moved_to))
        assert first.joinpath("viewra.db-wal").read_bytes() == b"of the first"
        assert second.joinpath("viewra.db-wal").read_bytes() == b"of the second"

    @pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="needs root")
    def test_the_owner_of_the_file_stays(self, saved: Any, clock: Clock, tmp_path: Path) -> None:
        os.chown(tmp_path / "viewra.db", 1234, 5678)
        restored = Store.restore(saved, clock=clock)
        found = os.stat(restored.store)
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (1234, 5678, 0o600)

    def test_an_older_schema_is_migrated_when_it_is_opened(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        clock.advance(timedelta(days=400).total_seconds())
        Store.restore(saved, clock=clock)
        with Store.open(saved, clock=clock) as store:
            assert store.migrations.plan() == []

    def test_a_database_of_another_program_is_no_backup(
        self, saved: Any, clock: Clock, tmp_path: Path
    ) -> None:
        import sqlite3

        other = tmp_path / "other.db"
        connection = sqlite3.connect(other)
        connection.execute("CREATE TABLE t (a)")
        connection.close()
        with pytest.raises(BackupError, match="is not a store of viewra_lite"):
            Store.restore(saved, other, clock=clock)
        with pytest.raises(BackupError, match="cannot be read"):
            Store.restore(saved, tmp_path / "absent.db", clock=clock)
        assert contents(saved, clock) == ["a", "b"]
