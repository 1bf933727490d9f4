"""Finding: something about a store that its owner should know, and how the engines look for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from ..config.options import Config


Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a store that its owner should know."""

    id: str
    """What found it: the id of a check, such as "free-space"."""
    severity: Literal["info", "warning", "error"]
    """info: the store is well; warning: it needs attention; error: it is damaged or will fail."""
    text: str
    """What was found, with the file, table or row."""
    remedy: str = ""
    """What to do about it; empty if there is nothing to do."""
    fixable: bool = False
    """Whether `viewra-lite doctor --fix` does it."""


class Look(NamedTuple):
    """What the check of an engine looks at."""

    backend: Any
    config: Config
    connection: Any
    """In a transaction that reads."""
    now: datetime
    tables: frozenset[str]
    """The names of the tables of the store's modules."""
    until: float
    """When to stop, by time.monotonic()."""

    def all(self, sql: str, *values: object) -> list[Any]:
        """Return the rows of a query."""
        rows: list[Any] = self.connection.execute(sql, values).fetchall()
        return rows

    def value(self, sql: str, *values: object) -> Any:
        """Return the first column of the first row of a query."""
        return self.connection.execute(sql, values).fetchone()[0]

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.until


EngineFix = Callable[[Any], None]
"""Called with the backend, outside a transaction."""
EngineCheck = Callable[[Look], Iterator[Finding]]


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether findings are information alone."""
    return all(finding.severity == "info" for finding in findings)
