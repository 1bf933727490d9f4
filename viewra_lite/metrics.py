"""StoreCollector: a store's numbers for prometheus_client, which the extra `metrics` brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, ViewraError
from .maintenance.statistics import BackupStatistics, Histogram, Statistics, latency

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from .database.backend import DatabaseFacts, WaitFacts
    from .store import Store

_REFRESH_S = 60.0
_COUNTED = {
    "libraries": "library",
    "files": "file",
    "missing": "missing_file",
    "failed_probes": "failed_probe",
    "movies": "movie",
    "shows": "show",
    "episodes": "episode",
    "albums": "album",
    "tracks": "track",
}


class StoreCollector:
    """Reports a store to prometheus_client, and never fails because of the store.

        REGISTRY.register(StoreCollector(store))

    Each scrape asks the database for its size alone; what has to be counted is at most a minute
    old. While the store is closed, does not answer or has no free connection, viewra_up is 0 and
    only the numbers of this process are reported. Raises ConfigError without prometheus_client.
    """

    def __init__(
        self, store: Store, *, process: bool = True, clock: Callable[[], float] = monotonic
    ) -> None:
        """process=False leaves out what this process has waited for and how long verbs took."""
        try:
            from prometheus_client import core
        except ImportError as exc:
            raise ConfigError(
                "metrics need prometheus_client: pip install prometheus_client"
            ) from exc
        self._make = core
        self._store = store
        self._process = process
        self._clock = clock
        self._counted: Statistics | None = None
        self._due = clock()

    def describe(self) -> Iterable[Metric]:
        """Return every metric without its values, for the registry; asks the database nothing."""
        return [self._gauge("up", "Whether the store answers.")]

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; called by the registry."""
        found = self._found()
        yield self._gauge("up", "Whether the store answers.", int(found is not None))
        if found is not None:
            yield from self._of_database(*found)
            yield from self._of_work(found[1])
            if found[1].backups is not None:
                yield from self._of_backups(found[1].backups)
        if self._process:
            yield from self._of_process()

    def _found(self) -> tuple[DatabaseFacts, Statistics] | None:
        """Return the numbers of the database, or None if it cannot answer at once."""
        maintenance = self._store.maintenance
        try:
            if maintenance.connections().in_use >= self._store.config.pool_size:
                return None  # else a scrape would wait for a connection
            database = maintenance.database()
            if self._counted is None or self._clock() >= self._due:
                self._counted = maintenance.statistics()
                self._due = self._clock() + _REFRESH_S
        except ViewraError:
            return None
        return database, self._counted

    def _of_database(self, database: DatabaseFacts, found: Statistics) -> Iterator[Metric]:
        engine, _, version = database.version.partition(" ")
        yield self._make.InfoMetricFamily(
            "viewra_database", "The engine.", {"engine": engine, "version": version}
        )
        yield self._gauge("database_size_bytes", "Size of the database.", database.size)
        yield self._gauge("wal_size_bytes", "Size of SQLite's log.", database.log_size)
        if found.sizes.indexes is not None:
            yield self._gauge("index_size_bytes", "Size of all indexes.", found.sizes.indexes)
        if found.sizes.search is not None:
            yield self._gauge("search_size_bytes", "Size of the search.", found.sizes.search)
        if found.sizes.cache is not None:
            hits, misses = found.sizes.cache
            yield self._counter("cache_hits", "Pages found in the engine's cache.", hits)
            yield self._counter("cache_misses", "Pages not found in it.", misses)
        yield self._by(
            "schema_version",
            "Number of the last migration of a module.",
            "module",
            {module: int(name.partition("_")[0]) for module, name in found.schema.items()},
        )
        yield self._by(
            "records",
            "Records of a kind.",
            "kind",
            {kind: found.counts[name] for name, kind in _COUNTED.items()},
        )

    def _of_work(self, found: Statistics) -> Iterator[Metric]:
        yield self._gauge("open_sessions", "Sessions played or paused.", found.open_sessions)
        yield self._gauge("running_scans", "Scans that run.", found.running_scans)
        if found.last_scan_at is not None:
            yield self._gauge(
                "last_scan_timestamp_seconds",
                "When the last scan ended.",
                found.last_scan_at.timestamp(),
            )
        jobs = found.transcodes
        yield self._by("transcodes", "Transcoding jobs by status.", "status", jobs.jobs)
        yield self._gauge("transcode_cache_entries", "Cached transcodes.", jobs.cache_entries)
        yield self._gauge("transcode_cache_size_bytes", "Size of them.", jobs.cache_bytes)

    def _of_backups(self, kept: BackupStatistics) -> Iterator[Metric]:
        yield self._gauge("backups", "Backups that were checked.", kept.backups)
        yield self._gauge("bad_backups", "Backups that failed their check.", kept.bad)
        if kept.newest_at is not None:
            yield self._gauge(
                "last_backup_timestamp_seconds",
                "When the newest checked backup was taken.",
                kept.newest_at.timestamp(),
            )
            yield self._gauge("last_backup_size_bytes", "Its size.", kept.newest_bytes or 0)

    def _of_process(self) -> Iterator[Metric]:
        facts = self._store.maintenance.connections()
        yield self._by(
            "connections",
            "Connections of this process.",
            "state",
            {"open": facts.open, "in_use": facts.in_use},
        )
        yield from self._waits("pool", "a connection", facts.pool_waits)
        yield from self._waits("writer", "another writer", facts.writer_waits)
        slow = self._store.maintenance.db.slow.times
        yield self._counter("slow_queries", "Statements of slow_query_ms or longer.", slow)
        metric = self._make.HistogramMetricFamily(
            "viewra_verb_duration_seconds", "How long verbs took.", labels=["verb"]
        )
        for verb, histogram in latency().items():
            metric.add_metric([verb], _buckets(histogram), histogram.total_s)
        yield metric

    def _waits(self, name: str, what: str, waits: WaitFacts) -> Iterator[Metric]:
        yield self._counter(f"{name}_waits", f"Waits for {what}.", waits.times)
        yield self._counter(f"{name}_wait_seconds", f"Time waited for {what}.", waits.total_s)

    def _gauge(self, name: str, text: str, value: float | None = None) -> Metric:
        return self._make.GaugeMetricFamily(f"viewra_{name}", text, value)

    def _counter(self, name: str, text: str, value: float) -> Metric:
        return self._make.CounterMetricFamily(f"viewra_{name}", text, value)

    def _by(self, name: str, text: str, label: str, values: Any) -> Metric:
        metric = self._make.GaugeMetricFamily(f"viewra_{name}", text, labels=[label])
        for key, value in values.items():
            metric.add_metric([key], value)
        return metric


def exposition(store: Store) -> str:
    """Return the numbers of a store in Prometheus's text format, without those of this process.

    Raises ConfigError without prometheus_client.
    """
    collector = StoreCollector(store, process=False)
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus has them: the calls up to each limit."""
    calls, buckets = 0, []
    for bound, count in zip((*histogram.bounds_s, float("inf")), histogram.counts):
        calls += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(calls)))
    return buckets
