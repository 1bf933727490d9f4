"""Fast path for the common report (playback simply continues): one SELECT, then the UPDATEs.

Whether a report qualifies is decided before anything changes. All others, and every refusal, are
left to Lifecycle.move() and reports.take(), which would do the same with a report that qualifies,
only slower: a property test holds the two equal. Everything runs in the caller's writer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...config.options import Config
from ...database.orm.internals import stored
from ...database.transactions.database import Database
from .. import queries
from ..models import PlaybackSession, UserMediaProgress
from ..progress.report_times import is_older, continues, report_time
from ..progress.thresholds import Thresholds, fitted
from ..versions import names_music


class FastPath:
    """Applies the reports of playback that continues, below the configured thresholds."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._limits = {music: Thresholds.of(config, is_music=music) for music in (False, True)}

    def heartbeat(
        self, id: str, position: object, client_time: datetime | None
    ) -> PlaybackSession | None:
        """Apply a heartbeat that only continues its session; return None for any other."""
        session: Any = self._db.one(queries.session_continuing, id)
        if session is None:
            return None
        values = stored(session)  # a dictionary: Peewee calls a function for each attribute
        length = values["duration"]
        seconds, now = fitted(position, length), self._db.now()
        if (
            seconds is None
            or is_older(client_time, values["reported_at"], now)
            or not (seconds or values["watched"])
        ):
            return None
        moment = report_time(client_time, now)
        duration = length or session.known_duration
        if not self._moves(
            seconds, session.known_position, session.known_at, moment, client_time, now
        ) or self._limits[values["kind"] == "track"].is_at_end(seconds, duration):
            return None
        advance(session, seconds, moment)
        values["last_activity"] = now
        self._db.run(queries.continue_session, seconds, now, moment, values["watched"], id)
        self._db.run(
            queries.continue_progress,
            seconds,
            moment,
            duration,
            moment,
            values["user_id"],
            values["media_file_id"],
        )
        return session  # type: ignore[no-any-return]

    def progress(
        self, user_id: str, media_file_id: str, position: object, client_time: datetime | None
    ) -> UserMediaProgress | None:
        """Apply a report without a session that only continues; return None for any other."""
        state: Any = self._db.one(queries.progress_continuing, user_id, media_file_id)
        if state is None:
            return None
        seconds, now = fitted(position, state.file_duration), self._db.now()
        if seconds is None:
            return None
        moment, duration = report_time(client_time, now), state.file_duration or state.duration
        music = names_music(state.file_identity, state.file_mime_type)
        limits = self._limits[music]
        if not self._moves(
            seconds, state.position, state.reported_at, moment, client_time, now
        ) or limits.is_at_end(seconds, duration):
            return None
        state.position, state.duration = seconds, duration
        state.updated_at = state.reported_at = moment
        self._db.run(
            queries.continue_progress, seconds, moment, duration, moment, user_id, media_file_id
        )
        state.resume_position = limits.resume_position(seconds, duration)
        return state  # type: ignore[no-any-return]

    def _moves(
        self,
        seconds: float,
        known: float,
        known_at: datetime | None,
        moment: datetime,
        client_time: datetime | None,
        now: datetime,
    ) -> bool:
        return not is_older(client_time, known_at, now) and continues(
            seconds - known, known_at, moment
        )


def advance(session: PlaybackSession, seconds: float, moment: datetime) -> None:
    """Move a session, and add the seconds watched since its last report."""
    values = stored(session)
    if values["state"] != "paused":
        since = values["reported_at"] or values["start_time"]
        passed = max((moment - since).total_seconds(), 0.0)
        # Neither a skip nor the time that a device slept counts as watched.
        values["watched"] += min(max(seconds - values["position"], 0.0), passed)
    values["position"], values["reported_at"] = seconds, moment
