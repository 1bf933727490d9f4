"""The shapes of the tables of a rebuilt database: how the records of a damaged one are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from .objects import Object
from .tables import Index, Shape


class Table(NamedTuple):
    """A table of the rebuilt database."""

    shape: Shape
    names: tuple[str, ...]
    """Its columns in the order of a record."""
    written: tuple[int, ...]
    """The positions of those that can be written: not the generated ones."""
    key_places: tuple[int, ...] | None
    """WITHOUT ROWID only: the positions in the order of its records."""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.shape.name

    def insert(self) -> str:
        """Return the statement that adds a row, with its row id first unless it has none."""
        names = [self.names[place] for place in self.written]
        if self.key_places is None and self.shape.rowid_column is None:
            names.insert(0, "_rowid_")
        marks = ", ".join("?" * len(names))
        columns = ", ".join(map(quoted, names))
        return f"INSERT OR IGNORE INTO {quoted(self.name)} ({columns}) VALUES ({marks})"

    def parameters(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the parameters of insert() for a row id and the values of a record."""
        rowid, *values = row
        written = tuple(values[place] for place in self.written)
        has_rowid = self.key_places is None and self.shape.rowid_column is None
        return (rowid, *written) if has_rowid else written


def quoted(name: str) -> str:
    """Return a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def table_of(target: sqlite3.Connection, objects: Mapping[str, Object], name: str) -> Table:
    """Return a table as the rebuilt database has it, and where the damaged one has it."""
    columns = [
        row
        for row in target.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
        if row["hidden"] != 2  # virtual generated columns are not stored
    ]
    places = {row["cid"]: place for place, row in enumerate(columns)}
    has_rowid = _has_rowid(target, name)
    found = target.execute(f"PRAGMA index_list({quoted(name)})").fetchall()
    keys = [row["cid"] for row in columns if row["pk"]]
    is_alias = has_rowid and len(keys) == 1 and not any(row["origin"] == "pk" for row in found)
    rowid_column = places[keys[0]] if is_alias else None
    key_places = None
    if not has_rowid:
        key = next(row["name"] for row in found if row["origin"] == "pk")
        key_places = tuple(places[row["cid"]] for row in _index_columns(target, key))
    shape = Shape(
        name=name,
        root=objects[name].root if name in objects else 0,
        columns=len(columns),
        rowid_column=rowid_column,
        indexes=_indexes(target, objects, found, places) if has_rowid else (),
        defaults=[_default(target, row["dflt_value"]) for row in columns],
    )
    names = tuple(row["name"] for row in columns)
    written = tuple(place for place, row in enumerate(columns) if row["hidden"] == 0)
    return Table(shape, names, written, key_places)


def _indexes(
    target: sqlite3.Connection,
    objects: Mapping[str, Object],
    found: list[sqlite3.Row],
    places: Mapping[int, int],
) -> list[Index]:
    indexes = []
    for row in found:
        keys = [one for one in _index_columns(target, row["name"]) if one["key"]]
        if row["partial"] or row["name"] not in objects or any(one["cid"] < 0 for one in keys):
            continue
        if all(one["cid"] in places for one in keys):
            indexes.append(
                Index(
                    root=objects[row["name"]].root,
                    columns=tuple(places[one["cid"]] for one in keys),
                    is_key=row["origin"] == "pk",
                    is_unique=bool(row["unique"]),
                    is_ordered=all(one["coll"] == "BINARY" and not one["desc"] for one in keys),
                )
            )
    return indexes


def _index_columns(target: sqlite3.Connection, name: str) -> list[sqlite3.Row]:
    return target.execute(f"PRAGMA index_xinfo({quoted(name)})").fetchall()


def _has_rowid(target: sqlite3.Connection, name: str) -> bool:
    try:
        target.execute(f"SELECT _rowid_ FROM {quoted(name)} LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _default(target: sqlite3.Connection, sql: str | None) -> Any:
    return None if sql is None else target.execute(f"SELECT {sql} AS value").fetchone()["value"]
