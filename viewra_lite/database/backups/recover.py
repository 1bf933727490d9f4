"""Recovering a damaged store: all rows left in its file, completed from a backup."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...config.options import Config, SqliteConfig
from ...errors import (
    BackupError,
    ConfigError,
    CorruptStoreError,
    StoreUnavailableError,
    ViewraError,
)
from ..files import disk_errors
from .backups import folder_of
from .compression import is_compressed, unpack
from .manifest import Backup
from .verify import checked, found

if TYPE_CHECKING:
    from .salvage.rebuilding import Mend, RecoveredTable

NewStore = Callable[[Path], object]

_log = logging.getLogger("viewra_lite.database")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was saved of a damaged store, and what was not."""

    store: str
    """The file of the store."""
    moved_to: str | None
    """The folder of the damaged files; None in a dry run, or if there was none."""
    backup: Backup | None
    """The newest sound backup, which completed it, or None."""
    tables: tuple[RecoveredTable, ...]
    """By name, those without rows included."""
    findings: tuple[str, ...]
    """What else was found: a damaged log, a backup that is not sound."""
    is_whole: bool
    """Whether everything that had been stored is there again."""


def recover(
    config: Config, now: datetime, *, new_store: NewStore, mend: Mend, dry_run: bool
) -> Recovered:
    """Recover the store of a configuration; see Store.recover().

    new_store is called with the path of an empty store to create, mend with a connection before
    rows without parent are removed.
    """
    if not isinstance(config, SqliteConfig):
        raise ConfigError(
            f"recovering needs a store that is a file, and this is {config.url}: restore a backup"
        )
    from .salvage.recovery import Recovery

    path = Path(os.path.realpath(config.database_path))
    log = path.with_name(path.name + "-wal")
    if not (path.exists() or log.exists() or found(folder_of(config))):
        raise StoreUnavailableError(f"no store at {path}, and no backup in {folder_of(config)}")
    unsound: list[str] = []
    chosen: list[Backup] = []

    def find_backup(work: Path) -> Path | None:
        with disk_errors(folder_of(config)):
            for backup in found(folder_of(config)):
                try:
                    chosen.append(checked(folder_of(config), backup.path))
                except BackupError as exc:
                    unsound.append(f"a backup was passed over: {exc}")
                else:
                    return unpacked(Path(chosen[0].path), work)
        return None

    rebuilt = Recovery(path, mend, new_store).run(find_backup, now, dry_run=dry_run)
    is_whole = rebuilt.is_log_whole and all(one.is_whole for one in rebuilt.tables)
    if not dry_run:
        _log.info("recovered the store; %s", "whole" if is_whole else "something is lost")
    return Recovered(
        store=str(path),
        moved_to=rebuilt.moved_to,
        backup=chosen[0] if chosen else None,
        tables=tuple(rebuilt.tables),
        findings=(*unsound, *rebuilt.findings),
        is_whole=is_whole,
    )


def unpacked(path: Path, work: Path) -> Path:
    """Return a backup that is not compressed: this one, or its content in a folder."""
    if not is_compressed(path):
        return path
    unpack(path, work / "backup.db")
    return work / "backup.db"


def with_remedies(error: CorruptStoreError, config: Config) -> CorruptStoreError:
    """Return an error that also names the commands that help, and the backup to restore."""
    try:
        newest = next((one for one in found(folder_of(config)) if one.verified), None)
    except (OSError, ViewraError):
        newest = None  # its disk may be damaged too
    remedies = []
    if isinstance(config, SqliteConfig) and "viewra-lite recover" not in str(error):
        remedies.append("viewra-lite recover saves all that can be read")
    if newest is not None:
        moment = newest.created_at.strftime("%Y-%m-%d %H:%M UTC")
        remedies.append(
            f"viewra-lite restore goes back to the newest verified backup, of {moment}: "
            f"{newest.path}"
        )
    return CorruptStoreError(f"{error}. {'; '.join(remedies)}" if remedies else str(error))
