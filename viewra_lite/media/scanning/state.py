"""The state of a scan in the store: other processes read it, and ask the scan to end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ...database.transactions.database import Database
from ...errors import ViewraError
from .. import queries
from ..files import queries as file_queries
from .facts import ScanResult

_EVERY = timedelta(seconds=1)
_CHANGING = ("added", "updated", "moved", "removed", "probed")


class ScanState:
    """The row of a scan in media_scans, written once a second at most and with each phase."""

    def __init__(self, db: Database, library_id: str, folder: str | None) -> None:
        self.is_cancelled = False
        """Whether the scan was asked to end, as of the last report that was written."""
        self._db = db
        self._library_id = library_id
        self._folder = folder
        self._written: datetime | None = None
        self._phase = "walk"
        self._numbers = (0, 0, 0)

    def begin(self) -> None:
        """Write that the scan runs."""
        self._written = self._db.now()
        with self._db.writer():
            self._db.run(queries.scan_begins, self._library_id, self._folder, self._written)
            self._record("scan.started")

    def report(self, phase: str, done: int, total: int, errors: int) -> None:
        """Write how far the scan is, if the last report is a second old or of another phase."""
        self._numbers = done, total, errors
        now = self._db.now()
        # A clock that is set back must not stop the reports.
        if phase != self._phase or self._written is None or abs(now - self._written) >= _EVERY:
            self._phase, self._written = phase, now
            rows = self._db.run_returning(
                queries.scan_continues, self._library_id, phase, done, total, errors, now
            )
            self.is_cancelled = any(row.is_cancelled for row in rows)

    def count_unplaced(self, result: ScanResult) -> int:
        """Count the files that belong to nothing, anew if a file of the library has changed."""
        before = self._db.one(file_queries.unplaced_before, self._library_id)
        has_changed = any(getattr(result, name) for name in _CHANGING)
        if has_changed or before is None or before[0] is None:
            before = self._db.one(file_queries.count_unplaced, self._library_id)
        return int(before[0])

    def end(self, phase: str, errors: int, unplaced: int | None) -> None:
        """Write how the scan ended: done, cancelled or failed."""
        done, total, _ = self._numbers
        with suppress(*(() if phase == "done" else (ViewraError,))):  # the first error is raised
            now = self._db.now()
            with self._db.writer():
                self._db.run(
                    queries.scan_ends, self._library_id, phase, done, total, errors, unplaced, now
                )
                self._record("scan.finished", phase=phase)

    def _record(self, event: str, **facts: Any) -> None:
        self._db.events.record(event, library_id=self._library_id, folder=self._folder, **facts)
