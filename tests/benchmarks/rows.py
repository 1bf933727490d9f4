"""The rows that the stores are filled with: the same for everybody, computed from their number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import count
from os import urandom
from time import time_ns
from typing import Any

KNOWN, SCANNED = "library-known", "library-scanned"
ROOTS = {KNOWN: "/media/known", SCANNED: "/media/scanned"}
SPACING_S = 60  # seconds between two plays
_BEGAN = datetime(2020, 1, 1, tzinfo=timezone.utc)
_OVERVIEW = "Somebody wants something, somebody else is against it, and in the end it rains. " * 4
_numbers = count()


def text(moment: datetime) -> str:
    """Return a moment as the store keeps it."""
    return moment.isoformat(" ", "microseconds")


def now_text() -> str:
    """Return the time as the store keeps it."""
    return datetime.now(timezone.utc).isoformat(" ", "microseconds")


def new_id() -> str:
    """Return an id that sorts as time does, as those of the store."""
    time, number = f"{time_ns() // 1_000_000:012x}", next(_numbers)
    return (
        f"{time[:8]}-{time[8:]}-7{number >> 28 & 0xFFF:03x}-8{number >> 16 & 0xFFF:03x}-"
        f"{number & 0xFFFF:04x}{urandom(4).hex()}"
    )


def number_id(kind: str, number: int) -> str:
    """Return the id of a row of the filled store."""
    return f"{number:08x}-{kind}"


def user(number: int) -> str:
    """Return a user's id."""
    return f"user-{number}"


def title(number: int) -> str:
    """Return a movie's title: one word of its own, others that several share."""
    return f"Title {number:08} of {_word(number)} and {_word(number // 7)}"


def _word(number: int) -> str:
    return _word_of(number * 7919 % 10_000)


@lru_cache(maxsize=None)
def _word_of(number: int) -> str:
    syllables = ("ba", "do", "ki", "lu", "me", "no", "ra", "si", "to", "ve")
    return "".join(syllables[int(digit)] for digit in f"{number:04}")


def fact(number: int, root: str) -> tuple[Any, ...]:
    """Return what a scan tells of a file, in the order of tables.FACTS."""
    from hashlib import sha256  # not at the top: see contender.py

    name = title(number)
    return (
        f"{root}/{name[:9]}/{name} (1999).mkv",
        4_000_000_000 + number,
        1_600_000_000 * 10**9 + number,
        "video/x-matroska",
        "matroska",
        5400.5 + number % 3600,
        1920,
        1080,
        "h264",
        "aac",
        sha256(f"{root}{number}".encode()).hexdigest(),
        f"movie:{root[7:]} {number:08}:1999",
    )


@lru_cache(maxsize=2)
def facts(count: int, root: str) -> list[tuple[Any, ...]]:
    """Return what a scan tells of a library, in the order of a walk."""
    return [fact(number, root) for number in range(count)]


def libraries() -> Iterator[dict[str, Any]]:
    """Yield the libraries that are in every store."""
    for id, root in ROOTS.items():
        yield {
            "id": id,
            "name": id,
            "path": root,
            "type": "movie",
            "scan_interval": 3600,
            "last_scan": None,
            "created_at": text(_BEGAN),
            "updated_at": text(_BEGAN),
        }


def file(number: int) -> dict[str, Any]:
    """Return a row of the known library."""
    path, size, modified_ns, mime, container, *rest, fingerprint, identity = fact(
        number, ROOTS[KNOWN]
    )
    duration, width, height, video, audio = rest
    return {
        "id": number_id("file", number),
        "library_id": KNOWN,
        "path": path,
        "filename": path.rpartition("/")[2],
        "size": size,
        "mime_type": mime,
        "container": container,
        "duration": duration,
        "width": width,
        "height": height,
        "video_codec": video,
        "audio_codec": audio,
        "created_at": text(_BEGAN),
        "updated_at": text(_BEGAN),
        "modified_ns": modified_ns,
        "fingerprint": fingerprint,
        "identity": identity,
        "status": "present",
        "missing_since": None,
        "probe_state": "done",
        "error": None,
        "disproved_duration": None,
        **dict.fromkeys(("bit_rate", "hdr", "edition", "part", "source")),
    }


def work(number: int) -> dict[str, Any]:
    """Return what a file of the known library is a file of."""
    return {
        "id": number_id("work", number),
        "kind": "movie",
        "key": f"movie:known {number:08}:1999",
    }


def work_file(number: int) -> dict[str, Any]:
    """Return the row that says so."""
    return {"media_file_id": number_id("file", number), "work_id": number_id("work", number)}


def movie(number: int) -> dict[str, Any]:
    """Return the movie of a file of the known library; by title they sort as their numbers."""
    name = title(number)
    return {
        "id": number_id("movie", number),
        "library_id": KNOWN,
        "media_file_id": number_id("file", number),
        "work_id": number_id("work", number),
        "identity": f"movie:known {number:08}:1999",
        "title": name,
        "sort_title": name.lower(),
        "year": 1999,
        "original_title": None,
        "overview": _OVERVIEW,
        "release_date": "1999-05-01",
        "runtime": 117,
        "genres": json.dumps(["Drama", "Comedy", f"Genre {number % 20}"]),
        "director": f"{_word(number // 3)} {_word(number // 5)}",
        "cast": json.dumps(
            [
                {"name": f"{_word(number + n)} {_word(number // (n + 2))}", "role": f"Role {n}"}
                for n in range(8)
            ]
        ),
        "rating": 7.25,
        "poster_path": f"/posters/{number}.jpg",
        "backdrop_path": None,
        "tmdb_id": number,
        "imdb_id": f"tt{number:08}",
        "cleared": None,
        **dict.fromkeys(("tagline", "content_rating", "logo_path", "thumb_path", "sources")),
        "created_at": text(_BEGAN),
        "updated_at": text(_BEGAN),
    }


def play(number: int, users: int, files: int) -> dict[str, Any]:
    """Return a play; users take turns, and a higher number is later."""
    name = title(number % files)
    return {
        "id": number_id("play", number),
        "user_id": user(number % users),
        "media_file_id": number_id("file", number * 31 % files),
        "played_at": text(_BEGAN + timedelta(seconds=SPACING_S * number)),
        "duration_watched": 5400 + number % 100,
        "completed": 1,
        "kind": "movie",
        "title": name,
        "top_title": name,
        "device_id": "device-1",
        "method": "direct",
    }


def latest_plays(number: int, plays: int, users: int, limit: int) -> list[int]:
    """Return the numbers of a user's latest plays, the latest first."""
    last = (plays - 1 - number) // users * users + number
    return list(range(last, -1, -users))[:limit]


def session(id: str, number: int, now: str) -> dict[str, Any]:
    """Return a session that plays the file of a number, by a user of its own."""
    return {
        "id": id,
        "media_file_id": number_id("file", number),
        "user_id": f"viewer-{number}",
        "device_id": None,
        "method": "direct",
        "state": "playing",
        "position": 0.0,
        "duration": 1_000_000.0,
        "start_time": now,
        "last_activity": now,
        "end_time": None,
        "reported_at": None,
        "watched": 0.0,
        "completed": 0,
        "kind": "movie",
        "title": title(number),
        "top_title": title(number),
    }


# What the store remembers of one who began: a first report leaves the state before it for undo.
FIRST_STATE = [
    {
        "position": 0.0,
        "duration": None,
        "completed": False,
        "marked": False,
        "last_played_at": None,
        "replaced_at": text(_BEGAN),
        "by": None,
    }
]
