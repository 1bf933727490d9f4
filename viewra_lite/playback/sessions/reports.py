"""Reports of a user's position without a session."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...database.transactions.database import Database
from ...errors import ConflictError, shown
from ...media.models import MediaFile
from ..history.plays import Plays, play_elsewhere
from ..lengths import disprove
from ..models import UserMediaProgress
from ..progress.report_times import is_older, continues, report_time
from ..progress.state import Progress, Report
from ..progress.thresholds import checked_position, farthest, fitted
from ..versions import is_music


def take(
    db: Database,
    progress: Progress,
    plays: Plays,
    user_id: str,
    file_id: str,
    file: MediaFile | None,
    position: Any,
    completed: bool | None,
    client_time: datetime | None,
) -> UserMediaProgress:
    """Apply a report, add a play if it reaches the end, and return the new progress."""
    now, duration = db.now(), None if file is None else file.duration
    moment = report_time(client_time, now)
    known = progress.known(user_id, file_id)
    state = known.state
    seconds = fitted(position, duration)
    if seconds is None:
        before = 0.0 if state is None else farthest(state.position, state.duration)
        if state is None or not continues(position - before, state.reported_at, moment):
            checked_position(position, duration)
        seconds = float(position)
        if state is not None and state.duration is not None and completed is None:
            _disprove(db, progress, plays, state, duration)
            known = progress.known(user_id, file_id)
        disprove(db, file_id, duration)
        duration = None
    report = Report(seconds, duration, is_music(file), client_time, completed=completed)
    is_late = state is not None and is_older(client_time, state.reported_at, now)
    is_play = not is_late and progress.came_to_end(state, report)
    result = progress.report(user_id, file_id, report, known)
    play = play_elsewhere(db, user_id, file_id, moment) if is_play else None
    if play is not None and not plays.is_known(play, duration):
        plays.add(play)
    if is_play:
        result = progress.of_file(user_id, file_id) or result
    return result


def undo(progress: Progress, plays: Plays, user_id: str, file_id: str) -> UserMediaProgress:
    """Restore the last kept state, and remove the play that was added after it."""
    before = progress.of_file(user_id, file_id)
    state = progress.undo(user_id, file_id)
    if before is None or state is None:
        raise ConflictError(
            f"nothing to undo: no earlier progress of {shown(user_id)} in {shown(file_id)} is kept"
        )
    was_played = before.last_played_at not in (None, state.last_played_at)
    if was_played and before.marked == state.marked:
        plays.undo_end(before)
        state = progress.of_file(user_id, file_id) or state
    return state


def _disprove(
    db: Database, progress: Progress, plays: Plays, state: UserMediaProgress, duration: float | None
) -> None:
    """Undo the completion and the play that a too short duration has caused."""
    if state.completed:
        user_id, file_id = state.user_id, state.media_file_id
        progress.take_back(user_id, file_id, None)
        plays.take_back(play_elsewhere(db, user_id, file_id, db.now()), duration)
