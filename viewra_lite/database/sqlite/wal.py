"""The write-ahead log of an SQLite store as a file: one sync makes many commits durable.

A durable commit writes its frames under synchronous=NORMAL, that is without a sync, and lets the
next writer in; then it waits here for a sync that began after its frames were written. The first
thread to arrive syncs for all commits so far, and the others find them synced.

Why a power cut loses nothing that was acknowledged: `note_commit` is called after COMMIT, so the
frames of every commit that it counted are in the file when the sync begins, and a sync of any
descriptor covers the whole file. Frames are overwritten only after a checkpoint has moved them, and
SQLite syncs the database before it reuses them, also under NORMAL. Recovery reads the log up to the
first incomplete frame; all earlier frames are on disk as well.

Why the descriptor is harmless: SQLite's locks are on the database and on its -shm file, never on
the log, so closing this one drops none. Why it is the right file: only the last connection to close
removes the log, and the writing connection, which had its lock before the file was opened here,
outlives the descriptor.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from ...errors import StoreUnavailableError

_log = logging.getLogger("viewra_lite.database")

# https://sqlite.org/fileformat2.html#walformat
_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_SALT_AT, _FRAME_SALT_AT, _SALT_BYTES = 16, 8, 8
_PAGE_SIZE_AT = 8
LOOK_EVERY_S = 1.0


class WalFile:
    """The log of the writing connection."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._commits = 0
        self._synced = 0
        self._syncing = threading.Lock()
        self._failure: OSError | None = None
        self._round, self._frames = b"", 0  # at the last checkpoint
        self._closed = False
        self._look_at = 0.0

    @classmethod
    def beside(cls, database: Path) -> WalFile | None:
        """Open the log of a database; None if it does not exist or cannot be synced.

        Call it inside a transaction of the writing connection: before that, another process may
        remove the log.
        """
        if not hasattr(os, "fdatasync"):  # Windows, where an open file cannot be removed; macOS
            return None
        try:
            _sync_folder(database.parent)
            path = database.with_name(database.name + "-wal")
            return cls(path, os.open(path, os.O_RDWR))
        except OSError as exc:
            _log.debug("commits share no sync: %s", exc.strerror)
            return None

    def refuse_removed(self) -> None:
        """Raise StoreUnavailableError if the log was removed or replaced; looks once a second.

        Call it inside a transaction of the writing connection, which has a log then.
        """
        now = time.monotonic()
        if now < self._look_at:
            return
        if self._is_in_place():
            self._look_at = now + LOOK_EVERY_S
            return
        raise StoreUnavailableError(
            f"{self._path} was removed or replaced while it is open, so a crash would lose all "
            "that is written now: put it back, or end the program in the regular way, which saves "
            "everything"
        )

    def _is_in_place(self) -> bool:
        """Whether SQLite's log is the file at its path, also after the journal mode was changed."""
        try:
            if os.stat(self._path).st_ino == os.fstat(self._descriptor).st_ino:
                return True
            return descriptor_of(self._path) is not None
        except OSError:
            return False

    def takes_commits(self) -> bool:
        """Whether a commit may be synced here; raises StoreUnavailableError after a failed sync.

        False after caller's code has left WAL mode and returned: the log is another file then.
        """
        self._refuse_failed()
        return os.fstat(self._descriptor).st_nlink > 0

    def note_commit(self) -> int:
        """Count a commit and return its number; call it behind the gate, after COMMIT."""
        self._commits += 1
        return self._commits

    def wait_for(self, commit: int) -> None:
        """Return when a commit and all earlier ones are on disk; raises StoreUnavailableError.

        After a failed sync every later call raises too, until the store is opened again, because
        the system may report pages as written that are not.
        """
        with self._syncing:
            if self._synced < commit:
                self._refuse_failed()
                self._sync()
                self._refuse_failed()

    def wait_for_all(self) -> None:
        """Return when all commits are on disk; raises StoreUnavailableError."""
        self.wait_for(self._commits)

    def note_checkpoint(self, frames: int) -> None:
        """Record the length of the log, which does not restart while a reader needs it."""
        self._round = os.pread(self._descriptor, _SALT_BYTES, _SALT_AT)
        self._frames = frames

    def is_longer_than(self, pages: int) -> bool:
        """Whether more pages were written since the last checkpoint; call it behind the gate."""
        # A frame belongs to this run of the log, not to an earlier one, if it repeats the salt of
        # the log's header: two short reads suffice.
        header = os.pread(self._descriptor, _HEADER_BYTES, 0)
        salt = header[_SALT_AT : _SALT_AT + _SALT_BYTES]
        number = pages + (self._frames if salt == self._round else 0)
        page_bytes = int.from_bytes(header[_PAGE_SIZE_AT : _PAGE_SIZE_AT + 4], "big")
        frame_at = _HEADER_BYTES + number * (_FRAME_HEADER_BYTES + page_bytes)
        found = os.pread(self._descriptor, _SALT_BYTES, frame_at + _FRAME_SALT_AT)
        return bool(found) and found == salt

    def has_grown(self) -> bool:
        """Whether anything was written since the last checkpoint; False after a failed sync."""
        with self._syncing:
            return not self._closed and self._failure is None and self.is_longer_than(0)

    def close(self) -> None:
        """Sync the last commits, then close; call it before the writing connection closes."""
        with self._syncing:
            if self._synced < self._commits and self._failure is None:
                self._sync()
            self._closed = True
            os.close(self._descriptor)

    @property
    def has_failed(self) -> bool:
        """Whether a sync has failed."""
        return self._failure is not None

    def fail(self, error: OSError) -> None:
        """Record a failed sync: no later commit counts as durable."""
        self._failure = error
        reason, raised = error.strerror, {"is_raised": True}
        _log.warning("the disk did not take what was committed: %s", reason, extra=raised)

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise StoreUnavailableError(
                f"{self._path}: the disk did not store the last commits ({self._failure}), so a "
                "power cut may lose them: check the disk, then restart the program"
            ) from self._failure

    def _sync(self) -> None:
        if self._closed:  # close() has synced all commits
            return
        written = self._commits
        try:
            os.fdatasync(self._descriptor)
        except OSError as exc:
            self.fail(exc)
        else:
            self._synced = written


def _sync_folder(folder: Path) -> None:
    """Make the directory entry of a new log durable, which SQLite does only at its first sync."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def descriptor_of(path: Path) -> int | None:
    """Return SQLite's own descriptor of a file, or None if the system does not list it.

    A new descriptor cannot be used: closing it would drop every lock of this process on the file.
    """
    try:
        file = os.stat(path)
        with os.scandir("/proc/self/fd") as descriptors:
            for descriptor in descriptors:
                with suppress(OSError):  # closed meanwhile
                    found = descriptor.stat()
                    if (found.st_dev, found.st_ino) == (file.st_dev, file.st_ino):
                        return int(descriptor.name)
    except OSError:
        pass  # no /proc here, or the file is gone: SQLite syncs the database itself
    return None
