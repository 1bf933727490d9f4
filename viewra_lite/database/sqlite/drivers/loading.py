"""Loads the SQLite driver of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....errors import ConfigError

if TYPE_CHECKING:
    from .protocol import SqliteDriver


def load_driver(name: str) -> SqliteDriver:
    """Return the driver of this name; raises ConfigError if it is not installed."""
    if name == "sqlite3":
        from . import stdlib

        return stdlib
    try:
        from . import cysqlite
    except ImportError as exc:
        raise ConfigError(f"driver: {name} cannot be loaded ({exc}): pip install cysqlite") from exc
    return cysqlite
