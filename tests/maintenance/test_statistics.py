"""What a store says about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewra_lite import FileFacts, Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import MediaFile


def test_statistics_count_what_the_store_holds(store: Store, tmp_path: Path) -> None:
    for name in ("Empty", "Films"):
        (tmp_path / name).mkdir()
    empty = store.media.add_library("Empty", tmp_path / "Empty", "music")
    films = store.media.add_library("Films", tmp_path / "Films", "movie")
    for found in (3, 2):
        with store.media.reconcile(films.id, accept_missing=True) as files:
            for number in range(found):
                files.add(FileFacts(str(tmp_path / "Films" / f"{number}.mkv"), 1000, 1))
    store.media.save_movie(films.id, title="Heat", year=1995)

    found_now = store.maintenance.statistics()

    assert found_now.counts == {
        "libraries": 2,
        "files": 3,
        "missing": 1,
        "failed_probes": 0,
        "movies": 1,
        "shows": 0,
        "episodes": 0,
        "albums": 0,
        "tracks": 0,
    }
    counted = {id: (each.files, each.missing) for id, each in found_now.libraries.items()}
    assert counted == {empty.id: (0, 0), films.id: (2, 1)}
    assert found_now.database == store.maintenance.database()


def test_problems_are_files_that_are_missing_or_could_not_be_probed(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "Films").mkdir()
    films = store.media.add_library("Films", tmp_path / "Films", "movie")
    for found in (4, 3):
        with store.media.reconcile(films.id, accept_missing=True) as files:
            for number in range(found):
                files.add(FileFacts(str(tmp_path / "Films" / f"{number}.mkv"), 1000, 1))
    with store.writer():
        MediaFile.update(probe_state="failed", error="it is cut off").where(
            MediaFile.filename == "1.mkv"
        ).execute()

    found_now = store.maintenance.problems()

    assert [(file.filename, file.status, file.error) for file in found_now] == [
        ("1.mkv", "present", "it is cut off"),
        ("3.mkv", "missing", None),
    ]
    assert [file.filename for file in store.maintenance.problems(limit=1)] == ["1.mkv"]
    with pytest.raises(InvalidValueError, match="limit must be"):
        store.maintenance.problems(limit=0)


def test_the_database_says_its_engine_and_its_size(store: Store) -> None:
    database = store.maintenance.database()

    assert database.version.startswith(
        {"sqlite": "SQLite 3.", "postgres": "PostgreSQL "}[store.engine]
    )
    assert database.size > 0
    assert (database.path is None) == (store.engine == "postgres")
