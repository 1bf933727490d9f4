"""What the README shows works: its Python runs, its YAML loads, its make targets are there."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from media_factory import write_video

from viewra_lite import Config, PostgresConfig, SqliteConfig, load_config

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


def test_the_python_runs_from_top_to_bottom(films: Path) -> None:
    printed = ""
    for block in blocks("python"):
        run = subprocess.run(
            [sys.executable, "-c", block], cwd=films.parent, capture_output=True, text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONIOENCODING": "utf-8"}, check=False,
        )
        assert run.returncode == 0, f"{block}\n{run.stderr}"
        printed += run.stdout
    assert "2 new, 0 moved, 0 missing" in printed
    assert "movie Le Fabuleux Destin d'Amélie Poulain" in printed
    assert "committed" in printed
    assert "2 unchanged" in printed
    assert "go on with Le Fabuleux Destin d'Amélie Poulain (2001) at 1810.0" in printed
    assert "cached: 1" in printed
    assert "1 play\n" in printed
    assert "stars: []" in printed


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
