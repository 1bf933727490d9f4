"""A backup by a user who may only read the store: nothing is written beside it, not even a lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, TypeGuard

from ...config.options import Config, SqliteConfig
from ...errors import BackupError, StoreBusyError
from ..backend import DatabaseFacts
from ..sqlite.drivers.loading import load_driver
from ..sqlite.errors import translate_sqlite
from ..sqlite.file import facts_of
from .backups import Backups
from .manifest import Backup

_WAIT_S = 5.0


def is_read_only(config: Config) -> TypeGuard[SqliteConfig]:
    """Whether this user may read the file of a store, but not write to it or to its folder."""
    if not isinstance(config, SqliteConfig):
        return False
    path = config.database_path
    may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return os.access(path, os.R_OK) and not may_write


def back_up(
    config: SqliteConfig, path: str | PathLike[str] | None, clock: Callable[[], datetime]
) -> Backup:
    """Back up a store that this user may only read; path has to be given.

    A server may use the store meanwhile. Raises what Backups.create() raises.
    """
    if path is None:
        raise BackupError(
            f"{config.database_path} can only be read by this user: name a folder for the backup"
        )
    backend = _Backend(config)
    try:
        return Backups(_Database(backend, clock), config).create(path)
    finally:
        backend.close()


class _Database:
    """What Backups needs of a database."""

    def __init__(self, backend: _Backend, clock: Callable[[], datetime]) -> None:
        self.backend = backend
        self.now = clock

    def exclusive(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold nothing: a lock would be a file of the store."""
        return nullcontext()


class _Backend:
    """One connection that writes nothing."""

    def __init__(self, config: SqliteConfig) -> None:
        self.path = Path(os.path.realpath(config.database_path))
        self.driver = load_driver(config.driver)
        # With a log, the locks of its index are used. Without one no process has the store open,
        # and SQLite could not create the log that it wants to read.
        self._has_log = os.path.exists(f"{self.path}-wal")
        self._before = self._state()
        view = "mode=ro" if self._has_log else "mode=ro&immutable=1"
        try:
            self._connection: Any = self.driver.connect(self.path, _WAIT_S, view)
        except self.driver.Error as exc:
            raise self.translate(exc) from exc

    def borrow(self) -> Any:
        """Return the connection."""
        return self._connection

    def give_back(self, connection: object) -> None:
        """Raise StoreBusyError if a server began to use the store after the file was opened."""
        if not self._has_log and self._state() != self._before:
            raise StoreBusyError(f"{self.path} was changed while it was read: try again")

    def facts(self) -> DatabaseFacts:
        """Return SQLite's version and the size of the file and its log."""
        try:
            return facts_of(self._connection, self.path)
        except self.driver.Error as exc:
            raise self.translate(exc) from exc

    def translate(self, error: BaseException) -> BaseException:
        """Return the error of ours for one of the driver."""
        return translate_sqlite(error, self.path, self.driver)

    def close(self) -> None:
        """Close the connection."""
        self.driver.close(self._connection)

    def _state(self) -> tuple[int, int]:
        found = os.stat(self.path)
        return found.st_size, found.st_mtime_ns
