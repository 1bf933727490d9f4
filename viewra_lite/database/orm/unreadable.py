"""The row of a stored text that is not UTF-8, which makes SQLite's drivers refuse all its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import CorruptStoreError
from .reading import unreadable

if TYPE_CHECKING:
    from .statements import Compiled


def named(
    error: BaseException,
    connection: Any = None,
    compiled: Compiled | None = None,
    arguments: Sequence[Any] = (),
) -> BaseException:
    """Return the error that names table, column and row of a text that cannot be read.

    The same error for any other, or if the row is not found. Runs the statement again.
    """
    is_ours = isinstance(error, CorruptStoreError) and str(error).startswith("a stored text")
    if not is_ours or compiled is None or compiled.query is None:
        return error
    try:
        return _found(connection, compiled, arguments) or error
    except Exception:  # of a database that is damaged otherwise too
        return error


def _found(
    connection: Any, compiled: Compiled, arguments: Sequence[Any]
) -> CorruptStoreError | None:
    from .rows import columns_of_query

    fields = columns_of_query(compiled.query)
    names = [f"c{n}" for n in range(len(fields))]
    values = (f"CASE typeof({name}) WHEN 'text' THEN hex({name}) END" for name in names)
    sql = (
        f"WITH found({', '.join(names)}) AS ({compiled.sql}) SELECT {', '.join(values)} FROM found"
    )
    for row in connection.execute(sql, compiled.bind(arguments)).fetchall():
        found = [None if value is None else bytes.fromhex(value) for value in row]
        for field, text in zip(fields, found):
            if field is not None and text is not None and not _is_utf8(text):
                return unreadable(field, text, _id(field, fields, found))
    return None


def _id(field: Any, fields: Sequence[Any], texts: Sequence[bytes | None]) -> str | None:
    ids = (
        repr(text.decode("utf-8", "backslashreplace"))
        for each, text in zip(fields, texts)
        if each is not None and text is not None and each.model is field.model and each.primary_key
    )
    return next(ids, None)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
