"""Translation of SQLite's errors into ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import peewee

from ...errors import (
    ConflictError,
    CorruptStoreError,
    InvalidValueError,
    TransactionError,
    StoreBusyError,
    StoreClosedError,
    StoreFullError,
    StoreUnavailableError,
    ViewraError,
)
from ..files import disk_fault
from ..transactions.locks import jitter
from ..transactions.pool import remaining
from ..transactions.waits import Waits
from .file import not_a_database
from .path import unusable

if TYPE_CHECKING:

    class SqliteDriver(Protocol):
        """The part of a driver that describes its errors."""

        @property
        def Error(self) -> type[Exception]: ...
        def explained(self, error: BaseException) -> Explained | None: ...


Explained = tuple[int, str]  # SQLite's primary result code (0 if not from SQLite) and its message

_BUSY_RETRY_S = 0.002
_BUSY_RETRY_MAX_S = 0.02

# Primary result codes, https://sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN = 5, 6, 8, 10, 11, 13, 14
_PROTOCOL, _TOOBIG, CONSTRAINT, MISMATCH, _NOTADB = 15, 18, 19, 20, 26

# For drivers that report only the message, not the code.
_CODE_BY_MESSAGE = {
    "is locked": _BUSY,
    "locking protocol": _PROTOCOL,
    "readonly": _READONLY,
    "disk I/O error": _IOERR,
    "malformed": _CORRUPT,
    "disk is full": _FULL,
    "unable to open": _CANTOPEN,
    "too big": _TOOBIG,
    "constraint failed": CONSTRAINT,
    "datatype mismatch": MISMATCH,
    "not a database": _NOTADB,
}


def code_by_message(message: str) -> int:
    """Return the primary result code for a message of SQLite, or 0."""
    return next((code for text, code in _CODE_BY_MESSAGE.items() if text in message), 0)


def is_busy(error: BaseException, driver: SqliteDriver) -> bool:
    """Whether another connection holds the lock."""
    code, _ = driver.explained(error) or (0, "")
    return code in (_BUSY, _LOCKED, _PROTOCOL)


def retried(action: Callable[[], Any], driver: SqliteDriver, wait_s: float, waits: Waits) -> Any:
    """Call action until no other process holds the lock; raises StoreBusyError after wait_s."""
    try:
        return action()
    except driver.Error as exc:
        if not is_busy(exc, driver):
            raise
    waits.begin()
    began, in_vain = time.monotonic(), True
    try:
        done = _tried_again(action, driver, wait_s)
        in_vain = False
        return done
    finally:
        waits.end(began, in_vain=in_vain)


def _tried_again(action: Callable[[], Any], driver: SqliteDriver, wait_s: float) -> Any:
    deadline = time.monotonic() + wait_s
    pause = _BUSY_RETRY_S
    while True:
        try:
            return action()
        except driver.Error as exc:
            if not is_busy(exc, driver):
                raise
            if not remaining(deadline):
                raise StoreBusyError(
                    "another process held the writer for longer than busy_timeout_ms="
                    f"{wait_s * 1000:.0f}: try again"
                ) from exc
        time.sleep(min(jitter() * pause, remaining(deadline)))
        pause = min(pause * 1.5, _BUSY_RETRY_MAX_S)


def begin_immediate(connection: Any, path: Path, driver: SqliteDriver) -> None:
    """Begin a writer's transaction; CorruptStoreError for a file that SQLite only reads."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except driver.Error as exc:
        code, _ = driver.explained(exc) or (0, "")
        if code != _READONLY or unusable(path) is not None:
            raise
        raise CorruptStoreError(
            f"{path} can only be read, because its header says that a newer SQLite wrote it: "
            "if none did, restore a backup"
        ) from exc


def translate_sqlite(error: BaseException, path: Path, driver: SqliteDriver) -> BaseException:
    """Return the ViewraError for an error of the driver or Peewee, or the error itself."""
    cause = getattr(error, "orig", error) if isinstance(error, peewee.PeeweeException) else error
    if isinstance(cause, (OverflowError, UnicodeEncodeError)):
        return InvalidValueError(f"a value does not fit the database: {cause}")
    explained = driver.explained(cause)
    return error if explained is None else _by_code(*explained, path) or error


def _by_code(code: int, message: str, path: Path) -> ViewraError | None:
    if code in (_BUSY, _LOCKED, _PROTOCOL):
        return StoreBusyError()
    if code == _READONLY:
        return unusable(path) or TransactionError("a write inside a reader(): use a writer()")
    if code == _FULL:
        return StoreFullError(f"{path}: the disk is full: make room")
    if code in (_IOERR, _CANTOPEN):
        found = unusable(path) or disk_fault(path.parent)
        return found or StoreUnavailableError(f"{path}: {message}: check its disk")
    if code == _NOTADB:
        return not_a_database(path)
    if code == _CORRUPT or "file format" in message:  # unsupported, or of the search index
        return CorruptStoreError(f"{path} is damaged ({message}): run viewra-lite recover")
    if code == CONSTRAINT:
        return _constraint(message)
    if code in (_TOOBIG, MISMATCH) or "rror binding parameter" in message:
        return InvalidValueError(f"a value does not fit the database: {message}")
    if "decode to UTF-8" in message:
        return CorruptStoreError(f"a stored text cannot be read: {message}")
    if "closed database" in message or "closed cursor" in message:
        return StoreClosedError()
    return None


def _constraint(message: str) -> ViewraError:
    if message.startswith(("CHECK", "NOT NULL")):
        return InvalidValueError(message)
    return ConflictError(message)


def refuse_nul(params: Sequence[Any]) -> None:
    """Raise InvalidValueError for text with NUL, as PostgreSQL does."""
    for value in params:
        if value.__class__ is str and "\0" in value:
            raise InvalidValueError("text cannot contain the NUL character")
