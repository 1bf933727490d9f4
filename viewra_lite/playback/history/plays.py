"""Plays: the definition of a play, and the only code that writes and counts plays.

A play is a session that watched at least a minute, or half of a file shorter than two minutes, or
that reached the end. `play_count` is the number of a user's plays to the end, and changes only
together with the history. One evening reported twice (a session and an import, or a report without
a session) is one play: same user and work, within the running time of the session, which lasts
from its start to its end, pauses included.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ...database.checks import no_such
from ...database.orm.rows import values_of
from ...database.transactions.database import Database
from ...errors import ConflictError
from .. import queries
from ..models import PlaybackHistory, PlaybackSession, UserMediaProgress
from ..progress.state import Progress
from ..versions import Versions, subject_of
from . import queries as history_queries

PLAY_S = 60.0
"""Seconds watched that make a play."""
_LONGEST = timedelta(days=1)
"""Of a session, pauses included."""


def is_play(watched: float, duration: float | None, completed: bool) -> bool:
    """Whether the seconds watched, of this duration, make a play."""
    return (
        completed
        or watched >= PLAY_S
        or (duration is not None and duration < 2 * PLAY_S and 0 < duration / 2 <= watched)
    )


class Plays:
    """Writes plays and counts them, inside the caller's writer."""

    def __init__(self, db: Database, progress: Progress) -> None:
        self._db = db
        self._progress = progress

    def record(self, session: PlaybackSession, *, disproved: bool = False) -> None:
        """Write a session to the history under its own id, or remove it if it is not a play.

        disproved: an end that it reported before was wrong.
        """
        known = self._unarchived(session.id)
        play = _play_of(session)
        if known is not None and not disproved:
            play.completed = play.completed or known.completed
        if not is_play(session.watched, session.duration, play.completed):
            if known is not None:
                self._remove(known)
            return
        if known is None:
            for duplicate in self._near(play, session.duration):
                if duplicate.method is None:  # imported, or reported without a session
                    play.completed = play.completed or duplicate.completed
                    self._remove(duplicate)
        self._insert(play)
        self._count(play, play.completed - (known is not None and known.completed))

    def is_known(self, play: PlaybackHistory, duration: float | None) -> bool:
        """Whether the history holds a play that was imported or reported without a session.

        A play to the end completes the known one.
        """
        if self._near(play, duration, archived=True):
            return True
        duplicates = self._near(play, duration)
        if (
            duplicates
            and play.completed
            and not any(duplicate.completed for duplicate in duplicates)
        ):
            duplicate = min(duplicates, key=lambda one: abs(one.played_at - play.played_at))
            self._db.run(history_queries.set_completed, True, duplicate.id)
            self._count(duplicate, 1)
        return bool(duplicates)

    def add(self, play: PlaybackHistory) -> None:
        """Add a play without a session."""
        self._insert(play)
        self._count(play, int(play.completed))

    def take_back(self, play: PlaybackHistory, duration: float | None) -> None:
        """Remove the plays that reports without a session added within the running time."""
        for duplicate in self._near(play, duration):
            session = self._db.one(queries.session_by_id, duplicate.id)
            if duplicate.method is None and duplicate.duration_watched is None:
                self._remove(duplicate)
            elif duplicate.completed and session is not None and not session.completed:
                self._db.run(history_queries.set_completed, False, duplicate.id)
                self._count(duplicate, -1)

    def undo_end(self, before: UserMediaProgress) -> None:
        """Undo the end of a play, for a user who undid the progress."""
        file_id = str(before.media_file_id)
        if before.session_id is None:
            versions = Versions(self._db, [file_id])
            at = before.reported_at or before.updated_at
            self.take_back(
                PlaybackHistory(user_id=before.user_id, media_file_id=file_id, played_at=at),
                versions.files[file_id].duration if file_id in versions.files else None,
            )
            return
        session = self._db.one(queries.session_by_id, before.session_id)
        if session is not None and session.completed:
            self._db.run(queries.session_not_completed, session.id)
            session.completed = False
            self.record(session, disproved=True)

    def delete(self, id: str) -> None:
        """Delete a play and its session, archived or not, and subtract it from play_count."""
        session = self._db.one(queries.session_by_id, id)
        if session is not None and session.end_time is None:
            raise ConflictError(f"session {id} is open: end it before you delete its play")
        play = self._unarchived(id)
        if play is None:
            raise no_such("play", id)
        self._remove(play)
        self._db.run(queries.delete_session, id)

    # Inside

    def _near(
        self, play: PlaybackHistory, duration: float | None, *, archived: bool = False
    ) -> list[PlaybackHistory]:
        """Return the user's plays of the same work within its running time."""
        around = timedelta(seconds=duration or PLAY_S)
        began, ended = self._span(play)
        file_id = str(play.media_file_id)
        files = list(Versions(self._db, [file_id]).ids_of(file_id))
        statement = history_queries.archived_near if archived else history_queries.plays_near
        found: list[PlaybackHistory] = self._db.all(
            statement, play.user_id, _earlier(began, around + _LONGEST), ended + around, files
        )
        earliest = _earlier(began, around)
        return [one for one in found if one.played_at > earliest or self._span(one)[1] > earliest]

    def _span(self, play: PlaybackHistory) -> tuple[datetime, datetime]:
        """Return the start and the end of a play; without a session they are the same."""
        session = self._db.one(queries.session_by_id, play.id)
        if session is None:
            return play.played_at, play.played_at
        return play.played_at, max(play.played_at, session.last_activity)

    def _insert(self, play: PlaybackHistory) -> None:
        self._db.run(history_queries.put_play, **values_of(play))

    def _unarchived(self, id: str) -> PlaybackHistory | None:
        """Return a play by id, moved back from the archive if it was there, or None."""
        archived = self._db.one(history_queries.archived_by_id, id)
        if archived is not None:
            day = archived.played_at.date()
            for statement in (
                history_queries.copy_from_archive,
                history_queries.take_from_totals,
                history_queries.delete_archived,
            ):
                self._db.run(statement, [id])
            self._db.run(history_queries.delete_empty_totals, day, day)
        play: PlaybackHistory | None = self._db.one(history_queries.play_by_id, id)
        return play

    def _remove(self, play: PlaybackHistory) -> None:
        self._db.run(history_queries.delete_plays, [play.id])
        self._count(play, -int(play.completed))

    def _count(self, play: PlaybackHistory, by: int) -> None:
        if by:
            file_id = str(play.media_file_id)
            self._progress.count(play.user_id, file_id, by, _end_of(play))


def _earlier(moment: datetime, by: timedelta) -> datetime:
    beginning = datetime.min.replace(tzinfo=timezone.utc)
    return beginning if moment - beginning < by else moment - by


def _end_of(play: PlaybackHistory) -> datetime:
    end: datetime = play.played_at + timedelta(seconds=play.duration_watched or 0)
    return end


def _play_of(session: PlaybackSession) -> PlaybackHistory:
    return PlaybackHistory(
        id=session.id,
        user_id=session.user_id,
        media_file_id=session.media_file_id,
        played_at=session.start_time,
        duration_watched=round(session.watched),
        completed=session.completed,
        kind=session.kind,
        title=session.title,
        top_title=session.top_title,
        device_id=session.device_id,
        method=session.method,
    )


def play_elsewhere(
    db: Database,
    user_id: str,
    media_file_id: str,
    played_at: datetime,
    *,
    watched: int | None = None,
    completed: bool = True,
) -> PlaybackHistory:
    """Return a play that had no session here; it is not written yet."""
    subject = subject_of(db, media_file_id)
    return PlaybackHistory(
        id=db.new_id(),
        user_id=user_id,
        media_file_id=media_file_id,
        played_at=played_at,
        duration_watched=watched,
        completed=completed,
        kind=subject.kind,
        title=subject.title,
        top_title=subject.top_title,
        device_id=None,
        method=None,
    )
