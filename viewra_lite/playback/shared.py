"""What the progress in several files says of one of them.

Versions share all: the position is that of the row that changed last, and watched to the end is
what any of them was. Between a file of several episodes (or a whole movie) and those of one (or of
a part) only what was watched to the end counts: positions in them are not the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..database.orm.rows import copied
from .models import UserMediaProgress

Part = tuple[str, int]
"""A work, and which part of it; 0 is all of it."""
Parts = Mapping[str, frozenset[Part]]
"""What each file holds, by its id."""


def alike(rows: Sequence[UserMediaProgress], id: str, parts: Parts) -> list[UserMediaProgress]:
    """Return the rows of a file and of those that hold the same."""
    own = parts.get(id)
    return [
        row
        for row in rows
        if row.media_file_id == id or own and parts.get(row.media_file_id) == own
    ]


def state_of(rows: Sequence[UserMediaProgress], id: str, parts: Parts) -> UserMediaProgress | None:
    """Return what the rows of all files that share a work with one say of it; None of none."""
    versions = alike(rows, id, parts)
    state = merged(versions, id)
    if len(versions) == len(rows):
        return state
    others = [row for row in rows if row not in versions]
    plays = [_plays_of(part, others, parts) for part in parts.get(id, ())]
    if not plays or not all(plays):
        return state
    if state is None:
        state = nothing(rows[0].user_id, id)
        state.updated_at = max(row.updated_at for row in rows if row.completed)
    state.completed = True
    state.play_count += min(play.count for play in plays if play)
    moments = [state.last_played_at, *(play.moment for play in plays if play)]
    state.last_played_at = max((each for each in moments if each is not None), default=None)
    return state


class _Plays:
    """How often a part was watched to the end, and when last."""

    def __init__(self, count: int, moments: Iterable[datetime | None]) -> None:
        self.count = count
        self.moment = max((each for each in moments if each is not None), default=None)


def _plays_of(part: Part, rows: Sequence[UserMediaProgress], parts: Parts) -> _Plays | None:
    """Return the plays of a part by any file that holds it, or by all of its parts; or None."""
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
    """Return one state out of those of several versions, as that of one of them; None of none.

    Its position is that of the row that changed last; watched to the end is what any of them was.
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


def nothing(user_id: str, media_file_id: str) -> UserMediaProgress:
    """Return the state of one who has never watched it."""
    state = UserMediaProgress(user_id=user_id, media_file_id=media_file_id)
    state.reported_in = media_file_id
    return state
