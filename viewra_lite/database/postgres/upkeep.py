"""Upkeep of a PostgreSQL database; its autovacuum does most of it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..backend import Space

if TYPE_CHECKING:
    from ...config.options import Config
    from .backend import PostgresBackend


CHORES = ("optimize",)


def space(backend: PostgresBackend) -> Space:
    """Return the bytes of the database; the server reuses free pages by itself."""
    return Space(backend.facts().size, 0)


def optimize(backend: PostgresBackend, config: Config) -> list[str]:
    """Renew the statistics of every table; return no names, because it is every one."""
    _run(backend, "ANALYZE")
    return []


def vacuum(backend: PostgresBackend, config: Config) -> None:
    """Let later rows use the space of deleted ones, beside readers and writers."""
    _run(backend, "VACUUM")


def _run(backend: PostgresBackend, sql: str) -> None:
    connection = backend.borrow()
    try:
        connection.execute(sql)
    except Exception as exc:
        translated = backend.translate(exc)
        if translated is exc:
            raise
        raise translated from exc
    finally:
        backend.give_back(connection)
