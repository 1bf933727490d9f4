"""Every guide works: its Python and its commands run, twice, and print what it says."""

from __future__ import annotations

import doctest
import inspect
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.media import write_video
from viewra_lite import Config, Module, PostgresConfig, SqliteConfig, Store, errors, load_config
from viewra_lite.cli import main
from viewra_lite.cli.parser import parse

ROOT = Path(__file__).parent.parent
GUIDES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        ROOT / "README.md",
        *sorted((ROOT / "viewra_lite").rglob("*.md")),
        ROOT / "tests/benchmarks/README.md",
    ]
}
ALL = "\n".join(GUIDES.values())
LONGEST_README = 200

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(
    r"^```python\n(.*?)^```\n(?:\n```output\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)


def blocks(text: str, language: str) -> list[str]:
    return [block for name, block in _BLOCK.findall(text) if name == language]


def commands(text: str) -> list[str]:
    """Return what a guide says to type, without comments."""
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ").partition("  #")[0].strip() for line in lines]


def guides_with(language: str) -> list[str]:
    return [name for name, text in GUIDES.items() if blocks(text, language)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a new user has it: two films, and nothing else."""
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "Le Fabuleux Destin d'Amélie Poulain (2001).mkv")
    write_video(tmp_path / "films" / "Metropolis (1927).mkv", seed=1)
    return tmp_path


def run(block: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "utf-8", "HOME": str(folder)},
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("name", guides_with("python"))
def test_the_python_of_a_guide_prints_what_it_says_and_runs_twice(name: str, folder: Path) -> None:
    examples = _EXAMPLE.findall(GUIDES[name])
    assert len(examples) == len(blocks(GUIDES[name], "python"))
    for block, expected in examples:
        printed = run(block, folder)
        if expected:
            assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), (
                f"{block}\n{printed}"
            )
        run(block, folder)  # a reader tries an example twice
    for block, _ in examples:  # and another day all of them
        run(block, folder)


@pytest.mark.parametrize("name", guides_with("console"))
def test_the_commands_of_a_guide_can_be_typed_twice(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    write_lists()
    main(["init"])
    capsys.readouterr()
    for line in commands(GUIDES[name]):
        program, *words = shlex.split(line)
        if program == "viewra-lite" and words[0] == "web":
            parse(words)  # it serves until a signal: tests/web runs it
        elif program == "viewra-lite":
            for _ in range(2):
                code, err = typed(words, folder, capsys)
                # 1: there is nothing of that name. 2 would be wrong usage, or a wrong guide.
                assert code in (0, 1) and "unexpected" not in err, f"{line}\n{err}"
        else:
            check_other_command(program, words)


def typed(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command as a shell does, and return its exit code and what it complained of."""
    words, into = (words[:-2], words[-1]) if ">" in words else (words, None)
    code = main([word.replace("~", str(folder)) for word in words])
    out, err = capsys.readouterr()
    if into is not None:
        (folder / into).write_text(out, encoding="utf-8")
    return code, err


def write_lists() -> None:
    samples = GUIDES["viewra_lite/importing/README.md"]
    Path("watched.csv").write_text(blocks(samples, "csv")[0], encoding="utf-8")
    Path("films.csv").write_text("title,year\nMetropolis,1927\n", encoding="utf-8")


def check_other_command(program: str, words: list[str]) -> None:
    """Check what cannot be run here: it installs, or takes minutes."""
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^(?:[\w-]+ )*{words[0]}[ \w-]*:", makefile, re.MULTILINE), words
    elif program == "python":  # tests/benchmarks/test_smoke.py runs it
        from tests.benchmarks.__main__ import _asked

        assert words[:2] == ["-m", "tests.benchmarks"] and _asked(words[2:])
    else:
        assert program == "pip" and words[0] == "install", program
        setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
        for extra in re.findall(r"\w+", words[1].partition("[")[2]):
            assert re.search(rf"^{extra} =$", setup, re.MULTILINE), extra


def test_the_yaml_loads(tmp_path: Path) -> None:
    loaded: list[Config] = []
    for number, block in enumerate(blocks(ALL, "yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        loaded.append(load_config(path))
    assert {config.engine for config in loaded} == {"sqlite", "postgres"}


def test_the_paths_and_links_of_a_guide_are_there() -> None:
    for name, text in GUIDES.items():
        for link in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in link:
                assert (ROOT / name).parent.joinpath(link).is_file(), f"{name}: {link}"
        for path in re.findall(r"`((?:tests|viewra_lite)/[\w/.]+)`", text):
            assert (ROOT / path).exists(), f"{name}: {path}"


# What a guide has to name


def verbs(store: Store) -> Iterator[tuple[str, str]]:
    """Yield the public verbs of the store and of what it holds, each with its holder."""
    for noun in sorted({*dir(Store), *vars(store)}):
        if noun.startswith("_"):
            continue
        held = getattr(store, noun)
        if callable(held):
            yield "store", noun
        elif type(held).__module__.startswith("viewra_lite.") and not isinstance(held, Config):
            for name, verb in inspect.getmembers(type(held), callable):
                if not name.startswith("_") and name not in dir(Module) or name == "tidy":
                    yield f"store.{noun}", name


def test_every_public_verb_is_in_a_guide(tmp_path: Path) -> None:
    prose, code = _BLOCK.sub("", ALL), "\n".join(blocks(ALL, "python"))
    with Store.open({"database": {"database_path": str(tmp_path / "v.db")}}) as store:
        found = set(verbs(store))
    assert {("store.media", "scan"), ("store", "reader"), ("store.migrations", "plan")} <= found
    missing = [
        (holder, verb)
        for holder, verb in sorted(found)
        if f".{verb}(" not in code and not re.search(rf"`(?:[\w.]+\.)?{verb}(?:\(|`)", prose)
    ]
    assert missing == []


def test_every_error_is_in_a_guide() -> None:
    table = GUIDES["viewra_lite/README.md"]
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ViewraError):
            assert f"`{name}`" in table, name


def test_every_option_is_in_the_guide_of_the_configuration() -> None:
    guide = GUIDES["viewra_lite/config/README.md"]
    for config in (SqliteConfig, PostgresConfig):
        for option in fields(config):
            assert f"`{option.name}`" in guide, option.name


def test_the_readme_is_short() -> None:
    assert GUIDES["README.md"].count("\n") <= LONGEST_README


# Not plain English, or not the words of the field.
BANNED = (
    r"whoever",
    r"whatever",
    r"somebody",
    r"nobody",
    r"anybody",
    r"is no\b",
    r"are no\b",
    r"told",
    r"go(?:es)? on\b",
    r"looked? into",
    r"stands",
    r"lies\b",
    r"wherever",
    r"does well",
)


@pytest.mark.parametrize("name", [*GUIDES, "CHANGELOG.md"])
def test_a_guide_is_written_in_plain_words(name: str) -> None:
    prose = _BLOCK.sub("", (ROOT / name).read_text(encoding="utf-8"))
    found = re.findall(rf"(?i)\b(?:{'|'.join(BANNED)})", prose)
    assert found == []
