"""The queries of known and removed files: builders that run nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...database.orm.nodes import OneOf
from ...database.orm.statements import Statement, statement
from ..models import MediaFile, MediaLibrary, RemovedFile

# Files with the same content that are compared at most: each costs a stat().
_ALIKE = 50


@statement
def files_like(fingerprint: Any) -> Any:
    """Files with this content, missing ones first."""
    return (
        MediaFile.select(MediaFile, MediaLibrary)
        .join(MediaLibrary)
        .where(MediaFile.fingerprint == fingerprint)
        .order_by(MediaFile.status, MediaFile.id)
        .limit(_ALIKE)
    )


@statement
def hold_file(id: Any, path: Any) -> Any:
    """Lock a file's row until the writer ends; changes no row if the file has moved."""
    return MediaFile.update({MediaFile.updated_at: MediaFile.updated_at}).where(
        MediaFile.id == id, MediaFile.path == path
    )


@statement
def files_by_ids(ids: Any) -> Any:
    return MediaFile.select().where(OneOf(MediaFile.id, ids))


@statement
def removed_like(fingerprint: Any, filename: Any) -> Any:
    return (
        RemovedFile.select()
        .where(RemovedFile.fingerprint == fingerprint)
        .order_by(
            (RemovedFile.filename == filename).desc(), RemovedFile.removed_at.desc(), RemovedFile.id
        )
    )


@statement
def removed_by_id(id: Any) -> Any:
    return RemovedFile.select().where(RemovedFile.id == id)


@statement
def forget_removed(id: Any) -> Any:
    return RemovedFile.delete().where(RemovedFile.id == id)


class Remembered(NamedTuple):
    """The columns that are kept of a removed file."""

    id: str
    filename: str
    fingerprint: str | None
    disproved_duration: float | None


@statement
def removable(ids: Any) -> Any:
    return (
        MediaFile.select(*(getattr(MediaFile, name) for name in Remembered._fields))
        .where(OneOf(MediaFile.id, ids))
        .objects(Remembered)
    )


def _insert_removed(**values: Any) -> Any:
    return RemovedFile.insert(**values).on_conflict(
        conflict_target=[RemovedFile.id],
        preserve=[getattr(RemovedFile, name) for name in values if name != "id"],
    )


insert_removed = Statement(_insert_removed, names=(*Remembered._fields, "removed_at"))


@statement
def delete_files(ids: Any) -> Any:
    return MediaFile.delete().where(OneOf(MediaFile.id, ids))
