"""The rows of a damaged table: read page by page, and compared with what its indexes know.

A row counts as saved if it can be read and no index contradicts. What an index has and the table
has not is lost. Pages that no tree reaches belong to the table whose index knows their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple

from .pages import Pages
from .trees import Leaf, Row, Tree, entries_of, rowids_of, rows_of


Known = tuple["Index | None", dict[int, int], bool]


class Index(NamedTuple):
    """A full index of a table."""

    root: int
    columns: tuple[int, ...]
    """Their positions in a record of the table."""
    is_key: bool
    """Whether it is the primary key's, which never changes."""
    is_unique: bool
    is_ordered: bool
    """Whether it has SQLite's default order: ascending, by bytes."""


class Shape(NamedTuple):
    """What has to be known of a table to read its records."""

    name: str
    root: int
    columns: int
    """Values in a record."""
    rowid_column: int | None
    """The position of an INTEGER PRIMARY KEY, which is stored as the row id."""
    indexes: Sequence[Index]
    defaults: Sequence[Any]
    """Of columns that were added after a row was written."""


class DamagedTable:
    """A table, row by row."""

    def __init__(self, pages: Pages, shape: Shape) -> None:
        self.shape = shape
        self._pages = pages
        self._tree = Tree(pages, shape.root, of_index=False)
        self._index, self._known, self._is_complete = self._chosen()
        self._yielded: set[int] = set()
        self.accepted = {leaf.number for leaf in self._tree.inner}

    @property
    def is_exact(self) -> bool:
        """Whether it is known how many rows there were."""
        return self._is_complete or self._tree.is_whole

    def lost(self, saved: Set[int]) -> dict[int, int]:
        """Return the key, hashed, of each row that is known to be lost, by its row id."""
        if self._tree.is_whole and not self._is_complete:
            return {}  # then it is the index that is damaged
        return {rowid: self._known[rowid] for rowid in self._known.keys() - saved}

    def key_columns(self) -> tuple[int, ...]:
        """Return the positions of the columns whose hash lost() returns."""
        return self._index.columns if self._index is not None else ()

    @property
    def is_key_unique(self) -> bool:
        """Whether no two rows have one key."""
        return self._index is not None and self._index.is_unique

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the row id and the values of each row that its own pages hold."""
        second: list[Row] = []  # at a wrong place, as those of swapped pages
        for leaf in self._tree.leaves:
            for row in self._accepted(leaf):
                if leaf.allows(row.rowid):
                    yield from self._once(row)
                else:
                    second.append(row)
        for row in second:
            yield from self._once(row)

    def rows_on(self, number: int) -> Iterator[tuple[Any, ...]]:
        """Yield the missing rows on a page that no tree reaches."""
        rows, _ = self._read(number)
        if any(self._agrees(row) for row in rows):
            self.accepted.add(number)
            for row in self._without_denied(rows):
                yield from self._once(row)

    def _once(self, row: Row) -> Iterator[tuple[Any, ...]]:
        if row.rowid not in self._yielded:
            self._yielded.add(row.rowid)
            yield (row.rowid, *self._filled(row))

    def _accepted(self, leaf: Leaf) -> list[Row]:
        """Return the rows of a page, unless they are another table's."""
        rows, is_whole = self._read(leaf.number)
        agreed = [self._agrees(row) for row in rows]
        may_be_ours = True in agreed or (
            False not in agreed
            and all(len(row.values) == self.shape.columns or self._index is None for row in rows)
            and all(leaf.allows(row.rowid) for row in rows)
        )
        if not (is_whole and may_be_ours):
            self._tree.is_whole = False
        if not may_be_ours:
            return []
        self.accepted.add(leaf.number)
        return self._without_denied(rows)

    def _read(self, number: int) -> tuple[list[Row], bool]:
        rows, is_whole = rows_of(self._pages, number)
        ours = [row for row in rows if len(row.values) <= self.shape.columns]
        return ours, is_whole and len(ours) == len(rows)

    def _without_denied(self, rows: list[Row]) -> list[Row]:
        if self._index is None or not self._index.is_key:
            return rows
        return [row for row in rows if self._agrees(row) is not False]

    def _agrees(self, row: Row) -> bool | None:
        """Whether the index has this row; None if it has none of its row id, or cannot say."""
        known = self._known.get(row.rowid)
        if known is None or self._index is None:
            return None
        values = self._filled(row)
        key = tuple(values[place] for place in self._index.columns)
        if hash(key) != known:
            return False
        return None if all(value is None for value in key) else True

    def _filled(self, row: Row) -> list[Any]:
        values = row.values + list(self.shape.defaults[len(row.values) :])
        if self.shape.rowid_column is not None:
            values[self.shape.rowid_column] = row.rowid
        return values

    def _chosen(self) -> Known:
        """Return the best index, the hash of its key by row id, and whether it is complete.

        The best has another key for each row: one of mostly NULL cannot say whose a page is. One
        that lacks most of the rows that are there is another table's, or older.
        """
        best: Known = (None, {}, False)
        there: set[int] | None = None
        for index in sorted(
            self.shape.indexes, key=lambda one: (not one.is_key, not one.is_unique)
        ):
            known, is_complete = _entries(self._pages, index)
            if there is None:
                there = set(rowids_of(self._pages, self._tree))
            if 2 * len(there & known.keys()) < len(there):
                continue
            different = len(set(known.values()))
            if is_complete and different == len(known):
                return index, known, True
            if (is_complete, different) > (best[2], len(set(best[1].values()))):
                best = (index, known, is_complete)
        return best


def _entries(pages: Pages, index: Index) -> tuple[dict[int, int], bool]:
    """Return the hash of an index's key by row id, and whether all of it could be read."""
    tree = Tree(pages, index.root, of_index=True, is_ordered=index.is_ordered)
    known = {}
    for entry in entries_of(pages, tree):
        if len(entry) == len(index.columns) + 1 and isinstance(entry[-1], int):
            known[entry[-1]] = hash(tuple(entry[:-1]))
        else:
            tree.is_whole = False
    return known, tree.is_whole


class DamagedKeyedTable:
    """A table WITHOUT ROWID, which is an index of whole rows."""

    is_key_unique = False

    def __init__(self, pages: Pages, shape: Shape, places: Sequence[int]) -> None:
        self.shape = shape
        self._pages, self._places = pages, places
        self._tree = Tree(pages, shape.root, of_index=True)
        self.accepted: set[int] = set()

    @property
    def is_exact(self) -> bool:
        """Whether it is known how many rows there were."""
        return self._tree.is_whole

    def lost(self, saved: Set[int]) -> dict[int, int]:
        """Return nothing: which rows are lost is not known."""
        return {}

    def key_columns(self) -> tuple[int, ...]:
        """Return nothing, as lost() does."""
        return ()

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield None and the values of each row, in the order of the table's columns."""
        for values in entries_of(self._pages, self._tree):
            if len(values) <= self.shape.columns:
                stored = values + [
                    self.shape.defaults[place] for place in self._places[len(values) :]
                ]
                row = dict(zip(self._places, stored))
                yield (None, *(row[place] for place in range(self.shape.columns)))
            else:
                self._tree.is_whole = False

    def rows_on(self, number: int) -> Iterator[tuple[Any, ...]]:
        """Yield nothing."""
        return iter(())


def orphans(pages: Pages, leaves: Sequence[int], accepted: set[int]) -> list[int]:
    """Return the pages of rows that belong to no table so far, and are in use."""
    free = pages.free()
    return [number for number in leaves if number not in accepted and number not in free]
