"""IMDb: the CSV files of ratings, of the watchlist and of other lists.

A rated title has been watched, at an unknown time. A title in a list may not have been watched; the
list's `Position` is the rank in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "imdb"
TITLE = "IMDb's ratings or a list"

_MOVIES = {
    "movie",
    "tvmovie",
    "short",
    "tvshort",
    "video",
    "tvspecial",
    "featurefilm",
    "musicvideo",
}


def recognises(part: Part) -> bool:
    """Whether a file has IMDb's columns."""
    return (
        part.kind == "table"
        and {"const", "title"} <= set(part.header)
        and bool({"title_type", "your_rating", "you_rated"} & set(part.header))
    )


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each title: watched and undated if it is rated, else left out."""
    for number, row in part.rows():
        yield record_of(_row(row), number, zone)


def _row(row: dict[str, str]) -> dict[str, Any]:
    kind = row.get("title_type", "movie").casefold().replace(" ", "").replace("-", "")
    rating = (row.get("your_rating") or row.get("you_rated") or "").strip()
    values: dict[str, Any] = {
        "imdb_id": row.get("const"),
        "title": row.get("title"),
        "year": row.get("year"),
        "kind": "movie",
        "completed": True,
    }
    if kind == "tvepisode":
        values |= {"kind": "episode", "year": None}
    elif kind not in _MOVIES:
        values |= {
            "kind": None,
            "left_out": f"is a {row.get('title_type', '')[:20]}: its episodes are not listed",
        }
    if not rating:
        values |= {"completed": None, "left_out": "is in a list but not rated"}
    return values
