"""Whether what was read and written is what it should be; asked before anything is timed."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any

from . import rows
from .contender import Contender
from .tables import FACTS, TABLES


def same(found: dict[str, Any], wanted: dict[str, Any], table: str) -> None:
    """Assert that an item holds a row, whatever Python types it came in."""
    for column, (kind, _) in TABLES[table].items():
        left, right = plain(found[column], kind), plain(wanted[column], kind)
        assert left == right, f"{table}.{column}: {left!r} is not {right!r}"


def plain(value: Any, kind: str) -> Any:
    """Return a value in the form that all contenders' values can be compared in."""
    if value is None:
        return None
    if kind == "moment":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    if kind == "date":
        return value if isinstance(value, date) else date.fromisoformat(value)
    if kind == "json":
        return json.loads(value) if isinstance(value, str) else value
    return bool(value) if kind == "boolean" else value


def scanned(contender: Contender, library_id: str, facts: list[tuple[Any, ...]]) -> dict[str, str]:
    """Assert that a library holds exactly these files; return their ids by path."""
    found = contender.selected(
        "SELECT * FROM media_files WHERE library_id = ? ORDER BY path", library_id
    )
    assert [tuple(row[name] for name in FACTS) for row in found] == sorted(facts)
    for row in found:
        assert row["filename"] == row["path"].rpartition("/")[2] and row["status"] == "present"
        assert plain(row["created_at"], "moment") <= plain(row["updated_at"], "moment")
    ids = {row["path"]: row["id"] for row in found}
    assert len(set(ids.values())) == len(facts)
    return ids


def counted(contender: Contender, library_id: str, facts: list[tuple[Any, ...]]) -> None:
    """Assert that a library holds as many files, and as many bytes."""
    [(number, size)] = contender.selected(
        "SELECT count(*), sum(size) FROM media_files WHERE library_id = ?", library_id
    )
    assert number == len(facts) and size == sum(fact[1] for fact in facts)


def reported(contender: Contender, user: str, file_id: str, position: float) -> None:
    """Assert what is known of a user and a file after a report."""
    [row] = contender.selected(
        "SELECT * FROM user_media_progress WHERE user_id = ? AND media_file_id = ?", user, file_id
    )
    assert row["position"] == position and not row["completed"] and row["play_count"] == 0
    assert len(json.loads(row["previous"])) == len(rows.FIRST_STATE)
    assert plain(row["updated_at"], "moment") == plain(row["reported_at"], "moment")


def beaten(contender: Contender, session_id: str, number: int, position: float) -> None:
    """Assert what is known of a session, and of its user, after a heartbeat."""
    [row] = contender.selected("SELECT * FROM playback_sessions WHERE id = ?", session_id)
    assert row["position"] == position and row["state"] == "playing" and not row["completed"]
    assert 0.0 < row["watched"] <= position and row["end_time"] is None
    reported(contender, f"viewer-{number}", rows.number_id("file", number), position)
