"""Yamtrack: its CSV export. A row of a show or a season sums up those of its episodes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "yamtrack"
TITLE = "Yamtrack's export"


def recognises(part: Part) -> bool:
    """Whether a file has Yamtrack's columns."""
    return part.kind == "table" and {"media_id", "source", "media_type", "end_date"} <= set(
        part.header
    )


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each completed movie and episode, and the others as left out, with the reason."""
    for number, row in part.rows():
        yield record_of(_row(row), number, zone)


def _row(row: dict[str, str]) -> dict[str, Any]:
    kind, status = row.get("media_type", ""), row.get("status", "").strip().casefold()
    id = row.get("media_id") if row.get("source") == "tmdb" else None
    values: dict[str, Any] = {"kind": kind, "completed": True, "watched_at": row.get("end_date")}
    if kind == "movie":
        values |= {"title": row.get("title"), "tmdb_id": id}
    else:
        values |= {
            "show": row.get("title"),
            "season": row.get("season_number"),
            "episode": row.get("episode_number"),
            "show_tmdb_id": id,
        }
    if kind in ("tv", "season"):
        why = "sums up the rows of its episodes"
    elif kind not in ("movie", "episode"):
        why = "is neither a movie nor an episode"
    elif status != "completed" and (status or kind == "movie"):
        why = f"its status is {status[:20] or 'not given'}"
    elif kind == "episode" and not status and not row.get("end_date", "").strip():
        why = "is not marked as watched"
    else:
        return values
    return {**values, "completed": None, "left_out": why}
