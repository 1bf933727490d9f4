"""How far each user is: one state for all versions of a thing, and earlier ones to go back to.

Each file may have a row of its own; shared.py says what holds. Everything runs in the caller's
session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..config import Config
from ..database.fields import timestamp_text
from ..database.sessions import Sessions
from . import queries
from .models import UserMediaProgress
from .shared import Parts, alike, merged, nothing, state_of
from .thresholds import Thresholds
from .versions import Versions

KEPT_STATES = 20
"""How many earlier states a row keeps for undo."""
SPACED_S = 60.0
"""States that one session leaves behind lie at least so far apart."""
_SLACK_S = 2.0
_KEPT = ("position", "completed", "play_count", "last_played_at")
_TINY = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says of a user and a file."""

    position: float
    duration: float | None
    is_music: bool
    """Music has thresholds of its own."""
    client_time: datetime | None = None
    """When the device says it was; None is now."""
    session_id: str | None = None
    completed: bool | None = None
    """True and False decide; None asks the thresholds."""
    counted: bool = False
    """This session has come to the end before: it is no second play."""
    stood_at_end: bool = False
    """This session was there already when it reported last."""


class Progress:
    """The progress of every user, over sessions and the configured thresholds."""

    def __init__(self, sessions: Sessions, config: Config) -> None:
        self._sessions = sessions
        self._config = config

    def of_file(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Return what holds for a file, or None."""
        return self._known(user_id, media_file_id).state

    def of_files(
        self, user_id: str, ids: Sequence[str], versions: Versions | None = None
    ) -> dict[str, UserMediaProgress]:
        """Return what holds for each of many files; those without progress are left out."""
        known = versions or Versions(self._sessions, ids)
        groups = {id: known.ids_of(id) for id in ids}
        every = list({id for group in groups.values() for id in group})
        rows = {
            row.media_file_id: row
            for row in self._sessions.all(queries.progress_of_files, user_id, every)
        }
        found = {}
        for id, group in groups.items():
            state = state_of([rows[each] for each in group if each in rows], id, known.parts)
            if state is not None:
                found[id] = state
        return found

    def report(self, user_id: str, media_file_id: str, report: Report) -> UserMediaProgress:
        """Take a report; one that is older than what is stored changes nothing.

        Inside a writer. Returns what holds then.
        """
        now = self._sessions.now()
        known = self._known(user_id, media_file_id)
        stored = known.state
        if stored is not None and is_older(report.client_time, stored.reported_at, now):
            return stored
        state = stored or nothing(user_id, media_file_id)
        if _is_worth_keeping(state, report, now):
            _keep(state, now, report.session_id)
        self._apply(state, report, now)
        if report.completed is False:
            self._clear(known, state)
        self._put(state, known, report_time(report.client_time, now))
        return state

    def count_play(self, user_id: str, media_file_id: str, report: Report) -> bool:
        """Take the report of a play that happened elsewhere; whether it came to the end.

        One that did counts however old it is, whatever came in before it; only the position is
        that of the latest. Inside a writer.
        """
        limits = Thresholds.of(self._config, is_music=report.is_music)
        if not (report.completed or limits.is_at_end(report.position, report.duration)):
            self.report(user_id, media_file_id, report)
            return False
        now = self._sessions.now()
        known = self._known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        _keep(state, now)
        moment = report_time(report.client_time, now)
        plays, last = state.play_count, state.last_played_at or moment
        if is_older(report.client_time, state.reported_at, now):
            changed_at = state.updated_at  # what is continued keeps its order
        else:
            self._apply(state, report, now)
            changed_at = moment
        state.completed, state.play_count = True, plays + 1
        state.last_played_at = max(last, moment)
        self._put(state, known, changed_at)
        return True

    def decide(
        self, user_id: str, media_file_id: str, *, watched: bool, at: datetime | None = None
    ) -> UserMediaProgress:
        """Mark a file as watched, at a moment, or as never watched; inside a writer.

        What is watched already stays as it is, but for its position.
        """
        now = self._sessions.now()
        known = self._known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        _keep(state, now)
        if watched and not state.completed:
            state.completed = True
            state.play_count += 1
            state.last_played_at = at or now
        elif not watched:
            state.completed, state.play_count, state.last_played_at = False, 0, None
            self._clear(known, state)
        state.position, state.dropped, state.reported_at, state.session_id = 0.0, False, now, None
        self._put(state, known, now)
        return state

    def drop(self, user_id: str, ids: Iterable[str]) -> None:
        """Take files off the list of what to continue until they are watched again."""
        for id in ids:
            for row in self._known(user_id, id).versions:
                row.dropped = True
                self._save(row)

    def undo(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Go back to the state before the last one kept; None where there is none."""
        now = self._sessions.now()
        known = self._known(user_id, media_file_id)
        state = known.state
        if state is None or not state.previous:
            return None
        *earlier, last = state.previous
        for name in _KEPT:
            setattr(state, name, last[name])
        if last["last_played_at"] is not None:
            state.last_played_at = datetime.fromisoformat(last["last_played_at"])
        state.previous = earlier
        state.reported_at, state.session_id, state.dropped = now, None, False
        self._clear(known, state)
        self._put(state, known, now)
        return state

    def absorb(self, gone_id: str, kept_id: str) -> None:
        """Move everybody's progress on a file to the file that it turned out to be."""
        for row in self._sessions.all(queries.progress_of_anybody, gone_id):
            rows = [row, *self._sessions.all(queries.progress_of_files, row.user_id, [kept_id])]
            state = merged(rows, kept_id)
            assert state is not None
            self._save(state)
            self._sessions.run(queries.forget_progress, row.user_id, gone_id)

    def complete(self, state: UserMediaProgress, *, is_music: bool) -> UserMediaProgress:
        """Set what a reader of a state wants to know besides."""
        limits = Thresholds.of(self._config, is_music=is_music)
        state.resume_position = limits.resume_position(state.position, state.duration)
        return state

    # Inside

    def _known(self, user_id: str, media_file_id: str) -> _Known:
        rows = self._sessions.all(queries.progress_of_file, user_id, media_file_id)
        parts: Parts = {}
        if any(row.media_file_id != media_file_id for row in rows):
            parts = Versions(self._sessions, [media_file_id]).parts
        return _Known(
            rows, alike(rows, media_file_id, parts), parts, state_of(rows, media_file_id, parts)
        )

    def _save(self, row: UserMediaProgress) -> None:
        self._sessions.run(queries.put_progress, *(getattr(row, name) for name in _COLUMNS))

    def _apply(self, state: UserMediaProgress, report: Report, now: datetime) -> None:
        limits = Thresholds.of(self._config, is_music=report.is_music)
        duration = report.duration or state.duration
        was_at_end = state.completed and limits.is_at_end(state.position, duration)
        comes_to_end = limits.is_at_end(report.position, duration)
        if report.session_id is not None and report.completed:
            comes_to_end = True  # at whatever position
        if report.counted and (state.completed or report.stood_at_end):
            comes_to_end = False  # once in a session, unless that was undone and it comes again
        moment = report_time(report.client_time, now)
        is_play = comes_to_end and not was_at_end and report.completed is not False
        if is_play or report.completed and not state.completed:
            state.play_count += 1
            state.last_played_at = moment
        if report.completed is not None:
            state.completed = report.completed
        else:
            state.completed = state.completed or comes_to_end
        state.position, state.duration, state.dropped = report.position, duration, False
        state.reported_at, state.session_id = moment, report.session_id

    def _clear(self, known: _Known, state: UserMediaProgress) -> None:
        """Let no other file say what was decided otherwise: see state_of()."""
        for row in known.versions:
            if row.media_file_id != state.media_file_id:
                self._decide(row, state)
        if not state.completed:
            for row in known.rows:
                if row.completed and row not in known.versions:
                    self._keep_rest(row, state, known)
                    self._decide(row, state)

    def _decide(self, row: UserMediaProgress, state: UserMediaProgress) -> None:
        row.completed, row.play_count = state.completed, state.play_count
        row.last_played_at = state.last_played_at
        self._save(row)

    def _keep_rest(
        self, row: UserMediaProgress, state: UserMediaProgress, known: _Known
    ) -> None:
        """Let the files of what else a file holds say for themselves that it was watched."""
        rest = known.parts[row.media_file_id] - known.parts[state.media_file_id]
        for id, held in Versions(self._sessions, [row.media_file_id]).parts.items():
            if held <= rest:
                own = self._known(state.user_id, id).state or nothing(state.user_id, id)
                own.completed, own.play_count = True, max(own.play_count, row.play_count)
                own.last_played_at = own.last_played_at or row.last_played_at
                own.updated_at = own.updated_at or row.updated_at
                self._save(own)

    def _put(self, state: UserMediaProgress, known: _Known, moment: datetime) -> None:
        """Write a state as the latest of its versions, in the order of when it was so."""
        state.updated_at = moment
        for row in known.versions:
            # The same moment, or the clock went back.
            if row.media_file_id != state.media_file_id and row.updated_at >= moment:
                row.updated_at = moment - _TINY
                self._save(row)
        self._save(state)


class _Known(NamedTuple):
    """A user's progress in a file, and in those that share a work with it."""

    rows: list[UserMediaProgress]
    versions: list[UserMediaProgress]
    """Those rows that are of the file itself, or of another that holds the same."""
    parts: Parts
    state: UserMediaProgress | None
    """What holds."""


def report_time(client_time: datetime | None, now: datetime) -> datetime:
    """Return when a report was made: a device's clock that is ahead is not believed."""
    return now if client_time is None or client_time > now else client_time


def is_older(client_time: datetime | None, stored: datetime | None, now: datetime) -> bool:
    """Whether a report was made before the one that is stored; unknown is not."""
    # A stored time in the future was written before the clock was put right: it says nothing.
    if client_time is None or stored is None or stored > now:
        return False
    return client_time < stored


def _is_worth_keeping(state: UserMediaProgress, report: Report, now: datetime) -> bool:
    """Whether a state cannot be told from the report that follows it: playing on can."""
    if state.updated_at is None or report.completed not in (None, state.completed):
        return True
    plays_on = is_steady(
        report.position - state.position, state.reported_at, report_time(report.client_time, now)
    )
    if report.session_id is None:
        return not plays_on
    left_one = _kept_lately(state, report.session_id, now)
    if report.session_id != state.session_id:
        return state.session_id is None or not left_one
    return not plays_on and not left_one


def is_steady(moved: float, since: datetime | None, moment: datetime) -> bool:
    """Whether a position moved, in seconds, as playing on at up to double speed moves it."""
    passed = 0.0 if since is None else (moment - since).total_seconds()
    return 0 <= moved <= 2 * max(passed, 0) + _SLACK_S


def _kept_lately(state: UserMediaProgress, session_id: str, now: datetime) -> bool:
    """Whether the session has just left a state behind: who looks for a scene leaves one.

    Not only as the last: two players of one user take turns.
    """
    return any(
        one["by"] == session_id
        and 0 <= (now - datetime.fromisoformat(one["replaced_at"])).total_seconds() < SPACED_S
        for one in state.previous or ()
    )


def _keep(state: UserMediaProgress, now: datetime, by: str | None = None) -> None:
    earlier: dict[str, Any] = {name: getattr(state, name) for name in _KEPT}
    if state.last_played_at is not None:
        earlier["last_played_at"] = timestamp_text(state.last_played_at)
    earlier["replaced_at"] = timestamp_text(now)
    earlier["by"] = by
    state.previous = [*(state.previous or ()), earlier][-KEPT_STATES:]


_COLUMNS = [field.name for field in UserMediaProgress._meta.sorted_fields]
