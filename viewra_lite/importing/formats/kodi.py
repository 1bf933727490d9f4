"""Kodi: the video library, exported to a single XML file."""

from __future__ import annotations

import xml.parsers.expat
from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ...errors import InvalidValueError
from ..reading import Part
from ..record import WatchedRecord, record_of

NAME = "kodi"
TITLE = "Kodi's video library"

_ENTRIES = {"movie", "tvshow", "episodedetails", "musicvideo"}
_ELEMENTS = {
    "title",
    "showtitle",
    "year",
    "season",
    "episode",
    "playcount",
    "lastplayed",
    "uniqueid",
    "filenameandpath",
    "position",
    "id",
}
_DEEPEST = 50
_LONGEST = 10_000  # characters of a text
_PIECE = 1 << 20
_ID_NAMES = {"tmdb": "tmdb_id", "themoviedb": "tmdb_id", "imdb": "imdb_id", "tvdb": "tvdb_id"}


def recognises(part: Part) -> bool:
    """Whether a file is a <videodb>."""
    return part.kind == "xml" and b"<videodb" in part.content[:4096]


def records(part: Part, zone: tzinfo) -> Iterator[WatchedRecord]:
    """Yield each movie and episode: its `playcount`, and its resume position.

    Raises InvalidValueError if it is not valid XML, or has a DOCTYPE.
    """
    number = 0
    for values in _Reader(part.label).entries(part.content):
        number += 1
        for row in _rows(values):
            yield record_of(row, number, zone)


class _Reader:
    """Collects the needed elements of each entry and discards the rest."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._open: list[str] = []
        self._entries: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._length = 0
        self._id_type = ""

    def entries(self, content: bytes) -> Iterator[dict[str, Any]]:
        """Yield the elements of each movie and episode."""
        parser = xml.parsers.expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            for start in range(0, len(content), _PIECE):
                parser.Parse(content[start : start + _PIECE], False)
                yield from self._taken()
            parser.Parse(b"", True)
        except (xml.parsers.expat.ExpatError, ValueError, LookupError) as exc:
            raise InvalidValueError(
                f"{self._label}, line {parser.CurrentLineNumber}: is not valid XML: export it again"
            ) from exc
        yield from self._taken()

    def _taken(self) -> list[dict[str, Any]]:
        found, self._found = self._found, []
        return found

    def _refuse(self, *_: object) -> None:
        raise ValueError("a DOCTYPE")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise ValueError("nested too deeply")
        self._open.append(name)
        if name in _ENTRIES:
            self._entries.append({"element": name, "ids": {}})
        self._text, self._length = [], 0
        self._id_type = attributes.get("type", "") if name == "uniqueid" else ""

    def _characters(self, text: str) -> None:
        if self._length < _LONGEST and self._open[-1] in _ELEMENTS:
            self._text.append(text)
            self._length += len(text)

    def _end(self, name: str) -> None:
        self._open.pop()
        if name in _ENTRIES and self._entries:
            entry = self._entries.pop()
            if name in ("movie", "episodedetails"):
                shows = [each for each in self._entries if each["element"] == "tvshow"]
                self._found.append({**entry, "show": shows[-1] if shows else {}})
        elif name in _ELEMENTS and self._entries:
            parent = self._open[-1] if self._open else ""
            if parent in _ENTRIES or (name == "position" and parent == "resume"):
                self._note(name, "".join(self._text).strip())
        self._text = []

    def _note(self, name: str, text: str) -> None:
        entry = self._entries[-1]
        if name == "uniqueid":
            if known := _ID_NAMES.get(self._id_type.casefold()):
                entry["ids"][known] = text
        elif text:
            entry.setdefault(name, text)


def _rows(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of an entry: its plays and its resume position, or that it is unwatched."""
    values = _named(entry)
    last, position = entry.get("lastplayed"), entry.get("position")
    is_begun = position is not None and position.strip("0.") != ""
    if entry.get("playcount", "0").strip("0") != "":
        # With a resume position, `lastplayed` is the time of that, not of a complete play.
        yield {
            **values,
            "completed": True,
            "play_count": entry["playcount"],
            "watched_at": None if is_begun else last,
        }
    elif not is_begun:
        yield {**values, "completed": False}
    if is_begun:
        yield {
            **values,
            "completed": None if entry.get("playcount") else False,
            "position": position,
            "watched_at": last,
        }


def _named(entry: dict[str, Any]) -> dict[str, Any]:
    values = {
        "title": entry.get("title"),
        "path": entry.get("filenameandpath"),
        "kind": "movie" if entry["element"] == "movie" else "episode",
        **entry["ids"],
    }
    year = entry.get("year", "").strip("0") and entry.get("year")
    if entry["element"] == "movie":
        return {**values, "year": year}
    show = entry["show"]
    return {
        **values,
        "show": entry.get("showtitle") or show.get("title"),
        "year": show.get("year"),
        "season": entry.get("season"),
        "episode": entry.get("episode"),
        **{f"show_{name}": id for name, id in show.get("ids", {}).items()},
    }
