"""The catalogue of a database: indexes, triggers and options of tables, which a script may lose.

SQLite rebuilds a table for some changes, and a rebuild by hand drops triggers, STRICT and WITHOUT
ROWID without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import peewee

from ...errors import MigrationError

Catalogue = Mapping[tuple[str, str], tuple[str, str]]
"""(kind, name) to (table, definition)."""

_SQLITE = """
    SELECT type, name, tbl_name, sql FROM sqlite_master
    WHERE type IN ('index', 'trigger', 'view') AND sql IS NOT NULL
    UNION ALL
    SELECT 'option', name || CASE WHEN wr THEN ' WITHOUT ROWID' ELSE ' STRICT' END, name, ''
    FROM pragma_table_list WHERE schema = 'main' AND (wr OR strict)"""
_POSTGRES = """
    SELECT 'index', i.relname, c.relname, pg_get_indexdef(i.oid)
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class c ON c.oid = indrelid
    WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid)  -- named after the table
    UNION ALL
    SELECT 'trigger', tgname, relname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE NOT tgisinternal AND tgenabled <> 'D'
    AND relnamespace = quote_ident(current_schema())::regnamespace
    UNION ALL
    SELECT 'view', viewname, viewname, '' FROM pg_views WHERE schemaname = current_schema()"""


def catalogue_of(database: Any) -> Catalogue:
    """Return the views, and the indexes, triggers and options of all tables."""
    is_sqlite = issubclass(type(database), peewee.SqliteDatabase)
    rows = database.execute_sql(_SQLITE if is_sqlite else _POSTGRES).fetchall()
    return {(kind, name): (table, sql) for kind, name, table, sql in rows}


def refuse_losses(
    before: Catalogue, after: Catalogue, tables: Collection[str], intended: Collection[str]
) -> None:
    """Raise MigrationError if anything of a remaining table was lost that a script did not name."""
    lost = sorted(
        f"{kind} {name}" + f" of {table}" * (kind != "view")
        for (kind, name), (table, _) in before.items()
        if (kind, name) not in after
        and (table in tables or kind == "view")
        and name not in intended
    )
    if lost:
        raise MigrationError(
            f"it would lose the {', the '.join(lost)}: create it again, or name it in the script's "
            "DROPS"
        )
