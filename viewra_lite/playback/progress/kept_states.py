"""Earlier states of a user's progress, kept in its row for undo."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...database.orm.reading import Reading, columns_of, in_json, shaped, text_of, time_of
from ...errors import shown
from ..models import UserMediaProgress

KEPT_STATES = 20
"""Earlier states that a row keeps for undo."""
SPACED_S = 60.0
"""Least time between two states that one session leaves behind."""
_KEPT = ("position", "duration", "completed", "marked", "last_played_at")


def earlier_states(state: UserMediaProgress) -> list[dict[str, Any]]:
    """Return the kept states, oldest first; raises CorruptStoreError."""
    if state.previous is None:
        return []
    id = ", ".join(map(shown, (state.user_id, state.kept_in)))
    found: list[dict[str, Any]] = shaped(state, "previous", _STATES, id=id)
    return found


def kept_lately(state: UserMediaProgress, session_id: str, now: datetime) -> bool:
    """Whether a session has just left a state behind: a search for a scene leaves one.

    Not only the last state counts, because two players of one user may alternate.
    """
    return any(
        one["by"] == session_id and 0 <= (now - one["replaced_at"]).total_seconds() < SPACED_S
        for one in earlier_states(state)
    )


def keep(state: UserMediaProgress, now: datetime, by: str | None = None) -> None:
    """Keep a state for undo before it changes; by is the session that changes it."""
    earlier = in_json({name: getattr(state, name) for name in _KEPT} | {"replaced_at": now})
    earlier["by"] = by
    before = state.previous if earlier_states(state) else ()
    state.previous = [*before, earlier][-KEPT_STATES:]


def go_back(state: UserMediaProgress) -> None:
    """Restore the last kept state, of which there must be one."""
    last = earlier_states(state)[-1]
    for name in _KEPT:
        setattr(state, name, last[name])
    state.previous = state.previous[:-1]


def _read_states(stored: object) -> list[dict[str, Any]]:
    if not isinstance(stored, list):
        raise TypeError(stored)
    return [_read_state(one) for one in stored]


def _read_state(stored: Any) -> dict[str, Any]:
    replaced_at = time_of(stored["replaced_at"])
    if replaced_at is None:
        raise TypeError(stored)
    columns = columns_of(UserMediaProgress, {name: stored[name] for name in _KEPT})
    return {**columns, "replaced_at": replaced_at, "by": text_of(stored["by"])}


_STATES = Reading("a JSON array of earlier states", _read_states)
