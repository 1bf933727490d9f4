"""Tautulli: the history of its API (get_history), or a CSV file with the same columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part, objects, pick
from ..record import WatchedRecord, record_of

NAME = "tautulli"
TITLE = "Tautulli's history"

_AGENT = re.compile(
    r"com\.plexapp\.agents\.(imdb|themoviedb|thetvdb)://(tt)?(\d{1,10})(?:/(\d+)/(\d+))?", re.ASCII
)


def recognises(part: Part) -> bool:
    """Whether a file has rows with watched_status and media_type."""
    if part.kind == "table":
        return {"watched_status", "media_type"} <= set(part.header)
    first = next(iter(_entries(part)[:1]), {}) if part.kind == "json" else {}
    return "watched_status" in first and "media_type" in first


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each row: watched only if watched_status is 1, else up to its percentage."""
    rows = part.rows() if part.kind == "table" else enumerate(_entries(part), 1)
    for number, entry in rows:
        yield record_of(_row(entry), number, zone)


def _entries(part: Part) -> list[dict[str, Any]]:
    document = part.document
    for names in (("response", "data", "data"), ("data", "data"), ("data",)):
        found = pick(document, *names)
        if isinstance(found, list):
            return objects(found)
    return objects(document)


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    kind = entry.get("media_type")
    values = {
        "user": entry.get("user") or entry.get("friendly_name"),
        "kind": kind,
        "title": entry.get("title"),
        "watched_at": entry.get("started") or entry.get("date"),
        "percent": entry.get("percent_complete"),
        "watched_s": entry.get("play_duration") or entry.get("duration"),
        "completed": str(entry.get("watched_status")).strip() in ("1", "1.0"),
        "path": entry.get("file"),
    }
    if kind == "episode":
        values |= {
            "show": entry.get("grandparent_title"),
            "season": entry.get("parent_media_index"),
            "episode": entry.get("media_index"),
            "year": entry.get("year"),
        }
    elif kind == "track":
        values |= {"artist": entry.get("grandparent_title"), "album": entry.get("parent_title")}
    elif kind == "movie":
        values["year"] = entry.get("year")
    else:
        values["left_out"] = "is neither a movie, an episode nor a track"
    return values | _ids(entry.get("guid"), kind)


def _ids(guid: object, kind: object) -> dict[str, Any]:
    """Return the external id in the guid of a Plex agent; for an episode it is the show's."""
    found = _AGENT.match(guid) if isinstance(guid, str) else None
    if found is None:
        return {}
    agent, letters, digits = found[1], found[2], found[3]
    name = {"imdb": "imdb_id", "themoviedb": "tmdb_id", "thetvdb": "tvdb_id"}[agent]
    prefix = "show_" if kind == "episode" else ""
    return {prefix + name: f"tt{digits}" if agent == "imdb" and letters else digits}
