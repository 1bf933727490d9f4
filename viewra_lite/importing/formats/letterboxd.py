"""Letterboxd: the ZIP of its export, or diary.csv, watched.csv or watchlist.csv from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "letterboxd"
TITLE = "Letterboxd's export"

_ELSEWHERE = {"deleted", "orphaned", "lists", "likes"}


def recognises(part: Part) -> bool:
    """Whether a file is the diary, or a list of watched or planned films."""
    if part.kind != "table" or "letterboxd_uri" not in part.header or "name" not in part.header:
        return False
    folders, name = _place(part)
    if _ELSEWHERE & set(folders):
        return False
    if "watched_date" in part.header:
        return "review" not in part.header  # reviews repeat the diary
    return part.header[:4] == ["date", "name", "year", "letterboxd_uri"] and (
        "rating" not in part.header
    )


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each film: dated by the diary, else undated; `Date` is the time of the entry."""
    is_diary = "watched_date" in part.header
    name = _place(part)[1]
    for number, row in part.rows():
        values: dict[str, Any] = {
            "kind": "movie",
            "title": row.get("name"),
            "year": row.get("year"),
            "completed": True,
            "watched_at": row.get("watched_date") if is_diary else None,
        }
        if not is_diary and "watchlist" in name:
            values |= {"left_out": "is on the watchlist", "completed": None}
        elif not is_diary and "watched" not in name:
            values |= {
                "completed": None,
                "left_out": (
                    "may be watched or only planned: rename the file to watched.csv or "
                    "watchlist.csv"
                ),
            }
        yield record_of(values, number, zone)


def _place(part: Part) -> tuple[list[str], str]:
    *folders, name = part.name.casefold().replace("\\", "/").split("/")
    return folders, name
