"""The queries of libraries, files and the catalog: builders that run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from peewee import JOIN, ModelSelect, Tuple, fn

from ..database.orm.nodes import OneOf, Placeholder
from ..database.orm.statements import Query, Statement, statement
from .models import (
    Album,
    Episode,
    MediaChapter,
    MediaExtra,
    MediaFile,
    MediaLibrary,
    MediaScan,
    MediaStream,
    Movie,
    Season,
    Track,
    TVShow,
)

# Libraries


@statement
def library_by_id(id: Placeholder) -> Query:
    return MediaLibrary.select().where(MediaLibrary.id == id)


@statement
def library_by_path(path: Placeholder) -> Query:
    return MediaLibrary.select().where(MediaLibrary.path == path)


@statement
def libraries() -> Query:
    return MediaLibrary.select().order_by(MediaLibrary.name, MediaLibrary.id)


@statement
def library_scanned(id: Placeholder, now: Placeholder) -> Query:
    return MediaLibrary.update({MediaLibrary.last_scan: now}).where(MediaLibrary.id == id)


@statement
def file_ids_of_library(library_id: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.id).where(MediaFile.library == library_id).limit(limit).tuples()
    )


# Scans


@statement
def scans() -> Query:
    return MediaScan.select().order_by(MediaScan.started_at.desc(), MediaScan.library)


@statement
def scan_begins(library_id: Placeholder, folder: Placeholder, now: Placeholder) -> Query:
    columns = {
        MediaScan.folder: folder,
        MediaScan.phase: "walk",
        MediaScan.done: 0,
        MediaScan.total: 0,
        MediaScan.errors: 0,
        MediaScan.started_at: now,
        MediaScan.updated_at: now,
        MediaScan.ended_at: None,
        MediaScan.is_cancelled: False,
    }
    return MediaScan.insert({MediaScan.library: library_id, **columns}).on_conflict(
        conflict_target=[MediaScan.library], preserve=list(columns)
    )


@statement
def scan_continues(
    library_id: Placeholder,
    phase: Placeholder,
    done: Placeholder,
    total: Placeholder,
    errors: Placeholder,
    now: Placeholder,
) -> Query:
    return (
        MediaScan.update(
            {
                MediaScan.phase: phase,
                MediaScan.done: done,
                MediaScan.total: total,
                MediaScan.errors: errors,
                MediaScan.updated_at: now,
            }
        )
        .where(MediaScan.library == library_id)
        .returning(MediaScan)
    )


@statement
def scan_ends(
    library_id: Placeholder,
    phase: Placeholder,
    done: Placeholder,
    total: Placeholder,
    errors: Placeholder,
    unplaced: Placeholder,
    now: Placeholder,
) -> Query:
    return MediaScan.update(
        {
            MediaScan.unplaced: unplaced,
            MediaScan.phase: phase,
            MediaScan.done: done,
            MediaScan.total: total,
            MediaScan.errors: errors,
            MediaScan.updated_at: now,
            MediaScan.ended_at: now,
        }
    ).where(MediaScan.library == library_id)


@statement
def cancel_scan(library_id: Placeholder) -> Query:
    return MediaScan.update({MediaScan.is_cancelled: True}).where(
        MediaScan.library == library_id, MediaScan.ended_at.is_null()
    )


# Files


@statement
def file_by_id(id: Placeholder) -> Query:
    return MediaFile.select().where(MediaFile.id == id)


@statement
def file_by_path(library_id: Placeholder, path: Placeholder) -> Query:
    return MediaFile.select().where(MediaFile.library == library_id, MediaFile.path == path)


@statement
def files_first(library_id: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaFile.select()
        .where(MediaFile.library == library_id)
        .order_by(MediaFile.path)
        .limit(limit)
    )


@statement
def files_after(library_id: Placeholder, limit: Placeholder, path: Placeholder) -> Query:
    return (
        MediaFile.select()
        .where(MediaFile.library == library_id, MediaFile.path > path)
        .order_by(MediaFile.path)
        .limit(limit)
    )


@statement
def streams_of(file_ids: Placeholder) -> Query:
    return (
        MediaStream.select()
        .where(OneOf(MediaStream.media_file, file_ids))
        .order_by(MediaStream.media_file, MediaStream.stream_index)
    )


@statement
def chapters_of(file_ids: Placeholder) -> Query:
    return (
        MediaChapter.select()
        .where(OneOf(MediaChapter.media_file, file_ids))
        .order_by(MediaChapter.media_file, MediaChapter.chapter_index)
    )


# The catalog


@statement
def movie_by_id(id: Placeholder) -> Query:
    return Movie.select(Movie, MediaFile).join(MediaFile, JOIN.LEFT_OUTER).where(Movie.id == id)


@statement
def episode_by_id(id: Placeholder) -> Query:
    return (
        Episode.select(Episode, TVShow, Season, MediaFile)
        .join(TVShow)
        .switch(Episode)
        .join(Season)
        .switch(Episode)
        .join(MediaFile, JOIN.LEFT_OUTER)
        .where(Episode.id == id)
    )


@statement
def track_by_id(id: Placeholder) -> Query:
    return (
        Track.select(Track, Album, MediaFile)
        .join(Album)
        .switch(Track)
        .join(MediaFile, JOIN.LEFT_OUTER)
        .where(Track.id == id)
    )


@statement
def show_by_id(id: Placeholder) -> Query:
    return TVShow.select().where(TVShow.id == id)


@statement
def seasons_of_show(show_id: Placeholder) -> Query:
    return Season.select().where(Season.show == show_id).order_by(Season.season_number)


@statement
def episodes_of_show(show_id: Placeholder) -> Query:
    return (
        Episode.select(Episode, MediaFile)
        .join(MediaFile, JOIN.LEFT_OUTER)
        .where(Episode.show == show_id)
        .order_by(Episode.season_number, Episode.episode_number.asc(nulls="LAST"), Episode.title)
    )


@statement
def album_by_id(id: Placeholder) -> Query:
    return Album.select().where(Album.id == id)


@statement
def tracks_of_album(album_id: Placeholder) -> Query:
    return (
        Track.select(Track, MediaFile)
        .join(MediaFile, JOIN.LEFT_OUTER)
        .where(Track.album == album_id)
        .order_by(Track.disc_number, Track.track_number, Track.title)
    )


# Extras


@statement
def extras_of_movie(movie_id: Placeholder) -> Query:
    return _extras().where(MediaExtra.movie == movie_id)


@statement
def extras_of_show(show_id: Placeholder) -> Query:
    return _extras().where(MediaExtra.show == show_id)


def _extras() -> ModelSelect[Any]:
    rows: ModelSelect[Any] = MediaExtra.select(MediaExtra, MediaFile).join(MediaFile)
    return rows.order_by(MediaExtra.season_number, MediaExtra.kind, MediaFile.path)


@statement
def unlinked_extras(library_id: Placeholder, after: Placeholder, limit: Placeholder) -> Query:
    return (
        MediaExtra.select(MediaExtra, MediaFile)
        .join(MediaFile)
        .where(
            fn.COALESCE(MediaFile.library, "")
            == library_id,  # not by a library's index: few extras
            MediaExtra.movie.is_null(),
            MediaExtra.show.is_null(),
            MediaExtra.media_file > after,
        )
        .order_by(MediaExtra.media_file)
        .limit(limit)
    )


@statement
def delete_extra(file_id: Placeholder) -> Query:
    return MediaExtra.delete().where(MediaExtra.media_file == file_id)


@statement
def tracks_alike(
    album_id: Placeholder, disc: Placeholder, number: Placeholder, title: Placeholder
) -> Query:
    return (
        Track.select()
        .where(
            Track.album == album_id,
            Track.disc_number == disc,
            Track.track_number == number,
            Track.title == title,
        )
        .order_by(Track.id)
    )


@statement
def movies_of_file(file_id: Placeholder) -> Query:
    return Movie.select().where(Movie.media_file == file_id).order_by(Movie.id)


@statement
def episodes_of_file(file_id: Placeholder) -> Query:
    return Episode.select().where(Episode.media_file == file_id).order_by(Episode.id)


@statement
def movies_between(library_id: Placeholder, first: Placeholder, last: Placeholder) -> Query:
    """The movies of a library from one identity to another."""
    return (
        Movie.select()
        .where(Movie.library == library_id, Movie.identity.between(first, last))
        .order_by(Movie.identity)
    )


@statement
def shows_between(library_id: Placeholder, first: Placeholder, last: Placeholder) -> Query:
    """The shows of a library from one identity to another."""
    return (
        TVShow.select()
        .where(TVShow.library == library_id, TVShow.identity.between(first, last))
        .order_by(TVShow.identity)
    )


@statement
def tracks_of_file(file_id: Placeholder) -> Query:
    return Track.select().where(Track.media_file == file_id).order_by(Track.id)


SORTS = ("title", "added")
_NOT_ON_PAGES = ("cleared", "sources")  # only what writes a row needs them


@lru_cache(maxsize=None)
def page_statement(model: Any, sort: str, in_library: bool, continued: bool) -> Statement:
    """Return the statement for one page: arguments (library_id, limit, *key of the row before)."""
    key = (model.sort_title, model.id) if sort == "title" else (model.id,)

    def build(library_id: Placeholder, limit: Placeholder, *after: Placeholder) -> Query:
        query = page_source(model)
        if in_library:
            query = query.where(model.library == library_id)
        if continued and sort == "title":
            query = query.where(Tuple(*key) > Tuple(*after))
        elif continued:
            query = query.where(model.id < after[0])
        order = key if sort == "title" else (model.id.desc(),)
        return query.order_by(*order).limit(limit)

    return Statement(build, arity=2 + (len(key) if continued else 0))


def page_source(model: Any) -> ModelSelect[Any]:
    """Return the query of a kind's rows, with the columns and joins that a page needs."""
    columns = [field for field in model._meta.sorted_fields if field.name not in _NOT_ON_PAGES]
    if model is Movie:
        return Movie.select(*columns, MediaFile).join(MediaFile, JOIN.LEFT_OUTER)
    rows: ModelSelect[Any] = model.select(*columns)
    return rows


@statement
def season_counts(show_ids: Placeholder) -> Query:
    return (
        Season.select(Season.show, fn.COUNT(Season.id))
        .where(OneOf(Season.show, show_ids))
        .group_by(Season.show)
        .tuples()
    )


@statement
def episode_counts(show_ids: Placeholder) -> Query:
    return (
        Episode.select(Episode.show, fn.COUNT(Episode.id))
        .where(OneOf(Episode.show, show_ids))
        .group_by(Episode.show)
        .tuples()
    )
