"""backup and restore."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.command_line import Run
from tests.support.rows import add, ids
from viewra_lite import Store


@pytest.fixture
def config(cli: Run, url: str) -> str:
    """The URL of an empty store."""
    cli("init", "--config", url)
    return url


def test_a_backup_is_created_listed_checked_and_restored(cli: Run, config: str) -> None:
    with Store.open(config) as store:
        add(store, "a")
    done = cli("backup", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("backed up: ") and " rows)" in done.out
    listed = cli("backup", "list", "--json", "--config", config).json
    [backup] = listed["backups"]
    assert (backup["verified"], backup["counts"]["media_libraries"], listed["bad"]) == (True, 1, [])
    lines = cli("backup", "list", "--config", config).out.splitlines()
    assert lines[0].split() == ["created", "size", "rows", "kind", "verified", "path"]
    assert cli("backup", "verify", "--config", config).out.startswith("sound: ")
    with Store.open(config) as store:
        add(store, "b")
    restored = cli("restore", "--config", config)
    assert (restored.code, restored.err) == (0, "")
    assert "the store before is in" in restored.out
    with Store.open(config) as store:
        assert ids(store) == ["a"]


def test_without_a_backup_it_says_how_to_create_one(cli: Run, config: str) -> None:
    none = cli("backup", "list", "--config", config)
    assert (none.code, none.out) == (0, "")
    assert none.err.startswith("No backup in ") and "viewra-lite backup create" in none.err
    failed = cli("restore", "--config", config)
    assert (failed.code, failed.out) == (1, "")
    assert "holds no backup" in failed.err and "Traceback" not in failed.err
    assert cli("backup", "prune", "--config", config).out == "Nothing to remove\n"


def test_a_damaged_backup_is_named(cli: Run, config: str, folder: Path) -> None:
    target = folder / "mine.db"
    assert cli("backup", "create", target, "--config", config).code == 0
    target.write_bytes(target.read_bytes()[:-5000])
    for command in ("backup verify", "restore"):
        failed = cli(*command.split(), target, "--config", config)
        assert failed.code == 1 and str(target) in failed.err, command
    again = cli("backup", "create", target, "--config", config)
    assert again.code == 1 and "a backup never overwrites a file" in again.err
    assert cli("backup", "verify", folder / "none.db", "--config", config).code == 1


def test_older_backups_are_removed(cli: Run, config: str) -> None:
    for _ in range(3):
        cli("backup", "create", "--config", config)
    removed = cli("backup", "prune", "--keep", "1", "--config", config)
    assert removed.out.count("removed ") == 2
    assert len(cli("backup", "list", "--json", "--config", config).json["backups"]) == 1
    assert cli("backup", "prune", "--keep", "0", "--config", config).code == 2
    assert cli("backup", "prune", "--keep", "x", "--config", config).code == 2


def test_an_open_store_is_not_restored(cli: Run, config: str) -> None:
    cli("backup", "--config", config)
    if not config.startswith("postgres"):
        with Store.open(config):
            busy = cli("restore", "--config", config)
            assert busy.code == 1 and "stop it, then restore" in busy.err


def test_a_damaged_store_is_recovered_after_a_look(cli: Run, folder: Path) -> None:
    config = "sqlite:///store.db"
    cli("init", "--config", config)
    with Store.open(config) as store:
        add(store, "a")
    path = folder / "store.db"
    path.write_bytes(bytes(100) + path.read_bytes()[100:])
    failed = cli("status", "--config", config)
    assert failed.code == 1 and " recover" in failed.err
    looked = cli("recover", "--config", config)
    assert looked.code == 0 and "everything is saved" in looked.out
    assert "viewra-lite recover --yes --config sqlite:///store.db replaces" in looked.err
    assert cli("status", "--config", config).code == 1  # nothing was replaced
    done = cli("recover", "--yes", "--json", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert (done.json["is_whole"], done.json["backup"]) == (True, None)
    [saved] = [one for one in done.json["tables"] if one["name"] == "media_libraries"]
    assert (saved["saved"], saved["lost"]) == (1, 0)
    assert (Path(done.json["moved_to"]) / "store.db").read_bytes()[:100] == bytes(100)
    with Store.open(config) as store:
        assert ids(store) == ["a"]
        busy = cli("recover", "--config", config)
        assert busy.code == 1 and "stop it, then recover" in busy.err


def test_what_is_lost_is_counted_and_ends_with_1(cli: Run, folder: Path) -> None:
    config = "sqlite:///store.db"
    cli("init", "--config", config)
    (folder / "store.db").write_bytes(b"")
    lost = cli("recover", "--yes", "--config", config)
    assert lost.code == 1
    heads = "table saved from backup lost made again detached"
    assert lost.out.splitlines()[0].split() == heads.split()
    assert "0 or more" in lost.out and "completed from no backup" in lost.out
    with Store.open(config) as store:
        assert ids(store) == []


def test_what_cannot_be_recovered_is_named(cli: Run, folder: Path) -> None:
    none = cli("recover", "--config", "sqlite:///none.db")
    assert none.code == 1 and "no store at" in none.err and not list(folder.iterdir())
    server = cli("recover", "--config", "postgresql://viewra@db/viewra")
    assert server.code == 2 and "restore a backup" in server.err
    connection = sqlite3.connect("other.db")
    connection.execute("CREATE TABLE t (a)")
    connection.close()
    other = cli("recover", "--config", "sqlite:///other.db")
    assert other.code == 2 and "has no table of a store" in other.err
