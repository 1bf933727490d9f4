"""Simkl: its backup as JSON or as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part, objects, pick
from ..record import WatchedRecord, record_of

NAME = "simkl"
TITLE = "Simkl's backup"

_LISTS = ("movies", "shows", "anime")
_DAY_FIRST = re.compile(r"(\d\d)[-./](\d\d)[-./](\d{4})(?: (\d\d:\d\d(?::\d\d)?))?", re.ASCII)
_EPISODE = re.compile(r"S?0*(\d{1,4})[Ex]0*(\d{1,5})", re.IGNORECASE | re.ASCII)


def recognises(part: Part) -> bool:
    """Whether a file is a backup: lists of movies, shows and anime, or its columns."""
    if part.kind == "table":
        return {"simkl_id", "watchlist"} <= set(part.header)
    document = part.document if part.kind == "json" else None
    if not isinstance(document, dict):
        return False
    entries = [entry for name in _LISTS for entry in objects(document.get(name))[:1]]
    return any("status" in entry and _thing(entry) is not None for entry in entries)


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each watched movie and episode, and the planned ones as left out."""
    if part.kind == "table":
        for number, row in part.rows():
            yield record_of(_of_line(row), number, zone)
        return
    number = 0
    for name in _LISTS:
        for entry in objects(pick(part.document, name)):
            number += 1
            for values in _of_entry(entry):
                yield record_of(values, number, zone)


# JSON


def _thing(entry: dict[str, Any]) -> Any:
    return next((entry[noun] for noun in ("movie", "show", "anime") if noun in entry), None)


def _of_entry(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    thing, status = _thing(entry), entry.get("status")
    is_movie = "movie" in entry or pick(entry, "anime_type") == "movie"
    prefix = "" if is_movie else "show_"
    ids = {f"{prefix}{name}_id": pick(thing, "ids", name) for name in ("tmdb", "imdb", "tvdb")}
    names = {
        "title" if is_movie else "show": pick(thing, "title"),
        "year": pick(thing, "year"),
        **ids,
        "kind": "movie" if is_movie else "episode",
    }
    watched = [] if is_movie else list(_watched(entry))
    if is_movie and status == "completed":
        yield {**names, "completed": True, "watched_at": entry.get("last_watched_at")}
    elif watched:
        for values in watched:
            yield {**names, **values}
    else:
        yield {**names, "left_out": _why_not(status, is_movie)}


def _watched(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the episodes marked as watched; a backup may list the others too."""
    every = [
        (season.get("number"), episode)
        for season in objects(entry.get("seasons"))
        for episode in objects(season.get("episodes"))
    ]
    dated = any(episode.get("watched_at") for _, episode in every)
    are_all = not dated and len(every) == entry.get("watched_episodes_count")
    for season, episode in every:
        if are_all or episode.get("watched_at") or episode.get("watched") is True:
            yield {
                "season": season,
                "episode": episode.get("number"),
                "completed": True,
                "watched_at": episode.get("watched_at"),
            }


def _why_not(status: object, is_movie: bool) -> str:
    if status == "plantowatch":
        return "is planned"
    if status == "completed" and not is_movie:
        return "is a completed show, but its episodes are not listed"
    return f"its status is {str(status)[:20]}, and no episode is marked as watched"


# CSV


def _of_line(row: dict[str, str]) -> dict[str, Any]:
    is_movie = row.get("type", "").strip().casefold() == "movie"
    prefix = "" if is_movie else "show_"
    status = row.get("watchlist", "").strip().casefold()
    values: dict[str, Any] = {
        "kind": "movie" if is_movie else "episode",
        "year": row.get("year"),
        "title" if is_movie else "show": row.get("title"),
        "watched_at": _moment(row.get("watcheddate") or row.get("watched_date") or ""),
        **{f"{prefix}{name}_id": row.get(name) for name in ("tmdb", "imdb", "tvdb")},
    }
    last = _EPISODE.search(row.get("lastepwatched", ""))
    if is_movie and status == "completed":
        values["completed"] = True
    elif not is_movie and last is not None and status != "plantowatch":
        values |= {"season": last[1], "episode": last[2], "completed": True}
    else:
        values["left_out"] = _why_not(status, is_movie)
    return values


def _moment(text: str) -> str:
    """Return a time in ISO 8601; Simkl puts the day first."""
    found = _DAY_FIRST.fullmatch(text.strip())
    if found is None:
        return text
    return f"{found[3]}-{found[2]}-{found[1]}" + (f" {found[4]}" if found[4] else "")
