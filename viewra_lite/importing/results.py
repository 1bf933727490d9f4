"""What an import came to."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field

from ..errors import InvalidValueError
from .record import COLUMNS, WatchedRecord


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that was not recorded, and why."""

    number: int
    """The line of the file, or which of the list it is, from 1."""
    what: str
    why: str
    near: list[str] = field(default_factory=list)
    """What the library has of that name, and is not the same."""
    record: WatchedRecord | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import came to; the numbers are of rows, and add up to the total."""

    id: str | None = None
    """Of the import, to undo it; None where nothing was changed."""
    format: str = ""
    """What the file was taken for."""
    total: int = 0
    imported: int = 0
    already: int = 0
    """Known before, or older than what is known."""
    left_out: list[Unmatched] = field(default_factory=list)
    """What the export does not say to be watched: plans, trailers, sums of other rows."""
    unmatched: list[Unmatched] = field(default_factory=list)
    waiting: int = 0
    """How many of the unmatched are now remembered for media that come later."""

    def write_unmatched(self, path: str | os.PathLike[str]) -> int:
        """Write the unmatched rows to a new CSV file, to be corrected and imported; how many.

        Raises InvalidValueError where the file is there already or cannot be written.
        """
        names = ["why", "near", *COLUMNS]
        try:
            with open(path, "x", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names, restval="")
                writer.writeheader()
                writer.writerows(_line(row) for row in self.unmatched)
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or "its name cannot be one"
            raise InvalidValueError(f"{os.fspath(path)}: cannot be written: {why}") from exc
        return len(self.unmatched)


def _line(row: Unmatched) -> dict[str, object]:
    facts = row.record.facts() if row.record is not None else {}
    known = {name: value for name, value in facts.items() if name in COLUMNS}
    return {"why": row.why, "near": "; ".join(row.near), **known}
