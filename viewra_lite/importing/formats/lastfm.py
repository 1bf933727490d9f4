"""Last.fm: scrobbles as CSV, with or without a header line, or as JSON of its API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from ..reading import Part, objects, pick
from ..record import WatchedRecord, record_of

NAME = "lastfm"
TITLE = "Last.fm's scrobbles"

_WRITTEN = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4},? \d\d:\d\d")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def recognises(part: Part) -> bool:
    """Whether a file is a list of scrobbles."""
    if part.kind == "table":
        return {"uts", "artist", "track"} <= set(part.header) or _is_bare(part)
    first = next(iter(_scrobbles(part)[:1]), {}) if part.kind == "json" else {}
    return (
        "artist" in first
        and "name" in first
        and ("date" in first or pick(first, "@attr") is not None)
        and (isinstance(first["artist"], dict) or isinstance(first.get("date"), dict))
    )


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each scrobble: a track with the time of its play."""
    if part.kind != "table":
        rows = [_of_json(track) for track in _scrobbles(part)]
    elif _is_bare(part):
        rows = [_bare(cells) for _, cells in part.table]
    else:
        rows = [_of_line(row) for _, row in part.rows()]
    for number, values in enumerate(rows, 1):
        yield record_of({"kind": "track", "completed": True, **values}, number, zone)


def _is_bare(part: Part) -> bool:
    """Whether the table has no header line; its columns are artist, album, track, time."""
    first = part.text.lstrip("\r\n").partition("\n")[0].rstrip()
    last = first.rpartition(",")[2].strip('" ')
    return first.count(",") >= 3 and _WRITTEN.fullmatch(last) is not None


def _bare(cells: list[str]) -> dict[str, Any]:
    artist, album, track, moment = (*cells, "", "", "", "")[:4]
    return {"artist": artist, "album": album, "title": track, "watched_at": _moment(moment)}


def _of_line(row: dict[str, str]) -> dict[str, Any]:
    return {
        "artist": row.get("artist"),
        "album": row.get("album"),
        "title": row.get("track"),
        "musicbrainz_id": row.get("track_mbid"),
        "watched_at": row.get("uts") or _moment(row.get("utc_time", "")),
    }


def _moment(text: str) -> str:
    """Return "15 Jun 2007 22:30", which is UTC, in ISO 8601; other text unchanged."""
    words = text.replace(",", "").split()
    if not _WRITTEN.fullmatch(text.strip()) or words[1] not in _MONTHS:
        return text
    day, month, year, clock = words
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}T{clock}Z"


# JSON


def _scrobbles(part: Part) -> list[dict[str, Any]]:
    """Return the tracks of recenttracks, or of a list of its pages."""
    document = part.document
    pages = document if isinstance(document, list) else [document]
    found: list[dict[str, Any]] = []
    for page in pages:
        tracks = pick(page, "recenttracks", "track") or pick(page, "track")
        if isinstance(page, list) or isinstance(tracks, list):
            found += objects(page if isinstance(page, list) else tracks)
        elif isinstance(page, dict) and isinstance(document, list):
            found.append(page)
    return found


def _of_json(track: dict[str, Any]) -> dict[str, Any]:
    moment = pick(track, "date", "uts") or track.get("date")
    values = {
        "artist": _text(track.get("artist")),
        "album": _text(track.get("album")),
        "title": track.get("name"),
        "musicbrainz_id": track.get("mbid"),
        "watched_at": moment if not isinstance(moment, (dict, datetime)) else None,
    }
    if pick(track, "@attr", "nowplaying"):
        values["left_out"] = "was still playing"
    return values


def _text(value: object) -> Any:
    return (value.get("#text") or value.get("name")) if isinstance(value, dict) else value
