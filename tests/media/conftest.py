"""Fixtures of the media room's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary
from viewra_lite.media.probing.workers import ProbePool
from viewra_lite.media.scanning import scan


@pytest.fixture
def probing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe in this process, as where no worker can start: starting them takes the most time."""
    monkeypatch.setattr(scan, "ProbePool", lambda workers, timeout_s: ProbePool(0, timeout_s))


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
