"""Indexing: a search document for each movie, show, album, episode and track."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from . import queries
from .words import title_key, words

_LONGEST_KEY = 200  # characters; PostgreSQL's indexes refuse rows of more than 2700 bytes
_MOST_WORDS = 2000  # of a document; PostgreSQL's tsvector holds 1 MiB
_BATCH = 20  # documents written by one step of a transaction

# No word begins with "#".
MARKS = {"movie": "#m", "show": "#s", "album": "#a", "episode": "#e", "track": "#t"}


def index(db: Database, kind: str, ids: Sequence[str]) -> None:
    """Write the documents of movies, shows, episodes, albums or tracks, inside a writer.

    Three statements at most, for any number of ids. A row without a title has no document.
    """
    if not ids:
        return
    rows = db.all(queries.searched_by_ids(kind), list(ids))
    documents = [_document(kind, row) for row in rows if row.title]
    if documents:
        db.run_many(queries.save_document(kind), documents)
    untitled = [row.id for row in rows if not row.title]
    if untitled:
        db.run(queries.delete_documents(kind), untitled)


def reindex(db: Database) -> None:
    """Write every document that is missing or differs, in bounded transactions."""
    for kind in queries.SEARCHED:
        in_slices(db, (partial(index, db, kind, ids) for ids in _ids(db, kind)))


def _ids(db: Database, kind: str) -> Iterator[list[str]]:
    last = ""
    while batch := db.all(queries.searched_ids_after(kind), last, _BATCH):
        yield [id for (id,) in batch]
        last = batch[-1][0]


def _document(kind: str, row: Any) -> dict[str, str]:
    terms = dict.fromkeys(islice(_terms(kind, row), _MOST_WORDS))
    return {
        "id": row.id,
        "title": row.title,
        "title_key": title_key(row.title)[:_LONGEST_KEY],
        "terms": " ".join(terms),
    }


def _terms(kind: str, row: Any) -> Iterator[str]:
    yield from words(row.title)
    yield MARKS[kind]
    for column in queries.SEARCHED[kind][2]:
        value = getattr(row, column.name)
        if column.name != "year":
            for name in _names(value):
                yield from words(name)
        elif value is not None:
            yield f"#y{value}"  # found by the whole year only, not by "2"


def _names(value: object) -> Iterator[str]:
    """Yield the names in a text, or in a JSON list of texts and of objects with a name."""
    for entry in value if isinstance(value, list) else (value,):
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            yield name
