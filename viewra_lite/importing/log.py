"""Undoes an import by its log of changes, the last change first."""

from __future__ import annotations

from typing import Any

from ..database.orm.reading import Reading, columns_of, shaped
from ..database.orm.rows import values_of
from ..database.transactions.database import Database
from ..database.transactions.slices import repeat_in_slices
from ..playback import queries as playback_queries
from ..playback.history import queries as history_queries
from ..playback.import_models import ImportedRow
from ..playback.models import UserMediaProgress
from . import queries
from .applying import image

_BATCH_ROWS = 20  # taken back by one step of a transaction
_PROGRESS = Reading(
    "a JSON object of the columns of progress",
    lambda value: None if value is None else columns_of(UserMediaProgress, value),
)


def take_back(db: Database, import_id: str) -> int:
    """Undo an import, in bounded transactions; return the number of changes."""
    count = 0

    def take_some_back() -> list[Any]:
        nonlocal count
        rows = db.all(queries.last_rows, import_id, _BATCH_ROWS)
        for row in rows:
            _take_back(db, row)
        if rows:
            db.run(queries.delete_rows_from, import_id, rows[-1].seq)
        else:
            db.run(queries.delete_waiting_of, import_id)
            db.run(queries.mark_undone, db.now(), import_id)
        count += len(rows)
        return rows

    repeat_in_slices(db, take_some_back, durable=True)
    return count


def _take_back(db: Database, row: ImportedRow) -> None:
    if row.play_id is None:
        _restore(db, row)
    elif row.before is not None:
        db.run(queries.uncomplete_play, row.play_id)
    else:
        days = [play.played_at.date() for play in _archived(db, row.play_id)]
        db.run(history_queries.delete_plays, [row.play_id])
        if days:
            db.run(history_queries.take_from_totals, [row.play_id])
            db.run(history_queries.delete_empty_totals, days[0], days[0])
            db.run(history_queries.delete_archived, [row.play_id])


def _archived(db: Database, play_id: str) -> list[Any]:
    found: list[Any] = db.all(queries.archived_play, play_id)
    return found


def _restore(db: Database, row: ImportedRow) -> None:
    """Restore a user's progress in a file, and keep later changes."""
    found = db.all(queries.progress_rows, row.user_id, [row.media_file_id])
    if not found:
        return
    before, after = shaped(row, "before", _PROGRESS), shaped(row, "after", _PROGRESS)
    state = found[0]
    if image(state) == row.after:
        if before is None:
            db.run(playback_queries.forget_progress, row.user_id, row.media_file_id)
            return
        for name, value in before.items():
            setattr(state, name, value)
    else:
        _take_from(state, before or {}, after or {})
    db.run(playback_queries.put_progress, **values_of(state))


def _take_from(state: Any, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Remove only an import's plays and its mark from a state that has changed since."""
    plays = after.get("play_count", 0) - before.get("play_count", 0)
    state.play_count = max(state.play_count - plays, 0)
    if state.last_played_at == after.get("last_played_at"):
        state.last_played_at = before.get("last_played_at")
        if after.get("completed"):
            state.completed = bool(before.get("completed")) or state.play_count > 0
