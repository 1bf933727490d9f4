"""Checks of rows that no foreign key covers: references, the search index and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ...database.backend import Table, Tables
from ...database.findings import Finding, Look
from ...database.migrations.history import HISTORY_PREFIX
from ...database.orm.fields import TimestampField
from ...database.orm.nodes import MatchesWords, Placeholder
from ...database.orm.statements import Query, statement
from ...database.transactions.database import Database
from ...media.search.indexing import MARKS, reindex
from ...media.search.models import SearchDocument

# Each kind of title: its table, and its column in search_documents.
_TITLES = {
    "movie": ("movies", "movie_id"),
    "show": ("tv_shows", "show_id"),
    "episode": ("episodes", "episode_id"),
    "album": ("albums", "album_id"),
    "track": ("tracks", "track_id"),
}
_REMOVED = (
    "{0} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM media_files f WHERE f.id = {0}) "
    "AND NOT EXISTS (SELECT 1 FROM removed_files r WHERE r.id = {0})"
)
_CORRECT = "correct or delete them; a scan writes what it finds again"
_KEPT = "nothing: they are kept, and do no harm"
# Severity, text, table, name of a row, condition and remedy.
_ORPHANS: Sequence[tuple[Any, str, str, str, str, str]] = (
    (
        "warning",
        "files of works that do not exist and were not removed by the store",
        "work_files x",
        "x.media_file_id",
        _REMOVED.format("x.media_file_id"),
        _CORRECT,
    ),
    *(
        (
            "warning",
            f"{table} whose work is not of the kind {kind}",
            f"{table} x JOIN works w ON w.id = x.work_id",
            "x.id",
            # The work of a special without a number is that of its files.
            f"w.kind NOT IN ('{kind}', 'other')" if kind == "episode" else f"w.kind <> '{kind}'",
            _CORRECT,
        )
        for kind, (table, _) in _TITLES.items()
        if kind != "album"
    ),
    (
        "warning",
        "episodes whose season is of another show or has another number",
        "episodes x JOIN seasons s ON s.id = x.season_id",
        "x.id",
        "s.show_id <> x.show_id OR s.season_number <> x.season_number",
        _CORRECT,
    ),
    *(
        (
            "info",
            f"rows of {table} of files that the store does not know",
            f"{table} x",
            "x.media_file_id",
            _REMOVED.format("x.media_file_id"),
            _KEPT,
        )
        for table in ("user_media_progress", "playback_history", "playback_sessions")
    ),
)
REBUILD = "rebuild the search index: viewra-lite doctor --only search-index --fix"
_SAMPLE = 200  # documents whose words are all looked up
_EVERY = 2**31 - 1
_AHEAD = timedelta(minutes=10)
# Of moments that have passed; others, such as due_at, are in the future on purpose.
_PAST = frozenset(
    (
        "applied",
        "archived_at",
        "completed_at",
        "created_at",
        "end_time",
        "ended_at",
        "finished_at",
        "last_accessed",
        "last_activity",
        "last_played_at",
        "last_run_at",
        "last_scan",
        "played_at",
        "removed_at",
        "reported_at",
        "start_time",
        "started_at",
        "undone_at",
        "updated_at",
    )
)


def orphans(look: Look) -> Iterator[Finding]:
    """Yield rows that name other rows without a foreign key, where those do not exist."""
    for severity, what, tables, name, condition, remedy in _ORPHANS:
        [(count, first)] = look.all(f"SELECT count(*), min({name}) FROM {tables} WHERE {condition}")
        if count:
            text = f"{what}: {count}, the first is {first}"
            yield Finding("orphans", severity, text, remedy)


# The search index


@statement
def _is_found(seq: Placeholder, words: Placeholder, most: Placeholder) -> Query:
    """Whether the index finds a document by words."""
    matches = MatchesWords(
        SearchDocument.seq, index="search_index", column="lexemes", words=words, most=most
    )
    return (
        SearchDocument.select(SearchDocument.seq).where(SearchDocument.seq == seq, matches).tuples()
    )


@statement
def _not_found(kind: Placeholder, words: Placeholder, most: Placeholder) -> Query:
    """The documents of a kind that the index does not find by its mark."""
    matches = MatchesWords(
        SearchDocument.seq, index="search_index", column="lexemes", words=words, most=most
    )
    return (
        SearchDocument.select(SearchDocument.seq, SearchDocument.title)
        .where(SearchDocument.kind == kind, ~matches)
        .limit(1)
        .tuples()
    )


def search_index(look: Look, db: Database) -> Iterator[Finding]:
    """Yield titles that the search does not find, or finds by other words."""
    for text in _out_of_step(look, db):
        yield Finding("search-index", "error", text, REBUILD, fixable=True)


def _out_of_step(look: Look, db: Database) -> Iterator[str]:
    for kind, (table, column) in _TITLES.items():
        [(count, first)] = look.all(
            f"SELECT count(*), min(t.title) FROM {table} t WHERE t.title <> '' AND NOT EXISTS "
            f"(SELECT 1 FROM search_documents d WHERE d.{column} = t.id)"
        )
        if count:
            yield f"{table} that are not in search_documents: {count}, the first is {first}"
        [(count, first)] = look.all(
            f"SELECT count(*), min(t.title) FROM search_documents d JOIN {table} t "
            f"ON t.id = d.{column} WHERE coalesce(t.title, '') <> d.title"
        )
        if count:
            yield f"{table} by another title in search_documents: {count}, the first is {first}"
        for _, title in db.all(_not_found, kind, [[(MARKS[kind],)]], _EVERY):
            yield f"the search index does not find the {kind} {title}"
    count = look.value(f"SELECT count(*) FROM search_documents WHERE {_WITHOUT_TITLE}")
    if count:
        yield f"rows of search_documents that belong to no title: {count}"
    for title, terms, seq in _sample(look):
        words = [[(word,)] for word in terms.split() if word.isalnum()]
        if words and not db.all(_is_found, seq, words, _EVERY):
            yield f"the search index does not find {title} by all of its words"
            return


_WITHOUT_TITLE = "CASE kind {} END IS NULL".format(
    " ".join(f"WHEN '{kind}' THEN {column}" for kind, (_, column) in _TITLES.items())
)


def _sample(look: Look) -> list[tuple[str, str, int]]:
    """Return the newest documents, and others at equal distances."""
    newest = look.value("SELECT coalesce(max(seq), 0) FROM search_documents")
    step = newest // _SAMPLE + 1
    return look.all(
        f"SELECT title, terms, seq FROM search_documents WHERE seq > {newest - _SAMPLE // 2} "
        f"OR seq - seq / {step} * {step} = 0"
    )


def rebuild_documents(db: Database) -> None:
    """Write the documents that are missing or differ, and delete those without a title."""
    with db.writer():
        db.backend.database.execute_sql(f"DELETE FROM search_documents WHERE {_WITHOUT_TITLE}")
    reindex(db)


# Times


def clock(look: Look, tables: Tables) -> Iterator[Finding]:
    """Yield rows of the future, or only a clock that shows a time before the store was made."""
    histories = [name for name in tables if name.startswith(HISTORY_PREFIX)]
    migrated = [moment for name in histories for _, moment in _ahead(look, name, tables[name])]
    if migrated:
        text = f"the clock shows {look.now:%Y-%m-%d %H:%M} UTC, but the store was migrated at"
        text = f"{text} {max(migrated):%Y-%m-%d %H:%M}"
        yield Finding("clock", "error", text, "set the system's clock (NTP)")
        return
    for name in sorted(look.tables & tables.keys()):
        for column, moment in _ahead(look, name, tables[name]):
            text = f"{name}.{column} has times of the future, up to {moment:%Y-%m-%d %H:%M} UTC"
            remedy = "check the system's clock; if it is right, it was wrong when they were written"
            yield Finding("clock", "warning", text, remedy)


def _ahead(look: Look, name: str, table: Table) -> Iterator[tuple[str, datetime]]:
    """Yield the columns of a table with moments of the future, and the latest of each."""
    columns = sorted(_PAST.intersection(table.columns))
    if columns:
        latest = look.all(f'SELECT {", ".join(f"max({each})" for each in columns)} FROM "{name}"')
        for column, moment in zip(columns, map(TimestampField().python_value, latest[0])):
            if moment is not None and moment > look.now + _AHEAD:
                yield column, moment
