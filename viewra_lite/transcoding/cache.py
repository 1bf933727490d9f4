"""The cache of finished output: usage, vanished files and eviction."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from ..database.checks import checked_path
from ..database.orm.fields import canonical_path
from ..database.transactions.database import Database
from ..errors import ViewraError
from . import cache_queries

_log = logging.getLogger("viewra_lite.transcoding")

ACCESS_RESOLUTION = timedelta(minutes=1)  # of last_accessed
LONGEST = timedelta(days=30)  # of a lease, and of a hold
KEPT_PERCENT = 90
_BATCH = 100  # entries per transaction
_PAGE = 1000  # entries checked on disk per query


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """The size of the cache; what evict() can free is bytes - pinned_bytes."""

    entries: int
    bytes: int
    pinned_bytes: int
    """The part of bytes that evict() never removes."""


@dataclass(frozen=True, slots=True)
class EvictResult:
    """The entries that evict() removed, and why the cache is still too large, if it is."""

    paths: list[str]
    """Files and folders of the removed entries, for the caller to delete."""
    freed_bytes: int
    over_bytes: int = 0
    """How far the cache is still over max_bytes."""
    pinned_bytes: int = 0
    """Pinned bytes; 0 unless over_bytes."""
    in_use_bytes: int = 0
    """Bytes in use or being made again; 0 unless over_bytes."""


def usage(db: Database) -> CacheUsage:
    """Count entries and bytes."""
    return CacheUsage(**db.one(cache_queries.usage)._asdict())


def checked_output(path: object) -> str:
    """Return output_path, absolute; raises InvalidValueError for one that cannot be stored."""
    return canonical_path(os.path.abspath(checked_path("output_path", path)))


def exists(path: str | None) -> bool:
    """Whether an entry's file exists, or its disk does not answer."""
    if path is None:
        return False
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # who cannot look does not know
    return True


def forget_vanished(db: Database) -> None:
    """Forget entries whose files are gone, a batch at a time; stats every file."""
    last = ""
    while entries := db.all(cache_queries.paths_after, last, _PAGE):
        last = entries[-1].id
        gone = [entry.id for entry in entries if not exists(entry.output_path)]
        for start in range(0, len(gone), _BATCH):
            # An entry that was made again in the meantime has another id.
            db.run(cache_queries.forget_entries, gone[start : start + _BATCH])


def evict(
    db: Database, max_bytes: int, *, evicted: Callable[[list[cache_queries.Evicted]], object] = list
) -> EvictResult:
    """Remove entries until the rest fits; return what was removed and what had to stay.

    evicted(entries) is called after each transaction.
    """
    _pull_back(db)
    before = usage(db).bytes
    rows: list[cache_queries.Evicted] = []
    left = None
    if before > max_bytes:
        try:
            for batch in _evicted(db, max_bytes * KEPT_PERCENT // 100):
                rows += batch
                evicted(batch)
            left = usage(db)
        except ViewraError as exc:
            if not rows:  # else return the paths that are already removed
                raise
            _log.warning("the eviction was broken off: %s", type(exc).__name__)
    freed = sum(row.bytes for row in rows)
    result = EvictResult([row.path for row in rows if row.path is not None], freed)
    if rows:
        _log.info("evicted %d transcodes of %d bytes from the cache", len(rows), freed)
    if left is None:
        return replace(result, over_bytes=max(before - freed - max_bytes, 0))
    over = max(left.bytes - max_bytes, 0)
    spared = (left.pinned_bytes, left.bytes - left.pinned_bytes) if over else (0, 0)
    if over:
        _log.warning("the cache is %d bytes over its limit: %d pinned, %d in use", over, *spared)
    return replace(result, over_bytes=over, pinned_bytes=spared[0], in_use_bytes=spared[1])


def _pull_back(db: Database) -> None:
    """Set times in the future, of a clock that ran ahead, to now: they stay newest for years."""
    now = db.now()
    latest = now + LONGEST
    if db.one(cache_queries.entry_of_the_future, now, latest) is not None:
        db.run(cache_queries.pull_back_entries, now, latest)


def _evicted(db: Database, target: int) -> Iterator[list[cache_queries.Evicted]]:
    """Remove entries in batches; yield each batch once it is committed."""
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
            # DELETE repeats the conditions: on PostgreSQL an entry may have come into use.
            rows = db.run_returning(cache_queries.evict_entries, chosen, now)
        rank = {id: place for place, id in enumerate(chosen)}  # rows return in any order
        yield sorted(rows, key=lambda row: rank[row.id])
