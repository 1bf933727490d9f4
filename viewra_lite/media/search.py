"""Find movies, shows, episodes and music by what people type.

Text is cut into words here and not by the database, so that SQLite and PostgreSQL find the same.
A document's terms are the words of its title, then a mark that names its kind, then every other
word that it is found by; both engines index them as they stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..database.checks import checked_limit, refused
from ..database.orm.nodes import Groups
from ..database.sessions.sessions import Sessions
from . import queries

_LONGEST_TEXT = 1000  # characters that are read of a title, a name or what somebody typed
_LONGEST_KEY = 200  # characters; PostgreSQL's indexes refuse rows of more than 2700 bytes
_LONGEST_WORD = 64  # characters
_MOST_WORDS = 2000  # of a document; PostgreSQL's tsvector holds 1 MiB
_MOST_TYPED = 16  # words of a search
_CANDIDATES = 200  # documents of each kind that are ranked, unless more hits are asked for
_BATCH = 500  # documents in a transaction
_AFTER_ALL_TITLES = "\U0010ffff"

# No word begins with "#".
_MARKS = {"movie": "#m", "show": "#s", "album": "#a", "episode": "#e", "track": "#t"}
_ORDER = {kind: number for number, kind in enumerate(queries.SEARCHED)}


@dataclass(frozen=True, slots=True)
class SearchHit:
    """What was found, and where it belongs."""

    kind: str
    """movie, show, episode, album or track."""
    id: str
    title: str
    detail: str | None
    """"Show S01E02" of an episode, "Artist – Album" of a track, the artist of an album."""
    year: int | None
    library_id: str
    media_file_id: str | None
    """None for shows and albums, and for what has no file."""


# Words


def words(text: str) -> list[str]:
    """Cut a text into the words that it is found by, each once.

    They have no case and no accents. What punctuation joins is found in parts and as one
    ("AC/DC": ac, dc, acdc), and every Chinese or Japanese character is a word.
    """
    found: list[str] = []
    for parts in _chunks(_AND.sub("and", _folded(text))):
        for part in parts:
            found += (part[0], part) if part[-1] in "+#" else (part,)
        if len(parts) > 1:
            found.append("".join(parts)[:_LONGEST_WORD])
    return list(dict.fromkeys(found))


def title_key(text: str) -> str:
    """Return a text's words in their order, joined by spaces: what titles are compared by."""
    chunks = _chunks(_AND.sub("and", _folded(text)))
    return " ".join(part for parts in chunks for part in parts)


def typed_words(text: str) -> Groups:
    """Return what must be found for a typed text: groups of ways to write the same words."""
    groups: list[list[tuple[str, ...]]] = []
    room = _MOST_TYPED
    for parts in _chunks(_folded(text)):
        ways = [tuple(parts[:room])]
        if len(parts) > 1:
            ways.append(("".join(parts)[:_LONGEST_WORD],))
        elif _YEAR.fullmatch(parts[0]):
            ways.append((f"#y{parts[0]}",))
        groups.append(ways)
        room -= len(parts)
        if room <= 0:
            break
    return groups


_YEAR = re.compile("(?:18|19|20|21)[0-9]{2}")
_FRACTION = re.compile("[¼½¾⅐-⅞↉]")  # NFKD would glue 8½ to 81⁄2
_SIGNS = dict.fromkeys(map(ord, "™℠"), " ") | {ord("´"): "'"}  # these would become letters
_PLAIN = {
    "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h",
    "ı": "i", "♯": "#", "_": " ",
} | dict.fromkeys("'’‘‛ʼʻʹ`′", "'") | {char: char for char in "+#&"}
_SINGLE = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
_INVISIBLE = re.compile("[\ufe00-\ufe0f\u20d0-\u20ff\u034f\U000e0000-\U000e0fff]")
# After an apostrophe three letters are a word (d'Amélie), fewer an ending (Ocean's).
_ELISION = re.compile(r"(?<=\w)'(?=\w{3})")
_AND = re.compile(r"(?<!\S)&(?!\S)")
_PART = re.compile(r"(?<![^-+#&])[a-z](?:\+\+|#)|[^-+#&]+")


class _Letters(dict[int, str]):
    """For str.translate: every letter as it is indexed, " " or "-" for what separates words."""

    def __missing__(self, code: int) -> str:
        letter = _letter(chr(code))
        if len(self) < _LETTERS_KEPT:
            self[code] = letter
        return letter


_LETTERS_KEPT = 10_000
_LETTERS = _Letters()


def _letter(char: str) -> str:
    if char in _PLAIN:
        return _PLAIN[char]
    if _SINGLE.match(char):
        return f" {char} " if unicodedata.category(char)[0] in "LN" else " "
    category = unicodedata.category(char)
    if unicodedata.combining(char) or category == "Cf" or _INVISIBLE.match(char):
        return ""
    if category[0] in "LMN":
        return char
    return "-" if category[0] in "PS" else " "


def _folded(text: str) -> str:
    """Return text of letters, digits and + # & in which " " parts words and "-" glues them."""
    text = text[:_LONGEST_TEXT]
    if not text.isascii():
        text = _FRACTION.sub(r" \g<0>", text).translate(_SIGNS)
        text = unicodedata.normalize("NFKD", text)
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return _ELISION.sub("-", text.translate(_LETTERS)).replace("'", "")


def _chunks(folded: str) -> Iterator[list[str]]:
    """Yield the words of each piece between spaces."""
    for chunk in folded.split():
        if chunk.isalnum():
            yield [chunk[:_LONGEST_WORD]]
        elif parts := _PART.findall(chunk):
            yield [part[:_LONGEST_WORD] for part in parts]


# Indexing


def index(sessions: Sessions, kind: str, ids: Sequence[str]) -> None:
    """Write the documents of movies, shows, episodes, albums or tracks, inside a writer.

    Three statements at most, however many ids. What has no title has no document.
    """
    if not ids:
        return
    rows = sessions.all(queries.searched_by_ids(kind), list(ids))
    documents = [_document(kind, row) for row in rows if row.title]
    if documents:
        sessions.run_many(queries.save_document(kind), documents)
    untitled = [row.id for row in rows if not row.title]
    if untitled:
        sessions.run(queries.delete_documents(kind), untitled)


def reindex(sessions: Sessions) -> None:
    """Write every document that is missing or differs, in transactions of 500 rows at most."""
    for kind in queries.SEARCHED:
        last = ""
        while batch := sessions.all(queries.searched_ids_after(kind), last, _BATCH):
            ids = [row[0] for row in batch]
            with sessions.writer():
                index(sessions, kind, ids)
            last = ids[-1]


def _document(kind: str, row: Any) -> tuple[str, str, str, str, str]:
    terms = dict.fromkeys(islice(_terms(kind, row), _MOST_WORDS))
    return kind, row.id, row.title, title_key(row.title)[:_LONGEST_KEY], " ".join(terms)


def _terms(kind: str, row: Any) -> Iterator[str]:
    yield from words(row.title)
    yield _MARKS[kind]
    for column in queries.SEARCHED[kind][2]:
        value = getattr(row, column.name)
        if column.name != "year":
            for name in _names(value):
                yield from words(name)
        elif value is not None:
            yield f"#y{value}"  # found by the whole year only: "2" is none


def _names(value: Any) -> Iterator[str]:
    """Yield the names in a text, or in a JSON list of texts and of objects with a name."""
    for entry in value if isinstance(value, list) else (value,):
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield name


# Searching


def search(sessions: Sessions, text: str, limit: int) -> list[SearchHit]:
    """Return what holds every typed word, or a word that begins with it; best first.

    An exact title comes first, then titles that begin with the text, then titles with all the
    words, then the rest; among equals movies, shows, albums, episodes, tracks, then by title. Any
    text is allowed; one without words finds nothing. limit: 1 to 1000, or InvalidValueError.
    Four statements at most; of very common words the 200 oldest of each kind are ranked.
    """
    if not isinstance(text, str):  # of which only words are looked for, so that any will do
        raise refused("text", "text", text)
    checked_limit(limit)
    groups = typed_words(text)
    if not groups:
        return []
    with sessions.reader():
        return _hits(sessions, _best(sessions, groups, title_key(text), limit))


def _best(sessions: Sessions, groups: Groups, key: str, limit: int) -> list[int]:
    """Return the seq of the best documents in their order."""
    found = sessions.all(queries.documents_titled, key, key + _AFTER_ALL_TITLES, limit)
    if len(found) < limit:  # else everything else would rank below these
        found += _matching(sessions, groups, max(limit, _CANDIDATES))
    ranked = {
        (_rank(groups, key, document_key, terms), _ORDER[kind], document_key, seq)
        for seq, kind, document_key, terms in found
    }
    return [seq for *_, seq in sorted(ranked)[:limit]]


def _matching(sessions: Sessions, groups: Groups, most: int) -> list[Any]:
    """Return the documents with all words, at most so many of each kind."""
    found: list[Any] = sessions.all(queries.documents_matching, groups, most)
    if len(found) < most:  # nearly always, and a fifth of the work
        return found
    marked = [[*groups, [(mark,)]] for mark in (_MARKS[kind] for kind in queries.SEARCHED)]
    return sessions.all(queries.each_kind_matching, most, *marked)


def _rank(groups: Groups, key: str, document_key: str, terms: str) -> int:
    if document_key.startswith(key):
        return int(document_key != key)
    title = f" {terms.partition(' #')[0]}"
    in_title = all(any(all(f" {word}" in title for word in way) for way in ways) for ways in groups)
    return 2 if in_title else 3


def _hits(sessions: Sessions, seqs: list[int]) -> list[SearchHit]:
    if not seqs:
        return []
    rows = {row[0]: row for row in sessions.all(queries.hits_by_seq, seqs)}
    return [_hit(rows[seq]) for seq in seqs]


def _hit(row: Sequence[Any]) -> SearchHit:
    kind, id, title, library_id, file_id, year, date, show_year, first_air_date = row[1:10]
    if kind == "show":
        year, date = show_year or None, first_air_date
    year = year if year is not None else _year(date)
    return SearchHit(kind, id, title, _detail(kind, row[10:]), year, library_id, file_id)


def _year(date: Any) -> int | None:
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
