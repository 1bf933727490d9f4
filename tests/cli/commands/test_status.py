"""init, status, migrate and schema, on both engines."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogue import forget_transcoding
from tests.support.command_line import Run, in_process
from tests.support.processes import ROOT
from viewra_lite import Store, errors
from viewra_lite.cli.output import printable, readable_size
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.built_in import BUILT_IN
from viewra_lite.database.migrations.scripts import Script

ASKING = [["status"], ["libraries"], ["search", "x"], ["scan"], ["migrate"], ["migrate", "--plan"]]


@pytest.mark.parametrize("command", ASKING)
def test_asking_makes_no_store(cli: Run, folder: Path, command: list[str]) -> None:
    done = cli(*command)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"viewra-lite: error: no store at sqlite:///{folder}/viewra-data/viewra.db: "
        "run viewra-lite init\n"
    )
    assert os.listdir(folder) == []


@pytest.mark.parametrize("command", ASKING)
def test_asking_makes_no_tables_on_postgres(
    cli: Run, postgres_url: str, command: list[str]
) -> None:
    done = cli(*command, "--config", postgres_url)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("viewra-lite: error: no store at postgresql://")
    with Store.open(postgres_url, migrate=False) as store, store.reader():
        assert MediaLibrary._meta.database.get_tables() == []


def test_asking_changes_no_database_of_another_program(cli: Run, folder: Path) -> None:
    connection = sqlite3.connect(folder / "other.db")
    connection.execute("CREATE TABLE notes (text)")
    connection.commit()
    connection.close()
    before = hashlib.sha256((folder / "other.db").read_bytes()).digest()
    for command in ASKING:
        assert cli(*command, "--config", "sqlite:///other.db").code == 1
    assert hashlib.sha256((folder / "other.db").read_bytes()).digest() == before
    assert os.listdir(folder) == ["other.db"]


def test_a_database_made_from_the_specification_is_told_from_no_store(
    cli: Run, folder: Path
) -> None:
    connection = sqlite3.connect(folder / "theirs.db")
    connection.executescript((ROOT / "tests/data/specification.sql").read_text())
    connection.close()
    for command in ASKING:
        done = cli(*command, "--config", "sqlite:///theirs.db")
        assert done.code == 1
        init = "viewra-lite init --config sqlite:///theirs.db"
        assert f"{init} adopts it and keeps every row" in done.err
    assert cli("init", "--config", "sqlite:///theirs.db").code == 0
    assert cli("libraries", "--config", "sqlite:///theirs.db").code == 0


def test_an_absent_store_opened_without_migrating_stays_absent(folder: Path) -> None:
    with pytest.raises(errors.StoreUnavailableError):
        with Store.open("sqlite:///absent.db", migrate=False) as store:
            store.migrations.plan()
    assert os.listdir(folder) == []


def test_init_then_status(cli: Run, new_url: str) -> None:
    for _ in range(2):
        made = cli("init", "--config", new_url, "--json")
        assert made.code == 0
        assert made.json["engine"] in ("sqlite", "postgres")
        assert made.json["url"].startswith(new_url[:6])
    facts = cli("status", "--config", new_url, "--json").json
    assert facts["url"] == made.json["url"]
    assert facts["version"].startswith(("SQLite 3.", "PostgreSQL 1"))
    assert facts["size"] > 10_000
    assert [module["module"] for module in facts["schema"]] == [room.name for room in BUILT_IN]
    assert all(module["applied"] and not module["pending"] for module in facts["schema"])
    assert set(facts["counts"].values()) == {0}
    plain = cli("status", "--config", new_url)
    assert plain.code == 0 and "up to date" in plain.out and "\x1b" not in plain.out
    assert cli("init", "--config", new_url).out.startswith("The store is ready: ")
    assert (
        cli("status", "--problems", "--config", new_url).err
        == "No file is missing, unreadable or without a title\n"
    )


def test_status_shows_the_path_that_other_programs_take(cli: Run, folder: Path) -> None:
    cli("init")
    path = folder / "viewra-data/viewra.db"
    shown = dict(line.split(maxsplit=1) for line in cli("status").out.splitlines())
    assert (shown["path"], shown["url"]) == (str(path), f"sqlite:///{path}")


def test_an_older_store_waits_for_migrate(cli: Run, url: str) -> None:
    assert cli("init", "--config", url).code == 0
    forget_transcoding(url)
    named = {"module": "transcoding", "name": "0001_initial"}
    for _ in range(2):
        status = cli("status", "--config", url, "--json")
        assert (status.code, status.json["counts"]) == (1, None)
        plan = cli("migrate", "--plan", "--config", url, "--json")
        [step] = plan.json["pending"]
        assert plan.code == 1 and named.items() <= step.items()
        assert (step["tables"], step["takes_backup"]) == ([], False)
    shown = cli("status", "--config", url).out
    assert "this version; pending: transcoding 0001_initial\n    run viewra-lite" in shown
    first, second = cli("migrate", "--plan", "--config", url).out.splitlines()
    assert first.startswith("pending: transcoding 0001_initial: The first tables")
    assert second == "  changes new tables only; about 0 s"
    assert cli("migrate", "--to", "media:9", "--config", url).code == 2
    assert cli("migrate", "--config", url, "--json").json == {"applied": [named]}
    assert cli("migrate", "--config", url).out == "The store is up to date\n"
    assert cli("migrate", "--plan", "--config", url).out == "The store is up to date\n"
    assert cli("status", "--config", url).code == 0


def test_an_unfinished_migration_is_shown_and_completed(
    cli: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("init", "--config", url).code == 0
    with Store.open(url) as store, store.writer():
        MediaLibrary._meta.database.execute_sql(
            "UPDATE viewra_migrations_transcoding SET unfinished = '[20, 7]'"
        )
    load = Script.load

    def with_chunks(script: Script) -> Any:
        module = load(script)
        module.chunk = lambda db, after: {7: 8, 8: 9}.get(after)
        return module

    monkeypatch.setattr(Script, "load", with_chunks)
    shown = cli("status", "--config", url).out
    assert "unfinished: 0001_initial (20 chunks done)" in shown
    plan = cli("migrate", "--plan", "--config", url)
    assert plan.code == 1
    assert "pending: transcoding 0001_initial (20 chunks done)" in plan.out
    done = cli("migrate", "--config", url)
    assert (done.code, done.out) == (0, "applied: transcoding 0001_initial\n")
    assert done.err == "1 of 1: transcoding 0001_initial\n"
    assert cli("status", "--config", url).code == 0


@pytest.mark.parametrize("command", ASKING)
def test_a_newer_store_is_refused(cli: Run, url: str, command: list[str]) -> None:
    assert cli("init", "--config", url).code == 0
    with Store.open(url) as store, store.writer():
        MediaLibrary._meta.database.execute_sql(
            "INSERT INTO viewra_migrations_media (name, applied) VALUES ('9999_future', "
            "'2030-01-01 00:00:00+00:00')"
        )
    done = cli(*command, "--config", url)
    assert (done.code, done.out) == (1, "")
    assert "9999_future" in done.err and "upgrade viewra_lite" in done.err


def test_status_counts(cli: Run, url: str, tmp_path: Path) -> None:
    with Store.open(url) as store:
        library = store.media.add_library("Movies", tmp_path, "movie")
        store.media.save_movie(library.id, title="Metropolis", year=1927)
        show = store.media.save_show(library.id, title="Sherlock Holmes")
        store.media.save_episode(show.id, season_number=1, episode_number=1)
        with store.writer():
            now = library.created_at
            for number, status, state in ((1, "present", "failed"), (2, "missing", "done")):
                MediaFile.create(
                    id=str(number),
                    library=library.id,
                    path=f"{tmp_path}/{number}.mkv",
                    filename=f"{number}.mkv",
                    status=status,
                    probe_state=state,
                    created_at=now,
                    updated_at=now,
                )
    counts = cli("status", "--config", url, "--json").json["counts"]
    assert counts == {
        "libraries": 1,
        "files": 2,
        "missing": 1,
        "failed_probes": 1,
        "movies": 1,
        "shows": 1,
        "episodes": 1,
        "albums": 0,
        "tracks": 0,
    }


def test_a_damaged_store_is_one_line_and_exit_1(cli: Run, folder: Path) -> None:
    cli("init", "--config", "sqlite:///store.db")
    (folder / "store.db").write_bytes(b"no database" * 1000)
    for command in ("status", "init", "libraries"):
        done = cli(command, "--config", "sqlite:///store.db")
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)


# Schema


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_schema_needs_no_store_and_no_driver(folder: Path, dialect: str) -> None:
    prelude = "sys.modules.update(dict.fromkeys(['psycopg', 'psycopg2']))"
    done = in_process("schema", "--dialect", dialect, prelude=prelude, cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert "CREATE TABLE media_files (" in done.out
    assert os.listdir(folder) == []


def test_schema_as_json(cli: Run) -> None:
    done = cli("schema", "--json")
    assert done.json["dialect"] == "sqlite"
    assert done.json["sql"] == cli("schema").out


def test_schema_is_the_file_beside_the_package(cli: Run) -> None:
    assert cli("schema").out == (ROOT / "schema.sql").read_text(encoding="utf-8")


# Texts


def test_nothing_unprintable_is_printed() -> None:
    assert printable("a\nb\x1b[31m\udce9\u202ec") == "a\\nb\\x1b[31m\\xe9\\u202ec"
    assert printable("Amélie 東京 👩‍👩‍👧") == "Amélie 東京 👩‍👩‍👧"
    assert printable(None) == ""


def test_sizes_are_readable() -> None:
    sizes = [0, 1023, 1024, 1536, 5 * 2**30, 3 * 2**50]
    assert [readable_size(size) for size in sizes] == [
        "0 bytes",
        "1023 bytes",
        "1.0 KiB",
        "1.5 KiB",
        "5.0 GiB",
        "3072.0 TiB",
    ]


@pytest.mark.parametrize("command", ["status", "init", "libraries"])
def test_a_file_that_never_was_a_database_is_not_called_damaged(
    cli: Run, folder: Path, command: str
) -> None:
    (folder / "list.txt").write_text("milk, bread\n")
    done = cli(command, "--config", "sqlite:///list.txt")
    assert (done.code, done.out) == (2, "")
    assert f"{folder}/list.txt is not an SQLite database" in done.err
    assert (folder / "list.txt").read_text() == "milk, bread\n"
    assert list(folder.iterdir()) == [folder / "list.txt"]
