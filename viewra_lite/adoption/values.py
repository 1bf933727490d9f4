"""Reads values that other programs have stored, in the many forms that they use.

A reader takes a value from SQLite (None, int, float, text or bytes) and returns the form that our
column stores, or None for no value. Otherwise it raises ValueError with the reason.
"""

from __future__ import annotations

import json
import math
import ntpath
import posixpath
import re
from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import Any

from ..database.moments import since_epoch, written
from ..database.orm.fields import stored_path, timestamp_text

_TRUE = frozenset(("true", "t", "yes", "y", "on"))
_FALSE = frozenset(("false", "f", "no", "n", "off"))

_NEVER = 1  # the year of Go's zero time, which GORM stores for "no time"

SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "media_libraries.type": {
        "movies": "movie",
        "film": "movie",
        "films": "movie",
        "video": "movie",
        "videos": "movie",
        "show": "tv",
        "shows": "tv",
        "series": "tv",
        "tvshow": "tv",
        "tvshows": "tv",
        "television": "tv",
        "audio": "music",
        "song": "music",
        "songs": "music",
        "album": "music",
        "albums": "music",
    },
    "tv_shows.status": {
        "cancelled": "canceled",
        "returningseries": "continuing",
        "returning": "continuing",
        "running": "continuing",
        "inproduction": "continuing",
        "finished": "ended",
    },
    "playback_sessions.method": {
        "directplay": "direct",
        "transcoding": "transcode",
        "transcoded": "transcode",
        "directstream": "remux",
        "remuxing": "remux",
        "remuxed": "remux",
        "copy": "remux",
    },
    "playback_sessions.state": {
        "active": "playing",
        "play": "playing",
        "pause": "paused",
        "start": "starting",
        "buffering": "playing",
        "stop": "stopped",
        "ended": "stopped",
        "closed": "stopped",
        "inactive": "stopped",
        "idle": "stopped",
        "complete": "completed",
        "done": "completed",
        "finished": "completed",
        "error": "failed",
        "timeout": "expired",
        "timedout": "expired",
    },
    "transcode_sessions.status": {
        "queued": "pending",
        "waiting": "pending",
        "new": "pending",
        "active": "running",
        "processing": "running",
        "inprogress": "running",
        "transcoding": "running",
        "started": "running",
        "complete": "completed",
        "done": "completed",
        "finished": "completed",
        "success": "completed",
        "error": "failed",
        "errored": "failed",
        "failure": "failed",
        "canceled": "cancelled",
        "aborted": "cancelled",
        "stopped": "cancelled",
    },
}


def path(value: object) -> str | None:
    """Return a path as `stored_path` stores it."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return stored_path(str(value)) if value is not None else None


def text(value: object) -> str | None:
    """Return text; bytes that are not UTF-8 are escaped as in `stored_path`."""
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    found = str(value)
    if "\0" in found:
        raise ValueError("it contains the NUL character, which PostgreSQL refuses")
    if found.isascii() or not any("\ud800" <= char <= "\udfff" for char in found):
        return found
    return stored_path(found)


def whole_number(value: object, *, bits: int = 63) -> int | None:
    """Return an integer; a fraction is rounded."""
    found = number(value)
    if found is None:
        return None
    whole = found if isinstance(found, int) else round(found)
    if not -(1 << bits) <= whole < 1 << bits:
        raise ValueError(f"it needs more than {bits + 1} bits")
    return whole


def number(value: Any) -> float | int | None:
    """Return a finite number; empty text is None."""
    if isinstance(value, (str, bytes)):
        stripped = (text(value) or "").strip()
        if not stripped:
            return None
        try:
            value = float(stripped) if not re.fullmatch(r"[+-]?\d+", stripped) else int(stripped)
        except ValueError:
            raise ValueError("it is not a number") from None
    if value is not None and not math.isfinite(value):
        raise ValueError("it is not a finite number")
    found: float | int | None = value
    return found


def share(value: object) -> float | None:
    """Return a share, 0.0 to 1.0; a number above 1 is taken for a percentage."""
    found = number(value)
    if found is None:
        return None
    if not 0 <= found <= 100:
        raise ValueError("it is neither a share (0 to 1) nor a percentage (to 100)")
    return found / 100 if found > 1 else float(found)


def truth(value: object) -> int | None:
    """Return 0 or 1."""
    word = (text(value) or "").strip().lower()
    if word in _TRUE or word in _FALSE:
        return int(word in _TRUE)
    found = number(value)
    return None if found is None else int(found != 0)


def moment(value: object) -> str | None:
    """Return the stored form of a time; a time without a zone is UTC, Go's zero time is None."""
    try:
        epoch = number(value)
    except ValueError:
        found = _written_moment(text(value) or "")
    else:
        found = None if epoch is None else _since_epoch(epoch)
    return timestamp_text(found) if found is not None else None


def _since_epoch(epoch: float | int) -> datetime:
    try:
        return since_epoch(epoch)
    except ValueError:
        raise ValueError("it is not a time") from None


def _written_moment(text: str) -> datetime | None:
    found = written(text)
    if found is None:
        raise ValueError("it is not a time such as 2024-01-02 03:04:05+00:00")
    if found.moment.year <= _NEVER:
        return None
    moment = found.moment
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(
            timezone.utc
        )
    except OverflowError:
        raise ValueError("it is not a time") from None


def day(value: object) -> str | None:
    """Return a date as ISO text; for a year or a month, its first day."""
    dated = (text(value) or "").strip()
    if re.fullmatch(r"\d{4}(-\d\d)?", dated):
        dated = f"{dated}-01-01"[:10]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", dated):
        return date.fromisoformat(dated).isoformat() if int(dated[:4]) > _NEVER else None
    try:
        found = moment(value)
    except ValueError:
        raise ValueError("it is not a date such as 2024-01-02") from None
    # The day as written, whatever the zone.
    return (dated if re.match(r"\d{4}-\d\d-\d\d", dated) else found)[:10] if found else None


def json_text(value: object) -> str | None:
    """Return JSON text; text that is not JSON becomes a JSON string."""
    written = text(value)
    if written is None or not written.strip():
        return None
    return written if _is_json(written) else json.dumps(written, ensure_ascii=False)


def json_array(value: object) -> str | None:
    """Return a JSON array; text that is not JSON is split at its commas."""
    written = text(value)
    if written is None or not written.strip():
        return None
    if not _is_json(written):
        parts = [part.strip() for part in written.split(",")]
        return json.dumps([part for part in parts if part], ensure_ascii=False)
    found = json.loads(written)
    if found is None:
        return None
    return written if isinstance(found, (list, dict)) else json.dumps([found], ensure_ascii=False)


def _is_json(written: str) -> bool:
    try:
        json.loads(written, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def choice(column: str, allowed: tuple[str, ...], value: object) -> str | None:
    """Return one of the allowed words, from itself or a synonym; column is "table.column"."""
    written = (text(value) or "").strip().lower()
    if not written:
        return None
    bare = re.sub(r"[\s_-]+", "", written)
    found = written if written in allowed else SYNONYMS.get(column, {}).get(bare, bare)
    if found not in allowed:
        raise ValueError(f"it is not one of {', '.join(allowed)}")
    return found


def last_part(path: str) -> str:
    """Return a path's file name, for paths of POSIX and of Windows."""
    style = ntpath if path[1:3] == ":\\" or path[:2] == "\\\\" else posixpath
    return style.basename(path.rstrip("/")) or path


def year_of(date: str | None) -> int | None:
    """Return the year of an ISO date."""
    return int(date[:4]) if date else None
