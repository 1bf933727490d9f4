"""Fixtures of the tests of backups."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from viewra_lite import Store


@pytest.fixture
def programs(
    request: pytest.FixtureRequest,
    store_config: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Work in a folder of this test, with the programs of PostgreSQL where they are needed."""
    monkeypatch.chdir(tmp_path)
    if isinstance(store_config, str):
        found = request.getfixturevalue("postgres_server").bin_dir
        monkeypatch.setenv("PATH", f"{found}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def backups(programs: None, store: Store) -> Any:
    """The backups of `store`, in a folder of this test."""
    return store.backups
