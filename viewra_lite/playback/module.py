"""The playback module's verbs: sessions, progress, what to watch next, history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..config.options import Config
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
from ..media.models import Episode, MediaFile
from ..media.work_models import Work
from . import queries, users
from .history import history
from .history.plays import Plays
from .history.verbs import HistoryVerbs
from .models import MODELS, PlaybackSession, UserMediaProgress
from .progress import marks
from .progress.state import Progress
from .progress.thresholds import is_possible
from .sessions import reports
from .sessions.fast_path import FastPath
from .sessions.lifecycle import Lifecycle
from .shared import nothing
from .versions import Versions, is_music
from .watching import continue_watching, next_up
from .watching.items import WatchItem


class PlaybackModule(HistoryVerbs):
    """What people watch."""

    name = "playback"
    requires = ("media",)
    models = MODELS
    migrations = "viewra_lite.playback.migrations"

    def attach(self, db: Database, config: Config) -> None:
        """Receive the database, and follow files that turn out to be known ones."""
        super().attach(db, config)
        self._progress = Progress(db, config)
        self._fast_path = FastPath(db, config)
        self._plays = Plays(db, self._progress)
        self._lifecycle = Lifecycle(db, config, self._progress, self._plays, self._fast_path)
        db.subscribe("file_merged", self._follow_file)

    def recover(self) -> None:
        """Expire the sessions that have been silent for too long while no store was open."""
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
        """Begin to play a file; method is direct, transcode or remux, duration the file's.

        The user's progress moves with the first heartbeat. Raises NotFoundError,
        InvalidValueError.
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
        """Report where a session is, seconds; moves the user's progress in the same transaction.

        state is playing or paused, or ends the session: stopped, completed, failed. client_time
        is the device's own time of the report: an older one than what is stored does not win. A
        session that has expired goes on. Beyond the end is the end, up to a quarter more; who
        plays on beyond that proves the duration wrong, for all users. Raises NotFoundError,
        InvalidValueError, ConflictError for a session that was ended.
        """
        moment = or_none(checked_moment, "client_time", client_time)
        id = known_id("playback session", session_id)
        with self.db.writer():
            return self._lifecycle.heartbeat(id, position, state, moment)

    def stop_session(
        self, session_id: str, *, position: float | None = None, client_time: datetime | None = None
    ) -> PlaybackSession:
        """End a session: stopped, or completed where it came to the end; writes the history.

        Only a play is written: at least a minute, or half of what is shorter than two, or to the
        end. No number is refused: an impossible one ends it where it was. Raises NotFoundError,
        ConflictError, and InvalidValueError for what is no number.
        """
        return self._end(session_id, "stopped", position, client_time)

    def fail_session(
        self, session_id: str, *, position: float | None = None, client_time: datetime | None = None
    ) -> PlaybackSession:
        """End a session that could not be played; raises as heartbeat() does."""
        return self._end(session_id, "failed", position, client_time)

    def session(self, id: str) -> PlaybackSession:
        """Return a session; raises NotFoundError."""
        return self._lifecycle.session(id)

    def active_sessions(self, *, user_id: str | None = None) -> list[PlaybackSession]:
        """Return the sessions that have not ended, of one user or of all; oldest first."""
        user = or_none(checked_id, "user_id", user_id)
        # Asked for by user, the planner would go through all that this user ever played.
        every: list[PlaybackSession] = self.db.all(queries.open_sessions)
        return [session for session in every if user is None or session.user_id == user]

    # Progress

    def progress(self, user_id: str, media_file_id: str) -> UserMediaProgress:
        """Return how far a user is, with `resume_position`; position 0.0 for one who never was.

        Every version of a movie, episode or track shows the same; in one of another length,
        positions are scaled to it. Raises NotFoundError for a file
        that is not known and never was.
        """
        found = self.progress_of(user_id, [known_id("media file", media_file_id)])
        if media_file_id not in found:
            raise no_such("media file", media_file_id)
        return found[media_file_id]

    def progress_of(
        self, user_id: str, media_file_ids: Sequence[str]
    ) -> dict[str, UserMediaProgress]:
        """Return how far a user is in each of many files, by id; unknown ids are left out."""
        checked_user(user_id)
        ids = checked_ids("media_file_ids", media_file_ids)
        with self.db.reader():
            versions = Versions(self.db, ids)
            states = self._progress.of_files(user_id, ids, versions)
        for id in versions.wanted:
            if versions.is_known(id):
                states.setdefault(id, nothing(user_id, id))
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
        """Report where a user is in a file, seconds, without a session.

        completed decides; None asks the thresholds. To come to the end is a play, once within
        the running time. client_time as in heartbeat(). Returns what holds then. Raises
        NotFoundError, InvalidValueError.
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
        """Go back to where a user was before the last jump, mark or other session.

        Calling it again goes back further. On disk before it returns. Raises NotFoundError, and
        ConflictError where there is nothing to go back to.
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

        Give exactly one. at is when it was watched, if that is known: without it the mark has no
        date, and moves nothing to the front of next_up(). It is no play. One transaction, on
        disk before it returns. Returns the states of the marked files, one for each work. Raises
        NotFoundError, InvalidValueError.
        """
        return marks.mark(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Wanted(media_file_id, movie_id, episode_id, season_id, show_id),
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
        """Mark as not watched; as mark_watched(). The history and play_count stay."""
        return marks.mark(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Wanted(media_file_id, movie_id, episode_id, season_id, show_id),
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
        """Take a movie, or a whole show, off what to continue, until it is watched again.

        A file, an episode or a season stands for its show. Positions and what was watched stay.
        Raises as mark_watched() does.
        """
        marks.drop(
            self.db,
            self._progress,
            checked_user(user_id),
            marks.Wanted(media_file_id, movie_id, episode_id, season_id, show_id),
        )

    # What to watch

    def continue_watching(
        self, user_id: str, *, limit: int = 20, rewatching: bool = False
    ) -> list[WatchItem]:
        """Return what a user has begun and not finished, the most recent first.

        One entry for each show; only what is on disk. What was completed or dropped is not in it;
        rewatching=True adds what was completed once and has been begun again.
        """
        return continue_watching.continue_watching(
            self.db, self._progress, self.config, checked_user(user_id), limit, rewatching
        )

    def next_up(self, user_id: str, *, limit: int = 20) -> list[WatchItem]:
        """Return the next episode of each show that a user follows, the most recent show first.

        It is the first unwatched episode after the last watched one, without specials; of a show
        that is watched again, the first that was watched less often. A show whose next episode
        is not on disk, or that was dropped, is not in it.
        """
        with self.db.naming_unreadable(Work, Episode, UserMediaProgress):
            return next_up.next_up(self.db, self._progress, checked_user(user_id), limit)

    # What is stored of a person

    def forget_user(self, user_id: str) -> int:
        """Delete all that is stored of a user, in bounded transactions; return how many rows.

        Interrupted, it goes on when it is called again. On disk before it returns.
        """
        return users.forget(self.db, checked_user(user_id))

    def rename_user(self, old: str, new: str) -> int:
        """Give all that is stored of a user another user's id; return how many rows.

        One transaction, on disk before it returns. Raises NotFoundError where nothing is stored of
        the old one, ConflictError where something is of the new one.
        """
        return users.rename(self.db, checked_id("old", old), checked_id("new", new))

    # Chores

    def tidy(self, now: datetime) -> None:
        """Expire sessions that have been silent for longer than session_timeout_s."""
        moment = checked_moment("now", now)
        self._lifecycle.expire_silent(moment)
        self._progress.put_right(max(moment, self.db.now()))

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
        """Return a file; None for a removed one; raises NotFoundError for one that never was."""
        file: MediaFile | None = self.db.one(
            queries.file_by_id, known_id("media file", media_file_id)
        )
        if file is None:
            self.progress(user_id, media_file_id)
        return file

    def _follow_file(self, gone_id: str, kept_id: str) -> None:
        self._progress.merge_file(gone_id, kept_id)
        history.follow_file(self.db, gone_id, kept_id)
