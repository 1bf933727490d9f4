"""The driver of the standard library."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from operator import attrgetter, methodcaller
from pathlib import Path

from ..errors import CONSTRAINT, Explained, code_by_message
from ..file import STATEMENTS_KEPT
from ..peewee_database import SqliteStoreDatabase

Error = sqlite3.Error
Database = SqliteStoreDatabase
close = methodcaller("close")
total_changes = attrgetter("total_changes")
finalize = None  # a cursor finalizes its statement when it is freed, guarded by SQLite's mutex


def connect(path: Path, wait_s: float, view: str = "mode=rw") -> sqlite3.Connection:
    """Connect to an existing file."""
    return sqlite3.connect(
        f"{path.as_uri()}?{view}",
        uri=True,
        timeout=wait_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_KEPT,
    )


def copy(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the database in one step: in several it would start anew at each commit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=OFF")  # the caller syncs the file
        connection.backup(target)


def authorize(connection: sqlite3.Connection, decide: Callable[..., int] | None) -> None:
    """Let a function allow or deny statements."""
    if decide is None and sys.version_info < (3, 11):  # it would take None for a function
        decide = _allow
    connection.set_authorizer(decide)


def _allow(*_: object) -> int:
    return sqlite3.SQLITE_OK


def watch(connection: sqlite3.Connection, is_over: Callable[[], bool] | None, steps: int) -> None:
    """Interrupt a statement when a function says so."""
    connection.set_progress_handler(is_over, steps)


def limit_length(connection: sqlite3.Connection, most: int) -> int | None:
    """Limit the bytes of a value; Python 3.10 cannot."""
    if sys.version_info < (3, 11):
        return None
    return connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most)


def reset(connection: sqlite3.Connection) -> None:
    """Undo settings of caller's code."""
    connection.row_factory, connection.text_factory = None, str
    connection.isolation_level = None
    connection.set_trace_callback(None)
    connection.set_progress_handler(None, 0)
    if sys.version_info >= (3, 11):
        connection.set_authorizer(None)


def explained(error: BaseException) -> Explained | None:
    """Return the code and message of an error; None if it is not the driver's."""
    if not isinstance(error, Error):
        return None
    message = str(error)
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python 3.10 does not report it
        code = code_by_message(message)
        if not code and isinstance(error, sqlite3.IntegrityError):
            code = CONSTRAINT
    return code & 0xFF, message
