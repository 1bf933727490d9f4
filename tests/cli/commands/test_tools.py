"""shell, config and completion."""

from __future__ import annotations

import builtins
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Outcome, Run, process
from viewra_lite import Store


def typed(text: str, *arguments: str, cwd: Path, **options: Any) -> Outcome:
    """Type a text into a command."""
    child = process(*arguments, cwd=cwd, stdin=subprocess.PIPE, **options)
    out, err = child.communicate(text, timeout=300)
    return Outcome(child.returncode, out, err)


# shell


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_shell_of_sqlite_reads_beside_an_open_store(cli: Run, folder: Path) -> None:
    config = ("--config", "sqlite:///a%20store.db")
    with Store.open(config[1]) as store:
        library = store.media.add_library("Films", folder, "movie")
        change = "UPDATE media_libraries SET name = 'Other';"
        shown = "SELECT name FROM media_libraries;"
        read = typed(shown, "shell", *config, cwd=folder)
        assert (read.code, read.out.splitlines()[-1:], read.err) == (0, ["Films"], "")
        refused = typed(change, "shell", *config, cwd=folder)
        assert "readonly" in refused.err and store.media.library(library.id).name == "Films"
        written = typed(change, "shell", "--write", *config, cwd=folder)
        assert written.err == "" and store.media.library(library.id).name == "Other"


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_the_shell_of_postgresql_reads_with_the_password_of_the_store(
    cli: Run, folder: Path, postgres_store: str
) -> None:
    config = ("--config", postgres_store)
    cli("init", *config)
    shown = typed("SHOW default_transaction_read_only;", "shell", *config, cwd=folder)
    assert (shown.code, shown.err) == (0, "") and " on" in shown.out
    change = "CREATE TABLE mine (id integer);"
    refused = typed(change, "shell", *config, cwd=folder)
    assert "read-only transaction" in refused.err
    written = typed(change, "shell", "--write", *config, cwd=folder)
    assert (written.code, written.err) == (0, "") and "CREATE TABLE" in written.out


def test_no_password_is_an_argument_of_the_shell(
    cli: Run, folder: Path, postgres_store: str
) -> None:
    programs = folder / "bin"
    programs.mkdir()
    psql = programs / "psql"
    psql.write_text('#!/bin/sh\necho "$# $PGUSER $PGDATABASE ${PGPASSWORD:+given} $PGOPTIONS"\n')
    psql.chmod(0o755)
    cli("init", "--config", postgres_store)
    path = {"PATH": f"{programs}:/usr/bin:/bin"}
    done = typed("", "shell", "--config", postgres_store, cwd=folder, env=path)
    assert done.out.startswith("0 viewra ") and "given" in done.out
    assert done.out.endswith(" -c default_transaction_read_only=on\n")


def test_the_python_shell_has_the_open_store(cli: Run, folder: Path) -> None:
    cli("init")
    line = "print(store.media.libraries(), store.engine)\n"
    done = typed(line, "shell", "--python", cwd=folder)
    assert (done.code, done.out.strip(">. \n")) == (0, "[] sqlite")
    assert "store is the open store at sqlite:///" in done.err


def test_what_the_shell_needs_is_said(
    cli: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no store at" in cli("shell").err
    cli("init")
    assert cli("shell", "--write", "--python").code == 2
    monkeypatch.setenv("PATH", str(folder))
    done = cli("shell")
    assert (done.code, done.out) == (2, "")
    assert "shell needs sqlite3 or litecli: apt install sqlite3, or pip install" in done.err


# config


def test_config_says_where_each_option_comes_from(
    cli: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "viewra.yaml").write_text("database:\n  pool_size: 4\n  backup_keep: 3\n")
    monkeypatch.setenv("VIEWRA_DATABASE_BACKUP_KEEP", "9")
    found = cli("config", "--json").json
    options = {one["option"]: (one["value"], one["source"]) for one in found["options"]}
    assert options["type"] == ("sqlite", "default")
    assert options["pool_size"] == ("4", "viewra.yaml, line 2")
    assert options["backup_keep"] == ("9", "environment variable VIEWRA_DATABASE_BACKUP_KEEP")
    assert options["busy_timeout_ms"] == ("10000", "default")
    assert options["plugins_folder"] == (None, "default")
    lines = cli("config").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(options)
    url = cli("config", "--config", "sqlite:///mine.db?pool_size=5", "--json").json
    assert {"option": "pool_size", "value": "5", "source": "the URL"} in url["options"]
    assert cli("config", "--config", "none.yaml").code == 2


@pytest.mark.parametrize("key", ["password", "password_file"])
def test_config_masks_secrets(cli: Run, folder: Path, key: str) -> None:
    (folder / "hunter2").write_text("hunter3\n")
    (folder / "pg.yaml").write_text(f"database:\n  type: postgres\n  {key}: hunter2\n")
    for option in ((), ("--json",)):
        done = cli("config", "--config", "pg.yaml", *option)
        assert done.code == 0 and "hunter" not in done.out + done.err
    options = {one["option"]: one for one in done.json["options"]}
    assert options["password"]["value"] == "***"
    assert options["password"]["source"] == "pg.yaml, line 3"


# completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_completes_the_commands(cli: Run, shell: str, folder: Path) -> None:
    done = cli("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert all(word in done.out for word in ("unwatched", "accept-missing", "libraries"))
    if shutil.which(shell):
        (folder / "script").write_text(done.out)
        subprocess.run([shell, "-n", "script"], check=True)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no bash")
def test_bash_completes_a_command(cli: Run, folder: Path) -> None:
    (folder / "script").write_text(cli("completion", "bash").out)
    ask = (
        "source ./script; COMP_WORDS=(viewra-lite lib); COMP_CWORD=1; COMP_LINE='viewra-lite lib';"
        "COMP_POINT=15; $(complete -p viewra-lite | sed 's/.*-F \\([^ ]*\\).*/\\1/') viewra-lite "
        "lib viewra-lite; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["libraries"]


def test_completion_names_what_is_missing(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "shtab":
            raise ImportError(name)
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    done = cli("completion", "bash")
    assert (done.code, done.out) == (2, "")
    assert "pip install shtab" in done.err
