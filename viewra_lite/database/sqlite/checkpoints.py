"""Checkpoints of an SQLite store while its writers queue: no writer waits for the disk.

SQLite checkpoints within the commit that made the log long. It syncs the log and the database
there, while all other writers wait. Here a thread moves the log in steps instead:

1. It syncs the log, while writers continue.
2. It makes long jobs pause between their batches, takes a reader's snapshot, and syncs again.
3. Behind the gate it writes one more page and checkpoints. SQLite moves the pages of the snapshot
   and does not sync the database, because it has not moved everything.
4. It syncs the database, while writers continue.
5. Behind the gate it checkpoints the rest. SQLite syncs the log and the database, which have few
   unsynced pages by now, and the next commit restarts the log.

Why a power cut loses no more than without it: nothing here replaces a sync by SQLite. SQLite syncs
the log before it writes to the database, and restarts the log only after a checkpoint that moved
all of it and synced the database. The syncs in between are only additional ones.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ...errors import StoreUnavailableError, ViewraError
from ..transactions.pool import keep_open
from .wal import WalFile, descriptor_of

if TYPE_CHECKING:
    from ..backend import Backend
    from .drivers.protocol import SqliteDriver

    class LoggedBackend(Backend, Protocol):
        """A backend on a file with a log."""

        @property
        def path(self) -> Path: ...
        @property
        def driver(self) -> SqliteDriver: ...


_log = logging.getLogger("viewra_lite.database")

# A page takes 3 to 4 microseconds behind the gate; with more pages, fewer are moved twice.
_STEP_PAGES = 3000
_READERS_WAIT_MS = 20


class Checkpoints:
    """Moves the log into the database, in a thread that ends after each step."""

    def __init__(self, backend: LoggedBackend, wal: WalFile, most_pages: int) -> None:
        """most_pages: the length of the log from which SQLite checkpoints in a commit."""
        self._backend = backend
        self._wal = wal
        self._step_pages = min(_STEP_PAGES, most_pages)
        self._long_pages = most_pages * 4 // 5
        self._thread: threading.Thread | None = None
        self._moving = threading.Lock()
        self._waits_seen = 0

    def is_due(self, waits: int) -> bool:
        """Whether to begin a step: writers have queued, and the log is long. Call it in the gate.

        waits is the number of writers that had to wait so far. If True, call begin() next.
        """
        if waits == self._waits_seen or self._thread is not None:
            return False
        if self._wal.has_failed or not self._wal.is_longer_than(self._step_pages):
            return False
        self._waits_seen = waits
        self._wal.note_commit()  # it may not have been counted, and the first sync must include it
        self._thread = threading.Thread(target=self._step, name="viewra-lite-checkpoint")
        return True

    def begin(self) -> None:
        """Start the thread of the step that is due."""
        try:
            if self._thread is not None:
                self._thread.start()
        except (
            RuntimeError
        ) as exc:  # the interpreter is shutting down, or cannot start more threads
            self._thread = None
            _log.debug("no thread for a checkpoint: %s", exc)

    def yield_to_writers(self) -> None:
        """Block while a step needs the log to grow slowly; long jobs call it between batches.

        A job that alone has made the log long moves it here: else SQLite would within a commit.
        """
        try:
            if not self._wal.has_failed and self._wal.is_longer_than(self._long_pages):
                self.move()
        except (ViewraError, self._backend.driver.Error, OSError) as exc:
            _log.warning("the log could not be moved into the database: %s", exc)
        with self._moving:
            pass

    def end(self) -> None:
        """Wait for the running step."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            thread.join()
        with self._moving:  # waits for a step in a thread that called move_all()
            pass

    def _step(self) -> None:
        """Like SQLite's own checkpoint after a commit it raises nowhere when it fails."""
        try:
            self.move()
        except (ViewraError, self._backend.driver.Error, OSError) as exc:
            _log.warning("the log could not be moved into the database: %s", exc)
        finally:
            self._thread = None

    def move_all(self, *, truncate: bool = False) -> None:
        """Move the log into the database if it has grown. Call it outside a transaction.

        truncate then makes its file empty, if readers leave it soon.
        """
        backend = self._backend
        try:
            if self._wal.has_grown():
                self.move()
            if truncate and not self._wal.has_failed:
                self._truncate()
        except backend.driver.Error as exc:
            raise backend.translate(exc) from exc
        except OSError as exc:
            raise StoreUnavailableError(f"{backend.path}: {exc.strerror}") from exc

    def move(self) -> None:
        """Move the log into the database, except pages that readers need."""
        self._wal.wait_for_all()
        with self._moving:
            with self._snapshot():
                self._wal.wait_for_all()
                self._checkpoint(beyond_snapshot=True)
                self._sync_database()
            self._checkpoint()

    def _truncate(self) -> None:
        """Empty the log. A reader of it may delay that, and so its writers, for a moment only.

        A reader that comes meanwhile reads the database, which has everything by now.
        """
        backend = self._backend
        writer = backend.borrow_writer()
        try:
            writer.execute(f"PRAGMA busy_timeout={_READERS_WAIT_MS}")
            done = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._wal.note_checkpoint(done[1])
        finally:
            writer.execute("PRAGMA busy_timeout=0")
            backend.give_back_writer(writer)

    def _sync_database(self) -> None:
        descriptor = descriptor_of(self._backend.path)
        if descriptor is not None:
            try:
                os.fdatasync(descriptor)
            except OSError as exc:
                # The system reports the error once per descriptor: SQLite's own sync may miss it.
                self._wal.fail(exc)
                raise

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Hold a reader's snapshot of all commits, permanently after a failed sync.

        SQLite does not restart the log while it is held, so the next process that opens the store
        finds those commits in the log and moves them again.
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
        """Checkpoint; beyond_snapshot: first commit a page that the snapshot does not have."""
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
            backend.rollback(writer)  # if the commit failed
            backend.give_back_writer(writer)
