"""The questions of the media room: query builders that run nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any

from peewee import EXCLUDED, JOIN, Tuple, fn

from ..database.orm.nodes import MatchesWords, OneOf
from ..database.orm.statements import Statement, statement
from .models import (
    Album,
    Episode,
    MediaFile,
    MediaLibrary,
    Movie,
    SearchDocument,
    Season,
    Track,
    TVShow,
)

# Libraries


@statement
def library_by_id(id: Any) -> Any:
    return MediaLibrary.select().where(MediaLibrary.id == id)


@statement
def library_by_path(path: Any) -> Any:
    return MediaLibrary.select().where(MediaLibrary.path == path)


@statement
def libraries() -> Any:
    return MediaLibrary.select().order_by(MediaLibrary.name, MediaLibrary.id)


@statement
def library_scanned(id: Any, now: Any) -> Any:
    return MediaLibrary.update({MediaLibrary.last_scan: now}).where(MediaLibrary.id == id)


@statement
def file_ids_of_library(library_id: Any, limit: Any) -> Any:
    return MediaFile.select(MediaFile.id).where(
        MediaFile.library == library_id
    ).limit(limit).tuples()


# Files


@statement
def file_by_id(id: Any) -> Any:
    return MediaFile.select().where(MediaFile.id == id)


@statement
def file_by_path(library_id: Any, path: Any) -> Any:
    return MediaFile.select().where(MediaFile.library == library_id, MediaFile.path == path)


@statement
def files_first(library_id: Any, limit: Any) -> Any:
    return MediaFile.select().where(
        MediaFile.library == library_id
    ).order_by(MediaFile.path).limit(limit)


@statement
def files_after(library_id: Any, limit: Any, path: Any) -> Any:
    return MediaFile.select().where(
        MediaFile.library == library_id, MediaFile.path > path
    ).order_by(MediaFile.path).limit(limit)


# What the files are


@statement
def movie_by_id(id: Any) -> Any:
    return Movie.select(Movie, MediaFile).join(MediaFile, JOIN.LEFT_OUTER).where(Movie.id == id)


@statement
def show_by_id(id: Any) -> Any:
    return TVShow.select().where(TVShow.id == id)


@statement
def seasons_of_show(show_id: Any) -> Any:
    return Season.select().where(Season.show == show_id).order_by(Season.season_number)


@statement
def episodes_of_show(show_id: Any) -> Any:
    return Episode.select(Episode, MediaFile).join(MediaFile, JOIN.LEFT_OUTER).where(
        Episode.show == show_id
    ).order_by(Episode.season_number, Episode.episode_number)


@statement
def album_by_id(id: Any) -> Any:
    return Album.select().where(Album.id == id)


@statement
def tracks_of_album(album_id: Any) -> Any:
    return Track.select(Track, MediaFile).join(MediaFile, JOIN.LEFT_OUTER).where(
        Track.album == album_id
    ).order_by(Track.disc_number, Track.track_number, Track.title)


SORTS = ("title", "added")


@lru_cache(maxsize=None)
def page_statement(model: Any, sort: str, in_library: bool, continued: bool) -> Statement:
    """Return the statement for one page: arguments (library_id, limit, *key of the row before)."""
    key = (model.sort_title, model.id) if sort == "title" else (model.id,)

    def build(library_id: Any, limit: Any, *after: Any) -> Any:
        query = _page_source(model)
        if in_library:
            query = query.where(model.library == library_id)
        if continued and sort == "title":
            query = query.where(Tuple(*key) > Tuple(*after))
        elif continued:
            query = query.where(model.id < after[0])
        order = key if sort == "title" else (model.id.desc(),)
        return query.order_by(*order).limit(limit)

    return Statement(build, arity=2 + (len(key) if continued else 0))


def _page_source(model: Any) -> Any:
    if model is Movie:
        return Movie.select(Movie, MediaFile).join(MediaFile, JOIN.LEFT_OUTER)
    return model.select()


@statement
def season_counts(show_ids: Any) -> Any:
    return Season.select(Season.show, fn.COUNT(Season.id)).where(
        OneOf(Season.show, show_ids)
    ).group_by(Season.show).tuples()


@statement
def episode_counts(show_ids: Any) -> Any:
    return Episode.select(Episode.show, fn.COUNT(Episode.id)).where(
        OneOf(Episode.show, show_ids)
    ).group_by(Episode.show).tuples()


# Search

# What is searched, in the order in which hits of equal rank are shown: its model, the document's
# key to it, and the columns besides the title that it is found by.
SEARCHED: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "movie": (Movie, SearchDocument.movie, (
        Movie.original_title, Movie.director, Movie.cast, Movie.year,
    )),
    "show": (TVShow, SearchDocument.show, (
        TVShow.original_title, TVShow.cast, TVShow.creators, TVShow.year,
    )),
    "album": (Album, SearchDocument.album, (Album.album_artist, Album.artists, Album.year)),
    "episode": (Episode, SearchDocument.episode, (Episode.director, Episode.cast)),
    "track": (Track, SearchDocument.track, (Track.artist, Track.artists)),
}


@lru_cache(maxsize=None)
def searched_by_ids(kind: str) -> Statement:
    """Return the statement for what is to be found of one kind: argument ids."""
    model, _, columns = SEARCHED[kind]
    return Statement(
        lambda ids: model.select(model.id, model.title, *columns).where(
            OneOf(model.id, ids)
        ).order_by(model.id)
    )


@lru_cache(maxsize=None)
def searched_ids_after(kind: str) -> Statement:
    """Return the statement for a batch of ids of one kind: arguments (id before, limit)."""
    model = SEARCHED[kind][0]
    return Statement(
        lambda id, limit: model.select(model.id).where(
            model.id > id
        ).order_by(model.id).limit(limit).tuples()
    )


@lru_cache(maxsize=None)
def save_document(kind: str) -> Statement:
    """Return the upsert of one kind's documents: (kind, id, title, title_key, terms)."""
    written = (SearchDocument.title, SearchDocument.title_key, SearchDocument.terms)
    columns = (SearchDocument.kind, SEARCHED[kind][1], *written)

    def build(*values: Any) -> Any:
        return SearchDocument.insert(dict(zip(columns, values))).on_conflict(
            conflict_target=[columns[1]],
            preserve=written,
            # A document that says the same is not written again.
            where=Tuple(*written) != Tuple(*(getattr(EXCLUDED, c.column_name) for c in written)),
        )

    return Statement(build, arity=len(columns))


@lru_cache(maxsize=None)
def delete_documents(kind: str) -> Statement:
    """Return the statement that deletes the documents of one kind: argument ids."""
    key = SEARCHED[kind][1]
    return Statement(lambda ids: SearchDocument.delete().where(OneOf(key, ids)))


_RANKED_BY = (
    SearchDocument.seq, SearchDocument.kind, SearchDocument.title_key, SearchDocument.terms,
)


def _documents_of_each_kind(chosen: Callable[[str, int], Any]) -> Any:
    """Union what is chosen of each kind: one kind's many hits must not hide another's few."""
    parts: list[Any] = [
        SearchDocument.select(*_RANKED_BY).where(chosen(kind, number))
        for number, kind in enumerate(SEARCHED)
    ]
    return reduce(lambda union, part: union.union_all(part), parts).tuples()


@statement
def documents_titled(start: Any, end: Any, most: Any) -> Any:
    """The first documents of each kind with a title in a range, in the order of their titles."""
    def chosen(kind: str, number: int) -> Any:
        document = SearchDocument.alias(f"d{number}")
        return SearchDocument.seq.in_(
            document.select(document.seq).where(
                document.kind == kind, document.title_key >= start, document.title_key < end
            ).order_by(document.title_key, document.seq).limit(most)
        )

    return _documents_of_each_kind(chosen)


def _matching(words: Any, most: Any) -> Any:
    return MatchesWords(
        SearchDocument.seq, index="search_index", column="lexemes", words=words, most=most
    )


@statement
def documents_matching(words: Any, most: Any) -> Any:
    """The first documents with all words, whatever their kinds."""
    return SearchDocument.select(*_RANKED_BY).where(_matching(words, most)).tuples()


def _each_kind_matching(most: Any, *words: Any) -> Any:
    return _documents_of_each_kind(lambda kind, number: _matching(words[number], most))


each_kind_matching = Statement(_each_kind_matching, arity=1 + len(SEARCHED))


@statement
def hits_by_seq(seqs: Any) -> Any:
    """What is shown of the documents; a show and an album also stand for what is in them."""
    show = fn.COALESCE(SearchDocument.show, Episode.show)
    album = fn.COALESCE(SearchDocument.album, Track.album)
    return SearchDocument.select(
        SearchDocument.seq,
        SearchDocument.kind,
        fn.COALESCE(Movie.id, Episode.id, Track.id, TVShow.id, Album.id),
        SearchDocument.title,
        fn.COALESCE(Movie.library, TVShow.library, Album.library),
        fn.COALESCE(Movie.media_file, Episode.media_file, Track.media_file),
        fn.COALESCE(Movie.year, Track.year, Album.year),
        fn.COALESCE(Movie.release_date, Episode.air_date, Album.release_date),
        fn.COALESCE(TVShow.year, 0), TVShow.first_air_date,
        TVShow.title, Episode.season_number, Episode.episode_number, Episode.episode_number_end,
        Album.title, Album.album_artist, Track.artist,
    ).join(Movie, JOIN.LEFT_OUTER, on=(SearchDocument.movie == Movie.id)).switch(
        SearchDocument
    ).join(Episode, JOIN.LEFT_OUTER, on=(SearchDocument.episode == Episode.id)).switch(
        SearchDocument
    ).join(Track, JOIN.LEFT_OUTER, on=(SearchDocument.track == Track.id)).switch(
        SearchDocument
    ).join(TVShow, JOIN.LEFT_OUTER, on=(TVShow.id == show)).switch(
        SearchDocument
    ).join(Album, JOIN.LEFT_OUTER, on=(Album.id == album)).where(
        OneOf(SearchDocument.seq, seqs)
    ).tuples()


# Finding: what another program calls it

@lru_cache(maxsize=None)
def titled(kind: str) -> Statement:
    """Return the statement for the movies, shows or tracks of a title: argument its title_key."""
    model, id, _ = SEARCHED[kind]

    def build(key: Any) -> Any:
        ids = SearchDocument.select(id).where(
            SearchDocument.kind == kind, SearchDocument.title_key == key
        )
        source = _track_source() if model is Track else _page_source(model)
        return source.where(model.id.in_(ids)).order_by(model.id)

    return Statement(build)


def _track_source() -> Any:
    return Track.select(Track, Album, MediaFile).join(Album).switch(Track).join(
        MediaFile, JOIN.LEFT_OUTER
    )


@lru_cache(maxsize=None)
def named_between(model: Any) -> Statement:
    """Return the statement for rows by their identity: arguments (library_id, start, end)."""
    return Statement(
        lambda library_id, start, end: _page_source(model).where(
            model.library == library_id, model.identity >= start, model.identity < end
        ).order_by(model.id)
    )


@statement
def episodes_numbered(show_ids: Any, season_number: Any, episode_number: Any) -> Any:
    return Episode.select(Episode, TVShow, MediaFile).join(TVShow).switch(Episode).join(
        MediaFile, JOIN.LEFT_OUTER
    ).where(
        OneOf(Episode.show, show_ids), Episode.season_number == season_number,
        Episode.episode_number == episode_number,
    ).order_by(Episode.id)


@statement
def files_at(library_id: Any, paths: Any) -> Any:
    return MediaFile.select().where(
        MediaFile.library == library_id, OneOf(MediaFile.path, paths)
    ).order_by(MediaFile.path)
