"""The verbs of the history: plays, statistics, the archive."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from ...database.checks import checked_id, checked_user, known_id, or_none
from ...database.pages import Page
from ...module import Module
from ..models import PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive
from ..progress.state import Progress
from . import archive, history, stats
from .archive import ArchiveResult
from .plays import Plays
from .stats import Stats


class HistoryVerbs(Module):
    """What was watched."""

    _progress: Progress
    _plays: Plays

    def history(
        self,
        user_id: str | None = None,
        *,
        limit: int = 50,
        after: str | None = None,
        archived: bool = False,
    ) -> Page[PlaybackHistory | PlaybackHistoryArchive]:
        """Return a page of plays, the latest first, of one user or of all.

        archived=True reads those that were moved to the archive as well.
        """
        user = or_none(checked_id, "user_id", user_id)
        return history.page(self.db, user, limit, after, archived)

    def record_play(
        self,
        user_id: str,
        media_file_id: str,
        *,
        played_at: datetime,
        completed: bool = True,
        position: float | None = None,
        duration_watched: float | None = None,
    ) -> bool:
        """Record a play that happened elsewhere; False where it is none, or is known already.

        Known is a play of the same work, whichever version, within its running time. Moves the
        user's progress as a report of that time would. Raises NotFoundError, InvalidValueError.
        """
        checked_user(user_id)
        return history.record_play(
            self.db,
            self._progress,
            self._plays,
            user_id,
            media_file_id,
            history.Play(played_at, completed, position, duration_watched),
        )

    def stats(
        self,
        *,
        user_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tz: tzinfo | str | None = None,
    ) -> Stats:
        """Return plays, hours, top titles, days and users, those archived counted too.

        since is included, until is not. Days are those of a time zone ("Europe/Berlin" or a
        tzinfo), by default UTC; another one than UTC reads every play of the time. Raises
        InvalidValueError.
        """
        user = or_none(checked_id, "user_id", user_id)
        span, zone = stats.checked_span(since, until), stats.checked_zone(tz)
        with self.db.naming_unreadable(PlaybackDailyTotal, PlaybackHistory, PlaybackHistoryArchive):
            return stats.stats(self.db, user, *span, zone)

    def delete_play(self, id: str) -> None:
        """Delete a play and its session, archived or not, and take its count back.

        Where the user is, and that it was watched, stays: see mark_unwatched(). On disk before it
        returns. Raises NotFoundError, and ConflictError while its session is open.
        """
        known_id("play", id)
        with self.db.writer(durable=True):
            self._plays.delete(id)

    def archive_history(
        self, *, older_than: datetime | timedelta, dry_run: bool = False
    ) -> ArchiveResult:
        """Move plays from before a moment, or older than an age, into the archive.

        In bounded transactions: interrupted, it goes on when it is called again. dry_run only
        counts. Raises InvalidValueError.
        """
        return archive.archive(self.db, older_than, dry_run)

    def restore_history(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> int:
        """Move plays out of the archive again, in bounded transactions; return how many."""
        return archive.restore(self.db, *stats.checked_span(since, until))
