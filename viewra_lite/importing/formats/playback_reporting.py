"""The backup of Jellyfin's and Emby's plugin Playback Reporting: tab-separated, no header line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "playback-reporting"
TITLE = "the backup of Playback Reporting (Jellyfin, Emby)"

_LINE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\t]*\t[^\t]*\t[^\t]*\t[A-Za-z]+\t", re.ASCII
)
_EPISODE = re.compile(r"(.+?) - s(\d{1,4})e(\d{1,4})(?: - (.*))?", re.IGNORECASE | re.DOTALL)
_SONG = re.compile(r"(.+?) - (.+?)(?: \(([^()]*)\))?", re.DOTALL)
_AFTER_NAME = 4  # columns: method, client, device, duration; Emby has three more
_EMBY_COLUMNS = 12
_LONGEST_S = 86_400


def recognises(part: Part) -> bool:
    """Whether the first line has the plugin's columns: time, user, item, type."""
    return part.kind == "table" and _LINE.match(part.text.lstrip("\r\n")) is not None


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each play with its duration; the position is not in the file."""
    for number, line in enumerate(part.lines, 1):
        cells = line.split("\t")
        if len(cells) >= 5 + _AFTER_NAME:
            yield record_of(_row(cells), number, zone)
        elif line.strip():
            yield WatchedRecord(number, problem=f"has {len(cells)} columns, not 9")


def _row(cells: list[str]) -> dict[str, Any]:
    after = _AFTER_NAME + (3 if len(cells) == _EMBY_COLUMNS else 0)
    kind, name = cells[3], "\t".join(cells[4:-after]).strip()
    seconds = cells[len(cells) - after + 3].strip()
    values: dict[str, Any] = {
        "user": cells[1],
        "watched_at": cells[0],
        "kind": kind,
        "title": name,
        "watched_s": seconds,
    }
    if not seconds.isdigit() or int(seconds) > _LONGEST_S:
        values |= {"watched_s": None, "left_out": f"has an invalid duration, {seconds[:20]} s"}
    if kind == "Episode" and (episode := _EPISODE.fullmatch(name)):
        values |= {
            "show": episode[1],
            "season": episode[2],
            "episode": episode[3],
            "title": episode[4],
        }
    elif kind == "Audio" and (song := _SONG.fullmatch(name)):
        values |= {"artist": song[1], "title": song[2], "album": _known(song[3])}
    elif kind not in ("Movie", "Episode", "Audio"):
        values["left_out"] = "is neither a movie, an episode nor a track"
    return values


def _known(text: str | None) -> str | None:
    return None if text == "Not Known" else text
