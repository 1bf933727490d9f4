"""What has been made: how much there is, and what goes when there is too much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ..database.orm.fields import os_path, timestamp_text
from ..database.transactions.database import Database
from ..errors import ViewraError
from . import cache_queries

TOUCHED_EVERY = timedelta(minutes=1)
LONGEST = timedelta(days=30)  # of a lease, and of being in use
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


@dataclass(frozen=True, slots=True)
class EvictResult:
    """What evict() took out of the cache, and what it had to leave."""

    paths: list[str]
    """Of what was taken out: deleting them is the caller's."""
    freed_bytes: int
    over_bytes: int = 0
    """By how much the cache is still over max_bytes."""
    pinned_bytes: int = 0
    """Why it still is: so much is pinned."""
    in_use_bytes: int = 0
    """Why it still is: so much is in use, or being made anew."""


def usage(db: Database) -> CacheUsage:
    """Count entries and bytes."""
    return CacheUsage(*map(int, db.one(cache_queries.usage)))


def exists(path: str | None) -> bool:
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


def forget_vanished(db: Database) -> None:
    """Forget entries whose files are gone; looks at the disk, a batch at a time."""
    last = ""
    while entries := db.all(cache_queries.paths_after, last, _LOOKED_AT):
        last = entries[-1].id
        gone = [entry.id for entry in entries if not exists(entry.output_path)]
        for start in range(0, len(gone), _BATCH):
            # An entry that was made anew meanwhile has another id.
            db.run(cache_queries.forget_entries, gone[start : start + _BATCH])


def evict(db: Database, max_bytes: int) -> EvictResult:
    """Remove entries until the rest is small enough; say what went and what could not."""
    _pull_back(db)
    before = usage(db).bytes
    rows: list[Any] = []
    left = None
    if before > max_bytes:
        try:
            for batch in _evicted(db, max_bytes * KEPT_PERCENT // 100):
                rows += batch
            left = usage(db)
        except ViewraError:
            if not rows:  # else the caller must learn of those that are out already
                raise
    freed = sum(size for _, size in rows)
    result = EvictResult([os_path(path) for path, _ in rows if path is not None], freed)
    if left is None:
        return replace(result, over_bytes=max(before - freed - max_bytes, 0))
    over = max(left.bytes - max_bytes, 0)
    spared = (left.pinned_bytes, left.bytes - left.pinned_bytes) if over else (0, 0)
    return replace(result, over_bytes=over, pinned_bytes=spared[0], in_use_bytes=spared[1])


def _pull_back(db: Database) -> None:
    """Put right what was used while the clock ran ahead: it would stay the newest for years."""
    now = db.now()
    latest = now + LONGEST
    if db.one(cache_queries.entry_of_the_future, now, latest) is not None:
        db.run(cache_queries.pull_back_entries, timestamp_text(now), now, latest)


def _evicted(db: Database, target: int) -> Iterator[list[Any]]:
    """Remove a batch of entries at a time, and yield path and size once that is committed."""
    chosen: list[str] = [""]
    while chosen:
        now = db.now()
        with db.writer():
            over = usage(db).bytes - target
            chosen = []
            for id, size in db.all(cache_queries.least_recently_used, now, _BATCH):
                if over <= 0:
                    break
                chosen.append(id)
                over -= size
            # Asked again as it goes: on PostgreSQL somebody may just have begun to use it.
            rows = db.run_returning(cache_queries.evict_entries, chosen, now)
        yield rows
