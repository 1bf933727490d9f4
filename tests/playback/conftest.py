"""Fixtures of the playback room's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.shelves import Shelf, Viewer
from viewra_lite import Store


@pytest.fixture
def tv(store: Store, tmp_path: Path) -> Shelf:
    """A library of shows."""
    return Shelf(store, tmp_path / "tv")


@pytest.fixture
def movies(store: Store, tmp_path: Path) -> Shelf:
    """A library of movies."""
    return Shelf(store, tmp_path / "movies", "movie")


@pytest.fixture
def ann(store: Store, clock: Any) -> Viewer:
    """Somebody who watches."""
    return Viewer(store, clock)
