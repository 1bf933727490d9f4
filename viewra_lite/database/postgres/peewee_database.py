"""Peewee's view of the PostgreSQL backend."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

import peewee

from ..orm.nodes import words_query
from ..transactions.peewee_database import StoreDatabase

if TYPE_CHECKING:
    from ..transactions.guards import Guard, Rules

_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = ANY(current_schemas(false))"
)


class PostgresStoreDatabase(StoreDatabase, peewee.PostgresqlDatabase):
    """Peewee's view of the PostgreSQL backend."""

    # COLLATE "C" compares code points, as SQLite does: pages and paths sort the same on both.
    field_types = {
        **peewee.PostgresqlDatabase.field_types,
        "DATETIME": "TIMESTAMPTZ",
        "INT": "INTEGER",
        "TEXT": 'TEXT COLLATE "C"',
    }
    one_of = (" = ANY(", ")", list)
    matches_words = (
        ' IN (SELECT "{key}" FROM "{table}" WHERE "{column}" @@ ',
        '::tsquery ORDER BY "{key}" LIMIT ',
        lambda groups: words_query(groups, "'{}':*", "'{}'", " & ", " | "),
    )
    utc_day = ("CAST(", " AT TIME ZONE 'UTC' AS DATE)")
    index_value_literals = True

    def __init__(self, backend: object, name: str) -> None:
        super().__init__(name, autoconnect=False, prefer_psycopg3=True)
        self.backend = backend

    def begin(self, *args: object, **kwargs: object) -> None:
        """Begin the transaction of a migration script, outside of which nothing can be written."""
        self.backend.begin_script(self._connection())

    def script(self, prefix: str) -> AbstractContextManager[None]:
        """Refuse what a migration script may not do; its tables' names start with the prefix."""
        from .scripts import refusing

        return refusing(self._connection(), prefix)

    def guard(self, connection: Any, rules: Rules) -> Guard:
        """Return what confines the code of a plugin on a connection, once it is begun."""
        from .blocks import PostgresGuard

        return PostgresGuard(connection, rules)

    def analyze(self) -> None:
        """Refresh the statistics by which queries are planned, from a sample of each table."""
        self._connection().execute("ANALYZE")

    def dangling(self) -> list[tuple[str, str]]:
        """Return (table, table that it refers to) of each row whose foreign key has no row."""
        from .scripts import dangling

        return dangling(self._connection())

    def names(self, connection: object) -> None:
        """Return None: only a name is written in double quotes here."""

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """The base classes of the driver's errors, and of Peewee's for them."""
        from psycopg import Error

        return peewee.PeeweeException, Error

    def columns(self) -> dict[str, frozenset[str]]:
        """Return the columns of each table, as other connections see them."""
        found: dict[str, set[str]] = {}
        with self.backend.connect() as connection:
            for table, column in connection.execute(_COLUMNS):
                found.setdefault(table, set()).add(column)
        return {table: frozenset(columns) for table, columns in found.items()}

    def plan(self, connection: Any, sql: str) -> list[str] | None:
        """Return the plan of a statement for any parameters; None if it cannot be explained."""
        from psycopg import Error

        numbers: dict[str, int] = {}
        prepared = _PARAMETER.sub(lambda match: _numbered(match[0], numbers), sql)
        nulls = f"({', '.join(['NULL'] * len(numbers))})" if numbers else ""
        execute = connection.execute
        try:
            execute("BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan")
            execute(f"PREPARE viewra_slow AS {prepared}", prepare=False)
            rows = execute(f"EXPLAIN (COSTS OFF) EXECUTE viewra_slow{nulls}", prepare=False)
            return [line for (line,) in rows.fetchall()]
        except Error:
            return None
        finally:
            self.backend.rollback(connection)
            with suppress(Error):  # it was never prepared, or the driver has deallocated all
                execute("DEALLOCATE viewra_slow", prepare=False)


_PARAMETER = re.compile(r"%(?:[sbt%]|\(\w+\)[sbt])")


def _numbered(parameter: str, numbers: dict[str, int]) -> str:
    """Return $1 for the first parameter of a driver's statement, and so on."""
    if parameter == "%%":
        return "%"
    name = parameter if "(" in parameter else f"{parameter}{len(numbers)}"
    return f"${numbers.setdefault(name, len(numbers) + 1)}"
