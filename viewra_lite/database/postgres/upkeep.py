"""Upkeep of a PostgreSQL database; its autovacuum does most of it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backend import CacheFacts, SizeFacts, Space

if TYPE_CHECKING:
    from ...config.options import Config
    from .backend import PostgresBackend


CHORES = ("optimize",)


def space(backend: PostgresBackend) -> Space:
    """Return the bytes of the database; the server reuses free pages by itself."""
    return Space(backend.facts().size, 0)


def sizes(backend: PostgresBackend, search_table: str, search_index: str) -> SizeFacts:
    """Return the bytes of all indexes, and of the words with their index, and the cache's hits."""
    sql = (
        "SELECT (SELECT sum(pg_indexes_size(oid)) FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = quote_ident(current_schema())::regnamespace)::bigint,"
        f" pg_total_relation_size('{search_table}'), blks_hit, blks_read"
        " FROM pg_stat_database WHERE datname = current_database()"
    )
    [(indexes, search, hits, misses)] = _run(backend, sql)
    return SizeFacts(indexes, search, CacheFacts(hits, misses))


def optimize(backend: PostgresBackend, config: Config) -> list[str]:
    """Renew the statistics of every table; return no names, because it is every one."""
    _run(backend, "ANALYZE")
    return []


def vacuum(backend: PostgresBackend, config: Config) -> None:
    """Let later rows use the space of deleted ones, beside readers and writers."""
    _run(backend, "VACUUM")


def _run(backend: PostgresBackend, sql: str) -> list[Any]:
    connection = backend.borrow()
    try:
        cursor = connection.execute(sql)
        return list(cursor.fetchall()) if cursor.description else []
    except Exception as exc:
        translated = backend.translate(exc)
        if translated is exc:
            raise
        raise translated from exc
    finally:
        backend.give_back(connection)
