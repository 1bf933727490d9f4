"""Fixtures of the transcoding room's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.transcodes import add_files
from viewra_lite import Store


@pytest.fixture
def files(store: Store, tmp_path: Path) -> list[str]:
    """The ids of four files that have been looked into, with contents "content 0" to 3."""
    return add_files(store, tmp_path / "movies", 4)
