"""How an engine would run a statement."""

from __future__ import annotations

from typing import Any

from viewra_lite import Store
from viewra_lite.media.models import Movie


def plan_of(store: Store, statement: Any, arguments: list[Any]) -> list[str]:
    """Return how the engine would run a statement; it scans and sorts only where it must."""
    explain, prefer = {
        "sqlite": ("EXPLAIN QUERY PLAN", "SELECT 1"),
        "postgres": ("EXPLAIN", "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"),
    }[store.engine]
    store.media.db.all(statement, *arguments)
    compiled = statement.compiled[store.engine]
    with store.reader():
        database = Movie._meta.database
        database.execute_sql(prefer)
        cursor = database.execute_sql(f"{explain} {compiled.sql}", compiled.bind(arguments))
        return [row[-1] for row in cursor.fetchall()]
