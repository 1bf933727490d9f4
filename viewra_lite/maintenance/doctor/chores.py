"""The check of the chores: those that are late, and those that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ...database.findings import Finding
from ..models import Chore

_LATE = timedelta(days=1)
_WAITS = "vacuum"  # for a moment without playback and scans, which may not come for long


def late(chores: Sequence[Chore], now: datetime) -> Iterator[Finding]:
    """Yield the chores that were not run when they were due, and those that failed."""
    overdue = [chore for chore in chores if chore.due_at < now - _LATE and chore.name != _WAITS]
    if overdue:
        names = ", ".join(chore.name for chore in overdue)
        first = min(chore.due_at for chore in overdue)
        text = f"chores are late, the first since {first:%Y-%m-%d %H:%M} UTC: {names}"
        remedy = "call store.maintenance.run_due() from a timer, or run viewra-lite maintain --loop"
        yield Finding("chores", "warning", text, remedy)
    for chore in chores:
        if chore.error:
            times = f", {chore.failures} times in a row" if chore.failures > 1 else ""
            text = f"the chore {chore.name} failed{times}: {chore.error}"
            yield Finding("chores", "warning", text, f"viewra-lite maintain --only {chore.name}")
