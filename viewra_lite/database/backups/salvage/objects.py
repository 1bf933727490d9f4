"""The tables and indexes of a damaged database, as its own catalogue or an older one has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .pages import INDEX_INNER, INDEX_LEAF, TABLE_INNER, TABLE_LEAF, Pages
from .trees import Row, Tree, rows_of

_KINDS = ("table", "index", "trigger", "view")


class Object(NamedTuple):
    """A row of sqlite_master."""

    type: str
    name: str
    table: str
    root: int
    """Its first page; 0 if it has none, or if that is not known."""
    sql: str | None


class Catalogue(NamedTuple):
    """What a database consists of."""

    objects: dict[str, Object]
    is_whole: bool


def catalogue_of(pages: Pages, leaves: Iterable[int]) -> Catalogue:
    """Read the catalogue of a damaged database; leaves are all pages of tables in it.

    Where its own pages cannot be reached, they are recognised by their content.
    """
    tree = Tree(pages, 1 if pages.count else 0, of_index=False)
    found, is_whole = {}, tree.is_whole
    for leaf in tree.leaves:
        rows, whole = rows_of(pages, leaf.number)
        ours = _objects(pages, rows)
        is_ours = len(ours) == len(rows) and all(leaf.allows(row.rowid) for row in rows)
        is_whole = is_whole and whole and is_ours
        found.update(ours)
    if not is_whole:
        free = pages.free()
        for number in leaves:
            if number not in tree.seen and number not in free:
                for name, one in _objects(pages, rows_of(pages, number)[0]).items():
                    found.setdefault(name, one)
    return Catalogue(found, is_whole and bool(found))


def completed(catalogue: Catalogue, pages: Pages, other: Iterable[Object]) -> Catalogue:
    """Add what a damaged catalogue lacks from that of another database of the same store.

    A backup has its tables on the same pages as the store had, so their places are tried.
    """
    if catalogue.is_whole:
        return catalogue
    objects = dict(catalogue.objects)
    roots = {one.root for one in objects.values()}
    for one in other:
        if one.name not in objects:
            is_there = one.root not in roots and _may_be_root(pages, one)
            objects[one.name] = one if is_there else one._replace(root=0)
    return Catalogue(objects, False)


def _objects(pages: Pages, rows: list[Row]) -> dict[str, Object]:
    return {row.values[1]: Object(*row.values) for row in rows if _is_object(pages, row.values)}


def _is_object(pages: Pages, values: list[Any]) -> bool:
    if len(values) != 5:
        return False
    kind, name, table, root, sql = values
    return bool(
        kind in _KINDS
        and isinstance(name, str)
        and isinstance(table, str)
        and isinstance(root, int)
        and root >= 0
        and (isinstance(sql, str) and sql[:6].upper() == "CREATE" or sql is None)
    )


def _may_be_root(pages: Pages, one: Object) -> bool:
    if not 0 < one.root <= pages.count:
        return False
    kinds = (TABLE_INNER, TABLE_LEAF) if one.type == "table" else (INDEX_INNER, INDEX_LEAF)
    return pages[one.root][0] in kinds
