"""Empty stores on a PostgreSQL server, one for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4


class PostgresStores:
    """Makes databases on the server of a URL, whose user may create some, and drops them."""

    def __init__(self, url: str) -> None:
        from ..store import Store

        self._url = url
        self._template = self._create("template0")
        Store.open(self._url_of(self._template)).close()

    @contextmanager
    def one(self) -> Iterator[str]:
        """Yield the URL of an empty store, which is dropped afterwards."""
        name = self._create(self._template)
        try:
            yield self._url_of(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Drop the store that the others are copied from."""
        self._drop(self._template)

    def _create(self, template: str) -> str:
        name = f"viewra_test_{uuid4().hex}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def _drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        import psycopg
        from psycopg import sql

        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(query)

    def _url_of(self, name: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()
