"""viewra-lite maintain: what it runs, prints and returns, and how its loop ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.command_line import Run, process


def test_it_runs_what_is_due_and_says_what_was_done(cli: Run, folder: Path, url: str) -> None:
    config = ("--config", url)
    cli("init", *config)
    first = cli("maintain", *config)
    assert first.code == 0 and "media.tidy: nothing to do (" in first.out
    assert cli("maintain", *config).err == "No chore is due\n"
    assert cli("maintain", "--json", *config).json == {"chores": []}
    [backup] = cli("maintain", "--only", "backup", "--json", *config).json["chores"]
    assert " bytes to " in backup["done"] and backup["error"] is None


def test_a_chore_that_fails_makes_the_exit_code_1(cli: Run, folder: Path) -> None:
    cli("init")
    (folder / "viewra-data" / "backups").write_text("not a folder")
    failed = cli("maintain", "--only", "backup")
    assert failed.code == 1 and "backup failed: " in failed.err
    status = cli("status")
    assert "warning: chores: the chore backup failed: " in status.out
    assert "viewra-lite maintain --only backup" in status.out
    [found] = cli("status", "--json").json["findings"]
    assert (found["id"], found["severity"]) == ("chores", "warning")


def test_wrong_usage_is_code_2(cli: Run, folder: Path) -> None:
    assert cli("maintain").code == 1  # no store yet
    cli("init")
    unknown = cli("maintain", "--only", "dusting")
    assert (
        unknown.code == 2 and "unknown chore 'dusting': the chores are media.tidy, " in unknown.err
    )
    assert cli("maintain", "--loop", "--only", "backup").code == 2


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_loop_cleanly(cli: Run, folder: Path, ends: signal.Signals) -> None:
    cli("init")
    child = process("maintain", "--loop", cwd=folder)
    assert child.stderr is not None
    assert "Ctrl-C ends it" in child.stderr.readline()
    child.send_signal(ends)
    out, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (0, "")
    assert cli("maintain", "--only", "optimize").code == 0
