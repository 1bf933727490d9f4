"""The store that a small Python media server embeds."""

from .database import drivers as _drivers  # noqa: F401  (before anything imports peewee)

from . import errors
from .config import Config, PostgresConfig, SqliteConfig, load_config
from .database.pages import Page
from .media.reconcile import FileFacts, ScanResult
from .media.search import SearchHit
from .module import Module
from .store import Store

__all__ = [
    "Config",
    "FileFacts",
    "Module",
    "Page",
    "PostgresConfig",
    "ScanResult",
    "SearchHit",
    "SqliteConfig",
    "Store",
    "errors",
    "load_config",
]
