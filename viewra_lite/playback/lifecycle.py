"""Sessions: starting -> playing <-> paused -> stopped, completed, expired or failed.

A session that has ended stays as it is, and is in the history. Everything runs in the caller's
writer.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..config import Config
from ..database.checks import (
    checked_choice, checked_duration, checked_id, checked_user, known_id, no_such, or_none,
)
from ..database.sessions import Sessions
from ..errors import ConflictError
from . import history, queries
from .models import METHODS, OPEN_STATES, PlaybackSession
from .owners import Owner
from .progress import Progress, Report, is_older, report_time
from .thresholds import Thresholds, checked_position
from .versions import subject_of

_MOVING = ("playing", "paused")
_ENDING = ("stopped", "completed", "failed")
_BATCH = 100  # sessions closed in a transaction


class Lifecycle:
    """What may happen to a session, and what follows from it."""

    def __init__(self, sessions: Sessions, config: Config, progress: Progress) -> None:
        self._sessions = sessions
        self._config = config
        self._progress = progress
        self.owner = Owner(sessions)

    def start(
        self, media_file_id: str, user_id: str, device_id: str | None, method: str,
        position: Any, duration: Any,
    ) -> PlaybackSession:
        """Insert a session of a file; raises NotFoundError, InvalidValueError."""
        checked_choice("method", method, METHODS)
        checked_user(user_id)
        or_none(checked_id, "device_id", device_id)
        duration = or_none(checked_duration, "duration", duration)
        owner = self.owner.claim()
        with self._sessions.writer():
            file = self._sessions.one(
                queries.file_by_id, known_id("media file", media_file_id)
            )
            if file is None:
                raise no_such("media file", media_file_id)
            length = file.duration if duration is None else duration
            subject = subject_of(self._sessions, file.id)
            now = self._sessions.now()
            session = PlaybackSession(
                id=self._sessions.new_id(), media_file_id=file.id, user_id=user_id,
                device_id=device_id, method=method, state="starting",
                position=checked_position(position, length), duration=length, start_time=now,
                last_activity=now, reported_at=None, end_time=None, watched=0.0, completed=False,
                kind=subject.kind, title=subject.title, top_title=subject.top_title, owner=owner,
            )
            self._sessions.run(
                queries.insert_session,
                *(getattr(session, column.name) for column in session._meta.sorted_fields),
            )
        return session

    def move(
        self, session: PlaybackSession, position: Any, state: str | None,
        client_time: datetime | None, owner: str | None,
    ) -> PlaybackSession:
        """Take a heartbeat: where the session is, and with it the user.

        Whoever hears of it is its owner from then on: another store may have died.
        """
        wanted = self._checked_state(session, state)
        seconds = checked_position(position, session.duration)
        now = self._sessions.now()
        if is_older(client_time, session.reported_at, now):
            wanted = wanted if wanted in _ENDING else session.state
        else:
            tells_nothing = _tells_nothing(session, seconds, wanted)
            stood_at_end = self._is_at_end(session)
            advance(session, seconds, report_time(client_time, now))
            if not tells_nothing:
                self._report(session, client_time, wanted, stood_at_end)
        session.last_activity = now
        if wanted in _ENDING:
            return self.end(session, wanted)
        session.owner = owner
        self._save(session, wanted)
        return session

    def end(self, session: PlaybackSession, state: str) -> PlaybackSession:
        """End a session, in its last position, and write it into the history."""
        self._checked_state(session, state)
        session.completed = state == "completed" or self._came_to_end(session)
        if state == "stopped" and session.completed:
            state = "completed"
        session.end_time = max(self._sessions.now(), session.start_time)
        self._save(session, state)
        if state != "failed" or session.watched:
            history.record_session(self._sessions, session)
        return session

    def expire(self, session: PlaybackSession) -> None:
        """End a session that nobody reports of any more, as of its last sign of life."""
        session.end_time = max(session.last_activity, session.start_time)
        session.completed = self._came_to_end(session)
        self._save(session, "expired")
        history.record_session(self._sessions, session)

    def expire_orphans(self) -> int:
        """Expire the sessions of stores that are dead, in bounded transactions; how many."""
        open_sessions = self._sessions.all(queries.open_sessions)
        dead = {
            name for name in {session.owner for session in open_sessions}
            if self.owner.is_dead(name)
        }
        return self._expire_each(
            [session.id for session in open_sessions if session.owner in dead],
            lambda session: session.owner in dead,  # nobody has gone on with it meanwhile
        )

    def expire_silent(self, now: datetime) -> int:
        """Expire this store's sessions that have been silent for too long; how many."""
        self.owner.keep()
        limits = {"paused": timedelta(seconds=self._config.paused_timeout_s)}
        default = timedelta(seconds=self._config.session_timeout_s)

        def is_silent(session: PlaybackSession) -> bool:
            return bool(now - session.last_activity >= limits.get(session.state, default))

        own = [s for s in self._sessions.all(queries.open_sessions) if self.owner.is_own(s.owner)]
        for session in own:
            if session.last_activity > now:  # the clock went back: count from now on
                self._touch(session.id, now)
        return self._expire_each([s.id for s in own if is_silent(s)], is_silent)

    # Inside

    def _checked_state(self, session: PlaybackSession, state: str | None) -> str:
        if session.state not in OPEN_STATES:
            raise ConflictError(
                f"session {session.id} has ended ({session.state}, {session.end_time}): start a "
                "new one, or report with set_progress()"
            )
        if state is None:
            return "playing" if session.state == "starting" else str(session.state)
        return checked_choice("state", state, (*_MOVING, *_ENDING))

    def _report(
        self, session: PlaybackSession, client_time: datetime | None, state: str,
        stood_at_end: bool,
    ) -> None:
        report = Report(
            session.position, session.duration, session.kind == "track", client_time, session.id,
            completed=True if state == "completed" else None, counted=session.completed,
            stood_at_end=stood_at_end,
        )
        holds = self._progress.report(session.user_id, str(session.media_file_id), report)
        # A report that was too old to win has not been counted as a play either.
        has_won = (holds.session_id, holds.position) == (session.id, session.position)
        session.completed = session.completed or has_won and self._is_at_end(session)

    def _is_at_end(self, session: PlaybackSession) -> bool:
        limits = Thresholds.of(self._config, is_music=session.kind == "track")
        return limits.is_at_end(session.position, session.duration)

    def _came_to_end(self, session: PlaybackSession) -> bool:
        """Whether a session that ends came to the end, in itself: others do not matter here."""
        has_reported = session.reported_at is not None
        return bool(session.completed or has_reported and self._is_at_end(session))

    def _save(self, session: PlaybackSession, state: str) -> None:
        session.state = state
        self._sessions.run(
            queries.session_moved, state, session.position, session.last_activity,
            session.reported_at, session.watched, session.completed, session.end_time,
            session.owner, session.id,
        )

    def _touch(self, id: str, now: datetime) -> None:
        with self._sessions.writer():
            session = self._sessions.one(queries.session_by_id, id)
            if session is not None and session.end_time is None:
                session.last_activity = now
                self._save(session, session.state)

    def _expire_each(self, ids: list[str], still: Any) -> int:
        """Expire sessions for which that still holds, a batch at a time."""
        expired = 0
        for start in range(0, len(ids), _BATCH):
            with self._sessions.writer():
                for id in ids[start:start + _BATCH]:
                    session = self._sessions.one(queries.session_by_id, id)
                    if session is not None and session.end_time is None and still(session):
                        self.expire(session)
                        expired += 1
        return expired


def advance(session: PlaybackSession, seconds: float, moment: datetime) -> None:
    """Move a session, and count what was watched of it on the way."""
    since = session.reported_at or session.start_time
    if session.state != "paused":
        passed = max((moment - since).total_seconds(), 0.0)
        # What was skipped was not watched, and neither was what a sleeping device slept.
        session.watched += min(max(seconds - session.position, 0.0), passed)
    session.position, session.reported_at = seconds, moment


def _tells_nothing(session: PlaybackSession, seconds: float, wanted: str) -> bool:
    """Whether a report tells nothing of where the user is.

    A player that loads is at 0, wherever it will begin. One that is left paused somewhere must not
    take back, beat by beat or when it is closed, what the user has watched elsewhere since.
    """
    if wanted == "completed":
        return False
    if session.state == "paused" and wanted != "playing" and seconds == session.position:
        return True
    return not seconds and not session.watched
