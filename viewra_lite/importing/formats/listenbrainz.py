"""ListenBrainz: the ZIP of its export, a file from it, or a response of its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part, objects, pick
from ..record import WatchedRecord, record_of

NAME = "listenbrainz"
TITLE = "ListenBrainz's export"


def recognises(part: Part) -> bool:
    """Whether a file is a list of listens."""
    first = next(iter(_listens(part)[:1]), {}) if part.kind == "json" else {}
    return "track_metadata" in first and "listened_at" in first


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each listen: a track with the time of its play."""
    for number, listen in enumerate(_listens(part), 1):
        yield record_of(_row(listen), number, zone)


def _listens(part: Part) -> list[dict[str, Any]]:
    document = part.document
    if isinstance(document, dict) and "track_metadata" in document:
        return [document]  # JSON lines with a single line
    for found in (document, pick(document, "payload", "listens"), pick(document, "payload")):
        if isinstance(found, list):
            return objects(found)
    return []


def _row(listen: dict[str, Any]) -> dict[str, Any]:
    track = listen.get("track_metadata")
    ids = (
        pick(track, "mbid_mapping", "recording_mbid"),
        pick(track, "additional_info", "recording_mbid"),
    )
    return {
        "kind": "track",
        "title": pick(track, "track_name"),
        "artist": pick(track, "artist_name"),
        "album": pick(track, "release_name"),
        "watched_at": listen.get("listened_at"),
        "musicbrainz_id": next(filter(None, ids), None),
        "completed": True,
        "user": listen.get("user_name"),
    }
