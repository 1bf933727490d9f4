"""What files become does not depend on which of them was found, or looked into, first."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, facts
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.database.orm.fields import TimestampField
from viewra_lite.media.module import MediaModule

UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHOWS = tuple(
    f"{show}/Season 1/{show} S01E0{number}.mkv"
    for number, show in [
        (1, "Doctor Who"),
        (1, "Doctor Who (1963)"),
        (2, "Doctor Who (1963)"),
        (1, "Doctor Who (2005)"),
        (2, "Doctor Who (2005)"),
        (2, "Doctor Who"),
        (1, "Charmed (2018)"),
        (1, "Charmed"),
        (3, "Charmed"),
    ]
)
MOVIES = (
    "Heat (1995).mkv",
    "Heat.mkv",
    "Heat (1986).mkv",
    "Heat (1995) 1080p.mkv",
    "Heat/Heat.mkv",
    "Anna/Birthday.mkv",
    "Ben/Birthday.mkv",
    "Solaris (2002)/Solaris CD1.mkv",
    "Solaris (2002)/Solaris CD2.mkv",
    "Solaris.mkv",
)


def everything(store: Store) -> list[str]:
    """Return all rows of the media room, without ids and times: an id stands for what it names."""
    rows: dict[str, list[Any]] = {}
    with store.reader():
        for model in MediaModule.models:
            columns = [
                field
                for field in model._meta.sorted_fields
                if not isinstance(field, TimestampField)
            ]
            for number, row in enumerate(model.select(*columns).tuples()):
                own, *others = row if columns[0].name == "id" else (f"{model} {number}", *row)
                rows[own] = [model._meta.table_name, *others]

    def named(text: str) -> str:
        return UUID.sub(lambda found: named(str(rows.get(found[0], "nothing"))), text)

    return sorted(named(str(row)) for row in rows.values())


def scanned(folder: Path, kind: str, database: Path, found: Any = ()) -> list[str]:
    """Return what a fresh store makes of a folder, whose files it was told of in an order."""
    config = {"database": {"database_path": str(database), "scan_workers": 4}}
    with Store.open(config) as store:
        library = store.media.add_library("All", folder, kind)
        with store.media.reconcile(library.id) as files:
            for path in found:
                files.add(facts(folder / path))
        store.media.scan(library.id)
        return everything(store)


def test_all_scans_of_a_folder_by_four_workers_end_alike(tmp_path: Path) -> None:
    for number, name in enumerate(SHOWS):
        clip(tmp_path / "all" / name, seed=number)
    told = [
        scanned(tmp_path / "all", "tv", tmp_path / f"{time}.db") for time in range(tries(4, 10))
    ]
    assert len(told[0]) > 2 * len(SHOWS)
    assert [one for one in told if one != told[0]] == []


@pytest.mark.usefixtures("probing_here")
@pytest.mark.parametrize(("kind", "names"), [("tv", SHOWS), ("movie", MOVIES)])
def test_files_that_were_found_in_any_order_become_the_same(
    tmp_path: Path, kind: str, names: tuple[str, ...]
) -> None:
    three = [names[0], names[1], names[3]]
    for number, name in enumerate(three):
        clip(tmp_path / "all" / name, seed=number)
    told = [
        scanned(tmp_path / "all", kind, tmp_path / f"{time}.db", order)
        for time, order in enumerate(permutations(three))
    ]
    assert len(told[0]) > 2 * len(three)
    assert [one for one in told if one != told[0]] == []
