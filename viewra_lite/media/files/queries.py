"""The queries of known and removed files: builders that run nothing."""

from __future__ import annotations

from typing import NamedTuple

from ...database.orm.nodes import OneOf, Placeholder
from ...database.orm.statements import Query, Statement, statement
from ...database.transactions.inserts import Insert
from ..models import MediaChapter, MediaFile, MediaLibrary, MediaStream, RemovedFile

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
