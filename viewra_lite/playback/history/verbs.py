"""The verbs of the playback history: plays, statistics, the archive."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from ...database.checks import checked_id, checked_user, known_id, or_none
from ...database.pages import Page
from ...module import Module
from ..models import PlaybackHistory, PlaybackHistoryArchive
from ..progress.state import Progress
from . import archive, history, stats
from .archive import ArchiveResult
from .plays import Plays
from .stats import Stats


class HistoryVerbs(Module):
    """The verbs of PlaybackModule that read and write the history."""

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
        """Return a page of plays of one user or of all, newest first.

        after is the `next` of the page before; archived=True includes the archive. Raises
        InvalidValueError.

            page = store.playback.history("ann")
            while page.next:
                page = store.playback.history("ann", after=page.next)
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
        """Record a play from another program; return whether the history has gained it.

        A play too short to count is not recorded (see stop_session()), nor is one of the same
        title within its running time of a known play. Moves the user's progress as a report made
        at played_at. position and duration_watched are seconds. Raises NotFoundError,
        InvalidValueError.
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
        """Return plays and hours in total, by title, by day and by user, archive included.

        The time is from since to before until. tz ("Europe/Berlin" or a tzinfo, by default UTC)
        decides where days begin; any other than UTC reads every play of the time. Raises
        InvalidValueError.
        """
        user = or_none(checked_id, "user_id", user_id)
        span, zone = stats.checked_span(since, until), stats.checked_zone(tz)
        return stats.stats(self.db, user, *span, zone)

    def delete_play(self, id: str) -> None:
        """Delete a play and its session, archived or not, and subtract it from play_count.

        The user's position and watched mark stay: see mark_unwatched(). On disk before it
        returns. Raises NotFoundError, and ConflictError while its session is open.
        """
        known_id("play", id)
        with self.db.writer(durable=True):
            self._plays.delete(id)

    def archive_history(
        self, *, older_than: datetime | timedelta, dry_run: bool = False
    ) -> ArchiveResult:
        """Move plays from before a moment, or older than an age, into the archive.

        Runs in bounded transactions; after an interruption, call it again. dry_run only counts.
        Raises InvalidValueError.

            store.playback.archive_history(older_than=timedelta(days=730))
        """
        return archive.archive(self.db, older_than, dry_run)

    def restore_history(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> int:
        """Move the plays of a time back from the archive, and return how many.

        Runs in bounded transactions. Raises InvalidValueError.
        """
        return archive.restore(self.db, *stats.checked_span(since, until))
