"""What the overview page shows of a store."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from time import monotonic
from typing import Any

from ..database.backups.manifest import Backup
from ..database.findings import Finding
from ..errors import ViewraError
from ..plugins.results import PluginStatus
from ..store import Store
from .pictures import bars, lying_bars

_DAYS = 30
_MOST = 12  # bars of a picture
_LOOKS_S = 60.0  # how long an overview is kept
_GIB = 1 << 30
_QUICK = (  # the other checks of the doctor read whole tables
    "store", "engine", "file-system", "free-space", "permissions", "journal", "statistics",
    "fragmentation", "backups", "chores",
)  # fmt: skip


class Overview:
    """The facts of the page, at most a minute old."""

    def __init__(self, store: Store, clock: Callable[[], float] = monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._facts: dict[str, Any] = {}
        self._until = 0.0

    def facts(self) -> dict[str, Any]:
        """Return what the page shows; what cannot be read is an error in its place."""
        with self._lock:
            if self._clock() >= self._until:
                self._facts, self._until = self._gathered(), self._clock() + _LOOKS_S
            return self._facts

    def _gathered(self) -> dict[str, Any]:
        parts: dict[str, Callable[[], Any]] = {
            "libraries": self._libraries,
            "findings": self._findings,
            "backups": self._backups,
            "plugins": self._plugins,
            "slow_queries": self._store.maintenance.slow_queries,
            "plays": self._plays,
        }
        found: dict[str, Any] = {"errors": {}, "at": datetime.now(timezone.utc)}
        for name, part in parts.items():
            try:
                found[name] = part()
            except ViewraError as exc:  # the rest of the page is needed all the more
                found[name], found["errors"][name] = None, str(exc)
        return found

    def _libraries(self) -> dict[str, Any]:
        statistics = self._store.maintenance.statistics()
        held = statistics.libraries
        libraries = [one for one in self._store.media.libraries() if one.id in held]
        libraries.sort(key=lambda library: -held[library.id].bytes)
        rows = [(library, held[library.id]) for library in libraries]
        is_large = any(facts.bytes >= _GIB for _, facts in rows)
        unit, size = ("GiB", _GIB) if is_large else ("MiB", 1 << 20)
        sizes: dict[str, float] = defaultdict(float)  # two libraries may have one name
        for one, facts in rows[:_MOST]:
            sizes[one.name] += facts.bytes / size
        picture = lying_bars(sizes, unit) if sizes else ""
        return {"statistics": statistics, "rows": rows, "picture": picture}

    def _findings(self) -> list[Finding]:
        return self._store.maintenance.check(only=_QUICK)

    def _backups(self) -> list[Backup]:
        return self._store.backups.list()[:_MOST]

    def _plugins(self) -> list[PluginStatus]:
        return self._store.plugins.plugins()

    def _plays(self) -> dict[str, Any]:
        today = datetime.now(timezone.utc).date()
        first = today - timedelta(days=_DAYS - 1)
        since = datetime(first.year, first.month, first.day, tzinfo=timezone.utc)
        stats = self._store.playback.stats(since=since)
        played = {one.day: one.plays for one in stats.by_day}
        days = [first + timedelta(days=number) for number in range(_DAYS)]
        by_day = {f"{day.day}. {day:%b}": float(played.get(day, 0)) for day in days}
        hours = {one.user_id: one.hours for one in stats.by_user[:_MOST]}
        return {
            "stats": stats,
            "days": bars(by_day, "plays", label_every=7),
            "users": lying_bars(hours, "hours") if hours else "",
        }
