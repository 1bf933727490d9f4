"""Fields that have a value of a plugin whose answer is gone: the next source has them again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...database.orm.statements import Statement
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...events import queries as event_queries
from ...media.catalog import answered
from . import merge_queries as queries
from .applying import Applying

_BATCH = 500  # rows that are read at once
_LEAVE = ("file.removed", "file.moved")


def count_fields(db: Database, plugin_id: str) -> int:
    """Return how many fields have a value of a plugin; reads all rows."""
    return sum(
        list(answered.plugins_of(row).values()).count(plugin_id)
        for statement in queries.ROWS_WITH.values()
        for row in _rows(db, statement, plugin_id)
    )


def give_back(db: Database, applying: Applying, plugin_id: str) -> None:
    """Merge the rows again that have a value of a plugin, whose answers are deleted."""
    _merge(db, applying, plugin_id, queries.ROWS_WITH)


class Lost:
    """Finds values whose answers went with their file, or whose file has become another title."""

    def __init__(self, db: Database, applying: Applying) -> None:
        self._db = db
        self._applying = applying
        self._seen = 0  # the last change up to which all rows were looked at, by this process

    def give_back(self) -> None:
        """Merge the rows again that have a value of a plugin and no answer about their files."""
        newest = self._db.one(event_queries.newest_change)
        if newest is None or not self._db.one(queries.has_left, self._seen, list(_LEAVE)):
            return
        for (plugin_id,) in self._db.all(queries.plugins):
            _merge(self._db, self._applying, plugin_id, queries.ROWS_WITHOUT, plugin_id)
        self._seen = newest.id


def _merge(
    db: Database, applying: Applying, plugin_id: str, statements: dict[str, Statement], *more: str
) -> None:
    for kind, statement in statements.items():
        rows = _rows(db, statement, plugin_id, *more)
        found = (one.id for one in rows if plugin_id in answered.plugins_of(one).values())
        in_slices(db, (partial(applying.merge, kind, id) for id in list(found)))


def _rows(db: Database, statement: Statement, plugin_id: str, *more: str) -> Iterator[Any]:
    """Yield the id and the sources of rows, a batch at a time."""
    batch: list[Any] = []
    while True:
        last = batch[-1].id if batch else ""
        batch = db.all(statement, f'%"{plugin_id}"%', last, _BATCH, *more)
        yield from batch
        if len(batch) < _BATCH:
            return
