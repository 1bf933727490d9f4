"""The chores of a store: what each does, and when."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Protocol

from ..config.options import Config
from ..database.backups.backups import Backups
from ..database.transactions.database import Database
from .due import Daily, Definition, Every
from .upkeep import Upkeep

if TYPE_CHECKING:
    from ..plugins.results import PluginRun

_DAY_S = 86_400
_LOG_EVERY_S = 300
_PLUGINS_EVERY_S = 60
_BACKUP_WAITS_S = 6 * 3600  # then it is taken beside playback and scans
_LARGE_LOG_BYTES = 4 << 20
_MOST_FREE_SHARE = 0.25
_FEWEST_FREE_BYTES = 8 << 20
_VACUUMED_BYTES_PER_S = 20 << 20  # a slow disk; others do several times that

Tidy = tuple[str, int, Callable[[datetime], None]]
"""Name, period in seconds and tidy() of a module."""


class Plugins(Protocol):
    """The plugins of this process."""

    @property
    def has_registered(self) -> bool:
        """Whether there is any."""

    def run_due(self, now: datetime | None = None) -> Sequence[PluginRun]:
        """Run those that are due."""


PluginsHere = Callable[[], Plugins | None]
"""Returns the plugins of this process; None if none was asked for, so that none is imported."""


def definitions(
    db: Database, config: Config, tidies: Iterable[Tidy], plugins: PluginsHere
) -> list[Definition]:
    """Return the chores in the order in which they run."""
    return [
        *(Definition(f"{name}.tidy", Every(every), _silent(tidy)) for name, every, tidy in tidies),
        *(one for one in _of_database(db, config) if one.name in Upkeep(db, config).chores),
        *_backup(db, config),
        Definition(  # the last one: what others write may take long
            "plugins.run",
            Every(_PLUGINS_EVERY_S),
            lambda now: _run_plugins(plugins, now),
            is_here=lambda: (here := plugins()) is not None and here.has_registered,
        ),
    ]


def _of_database(db: Database, config: Config) -> Iterable[Definition]:
    upkeep = Upkeep(db, config)
    every_few_minutes, daily = Every(_LOG_EVERY_S), Every(_DAY_S)
    yield Definition("checkpoint", every_few_minutes, lambda now: _checkpoint(db, upkeep))
    yield Definition("optimize", daily, lambda now: _optimize(upkeep))
    yield Definition("vacuum", daily, lambda now: _vacuum(upkeep, config), math.inf)


def _silent(tidy: Callable[[datetime], None]) -> Callable[[datetime], None]:
    def run(now: datetime) -> None:
        tidy(now)  # what a module of others returns is not shown

    return run


def _backup(db: Database, config: Config) -> Iterable[Definition]:
    if config.backup_at != "off":
        at = time.fromisoformat(config.backup_at)
        backups = Backups(db, config)
        yield Definition("backup", Daily(at), lambda now: _back_up(backups), _BACKUP_WAITS_S)


def _back_up(backups: Backups) -> str:
    backup = backups.create(kind="daily")
    return "; ".join((f"{backup.size} bytes to {backup.path}", *backup.findings))


def _run_plugins(plugins: PluginsHere, now: datetime) -> str | None:
    """Run the plugins; the time of one that fails is its own, and the others are not late."""
    here = plugins()
    runs = here.run_due(now) if here is not None else ()
    said = [f"{one.id} failed: {one.error}" if one.error else f"{one.id} ran" for one in runs]
    return "; ".join(said) or None


def _checkpoint(db: Database, upkeep: Upkeep) -> str | None:
    before = db.backend.facts().log_size
    if before <= _LARGE_LOG_BYTES:
        return None
    upkeep.checkpoint()
    return f"the log had {before} bytes and has {db.backend.facts().log_size}"


def _optimize(upkeep: Upkeep) -> str | None:
    tables = upkeep.optimize()
    return f"new statistics of {', '.join(tables)}" if tables else None


def _vacuum(upkeep: Upkeep, config: Config) -> str | None:
    """Vacuum a file with many free pages, if writers need not wait longer than they may."""
    before = upkeep.space()
    if before.free_bytes < _FEWEST_FREE_BYTES or before.free_share <= _MOST_FREE_SHARE:
        return None
    used = before.bytes - before.free_bytes
    if used / _VACUUMED_BYTES_PER_S > config.busy_timeout_ms / 2000:
        return f"{before.free_bytes} bytes are free: call vacuum() when no one uses the store"
    upkeep.vacuum()
    return f"gave {before.bytes - upkeep.space().bytes} bytes back to the disk"
