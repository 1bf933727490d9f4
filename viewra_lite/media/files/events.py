"""Events of files, recorded in the caller's writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...database.transactions.database import Database


def record(db: Database, event: str, rows: Iterable[Sequence[Any]], **facts: Any) -> None:
    """Record an event of each of some files; rows begin with the id."""
    db.events.record_each(event, [{"media_file_id": row[0], **facts} for row in rows])
