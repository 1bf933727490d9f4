"""Peewee's view of the PostgreSQL backend."""

from __future__ import annotations

from contextlib import AbstractContextManager

import peewee

from ..orm.nodes import words_query
from ..transactions.peewee_database import StoreDatabase


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

    def script(self) -> AbstractContextManager[None]:
        """Refuse what a migration script may not do."""
        from .scripts import refusing

        return refusing(self._connection())

    def analyze(self) -> None:
        """Refresh the statistics by which queries are planned, from a sample of each table."""
        self._connection().execute("ANALYZE")

    def dangling(self) -> list[tuple[str, str]]:
        """Return (table, table that it refers to) of each row whose foreign key has no row."""
        from .scripts import dangling

        return dangling(self._connection())
