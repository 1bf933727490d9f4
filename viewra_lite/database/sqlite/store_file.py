"""The file of a store, looked at before SQLite opens it.

A note beside the file remembers that a store is there, which one, and how the file was when it was
last closed. So a file that is gone or was emptied is not taken for a new store, a log of another
database is not merged into this one, and a file that is not as it was left is checked as a whole
before anything is served from it.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import Any

from ...errors import CorruptStoreError, StoreBusyError, StoreUnavailableError, ViewraError
from ..files import (
    disk_error,
    disk_errors,
    give_to_owner,
    make_folder,
    network_share,
    remove,
    size_of,
)
from ..transactions.locks import file_lock, is_locked
from .drivers.protocol import SqliteDriver
from .errors import translate_sqlite
from .file import half_restored, lock_folder, make_file, marker, not_a_database

_log = logging.getLogger("viewra_lite.database")

LONGEST_CHECK_S = 20.0  # about 4 GB; a larger database is checked by maintenance
_MOST_COMPARED_BYTES = 100 << 20  # of a file whose indexes are compared with its tables too
LOOK_EVERY_S = 1.0
_HEADER_BYTES = 512  # of the smallest database: a page
_READ_ONLY, _WITHOUT_LOG = "mode=ro", "mode=ro&immutable=1"


class StoreFile:
    """One file, from before it is opened until after it was closed."""

    def __init__(self, path: Path, driver: SqliteDriver) -> None:
        self.path = path
        self._driver = driver
        self._note = _read_note(path)
        self._inode = -1
        self._is_sound = False  # it was closed, or checked: only then it may be noted as closed
        self._is_noted = False  # as open
        self.look_at = 0.0

    def refuse_lost(self) -> None:
        """Raise CorruptStoreError if a store was here, and its file is gone or empty."""
        log = _log_of(self.path)
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            if left := half_restored(self.path):
                raise CorruptStoreError(
                    f"{self.path} is gone, because a restore was killed: run viewra-lite restore "
                    f"again, or remove {left[0]} to start a new store"
                ) from None
            if log:
                raise CorruptStoreError(
                    f"{self.path} is gone, but its log is here ({log.name}): put it back, or move "
                    "the log away to start a new store"
                ) from None
            if self._note is not None:
                raise CorruptStoreError(
                    f"{self.path} is gone, but a store was here: put it back, mount its disk, or "
                    f"remove {lock_folder(self.path)} to start a new store"
                ) from None
            return
        size, self._inode = found.st_size, found.st_ino
        if size == 0 and (log or self._note is not None):
            raise CorruptStoreError(
                f"{self.path} is empty, but it was a store: put it back, or remove "
                f"{lock_folder(self.path)} to start a new store"
            )
        if 0 < size < _HEADER_BYTES:
            raise not_a_database(self.path)
        is_as_left = self._closed_note() == _stat(self.path)
        self._is_sound = not log and is_as_left
        journal = _log_of(self.path, "-journal")
        if journal and is_as_left:  # SQLite would roll this store back with it
            raise _appeared(journal, self.path)

    def make_or_check(self) -> None:
        """Make an empty file, or check the one that is there; warn of a network share.

        Raises CorruptStoreError for the log of another database, or a file that was damaged. Reads
        the whole file, unless it is as the note describes it; not while a process has it open.
        """
        share = network_share(str(self.path))
        if share:
            _log.warning(
                "%s is on a network share (%s), where locks may not work and the log needs one "
                "machine: move the store to a local disk",
                self.path,
                share,
            )
        if not self.path.exists():
            make_file(self.path)
        with disk_errors(self.path):
            self._inode = os.stat(self.path).st_ino
        if self._is_trusted():
            self._is_sound = True
            return
        if not self._closed_note() and not os.path.lexists(f"{self.path}-wal"):
            # Or the process was killed while it closed the store, when nothing is lost.
            _log.warning(
                "%s was not closed, and its log (%s-wal) is gone: if it was removed, the last "
                "commits are lost; put it back, or compare the store with a backup",
                self.path,
                self.path.name,
            )
        try:
            self._refuse_foreign_log()
            self._check()
            self._is_sound = True
        except (self._driver.Error, UnicodeDecodeError) as exc:  # also of what a check says
            found = translate_sqlite(exc, self.path, self._driver)
            if isinstance(found, ViewraError):
                raise found from exc
            _, message = self._driver.explained(exc) or (0, str(exc))  # such as of a lost table
            raise CorruptStoreError(f"{self.path} is damaged ({message})") from exc

    def _is_trusted(self) -> bool:
        """Whether the file is as it was closed, in use, or not known as a store."""
        is_known = self._is_sound or self._note is None
        if is_known or is_locked(lock_folder(self.path) / "open"):
            return True
        self._note = _read_note(self.path)  # a process may have closed it since
        return self._closed_note() == _stat(self.path) and not _log_of(self.path)

    def refuse_without_tables(self, connection: Any) -> None:
        """Raise CorruptStoreError if a store was here, and the database has no tables."""
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if self._note is not None and not tables:
            raise CorruptStoreError(
                f"{self.path} has no tables, but it was a store: put it back, or remove "
                f"{lock_folder(self.path)} to start a new store"
            )

    @contextmanager
    def held(self, wait_s: float) -> Iterator[None]:
        """Hold the lock that says to other processes that the file is open; then note its end.

        Raises StoreUnavailableError if it was replaced since it was checked.
        """
        locks = lock_folder(self.path)
        with ExitStack() as held:
            with disk_errors(locks):
                make_folder(locks)
                give_to_owner(locks, self.path)
            try:
                held.enter_context(file_lock(locks / "open", wait_s=wait_s, shared=True))
            except StoreBusyError as exc:
                raise StoreBusyError(
                    f"{self.path} is being restored or closed by another process: try again"
                ) from exc
            self.refuse_removed(0.0)
            for left in half_restored(self.path):  # a restore, which held this lock, was killed
                remove(left)
                _log.warning("removed %s, which a restore that was killed had left", left)
            yield
        self._closed()

    def looked_at(self, wait_s: float) -> AbstractContextManager[None]:
        """Hold the lock where a store is known to be, and put nothing beside another database.

        Raises StoreUnavailableError if the file does not exist, and CorruptStoreError for the log
        of another database: closing the last connection would merge it.
        """
        if not self.path.exists():
            raise StoreUnavailableError(f"no store at {self.path}")
        if not self._is_trusted():
            try:
                self._refuse_foreign_log()
            except self._driver.Error as exc:
                raise translate_sqlite(exc, self.path, self._driver) from exc
        return nullcontext() if self._note is None else self.held(wait_s)

    def opened(self) -> None:
        """Note that the file may change, and which store it is, once it has tables.

        Call it before anything is written: a log beside a file that is noted as closed is refused.
        """
        if self._is_noted:
            return
        if self._note is not None and self._note.get("store"):
            self._write_note(self._note["store"], None)
            return
        with self._connected(_READ_ONLY) as connection:
            store = _identity(connection)
        if store is not None:
            self._write_note(store, None)

    def _closed(self) -> None:
        """Note how the file was left, unless another process has it open."""
        if self._note is None or not self._is_sound:
            return
        # Where another process has it open, that one will.
        with suppress(StoreBusyError, StoreUnavailableError, OSError):  # the next open checks it
            if _stat(self.path) in ([], self._closed_note()):
                return  # it is gone, or nothing was written
            with file_lock(lock_folder(self.path) / "open", wait_s=0):
                if os.stat(self.path).st_ino == self._inode and not _log_of(self.path):
                    self._write_note(self._note.get("store"), _stat(self.path))

    def refuse_removed(self, now: float) -> None:
        """Raise StoreUnavailableError if the file was removed or replaced; again at look_at."""
        self.look_at = now + LOOK_EVERY_S
        try:
            found = os.stat(self.path).st_ino
        except FileNotFoundError:
            found = 0
        except OSError as exc:  # no permission, or an error of its disk
            self.look_at = 0.0
            raise disk_error(exc, self.path) from exc
        if found != self._inode:
            self.look_at = 0.0
            raise StoreUnavailableError(
                f"{self.path} was removed or replaced while it is open, so nothing that is written "
                "now would stay: put it back, and restart the program"
            )

    # Inside

    def _refuse_foreign_log(self) -> None:
        log = _log_of(self.path)
        if log is None:
            return
        # Closing has moved its log into the file, so this is another one.
        if self._closed_note() == _stat(self.path):
            raise _appeared(log, self.path)
        known = set() if self._note is None else {self._note.get("store")}
        for view in (_WITHOUT_LOG, _READ_ONLY):
            with suppress(self._driver.Error):  # it has no identity then; _check() says why
                with self._connected(view) as connection:
                    known.add(_identity(connection))
        if len(known - {None}) > 1:
            raise CorruptStoreError(
                f"{log} is the log of another database than {self.path}: move it away, or put the "
                "database back that it belongs to"
            )

    def _check(self) -> None:
        """Check every page; gives up after LONGEST_CHECK_S, and says so."""
        began = time.monotonic()
        is_small = size_of(self.path) <= _MOST_COMPARED_BYTES
        how = "PRAGMA integrity_check(3)" if is_small else "PRAGMA quick_check(3)"
        with self._connected(_READ_ONLY) as connection:
            timer = threading.Timer(LONGEST_CHECK_S, connection.interrupt)
            timer.daemon = True
            timer.start()
            try:
                found = [row[0] for row in connection.execute(how).fetchall()]
            except self._driver.Error:
                if time.monotonic() - began < LONGEST_CHECK_S:
                    raise
                _log.warning("the check of the database took %g s and was ended", LONGEST_CHECK_S)
                return
            finally:
                timer.cancel()
        if found != ["ok"]:
            raise CorruptStoreError(f"{self.path} is damaged: {'; '.join(map(str, found))}")
        took = time.monotonic() - began
        _log.info("checked the database, which was not as it had been closed, in %.1f s", took)

    def _closed_note(self) -> object:
        return self._note and self._note.get("closed")

    def _connected(self, view: str) -> Any:
        return closing(self._driver.connect(self.path, 5.0, view))

    def _write_note(self, store: str | None, closed: list[int] | None) -> None:
        self._note, self._is_noted = {"store": store, "closed": closed}, True
        text = json.dumps({"about": "the viewra_lite store beside this folder", **self._note})
        note = marker(self.path)
        with disk_errors(note.parent):
            make_folder(note.parent)
            mode = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
            with open(os.open(note, mode, 0o600), "w", encoding="utf-8") as file:
                file.write(text + "\n")
            give_to_owner(note, note.parent)


def _read_note(path: Path) -> dict[str, Any] | None:
    """Return the note of a store; {} if it cannot be read, None without one."""
    try:
        found = json.loads(marker(path).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _identity(connection: Any) -> str | None:
    """Return the moment of a store's first migration, which no two stores share."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'viewra!_migrations!_%' "
        "ESCAPE '!'"
    ).fetchall()
    moments = [
        moment
        for (table,) in tables
        for (moment,) in connection.execute(f'SELECT min(applied) FROM "{table}"').fetchall()
        if moment is not None
    ]
    return min(map(str, moments), default=None)


def _appeared(log: Path, path: Path) -> CorruptStoreError:
    return CorruptStoreError(
        f"{log} appeared after {path} had been closed: move it away if it is the log of another "
        "database; if a program wrote to this one and was killed, open and close the database with "
        "that program"
    )


def _log_of(path: Path, end: str = "-wal") -> Path | None:
    """Return the log of a database, unless it is empty."""
    log = path.with_name(path.name + end)
    with suppress(OSError):  # it does not exist
        return log if log.stat().st_size else None
    return None


def _stat(path: Path) -> list[int]:
    """Return what the note says of a closed file; [], which no note says, without the file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return []
    return [found.st_size, found.st_mtime_ns]
