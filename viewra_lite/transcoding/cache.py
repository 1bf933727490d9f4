"""What has been made: how much there is, and what goes when there is too much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ..database.fields import os_path
from ..database.sessions import Sessions
from ..errors import ViewraError
from . import queries

TOUCHED_EVERY = timedelta(minutes=1)
YOUNG = timedelta(hours=1)
KEPT_PERCENT = 90
_BATCH = 100  # entries in a transaction
_LOOKED_AT = 1000  # entries in a look at the disk


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """What the cache holds."""

    entries: int
    bytes: int
    pinned_bytes: int
    """Of the bytes, those that evict() never removes."""


def usage(sessions: Sessions) -> CacheUsage:
    """Count entries and bytes."""
    return CacheUsage(*map(int, sessions.one(queries.usage)))


def is_there(path: str | None) -> bool:
    """Whether an entry's file is there, or cannot be looked at."""
    if path is None:
        return False
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def forget_vanished(sessions: Sessions) -> None:
    """Forget entries whose files are gone; looks at the disk, a batch at a time."""
    last = ""
    while entries := sessions.all(queries.paths_after, last, _LOOKED_AT):
        last = entries[-1].id
        gone = [entry.id for entry in entries if not is_there(entry.output_path)]
        for start in range(0, len(gone), _BATCH):
            # An entry that was made anew meanwhile has another id.
            sessions.run(queries.forget_entries, gone[start:start + _BATCH])


def evict(sessions: Sessions, max_bytes: int) -> list[str]:
    """Remove entries until the rest is small enough; return their paths."""
    paths: list[str] = []
    if usage(sessions).bytes > max_bytes:
        try:
            for batch in _evicted(sessions, max_bytes * KEPT_PERCENT // 100):
                paths += batch
        except ViewraError:
            if not paths:  # else the caller must learn of those that are out already
                raise
    return paths


def _evicted(sessions: Sessions, target: int) -> Iterator[list[str]]:
    """Remove a batch of entries at a time, and yield the paths once that is committed."""
    chosen: list[str] = [""]
    while chosen:
        now = sessions.now()
        with sessions.writer():
            over = usage(sessions).bytes - target
            chosen = []
            for id, size in sessions.all(queries.least_recently_used, now, now - YOUNG, _BATCH):
                if over <= 0:
                    break
                chosen.append(id)
                over -= size
            # Asked again as it goes: on PostgreSQL somebody may just have begun to use it.
            rows = sessions.run_returning(queries.evict_entries, chosen, now, now - YOUNG)
        yield [os_path(path) for path, in rows if path is not None]
