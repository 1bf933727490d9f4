"""Empty stores on PostgreSQL, each used again for as long as the tests leave nothing in it.

To copy a database takes five times as long as to empty one, and most tests of rooms need one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg

from tests.support.clock import Clock
from tests.support.postgres import Server
from viewra_lite import Store

_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"""

# What a test may have changed but the rows: every change of a catalogue leaves its transaction's
# number there. Of pg_class only what no DELETE touches; a table with statistics is another one.
_CATALOGUES = (
    "attrdef",
    "attribute",
    "constraint",
    "extension",
    "index",
    "namespace",
    "proc",
    "rewrite",
    "sequence",
    "trigger",
    "type",
)
_CATALOGUE = f"""
    SELECT {
    ", ".join(
        f"(SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_{name})" for name in _CATALOGUES
    )
},
        (SELECT sum(hashtext((oid, relname, relacl, reloptions, reltuples)::text)) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace),
        (SELECT count(*) FROM pg_statistic),
        (SELECT (datallowconn, datconnlimit, datacl)::text FROM pg_database
         WHERE datname = current_database()),
        (SELECT count(*) FROM pg_db_role_setting, pg_database
         WHERE setdatabase = pg_database.oid AND datname = current_database())"""

# Rows that were deleted stay in their pages: a store that had many is slower than an empty one.
_PAGES = """
    SELECT sum(pg_relation_size(oid)) / 8192 FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"""
_MOST_PAGES = 100


class EmptyStores:
    """The empty stores of a server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.made = 0
        self._template = f"template_{uuid4().hex}"
        self._free: list[str] = []
        url = server.create_database(self._template)
        Store.open(url, clock=Clock()).close()
        with psycopg.connect(url, autocommit=True) as connection:
            self._tables = [name for (name,) in connection.execute(_TABLES)]
            self._kept = self._filled(connection)  # the history of migrations
            self._as_made = self._state(connection)

    @contextmanager
    def one(self) -> Iterator[str]:
        """Yield the URL of an empty store, which is emptied or dropped afterwards."""
        name = self._free.pop() if self._free else self._make()
        yield self.server.url(name)
        if self._emptied(name):
            self._free.append(name)
        else:
            self.server.drop_database(name)

    def _make(self) -> str:
        name = f"test_{uuid4().hex}"
        self.server.create_database(name, template=self._template)
        self.made += 1
        return name

    def _emptied(self, name: str) -> bool:
        """Delete all rows, and tell whether this made the store what it was."""
        try:
            with psycopg.connect(self.server.url(name), autocommit=True) as connection:
                connection.execute(_END_OTHERS)
                if self._state(connection) != self._as_made:
                    return False
                connection.execute("SET session_replication_role = replica")  # no triggers
                for table in self._filled(connection) - self._kept:
                    connection.execute(f'DELETE FROM "{table}"')
                connection.execute("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence")
                return connection.execute(_PAGES).fetchone()[0] <= _MOST_PAGES
        except psycopg.Error:
            return False

    def _filled(self, connection: Any) -> set[str]:
        each = (f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in self._tables)
        return {name for (name,) in connection.execute(" UNION ALL ".join(each))}

    def _state(self, connection: Any) -> list[Any]:
        """Return what must be as it was made."""
        rows = [connection.execute(_CATALOGUE).fetchone()]
        for table in sorted(self._kept):
            rows += connection.execute(f'SELECT t::text FROM "{table}" AS t ORDER BY 1').fetchall()
        return rows
