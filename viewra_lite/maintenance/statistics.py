"""Numbers of records in a store and the size of its database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..config.options import Config
from ..database.backend import ConnectionFacts, DatabaseFacts, SizeFacts
from ..database.backups.backups import Backups
from ..database.transactions.database import Database
from ..errors import BackupError, StoreUnavailableError
from ..media.libraries import is_locked
from ..media.models import Album, Episode, MediaFile, MediaLibrary, Movie, Track, TVShow
from ..module import LATENCIES, LATENCY_BOUNDS_S
from . import queries


@dataclass(frozen=True, slots=True)
class LibraryStatistics:
    """The files of one library."""

    files: int
    """Files that are present."""
    missing: int
    """Files that the last scan did not find."""
    bytes: int
    """Size of the files that are present."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long the calls of a verb took in this process, since it began."""

    bounds_s: Sequence[float]
    """Upper limits in seconds, ascending."""
    counts: Sequence[int]
    """Calls up to each limit but above the one before, and last those above all of them."""
    total_s: float
    """Seconds of all calls."""

    @property
    def calls(self) -> int:
        """Return the number of calls."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class TranscodeStatistics:
    """The queue of transcoding, and its cache."""

    jobs: Mapping[str, int]
    """By status: pending, running, completed, failed, cancelled; those of which there is one."""
    cache_entries: int
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class BackupStatistics:
    """The folder of backups."""

    backups: int
    """Those that were checked after they had been written."""
    bad: int
    """Those that failed their check; they stop all pruning."""
    newest_at: datetime | None
    """Of the newest checked one; None without any."""
    newest_bytes: int | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """A store as of one snapshot, and this process."""

    database: DatabaseFacts
    """The engine and the size of the database."""
    counts: Mapping[str, int]
    """libraries, files, missing, failed_probes, movies, shows, episodes, albums and tracks."""
    libraries: Mapping[str, LibraryStatistics]
    """By library id."""
    sizes: SizeFacts
    """Bytes of indexes (PostgreSQL) and search, and the cache of pages (PostgreSQL)."""
    open_sessions: int
    """Sessions that are played or paused."""
    running_scans: int
    """In any process."""
    last_scan_at: datetime | None
    """When the last one ended."""
    transcodes: TranscodeStatistics
    backups: BackupStatistics | None
    """None if their folder cannot be read: its disk is not that of the store."""
    schema: Mapping[str, str]
    """The last migration of each module."""
    connections: ConnectionFacts
    """Of this process, as connections() returns them."""
    slow_queries: int
    """Statements of this process that were slow, since the store was opened."""
    latency: Mapping[str, Histogram]
    """Of this process, by verb, such as "playback.heartbeat"."""


def latency() -> dict[str, Histogram]:
    """Return the latency of the verbs that were called in this process."""
    found = {
        name: Histogram(LATENCY_BOUNDS_S, tuple(each.counts), each.total_s)
        for name, each in sorted(LATENCIES.items())
    }
    return {name: each for name, each in found.items() if each.calls}


def scans(db: Database) -> tuple[int, datetime | None]:
    """Return how many scans run, and when the last one ended; call it inside a reader."""
    rows = db.all(queries.scans)
    ended = [moment for _, moment in rows if moment is not None]
    running = sum(is_locked(db, id) for id, moment in rows if moment is None)
    return running, max(ended, default=None)


def transcodes(db: Database) -> TranscodeStatistics:
    """Count the jobs and what the cache holds; call it inside a reader."""
    entries, size = db.one(queries.transcode_cache)
    return TranscodeStatistics(dict(db.all(queries.transcodes)), entries, int(size))


def backups(db: Database, config: Config) -> BackupStatistics | None:
    """Return what the folder of backups holds, by the manifests; None if it cannot be read."""
    verbs = Backups(db, config)
    try:
        checked = [one for one in verbs.list() if one.verified]
        bad = len(verbs.bad())
    except (BackupError, StoreUnavailableError):
        return None
    newest = checked[0] if checked else None
    return BackupStatistics(
        len(checked), bad, newest.created_at if newest else None, newest.size if newest else None
    )


def counts(db: Database) -> dict[str, int]:
    """Count the records of each kind; call it inside a reader."""
    models: dict[str, Any] = {
        "libraries": MediaLibrary,
        "files": MediaFile,
        "movies": Movie,
        "shows": TVShow,
        "episodes": Episode,
        "albums": Album,
        "tracks": Track,
    }
    found = {name: int(db.one(queries.rows_of(model))[0]) for name, model in models.items()}
    found["missing"], found["failed_probes"] = (
        int(db.one(count)[0]) for count in (queries.missing_files, queries.failed_probes)
    )
    return {name: found[name] for name in _IN_ORDER}


_IN_ORDER: Sequence[str] = (
    "libraries",
    "files",
    "missing",
    "failed_probes",
    "movies",
    "shows",
    "episodes",
    "albums",
    "tracks",
)


def by_library(db: Database) -> dict[str, LibraryStatistics]:
    """Count the files of each library; call it inside a reader."""
    found = {id: LibraryStatistics(0, 0, 0) for (id,) in db.all(queries.library_ids)}
    for row in db.all(queries.files_by_library):
        present = row.files - row.missing
        found[row.library_id] = LibraryStatistics(present, row.missing, int(row.bytes))
    return found
