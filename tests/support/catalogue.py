"""What a database's catalogue says, in a form that two can be compared by, and an older one."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

Catalogue = dict[tuple[str, ...], Any]

_TOKEN = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w.]+|\S""", re.DOTALL)


def tokens(sql: str) -> list[str]:
    """Split SQL into its tokens, without comments, white space and quotes around plain names."""
    found = (token for token in _TOKEN.findall(sql) if not token.startswith(("--", "/*")))
    return [token[1:-1] if re.fullmatch(r'"\w+"', token) else token for token in found]


def sqlite_catalogue(database: Path | sqlite3.Connection) -> Catalogue:
    """Return every object of a SQLite database with the tokens that made it."""
    if isinstance(database, Path):
        connection = sqlite3.connect(database)
        try:
            return sqlite_catalogue(connection)
        finally:
            connection.close()
    rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {(kind, name, table): tokens(sql or "") for kind, name, table, sql in rows}


_POSTGRES = {
    "column": """
        SELECT table_name, column_name, ordinal_position, data_type, collation_name, is_nullable,
               column_default, is_generated, generation_expression
        FROM information_schema.columns WHERE table_schema = 'public'""",
    "constraint": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "index": """
        SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = 'public'::regnamespace""",
    "trigger": """
        SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
        FROM pg_trigger WHERE NOT tgisinternal""",
    "relation": """
        SELECT relname, relkind::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace""",
}


def postgres_catalogue(url: str) -> Catalogue:
    """Return every column, constraint, index and trigger of a PostgreSQL database."""
    import psycopg

    with psycopg.connect(url) as connection:
        return {
            (kind, row[0], row[1]): row[2:]
            for kind, sql in _POSTGRES.items()
            for row in connection.execute(sql)
        }


def forget_transcoding(url: str) -> None:
    """Make a store look as if the transcoding module had just been added."""
    with Store.open(url) as store, store.writer():
        database = MediaLibrary._meta.database
        for table in database.get_tables():
            if "transcod" in table:
                database.execute_sql(f"DROP TABLE {table}")
