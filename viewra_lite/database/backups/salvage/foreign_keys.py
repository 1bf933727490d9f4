"""Repair of foreign keys: what SQLite would have done when the parents were removed."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import NamedTuple

from .shapes import quoted


class Key(NamedTuple):
    """A foreign key of a table."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str

    def without_parent(self) -> str:
        """Return the condition of rows whose parent does not exist."""
        table = quoted(self.table)
        are_set = " AND ".join(f"{table}.{quoted(name)} IS NOT NULL" for name in self.columns)
        same = " AND ".join(
            f"parent.{quoted(theirs)} = {table}.{quoted(ours)}"
            for theirs, ours in zip(self.parent_columns, self.columns)
        )
        parent = quoted(self.parent)
        return f"{are_set} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {same})"


def repair(target: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Remove rows whose parent is lost, or empty their reference where the schema allows it.

    Returns by table how many rows were removed, and how many lost a reference.
    """
    done: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    while True:
        broken = {(row["table"], row["fkid"]) for row in target.execute("PRAGMA foreign_key_check")}
        if not broken:
            return dict(done)
        before = target.total_changes
        for table, number in sorted(broken):
            removed, detached = done[table]
            count, is_removed = _mend(target, _key(target, table, number))
            done[table] = (removed + count, detached) if is_removed else (removed, detached + count)
        if target.total_changes == before:
            return dict(done)  # the check of the whole file names the rest


def _mend(target: sqlite3.Connection, key: Key) -> tuple[int, bool]:
    columns = target.execute(f"PRAGMA table_xinfo({quoted(key.table)})").fetchall()
    empty = [
        row["name"]
        for row in columns
        if row["name"] in key.columns and not row["notnull"] and not row["pk"]
    ]
    before = target.total_changes
    where = f"WHERE {key.without_parent()}"
    if empty and key.on_delete != "CASCADE":
        sets = ", ".join(f"{quoted(name)} = NULL" for name in empty)
        target.execute(f"UPDATE OR IGNORE {quoted(key.table)} SET {sets} {where}")
        if target.total_changes > before:
            return target.total_changes - before, False
    target.execute(f"DELETE FROM {quoted(key.table)} {where}")
    return target.total_changes - before, True


def _key(target: sqlite3.Connection, table: str, number: int) -> Key:
    rows = [
        row
        for row in target.execute(f"PRAGMA foreign_key_list({quoted(table)})")
        if row["id"] == number
    ]
    parent = rows[0]["table"]
    own_key = [
        row["name"]
        for row in sorted(
            target.execute(f"PRAGMA table_xinfo({quoted(parent)})"), key=lambda row: row["pk"]
        )
        if row["pk"]
    ]
    return Key(
        table,
        tuple(row["from"] for row in rows),
        parent,
        tuple(row["to"] or own for row, own in zip(rows, [*own_key, *([""] * len(rows))])),
        rows[0]["on_delete"],
    )
