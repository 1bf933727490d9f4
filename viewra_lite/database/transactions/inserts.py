"""Multi-row inserts, where a statement for each row would be the largest cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..orm.statements import Statement
from .database import Database

PART = 100
"""Rows to write before checking whether another thread is waiting for the writer."""
_PARAMETERS = 999  # the limit of a statement before SQLite 3.32


class Insert:
    """An INSERT of the given columns of one table."""

    def __init__(self, *fields: Any) -> None:
        def build(*values: Any) -> Any:
            rows = zip(*[iter(values)] * len(fields))
            return fields[0].model.insert_many(rows, fields=fields)

        # A part is a whole number of full statements.
        self.together = next(rows for rows in (100, 50, 25, 1) if rows * len(fields) <= _PARAMETERS)
        self.one = Statement(build, arity=len(fields))
        self.many = Statement(build, arity=len(fields) * self.together)

    def run(self, db: Database, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows in the open writer; the values must be in the driver's form."""
        step = self.together
        whole = len(rows) // step * step
        together = [list(chain.from_iterable(rows[n : n + step])) for n in range(0, whole, step)]
        for statement, part in ((self.many, together), (self.one, rows[whole:])):
            if part:
                db.run_many(statement, part)
