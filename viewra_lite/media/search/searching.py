"""Search: movies, shows, episodes and music by typed words.

Text is split into words here and not by the database, so that SQLite and PostgreSQL find the same.
A document's terms are the words of its title, then a marker of its kind, then its other searchable
words; both engines index them unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...database.pages import readable
from ...database.checks import checked_limit, refused
from ...database.orm.nodes import Groups
from ...database.transactions.database import Database
from . import queries
from .indexing import MARKS
from .queries import Hit
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
    found = readable(db, queries.documents_titled, key, key + _AFTER_ALL_TITLES, limit)
    if len(found) < limit:  # else everything else would rank below these
        found += _matching(db, groups, max(limit, _CANDIDATES))
    ranked = {
        (_rank(groups, key, one.title_key, one.terms), _ORDER[one.kind], one.title_key, one.seq)
        for one in found
    }
    return [seq for *_, seq in sorted(ranked)[:limit]]


def _matching(db: Database, groups: Groups, most: int) -> list[Any]:
    """Return the documents with all words, at most `most` of each kind."""
    found: list[Any] = readable(db, queries.documents_matching, groups, most)
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
    rows: dict[int, Hit] = {row.seq: row for row in readable(db, queries.hits_by_seq, seqs)}
    return [_hit(rows[seq]) for seq in seqs if seq in rows]


def _hit(row: Hit) -> SearchHit:
    year, released = row.year, row.released
    if row.kind == "show":
        year, released = row.show_year or None, row.first_air_date
    if year is None and released is not None:
        year = released.year
    return SearchHit(
        row.kind, row.id, row.title, _detail(row), year, row.library_id, row.media_file_id
    )


def _detail(row: Hit) -> str | None:
    first, last = row.episode_number, row.episode_number_end
    if row.kind == "episode":
        if first is None:
            return row.show
        end = f"-E{last:02d}" if last is not None and last != first else ""
        return f"{row.show} S{row.season_number:02d}E{first:02d}{end}"
    if row.kind == "track":
        return " – ".join(filter(None, (row.artist or row.album_artist, row.album)))
    return row.album_artist if row.kind == "album" else None
