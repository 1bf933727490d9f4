"""Inserts of many rows with few statements, where a statement for each would cost the most."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from .sessions import Sessions
from .statements import Statement

ROWS = 50
"""Rows in one statement: SQLite before 3.32 takes 999 parameters."""


class Insert:
    """The INSERT of these columns of one table."""

    def __init__(self, *fields: Any) -> None:
        def build(*values: Any) -> Any:
            rows = zip(*[iter(values)] * len(fields))
            return fields[0].model.insert_many(rows, fields=fields)

        self.one = Statement(build, arity=len(fields))
        self.many = Statement(build, arity=len(fields) * ROWS)

    def run(self, sessions: Sessions, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows inside the open writer; values are as the driver wants them."""
        whole = len(rows) // ROWS * ROWS
        together = [list(chain.from_iterable(rows[n:n + ROWS])) for n in range(0, whole, ROWS)]
        for statement, part in ((self.many, together), (self.one, rows[whole:])):
            if part:
                sessions.run_many(statement, part)
