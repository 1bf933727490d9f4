"""The result of an import."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field

from ..errors import InvalidValueError
from .record import COLUMNS, WatchedRecord


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that was not imported, with the reason."""

    number: int
    """The line of the file, or the position in the list, from 1."""
    what: str
    """The title of the row, for display."""
    why: str
    """The reason."""
    near: list[str] = field(default_factory=list)
    """Similar titles in the library, which are never taken for the same."""
    record: WatchedRecord | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import; numbers count rows and add up to the total."""

    id: str | None = None
    """The import's id, for undo(); None if nothing was changed."""
    format: str = ""
    """The name of the file's format."""
    total: int = 0
    """The number of rows."""
    imported: int = 0
    """Rows that changed something."""
    already: int = 0
    """Rows that were known, or older than the stored state."""
    left_out: list[Unmatched] = field(default_factory=list)
    """Rows that are not plays: plans, trailers, sums of other rows."""
    unmatched: list[Unmatched] = field(default_factory=list)
    """Rows without a match in the library, and unreadable rows."""
    waiting: int = 0
    """The number of unmatched rows that are matched again after each scan."""

    def write_unmatched(self, path: str | os.PathLike[str]) -> int:
        """Write the unmatched rows to a new CSV file, to correct and import; return their number.

        Raises InvalidValueError if the file exists or cannot be written.
        """
        names = ["why", "near", *COLUMNS]
        try:
            with open(path, "x", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, names, restval="")
                writer.writeheader()
                writer.writerows(_line(row) for row in self.unmatched)
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or "its name is not valid"
            raise InvalidValueError(f"{os.fspath(path)}: cannot be written: {why}") from exc
        return len(self.unmatched)


def _line(row: Unmatched) -> dict[str, object]:
    values = row.record.json_values() if row.record is not None else {}
    known = {name: value for name, value in values.items() if name in COLUMNS}
    return {"why": row.why, "near": "; ".join(row.near), **known}
