"""Datasette on the file of a store, through guarded connections."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette import handle_exception  # after app, which registers it

from ..config.options import SqliteConfig
from .guard import SQL_TIME_MS, connect
from .saved import QUERIES

NAME = "viewra"
_MOST_ROWS = 500


handle_exception.rich = None  # it would print the locals of every wrong query


class _Guarded(Database):  # type: ignore[misc]
    """The database of a store, as Datasette sees it."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Return a connection that reads."""
        if write:
            raise sqlite3.OperationalError("the database is open for reading only")
        connection = connect(self.path)
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, sql: str, params: Any = None, **options: Any) -> Any:
        """Run a query; an error is shown on the page, and not on stderr as well."""
        try:
            return await super().execute(sql, params, **{**options, "log_sql_errors": False})
        except sqlite3.OperationalError:
            raise
        except sqlite3.Error as exc:  # such as: not authorized
            raise sqlite3.OperationalError(str(exc)) from exc


def browser(config: SqliteConfig, base_url: str) -> Any:
    """Return the ASGI application of Datasette; base_url is its path, with slashes around it."""
    datasette = Datasette(
        [],
        cache_headers=False,
        metadata={
            "title": "viewra_lite",
            "databases": {NAME: {"queries": {name: dict(one) for name, one in QUERIES.items()}}},
        },
        settings={
            "base_url": base_url,
            "max_returned_rows": _MOST_ROWS,
            "default_page_size": 50,
            "num_sql_threads": 2,
            "sql_time_limit_ms": SQL_TIME_MS,
            "allow_download": False,
            "allow_csv_stream": False,
            "suggest_facets": False,
            "default_cache_ttl": 0,
        },
    )
    datasette.add_database(_Guarded(datasette, path=str(config.database_path)), name=NAME)
    return datasette.app()
