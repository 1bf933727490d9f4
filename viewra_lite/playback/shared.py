"""Progress in a file, merged from its own row and those of files that share a work with it.

Versions share everything: the position of the row that changed last, and completed if any row is.
A file of several episodes (or a whole movie) and a file of one (or of a part) share only
completion, because their positions differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..database.orm.internals import copied
from .models import UserMediaProgress

Part = tuple[str, int]
"""A work and the number of its part; 0 is the whole work."""
Parts = Mapping[str, frozenset[Part]]
"""The parts that each file holds, by file id."""


def rows_alike(rows: Sequence[UserMediaProgress], id: str, parts: Parts) -> list[UserMediaProgress]:
    """Return the rows of a file and of those with the same parts."""
    own = parts.get(id)
    return [
        row
        for row in rows
        if row.media_file_id == id or own and parts.get(row.media_file_id) == own
    ]


def state_of(rows: Sequence[UserMediaProgress], id: str, parts: Parts) -> UserMediaProgress | None:
    """Return a file's progress, from the rows of all files that share a work with it, or None."""
    versions = rows_alike(rows, id, parts)
    state = merged(versions, id)
    if len(versions) == len(rows):
        return state
    others = [row for row in rows if row not in versions]
    plays = [_plays_of(part, others, parts) for part in parts.get(id, ())]
    if not plays or not all(plays):
        return state
    if state is None:
        state = empty_state(rows[0].user_id, id)
        state.updated_at = max(row.updated_at for row in rows if row.completed)
    state.completed = True
    state.play_count += min(play.count for play in plays if play)
    moments = [state.last_played_at, *(play.moment for play in plays if play)]
    state.last_played_at = max((each for each in moments if each is not None), default=None)
    return state


class _Plays:
    """The number of plays of a part to the end, and the time of the last."""

    def __init__(self, count: int, moments: Iterable[datetime | None]) -> None:
        self.count = count
        self.moment = max((each for each in moments if each is not None), default=None)


def _plays_of(part: Part, rows: Sequence[UserMediaProgress], parts: Parts) -> _Plays | None:
    """Return the plays of a part, by files that hold it or by all of its parts, or None."""
    work_id, number = part
    whole = (work_id, 0)
    watched = [
        row
        for row in rows
        if row.completed and not parts.get(row.media_file_id, frozenset()).isdisjoint({part, whole})
    ]
    if watched:
        return _Plays(
            sum(row.play_count for row in watched), [row.last_played_at for row in watched]
        )
    numbers = {n for held in parts.values() for work, n in held if work == work_id and n}
    if number or not numbers:
        return None
    each = [_plays_of((work_id, n), rows, parts) for n in numbers]
    known = [plays for plays in each if plays is not None]
    if len(known) < len(each):
        return None
    return _Plays(min(plays.count for plays in known), [plays.moment for plays in known])


def merged(rows: Sequence[UserMediaProgress], media_file_id: str) -> UserMediaProgress | None:
    """Merge the rows of several versions into the state of one of them; None without rows.

    The position is that of the row that changed last; it is completed if any row is.
    """
    if not rows:
        return None
    latest = max(rows, key=lambda row: (row.updated_at, row.media_file_id))
    state: UserMediaProgress = copied(latest)
    state.media_file_id = media_file_id
    state.reported_in = state.kept_in = latest.media_file_id
    if len(rows) > 1:
        state.completed = any(row.completed for row in rows)
        state.marked = any(row.marked for row in rows)
        state.play_count = sum(row.play_count for row in rows)
        plays = [row.last_played_at for row in rows if row.last_played_at is not None]
        state.last_played_at = max(plays, default=None)
    return state


def empty_state(user_id: str, media_file_id: str) -> UserMediaProgress:
    """Return the state of a user who has never watched a file."""
    state = UserMediaProgress(user_id=user_id, media_file_id=media_file_id)
    state.reported_in = media_file_id
    return state
