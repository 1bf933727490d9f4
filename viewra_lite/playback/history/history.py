"""The history: a row for each play, readable after the file is removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ...database.checks import (
    checked_id,
    checked_limit,
    checked_moment,
    checked_seconds,
    checked_truth,
    checked_whole,
    known_id,
    no_such,
    not_a_cursor,
)
from ...database.pages import page_of, rows_or_none, start_after, Page
from ...database.transactions.database import Database
from ...errors import InvalidValueError
from .. import queries
from ..models import PlaybackHistory, PlaybackHistoryArchive
from ..progress.state import Progress, Report
from ..progress.thresholds import checked_position
from ..versions import Versions
from . import queries as history_queries
from .plays import Plays, is_play, play_elsewhere

BEGINNING = datetime.min.replace(tzinfo=timezone.utc)
END = datetime.max.replace(tzinfo=timezone.utc)


def page(
    db: Database, user_id: str | None, limit: int, after: str | None, archived: bool
) -> Page[Any]:
    """Return a page of plays of one user or of all, newest first."""
    count = checked_limit(limit) + 1
    user, start = [] if user_id is None else [user_id], _start(after)

    def latest(model: object) -> list[Any]:
        statement = history_queries.page_of_plays(model, bool(user), bool(start))
        return rows_or_none(db, statement, count, *user, *start)

    if archived:
        with db.reader():  # one snapshot: a play is in one of the two tables
            rows = latest(PlaybackHistory) + latest(PlaybackHistoryArchive)
        rows = [row for row in rows if row is not None]
        rows = sorted(rows, key=lambda play: (play.played_at, play.id), reverse=True)[:count]
    else:
        rows = latest(PlaybackHistory)
    found: Page[Any] = page_of(rows, limit, "history", lambda play: (play.played_at, play.id))
    return found


def _start(after: str | None) -> list[Any]:
    """Return the key of the previous page's last play; raises InvalidValueError."""
    key = start_after(after, "history", datetime, str)
    if key is None:
        return []
    try:
        checked_id("id", key[1])
    except InvalidValueError as exc:
        raise not_a_cursor() from exc
    return key


@dataclass(frozen=True, slots=True)
class Play:
    """A play from another program."""

    played_at: datetime
    completed: bool
    position: float | None
    """Seconds; None is the end of a completed play, else the beginning."""
    duration_watched: float | None


def record_play(
    db: Database, progress: Progress, plays: Plays, user_id: str, media_file_id: str, play: Play
) -> bool:
    """Insert a play that the history lacks, and apply its report; return whether it was new."""
    checked_truth("completed", play.completed)
    known_id("media file", media_file_id)
    played_at, watched = _played_at(play.played_at, db.now()), _watched(play.duration_watched)
    with db.writer():
        versions = Versions(db, [media_file_id])
        if not versions.is_known(media_file_id):
            raise no_such("media file", media_file_id)
        report = _report(versions, media_file_id, play, played_at)
        completed = bool(report.completed) or progress.is_at_end(report)
        if watched is not None and not is_play(watched, report.duration, completed):
            return False
        row = play_elsewhere(
            db, user_id, media_file_id, played_at, watched=watched, completed=completed
        )
        is_new = not plays.is_known(row, report.duration)
        if is_new:
            progress.report_play(user_id, media_file_id, report, completed=completed)
            plays.add(row)
    return is_new


def _report(versions: Versions, id: str, play: Play, played_at: datetime) -> Report:
    """Return the report of a play's position."""
    file = versions.files.get(id)
    duration = None if file is None else file.duration
    position = play.position
    if position is None:
        position = duration or 0.0 if play.completed else 0.0
    return Report(
        checked_position(position, duration),
        duration,
        versions.is_music(id),
        played_at,
        completed=True if play.completed else None,
    )


def _played_at(moment: object, now: datetime) -> datetime:
    """Return played_at in UTC; raises InvalidValueError."""
    played_at = checked_moment("played_at", moment)
    if played_at > now:
        raise InvalidValueError(
            f"played_at {moment} is in the future (it is {now}): give the time of a past play"
        )
    return played_at


def _watched(duration: object) -> int | None:
    """Return duration_watched in whole seconds; raises InvalidValueError."""
    if duration is None:
        return None
    seconds = round(checked_seconds("duration_watched", duration))
    return checked_whole("duration_watched", seconds)


def follow_file(db: Database, gone_id: str, kept_id: str) -> None:
    """Move the plays, sessions and imports of a file to the file it is merged into."""
    for follow in (
        queries.session_follows,
        history_queries.history_follows,
        history_queries.archive_follows,
        queries.imported_follows,
    ):
        db.run(follow, gone_id, kept_id)
