"""The trees of a damaged database: their pages, as far as they can be reached, and their rows.

Pages may have been swapped with others that look alike. So each is read with the keys that its
parent page allows, and any other key belongs elsewhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .pages import INDEX_INNER, INDEX_LEAF, TABLE_INNER, TABLE_LEAF, Pages
from .records import Damaged, cells_of, payload, values_of, varint

_ROW_IDS = (-(1 << 63) - 1, (1 << 63) - 1)
_KEYS = ((), ((9,),))  # below and above all that sort_key() returns
_RANKS = {type(None): 0, int: 1, float: 1, str: 2, bytes: 3}


class Leaf(NamedTuple):
    """A page, and between which keys its rows have to be."""

    number: int
    above: Any
    up_to: Any

    def allows(self, key: Any) -> bool:
        """Whether a row with this key may be on it."""
        return bool(self.above < key <= self.up_to)


class Row(NamedTuple):
    """A row of a table."""

    rowid: int
    values: list[Any]


class Tree:
    """The pages of one table, or of one index; is_ordered: with SQLite's default order."""

    def __init__(self, pages: Pages, root: int, *, of_index: bool, is_ordered: bool = True) -> None:
        self._pages = pages
        self._of_index = of_index
        self.is_ordered = is_ordered or not of_index
        self.leaves: list[Leaf] = []
        self.inner: list[Leaf] = []
        self.seen: set[int] = set()
        self.is_whole = root > 0
        ahead = [Leaf(root, *(_KEYS if of_index else _ROW_IDS))] if root else []
        while ahead:
            ahead.extend(reversed(self._children(ahead.pop())))

    def _children(self, leaf: Leaf) -> list[Leaf]:
        inner, outer = (INDEX_INNER, INDEX_LEAF) if self._of_index else (TABLE_INNER, TABLE_LEAF)
        number = leaf.number
        is_new = 0 < number <= self._pages.count and number not in self.seen
        page = self._pages[number] if is_new else b""
        kind = page[100 if number == 1 else 0] if is_new else 0
        if kind == outer:
            self.seen.add(number)
            self.leaves.append(leaf)
        elif kind == inner:
            try:
                below = self._below(page, leaf)
            except (Damaged, struct.error):
                self.is_whole = False
                return []
            self.seen.add(number)
            self.inner.append(leaf)
            return below
        else:
            self.is_whole = False
        return []

    def _below(self, page: bytes, leaf: Leaf) -> list[Leaf]:
        above, found = leaf.above, []
        for place in cells_of(page, leaf.number):
            [child] = struct.unpack_from(">I", page, place)
            key = self._key(page, place + 4)
            if self.is_ordered and not (above < key <= leaf.up_to):
                raise Damaged  # another tree's
            found.append(Leaf(child, above, key))
            above = key
        last = struct.unpack_from(">I", page, 108 if leaf.number == 1 else 8)[0]
        return [*found, Leaf(last, above, leaf.up_to)]

    def _key(self, page: bytes, place: int) -> Any:
        number, at = varint(page, place)
        if not self._of_index:
            return number
        return sort_key(values_of(payload(self._pages, page, at, number, of_index=True)))


def sort_key(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return what sorts as SQLite sorts these values: NULL, numbers, text, bytes."""
    return tuple((_RANKS[type(value)], 0 if value is None else value) for value in values)


def rows_of(pages: Pages, number: int) -> tuple[list[Row], bool]:
    """Return the rows of a page of a table, and whether each could be read."""
    page, found, is_whole = pages[number], [], True
    try:
        places = cells_of(page, number)
    except Damaged:
        return [], False
    for place in places:
        try:
            size, at = varint(page, place)
            rowid, at = varint(page, at)
            data = payload(pages, page, at, size, of_index=False)
            found.append(Row(rowid, values_of(data)))
        except Damaged:
            is_whole = False
    return found, is_whole


def rowids_of(pages: Pages, tree: Tree) -> Iterator[int]:
    """Yield the row ids of a table that are where its tree allows them."""
    for leaf in tree.leaves:
        page = pages[leaf.number]
        with suppress(Damaged):  # the rows of a damaged page are read one by one later
            for place in cells_of(page, leaf.number):
                rowid, _ = varint(page, varint(page, place)[1])
                if leaf.allows(rowid):
                    yield rowid


def entries_of(pages: Pages, tree: Tree) -> Iterator[list[Any]]:
    """Yield the entries of an index, those of inner pages too; clears is_whole at damage."""
    for leaf in tree.inner:
        yield from _entries(pages, tree, leaf, 4)
    for leaf in tree.leaves:
        entries = _entries(pages, tree, leaf, 0)
        ends = (entries[0], entries[-1]) if entries and tree.is_ordered else ()
        if all(leaf.allows(sort_key(entry)) for entry in ends):
            yield from entries
        else:
            tree.is_whole = False


def _entries(pages: Pages, tree: Tree, leaf: Leaf, ahead: int) -> list[list[Any]]:
    page, found = pages[leaf.number], []
    try:
        for place in cells_of(page, leaf.number):
            size, at = varint(page, place + ahead)
            found.append(values_of(payload(pages, page, at, size, of_index=True)))
    except Damaged:
        tree.is_whole = False
    return found
