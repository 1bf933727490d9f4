"""Peewee's view of the SQLite backend: column types, and the SQL of our own nodes."""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager
from json import dumps
from typing import TYPE_CHECKING, Any

import peewee

from ..orm import internals
from ..orm.literals import parameters
from ..orm.nodes import words_query
from ..transactions.peewee_database import StoreDatabase
from ..transactions.transaction import Transaction
from .errors import refuse_nul

if TYPE_CHECKING:
    from ..transactions.guards import Guard, Rules

_TABLES = "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"
_COLUMNS = "SELECT name FROM pragma_table_xinfo(?)"


class SqliteStoreDatabase(StoreDatabase, peewee.SqliteDatabase):
    """Peewee's view of the SQLite backend."""

    # The specification's type names; SQLite itself uses only their affinity.
    field_types = {
        **peewee.SqliteDatabase.field_types,
        "BIGINT": "INTEGER",
        "BOOL": "BOOLEAN",
        "DATETIME": "TIMESTAMP",
        "DOUBLE": "REAL",
        "INT": "INTEGER",
    }
    one_of = (" IN (SELECT value FROM json_each(", "))", dumps)
    matches_words = (
        ' IN (SELECT rowid FROM "{index}" WHERE "{index}" MATCH ',
        " ORDER BY rowid LIMIT ",
        lambda groups: words_query(groups, '"{}"*', '"{}"', " AND ", " OR "),
    )
    reads_rows_later = True
    utc_day = ("substr(", ", 1, 10)")  # of fixed-width UTC text: see fields.timestamp_text

    def __init__(self, backend: object, path: str) -> None:
        super().__init__(path, lock_type="IMMEDIATE", autoconnect=False)
        self.backend = backend

    def add_functions(self, connection: object) -> None:
        """Register the functions that Peewee's fields call, and those of caller's code."""
        internals.add_functions(self, connection)

    def script(self, prefix: str) -> AbstractContextManager[None]:
        """Refuse what a migration script may not do; its tables' names start with the prefix."""
        from .authorizing.scripts import refusing

        return refusing(self._connection(), self.backend.driver.authorize, prefix)

    def guard(self, connection: Any, rules: Rules) -> Guard:
        """Return what confines the code of a plugin on a connection, once it is begun."""
        from .authorizing.blocks import SqliteGuard

        return SqliteGuard(connection, rules, self.backend.driver)

    def dangling(self) -> list[tuple[str, str]]:
        """Return (table, table that it refers to) of each row whose foreign key has no row."""
        rows = self._connection().execute("PRAGMA foreign_key_check").fetchall()
        return [(table, parent) for table, _, parent, _ in rows]

    def analyze(self) -> None:
        """Refresh the statistics by which queries are planned, from a sample of each table."""
        self._connection().execute("PRAGMA analysis_limit=400")
        self._connection().execute("ANALYZE")

    def cursor(self, named_cursor: object = None) -> Any:
        """Return a cursor of the transaction's connection, closed when the transaction ends."""
        cursor = super().cursor()
        for transaction in internals.state_of(self).transactions[:1]:
            if isinstance(transaction, Transaction):
                if transaction.guard is not None:
                    transaction.guard.before_statement()
                transaction.cursors = self.kept(transaction.cursors, cursor)
        return cursor

    def kept(self, cursors: Any, cursor: Any) -> Any:
        """Return the collection of a transaction's cursors, with one more."""
        cursors = cursors or weakref.WeakSet()
        cursors.add(cursor)
        return cursors

    def _execute_cursor(self, sql: str, params: Any, **options: object) -> Any:
        refuse_nul(params or ())
        return super()._execute_cursor(sql, params, **options)

    def names(self, connection: Any) -> frozenset[str]:
        """Return the names of all tables, columns and indexes."""
        rows = connection.execute(
            "SELECT name FROM sqlite_master UNION SELECT own.name FROM sqlite_master AS of_table,"
            " pragma_table_info(of_table.name) AS own WHERE of_table.type IN ('table', 'view')"
        )
        return frozenset(name for (name,) in rows.fetchall())

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The base classes of the driver's errors, and of Peewee's for them."""
        return peewee.PeeweeException, self.backend.driver.Error

    def columns(self) -> dict[str, frozenset[str]]:
        """Return the columns of each table, and none of a full-text index, as others see them."""
        driver, found = self.backend.driver, {}
        connection = driver.connect(self.backend.path, 0)
        try:
            for name, root in connection.execute(_TABLES).fetchall():
                rows = connection.execute(_COLUMNS, (name,)).fetchall() if root else ()
                found[name] = frozenset(column for (column,) in rows)
        finally:
            driver.close(connection)
        return found

    def plan(self, connection: Any, sql: str) -> list[str] | None:
        """Return the plan of a statement, indented by depth; None if SQLite cannot explain it."""
        given = parameters(sql)
        named = {name[1:]: None for name in given if name[0] in ":@$"}
        most = max((int(name[1:] or 0) for name in given if name[0] == "?"), default=0)
        try:
            rows = connection.execute(
                f"EXPLAIN QUERY PLAN {sql}", named or [None] * max(len(given), most)
            ).fetchall()
        except self.backend.driver.Error:
            return None
        depths = {0: -1}
        for id, parent, _, _ in rows:
            depths[id] = depths.get(parent, -1) + 1
        return [f"{'  ' * depths[id]}{detail}" for id, _, _, detail in rows]
