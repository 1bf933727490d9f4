"""Earlier states of a user's progress, kept in its row for undo."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..database.fields import timestamp_text
from .models import UserMediaProgress

KEPT_STATES = 20
"""How many earlier states a row keeps for undo."""
SPACED_S = 60.0
"""States that one session leaves behind lie at least so far apart."""
_KEPT = ("position", "duration", "completed", "marked", "last_played_at")


def kept_lately(state: UserMediaProgress, session_id: str, now: datetime) -> bool:
    """Whether the session has just left a state behind: who looks for a scene leaves one.

    Not only as the last: two players of one user take turns.
    """
    return any(
        one["by"] == session_id
        and 0 <= (now - datetime.fromisoformat(one["replaced_at"])).total_seconds() < SPACED_S
        for one in state.previous or ()
    )


def keep(state: UserMediaProgress, now: datetime, by: str | None = None) -> None:
    """Keep a state that is about to change, for undo; by is the session that changes it."""
    earlier: dict[str, Any] = {name: getattr(state, name) for name in _KEPT}
    if state.last_played_at is not None:
        earlier["last_played_at"] = timestamp_text(state.last_played_at)
    earlier["replaced_at"] = timestamp_text(now)
    earlier["by"] = by
    state.previous = [*(state.previous or ()), earlier][-KEPT_STATES:]


def moment_of(text: str | None) -> datetime | None:
    """Return a time out of a kept state."""
    return None if text is None else datetime.fromisoformat(text)


def go_back(state: UserMediaProgress) -> None:
    """Make a state what it was when the last one was kept, of which there must be one."""
    *earlier, last = state.previous
    for name in _KEPT:
        setattr(state, name, last.get(name, getattr(state, name)))
    state.last_played_at = moment_of(last["last_played_at"])
    state.previous = earlier
