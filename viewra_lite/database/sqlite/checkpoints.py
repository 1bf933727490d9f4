"""Checkpoints of an SQLite store while its writers queue: nobody waits for the disk.

SQLite checkpoints within the commit that made the log long, and syncs the log and the database
there, while everybody else waits for that writer. Here a thread moves the log in steps instead:

1. It syncs the log, while others go on writing.
2. It asks whoever writes batch after batch to give way, takes a reader's snapshot, and syncs again.
3. Behind the gate it writes one page more and checkpoints. SQLite moves what the snapshot sees, and
   does not sync the database, because it has not moved everything.
4. It syncs the database, while others go on writing.
5. Behind the gate it checkpoints what is left. SQLite syncs the log and the database, which has
   little to do by now, and the log begins anew with the next commit.

Why a power cut takes back no more than without it: nothing here replaces a sync of SQLite's. It
syncs the log before it touches the database, and it begins the log anew only after a checkpoint
that moved all of it and synced the database. The syncs in between only come early.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...errors import StoreUnavailableError, ViewraError
from ..transactions.pool import keep_open
from .wal import WalFile

if TYPE_CHECKING:
    from ..backend import Backend
    from .drivers.protocol import SqliteDriver

    class LoggedBackend(Backend, Protocol):
        """A backend on a file, with a log."""

        @property
        def path(self) -> Path: ...
        @property
        def driver(self) -> SqliteDriver: ...


# Behind the gate a page takes 3 to 4 microseconds; the more pages, the fewer are moved twice.
_STEP_PAGES = 3000


class Checkpoints:
    """Moves one log, in a thread that lives as long as a step."""

    def __init__(self, backend: LoggedBackend, wal: WalFile, most_pages: int) -> None:
        """most_pages: how long SQLite lets the log become before a commit has to move it."""
        self._backend = backend
        self._wal = wal
        self._step_pages = min(_STEP_PAGES, most_pages)
        self._thread: threading.Thread | None = None
        self._moving = threading.Lock()
        self._waits_seen = 0

    def is_due(self, waits: int) -> bool:
        """Whether to begin a step, behind the gate: writers queue, and the log is long.

        waits: how often one had to queue so far. Whoever is told to calls begin() next.
        """
        if waits == self._waits_seen or self._thread is not None:
            return False
        if self._wal.has_failed or not self._wal.is_longer_than(self._step_pages):
            return False
        self._waits_seen = waits
        self._wal.note_commit()  # it may not have been counted, and the first sync is for it
        self._thread = threading.Thread(target=self._step, name="viewra-lite-checkpoint")
        return True

    def begin(self) -> None:
        """Begin the step that is due."""
        try:
            if self._thread is not None:
                self._thread.start()
        except RuntimeError:  # the interpreter is at its end, or can start no more threads
            self._thread = None

    def yield_to_writers(self) -> None:
        """Wait while a step needs that the log hardly grows: between the batches of long work."""
        with self._moving:
            pass

    def end(self) -> None:
        """Wait for the step that is under way."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join()
        self.yield_to_writers()  # to one in a thread that called move_all()

    def _step(self) -> None:
        """Like SQLite's own checkpoint after a commit it says nothing when it fails."""
        try:
            self.move()
        except (ViewraError, self._backend.driver.Error, OSError):
            pass
        finally:
            self._thread = None

    def move_all(self) -> None:
        """Move what the log has gained, if anything; outside a session."""
        backend = self._backend
        try:
            if self._wal.has_grown():
                self.move()
        except backend.driver.Error as exc:
            raise backend.translate(exc) from exc
        except OSError as exc:
            raise StoreUnavailableError(f"{backend.path}: {exc.strerror}") from exc

    def move(self) -> None:
        """Move the log into the database as far as no reader needs it; outside a session."""
        self._wal.wait_for_all()
        with self._moving:
            with self._snapshot():
                self._wal.wait_for_all()
                self._checkpoint(beyond_snapshot=True)
                self._sync_database()
            self._checkpoint()

    def _sync_database(self) -> None:
        descriptor = _descriptor_of(self._backend.path)
        if descriptor is not None:
            try:
                os.fdatasync(descriptor)
            except OSError as exc:
                # The system tells each descriptor once: SQLite's own sync might not hear of it.
                self._wal.fail(exc)
                raise

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Hold what is committed now as a reader; for good once a sync has failed.

        The log does not begin anew while it is held, and so whoever opens the store after this
        process finds what was committed there, and moves it once more.
        """
        backend = self._backend
        reader = backend.borrow()
        try:
            writer = backend.borrow_writer()
            try:
                backend.begin_read(reader)
                reader.execute("PRAGMA user_version").fetchone()
                self._wal.note_commit()
            finally:
                backend.give_back_writer(writer)
            yield
        finally:
            if self._wal.has_failed:
                keep_open(reader)
            else:
                backend.end_read(reader)
                backend.give_back(reader)

    def _checkpoint(self, *, beyond_snapshot: bool = False) -> None:
        """Move what no reader needs; beyond_snapshot: after writing what the snapshot lacks."""
        backend = self._backend
        writer = backend.borrow_writer()
        try:
            if beyond_snapshot:
                backend.begin_write(writer, False)
                [version] = writer.execute("PRAGMA user_version").fetchone()
                writer.execute(f"PRAGMA user_version = {version}")
                backend.commit(writer)
            done = writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._wal.note_checkpoint(done[1])
        finally:
            backend.rollback(writer)  # what could not be committed
            backend.give_back_writer(writer)


def _descriptor_of(path: Path) -> int | None:
    """Return the descriptor that SQLite has of a file, where the system tells which that is.

    Opening another one is no way: closing it would drop every lock that this process has on the
    file.
    """
    wanted = os.stat(path)
    try:
        with os.scandir("/proc/self/fd") as descriptors:
            for descriptor in descriptors:
                with suppress(OSError):  # closed meanwhile
                    found = descriptor.stat()
                    if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                        return int(descriptor.name)
    except OSError:
        pass
    return None
