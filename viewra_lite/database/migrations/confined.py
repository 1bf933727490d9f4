"""Scripts that may only change tables of their own, as those of plugins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import MigrationError
from ..backend import Table, Tables
from .drift import of_engine

_REFERENCE = re.compile(r"\breferences (\w+)(?: ?\([^)]*\))?([^,]*)", re.IGNORECASE)
_FOLLOWS = re.compile(r"\bon delete (?:cascade|set null)\b", re.IGNORECASE)


@contextmanager
def confined(database: Any, engine: str, prefix: str) -> Iterator[None]:
    """Refuse what changes the definition of a table whose name does not start with the prefix.

    Also a foreign key to such a table that would keep its rows from being deleted. An empty prefix
    allows everything.
    """
    if not prefix:
        yield
        return
    before = _tables(database, engine)
    yield
    after = _tables(database, engine)
    for name in sorted(before.keys() | after.keys()):
        if not name.startswith(prefix) and before.get(name) != after.get(name):
            raise MigrationError(
                f"it would change the table {name}: the names of its own tables start with {prefix}"
            )
    for name, table in after.items():
        if name.startswith(prefix):
            _refuse_holding(name, table, prefix)


def _tables(database: Any, engine: str) -> Tables:
    tables: Tables = of_engine(engine).tables(database.connection())
    return tables


def _refuse_holding(name: str, table: Table, prefix: str) -> None:
    for text in (*table.constraints, *(column.definition for column in table.columns.values())):
        for target, rest in _REFERENCE.findall(text):
            if not target.startswith(prefix) and not _FOLLOWS.search(rest):
                raise MigrationError(
                    f"{name} has a foreign key to {target} that keeps its rows from being deleted: "
                    "declare it with ON DELETE CASCADE or SET NULL"
                )
