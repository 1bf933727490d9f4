"""An embeddable store for Python media servers, on SQLite or PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .config.loading import load_config
    from .config.options import Config, PostgresConfig, SqliteConfig
    from .database.backend import CacheFacts, ConnectionFacts, DatabaseFacts, SizeFacts, WaitFacts
    from .database.backups.manifest import Backup
    from .database.backups.recover import Recovered
    from .database.backups.restore import Restored
    from .database.findings import Finding
    from .database.backups.salvage.rebuilding import RecoveredTable
    from .database.pages import Page
    from .database.transactions.scopes import Reader, Writer
    from .events.models import Change
    from .importing.record import WatchedRecord
    from .importing.results import ImportResult, Unmatched
    from .maintenance.chores import ChoreResult
    from .maintenance.models import Chore
    from .maintenance.slow_queries import SlowQuery
    from .maintenance.statistics import (
        BackupStatistics,
        Histogram,
        LibraryStatistics,
        Statistics,
        TranscodeStatistics,
    )
    from .media.models import (
        Album,
        Episode,
        MediaFile,
        MediaLibrary,
        MediaScan,
        Movie,
        Season,
        TVShow,
        Track,
    )
    from .media.probing.cover import Cover
    from .media.scanning.facts import FileFacts, Problem, ScanResult
    from .media.scanning.reconcile import Reconciliation
    from .media.scanning.watch import Watcher
    from .media.search.searching import SearchHit
    from .metrics import StoreCollector
    from .module import Module
    from .playback.history.archive import ArchiveResult
    from .playback.history.stats import DayTotal, Stats, TitleTotal, UserTotal
    from .playback.models import (
        PlaybackHistory,
        PlaybackHistoryArchive,
        PlaybackSession,
        UserMediaProgress,
    )
    from .playback.watching.items import WatchItem
    from .plugins.answers.merging import Candidate
    from .plugins.answers.metadata import FileMetadata, MergedField, MergedRow, PluginAnswer
    from .plugins.results import PluginRun, PluginStatus, PluginUsage
    from .store import Store
    from .transcoding.cache import CacheUsage, EvictResult
    from .transcoding.models import TranscodeCache, TranscodeSession
    from .transcoding.profile import Provider, TranscodeProfile

# setup.cfg reads the version from here.
__version__ = "0.1.0"

__all__ = [
    "Album",
    "ArchiveResult",
    "Backup",
    "BackupStatistics",
    "CacheFacts",
    "CacheUsage",
    "Candidate",
    "Change",
    "Chore",
    "ChoreResult",
    "Config",
    "ConnectionFacts",
    "Cover",
    "DatabaseFacts",
    "DayTotal",
    "Episode",
    "EvictResult",
    "FileFacts",
    "FileMetadata",
    "Finding",
    "Histogram",
    "ImportResult",
    "LibraryStatistics",
    "MediaFile",
    "MediaLibrary",
    "MediaScan",
    "MergedField",
    "MergedRow",
    "Module",
    "Movie",
    "Page",
    "PlaybackHistory",
    "PlaybackHistoryArchive",
    "PlaybackSession",
    "PluginAnswer",
    "PluginRun",
    "PluginStatus",
    "PluginUsage",
    "PostgresConfig",
    "Problem",
    "Provider",
    "Reader",
    "Reconciliation",
    "Recovered",
    "RecoveredTable",
    "Restored",
    "ScanResult",
    "SearchHit",
    "Season",
    "SizeFacts",
    "SlowQuery",
    "SqliteConfig",
    "Statistics",
    "Stats",
    "Store",
    "StoreCollector",
    "TVShow",
    "TitleTotal",
    "Track",
    "TranscodeCache",
    "TranscodeProfile",
    "TranscodeSession",
    "TranscodeStatistics",
    "Unmatched",
    "UserMediaProgress",
    "UserTotal",
    "WaitFacts",
    "WatchItem",
    "WatchedRecord",
    "Watcher",
    "Writer",
    "errors",
    "load_config",
]

# The file of each name. Names are imported at first use, so that the command line answers --help at
# once and Ctrl-C interrupts its own code rather than an import.
_NAMES = {
    "config.loading": "load_config",
    "config.options": "Config PostgresConfig SqliteConfig",
    "database.backend": "CacheFacts ConnectionFacts DatabaseFacts SizeFacts WaitFacts",
    "database.backups.manifest": "Backup",
    "database.backups.recover": "Recovered",
    "database.backups.restore": "Restored",
    "database.findings": "Finding",
    "database.backups.salvage.rebuilding": "RecoveredTable",
    "database.pages": "Page",
    "database.transactions.scopes": "Reader Writer",
    "events.models": "Change",
    "importing.record": "WatchedRecord",
    "importing.results": "ImportResult Unmatched",
    "maintenance.chores": "ChoreResult",
    "maintenance.models": "Chore",
    "maintenance.slow_queries": "SlowQuery",
    "maintenance.statistics": "BackupStatistics Histogram LibraryStatistics Statistics"
    " TranscodeStatistics",
    "media.models": "Album Episode MediaFile MediaLibrary MediaScan Movie Season TVShow Track",
    "media.probing.cover": "Cover",
    "media.scanning.facts": "FileFacts Problem ScanResult",
    "media.scanning.reconcile": "Reconciliation",
    "media.scanning.watch": "Watcher",
    "media.search.searching": "SearchHit",
    "metrics": "StoreCollector",
    "module": "Module",
    "playback.history.archive": "ArchiveResult",
    "playback.history.stats": "DayTotal Stats TitleTotal UserTotal",
    "playback.models": "PlaybackHistory PlaybackHistoryArchive PlaybackSession UserMediaProgress",
    "playback.watching.items": "WatchItem",
    "plugins.answers.merging": "Candidate",
    "plugins.answers.metadata": "FileMetadata MergedField MergedRow PluginAnswer",
    "plugins.results": "PluginRun PluginStatus PluginUsage",
    "store": "Store",
    "transcoding.cache": "CacheUsage EvictResult",
    "transcoding.models": "TranscodeCache TranscodeSession",
    "transcoding.profile": "Provider TranscodeProfile",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module(".errors", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
