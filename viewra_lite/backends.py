"""The backend of a configuration; the other engine is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .config.options import Config, PostgresConfig, SqliteConfig

if TYPE_CHECKING:
    from .database.backend import Backend


def backend_of(config: Config) -> Backend:
    """Return a new backend."""
    if isinstance(config, SqliteConfig):
        from .database.sqlite.backend import SqliteBackend

        return SqliteBackend(config)
    assert isinstance(config, PostgresConfig)
    from .database.postgres.backend import PostgresBackend

    return PostgresBackend(config)


def is_adoptable(connection: object) -> bool:
    """Whether a database with tables of another program may become a store."""
    from .adoption import is_adoptable  # not imported for a database that is one

    return is_adoptable(connection)
