"""Records matched rows: plays and progress of many rows in one transaction.

The result is that of record_play(), mark_watched() and set_progress() one after the other, but
reads and writes are done for a whole batch at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple

from ..config.options import Config
from ..database.orm.internals import copied
from ..database.orm.reading import in_json
from ..database.orm.rows import values_of
from ..database.transactions.database import Database
from ..playback import queries as playback_queries
from ..playback.models import PlaybackHistory, UserMediaProgress
from ..playback.progress.thresholds import Thresholds
from ..playback.shared import empty_state, rows_alike, state_of
from ..playback.versions import Subject, Versions, subject_of, subjects
from . import queries
from .record import WatchedRecord

UNDATED = datetime(1970, 1, 1, tzinfo=timezone.utc)
"""The time of progress without a known time, so that it is last in every list."""
PLAY_S = 60.0
"""Seconds watched that count as a play; for titles under two minutes, half the running time."""
_TINY = timedelta(microseconds=1)
_NIGHT = timedelta(hours=6)
_DAY = timedelta(days=1)
_AROUND_THE_WORLD = timedelta(hours=14)
_IMAGE = [
    name
    for name in UserMediaProgress._meta.fields
    if name not in ("user_id", "media_file_id", "previous")
]


class Matched(NamedTuple):
    """A row with its user and its file."""

    record: WatchedRecord
    user_id: str
    file_id: str


class Play(NamedTuple):
    """A play in the history, or one that this batch adds."""

    id: str
    file_id: str
    played_at: datetime
    ended_at: datetime
    """The end including pauses if it was played on this server; else the same as played_at."""
    completed: bool
    is_ours: bool
    """Whether it was played on this server, so that its time is exact."""


class Change(NamedTuple):
    """An entry for the undo log of an import."""

    user_id: str
    media_file_id: str
    play_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class LeftOut(Exception):
    """A row has nothing to record; the message is the reason."""


class Batch:
    """Applies rows in memory and writes the changes, in the caller's transaction.

    Without write() it is a dry run: later rows see the changes of earlier ones.
    """

    def __init__(self, db: Database, config: Config, zone: tzinfo) -> None:
        self._db = db
        self._config = config
        self._zone = zone
        self._versions = Versions(db, [])
        self._subjects: dict[str, Subject] = {}
        self._rows: dict[tuple[str, str], UserMediaProgress] = {}
        self._before: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._plays: dict[tuple[str, str], list[Play]] = {}
        self._new: list[PlaybackHistory] = []
        self._completed: list[tuple[str, Play]] = []

    def load(self, matched: Sequence[Matched]) -> None:
        """Load the plays and progress of these rows' files, in a few statements per user."""
        self._versions = Versions(self._db, {row.file_id for row in matched})
        self._subjects = subjects(self._db, self._versions)
        by_user: dict[str, list[Matched]] = {}
        for row in matched:
            by_user.setdefault(row.user_id, []).append(row)
        for user_id, rows in by_user.items():
            self._load_user(user_id, rows)

    def _load_user(self, user_id: str, rows: list[Matched]) -> None:
        files = list({id for row in rows for id in self._versions.ids_of(row.file_id)})
        for state in self._db.all(queries.progress_rows, user_id, files):
            key = (user_id, state.media_file_id)
            if key not in self._before:
                self._rows[key], self._before[key] = state, image(state)
        moments = [row.record.watched_at for row in rows if row.record.watched_at is not None]
        if not moments:
            return
        known = {play.id for id in files for play in self._plays.get((user_id, id), ())}
        since, until = around(min(moments)), around(max(moments), -1)
        for statement in queries.plays_between:
            for found in self._db.all(statement, user_id, since, until, files):
                play = _play_of(found)
                if statement is not queries.plays_between[0]:
                    play = play._replace(completed=True)  # archived plays are not changed
                if play.id not in known:
                    self._plays.setdefault((user_id, play.file_id), []).append(play)

    # One row

    def apply(self, row: Matched) -> bool:
        """Apply a row; return whether it changes anything. Raises LeftOut."""
        record, duration = row.record, self._duration(row.file_id)
        position = _position(record, duration)
        completed = record.is_watched
        if completed is None:
            reached = max(position or 0.0, record.watched_s or 0.0)
            completed = self._limits(row.file_id).is_at_end(reached, duration)
        if completed:
            return self._watched(row, duration)
        if not position and not record.watched_s:
            raise LeftOut("is not watched")
        return self._begun(row, position, duration)

    def _watched(self, row: Matched, duration: float | None) -> bool:
        state, moment = self._state(row), row.record.watched_at
        if moment is None:
            if state.completed:
                return False
            state.completed, state.dropped = True, False
            self._put(row, state, state.updated_at or UNDATED)
            return True
        duplicate = self._twin(row, duration)
        if duplicate is not None and duplicate.completed:
            return False
        if duplicate is None:
            seconds = row.record.watched_s
            self._add_play(row, duration if seconds is None else seconds, completed=True)
        else:
            self._complete(row.user_id, duplicate)
        state.completed, state.play_count = True, state.play_count + 1
        state.last_played_at = max(state.last_played_at or moment, moment)
        changed_at = state.updated_at or moment
        if state.reported_at is None or moment >= state.reported_at:
            self._move(state, duration or 0.0, duration, moment)
            changed_at = moment
        self._put(row, state, changed_at)
        return True

    def _begun(self, row: Matched, position: float | None, duration: float | None) -> bool:
        record, moment, is_new = row.record, row.record.watched_at, False
        seconds = record.watched_s
        if moment is not None and seconds is not None and _is_play(seconds, duration):
            if self._twin(row, duration) is None:
                self._add_play(row, seconds, completed=False)
                is_new = True
        state = self._state(row)
        if not position:
            return is_new
        if moment is None and state.updated_at is not None:
            return is_new
        known = state.reported_at or state.updated_at
        if moment is not None and known is not None and known >= moment:
            return is_new
        self._move(state, position, duration, moment)
        self._put(row, state, moment or UNDATED)
        return True

    def _move(
        self,
        state: UserMediaProgress,
        position: float,
        duration: float | None,
        moment: datetime | None,
    ) -> None:
        state.position, state.duration = position, duration or state.duration
        state.dropped, state.reported_at, state.session_id = False, moment, None

    # The known state

    def _duration(self, file_id: str) -> float | None:
        file = self._versions.files.get(file_id)
        if file is not None and file.duration:
            return float(file.duration)
        others = (self._versions.files.get(id) for id in sorted(self._versions.ids_of(file_id)))
        return next((other.duration for other in others if other and other.duration), None)

    def _limits(self, file_id: str) -> Thresholds:
        return Thresholds.of(self._config, is_music=self._versions.is_music(file_id))

    def _state(self, row: Matched) -> UserMediaProgress:
        """Return the current progress of a user in a file, to change and _put()."""
        ids = self._versions.ids_of(row.file_id)
        rows = [self._rows[row.user_id, id] for id in ids if (row.user_id, id) in self._rows]
        state = state_of(rows, row.file_id, self._versions.parts)
        if state is None:
            return empty_state(row.user_id, row.file_id)
        return copied(state) if state in rows else state

    def _put(self, row: Matched, state: UserMediaProgress, moment: datetime) -> None:
        """Store a state in memory as the latest of its versions."""
        user_id = row.user_id
        state.updated_at = moment
        ids = self._versions.ids_of(row.file_id)
        rows = [self._rows[user_id, id] for id in ids if (user_id, id) in self._rows]
        for other in rows_alike(rows, row.file_id, self._versions.parts):
            if other.media_file_id != row.file_id and other.updated_at >= moment:
                other.updated_at = moment - _TINY if moment > UNDATED else other.updated_at
        self._rows[user_id, row.file_id] = state
        self._before.setdefault((user_id, row.file_id), None)

    def _plays_of(self, row: Matched) -> list[Play]:
        ids = self._versions.ids_of(row.file_id)
        return [play for id in ids for play in self._plays.get((row.user_id, id), ())]

    def _twin(self, row: Matched, duration: float | None) -> Play | None:
        """Return the same play from another source: within the running time, or on the same day."""
        moment = row.record.watched_at
        assert moment is not None
        near = [
            play
            for play in self._plays_of(row)
            if self._is_same(play, moment, bool(row.record.is_day), duration)
        ]
        return min(near, key=lambda play: _between(play, moment), default=None)

    def _is_same(self, play: Play, moment: datetime, is_day: bool, duration: float | None) -> bool:
        is_day_too = not play.is_ours and self._is_midnight(play.played_at)
        if is_day and is_day_too:
            return play.played_at == moment
        if is_day:
            return self._is_on(play.played_at, moment)
        if is_day_too and self._is_on(moment, play.played_at):
            return True
        return _between(play, moment) < max(timedelta(seconds=duration or 0), _TINY)

    def _is_midnight(self, moment: datetime) -> bool:
        return any(
            moment.astimezone(zone).time() == datetime.min.time()
            for zone in (self._zone, timezone.utc)
        )

    def _is_on(self, moment: datetime, day: datetime) -> bool:
        """Whether a moment is on a day or in the night after; in UTC, on it in any zone."""
        if self._zone is timezone.utc:
            return day - _AROUND_THE_WORLD <= moment < day + _DAY + _AROUND_THE_WORLD
        return day <= moment < day + _DAY + _NIGHT

    # Writing

    def _add_play(self, row: Matched, seconds: float | None, *, completed: bool) -> None:
        subject = self._subjects.get(row.file_id) or subject_of(self._db, row.file_id)
        play = PlaybackHistory(
            id=self._db.new_id(),
            user_id=row.user_id,
            media_file_id=row.file_id,
            played_at=row.record.watched_at,
            completed=completed,
            kind=subject.kind,
            duration_watched=None if seconds is None else round(seconds),
            title=subject.title,
            top_title=subject.top_title,
            device_id=None,
            method=None,
        )
        self._new.append(play)
        self._plays.setdefault((row.user_id, row.file_id), []).append(
            Play(play.id, row.file_id, play.played_at, play.played_at, completed, False)
        )

    def _complete(self, user_id: str, duplicate: Play) -> None:
        plays = self._plays[user_id, duplicate.file_id]
        plays[plays.index(duplicate)] = duplicate._replace(completed=True)
        mine = next((play for play in self._new if play.id == duplicate.id), None)
        if mine is not None:
            mine.completed = True
        else:
            self._completed.append((user_id, duplicate))

    def write(self) -> list[Change]:
        """Write the changes since the last call and return them for the log; in a writer."""
        db, changes = self._db, []
        for play in self._new:
            changes.append(Change(play.user_id, str(play.media_file_id), play.id, None, None))
        for user_id, duplicate in self._completed:
            db.run(queries.complete_play, duplicate.id)
            changes.append(
                Change(user_id, duplicate.file_id, duplicate.id, {"completed": False}, None)
            )
        db.run_many(queries.insert_play, map(values_of, self._new))
        changed = []
        for (user_id, file_id), state in self._rows.items():
            before, after = self._before[user_id, file_id], image(state)
            if after != before:
                changed.append(values_of(state))
                changes.append(Change(user_id, file_id, None, before, after))
        db.run_many(playback_queries.put_progress, changed)
        self._rows, self._before, self._plays = {}, {}, {}
        self._new, self._completed = [], []
        return changes


def around(moment: datetime, sign: int = 1) -> datetime:
    """Return a moment some days before (sign=-1: after) another one, within datetime's range."""
    try:
        return moment - sign * (2 * _DAY + _AROUND_THE_WORLD)
    except OverflowError:
        return moment


def image(state: UserMediaProgress) -> dict[str, Any]:
    """Return progress as JSON values, without its user and the states for undo_progress()."""
    values = in_json(values_of(state))
    return {name: values[name] for name in _IMAGE}


def _play_of(found: queries.KnownPlay) -> Play:
    began, ended = (
        moment.astimezone(timezone.utc)
        for moment in (found.played_at, found.last_activity or found.played_at)
    )
    is_ours = found.method is not None
    return Play(found.id, found.file_id, began, max(began, ended), found.completed, is_ours)


def _between(play: Play, moment: datetime) -> timedelta:
    """Return the time between a moment and a play; 0 during the play."""
    return max(play.played_at - moment, moment - play.ended_at, timedelta(0))


def _position(record: WatchedRecord, duration: float | None) -> float | None:
    """Return the position of a row, at most the running time here; None if unknown."""
    if record.position is not None:
        return min(record.position, duration or record.position)
    if record.percent is None or not record.percent:
        return None
    if duration is None:
        if record.is_watched or record.watched_s:
            return None
        raise LeftOut(f"is watched to {record.percent:g} %, and its running time is not known here")
    return record.percent / 100 * duration


def _is_play(watched: float, duration: float | None) -> bool:
    return watched >= PLAY_S or (
        duration is not None and duration < 2 * PLAY_S and 0 < duration / 2 <= watched
    )
