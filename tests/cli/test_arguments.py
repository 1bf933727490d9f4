"""The grammar: options before and after the command, the configuration, what is refused."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Run, in_process
from tests.support.processes import ROOT
from viewra_lite.cli.parser import build_parser

COMMANDS = {"init", "scan", "libraries", "search", "status", "migrate", "schema"}


def commands(
    parser: argparse.ArgumentParser, name: str = ""
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command by its words, with its parser."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield f"{name} {word}".strip(), below
                yield from commands(below, f"{name} {word}".strip())


def test_the_commands_are_those_of_the_design() -> None:
    assert COMMANDS <= {name for name, _ in commands(build_parser())}


def test_every_command_and_option_is_in_a_guide() -> None:
    guides = [ROOT / "README.md", *(ROOT / "viewra_lite").rglob("README.md")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in guides)
    words = {f"viewra-lite {name}" for name, _ in commands(build_parser())}
    for parser in [build_parser(), *(parser for _, parser in commands(build_parser()))]:
        words |= {option for action in parser._actions for option in action.option_strings}
    words -= {"-h", "--help"}
    assert sorted(word for word in words if word not in text) == []


def test_every_argument_has_a_help_text() -> None:
    for name, parser in commands(build_parser()):
        assert parser.description, name
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), (name, action)


def test_every_command_has_an_example_that_can_be_typed() -> None:
    for name, parser in commands(build_parser()):
        program, *words = shlex.split(str(parser.epilog).removeprefix("example: "))
        assert program == "viewra-lite" and " ".join(words).startswith(name), name
        words = words[: words.index(">")] if ">" in words else words
        assert callable(build_parser().parse_args(words).run)


def test_the_help_is_one_screen_with_every_command() -> None:
    lines = build_parser().format_help().splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 80
    shown = [line[8:].split()[0] for line in lines[1:] if re.match(r"[a-z ]{7} [a-z]+  ", line)]
    assert sorted(shown) == sorted(name for name, _ in commands(build_parser()) if " " not in name)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["statsu"], ["stats", "status"]),
        (["serach", "x"], ["search"]),
        (["Scan", "."], ["scan"]),
        (["libraries", "mvoe"], ["move"]),
        (["mark", "unwatch", "anna", "Dune"], ["unwatched"]),
        (["schema", "--dialect", "postgresql"], ["postgres"]),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(
    cli: Run, typed: list[str], meant: list[str]
) -> None:
    done = cli(*typed)
    assert (done.code, done.out) == (2, "") and "did you mean" in done.err
    assert all(word in done.err.partition("did you mean")[2] for word in meant)


@pytest.mark.parametrize("shared", [["--config", "x.yaml"], ["--json"]])
@pytest.mark.parametrize("command", [["status"], ["libraries"], ["libraries", "remove", "1"]])
def test_shared_options_stand_before_and_after_the_command(
    shared: list[str], command: list[str]
) -> None:
    parser = build_parser()
    plain = vars(parser.parse_args(command))
    before, after = parser.parse_args(shared + command), parser.parse_args(command + shared)
    assert before == after
    assert vars(before) != plain


def test_after_the_command_wins() -> None:
    args = build_parser().parse_args(["--config", "a", "status", "--config", "b"])
    assert args.config == "b"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["status", "--frob"],
        ["status", "more"],
        ["search"],
        ["--config"],
        ["search", "x", "--limit", "0"],
        ["search", "x", "--limit", "many"],
        ["search", "x", "--limit", "9" * 5000],
        ["schema", "--dialect", "oracle"],
        ["stat"],
        ["scan", ".", "--type", "opera"],
        ["scan", "--type", "movie"],
        ["scan", "--name", "x"],
        ["scan", ".", "--all"],
        ["libraries", "remove"],
        ["libraries", "drop"],
        ["status", "--js"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(cli: Run, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("viewra-lite: error: ")
    assert done.err.count("\n") == 1
    assert os.listdir() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["postgresql://viewra:hunter2@h/db"],
        ["status", "postgresql://viewra:hun ter2@h/db"],
        ["--config", "postgresql://viewra:hunter2@h:x/db", "status"],
        ["status", "--config", "postgresql://viewra:hunter2@127.0.0.1:1/db"],
        ["status", "--config", "mysql://viewra:hunter2@h/db"],
    ],
)
def test_no_message_shows_a_password(cli: Run, arguments: list[str]) -> None:
    done = cli(*arguments)
    assert done.code in (1, 2)
    assert "ter2" not in done.out + done.err
    assert done.err.count("\n") == 1


def test_version_and_help(cli: Run) -> None:
    for arguments in (["--version"], ["status", "--version"]):
        done = cli(*arguments)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("viewra-lite ")
    for name, _ in commands(build_parser()):
        done = cli(*name.split(), "--help")
        assert (done.code, done.err) == (0, "")
        assert f"usage: viewra-lite {name}" in done.out


def test_help_imports_nothing_that_is_slow() -> None:
    prelude = (
        "import atexit\n"
        "slow = ('rich', 'psycopg', 'guessit', 'tinytag', 'importlib.metadata')\n"
        "atexit.register(lambda: print([name for name in slow if name in sys.modules]))"
    )
    done = in_process("--help", prelude=prelude)
    assert done.out.endswith("\n[]\n")


# The configuration


def test_the_yaml_file_of_the_current_folder_is_read(cli: Run, folder: Path) -> None:
    (folder / "viewra.yaml").write_text("database:\n  type: sqlite\n  database_path: mine.db\n")
    assert cli("init", "--json").json == {"engine": "sqlite", "url": f"sqlite:///{folder}/mine.db"}
    assert (folder / "mine.db").exists()


def test_the_environment_overrides(cli: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "viewra.yaml").write_text("database:\n  type: sqlite\n  database_path: mine.db\n")
    monkeypatch.setenv("VIEWRA_DATABASE_DATABASE_PATH", "other.db")
    assert cli("init").code == 0
    assert (folder / "other.db").exists() and not (folder / "mine.db").exists()


def test_config_names_another_file_or_url(cli: Run, folder: Path) -> None:
    (folder / "viewra.yaml").write_text("nonsense")
    (folder / "good.yaml").write_text("database:\n  type: sqlite\n  database_path: good.db\n")
    assert cli("--config", folder / "good.yaml", "init").code == 0
    assert cli("init", "--config", "sqlite:///url.db").code == 0
    assert (folder / "good.db").exists() and (folder / "url.db").exists()


@pytest.mark.parametrize("text", ["nonsense", "database:\n  type: oracle\n", "database: {"])
def test_a_broken_configuration_is_exit_2(cli: Run, folder: Path, text: str) -> None:
    (folder / "viewra.yaml").write_text(text)
    for command in ("init", "status", "libraries"):
        done = cli(command)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("viewra-lite: error: ") and "viewra.yaml" in done.err


def test_a_misspelt_variable_is_exit_2(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIEWRA_DATABASE_HOTS", "x")
    assert cli("status").code == 2


def test_a_configuration_that_is_not_there_is_exit_2(cli: Run, folder: Path) -> None:
    assert cli("status", "--config", "absent.yaml").code == 2
    (folder / "viewra.yaml").symlink_to("nowhere")
    assert cli("status").code == 2


def test_a_database_in_the_place_of_a_settings_file_says_how_to_name_it(
    cli: Run, folder: Path
) -> None:
    cli("init")
    for path in ("viewra-data/viewra.db", folder / "viewra-data/viewra.db"):
        done = cli("status", "--config", path)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        url = done.err.split()[-1]
        assert url == f"sqlite:///{path}" and cli("status", "--config", url).code == 0


def test_a_store_in_a_folders_place_is_exit_2(cli: Run, folder: Path) -> None:
    (folder / "store.db").mkdir()
    assert cli("init", "--config", "sqlite:///store.db").code == 2
