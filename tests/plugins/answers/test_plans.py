"""No query of the work list walks more of a table than it returns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.asking import Films, started
from tests.support.plans import plan_of
from viewra_lite import Store
from viewra_lite.plugins import queries as plugin_queries
from viewra_lite.plugins.answers import merge_queries, queries


def test_every_query_of_the_work_list_uses_an_index(store: Store, tmp_path: Path) -> None:
    films, asker = Films(store, tmp_path / "films"), started(store)
    films.film("a.mkv")
    assert asker.todo("movie")
    now = store.media.db.now()
    asked: tuple[tuple[Any, ...], ...] = (
        (queries.files, ["a", "b"]),
        (queries.movies_of_files, ["a", "b"]),
        (queries.episodes_of_files, ["a", "b"]),
        (queries.tracks_of_files, ["a", "b"]),
        (queries.files_of_movies, ["a", "b"]),
        (queries.files_of_episodes, ["a", "b"]),
        (queries.files_of_tracks, ["a", "b"]),
        (queries.files_after, "a", 500),
        (queries.changes_between, 1, 900, ["file.added"], 500),
        (queries.cursor, "asker", "movie"),
        (queries.due_files, "asker", "movie", now, 100),
        (queries.known, "asker", "movie", ["a", "b"]),
        (queries.failures, "asker", "movie", "a"),
        (plugin_queries.some_answers, "asker", 500),
    )
    for statement, *arguments in asked:
        plan = plan_of(store, statement, arguments)
        scans = [step for step in plan if "SCAN" in step or "Seq Scan" in step]
        assert all("json_each" in scan for scan in scans), plan
        assert not any("TEMP B-TREE" in step or "Sort" in step for step in plan), plan
        assert not any("library_id" in step for step in plan), plan  # all files of a library
    plan = plan_of(store, queries.due_files, ["asker", "movie", now, 100])
    assert any("idx_plugin_metadata_due" in step for step in plan), plan


def test_every_query_of_merging_uses_an_index(store: Store) -> None:
    asked: list[tuple[Any, ...]] = [
        (merge_queries.unapplied, 50),
        (merge_queries.answers_about, "a"),
        (merge_queries.movies_of, "a"),
        (merge_queries.tracks_of, "a"),
        (merge_queries.episodes_of, ["a", "b"]),
        *((statement, "a") for statement in merge_queries.ANSWERS.values()),
    ]
    for statement, *arguments in asked:
        plan = plan_of(store, statement, arguments)
        scans = [step for step in plan if "SCAN" in step or "Seq Scan" in step]
        is_pending = statement is merge_queries.unapplied  # walks an index of nothing else
        assert all("json_each" in scan or is_pending for scan in scans), plan
        by_index = [step for step in plan if "USING" in step or "Index Cond" in step]
        assert not any("library_id" in step for step in by_index), plan  # all of a library
