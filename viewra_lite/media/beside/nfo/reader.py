"""Reading nfo files, also such as are not valid.

The format is Kodi's: one XML root for each title, a line with an address of imdb.com,
themoviedb.org or thetvdb.com after it or instead of it. Watch state in it is not taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from .fields import album, episode, movie, season, show
from .values import whole
from .xml import Element, Refused, decoded, parsed

LARGEST_BYTES = 1024 * 1024
Kind = Literal["movie", "show", "season", "episode", "album", "link"]


@dataclass(frozen=True, slots=True)
class Nfo:
    """What one root of a file says: values and pictures by the names of our columns.

    A picture is an address, which counts where no picture is beside the file. A link has only
    external ids; `of` is the kind of title that its address names, if it does.
    """

    kind: Kind
    values: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)
    season: int | None = None
    episode: int | None = None
    season_titles: dict[int, str] = field(default_factory=dict)
    of: Literal["movie", "show"] | None = None


@dataclass(frozen=True, slots=True)
class NfoFile:
    """The titles of a file, and why not all of it could be read, or None."""

    titles: tuple[Nfo, ...] = ()
    problem: str | None = None

    def of(self, kind: Kind) -> Nfo | None:
        """Return the first title of a kind."""
        return next((title for title in self.titles if title.kind == kind), None)


_ROOTS: dict[str, Kind] = {
    "movie": "movie",
    "musicvideo": "movie",
    "video": "movie",
    "tvshow": "show",
    "season": "season",
    "episodedetails": "episode",
    "album": "album",
}
_READERS = {"movie": movie, "show": show, "season": season, "episode": episode, "album": album}
_IS_XML = re.compile(rf"<\s*(?:{'|'.join(_ROOTS)}|!doctype|!entity)\b", re.I)


def read(data: bytes) -> NfoFile:
    """Return what an nfo file says; a file that is refused or broken has a problem. Never raises.

    Of a broken file, what comes before the fault is read.
    """
    if len(data) > LARGEST_BYTES:
        return NfoFile(problem=f"the nfo file has more than {LARGEST_BYTES // 1024} KiB")
    text = decoded(data)
    titles: list[Nfo] = []
    problem = None
    if _IS_XML.search(text):
        try:
            root, fault = parsed(text)
        except Refused as exc:
            return NfoFile(problem=f"the nfo file is not read: {exc}")
        titles = [title for element in _roots(root) if (title := _title(element)) is not None]
        text = root.text
        problem = None if fault is None else f"the nfo file is not valid XML, {fault}"
    return NfoFile(_with_links(titles, _links(text)), problem)


def _roots(root: Element) -> list[Element]:
    """Return the titles, also those inside one root that several share."""
    return [
        element
        for child in root.children
        for element in ([child] if child.name in _ROOTS else child.children)
        if element.name in _ROOTS
    ]


def _title(root: Element) -> Nfo | None:
    kind = _ROOTS[root.name]
    values, pictures = _READERS[kind](root)
    number = whole(root.first("season", "seasonnumber")) if kind != "movie" else None
    names = {
        season: named.text
        for named in root.all("namedseason")
        if named.text and (season := whole(named.attributes.get("number", ""))) is not None
    }
    found = Nfo(
        kind,
        values,
        pictures,
        season=number,
        episode=whole(root.first("episode")) if kind == "episode" else None,
        season_titles=names if kind == "show" else {},
    )
    return found if values or pictures or names else None


# Addresses

_LINKS: tuple[tuple[re.Pattern[str], str, Literal["movie", "show"] | None], ...] = (
    (re.compile(r"imdb\.com/(?:[a-z]{2}/)?title/(tt\d{5,10})", re.I), "imdb_id", None),
    (re.compile(r"(?:themoviedb|tmdb)\.org/movie/(\d{1,9})", re.I), "tmdb_id", "movie"),
    (re.compile(r"(?:themoviedb|tmdb)\.org/tv/(\d{1,9})", re.I), "tmdb_id", "show"),
    (re.compile(r"thetvdb\.com/\S{0,60}?series(?:/|id=|&id=)(\d{1,9})", re.I), "tvdb_id", "show"),
    (re.compile(r"thetvdb\.com/\S{0,60}?[?&]id=(\d{1,9})", re.I), "tvdb_id", "show"),
)


def _links(text: str) -> Nfo | None:
    """Return the ids of the addresses in a text, the first of each kind."""
    values: dict[str, Any] = {}
    of: Literal["movie", "show"] | None = None
    for pattern, column, kind in _LINKS:
        found = pattern.search(text)
        if found and column not in values and (of is None or kind in (None, of)):
            value = found.group(1).lower()
            values[column] = value if column == "imdb_id" else int(value)
            of = kind or of
    return Nfo("link", values, of=of) if values else None


def _with_links(titles: list[Nfo], link: Nfo | None) -> tuple[Nfo, ...]:
    """Add a link to the only title that it may name, or as a title of its own."""
    if link is None:
        return tuple(titles)
    if len(titles) == 1 and titles[0].kind in ("movie", "show"):
        if link.of in (None, titles[0].kind):
            return (replace(titles[0], values={**link.values, **titles[0].values}),)
    return (*titles, link)
