"""Delete a user's rows, or move them to another user id."""

from __future__ import annotations

from typing import Any

from ..database.checks import no_such
from ..database.transactions.database import Database
from ..database.transactions.slices import repeat_in_slices
from ..errors import ConflictError, InvalidValueError, shown
from .import_models import ImportedRow, PlaybackImport, WaitingRow
from .models import (
    PlaybackDailyTotal,
    PlaybackHistory,
    PlaybackHistoryArchive,
    PlaybackSession,
    UserMediaProgress,
)

_BATCH = 200  # rows deleted by one step of a transaction
# Every table with a user_id, and a column that selects some of a user's rows.
_TABLES: tuple[tuple[Any, Any], ...] = (
    (PlaybackSession, PlaybackSession.id),
    (UserMediaProgress, UserMediaProgress.media_file_id),
    (PlaybackHistory, PlaybackHistory.id),
    (PlaybackHistoryArchive, PlaybackHistoryArchive.id),
    (PlaybackDailyTotal, PlaybackDailyTotal.day),
    (ImportedRow, ImportedRow.seq),
    (WaitingRow, WaitingRow.id),
    (PlaybackImport, PlaybackImport.id),
)


def forget(db: Database, user_id: str) -> int:
    """Delete a user's rows in bounded transactions; return how many."""
    gone = 0
    for model, column in _TABLES:
        gone += _forget_all(db, model, column, user_id)
    return gone


def _forget_all(db: Database, model: Any, column: Any, user_id: str) -> int:
    gone = 0

    def forget_some() -> int:
        nonlocal gone
        some = model.select(column).where(model.user_id == user_id).limit(_BATCH)
        count: int = model.delete().where(model.user_id == user_id, column.in_(some)).execute()
        gone += count
        return count

    repeat_in_slices(db, forget_some, durable=True)
    return gone


def rename(db: Database, old: str, new: str) -> int:
    """Change the user id of a user's rows, in one transaction; return how many."""
    if old == new:
        raise InvalidValueError(f"new must differ from old, which is {shown(old)} too")
    count = 0
    with db.writer(durable=True):
        if any(_has_rows(model, new) for model, _ in _TABLES):
            raise ConflictError(
                f"user {shown(new)} has rows already, and two users cannot be merged: "
                "call forget_user() for one of them first"
            )
        for model, _ in _TABLES:
            count += model.update(user_id=new).where(model.user_id == old).execute()
        if not count:
            raise no_such("user", old)
    return count


def _has_rows(model: Any, user_id: str) -> bool:
    return bool(model.select().where(model.user_id == user_id).exists())
