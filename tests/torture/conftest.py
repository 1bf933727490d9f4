"""Fixtures of the torture tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forks import Forks, forks_of
from tests.support.script_packages import Guest
from tests.torture.databases import FIRST, Database


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with forks_of("tests.torture.statements") as found:
        yield found


@pytest.fixture
def package(tmp_path: Path) -> Guest:
    """Scripts that upgrade rows: a rebuilt table, and one that runs in chunks."""
    scripts = Guest(tmp_path / "packages", "killed_notes")
    scripts.write("0001_initial", FIRST)
    return scripts


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    found = Database(request.param, tmp_path, request)
    yield found
    found.close()
