"""Sessions: starting -> playing <-> paused -> stopped, completed, expired or failed.

A session without a heartbeat for too long expires, and its next heartbeat resumes it; an ended
one never changes. Everything runs in the caller's writer.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ...config.options import Config
from ...database.checks import (
    checked_choice,
    checked_duration,
    checked_id,
    checked_user,
    known_id,
    no_such,
    or_none,
)
from ...database.orm.rows import values_of
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...errors import ConflictError
from .. import queries
from ..history.plays import Plays
from ..lengths import disprove
from ..models import METHODS, OPEN_STATES, PlaybackSession
from ..progress.report_times import is_older, continues, report_time
from ..progress.state import Progress, Report
from ..progress.thresholds import Thresholds, checked_position, farthest, fitted
from ..versions import subject_of
from .fast_path import FastPath, advance

_log = logging.getLogger("viewra_lite.playback")

_SESSION = "playback session"
_MOVING = ("playing", "paused")
_ENDING = ("stopped", "completed", "failed")


class Lifecycle:
    """The transitions of a session, and what they write to progress and history."""

    def __init__(
        self, db: Database, config: Config, progress: Progress, plays: Plays, fast_path: FastPath
    ) -> None:
        self._db = db
        self._config = config
        self._progress = progress
        self._plays = plays
        self._fast_path = fast_path

    def start(
        self,
        media_file_id: str,
        user_id: str,
        device_id: str | None,
        method: str,
        position: Any,
        duration: Any,
    ) -> PlaybackSession:
        """Insert a session; raises NotFoundError, InvalidValueError."""
        checked_choice("method", method, METHODS)
        checked_user(user_id)
        or_none(checked_id, "device_id", device_id)
        duration = or_none(checked_duration, "duration", duration)
        with self._db.writer():
            file = self._db.one(queries.file_by_id, known_id("media file", media_file_id))
            if file is None:
                raise no_such("media file", media_file_id)
            length = file.duration if duration is None else duration
            subject = subject_of(self._db, file.id)
            now = self._db.now()
            session = PlaybackSession(
                id=self._db.new_id(),
                media_file_id=file.id,
                user_id=user_id,
                device_id=device_id,
                method=method,
                state="starting",
                position=checked_position(position, length),
                duration=length,
                start_time=now,
                last_activity=now,
                reported_at=None,
                end_time=None,
                watched=0.0,
                completed=False,
                kind=subject.kind,
                title=subject.title,
                top_title=subject.top_title,
            )
            self._db.run(queries.insert_session, **values_of(session))
            self._record("session.started", session)
        return session

    def heartbeat(
        self, id: str, position: object, state: str | None, client_time: datetime | None
    ) -> PlaybackSession:
        """Apply a heartbeat, on the fast path if it qualifies; raises NotFoundError."""
        session = None
        if state in (None, "playing"):
            session = self._fast_path.heartbeat(id, position, client_time)
        if session is None:
            session = self.move(self.session(id), position, state, client_time)
        return session

    def session(self, id: str) -> PlaybackSession:
        """Return a session; raises NotFoundError."""
        found: PlaybackSession | None = self._db.one(queries.session_by_id, known_id(_SESSION, id))
        if found is None:
            raise no_such(_SESSION, id)
        return found

    def move(
        self,
        session: PlaybackSession,
        position: Any,
        state: str | None,
        client_time: datetime | None,
    ) -> PlaybackSession:
        """Apply a heartbeat to the session and to the user's progress."""
        new_state = self._checked_state(session, state)
        now = self._db.now()
        self._clamp_times(session, now)
        seconds = self._fitted(session, position, report_time(client_time, now))
        if seconds is None:
            return self._end_beyond(session, new_state, position)
        self._revive(session)
        if is_older(client_time, session.reported_at, now):
            new_state = new_state if new_state in _ENDING else session.state
        else:
            is_idle = _is_idle(session, seconds, new_state)
            was_at_end = self._is_at_end(session)
            advance(session, seconds, report_time(client_time, now))
            if not is_idle:
                self._report(session, client_time, new_state, was_at_end)
        session.last_activity = now
        if new_state in _ENDING:
            return self.end(session, new_state)
        self._save(session, new_state)
        return session

    def end(self, session: PlaybackSession, state: str) -> PlaybackSession:
        """End a session at its last position, and write it to the history."""
        self._checked_state(session, state)
        self._clamp_times(session, self._db.now())
        if session.state != "expired":  # its end is its last activity
            session.end_time = max(self._db.now(), session.start_time)
        session.completed = session.completed or state == "completed"
        if state == "stopped" and session.completed:
            state = "completed"
        self._save(session, state)
        self._plays.record(session)
        self._record("session.stopped", session, state=state, **_outcome(session))
        return session

    def expire_silent(self, now: datetime) -> int:
        """Expire the sessions without a heartbeat for too long; return how many."""
        limits = {"paused": timedelta(seconds=self._config.paused_timeout_s)}
        default = timedelta(seconds=self._config.session_timeout_s)

        def is_silent(session: PlaybackSession) -> bool:
            return bool(now - session.last_activity >= limits.get(session.state, default))

        every: list[PlaybackSession] = self._db.all(queries.open_sessions)
        for session in every:
            if session.last_activity > now:  # the clock went back: count from this time
                self._touch(session.id, now)
        expired: list[str] = []

        def expire(id: str) -> None:
            session = self._db.one(queries.session_by_id, id)
            if session is not None and session.end_time is None and is_silent(session):
                self._expire(session)  # it had no heartbeat in the meantime
                expired.append(id)

        in_slices(self._db, (partial(expire, one.id) for one in every if is_silent(one)))
        if expired:
            _log.info("expired %d sessions that were silent for too long", len(expired))
        return len(expired)

    # Inside

    def _checked_state(self, session: PlaybackSession, state: str | None) -> str:
        if session.state not in (*OPEN_STATES, "expired"):
            raise ConflictError(
                f"session {session.id} has ended ({session.state}, {session.end_time}): start a "
                "new one, or report with set_progress()"
            )
        if state is None:
            return "paused" if session.state == "paused" else "playing"
        return checked_choice("state", state, (*_MOVING, *_ENDING))

    def _fitted(self, session: PlaybackSession, position: Any, moment: datetime) -> float | None:
        """Return a position within the duration, or None for an impossible one.

        Playback that continues past the end proves the duration wrong: it becomes unknown.
        """
        seconds = fitted(position, session.duration)
        if seconds is None:
            since = session.reported_at or session.start_time
            if continues(position - farthest(session.position, session.duration), since, moment):
                self._disprove_duration(session)
                seconds = float(position)
        return seconds

    def _disprove_duration(self, session: PlaybackSession) -> None:
        disprove(self._db, str(session.media_file_id), session.duration)
        session.duration = None
        if session.completed:
            session.completed = False
            self._progress.take_back(session.user_id, str(session.media_file_id), session.id)
            self._plays.record(session, disproved=True)

    def _end_beyond(
        self, session: PlaybackSession, state: str, position: object
    ) -> PlaybackSession:
        """End a session at an impossible position, without moving the user's progress."""
        if state not in _ENDING:
            checked_position(position, session.duration)
        self._revive(session)
        session.position = session.duration or session.position
        session.last_activity = self._db.now()
        return self.end(session, state)

    def _clamp_times(self, session: PlaybackSession, now: datetime) -> None:
        """Set times in the future, of a clock that ran ahead, to now."""
        session.start_time = min(session.start_time, now)
        if session.reported_at is not None:
            session.reported_at = min(session.reported_at, now)

    def _revive(self, session: PlaybackSession) -> None:
        """Resume an expired session; its play is written again when it ends."""
        if session.state == "expired":
            session.state, session.end_time = "playing", None

    def _report(
        self, session: PlaybackSession, client_time: datetime | None, state: str, was_at_end: bool
    ) -> None:
        file_id, now = str(session.media_file_id), self._db.now()
        self._progress.report(
            session.user_id,
            file_id,
            Report(
                session.position, session.duration, session.kind == "track", client_time, session.id
            ),
        )
        if state == "completed" or not was_at_end and self._is_at_end(session):
            if not session.completed:
                session.completed = True
                self._plays.record(session)
            self._progress.watched(session.user_id, file_id, report_time(client_time, now))

    def _is_at_end(self, session: PlaybackSession) -> bool:
        limits = Thresholds.of(self._config, is_music=session.kind == "track")
        return limits.is_at_end(session.position, session.duration)

    def _expire(self, session: PlaybackSession) -> None:
        """Expire a silent session; its end time is its last activity."""
        session.end_time = max(session.last_activity, session.start_time)
        self._save(session, "expired")
        self._plays.record(session)
        self._record("session.expired", session, **_outcome(session))

    def _record(self, event: str, session: PlaybackSession, **facts: Any) -> None:
        self._db.events.record(
            event,
            session_id=session.id,
            user_id=session.user_id,
            media_file_id=session.media_file_id,
            **facts,
        )

    def _save(self, session: PlaybackSession, state: str) -> None:
        session.state = state
        self._db.run(
            queries.session_moved,
            id=session.id,
            **{name: getattr(session, name) for name in queries.MOVING},
        )

    def _touch(self, id: str, now: datetime) -> None:
        with self._db.writer():
            session = self._db.one(queries.session_by_id, id)
            if session is not None and session.end_time is None:
                session.last_activity = now
                self._clamp_times(session, now)
                self._save(session, session.state)


def _is_idle(session: PlaybackSession, seconds: float, new_state: str) -> bool:
    """Whether a report must not move the user's progress.

    A loading player reports 0, wherever it will start. One that is left paused must not undo,
    with each heartbeat or when it is closed, the progress that the user has made elsewhere since.
    """
    if new_state == "completed":
        return False
    if session.state == "paused" and new_state != "playing" and seconds == session.position:
        return True
    return not seconds and not session.watched


def _outcome(session: PlaybackSession) -> dict[str, Any]:
    return {"position": session.position, "completed": session.completed}
