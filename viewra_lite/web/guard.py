"""A connection for queries that strangers type: it reads, for a short time, and keeps secrets.

It is one more line behind the password: what it is asked is SQL, and answers must be small. A
progress handler does not interrupt a single function, so that the limits of length come first.
"""

from __future__ import annotations

import os
import sqlite3
from typing import Any
from urllib.parse import quote

LONGEST_VALUE = 262_144  # bytes of a value; functions that would make a longer one fail
LARGEST_ANSWER = 8_388_608  # bytes of all values of an answer
SQL_TIME_MS = 2000

# Where plugins keep keys and tokens.
SECRETS = frozenset({("plugins", "config"), ("plugin_storage", "value")})

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}
_PRAGMAS = frozenset(
    "compile_options data_version database_list encoding foreign_key_list freelist_count"
    " function_list index_info index_list index_xinfo page_count page_size schema_version"
    " table_info table_list table_xinfo user_version".split()
)
# The aggregates of JSON collect without a limit of length.
_NEVER = frozenset(
    "fts3_tokenizer load_extension json_group_array json_group_object jsonb_group_array"
    " jsonb_group_object".split()
)
# Before Python 3.11 the length of a value cannot be limited: what makes long ones is refused.
_LONG = frozenset(
    "char format group_concat hex json_insert json_patch json_replace json_set printf quote"
    " randomblob replace string_agg zeroblob".split()
)
_LIMITS = {  # https://sqlite.org/c3ref/c_limit_attached.html
    "SQLITE_LIMIT_LENGTH": LONGEST_VALUE,
    "SQLITE_LIMIT_SQL_LENGTH": 100_000,
    "SQLITE_LIMIT_ATTACHED": 0,
    "SQLITE_LIMIT_COMPOUND_SELECT": 50,
    "SQLITE_LIMIT_EXPR_DEPTH": 200,
    "SQLITE_LIMIT_LIKE_PATTERN_LENGTH": 1000,
    "SQLITE_LIMIT_WORKER_THREADS": 0,
}


def connect(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open the file of a store for reading, from any thread; raises sqlite3.Error."""
    uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=ro"
    connection: Any = sqlite3.connect(
        uri, uri=True, check_same_thread=False, factory=_Connection, isolation_level=None
    )
    for pragma in ("query_only=1", "trusted_schema=0", "cell_size_check=1", "temp_store=1"):
        connection.execute(f"PRAGMA {pragma}")
    can_limit = hasattr(connection, "setlimit")  # Python 3.11
    if can_limit:
        for name, limit in _LIMITS.items():
            connection.setlimit(getattr(sqlite3, name), limit)
    refused = _NEVER if can_limit else _NEVER | _LONG

    def judge(action: int, first: str | None, second: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ:
            # Ignored: the column reads as NULL. The table's name is as the schema spells it.
            return sqlite3.SQLITE_IGNORE if (first, second) in SECRETS else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            is_refused = (second or "").lower() in refused
        elif action == sqlite3.SQLITE_UPDATE:  # a virtual table is declared; nothing is written
            is_refused = first != "sqlite_master"
        elif action == sqlite3.SQLITE_PRAGMA:
            is_refused = (first or "").lower() not in _PRAGMAS
        else:
            is_refused = action not in _READING
        return sqlite3.SQLITE_DENY if is_refused else sqlite3.SQLITE_OK

    connection.set_authorizer(judge)
    guarded: sqlite3.Connection = connection
    return guarded


class _Cursor(sqlite3.Cursor):
    """A cursor whose answer has a limit of bytes."""

    def fetchall(self) -> list[Any]:
        """Return all rows; raises sqlite3.OperationalError for an answer that is too large."""
        return self.fetchmany(None)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """Return some rows; raises sqlite3.OperationalError for an answer that is too large."""
        rows: list[Any] = []
        total = 0
        for row in self:
            total += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            if total > LARGEST_ANSWER:
                raise sqlite3.OperationalError(
                    f"the answer has more than {LARGEST_ANSWER >> 20} MiB: ask for fewer rows"
                )
            rows.append(row)
            if len(rows) == size:
                break
        return rows


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        """Return a cursor whose answer has a limit of bytes."""
        return super().cursor(factory)
