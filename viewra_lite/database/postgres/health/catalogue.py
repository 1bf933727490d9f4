"""The tables of a PostgreSQL schema, as the catalogue describes them, and of an empty one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backend import Backend, Column, Connection, Table, Tables
from ...orm.internals import set_closed, set_open, state_of

_HERE = "quote_ident(current_schema())::regnamespace"
# The deparser writes that of temporary tables so.
_SCHEMA = "SELECT regexp_replace(quote_ident(current_schema()), '^pg_temp_.*', 'pg_temp')"
_TABLES = f"""
    SELECT c.relname, c.relkind::text, concat_ws(', ',
        CASE WHEN relpersistence = 'u' THEN 'unlogged' END,
        CASE WHEN relrowsecurity THEN 'row security' END,
        CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgenabled = 'D')
            THEN 'disabled triggers' END,
        CASE WHEN EXISTS (SELECT FROM pg_rewrite WHERE ev_class = c.oid AND rulename <> '_RETURN')
            THEN 'rules' END,
        array_to_string(reloptions, ', ')),
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
    FROM pg_class c
    WHERE relnamespace = {_HERE} AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')"""
_COLUMNS = f"""
    SELECT c.relname, a.attname, format_type(atttypid, atttypmod), NOT attnotnull,
        CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END,
        concat_ws(' ', 'COLLATE ' || (SELECT collname FROM pg_collation
            WHERE oid = attcollation AND collname <> 'default'),
        'IDENTITY ' || nullif(attidentity::text, ''),
        CASE WHEN attgenerated <> '' THEN 'GENERATED ' || pg_get_expr(adbin, adrelid) END)
    FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
    WHERE relnamespace = {_HERE} AND relkind IN ('r', 'p', 'f')"""
_PARTS = f"""
    SELECT 'constraint', c.relname, conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid
    WHERE c.relnamespace = {_HERE} AND contype NOT IN ('n', 't')
    UNION ALL
    SELECT 'index', c.relname, i.relname, pg_get_indexdef(i.oid)
        || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class c ON c.oid = indrelid
    WHERE c.relnamespace = {_HERE}
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid AND contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'trigger', relname, tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
    WHERE NOT tgisinternal AND relnamespace = {_HERE}"""
_KINDS = {"r": "table", "p": "partitioned table", "f": "foreign table"}


def tables(connection: Connection) -> Tables:
    """Return the tables and views of the schema that is first in the search path."""
    schema = connection.execute(_SCHEMA).fetchone()[0]
    columns: dict[str, dict[str, Column]] = {}
    for table, name, *facts in connection.execute(_COLUMNS).fetchall():
        columns.setdefault(table, {})[name] = Column(*facts)
    parts: dict[tuple[str, str], dict[str, str]] = {}
    for kind, table, name, text in connection.execute(_PARTS).fetchall():
        parts.setdefault((kind, table), {})[name] = text.replace(f"{schema}.", "")
    return {
        name: Table(
            _KINDS.get(kind, "view"),
            frozenset(options.split(", ")) - {""},
            columns.get(name, {}),
            tuple(sorted(parts.get(("constraint", name), {}).values())) + ((view,) if view else ()),
            parts.get(("index", name), {}),
            parts.get(("trigger", name), {}),
        )
        for name, kind, options, view in connection.execute(_TABLES).fetchall()
    }


def made(backend: Backend, build: Callable[[Any], None]) -> Tables:
    """Return the tables that build(database) makes in an empty schema, of which nothing stays.

    They are temporary tables of a transaction that is rolled back: no other session sees them, and
    creating them needs no right beyond TEMPORARY, which every user has by default.
    """
    database = backend.database
    connection = backend.borrow()
    state = state_of(database).__dict__
    try:
        connection.execute("BEGIN")
        connection.execute("SET LOCAL search_path = pg_temp")
        # A transaction of the caller makes those of the scripts savepoints.
        set_open(state, connection, made, [])
        build(database)
        return tables(connection)
    finally:
        set_closed(state)
        backend.rollback(connection)
        backend.give_back(connection)
