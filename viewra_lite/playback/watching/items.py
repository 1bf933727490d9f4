"""The entries of the lists of what to watch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from ...database.pages import rows_or_none
from ...database.orm.statements import Statement
from ...database.transactions.database import Database
from ...media.models import Episode, MediaFile, Movie, Track, TVShow
from ..models import UserMediaProgress

_CHUNK_FILES = 100  # in the first chunk; each next one is twice as large
_MOST_FILES = 3200
_EVER = datetime.max.replace(tzinfo=timezone.utc)
NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class WatchItem:
    """An entry of a list: the file to play, its title, and the user's progress."""

    kind: str
    """movie, episode, track or other; extras are not listed."""
    title: str
    """For lists: Dune (2021), Dark S01E01 Secrets."""
    media_file: MediaFile
    """The file to play: the one last watched, or its best version on disk."""
    progress: UserMediaProgress
    """With `resume_position`."""
    movie: Movie | None = None
    episode: Episode | None = None
    show: TVShow | None = None
    track: Track | None = None

    @property
    def media_file_id(self) -> str:
        """The id of the file to play."""
        return str(self.media_file.id)


def recent_files(
    db: Database, statement: Statement, user_id: str, *limits: float
) -> Iterator[list[str]]:
    """Yield the ids of a user's files, the last changed first, in growing chunks."""
    moment, after, size = _EVER, "", _CHUNK_FILES
    while rows := rows_or_none(db, statement, user_id, moment, after, size, *limits):
        found = [row for row in rows if row is not None]
        yield [id for id, _ in found]
        if len(rows) < size or not found:
            return
        after, moment = found[-1]
        size = min(size * 2, _MOST_FILES)
