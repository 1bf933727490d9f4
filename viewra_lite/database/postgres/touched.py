"""Which tables a transaction on PostgreSQL has locked and written."""

from __future__ import annotations

from typing import Any, NamedTuple

# What a statement writes has a lock of the mode RowExclusiveLock, what it only reads a weaker one,
# until the transaction ends.
_LOCKED = """
    SELECT c.relname, true AS is_locked, bool_or(l.mode = 'RowExclusiveLock') AS writes,
        bool_or(l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')) AS changes,
        max(c.relfilenode::bigint) AS file, 0 AS rows
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relnamespace NOT IN
        ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    GROUP BY c.relname"""
# Where it wrote before: all tables, with rows, a number that only grows in a transaction.
_ALL = f"""
    SELECT c.relname, l.is_locked IS NOT NULL, coalesce(l.writes, false),
        coalesce(l.changes, false), c.relfilenode::bigint,
        pg_stat_get_xact_tuples_inserted(c.oid) + pg_stat_get_xact_tuples_updated(c.oid)
        + pg_stat_get_xact_tuples_deleted(c.oid)
    FROM pg_class c LEFT JOIN ({_LOCKED}) l ON l.relname = c.relname
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relnamespace NOT IN
        ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"""


class Touched(NamedTuple):
    """What a transaction has done with a table."""

    is_locked: bool
    """As after any use."""
    writes: bool
    changes: bool
    """Whether its definition was changed, all its rows deleted, or the whole table locked."""
    file: int
    """Another one after TRUNCATE."""
    rows: int
    """Written; 0 if they were not counted."""

    def has_changed_rows(self, before: Touched | None) -> bool:
        """Whether rows were written since `before`; None: no table was touched then."""
        if before is None:
            return self.writes
        return (
            self.rows != before.rows
            or self.file != before.file
            or (self.writes and not before.writes)
        )


def touched(connection: Any, is_first: bool = False) -> dict[str, Touched]:
    """Return tables by name: all, or only those in use if nothing was touched before."""
    sql = _LOCKED if is_first else _ALL
    return {name: Touched(*facts) for name, *facts in connection.execute(sql).fetchall()}
