"""Fixtures of the media room's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.feed import assert_feed_is_whole
from viewra_lite import Store
from viewra_lite.errors import StoreClosedError
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


@pytest.fixture(autouse=True)
def whole_feed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test also holds the feed of changes against the tables, unless it edits them."""
    store = request.getfixturevalue("store") if "store" in request.fixturenames else None
    yield
    if store is not None and not request.node.get_closest_marker("edits_tables"):
        with suppress(StoreClosedError):  # a test may close it
            assert_feed_is_whole(store)
