"""The table of the search index."""

from __future__ import annotations

from ...database.orm import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import AutoField, TextField

from ...database.orm.fields import ChoiceField
from ...database.orm.models import StoreModel, index, reference
from ..models import Album, Episode, Movie, Track, TVShow


class SearchDocument(StoreModel):
    """Searchable titles: one row for each movie, show, episode, album and track."""

    seq = AutoField(help_text="order of insertion; the row id of search_index")
    kind = ChoiceField(
        ("movie", "show", "episode", "album", "track"),
        help_text="which of the next five columns is set",
    )
    movie = reference(Movie, null=True, unique=True, on_delete="CASCADE", help_text="if a movie")
    show = reference(TVShow, null=True, unique=True, on_delete="CASCADE", help_text="if a show")
    episode = reference(
        Episode, null=True, unique=True, on_delete="CASCADE", help_text="if an episode"
    )
    album = reference(Album, null=True, unique=True, on_delete="CASCADE", help_text="if an album")
    track = reference(Track, null=True, unique=True, on_delete="CASCADE", help_text="if a track")
    title = TextField(help_text="shown to people")
    title_key = TextField(help_text="the title folded: without accents, case, punctuation")
    terms = TextField(help_text="every searchable word, folded, separated by spaces")

    class Meta:
        table_name = "search_documents"

    extra_ddl = {
        "sqlite": (
            'CREATE VIRTUAL TABLE search_index USING fts5(terms, content="search_documents", '
            "content_rowid='seq', tokenize=\"ascii tokenchars '+#'\", detail=none, columnsize=0, "
            "prefix='1 2 3 4')",
            "CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN "
            "INSERT INTO search_index(rowid, terms) VALUES (new.seq, new.terms); END",
            "CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN "
            "INSERT INTO search_index(search_index, rowid, terms) "
            "VALUES ('delete', old.seq, old.terms); END",
            "CREATE TRIGGER search_documents_update AFTER UPDATE OF terms ON search_documents "
            "BEGIN INSERT INTO search_index(search_index, rowid, terms) "
            "VALUES ('delete', old.seq, old.terms); "
            "INSERT INTO search_index(rowid, terms) VALUES (new.seq, new.terms); END",
        ),
        "postgres": (
            "ALTER TABLE search_documents ADD COLUMN lexemes tsvector GENERATED ALWAYS AS "
            "(array_to_tsvector(string_to_array(terms, ' '))) STORED",
            "CREATE INDEX idx_search_documents_lexemes ON search_documents USING gin (lexemes) "
            "WITH (fastupdate=off)",
        ),
    }


index(
    SearchDocument,
    "idx_search_documents_title",
    SearchDocument.kind,
    SearchDocument.title_key,
    SearchDocument.seq,
)
