"""The store that a small Python media server embeds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors
    from .config import Config, PostgresConfig, SqliteConfig, load_config
    from .database.pages import Page
    from .media.reconcile import FileFacts, ScanResult
    from .media.search import SearchHit
    from .module import Module
    from .store import Store
    from .transcoding.profile import Provider, TranscodeProfile
    from .watched import Unmatched, WatchedImport, import_watched
    from .watched_file import read_watched
    from .watched_record import WatchedRecord

__all__ = [
    "Config",
    "FileFacts",
    "Module",
    "Page",
    "PostgresConfig",
    "Provider",
    "ScanResult",
    "SearchHit",
    "SqliteConfig",
    "Store",
    "TranscodeProfile",
    "Unmatched",
    "WatchedImport",
    "WatchedRecord",
    "errors",
    "import_watched",
    "load_config",
    "read_watched",
]

# Where each name lives. Imported when it is first asked for, so that the command line answers
# --help at once, and Ctrl-C meets its own code and not half an import.
_HOMES = {
    "Config": "config", "FileFacts": "media.reconcile", "Module": "module",
    "Page": "database.pages", "PostgresConfig": "config", "Provider": "transcoding.profile",
    "ScanResult": "media.reconcile", "SearchHit": "media.search", "SqliteConfig": "config",
    "Store": "store", "TranscodeProfile": "transcoding.profile", "Unmatched": "watched",
    "WatchedImport": "watched", "WatchedRecord": "watched_record", "import_watched": "watched",
    "load_config": "config", "read_watched": "watched_file",
}


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
