"""Fixtures of the command line's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Outcome, Run, in_zone
from viewra_lite.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, empty, in UTC, with nothing of VIEWRA_DATABASE_* in the environment."""
    for name in [name for name in os.environ if name.startswith("VIEWRA_")]:
        monkeypatch.delenv(name)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with in_zone("UTC", monkeypatch):
        yield here


@pytest.fixture
def cli(folder: Path, probing_here: None, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call main() in the empty folder."""

    def run(*arguments: str | os.PathLike[str]) -> Outcome:
        capsys.readouterr()
        code = main([os.fspath(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture(params=["sqlite", "cysqlite", "postgres"])
def new_url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that is not there yet, on each engine."""
    return _url(request, "postgres_url")


@pytest.fixture(params=["sqlite", "cysqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that is empty or not there yet, on each engine."""
    return _url(request, "postgres_store")


def _url(request: pytest.FixtureRequest, of_postgres: str) -> str:
    if request.param == "sqlite":
        return "sqlite:///store.db"
    if request.param == "cysqlite":
        pytest.importorskip("cysqlite")
        return "sqlite:///store.db?driver=cysqlite"
    found: str = request.getfixturevalue(of_postgres)
    return found
