"""A clock that ran ten years ahead and was put right leaves nothing of the catalogue wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from viewra_lite import FileFacts, Store
from viewra_lite.media.models import MediaLibrary

DAY_S = 86_400
TEN_YEARS_S = 3650 * DAY_S
OTHERS = {"Ali (2001).mkv": 2, "Up (2009).mkv": 3, "Big (1988).mkv": 4}


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    (folder / "here").touch()
    return store.media.add_library("Movies", folder, "movie")


def scan(store: Store, library: MediaLibrary, names: dict[str, int]) -> None:
    with store.media.reconcile(library.id, accept_missing=True) as files:
        for name, size in names.items():
            files.add(
                FileFacts(
                    f"{library.path}/{name}",
                    size,
                    1,
                    fingerprint=f"content {size}",
                    identity=name[: name.index(")") + 1],
                )
            )


def scan_ahead(store: Store, library: MediaLibrary, clock: Any, names: dict[str, int]) -> None:
    clock.advance(TEN_YEARS_S)
    scan(store, library, names)
    clock.advance(60 - TEN_YEARS_S)


def ids(store: Store, library: MediaLibrary) -> dict[str, str]:
    return {file.filename: file.id for file in store.media.files(library.id).items}


def test_a_library_scanned_in_the_future_is_due(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    scan_ahead(store, library, clock, OTHERS)
    assert [one.id for one in store.media.libraries_due()] == [library.id]
    scan(store, library, OTHERS)
    assert store.media.libraries_due() == []


def test_a_file_missed_in_the_future_is_forgotten_retention_days_from_now(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    scan(store, library, {"Heat (1995).mkv": 1, **OTHERS})
    scan_ahead(store, library, clock, OTHERS)
    store.media.tidy(clock())
    store.media.tidy(clock.advance(30 * DAY_S))
    assert "Heat (1995).mkv" in ids(store, library)
    store.media.tidy(clock.advance(1))
    assert set(ids(store, library)) == set(OTHERS)


def test_a_file_replaced_after_a_scan_in_the_future_is_matched(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    scan_ahead(store, library, clock, {"Heat (1995).mkv": 1, **OTHERS})
    known = ids(store, library)["Heat (1995).mkv"]
    scan(store, library, {"Heat (1995) 1080p.mkv": 9, **OTHERS})
    assert ids(store, library)["Heat (1995) 1080p.mkv"] == known


def test_another_version_found_in_the_future_is_not_taken_for_new(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    both = {"Heat (1995).mkv": 1, "Heat (1995) 1080p.mkv": 9, **OTHERS}
    scan_ahead(store, library, clock, both)
    before = ids(store, library)
    scan(store, library, {name: size for name, size in both.items() if size != 1})
    assert ids(store, library) == before
