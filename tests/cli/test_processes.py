"""The command line as a real process: Ctrl-C, closed pipes, full disks, terminals."""

from __future__ import annotations

import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run, in_process, process
from tests.support.media import write_video
from viewra_lite.cli import main

FILMS = 60
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        write_video(folder / f"Film {number} ({1950 + number}).mkv", seed=number)
    return folder


def interrupted_scan(url: str, films: Path, cwd: Path) -> tuple[int, str]:
    """Scan, and send Ctrl-C once the first file was read; returns exit code and stderr."""
    child = process("scan", films, "--type", "movie", "--config", url, cwd=cwd)
    assert child.stderr is not None
    seen = ""
    for line in child.stderr:
        seen += line
        if "reading files" in line:
            child.send_signal(signal.SIGINT)
            break
    out, rest = child.communicate(timeout=120)
    assert out == ""
    return child.returncode, seen + rest


def test_a_running_scan_is_shown_and_cancelled_from_another_process(
    cli: Run, folder: Path, url: str, films: Path
) -> None:
    config = ("--config", url)
    cli("init", *config)
    assert cli("status", *config, "--json").json["scans"] == []
    child = process("scan", films, "--type", "movie", *config, cwd=folder)
    assert child.stderr is not None
    seen = ""
    for line in child.stderr:
        seen += line
        if "reading files" in line:
            child.send_signal(signal.SIGSTOP)
            break
    [scan] = cli("status", *config, "--json").json["scans"]
    assert (scan["library"], scan["phase"], scan["total"]) == (films.name, "probe", FILMS)
    assert f"scanning {films.name}: reading files: " in cli("status", *config).out
    assert cli("scan", films, "--cancel", *config, "--json").json == {"cancelled": True}
    child.send_signal(signal.SIGCONT)
    out, _ = child.communicate(timeout=120)
    # It reports once a second at most, and may have been done by then.
    assert child.returncode == 0 and ("cancelled; the next scan continues" in out or "60" in out)
    assert cli("scan", films, "--cancel", *config, "--json").json == {"cancelled": False}
    assert cli("scan", "--cancel", *config).code == 2


def test_watching_ends_with_ctrl_c(cli: Run, folder: Path, films: Path) -> None:
    cli("scan", films, "--type", "movie")
    child = process("scan", "--watch", cwd=folder)
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith("Watching all libraries"):
            child.send_signal(signal.SIGINT)
            break
    _, err = child.communicate(timeout=120)
    assert (child.returncode, err) == (130, "viewra-lite: interrupted\n")
    assert cli("scan", "--watch", "--json").code == 2


def test_ctrl_c_in_a_scan_and_the_next_scan_finishes(
    cli: Run, folder: Path, url: str, films: Path
) -> None:
    code, err = interrupted_scan(url, films, folder)
    assert code == 130
    assert "Traceback" not in err
    assert err.endswith("\nviewra-lite: interrupted\n")
    [library] = cli("libraries", "--config", url, "--json").json["libraries"]
    assert library["files"] == FILMS and library["last_scan"] is None
    assert cli("status", "--config", url, "--json").json["scans"] == []

    done = cli("scan", films, "--config", url, "--json")
    assert (done.code, done.json["scans"][0]["missing"]) == (0, 0)
    counts = cli("status", "--config", url, "--json").json["counts"]
    assert (counts["files"], counts["movies"], counts["failed_probes"]) == (FILMS, FILMS, 0)
    if url.startswith("sqlite"):
        connection = sqlite3.connect(folder / "store.db")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


@pytest.mark.parametrize(
    "where",
    [
        "viewra_lite.cli.parser.parse",
        "viewra_lite.cli.output.make_safe",
        "viewra_lite.config.loading.load_config",
        "viewra_lite.store.Store.open",
    ],
)
def test_ctrl_c_anywhere_is_exit_130(cli: Run, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    done = cli("init")
    assert (done.code, done.out, done.err) == (130, "", "viewra-lite: interrupted\n")


def test_ctrl_c_in_an_import_is_exit_130(folder: Path) -> None:
    prelude = (
        "import builtins\nplain = __import__\n"
        "def interrupted(name, *args):\n"
        "    if name == 'argparse':\n        raise KeyboardInterrupt\n"
        "    return plain(name, *args)\n"
        "from viewra_lite.cli import main\nsys.modules.pop('argparse', None)\n"
        "builtins.__import__ = interrupted"
    )
    done = in_process("status", prelude=prelude, cwd=folder)
    assert (done.code, done.out, done.err) == (130, "", "viewra-lite: interrupted\n")


@pytest.mark.parametrize("command", [["schema"], ["--help"], ["--version"], ["init", "--json"]])
def test_a_closed_pipe_ends_quietly(folder: Path, command: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    child = process(*command, cwd=folder, stdout=write)
    os.close(write)
    _, err = child.communicate(timeout=120)
    # argparse itself swallows the error of its help.
    assert child.returncode in ((0, 141) if command == ["--help"] else (141,))
    assert err == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_behind_stdout_is_one_line_and_exit_1(folder: Path) -> None:
    with open("/dev/full", "w") as full:
        done = process("schema", cwd=folder, stdout=full)
        _, err = done.communicate(timeout=120)
    assert done.returncode == 1
    assert err.startswith("viewra-lite: error: ") and err.count("\n") == 1


def test_closed_streams_do_no_harm(folder: Path) -> None:
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        command = f'"$0" -m viewra_lite init --json {closed}; "$0" -m viewra_lite scan {closed}'
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            ["sh", "-c", command, sys.executable],
            cwd=folder,
            env=environ,
            text=True,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0
        assert "Traceback" not in done.stderr and "library" not in done.stdout


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device", "/srv/x.db"),
        PermissionError(13, "Permission denied"),
        RuntimeError("odd\nthing at postgresql://viewra:hunter2@h/db"),
        MemoryError(),
        KeyError("x"),
    ],
)
def test_no_error_shows_a_traceback(
    cli: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("viewra_lite.store.Store.open", fail)
    done = cli("init")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err.startswith("viewra-lite: error: ")
    assert "hunter2" not in done.err


def test_main_returns_and_never_leaves(folder: Path) -> None:
    assert [main([]), main(["--help"]), main(["status"]), main(["init"])] == [2, 0, 1, 0]


# Terminals


def on_a_terminal(*arguments: str, cwd: Path, **environ: str) -> str:
    """Run with stdout and stderr on a terminal; returns what it shows."""
    master, slave = pty.openpty()
    child = process(
        *arguments,
        cwd=cwd,
        stdout=slave,
        stderr=slave,
        stdin=slave,
        env={"TERM": "xterm-256color", "COLUMNS": "200", **environ},
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # Linux's way to say that the other end is closed
        pass
    os.close(master)
    assert child.wait(timeout=120) == 0
    return shown.decode()


def test_a_terminal_gets_colours_unless_it_says_no(folder: Path, films: Path) -> None:
    pytest.importorskip("rich")
    scanned = on_a_terminal("scan", str(films), "--type", "movie", cwd=folder)
    assert "reading files" in scanned and STYLE.search(scanned)
    listed = on_a_terminal("libraries", cwd=folder)
    assert STYLE.search(listed) and "─" in listed and str(films) in listed
    plain = on_a_terminal("libraries", cwd=folder, NO_COLOR="1")
    assert "─" in plain and not STYLE.search(plain)
    again = on_a_terminal("scan", "--all", cwd=folder, NO_COLOR="1")
    assert not STYLE.search(again)


def test_a_terminal_without_rich_gets_plain_lines(folder: Path, films: Path) -> None:
    assert in_process("scan", films, "--type", "movie", cwd=folder).code == 0
    prelude = "import importlib.util as u\nf = u.find_spec\n"
    prelude += "u.find_spec = lambda name, *a: None if name == 'rich' else f(name, *a)"
    child_out = on_a_terminal_with(prelude, "libraries", cwd=folder)
    assert "\x1b" not in child_out and "last scan" in child_out


def on_a_terminal_with(prelude: str, *arguments: str, cwd: Path) -> str:
    master, slave = pty.openpty()
    child = process(*arguments, prelude=prelude, cwd=cwd, stdout=slave)
    os.close(slave)
    child.communicate(timeout=120)
    shown = os.read(master, 65536).decode()
    os.close(master)
    return shown


def test_a_pipe_gets_no_colours_whatever_the_environment_says(folder: Path, films: Path) -> None:
    environ = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "CLICOLOR_FORCE": "1"}
    done = in_process("scan", films, "--type", "movie", cwd=folder, env=environ)
    listed = in_process("libraries", cwd=folder, env=environ)
    assert "\x1b" not in done.out + done.err + listed.out + listed.err
