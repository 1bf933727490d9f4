"""PostgreSQL's times and dates without a Python value, such as infinity and the year 20000."""

from __future__ import annotations

from typing import Any

TYPES = ("timestamptz", "date")


def read_all_times(connection: Any) -> None:
    """Let a connection return such values as text; the driver would refuse the whole row.

    The reader of the row can then name the value in its error.
    """
    from psycopg import DataError
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    adapters = connection.adapters
    for name in TYPES:
        oid = adapters.types[name].oid
        refusing = adapters.get_loader(oid, Format.TEXT)

        class Lenient(Loader):
            def __init__(self, oid: int, context: Any = None, kind: Any = refusing) -> None:
                super().__init__(oid, context)
                self._load = kind(oid, context).load

            def load(self, data: Any) -> Any:
                try:
                    return self._load(data)
                except DataError:
                    return bytes(data).decode()

        adapters.register_loader(oid, Lenient)
