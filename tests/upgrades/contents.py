"""What a store holds, as text that is the same on both engines and after years."""

from __future__ import annotations

import json
from typing import Any

from viewra_lite import Store

# Bookkeeping of an engine or of the migrations, and what is made from other columns.
_LEFT_OUT = ("sqlite_", "search_index", "viewra_migrations_")
_DERIVED = {"search_documents": ("lexemes",)}


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table, in a stable order."""
    found = {}
    with store.reader():
        database: Any = store.media.db.backend.database
        for table in store.tables():
            if not table.startswith(_LEFT_OUT):
                cursor = database.execute_sql(f'SELECT * FROM "{table}"')
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, map(plain, row))) for row in cursor.fetchall()]
                for name in _DERIVED.get(table, ()):
                    for row in rows:
                        row.pop(name, None)
                found[table] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    return found


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)


def without_new_columns(
    found: dict[str, list[dict[str, Any]]], then: dict[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Return what is now in the tables and columns that there were then."""
    kept = {}
    for table, rows in then.items():
        names = rows[0].keys()
        now = [{name: row.get(name) for name in names} for row in found.get(table, ())]
        kept[table] = sorted(now, key=lambda row: json.dumps(row, sort_keys=True))
    return kept
