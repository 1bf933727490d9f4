"""Restoring a backup: the present store is moved aside, never overwritten or mixed with it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from os import PathLike
from pathlib import Path

from ...config.options import Config, SqliteConfig
from ...errors import BackupError
from .backups import folder_of
from ..files import disk_errors
from .compression import copy
from .manifest import Backup, read
from .verify import LATEST, checked, found, of_engine

_log = logging.getLogger("viewra_lite.database")


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored store."""

    backup: Backup
    store: str
    """The file of the store, or its URL, password masked."""
    moved_to: str | None
    """The folder, or on PostgreSQL the schema, that the store before was moved to, or None."""


def restore(config: Config, path: str | PathLike[str], now: datetime) -> Restored:
    """Restore a backup as the store of a configuration; see Store.restore()."""
    folder = folder_of(config)
    with disk_errors(folder):
        backup = _sound(config, path)
        if backup.engine != config.engine:
            raise BackupError(
                f"{backup.path} is a backup of {backup.engine}, and the store is configured for "
                f"{config.engine}"
            )
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        if not read(Path(backup.path)).sha256:
            _log.warning(
                "%s has no manifest: it is sound, but whether it holds all that was backed up "
                "cannot be known",
                backup.path,
            )
        source: object = backup.path
        if isinstance(config, SqliteConfig):
            source = partial(copy, Path(backup.path), digest=backup.sha256)
        moved_to = of_engine(config.engine).restore(config, source, stamp)
    store = str(getattr(config, "database_path", config.url))
    _log.info("restored a backup of %s", backup.created_at.isoformat())
    return Restored(backup, store, moved_to)


def _sound(config: Config, path: str | PathLike[str]) -> Backup:
    """Check the backup; name the next older one if the latest is damaged, but never take it."""
    folder = folder_of(config)
    try:
        return checked(folder, path)
    except BackupError as exc:
        older = found(folder)[1:] if path == LATEST else []
        if not older:
            raise
        raise BackupError(
            f"{exc}. The one before is of {older[0].created_at:%Y-%m-%d %H:%M} UTC: to restore it, "
            f"name it: {older[0].path}"
        ) from exc
