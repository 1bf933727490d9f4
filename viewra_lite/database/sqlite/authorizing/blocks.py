"""What the code of a plugin may do on SQLite: decided when a statement is compiled, or runs."""

from __future__ import annotations

import sqlite3
from time import monotonic
from typing import Any

from ....errors import PluginError
from ...transactions.guards import Guard, Rules

# https://sqlite.org/c3ref/c_alter_table.html
_INSERT, _PRAGMA, _READ, _SELECT, _UPDATE, _DELETE = 18, 19, 20, 21, 23, 9
_TRANSACTION, _FUNCTION, _SAVEPOINT, _RECURSIVE = 22, 31, 32, 33
_ALWAYS = frozenset((_SELECT, _SAVEPOINT, _RECURSIVE))
_KINDS = {
    **dict.fromkeys((1, 3), "CREATE INDEX"),
    2: "CREATE TABLE",
    4: "CREATE TEMP TABLE",
    **dict.fromkeys((5, 7), "CREATE TRIGGER"),
    **dict.fromkeys((6, 8), "CREATE VIEW"),
    **dict.fromkeys((10, 12), "DROP INDEX"),
    **dict.fromkeys((11, 13), "DROP TABLE"),
    **dict.fromkeys((14, 16), "DROP TRIGGER"),
    **dict.fromkeys((15, 17), "DROP VIEW"),
    24: "ATTACH",
    25: "DETACH",
    26: "ALTER TABLE",
    27: "REINDEX",
    28: "ANALYZE",
    29: "CREATE VIRTUAL TABLE",
    30: "DROP TABLE",
}
# Those that the search index and Peewee's look at a table use; they only read.
_PRAGMAS = frozenset(
    "data_version foreign_key_list index_info index_list index_xinfo table_info table_list "
    "table_xinfo".split()
)
_REFUSED_ANYWAY = {"VACUUM from within": "VACUUM", "may not be modified": "tables of SQLite"}
_SCHEMAS = frozenset(("sqlite_master", "sqlite_temp_master"))
_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer"))
# Where the length of a value cannot be limited, these could fill the memory before they can be
# interrupted.
_LARGE = frozenset(("zeroblob", "randomblob", "printf", "format", "hex", "replace", "group_concat"))
_LARGEST_VALUE = 10_000_000
_STEPS = 5000  # of SQLite's machine between two looks at the time: a fraction of a millisecond
_PAUSE_S = 0.5  # without a look: another statement has begun


class SqliteGuard(Guard):
    """Confines a connection by SQLite's authorizer, its progress handler and its limits."""

    def __init__(self, connection: Any, rules: Rules, driver: Any) -> None:
        super().__init__(connection, rules)
        self._driver = driver
        self.driver_error = driver.Error
        self._length: int | None = None
        self._began = self._looked = 0.0
        self._bytes = self._used() if rules.writes else 0

    def before_statement(self) -> None:
        """Begin the time of a statement."""
        super().before_statement()
        if not self.connection.in_transaction:  # after INSERT OR ROLLBACK
            raise self.refuse_kind("ROLLBACK")
        self._began = self._looked = monotonic()

    def _confine(self) -> None:
        self._began = self._looked = monotonic()
        self._length = self._driver.limit_length(self.connection, _LARGEST_VALUE)
        self._driver.watch(self.connection, self._is_over, _STEPS)
        # Statements that were compiled before are compiled again, and so come before it too.
        self._driver.authorize(self.connection, self._decide)

    def _free(self) -> None:
        self._driver.authorize(self.connection, None)
        self._driver.watch(self.connection, None, 0)
        if self._length is not None:
            self._driver.limit_length(self.connection, self._length)

    def _is_over(self) -> bool:
        """Whether to interrupt the statement that runs."""
        try:
            now = monotonic()
            if now - self._looked > _PAUSE_S:
                self._began = now
            self._looked = now
            if now > self.ends:
                self.refuse_late()
            elif now - self._began > self.rules.statement_s:
                self.refuse_slow()
            else:
                return False
        except BaseException as exc:  # Ctrl-C: the driver would drop it
            self.interruption = exc
        return True

    def _decide(self, action: int, name: str | None, value: str | None, *where: object) -> int:
        """Allow a part of a statement or not."""
        try:
            if self._refusal(action, str(name), str(value)) is None:
                return sqlite3.SQLITE_OK
        except BaseException as exc:  # Ctrl-C: the driver would drop it
            self.interruption = exc
        return sqlite3.SQLITE_DENY

    def _refusal(self, action: int, name: str, value: str) -> PluginError | None:
        rules = self.rules
        if action == _READ:
            return self.refuse_read(name) if name in rules.private else None
        if action in _ALWAYS:
            return None
        if action in (_INSERT, _UPDATE, _DELETE):
            # What writes the schema is refused as what it is.
            if name in _SCHEMAS or (rules.writes and name.startswith(rules.prefix)):
                return None
            return self.refuse_write(name)
        if action == _FUNCTION:
            is_large = self._length is None and value in _LARGE
            return self.refuse_kind(f"{value}()") if value in _FUNCTIONS or is_large else None
        if action == _PRAGMA:
            return None if name.lower() in _PRAGMAS else self.refuse_kind(f"PRAGMA {name}")
        kind = name if action == _TRANSACTION else _KINDS.get(action, "that")
        return self.refuse_kind("ANALYZE" if name.startswith("sqlite_stat") else kind)

    def verdict(self, error: BaseException | None) -> BaseException | None:
        """Return the error that ends the block; a few kinds SQLite itself refuses."""
        for part, kind in _REFUSED_ANYWAY.items():
            if part in str(error):
                self.refuse_kind(kind)
        return super().verdict(error)

    def has_grown(self) -> bool:
        """Compare the pages in use with those at the beginning."""
        return self._used() > self._bytes

    def use(self, known: int | None) -> int:
        """Add what the file has grown by in the block, in which no one else writes."""
        if known is not None:
            return max(0, known + self._used() - self._bytes)
        return bytes_of(self.connection, self.rules.prefix, self._driver.Error)

    def _used(self) -> int:
        pages, free, size = (
            self.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def bytes_of(connection: Any, prefix: str, error: type[Exception]) -> int:
    """Return the bytes of tables and their indexes; an estimate where SQLite cannot say it."""
    tables = connection.execute(
        "SELECT name, type FROM sqlite_master WHERE substr(tbl_name, 1, ?) = ? AND rootpage > 0",
        (len(prefix), prefix),
    ).fetchall()
    try:
        return sum(
            connection.execute(
                "SELECT pgsize FROM dbstat WHERE name = ? AND aggregate = TRUE", (name,)
            ).fetchone()[0]
            for name, _ in tables
        )
    except error:  # this SQLite has no dbstat
        return sum(_estimate(connection, name) for name, type in tables if type == "table")


def _estimate(connection: Any, table: str) -> int:
    """Estimate the bytes of a table from its first rows; an index counts as half of it."""
    columns = [name for _, name, *_ in connection.execute(f'PRAGMA table_info("{table}")')]
    length = " + ".join(f'coalesce(length(CAST("{name}" AS BLOB)), 0) + 1' for name in columns)
    [each] = connection.execute(
        f'SELECT coalesce(avg(bytes), 0) FROM (SELECT {length} AS bytes FROM "{table}" LIMIT 1000)'
    ).fetchone()
    [rows] = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    indexes = len(connection.execute(f'PRAGMA index_list("{table}")').fetchall())
    return int(rows * (each + 10) * (1 + indexes / 2))
