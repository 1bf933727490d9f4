"""The queries of known and removed files: builders that run nothing."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from peewee import SQL, ColumnBase, fn

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ...database.transactions.inserts import Insert
from ..models import (
    Episode,
    MediaChapter,
    MediaExtra,
    MediaFile,
    MediaLibrary,
    MediaScan,
    MediaStream,
    Movie,
    RemovedFile,
    Track,
    WorkFile,
)

# Files with the same content that are compared at most: each costs a stat().
_ALIKE = 50


@statement
def files_like(fingerprint: Placeholder) -> Query:
    """Files with this content, missing ones first."""
    return (
        MediaFile.select(MediaFile, MediaLibrary)
        .join(MediaLibrary)
        .where(MediaFile.fingerprint == fingerprint)
        .order_by(MediaFile.status, MediaFile.id)
        .limit(_ALIKE)
    )


@statement
def hold_file(id: Placeholder, path: Placeholder) -> Query:
    """Lock a file's row until the writer ends; changes no row if the file has moved."""
    return MediaFile.update({MediaFile.updated_at: MediaFile.updated_at}).where(
        MediaFile.id == id, MediaFile.path == path
    )


@statement
def files_by_ids(ids: Placeholder) -> Query:
    return MediaFile.select().where(OneOf(MediaFile.id, ids))


@statement
def removed_like(fingerprint: Placeholder, filename: Placeholder) -> Query:
    return (
        RemovedFile.select()
        .where(RemovedFile.fingerprint == fingerprint)
        .order_by(
            (RemovedFile.filename == filename).desc(), RemovedFile.removed_at.desc(), RemovedFile.id
        )
    )


@statement
def removed_by_id(id: Placeholder) -> Query:
    return RemovedFile.select().where(RemovedFile.id == id)


@statement
def forget_removed(id: Placeholder) -> Query:
    return RemovedFile.delete().where(RemovedFile.id == id)


class Remembered(NamedTuple):
    """The columns that are kept of a removed file."""

    id: str
    filename: str
    fingerprint: str | None
    disproved_duration: float | None


class Place(NamedTuple):
    """Where a file is."""

    id: str
    library_id: str
    path: str


@statement
def places(ids: Placeholder) -> Query:
    return (
        MediaFile.select(MediaFile.id, MediaFile.library, MediaFile.path)
        .where(OneOf(MediaFile.id, ids))
        .objects(Place)
    )


@statement
def removable(ids: Placeholder) -> Query:
    return (
        MediaFile.select(*(getattr(MediaFile, name) for name in Remembered._fields))
        .where(OneOf(MediaFile.id, ids))
        .objects(Remembered)
    )


def _insert_removed(**values: Placeholder) -> Query:
    return RemovedFile.insert(**values).on_conflict(
        conflict_target=[RemovedFile.id],
        preserve=[getattr(RemovedFile, name) for name in values if name != "id"],
    )


insert_removed = Statement(_insert_removed, names=(*Remembered._fields, "removed_at"))


@statement
def delete_files(ids: Placeholder) -> Query:
    return MediaFile.delete().where(OneOf(MediaFile.id, ids))


# Streams and chapters


STREAM_COLUMNS = tuple(name for name in MediaStream._meta.fields if name != "media_file")
"""All columns of a stream but its file, in the table's order."""
insert_streams = Insert(
    MediaStream.media_file, *(getattr(MediaStream, name) for name in STREAM_COLUMNS)
)
insert_chapters = Insert(
    MediaChapter.media_file, MediaChapter.chapter_index, MediaChapter.start, MediaChapter.title
)


@statement
def streams_beside(file_ids: Placeholder) -> Query:
    return (
        MediaStream.select()
        .where(OneOf(MediaStream.media_file, file_ids), MediaStream.external_path.is_null(False))
        .order_by(MediaStream.media_file, MediaStream.stream_index)
    )


@statement
def delete_streams(file_ids: Placeholder) -> Query:
    return MediaStream.delete().where(OneOf(MediaStream.media_file, file_ids))


@statement
def delete_chapters(file_ids: Placeholder) -> Query:
    return MediaChapter.delete().where(OneOf(MediaChapter.media_file, file_ids))


# What files belong to


@lru_cache(maxsize=None)
def files_placed(placed: bool, continued: bool) -> Statement:
    """Return the statement for one page of files that belong to something, or that do not.

    Arguments are library_id, limit, and the path of the row before if it is continued.
    """

    def build(library_id: Placeholder, limit: Placeholder, *path: Placeholder) -> Query:
        wanted = is_placed() if placed else ~is_placed()
        query = MediaFile.select().where(MediaFile.library == library_id, wanted)
        if continued:
            query = query.where(MediaFile.path > path[0])
        return query.order_by(MediaFile.path).limit(limit)

    return Statement(build, arity=3 if continued else 2)


def is_placed() -> ColumnBase:
    """Whether a file belongs to a movie, an episode or a track, or is an extra."""
    movies, episodes, tracks = (
        fn.EXISTS(model.select(1).where(model.work == WorkFile.work))
        for model in (Movie, Episode, Track)
    )
    works = WorkFile.select(1).where(
        WorkFile.media_file_id == MediaFile.id, movies | episodes | tracks
    )
    extras = MediaExtra.select(1).where(MediaExtra.media_file == MediaFile.id)
    return fn.EXISTS(works) | fn.EXISTS(extras)


@statement
def count_unplaced(library_id: Placeholder) -> Query:
    return (
        MediaFile.select(fn.COUNT(SQL("*")))
        .where(MediaFile.library == library_id, ~is_placed())
        .tuples()
    )


@statement
def unplaced_before(library_id: Placeholder) -> Query:
    """The number that the last scan has counted, NULL if files were placed or removed since."""
    return MediaScan.select(MediaScan.unplaced).where(MediaScan.library == library_id).tuples()


@statement
def forget_unplaced() -> Query:
    """Let the next scan of each library count anew."""
    return MediaScan.update({MediaScan.unplaced: None})
