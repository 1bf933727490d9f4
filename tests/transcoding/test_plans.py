"""The questions that are asked all the time are answered by indexes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.transcodes import add_files, made
from viewra_lite import Store
from viewra_lite.database.orm.statements import Statement
from viewra_lite.transcoding import cache_queries, queries

TIME = "2024-05-01 12:00:00.000000+00:00"


@pytest.fixture
def sqlite_store(driver: Any, tmp_path: Path) -> Any:
    source = {"database": {"type": "sqlite", "database_path": str(tmp_path / "viewra.db")}}
    with Store.open(source) as store:
        yield store


@pytest.mark.parametrize(
    ("statement", "arguments", "expected"),
    [
        (queries.claim(()), ("w", TIME, TIME), ["idx_transcode_queue"]),
        (
            queries.claim(("container", "height")),
            ("w", TIME, TIME, ["mp4"], 720),
            ["idx_transcode_queue"],
        ),
        (queries.active_session, ("h",), ["idx_transcode_active"]),
        (queries.raise_priority, (1, "h"), ["idx_transcode_active"]),
        (queries.lease_that_is_over, (TIME, TIME), ["idx_transcode_leases"]),
        (queries.session_without_lease, (), ["idx_transcode_leases"]),
        (queries.end_leases, (TIME, TIME, 100, 3, "why"), ["idx_transcode_leases"]),
        (queries.sessions_newest, (100,), ["idx_transcode_recent"]),
        (queries.move_sessions, ("a", "b"), ["idx_transcode_media"]),
        (queries.move_entries, ("a", "b"), ["idx_cache_media"]),
        (cache_queries.use_entry, ("h", TIME, TIME, TIME, TIME), ["content_hash=?"]),
        (cache_queries.entry_by_hash, ("h",), ["content_hash=?"]),
        (cache_queries.usage, (), ["COVERING INDEX idx_cache_size"]),
        (
            cache_queries.least_recently_used,
            (TIME, TIME, 100),
            ["idx_cache_used", "idx_transcode_active"],
        ),
    ],
)
def test_a_question_uses_its_index_and_sorts_nothing(
    sqlite_store: Store,
    files_and_sessions: None,
    statement: Statement,
    arguments: Any,
    expected: list[str],
) -> None:
    backend = sqlite_store.media.db.backend
    compiled = statement.compile("sqlite", backend.database)
    with sqlite_store.reader():
        rows = backend.database.execute_sql(
            "EXPLAIN QUERY PLAN " + compiled.sql, compiled.bind(arguments)
        ).fetchall()
    plan = "; ".join(row[3] for row in rows)
    for words in expected:
        assert words in plan
    assert "TEMP B-TREE" not in plan
    for row in rows:
        assert not row[3].startswith("SCAN transcode") or " INDEX " in row[3], plan


@pytest.fixture
def files_and_sessions(sqlite_store: Store, tmp_path: Path) -> None:
    """Some of everything, so that the planner has something to choose from."""
    ids = add_files(sqlite_store, tmp_path / "movies", 20)
    for number, id in enumerate(ids[:5]):
        made(sqlite_store, id, tmp_path / f"{number}")
    for id in ids[5:]:
        sqlite_store.transcoding.request(id, {})
    sqlite_store.transcoding.claim_next("w")
    with sqlite_store.writer():
        sqlite_store.media.db.backend.database.execute_sql("ANALYZE")
