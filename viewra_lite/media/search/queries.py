"""The queries of search and of finding one title: builders that run nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from peewee import ColumnBase, EXCLUDED, JOIN, ModelSelect, SelectQuery, Tuple, fn

from ...database.orm.nodes import MatchesWords, OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ..models import Album, Episode, MediaFile, Movie, Track, TVShow
from .models import SearchDocument
from ..queries import page_source

# The searched kinds, in the order of hits of equal rank: the model, the document's reference to
# it, and the searched columns besides the title.
SEARCHED: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "movie": (
        Movie,
        SearchDocument.movie,
        (Movie.original_title, Movie.director, Movie.cast, Movie.year),
    ),
    "show": (
        TVShow,
        SearchDocument.show,
        (TVShow.original_title, TVShow.cast, TVShow.creators, TVShow.year),
    ),
    "album": (Album, SearchDocument.album, (Album.album_artist, Album.artists, Album.year)),
    "episode": (Episode, SearchDocument.episode, (Episode.director, Episode.cast)),
    "track": (Track, SearchDocument.track, (Track.artist, Track.artists)),
}


@lru_cache(maxsize=None)
def searched_by_ids(kind: str) -> Statement:
    """Return the statement for the searched columns of one kind: argument ids."""
    model, _, columns = SEARCHED[kind]
    return Statement(
        lambda ids: (
            model.select(model.id, model.title, *columns)
            .where(OneOf(model.id, ids))
            .order_by(model.id)
        )
    )


@lru_cache(maxsize=None)
def searched_ids_after(kind: str) -> Statement:
    """Return the statement for a batch of ids of one kind: arguments (id before, limit)."""
    model = SEARCHED[kind][0]
    return Statement(
        lambda id, limit: (
            model.select(model.id).where(model.id > id).order_by(model.id).limit(limit).tuples()
        )
    )


@lru_cache(maxsize=None)
def save_document(kind: str) -> Statement:
    """Return the upsert of one kind's documents."""
    document, key = SearchDocument, SEARCHED[kind][1]

    def build(
        *, id: Placeholder, title: Placeholder, title_key: Placeholder, terms: Placeholder
    ) -> Query:
        written = {document.title: title, document.title_key: title_key, document.terms: terms}
        return document.insert({document.kind: kind, key: id, **written}).on_conflict(
            conflict_target=[key],
            preserve=list(written),
            # An equal document is not written again.
            where=Tuple(*written) != Tuple(*(getattr(EXCLUDED, c.column_name) for c in written)),
        )

    return Statement(build)


@lru_cache(maxsize=None)
def delete_documents(kind: str) -> Statement:
    """Return the statement that deletes the documents of one kind: argument ids."""
    key = SEARCHED[kind][1]
    return Statement(lambda ids: SearchDocument.delete().where(OneOf(key, ids)))


class Document(NamedTuple):
    """What a document is ranked by."""

    seq: int
    kind: str
    title_key: str
    terms: str


_RANKED_BY = [getattr(SearchDocument, name) for name in Document._fields]


def _documents_of_each_kind(chosen: Callable[[str, int], ColumnBase]) -> Query:
    """Union the documents of each kind: one kind's many hits must not hide another's few."""
    first, *others = [
        SearchDocument.select(*_RANKED_BY).where(chosen(kind, number))
        for number, kind in enumerate(SEARCHED)
    ]
    union: SelectQuery = first
    for other in others:
        union = union.union_all(other)
    return union.objects(Document)


@statement
def documents_titled(start: Placeholder, end: Placeholder, most: Placeholder) -> Query:
    """The first documents of each kind with a title in a range, in the order of their titles."""

    def chosen(kind: str, number: int) -> ColumnBase:
        document = SearchDocument.alias(f"d{number}")
        return SearchDocument.seq.in_(
            document.select(document.seq)
            .where(document.kind == kind, document.title_key >= start, document.title_key < end)
            .order_by(document.title_key, document.seq)
            .limit(most)
        )

    return _documents_of_each_kind(chosen)


def _matching(words: Placeholder, most: Placeholder) -> ColumnBase:
    return MatchesWords(
        SearchDocument.seq, index="search_index", column="lexemes", words=words, most=most
    )


@statement
def documents_matching(words: Placeholder, most: Placeholder) -> Query:
    """The first documents with all words, of any kind."""
    return SearchDocument.select(*_RANKED_BY).where(_matching(words, most)).objects(Document)


def _each_kind_matching(most: Placeholder, *words: Placeholder) -> Query:
    return _documents_of_each_kind(lambda kind, number: _matching(words[number], most))


each_kind_matching = Statement(_each_kind_matching, arity=1 + len(SEARCHED))


class Hit(NamedTuple):
    """The columns of a hit, of all kinds."""

    seq: int
    kind: str
    id: str
    title: str
    library_id: str
    media_file_id: str | None
    year: int | None
    released: date | None
    show_year: int
    first_air_date: date | None
    show: str | None
    season_number: int | None
    episode_number: int | None
    episode_number_end: int | None
    album: str | None
    album_artist: str | None
    artist: str | None


@statement
def hits_by_seq(seqs: Placeholder) -> Query:
    """The columns of hits; an episode takes some from its show, a track from its album."""
    show = fn.COALESCE(SearchDocument.show, Episode.show)
    album = fn.COALESCE(SearchDocument.album, Track.album)
    return (
        SearchDocument.select(
            SearchDocument.seq,
            SearchDocument.kind,
            fn.COALESCE(Movie.id, Episode.id, Track.id, TVShow.id, Album.id),
            SearchDocument.title,
            fn.COALESCE(Movie.library, TVShow.library, Album.library),
            fn.COALESCE(Movie.media_file, Episode.media_file, Track.media_file),
            fn.COALESCE(Movie.year, Track.year, Album.year),
            fn.COALESCE(Movie.release_date, Episode.air_date, Album.release_date),
            fn.COALESCE(TVShow.year, 0),
            TVShow.first_air_date,
            TVShow.title,
            Episode.season_number,
            Episode.episode_number,
            Episode.episode_number_end,
            Album.title,
            Album.album_artist,
            Track.artist,
        )
        .join(Movie, JOIN.LEFT_OUTER, on=(SearchDocument.movie == Movie.id))
        .switch(SearchDocument)
        .join(Episode, JOIN.LEFT_OUTER, on=(SearchDocument.episode == Episode.id))
        .switch(SearchDocument)
        .join(Track, JOIN.LEFT_OUTER, on=(SearchDocument.track == Track.id))
        .switch(SearchDocument)
        .join(TVShow, JOIN.LEFT_OUTER, on=(TVShow.id == show))
        .switch(SearchDocument)
        .join(Album, JOIN.LEFT_OUTER, on=(Album.id == album))
        .where(OneOf(SearchDocument.seq, seqs))
        .objects(Hit)
    )


@lru_cache(maxsize=None)
def titled(kind: str) -> Statement:
    """Return the statement for the movies, shows or tracks of a title: argument its title_key."""
    model, id, _ = SEARCHED[kind]

    def build(key: Placeholder) -> Query:
        ids = SearchDocument.select(id).where(
            SearchDocument.kind == kind, SearchDocument.title_key == key
        )
        source = _track_source() if model is Track else page_source(model)
        return source.where(model.id.in_(ids)).order_by(model.id)

    return Statement(build)


def _track_source() -> ModelSelect[Any]:
    return (
        Track.select(Track, Album, MediaFile)
        .join(Album)
        .switch(Track)
        .join(MediaFile, JOIN.LEFT_OUTER)
    )


@lru_cache(maxsize=None)
def named_between(model: Any) -> Statement:
    """Return the statement for rows by their identity: arguments (library_id, start, end)."""
    return Statement(
        lambda library_id, start, end: (
            page_source(model)
            .where(model.library == library_id, model.identity >= start, model.identity < end)
            .order_by(model.id)
        )
    )


@statement
def episodes_numbered(
    show_ids: Placeholder, season_number: Placeholder, episode_number: Placeholder
) -> Query:
    return (
        Episode.select(Episode, TVShow, MediaFile)
        .join(TVShow)
        .switch(Episode)
        .join(MediaFile, JOIN.LEFT_OUTER)
        .where(
            OneOf(Episode.show, show_ids),
            Episode.season_number == season_number,
            Episode.episode_number == episode_number,
        )
        .order_by(Episode.id)
    )


@statement
def files_at(library_id: Placeholder, paths: Placeholder) -> Query:
    return (
        MediaFile.select()
        .where(MediaFile.library == library_id, OneOf(MediaFile.path, paths))
        .order_by(MediaFile.path)
    )
