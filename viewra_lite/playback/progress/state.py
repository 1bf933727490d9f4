"""Per-user progress: one merged state for all versions of a title, with earlier states for undo.

Each file may have its own row; shared.py merges them. Everything runs in the caller's reader or
writer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import NamedTuple

from ...config.options import Config
from ...database.orm.rows import values_of
from ...database.pages import readable
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...media.models import MediaFile
from .. import queries
from ..models import UserMediaProgress
from ..shared import Parts, empty_state, merged, rows_alike, state_of
from ..versions import Versions
from .kept_states import earlier_states, go_back, keep, kept_lately
from .report_times import is_older, continues, report_time
from .thresholds import END_S, Thresholds

_UNDATED = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""updated_at of a mark without a date: before all others."""
_BATCH = 100  # rows read at once
_TINY = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a user's position in a file."""

    position: float
    duration: float | None
    is_music: bool
    """Music has its own thresholds."""
    client_time: datetime | None = None
    """Its time by the device's clock; None is now."""
    session_id: str | None = None
    completed: bool | None = None
    """None applies the thresholds, unless a session reports: see watched()."""


class Progress:
    """Reads and writes progress, with the configured thresholds."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._config = config
        self._clamped_at: datetime | None = None  # no stored time was later than this

    def of_file(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Return a user's merged progress in a file, or None."""
        return self.known(user_id, media_file_id).state

    def known(self, user_id: str, media_file_id: str) -> Known:
        """Return a user's progress in a file and in those that share a work with it."""
        rows = self._db.all(queries.progress_of_file, user_id, media_file_id)
        parts: Parts = {}
        if any(row.media_file_id != media_file_id for row in rows):
            parts = Versions(self._db, [media_file_id]).parts
        state = state_of(rows, media_file_id, parts)
        return Known(
            rows,
            rows_alike(rows, media_file_id, parts),
            parts,
            state,
            state is not None and state.completed,
        )

    def of_files(
        self,
        user_id: str,
        ids: Sequence[str],
        versions: Versions | None = None,
        *,
        for_list: bool = False,
    ) -> dict[str, UserMediaProgress]:
        """Return a user's merged progress in many files, by id; unwatched files are left out.

        for_list: so are rows that cannot be read, as for a list; else CorruptStoreError.
        """
        known = versions or Versions(self._db, ids)
        groups = {id: known.ids_of(id) for id in ids}
        every = list({id for group in groups.values() for id in group})
        read = partial(readable, self._db) if for_list else self._db.all
        rows = {row.media_file_id: row for row in read(queries.progress_of_files, user_id, every)}
        found = {}
        for id, group in groups.items():
            state = state_of([rows[each] for each in group if each in rows], id, known.parts)
            if state is not None:
                found[id] = state
        return found

    def report(
        self, user_id: str, media_file_id: str, report: Report, known: Known | None = None
    ) -> UserMediaProgress:
        """Apply a report unless it is older than the stored one; return the new progress.

        Call inside a writer; pass what known() returned in the same writer, if it was called.
        """
        now = self._db.now()
        known = known or self.known(user_id, media_file_id)
        stored = known.state
        if stored is not None and is_older(report.client_time, stored.reported_at, now):
            return stored
        state = stored or empty_state(user_id, media_file_id)
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
        """Complete a file, for a session that reached its end; call inside a writer."""
        known = self.known(user_id, media_file_id)
        state = known.state or empty_state(user_id, media_file_id)
        state.completed = True
        state.last_played_at = max(state.last_played_at or moment, moment)
        self._put(state, known, state.updated_at or moment)

    def count(self, user_id: str, media_file_id: str, by: int, moment: datetime) -> None:
        """Add to play_count, or subtract: for Plays, which has written the history."""
        known = self.known(user_id, media_file_id)
        state = known.state or empty_state(user_id, media_file_id)
        if by > 0:
            if known.was_completed:  # again, unless the report of this play has completed it
                self._record_completed(state, once=True)
            state.completed = True
            state.last_played_at = max(state.last_played_at or moment, moment)
        self._put(state, known, state.updated_at or moment, counted=by)

    def report_play(
        self, user_id: str, media_file_id: str, report: Report, *, completed: bool
    ) -> None:
        """Apply the report of a play from another program; call inside a writer.

        The position is that of the latest report, in whichever order they arrive.
        """
        if not completed:
            self.report(user_id, media_file_id, report)
            return
        now = self._db.now()
        known = self.known(user_id, media_file_id)
        state = known.state or empty_state(user_id, media_file_id)
        keep(state, now)
        moment = report_time(report.client_time, now)
        changed_at = state.updated_at or moment  # keeps the order of continue_watching()
        if not is_older(report.client_time, state.reported_at, now):
            self._apply(state, report, now)
            changed_at = moment
        self._put(state, known, changed_at)

    def take_back(self, user_id: str, media_file_id: str, session_id: str | None) -> None:
        """Undo the completion by a session, or by reports without one."""
        known = self.known(user_id, media_file_id)
        state = known.state
        if state is None:
            return
        before = next((one for one in earlier_states(state) if one["by"] == session_id), None)
        state.completed = state.marked or state.play_count > 1  # one is being undone
        state.last_played_at = None if before is None else before["last_played_at"]
        self._clear(known, state)
        self._put(state, known, state.updated_at)

    def came_to_end(self, state: UserMediaProgress | None, report: Report) -> bool:
        """Whether a report without a session is a new play to the end.

        A repeated report within the running time belongs to the same play.
        """
        if report.completed is False or not (report.completed or self.is_at_end(report)):
            return False
        if state is None or not state.completed or state.reported_at is None:
            return True
        limits = Thresholds.of(self._config, is_music=report.is_music)
        moment = report_time(report.client_time, self._db.now())
        passed = (moment - state.reported_at).total_seconds()
        was_at_end = report.completed or limits.is_at_end(state.position, state.duration)
        return not was_at_end or passed >= (report.duration or state.duration or 0)

    def is_at_end(self, report: Report) -> bool:
        """Whether a report's position counts as watched to the end."""
        limits = Thresholds.of(self._config, is_music=report.is_music)
        return limits.is_at_end(report.position, report.duration)

    def decide(
        self, user_id: str, media_file_id: str, *, watched: bool, at: datetime | None = None
    ) -> UserMediaProgress:
        """Mark a file as watched, dated or not, or as unwatched; call inside a writer.

        A watched file changes its position only. play_count stays.
        """
        now = self._db.now()
        known = self.known(user_id, media_file_id)
        state = known.state or empty_state(user_id, media_file_id)
        keep(state, now)
        if watched and not state.completed:
            state.completed = state.marked = True
            state.last_played_at = at or state.last_played_at
        elif not watched:
            state.completed, state.marked, state.last_played_at = False, False, None
            self._clear(known, state)
        state.position, state.reported_at, state.session_id = 0.0, now, None
        state.dropped = state.dropped and watched and at is None  # undated: no new interest
        self._put(state, known, now if not watched else at or state.updated_at or _UNDATED)
        return state

    def drop(self, user_id: str, ids: Iterable[str]) -> None:
        """Drop files from the lists of what to watch until they are watched again."""
        for id in ids:
            for row in self.known(user_id, id).versions:
                row.dropped = True
                self._save(row)

    def undo(self, user_id: str, media_file_id: str) -> UserMediaProgress | None:
        """Restore the last kept state, or return None without one."""
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
        """Move all users' progress in a file to the file it is merged into."""
        for row in self._db.all(queries.progress_of_all_users, gone_id):
            rows = [row, *self._db.all(queries.progress_of_files, row.user_id, [kept_id])]
            state = merged(rows, kept_id)
            assert state is not None
            self._save(state)
            self._db.run(queries.forget_progress, row.user_id, gone_id)

    def complete(
        self, state: UserMediaProgress, *, is_music: bool, file: MediaFile | None = None
    ) -> UserMediaProgress:
        """Set resume_position, and scale a position from another version to the file's length."""
        if file is not None and state.reported_in != file.id:
            _scale(state, file.duration)
        limits = Thresholds.of(self._config, is_music=is_music)
        state.resume_position = limits.resume_position(state.position, state.duration)
        return state

    def clamp_times(self, now: datetime) -> None:
        """Set times in the future, of a clock that ran ahead, to now, batch by batch.

        Reads all rows, so it runs only once per open and after the clock went back.
        """
        clamped_at, self._clamped_at = self._clamped_at, now
        if clamped_at is not None and clamped_at <= now:
            return
        while rows := self._db.all(queries.progress_after, now, _BATCH):
            in_slices(self._db, (partial(self._clamp_around, row, now) for row in rows))

    def _clamp_around(self, row: UserMediaProgress, now: datetime) -> None:
        self._clamp_times(self.known(row.user_id, row.media_file_id).rows, now)

    def _clamp_times(self, rows: list[UserMediaProgress], now: datetime) -> None:
        """Set future times of rows that share a work to now, in their order."""
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
        self._db.run(queries.put_progress, **values_of(row))

    def _apply(self, state: UserMediaProgress, report: Report, now: datetime) -> None:
        duration = report.duration or state.duration
        if duration is not None and report.position > duration:
            duration = None  # it was wrong
        if report.session_id is None and self.came_to_end(state, report):
            state.completed = True
        if report.completed is not None:
            state.completed = report.completed
        state.position, state.duration, state.dropped = report.position, duration, False
        state.reported_at = report_time(report.client_time, now)
        state.session_id = report.session_id

    def _clear(self, known: Known, state: UserMediaProgress) -> None:
        """Decide the rows of other files alike, from which state_of() would else conclude."""
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
        """Complete the files of the other parts that a row has covered until now."""
        rest = known.parts[row.media_file_id] - known.parts[state.media_file_id]
        for id, held in Versions(self._db, [row.media_file_id]).parts.items():
            if held <= rest:
                kept = self.known(state.user_id, id)
                own = kept.state or empty_state(state.user_id, id)
                own.completed, own.marked = True, own.marked or row.marked
                own.last_played_at = own.last_played_at or row.last_played_at
                self._put(own, kept, own.updated_at or row.updated_at)

    def _record_completed(self, state: UserMediaProgress, *, once: bool = False) -> None:
        self._db.events.record(
            "progress.completed",
            once=once,
            user_id=state.user_id,
            media_file_id=state.media_file_id,
        )

    def _put(
        self, state: UserMediaProgress, known: Known, moment: datetime, counted: int = 0
    ) -> None:
        """Write a state as the latest of its versions.

        Each row counts the plays of its own file; the state counts those of all versions.
        """
        if state.completed and not known.was_completed:
            self._record_completed(state)
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
    """A user's progress in a file and in those that share a work with it."""

    rows: list[UserMediaProgress]
    versions: list[UserMediaProgress]
    """The rows of the file itself and of its versions."""
    parts: Parts
    state: UserMediaProgress | None
    """The merged progress."""
    was_completed: bool
    """Of the merged progress, before anything was applied to it."""


def _is_worth_keeping(state: UserMediaProgress, report: Report, now: datetime) -> bool:
    """Whether to keep a state for undo: not if playback has simply continued from it."""
    if state.updated_at is None or report.completed not in (None, state.completed):
        return True
    continued = continues(
        report.position - state.position, state.reported_at, report_time(report.client_time, now)
    )
    if report.session_id is None:
        return not continued
    left_one = kept_lately(state, report.session_id, now)
    if report.session_id != state.session_id:
        return state.session_id is None or not left_one
    return not continued and not left_one


def _scale(state: UserMediaProgress, length: float | None) -> None:
    """Scale a position in another version to a version of this length."""
    if length and state.duration and abs(length - state.duration) >= END_S:
        state.position *= length / state.duration
        state.duration = length
    state.reported_in = state.media_file_id
