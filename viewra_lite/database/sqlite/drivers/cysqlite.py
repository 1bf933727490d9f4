"""The driver cysqlite, which brings an SQLite of its own."""

from __future__ import annotations

import re
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
_TOLD = re.compile(r"(.*) \(code=(\d+), ext=\d+\)", re.DOTALL)
_NOT_BOUND = "cannot bind parameter"
# What the standard library's module takes; cysqlite would take more, and change it silently.
_TAKEN = (str, int, float, bytes, bytearray, memoryview, type(None), date, time)
_FLAGS = cysqlite.SQLITE_OPEN_READWRITE | cysqlite.SQLITE_OPEN_NOMUTEX

Error: Any = cysqlite.Error
total_changes = cysqlite.Connection.total_changes


class Database(SqliteStoreDatabase, CySqliteDatabase):  # type: ignore[misc]
    """Peewee's view of a connection of cysqlite."""

    def add_functions(self, connection: Any) -> None:
        """Give a connection the functions that Peewee's fields call, and those of guest code."""
        super().add_functions(connection)
        for function in self._table_functions:
            function.register(connection)

    def kept(self, cursors: Any, cursor: Any) -> Any:
        """Return what closes the cursors of a session, which cannot be weakly referred to."""
        return cursors or (_HalfRead(cursor.conn),)

    def _execute_cursor(self, sql: str, params: Any, **options: Any) -> Any:
        if isinstance(params, dict):
            params = {name: _bound(value) for name, value in params.items()}
        else:
            params = [_bound(value) for value in params or ()]
        return super()._execute_cursor(sql, params, **options)


class _HalfRead:
    """The statements that a session has begun to read."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def close(self) -> None:
        """End them."""
        finalize(self._connection)


def connect(path: Path, wait_s: float) -> Any:
    """Connect to a file that is there."""
    # Without SQLite's own mutex, which every column of every row would take twice and which is a
    # sixth of a read: a connection is lent to one thread at a time, and settle() sees to it that
    # no cursor outlives that, for one that is freed late would reach into another thread's work.
    connection = cysqlite.connect(
        f"{path.as_uri()}?mode=rw",
        _FLAGS,
        wait_s,
        uri=True,
        cached_statements=STATEMENTS_KEPT,
        extensions=False,
    )
    # Built with statistics, this SQLite would compile many a join anew for each parameter.
    connection.db_config(cysqlite.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    return connection


def finalize(connection: Any) -> None:
    """End what was left half-read; the compiled statements go with it, and are compiled again."""
    if connection.get_stmt_usage()[1]:
        connection.finalize_statements()


def close(connection: Any) -> None:
    """Close a connection, and roll back what it left open."""
    connection.close(force=True)


def reset(connection: Any) -> None:
    """Undo what guest code may have set."""
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
    """Return an error's code and message; None for one that is not the driver's."""
    message = str(error)
    if isinstance(error, TypeError) and message.startswith(_NOT_BOUND):
        return MISMATCH, message
    if isinstance(error, UnicodeDecodeError) and _is_raised_here(error):
        return 0, f"Could not decode to UTF-8: {message}"  # as the standard library's module
    if not isinstance(error, Error):
        return None
    told = _TOLD.fullmatch(message)
    if told is None:
        return code_by_message(message), message
    # Before it stands the SQL in brackets, or a value that could not be bound: never repeat them.
    before = ": " if told[1].startswith("error binding") else "] "
    return int(told[2]) & 0xFF, told[1].rpartition(before)[2]


def _bound(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)  # as Peewee has the standard library's module do
    if not isinstance(value, _TAKEN):
        raise InvalidValueError(f"{_NOT_BOUND}: type {type(value).__name__} is not supported")
    return value


def _is_raised_here(error: BaseException) -> bool:
    """Whether the driver itself has raised an error that any code may raise."""
    frame = None
    for frame, _ in walk_tb(error.__traceback__):
        pass
    return frame is not None and frame.f_globals.get("__name__", "").startswith("cysqlite")
