"""How far each user is: one state for all versions of a thing, and earlier ones to go back to.

Each file may have a row of its own; shared.py says what holds. Everything runs in the caller's
session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from ...config.options import Config
from ...database.transactions.database import Database
from ...media.models import MediaFile
from .. import queries
from ..models import UserMediaProgress
from ..shared import Parts, alike, merged, nothing, state_of
from ..versions import Versions
from .kept_states import earlier_states, go_back, keep, kept_lately
from .report_times import is_older, continues, report_time
from .thresholds import END_S, Thresholds

_UNDATED = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""When it was so, of what was marked without a date: before all that is known."""
_BATCH = 100  # rows in a transaction
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
    """True and False decide; None asks the thresholds, unless a session reports: see watched()."""


class Progress:
    """The progress of every user, over sessions and the configured thresholds."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._config = config
        self._right_at: datetime | None = None  # when no stored time was ahead

    def of_file(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Return what holds for a file, or None."""
        return self.known(user_id, media_file_id).state

    def known(self, user_id: str, media_file_id: str) -> Known:
        """Return a user's progress in a file, and in those that share a work with it."""
        rows = self._db.all(queries.progress_of_file, user_id, media_file_id)
        parts: Parts = {}
        if any(row.media_file_id != media_file_id for row in rows):
            parts = Versions(self._db, [media_file_id]).parts
        return Known(
            rows, alike(rows, media_file_id, parts), parts, state_of(rows, media_file_id, parts)
        )

    def of_files(
        self, user_id: str, ids: Sequence[str], versions: Versions | None = None
    ) -> dict[str, UserMediaProgress]:
        """Return what holds for each of many files; those without progress are left out."""
        known = versions or Versions(self._db, ids)
        groups = {id: known.ids_of(id) for id in ids}
        every = list({id for group in groups.values() for id in group})
        rows = {
            row.media_file_id: row
            for row in self._db.all(queries.progress_of_files, user_id, every)
        }
        found = {}
        for id, group in groups.items():
            state = state_of([rows[each] for each in group if each in rows], id, known.parts)
            if state is not None:
                found[id] = state
        return found

    def report(
        self, user_id: str, media_file_id: str, report: Report, known: Known | None = None
    ) -> UserMediaProgress:
        """Take a report; one that is older than what is stored changes nothing.

        Inside a writer, in which a caller may have asked known() before. Returns what holds then.
        """
        now = self._db.now()
        known = known or self.known(user_id, media_file_id)
        stored = known.state
        if stored is not None and is_older(report.client_time, stored.reported_at, now):
            return stored
        state = stored or nothing(user_id, media_file_id)
        if state.reported_in != media_file_id:
            _scale(state, report.duration)
        if _is_worth_keeping(state, report, now):
            keep(state, now, report.session_id)
        self._apply(state, report, now)
        if report.completed is False:
            self._clear(known, state)
        self._put(state, known, report_time(report.client_time, now))
        return state

    def watched(self, user_id: str, media_file_id: str, moment: datetime) -> None:
        """Note that a session came to the end; inside a writer."""
        known = self.known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        state.completed = True
        state.last_played_at = max(state.last_played_at or moment, moment)
        self._put(state, known, state.updated_at or moment)

    def count(self, user_id: str, media_file_id: str, by: int, moment: datetime) -> None:
        """Count plays to the end, or take them back: for Plays, which has written them."""
        known = self.known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        if by > 0:
            state.completed = True
            state.last_played_at = max(state.last_played_at or moment, moment)
        self._put(state, known, state.updated_at or moment, counted=by)

    def report_play(
        self, user_id: str, media_file_id: str, report: Report, *, completed: bool
    ) -> None:
        """Take the report of a play that happened elsewhere; inside a writer.

        The position is that of the latest, whatever came in before it.
        """
        if not completed:
            self.report(user_id, media_file_id, report)
            return
        now = self._db.now()
        known = self.known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        keep(state, now)
        moment = report_time(report.client_time, now)
        changed_at = state.updated_at or moment  # what is continued keeps its order
        if not is_older(report.client_time, state.reported_at, now):
            self._apply(state, report, now)
            changed_at = moment
        self._put(state, known, changed_at)

    def take_back(self, user_id: str, media_file_id: str, session_id: str | None) -> None:
        """Take back that it was watched, as a session or reports without one have said."""
        known = self.known(user_id, media_file_id)
        state = known.state
        if state is None:
            return
        before = next((one for one in earlier_states(state) if one["by"] == session_id), None)
        state.completed = state.marked or state.play_count > 1  # 1 is what is taken back
        state.last_played_at = None if before is None else before["last_played_at"]
        self._clear(known, state)
        self._put(state, known, state.updated_at)

    def came_to_end(self, state: UserMediaProgress | None, report: Report) -> bool:
        """Whether a report without a session is that of a play to the end, and a new one.

        One that is said again within the running time is the same.
        """
        if report.completed is False or not (report.completed or self.is_at_end(report)):
            return False
        if state is None or not state.completed or state.reported_at is None:
            return True
        limits = Thresholds.of(self._config, is_music=report.is_music)
        moment = report_time(report.client_time, self._db.now())
        passed = (moment - state.reported_at).total_seconds()
        stood = report.completed or limits.is_at_end(state.position, state.duration)
        return not stood or passed >= (report.duration or state.duration or 0)

    def is_at_end(self, report: Report) -> bool:
        """Whether a report's position counts as watched to the end."""
        limits = Thresholds.of(self._config, is_music=report.is_music)
        return limits.is_at_end(report.position, report.duration)

    def decide(
        self, user_id: str, media_file_id: str, *, watched: bool, at: datetime | None = None
    ) -> UserMediaProgress:
        """Mark a file as watched, at a moment or undated, or as not watched; inside a writer.

        What is watched already stays as it is, but for its position. No play is counted.
        """
        now = self._db.now()
        known = self.known(user_id, media_file_id)
        state = known.state or nothing(user_id, media_file_id)
        keep(state, now)
        if watched and not state.completed:
            state.completed = state.marked = True
            state.last_played_at = at or state.last_played_at
        elif not watched:
            state.completed, state.marked, state.last_played_at = False, False, None
            self._clear(known, state)
        state.position, state.reported_at, state.session_id = 0.0, now, None
        state.dropped = state.dropped and watched and at is None  # undated, it is no new interest
        self._put(state, known, now if not watched else at or state.updated_at or _UNDATED)
        return state

    def drop(self, user_id: str, ids: Iterable[str]) -> None:
        """Take files off the list of what to continue until they are watched again."""
        for id in ids:
            for row in self.known(user_id, id).versions:
                row.dropped = True
                self._save(row)

    def undo(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Go back to the state before the last one kept; None where there is none."""
        now = self._db.now()
        known = self.known(user_id, media_file_id)
        state = known.state
        if state is None or not earlier_states(state):
            return None
        go_back(state)
        state.reported_at, state.session_id, state.dropped = now, None, False
        self._clear(known, state)
        self._put(state, known, now)
        return state

    def merge_file(self, gone_id: str, kept_id: str) -> None:
        """Move everybody's progress on a file to the file that it turned out to be."""
        for row in self._db.all(queries.progress_of_anybody, gone_id):
            rows = [row, *self._db.all(queries.progress_of_files, row.user_id, [kept_id])]
            state = merged(rows, kept_id)
            assert state is not None
            self._save(state)
            self._db.run(queries.forget_progress, row.user_id, gone_id)

    def complete(
        self, state: UserMediaProgress, *, is_music: bool, file: MediaFile | None = None
    ) -> UserMediaProgress:
        """Set what a reader of a state wants to know besides.

        A position that was reported in another version than the file is scaled to its length.
        """
        if file is not None and state.reported_in != file.id:
            _scale(state, file.duration)
        limits = Thresholds.of(self._config, is_music=is_music)
        state.resume_position = limits.resume_position(state.position, state.duration)
        return state

    def put_right(self, now: datetime) -> None:
        """Take back times that were written while the clock was ahead, batch by batch.

        Looks through all rows, so only when a store is opened anew or its clock went back.
        """
        was_right, self._right_at = self._right_at, now
        if was_right is not None and was_right <= now:
            return
        while rows := self._db.all(queries.progress_after, now, _BATCH):
            with self._db.writer():
                for row in rows:
                    self._put_right(self.known(row.user_id, row.media_file_id).rows, now)

    def _put_right(self, rows: list[UserMediaProgress], now: datetime) -> None:
        """Take back times of rows that share a work; they stay in their order."""
        latest_first = sorted(
            rows, key=lambda row: (row.updated_at, row.media_file_id), reverse=True
        )
        for age, row in enumerate(latest_first):
            row.updated_at = min(row.updated_at, now - age * _TINY)
            for name in ("last_played_at", "reported_at"):
                if getattr(row, name) is not None:
                    setattr(row, name, min(getattr(row, name), now))
            self._save(row)

    # Inside

    def _save(self, row: UserMediaProgress) -> None:
        self._db.run(queries.put_progress, *(getattr(row, name) for name in _COLUMNS))

    def _apply(self, state: UserMediaProgress, report: Report, now: datetime) -> None:
        duration = report.duration or state.duration
        if duration is not None and report.position > duration:
            duration = None  # it is longer than was thought
        if report.session_id is None and self.came_to_end(state, report):
            state.completed = True
        if report.completed is not None:
            state.completed = report.completed
        state.position, state.duration, state.dropped = report.position, duration, False
        state.reported_at = report_time(report.client_time, now)
        state.session_id = report.session_id

    def _clear(self, known: Known, state: UserMediaProgress) -> None:
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
        row.marked = state.marked
        row.completed, row.last_played_at = state.completed, state.last_played_at
        self._save(row)

    def _keep_rest(self, row: UserMediaProgress, state: UserMediaProgress, known: Known) -> None:
        """Let the files of what else a file holds say for themselves that it was watched."""
        rest = known.parts[row.media_file_id] - known.parts[state.media_file_id]
        for id, held in Versions(self._db, [row.media_file_id]).parts.items():
            if held <= rest:
                kept = self.known(state.user_id, id)
                own = kept.state or nothing(state.user_id, id)
                own.completed, own.marked = True, own.marked or row.marked
                own.last_played_at = own.last_played_at or row.last_played_at
                self._put(own, kept, own.updated_at or row.updated_at)

    def _put(
        self, state: UserMediaProgress, known: Known, moment: datetime, counted: int = 0
    ) -> None:
        """Write a state as the latest of its versions, in the order of when it was so.

        Each row counts the plays of its own file; the state counts those of all.
        """
        state.updated_at = moment
        own_count = 0
        for row in known.versions:
            if row.media_file_id == state.media_file_id:
                own_count = row.play_count
            elif row.updated_at >= moment:  # the same moment, or the clock went back
                row.updated_at = moment - _TINY
                self._save(row)
        plays = state.play_count + counted
        state.play_count = max(own_count + counted, 0)
        self._save(state)
        state.play_count = max(plays, 0)


class Known(NamedTuple):
    """A user's progress in a file, and in those that share a work with it."""

    rows: list[UserMediaProgress]
    versions: list[UserMediaProgress]
    """Those rows that are of the file itself, or of another that holds the same."""
    parts: Parts
    state: UserMediaProgress | None
    """What holds."""


def _is_worth_keeping(state: UserMediaProgress, report: Report, now: datetime) -> bool:
    """Whether a state cannot be told from the report that follows it: playing on can."""
    if state.updated_at is None or report.completed not in (None, state.completed):
        return True
    plays_on = continues(
        report.position - state.position, state.reported_at, report_time(report.client_time, now)
    )
    if report.session_id is None:
        return not plays_on
    left_one = kept_lately(state, report.session_id, now)
    if report.session_id != state.session_id:
        return state.session_id is None or not left_one
    return not plays_on and not left_one


def _scale(state: UserMediaProgress, length: float | None) -> None:
    """Put a position that belongs to another version where it is in one of this length."""
    if length and state.duration and abs(length - state.duration) >= END_S:
        state.position *= length / state.duration
        state.duration = length
    state.reported_in = state.media_file_id


_COLUMNS = [field.name for field in UserMediaProgress._meta.sorted_fields]
