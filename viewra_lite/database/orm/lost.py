"""Tables and columns of the store that are gone: the error that names the first of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import CorruptStoreError
from .models import StoreModel

if TYPE_CHECKING:
    from ..backend import Backend

_IS_MISSING = " is missing in the database: "
_REMEDY = "viewra-lite doctor finds what else is missing; restore a backup (viewra-lite restore)"
_SEARCH_REMEDY = "rebuild the search index: viewra-lite doctor --only search-index --fix"
# What a model has besides its fields.
_MORE_COLUMNS = re.compile(r"^ALTER TABLE \w+ ADD COLUMN (\w+)")
_FULL_TEXT = re.compile(r"^CREATE VIRTUAL TABLE (\w+)")
FULL_TEXT_PARTS = ("config", "data", "idx")
"""The ends of the names of the tables of a full-text index."""


def lost(backend: Backend) -> CorruptStoreError | None:
    """Return the error that names a table or a column that is gone; None if none is.

    Asks the database, because a statement that fails does not always say which table it needs.
    """
    try:
        found = backend.database.columns()
    except Exception:  # the first error says more
        return None
    for model in _models(StoreModel):
        table, ddl = model._meta.table_name, model.extra_ddl.get(backend.engine, ())
        if table not in found:
            return _gone(f"the table {table}", _REMEDY)
        columns = {field.column_name for field in model._meta.sorted_fields}
        columns.update(name for text in ddl for name in _MORE_COLUMNS.findall(text))
        for column in sorted(columns - found[table]):
            return _gone(f"the column {table}.{column}", _REMEDY)
        for name in (name for text in ddl for name in _FULL_TEXT.findall(text)):
            if name not in found:
                return _gone(f"the table {name}", _SEARCH_REMEDY)
            for part in FULL_TEXT_PARTS:
                if f"{name}_{part}" not in found:
                    return _gone(f"the table {name}_{part}", _SEARCH_REMEDY)
    return None


def raise_lost(error: CorruptStoreError) -> None:
    """Raise an error of lost() again: it is not about single rows."""
    if _IS_MISSING in str(error):
        raise error


def _gone(what: str, remedy: str) -> CorruptStoreError:
    return CorruptStoreError(f"{what}{_IS_MISSING}{remedy}")


def _models(base: Any) -> Iterator[Any]:
    for model in base.__subclasses__():
        if below := list(_models(model)):
            yield from below
        else:
            yield model
