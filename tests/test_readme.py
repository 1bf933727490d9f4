"""What the README shows works: its Python runs, its YAML loads, its make targets are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from media_factory import write_video

from viewra_lite import Config, PostgresConfig, SqliteConfig, load_config
from viewra_lite.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    write_video(folder / "Le Fabuleux Destin d'Amélie Poulain (2001).mkv")
    write_video(folder / "Metropolis (1927).mkv", seed=1)
    return folder


def run(block: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", block],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stderr}"
    return done.stdout


def test_the_python_runs_from_top_to_bottom(films: Path) -> None:
    printed = "".join(run(block, films.parent) for block in blocks("python"))
    assert "2 new, 0 moved, 0 missing" in printed
    assert "movie Le Fabuleux Destin d'Amélie Poulain" in printed
    assert "committed" in printed
    assert "2 unchanged" in printed
    assert "go on with Le Fabuleux Destin d'Amélie Poulain (2001) at 1810.0" in printed
    assert "cached: 1" in printed
    assert "1 play\n" in printed
    assert "stars: []" in printed


def test_the_python_runs_twice(films: Path) -> None:
    for block in blocks("python"):  # each again at once, as somebody who tries it does
        assert run(block, films.parent)
        run(block, films.parent)
    again = "".join(run(block, films.parent) for block in blocks("python"))  # and all of it
    assert "0 new, 0 moved, 0 missing" in again and "2 unchanged" in again
    assert "cached: 1" in again


def test_the_commands_can_be_typed_twice(
    films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(films.parent)
    for name in ("csv", "json"):
        Path(f"watched.{name}").write_text(blocks(name)[0], encoding="utf-8")
    typed = [line for block in blocks("console") for line in block.splitlines()]
    typed = [line for line in typed if line.startswith("$ viewra-lite ")]
    typed.sort(key=lambda line: not line.startswith("$ viewra-lite init"))  # it is explained later
    assert len(typed) > 15
    for line in typed:
        words = shlex.split(line.removeprefix("$ viewra-lite"), comments=True)
        for _ in range(2):
            code = main([word.replace("~", str(films.parent)) for word in words])
            err = capsys.readouterr().err
            # 1: what is named is not there. 2 were wrong usage, or a wrong README.
            assert code in (0, 1) and "unexpected" not in err, f"{line}\n{err}"


def test_the_yaml_loads(tmp_path: Path) -> None:
    loaded: list[Config] = []
    for number, block in enumerate(blocks("yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, encoding="utf-8")
        loaded.append(load_config(path))
    assert [config.engine for config in loaded] == ["sqlite", "postgres"]


def test_the_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:\$ |`)make ([\w-]+)", README):
        assert re.search(rf"^(?:[\w-]+ )*{target}[ \w-]*:", makefile, re.MULTILINE), target


def test_every_option_is_in_the_readme() -> None:
    for config in (SqliteConfig, PostgresConfig):
        for option in fields(config):
            assert f"`{option.name}`" in README or f"  {option.name}: " in README, option.name
