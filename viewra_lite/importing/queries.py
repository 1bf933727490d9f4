"""Query builders of imports; they run nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from peewee import JOIN, ModelSelect, SQL

from ..database.orm.nodes import OneOf, Placeholder
from ..database.orm.statements import Query, Statement, statement
from ..playback.import_models import ImportedRow, PlaybackImport, WaitingRow
from ..playback.models import (
    PlaybackHistory,
    PlaybackHistoryArchive,
    PlaybackSession,
    UserMediaProgress,
)
from ..playback.queries import insert_row

insert_play = insert_row(PlaybackHistory)
insert_import = insert_row(PlaybackImport)
insert_imported = insert_row(ImportedRow)


insert_waiting = insert_row(WaitingRow)


class KnownPlay(NamedTuple):
    """A play that is in the history."""

    id: str
    file_id: str
    played_at: datetime
    completed: bool
    method: str | None
    last_activity: datetime | None
    """Of the session that it was, if it was one."""


def _plays_between(model: Any) -> Statement:
    """Return the statement for a user's plays of some files between two moments."""
    return Statement(
        lambda user_id, since, until, file_ids: (
            model.select(
                model.id,
                model.media_file_id,
                model.played_at,
                model.completed,
                model.method,
                PlaybackSession.last_activity,
            )
            .join(PlaybackSession, JOIN.LEFT_OUTER, on=(PlaybackSession.id == model.id))
            .where(
                model.user_id == user_id,
                model.played_at >= since,
                model.played_at <= until,
                OneOf(model.media_file_id, file_ids),
            )
            .objects(KnownPlay)
        )
    )


plays_between = tuple(map(_plays_between, (PlaybackHistory, PlaybackHistoryArchive)))


@statement
def complete_play(id: Placeholder) -> Query:
    return PlaybackHistory.update({PlaybackHistory.completed: SQL("TRUE")}).where(
        PlaybackHistory.id == id
    )


@statement
def uncomplete_play(id: Placeholder) -> Query:
    return PlaybackHistory.update({PlaybackHistory.completed: SQL("FALSE")}).where(
        PlaybackHistory.id == id
    )


@statement
def progress_rows(user_id: Placeholder, file_ids: Placeholder) -> Query:
    return UserMediaProgress.select().where(
        UserMediaProgress.user_id == user_id, OneOf(UserMediaProgress.media_file_id, file_ids)
    )


# Imports


@statement
def imports() -> Query:
    return PlaybackImport.select().order_by(PlaybackImport.id.desc())


@statement
def import_by_id(id: Placeholder) -> Query:
    return PlaybackImport.select().where(PlaybackImport.id == id)


@statement
def put_counts(
    *,
    id: Placeholder,
    total: Placeholder,
    imported: Placeholder,
    already: Placeholder,
    left_out: Placeholder,
    unmatched: Placeholder,
    finished_at: Placeholder,
) -> Query:
    model = PlaybackImport
    return model.update(
        {
            model.total: total,
            model.imported: imported,
            model.already: already,
            model.left_out: left_out,
            model.unmatched: unmatched,
            model.finished_at: finished_at,
        }
    ).where(model.id == id)


@statement
def mark_undone(now: Placeholder, id: Placeholder) -> Query:
    return PlaybackImport.update({PlaybackImport.undone_at: now}).where(PlaybackImport.id == id)


@statement
def delete_import(id: Placeholder) -> Query:
    return PlaybackImport.delete().where(PlaybackImport.id == id)


@statement
def last_rows(id: Placeholder, limit: Placeholder) -> Query:
    return (
        ImportedRow.select()
        .where(ImportedRow.batch == id)
        .order_by(ImportedRow.seq.desc())
        .limit(limit)
    )


@statement
def delete_rows_from(id: Placeholder, seq: Placeholder) -> Query:
    return ImportedRow.delete().where(ImportedRow.batch == id, ImportedRow.seq >= seq)


# Waiting rows


@statement
def waiting_after(id: Placeholder, limit: Placeholder) -> Query:
    return WaitingRow.select().where(WaitingRow.id > id).order_by(WaitingRow.id).limit(limit)


@statement
def waiting_keys(keys: Placeholder) -> Query:
    return (
        WaitingRow.select(WaitingRow.user_id, WaitingRow.key)
        .where(OneOf(WaitingRow.key, keys))
        .tuples()
    )


@statement
def delete_waiting(ids: Placeholder) -> Query:
    return WaitingRow.delete().where(OneOf(WaitingRow.id, ids))


@statement
def delete_waiting_keys(user_id: Placeholder, keys: Placeholder) -> Query:
    return WaitingRow.delete().where(WaitingRow.user_id == user_id, OneOf(WaitingRow.key, keys))


@statement
def delete_waiting_of(id: Placeholder) -> Query:
    return WaitingRow.delete().where(WaitingRow.batch == id)


@statement
def archived_play(id: Placeholder) -> Query:
    return PlaybackHistoryArchive.select().where(PlaybackHistoryArchive.id == id)


# A user's own data


def _files_of(model: Any, user_id: Placeholder) -> ModelSelect[Any]:
    files: ModelSelect[Any] = model.select(model.media_file_id).where(
        model.user_id == user_id, model.media_file_id.is_null(False)
    )
    return files


@statement
def files_of_user(user_id: Placeholder, again: Placeholder, once_more: Placeholder) -> Query:
    """Every file that a user has progress in, or has played."""
    return (
        _files_of(UserMediaProgress, user_id)
        .union(_files_of(PlaybackHistory, again))
        .union(_files_of(PlaybackHistoryArchive, once_more))
        .tuples()
    )


def _plays_of_files(model: Any) -> Statement:
    return Statement(
        lambda user_id, file_ids: model.select().where(
            model.user_id == user_id, OneOf(model.media_file_id, file_ids)
        )
    )


plays_of_files = tuple(map(_plays_of_files, (PlaybackHistory, PlaybackHistoryArchive)))
