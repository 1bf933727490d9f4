"""Trakt: the ZIP of its export, or one of the JSON files in it.

watched-history lists plays, watched-movies and watched-shows sum them up, watched-playback has
resume positions, lists-watchlist planned titles.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part, objects, pick
from ..record import WatchedRecord, record_of

NAME = "trakt"
TITLE = "Trakt's export"

_TIMES = ("watched_at", "last_watched_at", "paused_at", "listed_at")


def recognises(part: Part) -> bool:
    """Whether a file is a list of movies or shows with Trakt's ids and a time."""
    if part.kind != "json":
        return False
    first = next(iter(objects(part.document)[:1]), None)
    if first is None or not any(name in first for name in _TIMES):
        return False
    return any("trakt" in (pick(first, noun, "ids") or ()) for noun in ("movie", "show"))


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield plays, positions and plans; in a summary only the last play has a time."""
    for number, entry in enumerate(objects(part.document), 1):
        if isinstance(entry.get("seasons"), list):
            for values in _episodes(entry):
                yield record_of(values, number, zone)
        else:
            yield record_of(_row(entry), number, zone)


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    values = _subject(entry)
    if "listed_at" in entry:
        values["left_out"] = "is on the watchlist"
    elif "paused_at" in entry:
        values |= {
            "percent": entry.get("progress"),
            "watched_at": entry["paused_at"],
            "completed": False,
        }
    else:
        values |= {
            "watched_at": entry.get("watched_at") or entry.get("last_watched_at"),
            "completed": True,
        }
        if "show" in values and "episode" not in values:
            values["left_out"] = "names a show and none of its episodes"
    return values


def _subject(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what an entry is about: a movie, or an episode of a show."""
    movie, show, episode = entry.get("movie"), entry.get("show"), entry.get("episode")
    if isinstance(movie, dict):
        return {
            "kind": "movie",
            "title": movie.get("title"),
            "year": movie.get("year"),
            **_ids(movie),
        }
    if not isinstance(episode, dict):
        return _show(show)
    return {
        **_show(show),
        "title": episode.get("title"),
        "season": episode.get("season"),
        "episode": episode.get("number"),
        **_ids(episode),
    }


def _show(show: object) -> dict[str, Any]:
    return {
        "kind": "episode",
        "show": pick(show, "title"),
        "year": pick(show, "year"),
        **_ids(show, "show_"),
    }


def _ids(thing: object, prefix: str = "") -> dict[str, Any]:
    """Return the ids of a movie, a show or an episode that this store knows as well."""
    ids = pick(thing, "ids")
    return {f"{prefix}{name}_id": pick(ids, name) for name in ("tmdb", "imdb", "tvdb")}


def _episodes(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for season in objects(entry["seasons"]):
        for episode in objects(season.get("episodes")):
            yield {
                **_show(entry.get("show")),
                "season": season.get("number"),
                "episode": episode.get("number"),
                "completed": True,
                "watched_at": episode.get("last_watched_at"),
            }
