"""Our own format: CSV whose first line names the columns, or JSON that is a list of objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ...errors import InvalidValueError
from ..reading import Part
from ..record import COLUMNS, IDS, WatchedRecord, record_of

NAME = "flat"
TITLE = "a CSV or JSON list of what was watched"

_KNOWN = {alias for aliases in COLUMNS.values() for alias in aliases}
_SUBJECTS = {alias for name in ("title", "show", "path", *IDS) for alias in COLUMNS[name]}
_WATCHED = {"watched", "completed", "finished", "seen"}
_NOT_WATCHED = {
    "planned",
    "planning",
    "plan",
    "plantowatch",
    "plan to watch",
    "watchlist",
    "wishlist",
    "unwatched",
    "dropped",
    "paused",
    "hold",
    "on hold",
    "todo",
    "to watch",
}
_BEGUN = {"watching", "in progress", "started"}


def recognises(part: Part) -> bool:
    """Whether a file has a column or a name that says what was watched."""
    if part.kind == "table":
        return bool(_SUBJECTS & set(part.header))
    return part.kind == "json"


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each row; raises InvalidValueError where the file is none of this format."""
    if part.kind == "xml":
        raise InvalidValueError(
            f"{part.label}: is XML of no known program: Kodi's library, exported to one file, is"
        )
    return (_of_json if part.kind == "json" else _of_table)(part, zone)


def _of_table(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    if not part.table:
        raise InvalidValueError(
            f"{part.label}: is empty: its first line must name the columns, such as user,title,year"
        )
    header = part.header
    _check_header(header, f"{part.label}, line {part.table[0][0]}")
    for number, cells in part.table[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            yield WatchedRecord(
                number,
                problem=(
                    f"has {len(cells)} columns where the first line names {len(header)}: put a "
                    "value that holds the divider in double quotes"
                ),
            )
        else:
            yield _row(dict(zip(header, cells)), number, zone)


def _check_header(header: list[str], place: str) -> None:
    for column, name in enumerate(header, 1):
        first = header.index(name) + 1
        if name in _KNOWN and first != column:
            raise InvalidValueError(
                f"{place}: columns {first} and {column} are both {name!r}: rename or remove one"
            )
    if not _SUBJECTS & set(header):
        raise InvalidValueError(
            f"{place}: no column says what was watched: the first line must name title, show "
            "(with season and episode), path or an id"
        )


def _of_json(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    for number, entry in enumerate(_entries(part.document, part.label), 1):
        if isinstance(entry, dict):
            yield _row(entry, number, zone)
        else:
            yield WatchedRecord(number, problem="is not an object with names and values")


def _entries(document: Any, label: str) -> list[Any]:
    if isinstance(document, list):
        return document
    lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) == 1:
        return lists[0]
    raise InvalidValueError(
        f"{label}: holds an object with {len(lists)} lists: give a list of objects, one for each "
        "play, or an object with one such list in it"
    )


def _row(values: dict[str, Any], number: int, zone: tzinfo) -> WatchedRecord:
    """Return a row; what its columns `status` and `watched_status` say is believed."""
    status = values.get("status")
    words = status.strip().casefold().replace("_", " ") if isinstance(status, str) else ""
    told: dict[str, Any] = {}
    if words in _NOT_WATCHED:
        told["left_out"] = f"its status is {words}"
    elif words in _WATCHED:
        told["completed"] = True
    elif words in _BEGUN:
        told["completed"] = False
    if str(values.get("watched_status", "")).strip():  # Tautulli's word: only 1 is watched
        told["completed"] = str(values["watched_status"]).strip() in ("1", "1.0")
    return record_of({**told, **values} if told else values, number, zone)
