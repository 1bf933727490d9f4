"""Our own format: CSV with a header line, or a JSON list of objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ...errors import InvalidValueError
from ..reading import Part
from ..record import COLUMNS, IDS, WatchedRecord, record_of

NAME = "flat"
TITLE = "a CSV or JSON list of plays"

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
    """Whether a file has a column for a title, show, path or id, or is JSON."""
    if part.kind == "table":
        return bool(_SUBJECTS & set(part.header))
    return part.kind == "json"


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each row; raises InvalidValueError if the file does not have this format."""
    if part.kind == "xml":
        raise InvalidValueError(
            f"{part.label}: is XML of an unknown program: only Kodi's library, exported to a "
            "single file, is supported"
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
                    f"has {len(cells)} columns, but the first line names {len(header)}: put a "
                    "value that contains the separator in double quotes"
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
            f"{place}: no column identifies a title: the first line must name title, show "
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
        f"{label}: contains an object with {len(lists)} lists: provide a list of objects, one for "
        "each play, or an object with one such list"
    )


def _row(values: dict[str, Any], number: int, zone: tzinfo) -> WatchedRecord:
    """Return the record of a row; its columns `status` and `watched_status` are considered."""
    status = values.get("status")
    words = status.strip().casefold().replace("_", " ") if isinstance(status, str) else ""
    derived: dict[str, Any] = {}
    if words in _NOT_WATCHED:
        derived["left_out"] = f"its status is {words}"
    elif words in _WATCHED:
        derived["completed"] = True
    elif words in _BEGUN:
        derived["completed"] = False
    if str(values.get("watched_status", "")).strip():  # Tautulli's column: only 1 is watched
        derived["completed"] = str(values["watched_status"]).strip() in ("1", "1.0")
    return record_of({**derived, **values} if derived else values, number, zone)
