"""Every statement of the rooms finds its rows by an index, whatever the tables grow to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from viewra_lite import Store
from viewra_lite.database.orm.statements import Statement
from viewra_lite.database.sqlite.drivers.loading import load_driver
from viewra_lite.media import queries as media
from viewra_lite.media.files import queries as file_queries
from viewra_lite.media.models import Album, Movie, TVShow
from viewra_lite.media.scanning import queries as scan_queries
from viewra_lite.media.search import queries as search_queries
from viewra_lite.playback.history import queries as history, stats_queries as stats
from viewra_lite.playback.models import PlaybackHistory, PlaybackHistoryArchive
from viewra_lite.transcoding import queries as transcoding

ROOMS = {
    "media": (
        "queries",
        "scanning.queries",
        "files.queries",
        "files.work_queries",
        "search.queries",
    ),
    "playback": ("queries", "watching.queries", "progress.queries", "history.queries"),
    "transcoding": ("queries", "cache_queries"),
}

# Why it may read a table, or all of an index, from one end to the other.
SCANS = {
    "media.queries.libraries": "there is a handful of libraries",
    "media.queries.scans": "there is one for each library",
    "media.files.queries.forget_unplaced": "there is one for each library",
    "media.scanning.queries.missing_moved": "the index holds only those that are missing",
    "media.scanning.queries.removed_moved": "all that is gone, whatever is there",
    "media.scanning.queries.removed_replaced": "all that is gone, whatever is there",
    "playback.queries.open_sessions": "the index holds only those that are open",
    "playback.queries.progress_after": "a chore, outside of a writer: there is nothing like it",
    "transcoding.cache_queries.entry_of_the_future": "before an eviction, which reads them all",
    "transcoding.cache_queries.pull_back_entries": "before an eviction, which reads them all",
    "transcoding.queries.sessions_newest": "in the order of the index, to the limit",
    "transcoding.cache_queries.least_recently_used": "in the order of the index, to the limit",
    "transcoding.cache_queries.usage": "it sums up an index that holds nothing else",
}
# What is asked of a whole library, or of what it holds that is missing or new.
OF_A_LIBRARY = {
    "files_first",
    "file_ids_of_library",
    "count_files",
    "count_missing",
    "count_unplaced",
    "unplaced_before",
    "missing_replaced",
    "missing_moved",
    "present_paths_after",
    "count_unprobed",
    "scan_continues",
    "scan_ends",
    "cancel_scan",
}
# A page in its order that would be sorted first reads everything before it shows anything.
PAGES = {
    **{
        f"page of {model.__name__} by {sort}": media.page_statement(model, sort, *more)
        for model in (Movie, TVShow, Album)
        for sort in media.SORTS
        for more in ((False, False), (False, True), (True, False), (True, True))
    },
    **{
        f"page of {model.__name__} {more}": history.page_of_plays(model, *more)
        for model in (PlaybackHistory, PlaybackHistoryArchive)
        for more in ((False, False), (False, True), (True, False), (True, True))
    },
    **{
        f"files placed: {more}": file_queries.files_placed(*more)
        for more in ((False, False), (False, True), (True, False), (True, True))
    },
    "files_first": media.files_first,
    "files_after": media.files_after,
}


def statements() -> Iterator[tuple[str, Statement]]:
    for room, files in ROOMS.items():
        for file in files:
            module = import_module(f"viewra_lite.{room}.{file}")
            for name, found in vars(module).items():
                if isinstance(found, Statement) and name != "insert_removed":
                    yield f"{room}.{file}.{name}", found
    yield "transcoding.queries.claim", transcoding.claim(("container", "height"))


@pytest.fixture(scope="module", params=["sqlite3", "cysqlite"])
def explain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip(request.param)
    path = tmp_path_factory.mktemp("plans") / "viewra.db"
    options = {"database_path": str(path), "driver": request.param}
    with Store.open({"database": options}) as store:
        database = store.media.db.backend.database
        connection = load_driver(request.param).connect(path, 1.0)

        def plan(statement: Statement) -> list[str]:
            sql = statement.compile("sqlite", database).sql
            nothing = [None] * len(re.findall(r"\?", sql))
            return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", nothing)]

        yield plan
        connection.close()


def scanned(plan: list[str]) -> list[str]:
    return [
        step
        for step in plan
        if step.startswith("SCAN") and "VIRTUAL TABLE" not in step and "every" not in step
    ]


@pytest.mark.parametrize("name", [name for name, _ in statements() if name not in SCANS])
def test_no_statement_reads_a_growing_table_from_end_to_end(name: str, explain: Any) -> None:
    plan = explain(dict(statements())[name])
    assert scanned(plan) == []


@pytest.mark.parametrize(
    "name", [name for name, _ in statements() if name.rpartition(".")[2] not in OF_A_LIBRARY]
)
def test_no_statement_goes_through_a_library_to_find_a_file(name: str, explain: Any) -> None:
    plan = explain(dict(statements())[name])
    assert [step for step in plan if step.endswith("(library_id=?)")] == []


@pytest.mark.parametrize(
    "name, few",
    [
        ("missing_moved", r"idx_media_files_missing$"),
        ("missing_replaced", r"idx_media_files_missing \(library_id=\?\)$"),
        ("removed_moved", "SCAN"),
        ("removed_replaced", "SCAN"),
    ],
)
def test_what_is_gone_is_looked_for_from_the_side_of_the_few(
    name: str, few: str, explain: Any
) -> None:
    gone, *between, new, order = explain(getattr(scan_queries, name))
    assert re.search(few, gone)
    assert all("work_files" in step and "SEARCH" in step for step in between)
    assert re.search(r"INDEX (idx_media_files_fingerprint|sqlite_autoindex_media_files_1) \(", new)
    assert "ORDER BY" in order


@pytest.mark.parametrize("kind", search_queries.SEARCHED)
def test_what_has_a_title_is_found_by_the_index_of_titles(kind: str, explain: Any) -> None:
    plan = explain(search_queries.titled(kind))
    assert scanned(plan) == []
    assert any("idx_search_documents_title (kind=? AND title_key=?)" in step for step in plan)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_in_the_order_of_an_index(name: str, explain: Any) -> None:
    plan = explain(PAGES[name])
    assert [step for step in plan if "TEMP B-TREE" in step] == []
    steps = [step for step in plan if "SUBQUERY" not in step]
    assert all(" USING " in step and "INDEX" in step for step in steps), plan


@pytest.mark.parametrize("of_user", [False, True])
def test_totals_of_a_time_read_that_time_only(of_user: bool, explain: Any) -> None:
    plan = explain(stats.totals_by(of_user, "user_id"))
    assert scanned(plan) == []
