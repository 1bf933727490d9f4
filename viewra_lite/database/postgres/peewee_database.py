"""Peewee's view of the PostgreSQL backend."""

from __future__ import annotations


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
