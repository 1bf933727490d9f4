"""Multi-row inserts, where a statement for each row would be the largest cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from ..orm.statements import Compiled, Statement
from .database import Database

PART = 100
"""Rows to write before checking whether another thread is waiting for the writer."""
_Row = TypeVar("_Row")
_PARAMETERS = 999  # the limit of a statement before SQLite 3.32


def parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Split rows into pieces that are short enough for waiting writers."""
    for start in range(0, len(rows), PART):
        yield rows[start : start + PART]


class Insert:
    """An INSERT of the given columns of one table."""

    def __init__(self, *fields: Any) -> None:
        def build(*values: Any) -> Any:
            return fields[0].model.insert(dict(zip(fields, values)))

        names = {field.name for field in fields}
        defaults = sum(field.name not in names for field in fields[0].model._meta.defaults)
        # A part is a whole number of full statements.
        self.together = next(
            rows for rows in (100, 50, 25, 1) if rows * (len(fields) + defaults) <= _PARAMETERS
        )
        self.one = Statement(build, arity=len(fields))
        self.many = _Repeated(self.one, self.together)

    def run(self, db: Database, rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows of values inside the open writer."""
        step, bound = self.together, db.bound(self.one, rows)
        whole = len(bound) // step * step
        together = [list(chain.from_iterable(bound[n : n + step])) for n in range(0, whole, step)]
        for statement, part in ((self.many, together), (self.one, bound[whole:])):
            if part:
                db.run_bound(statement, part)


class _Repeated(Statement):
    """An INSERT of a number of rows, whose values are already converted for the driver."""

    def __init__(self, one: Statement, rows: int) -> None:
        super().__init__(one.build, arity=one.arity * rows)
        self.one = one
        self.rows = rows

    def compile(self, engine: str, database: Any) -> Compiled:
        """Write the values of one row again for each; Peewee takes milliseconds for a thousand."""
        one = self.one.compiled.get(engine) or self.one.compile(engine, database)
        values = f"({', '.join([database.param] * one.sql.count(database.param))})"
        before, _, after = one.sql.partition(values)
        compiled = Compiled(before + ", ".join([values] * self.rows) + after, tuple, None)
        self.compiled[engine] = compiled
        return compiled
