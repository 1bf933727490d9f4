"""The verbs of playback: sessions, progress, lists of what to watch, users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ..config.options import Config
from ..database.pages import readable, without_unreadable
from ..database.checks import (
    checked_id,
    checked_ids,
    checked_moment,
    checked_truth,
    checked_user,
    known_id,
    no_such,
    or_none,
)
from ..database.transactions.database import Database
from ..errors import CorruptStoreError
from ..media.models import MediaFile
from . import queries, users
from .history import archive, history
from .history.plays import Plays
from .history.verbs import HistoryVerbs
from .models import MODELS, PlaybackSession, UserMediaProgress
from .progress import marks
from .progress.state import Progress
from .progress.thresholds import is_possible
from .sessions import reports
from .sessions.fast_path import FastPath
from .sessions.lifecycle import Lifecycle
from .shared import empty_state
from .versions import Versions, is_music
from .watching import continue_watching, next_up
from .watching.items import WatchItem


class PlaybackModule(HistoryVerbs):
    """Playback sessions, progress and history, for each user.

    Positions and durations are seconds. A file may be named after it was removed. Any verb may
    raise StoreBusyError, StoreClosedError, StoreUnavailableError or CorruptStoreError, and one
    that writes raises StoreFullError if the disk is full, and TransactionError inside reader().
    """

    name = "playback"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.playback.migrations"
    timed = (
        "start_session",
        "heartbeat",
        "stop_session",
        "progress_of",
        "set_progress",
        "mark_watched",
        "continue_watching",
        "next_up",
        "history",
    )

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database, and subscribe to merged files."""
        super().attach(db, config)
        self._progress = Progress(db, config)
        self._fast_path = FastPath(db, config)
        self._plays = Plays(db, self._progress)
        self._lifecycle = Lifecycle(db, config, self._progress, self._plays, self._fast_path)
        db.subscribe("file_merged", self._follow_file)

    def recover(self) -> None:
        """Expire the sessions that timed out while no store was open."""
        self._lifecycle.expire_silent(self.db.now())

    # Sessions

    def start_session(
        self,
        media_file_id: str,
        *,
        user_id: str,
        device_id: str | None = None,
        method: str = "direct",
        position: float = 0.0,
        duration: float | None = None,
    ) -> PlaybackSession:
        """Start a session; method is direct, transcode or remux, duration by default the file's.

        The user's progress changes with the first heartbeat only. Raises NotFoundError for a file
        that is not in the store, InvalidValueError.

            session = store.playback.start_session(file.id, user_id="ann", device_id="tv")
            store.playback.heartbeat(session.id, 12.5)
            store.playback.stop_session(session.id)
        """
        return self._lifecycle.start(media_file_id, user_id, device_id, method, position, duration)

    def heartbeat(
        self,
        session_id: str,
        position: float,
        *,
        state: str | None = None,
        client_time: datetime | None = None,
    ) -> PlaybackSession:
        """Report the position of a session, and move the user's progress in one transaction.

        state is playing or paused, or ends the session: stopped, completed, failed. client_time
        is the device's time of the report; a report older than the stored one moves nothing. An
        expired session resumes. A position up to a quarter beyond the duration counts as the end;
        playback that continues past that proves the duration wrong, for all users. Raises
        NotFoundError, InvalidValueError, and ConflictError for a session that has ended.
        """
        moment = or_none(checked_moment, "client_time", client_time)
        id = known_id("playback session", session_id)
        with self.db.writer():
            return self._lifecycle.heartbeat(id, position, state, moment)

    def stop_session(
        self, session_id: str, *, position: float | None = None, client_time: datetime | None = None
    ) -> PlaybackSession:
        """End a session as stopped, or as completed if it reached the end; write the history.

        The history gets a play only: a minute watched, half of a file shorter than two minutes,
        or the end reached. An impossible number ends the session at its last position, so that a
        broken player can still stop. Raises NotFoundError, InvalidValueError for a position that
        is not a number, and ConflictError for a session that has ended.
        """
        return self._end(session_id, "stopped", position, client_time)

    def fail_session(
        self, session_id: str, *, position: float | None = None, client_time: datetime | None = None
    ) -> PlaybackSession:
        """End a session that could not be played, as stop_session() does.

        Raises NotFoundError, InvalidValueError, ConflictError.
        """
        return self._end(session_id, "failed", position, client_time)

    def session(self, id: str) -> PlaybackSession:
        """Return a session. Raises NotFoundError."""
        return self._lifecycle.session(id)

    def active_sessions(self, *, user_id: str | None = None) -> list[PlaybackSession]:
        """Return the open sessions of a user or of all, oldest first. Raises InvalidValueError."""
        user = or_none(checked_id, "user_id", user_id)
        # Filtered here: with the user in WHERE, the planner reads every session of that user.
        every: list[PlaybackSession] = readable(self.db, queries.open_sessions)
        return [session for session in every if user is None or session.user_id == user]

    # Progress

    def progress(self, user_id: str, media_file_id: str) -> UserMediaProgress:
        """Return a user's progress in a file, with `resume_position`; 0.0 if never watched.

        All versions of a movie, episode or track share it; positions are scaled to the length of
        this one. Raises NotFoundError for an id that never was a file's, InvalidValueError.
        """
        ids = [known_id("media file", media_file_id)]
        found = self._progress_of(checked_user(user_id), ids)
        if media_file_id not in found:
            raise no_such("media file", media_file_id)
        return found[media_file_id]

    def progress_of(
        self, user_id: str, media_file_ids: Sequence[str]
    ) -> dict[str, UserMediaProgress]:
        """Return a user's progress in many files, by file id; unknown ids are left out.

        So are those whose rows cannot be read, which the log names. Raises InvalidValueError.
        """
        checked_user(user_id)
        ids = checked_ids("media_file_ids", media_file_ids)
        try:
            return self._progress_of(user_id, ids)
        except CorruptStoreError:
            return without_unreadable(lambda id: self._progress_of(user_id, [id]), ids)

    def _progress_of(self, user_id: str, ids: Sequence[str]) -> dict[str, UserMediaProgress]:
        with self.db.reader():
            versions = Versions(self.db, ids)
            states = self._progress.of_files(user_id, ids, versions)
        for id in versions.requested:
            if versions.is_known(id):
                states.setdefault(id, empty_state(user_id, id))
        return {
            id: self._progress.complete(
                state, is_music=versions.is_music(id), file=versions.files.get(id)
            )
            for id, state in states.items()
        }

    def set_progress(
        self,
        user_id: str,
        media_file_id: str,
        position: float,
        *,
        completed: bool | None = None,
        client_time: datetime | None = None,
    ) -> UserMediaProgress:
        """Report a user's position in a file without a session; return the new progress.

        completed=None applies the thresholds. Reaching the end adds a play to the history, once
        within the running time. client_time is as in heartbeat(). Raises NotFoundError,
        InvalidValueError.
        """
        checked_user(user_id)
        moment = or_none(checked_moment, "client_time", client_time)
        or_none(checked_truth, "completed", completed)
        known_id("media file", media_file_id)
        with self.db.writer():
            if completed is None:
                state = self._fast_path.progress(user_id, media_file_id, position, moment)
                if state is not None:
                    return state
            file = self._file(user_id, media_file_id)
            state = reports.take(
                self.db,
                self._progress,
                self._plays,
                user_id,
                media_file_id,
                file,
                position,
                completed,
                moment,
            )
        return self._complete(state, file)

    def undo_progress(self, user_id: str, media_file_id: str) -> UserMediaProgress:
        """Restore a user's progress from before the last jump, mark or change of session.

        Each call goes one state further back. On disk before it returns. Raises NotFoundError,
        InvalidValueError, and ConflictError when no earlier state is left.
        """
        checked_user(user_id)
        with self.db.writer(durable=True):
            file = self._file(user_id, media_file_id)
            state = reports.undo(self._progress, self._plays, user_id, media_file_id)
        return self._complete(state, file)

    def mark_watched(
        self,
        user_id: str,
        media_file_id: str | None = None,
        *,
        movie_id: str | None = None,
        episode_id: str | None = None,
        season_id: str | None = None,
        show_id: str | None = None,
        at: datetime | None = None,
    ) -> list[UserMediaProgress]:
        """Mark a file, or every file of a movie, an episode, a season or a show, as watched.

        Give exactly one. at is when it was watched; without it the mark has no date, and moves no
        show to the front of next_up(). A mark is not a play. One transaction, on disk before it
        returns. Returns the progress in the marked files, one for each movie or episode. Raises
        NotFoundError, InvalidValueError, and ConflictError without a file to mark.

            store.playback.mark_watched("ann", show_id=show.id)
        """
        return marks.mark(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Target(media_file_id, movie_id, episode_id, season_id, show_id),
            watched=True,
            at=or_none(checked_moment, "at", at),
        )

    def mark_unwatched(
        self,
        user_id: str,
        media_file_id: str | None = None,
        *,
        movie_id: str | None = None,
        episode_id: str | None = None,
        season_id: str | None = None,
        show_id: str | None = None,
    ) -> list[UserMediaProgress]:
        """Mark as not watched, as mark_watched() does; the history and play_count stay.

        Raises NotFoundError, InvalidValueError, ConflictError.
        """
        return marks.mark(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Target(media_file_id, movie_id, episode_id, season_id, show_id),
            watched=False,
        )

    def drop(
        self,
        user_id: str,
        media_file_id: str | None = None,
        *,
        movie_id: str | None = None,
        episode_id: str | None = None,
        season_id: str | None = None,
        show_id: str | None = None,
    ) -> None:
        """Drop a movie or a show from continue_watching() and next_up() until it is watched again.

        A file, an episode or a season drops its whole show. Positions and watched marks stay.
        Raises NotFoundError, InvalidValueError.
        """
        marks.drop(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Target(media_file_id, movie_id, episode_id, season_id, show_id),
        )

    # What to watch

    def continue_watching(
        self, user_id: str, *, limit: int = 20, rewatching: bool = False
    ) -> list[WatchItem]:
        """Return what a user has begun and not finished, the most recent first.

        One entry for each show, and only files on disk. Completed and dropped titles are left
        out; rewatching=True includes a completed one that was begun again. Raises
        InvalidValueError.
        """
        return continue_watching.continue_watching(
            self.db, self._progress, self.config, checked_user(user_id), limit, rewatching
        )

    def next_up(self, user_id: str, *, limit: int = 20) -> list[WatchItem]:
        """Return the next episode of each show that a user follows, the most recent show first.

        It is the first unwatched episode after the last watched one, without specials; when a
        show is rewatched, the first that was watched less often. A show that was dropped, or
        whose next episode is not on disk, is left out. Raises InvalidValueError.
        """
        return next_up.next_up(self.db, self._progress, checked_user(user_id), limit)

    # Users

    def forget_user(self, user_id: str) -> int:
        """Delete every row of a user, in bounded transactions, and return their number.

        After an interruption, call it again. On disk before it returns. Raises InvalidValueError.
        """
        return users.forget(self.db, checked_user(user_id))

    def rename_user(self, old: str, new: str) -> int:
        """Change a user's id in every row, and return the number of rows.

        One transaction, on disk before it returns: it holds the writer for about 7 ms per 1,000
        rows. Raises NotFoundError for an old id without rows, ConflictError for a new id with
        rows, InvalidValueError.
        """
        return users.rename(self.db, checked_id("old", old), checked_id("new", new))

    # Chores

    def tidy(self, now: datetime) -> None:
        """Expire sessions without a heartbeat for session_timeout_s, or paused_timeout_s.

        Sets times in the future, of a clock that ran ahead, to now. Moves plays into the archive
        that are older than archive_after_days. Raises InvalidValueError.
        """
        moment = checked_moment("now", now)
        self._lifecycle.expire_silent(moment)
        self._progress.clamp_times(max(moment, self.db.now()))
        if self.config.archive_after_days:
            archive.archive_old(self.db, moment - timedelta(days=self.config.archive_after_days))

    # Inside

    def _end(
        self, session_id: str, state: str, position: float | None, client_time: datetime | None
    ) -> PlaybackSession:
        moment = or_none(checked_moment, "client_time", client_time)
        with self.db.writer():
            session = self.session(session_id)
            if position is None or not is_possible(position):
                return self._lifecycle.end(session, state)
            return self._lifecycle.move(session, position, state, moment)

    def _complete(self, state: UserMediaProgress, file: MediaFile | None) -> UserMediaProgress:
        return self._progress.complete(state, is_music=is_music(file), file=file)

    def _file(self, user_id: str, media_file_id: str) -> MediaFile | None:
        """Return a file, None for a removed one; raises NotFoundError for an unknown id."""
        file: MediaFile | None = self.db.one(
            queries.file_by_id, known_id("media file", media_file_id)
        )
        if file is None:
            self.progress(user_id, media_file_id)
        return file

    def _follow_file(self, gone_id: str, kept_id: str) -> None:
        self._progress.merge_file(gone_id, kept_id)
        history.follow_file(self.db, gone_id, kept_id)
