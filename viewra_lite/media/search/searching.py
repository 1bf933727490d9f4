"""Search: movies, shows, episodes and music by typed words.

Text is split into words here and not by the database, so that SQLite and PostgreSQL find the same.
A document's terms are the words of its title, then a marker of its kind, then its other searchable
words; both engines index them unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...database.checks import checked_limit, refused
from ...database.orm.nodes import Groups
from ...database.transactions.database import Database
from . import queries
from .indexing import MARKS
from .words import title_key, typed_words

_CANDIDATES = 200  # documents of each kind that are ranked, unless more hits are asked for
_AFTER_ALL_TITLES = "\U0010ffff"
_ORDER = {kind: number for number, kind in enumerate(queries.SEARCHED)}


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A title that was found."""

    kind: str
    """movie, show, episode, album or track."""
    id: str
    title: str
    detail: str | None
    """"Show S01E02" of an episode, "Artist – Album" of a track, the artist of an album."""
    year: int | None
    library_id: str
    media_file_id: str | None
    """None for shows and albums, and without a file."""


def search(db: Database, text: str, limit: int) -> list[SearchHit]:
    """Return the titles with every typed word, or a word that begins with it, best first.

    An exact title comes first, then titles that begin with the text, then titles with all the
    words, then the rest; among equals movies, shows, albums, episodes, tracks, then by title. Any
    text is allowed; one without words finds nothing. limit: 1 to 1000, or InvalidValueError.
    Four statements at most; of very common words the 200 oldest of each kind are ranked.
    """
    if not isinstance(text, str):  # any text will do: only its words are searched
        raise refused("text", "text", text)
    checked_limit(limit)
    groups = typed_words(text)
    if not groups:
        return []
    with db.reader():
        return _hits(db, _best(db, groups, title_key(text), limit))


def _best(db: Database, groups: Groups, key: str, limit: int) -> list[int]:
    """Return the seq of the best documents in their order."""
    found = db.all(queries.documents_titled, key, key + _AFTER_ALL_TITLES, limit)
    if len(found) < limit:  # else everything else would rank below these
        found += _matching(db, groups, max(limit, _CANDIDATES))
    ranked = {
        (_rank(groups, key, document_key, terms), _ORDER[kind], document_key, seq)
        for seq, kind, document_key, terms in found
    }
    return [seq for *_, seq in sorted(ranked)[:limit]]


def _matching(db: Database, groups: Groups, most: int) -> list[Any]:
    """Return the documents with all words, at most `most` of each kind."""
    found: list[Any] = db.all(queries.documents_matching, groups, most)
    if len(found) < most:  # nearly always, and a fifth of the work
        return found
    marked = [[*groups, [(mark,)]] for mark in (MARKS[kind] for kind in queries.SEARCHED)]
    return db.all(queries.each_kind_matching, most, *marked)


def _rank(groups: Groups, key: str, document_key: str, terms: str) -> int:
    if document_key.startswith(key):
        return int(document_key != key)
    title = f" {terms.partition(' #')[0]}"
    in_title = all(any(all(f" {word}" in title for word in way) for way in ways) for ways in groups)
    return 2 if in_title else 3


def _hits(db: Database, seqs: list[int]) -> list[SearchHit]:
    if not seqs:
        return []
    rows = {row[0]: row for row in db.all(queries.hits_by_seq, seqs)}
    return [_hit(rows[seq]) for seq in seqs]


def _hit(row: Sequence[Any]) -> SearchHit:
    kind, id, title, library_id, file_id, year, date, show_year, first_air_date = row[1:10]
    if kind == "show":
        year, date = show_year or None, first_air_date
    year = year if year is not None else _year(date)
    return SearchHit(kind, id, title, _detail(kind, row[10:]), year, library_id, file_id)


def _year(date: object) -> int | None:
    digits = str(date)[:4]  # text on SQLite, a date on PostgreSQL
    return int(digits) if digits.isdecimal() else None


def _detail(kind: str, row: Sequence[Any]) -> str | None:
    show, season, first, last, album, album_artist, artist = row
    if kind == "episode":
        end = f"-E{last:02d}" if last is not None and last != first else ""
        return f"{show} S{season:02d}E{first:02d}{end}"
    if kind == "track":
        return " – ".join(filter(None, (artist or album_artist, album)))
    return album_artist if kind == "album" else None
