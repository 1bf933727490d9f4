"""Fixtures of the tests of backups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viewra_lite import Store


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of this test, where the backups of a server's store go."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def backups(here: None, store: Store) -> Any:
    """The backups of `store`, in a folder of this test."""
    return store.backups
