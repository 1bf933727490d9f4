"""viewra-lite doctor: what it prints, its exit codes, and stores that no other command can open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import Run

# The tests' server does not wait for its disk, and their empty store was made in 2024.
ON_SERVERS = ("--ignore", "journal", "--ignore", "backups")


@pytest.fixture
def made(cli: Run, url: str) -> str:
    """The URL of a store, on each engine in turn."""
    assert cli("init", "--config", url).code == 0
    return url


def test_a_store_that_is_well(cli: Run, made: str) -> None:
    done = cli("doctor", "--config", made, *ON_SERVERS)
    assert (done.code, done.err) == (0, "The store is well\n")
    lines = done.out.splitlines()
    assert all(line.startswith(("info: ", "    ")) for line in lines)
    report = cli("doctor", "--config", made, *ON_SERVERS, "--json")
    assert report.code == 0 and json.loads(report.out)["well"] is True


def test_what_is_wrong_is_printed_with_its_remedy_and_can_be_repaired(cli: Run) -> None:
    cli("init", "--config", "sqlite:///store.db")
    Path("store.db").chmod(0o644)
    chosen = ("doctor", "--config", "sqlite:///store.db", "--only", "permissions")
    done = cli(*chosen)
    assert done.code == 1 and "/store.db" in done.out and "mode 0644" in done.out
    assert "(or: viewra-lite doctor --fix" in done.out.splitlines()[1]
    [finding] = json.loads(cli(*chosen, "--json").out)["findings"]
    assert finding["fixable"] and finding["severity"] == "warning" and finding["remedy"]
    assert cli(*chosen, "--fix").code == 0 and cli(*chosen).out == ""


def test_the_checks_are_listed_and_an_unknown_one_is_wrong_usage(cli: Run) -> None:
    listed = cli("doctor", "--list")
    ids = [line.split()[0] for line in listed.out.splitlines()]
    assert listed.code == 0 and {"store", "integrity", "clock"} <= set(ids) and len(ids) <= 16
    assert [
        each["id"] for each in json.loads(cli("doctor", "--list", "--json").out)["checks"]
    ] == ids
    for option in ("--only", "--ignore"):
        done = cli("doctor", option, "nothing")
        assert done.code == 2 and f"error: {option} must be one of store, engine" in done.err


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("missing", "no store at"),
        ("empty", "is empty, but it was a store"),
        ("text", "not an SQLite database"),
        ("cut", "damaged"),
        ("lost", "is gone, but a store was here"),
    ],
)
def test_a_store_that_cannot_be_opened_is_a_finding(cli: Run, damage: str, words: str) -> None:
    path = Path("store.db")
    if damage != "missing":
        cli("init", "--config", "sqlite:///store.db")
        content = {"text": b"x" * 5000, "cut": path.read_bytes()[:20_000], "empty": b""}
        if damage == "lost":
            path.unlink()
        else:
            path.write_bytes(content[damage])
    done = cli("doctor", "--config", "sqlite:///store.db")
    assert done.code == 1 and words in done.out and "unexpected" not in done.out + done.err
    lines = done.out.splitlines()
    assert len(lines) % 2 == 0 and all(line.startswith("    ") for line in lines[1::2])


def test_a_configuration_that_cannot_be_used_is_wrong_usage(cli: Run) -> None:
    assert cli("doctor", "--config", "mysql://x").code == 2
    done = cli("doctor", "--config", "postgresql://x:geheim@127.0.0.1:1/x")
    assert done.code == 1 and "cannot be reached" in done.out and "geheim" not in done.out
