"""Fixtures of the media room's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for movies."""
    made = tmp_path / "movies"
    made.mkdir()
    return made


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    """The library of `folder`, not scanned yet."""
    return store.media.add_library("Movies", folder, "movie")
