"""A command that a message proposes can be pasted: it names the store that was asked."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.catalogue import forget_transcoding
from tests.support.command_line import Run
from tests.support.processes import ROOT
from viewra_lite.cli.complaints import without_passwords
from viewra_lite.cli.parser import parse
from viewra_lite.cli.remedies import command

CLI = ROOT / "viewra_lite" / "cli"


@given(st.text(min_size=1), st.lists(st.text()))
def test_a_command_is_read_as_it_was_meant(config: str, words: list[str]) -> None:
    said = command(Namespace(config=config), *words)
    if "://" not in config:
        assert shlex.split(said) == ["viewra-lite", *words, "--config", config]
    assert shlex.split(command(Namespace(config=None), *words)) == ["viewra-lite", *words]


def pasted(cli: Run, message: str, *ends: str) -> int:
    """Run the command that a message proposes, up to one of the words that follow it."""
    end = "|".join(map(re.escape, ends)) or "$"
    found = re.search(rf"(viewra-lite [a-z-].*?)(?:{end})", message, re.MULTILINE)
    assert found, message
    return cli(*shlex.split(found.group(1))[1:]).code


@pytest.fixture(params=["store file.db", "viewra lite.yaml", None])
def config(request: pytest.FixtureRequest, folder: Path) -> list[str]:
    """What was given as --config: a URL, a file, both to be quoted, or nothing."""
    if request.param is None:
        return []
    if request.param.endswith(".db"):
        return ["--config", f"sqlite:///{folder}/store%20file.db?busy_timeout_ms=2000"]
    (folder / request.param).write_text("database:\n  type: sqlite\n  database_path: mine.db\n")
    return ["--config", request.param]


def test_every_remedy_works_as_it_stands(cli: Run, folder: Path, config: list[str]) -> None:
    films = folder / "my films"
    films.mkdir()
    for name in "abcde":
        (films / f"{name}.mkv").write_bytes(name.encode() * 100)
    refused = cli("status", *config)
    assert refused.code == 1 and pasted(cli, refused.err) == 0  # init
    for ask in (["libraries"], ["scan"]):
        none = cli(*ask, *config).err
        none = none.replace(" PATH ", " 'my films' ")
        assert pasted(cli, none, " adds one") == 0
        assert cli("libraries", "remove", "my films", "--yes", *config).code == 0
    untyped = cli("scan", films, *config)
    assert untyped.code == 2 and pasted(cli, untyped.err, " adds it") == 0
    assert pasted(cli, cli("scan", *config).err, " scans every one") == 0
    for name in "abcd":
        (films / f"{name}.mkv").unlink()
    frozen = cli("scan", films, *config)
    assert frozen.code == 1 and pasted(cli, frozen.out) == 0
    assert cli("libraries", "--json", *config).json["libraries"][0]["missing"] == 4
    unsure = cli("libraries", "remove", "my films", *config)
    assert unsure.code == 2 and pasted(cli, unsure.err, " to confirm") == 0
    assert cli("libraries", "--json", *config).json == {"libraries": []}
    absent = cli("libraries", "remove", "my films", *config)
    assert absent.code == 1 and pasted(cli, absent.err, " lists them") == 0


def test_a_store_that_waits_says_how_it_is_migrated(cli: Run, url: str) -> None:
    cli("init", "--config", url)
    forget_transcoding(url)
    if url.startswith("postgresql"):
        said = cli("status", "--config", url).out
        assert re.search(r"viewra-lite --config 'postgresql://viewra:[*]{3}@\S+' migrate\n", said)
        return
    assert pasted(cli, cli("status", "--config", url).out) == 0
    assert cli("status", "--config", url).code == 0


def test_no_password_is_in_a_remedy(cli: Run, postgres_url: str) -> None:
    found = re.fullmatch(r"postgresql://viewra:([^:@/]+)@(.+)", postgres_url)
    assert found
    password, rest = found.groups()
    for url in (postgres_url, f"postgresql://viewra@{rest}?password={password}"):
        done = cli("status", "--config", url)
        assert f"no store at postgresql://viewra:***@{rest}: run " in done.err
        assert "viewra-lite init --config 'postgresql://viewra" in done.err
        assert done.err.count("***") == 2 and password not in done.err


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "no store at postgresql://u:p@h/d: run viewra-lite init --config 'postgresql://u:p@h/d'",
            "no store at postgresql://u:***@h/d: run viewra-lite init --config 'postgresql://u:***@h/d'",
        ),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u:a@b/c d:@h/d", "postgresql://u:***@h/d"),
        ("postgresql://:p@h/d", "postgresql://:***@h/d"),
        ("postgresql://u/p@h and x@y", "postgresql://***@y"),
        ("postgresql://u@h/d?password=p'q&port=1", "postgresql://u@h/d?password=***&port=1"),
        ("sqlite:////srv/a@b.db", "sqlite:////srv/a@b.db"),
        (
            "sqlite:///a@b.db is no postgresql://u:p@h",
            "sqlite:///a@b.db is no postgresql://u:***@h",
        ),
    ],
)
def test_passwords_are_masked_wherever_they_stand(text: str, masked: str) -> None:
    assert without_passwords(text) == masked
    assert without_passwords(masked) == masked


def test_no_message_proposes_a_command_without_its_store() -> None:
    # Below the command line nothing knows what --config was: completed() adds it to those.
    proposes = re.compile(r"\bviewra-lite (?!lite\b)[a-z-]")
    for path in CLI.rglob("*.py"):
        text = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for line in text.splitlines():
            needs_no_store = re.search("--help|lite continue USER|`viewra-lite schema`", line)
            said = line.strip()
            if not needs_no_store and said not in ALLOWED:
                assert not proposes.search(said), f"{path}: use cli.remedies.command(): {said}"


def test_the_remedies_of_the_store_name_it_too(cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "a store.db"
    url = f"sqlite:///{path}"
    cli("init", "--config", url)
    path.write_bytes(b"x" * 5000)
    for asked in ("status", "doctor"):
        done = cli(asked, "--config", url)
        proposed = re.findall(r"viewra-lite (?:--config (.*?) )?recover", done.out + done.err)
        assert proposed and set(proposed) == {f"'{url}'"}
    found = re.search("run (viewra-lite .* recover)", cli("status", "--config", url).err)
    assert found and cli(*shlex.split(found.group(1))[1:], "--yes").code == 1  # nothing was left


# What stands in --help, where the store is not known yet.
ALLOWED = {'"if the store does not exist or has to be migrated with viewra-lite migrate.",'}


def test_the_allowed_text_is_help() -> None:
    assert parse(["status"]).run.__module__ == "viewra_lite.cli.commands.status"
    text = (CLI / "commands" / "status.py").read_text(encoding="utf-8")
    assert all(line in text for line in ALLOWED)
