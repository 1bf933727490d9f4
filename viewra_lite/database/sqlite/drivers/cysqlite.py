"""The driver cysqlite, which brings its own SQLite."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from traceback import walk_tb
from typing import Any

import cysqlite
from playhouse.cysqlite_ext import CySqliteDatabase

from ....errors import InvalidValueError
from ..errors import MISMATCH, Explained, code_by_message
from ..file import STATEMENTS_KEPT
from ..peewee_database import SqliteStoreDatabase

# "error executing query: [the SQL] what SQLite says (code=19, ext=2067)"
_MESSAGE = re.compile(r"(.*) \(code=(\d+), ext=\d+\)", re.DOTALL)
_NOT_BOUND = "cannot bind parameter"
# The types that the standard library's module accepts; cysqlite accepts more, and converts them
# silently.
_TAKEN = (str, int, float, bytes, bytearray, memoryview, type(None), date, time)
_FLAGS = cysqlite.SQLITE_OPEN_READWRITE | cysqlite.SQLITE_OPEN_NOMUTEX
_READ_ONLY = cysqlite.SQLITE_OPEN_READONLY | cysqlite.SQLITE_OPEN_NOMUTEX

Error: Any = cysqlite.Error
total_changes = cysqlite.Connection.total_changes


class Database(SqliteStoreDatabase, CySqliteDatabase):  # type: ignore[misc]
    """Peewee's view of a connection of cysqlite."""

    def add_functions(self, connection: Any) -> None:
        """Register the functions that Peewee's fields call, and those of caller's code."""
        super().add_functions(connection)
        for function in self._table_functions:
            function.register(connection)

    def kept(self, cursors: Any, cursor: Any) -> Any:
        """Return an object that closes all cursors, which cannot be weakly referenced here."""
        return cursors or (_HalfRead(cursor.conn),)

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        if isinstance(params, dict):
            params = {name: _bound(value) for name, value in params.items()}
        else:
            params = [_bound(value) for value in params or ()]
        return super()._execute_cursor(sql, params, **options)


class _HalfRead:
    """The statements of a transaction that were not read to the end."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def close(self) -> None:
        """Finalize them."""
        finalize(self._connection)


def connect(path: Path, wait_s: float, view: str = "mode=rw") -> Any:
    """Connect to an existing file."""
    # Without SQLite's own mutex, which is locked twice for every column of every row, a sixth of
    # the time of a read. A connection is used by one thread at a time, and finalize() makes sure
    # that no cursor outlives that: freed late, it would interfere with another thread.
    connection = cysqlite.connect(
        f"{path.as_uri()}?{view}",
        _FLAGS if view == "mode=rw" else _READ_ONLY,
        wait_s,
        uri=True,
        cached_statements=STATEMENTS_KEPT,
        extensions=False,
    )
    # This SQLite is built with STAT4 and would recompile many joins for each parameter.
    connection.db_config(cysqlite.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def copy(connection: Any, path: Path) -> None:
    """Copy the database in one step: in several it would start anew at each commit."""
    connection.backup_to_file(str(path))


def finalize(connection: Any) -> None:
    """Finalize statements that were not read to the end. They are recompiled on next use."""
    if connection.get_stmt_usage()[1]:
        connection.finalize_statements()


def close(connection: Any) -> None:
    """Close a connection and roll back its open transaction."""
    connection.close(force=True)


def authorize(connection: Any, decide: Callable[..., int] | None) -> None:
    """Let a function allow or deny statements."""
    connection.authorizer(decide)


def watch(connection: Any, is_over: Callable[[], bool] | None, steps: int) -> None:
    """Interrupt a statement when a function says so."""
    connection.progress(is_over, max(steps, 1))


def limit_length(connection: Any, most: int) -> int | None:
    """Limit the bytes of a value."""
    before = connection.getlimit(cysqlite.SQLITE_LIMIT_LENGTH)
    connection.setlimit(cysqlite.SQLITE_LIMIT_LENGTH, most)
    return int(before)


def reset(connection: Any) -> None:
    """Undo settings of caller's code."""
    connection.row_factory = None
    for undo in (
        connection.trace,
        connection.progress,
        connection.authorizer,
        connection.commit_hook,
        connection.rollback_hook,
        connection.update_hook,
    ):
        undo(None)


def explained(error: BaseException) -> Explained | None:
    """Return the code and message of an error; None if it is not the driver's."""
    message = str(error)
    if isinstance(error, TypeError) and message.startswith(_NOT_BOUND):
        return MISMATCH, message
    if isinstance(error, UnicodeDecodeError) and _is_raised_here(error):
        return 0, f"Could not decode to UTF-8: {message}"  # like the standard library's module
    if not isinstance(error, Error):
        return None
    match = _MESSAGE.fullmatch(message)
    if match is None:
        return code_by_message(message), message
    # Cut off the SQL in brackets, or the value that could not be bound: never repeat them.
    before = ": " if match[1].startswith("error binding") else "] "
    return int(match[2]) & 0xFF, match[1].rpartition(before)[2]


def _bound(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)  # like Peewee with the standard library's module
    if not isinstance(value, _TAKEN):
        raise InvalidValueError(f"{_NOT_BOUND}: type {type(value).__name__} is not supported")
    return value


def _is_raised_here(error: BaseException) -> bool:
    """Whether an error was raised by the driver and not by other code."""
    frame = None
    for frame, _ in walk_tb(error.__traceback__):
        pass
    return frame is not None and frame.f_globals.get("__name__", "").startswith("cysqlite")
