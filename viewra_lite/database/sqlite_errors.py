"""What SQLite's errors mean to us."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import peewee

from ..errors import (
    ConflictError,
    CorruptStoreError,
    InvalidValueError,
    SessionError,
    StoreBusyError,
    StoreClosedError,
    StoreUnavailableError,
    ViewraError,
)

# Primary result codes, https://sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN = 5, 6, 8, 10, 11, 13, 14
_TOOBIG, _CONSTRAINT, _MISMATCH, _NOTADB = 18, 19, 20, 26

# Python 3.10 does not tell the code, only the message.
_CODE_BY_MESSAGE = {
    "locked": _BUSY,
    "readonly": _READONLY,
    "disk I/O error": _IOERR,
    "malformed": _CORRUPT,
    "disk is full": _FULL,
    "unable to open": _CANTOPEN,
    "too big": _TOOBIG,
    "constraint failed": _CONSTRAINT,
    "datatype mismatch": _MISMATCH,
    "not a database": _NOTADB,
}


def is_busy(error: BaseException) -> bool:
    """Whether another connection holds the lock."""
    return _code(error) in (_BUSY, _LOCKED)


def translate_sqlite(error: BaseException, path: Path) -> BaseException:
    """Return the ViewraError that an error of sqlite3 or Peewee stands for, or the error itself."""
    if isinstance(error, peewee.PeeweeException):
        error = getattr(error, "orig", None) or error
    if isinstance(error, (OverflowError, UnicodeEncodeError)):
        return InvalidValueError(f"a value does not fit the database: {error}")
    if not isinstance(error, sqlite3.Error):
        return error
    return _by_code(_code(error), str(error), path) or error


def _code(error: BaseException) -> int:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF
    return next((code for text, code in _CODE_BY_MESSAGE.items() if text in str(error)), 0)


def _by_code(code: int, message: str, path: Path) -> ViewraError | None:
    if code in (_BUSY, _LOCKED):
        return StoreBusyError()
    if code == _READONLY:
        return SessionError(f"a write inside a reader(), or {path} is read-only: use a writer()")
    if code in (_IOERR, _FULL, _CANTOPEN):
        return StoreUnavailableError(f"{path}: {message}")
    if code in (_CORRUPT, _NOTADB):
        return CorruptStoreError(f"{path} is damaged ({message}): restore a backup")
    if code == _CONSTRAINT:
        return _constraint(message)
    if code in (_TOOBIG, _MISMATCH):
        return InvalidValueError(f"a value does not fit the database: {message}")
    if "closed database" in message:
        return StoreClosedError()
    return None


def _constraint(message: str) -> ViewraError:
    if message.startswith(("CHECK", "NOT NULL")):
        return InvalidValueError(message)
    return ConflictError(message)
