"""Reconciliation: update the store to the files that a library's folder holds.

Files arrive one by one and are written in bounded batches; those that did not arrive are marked
missing at the end, unless too many vanished at once. Memory grows by one number per file, so a
library of a million files fits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any

from ...config.options import Config
from ...database.orm.fields import canonical_path
from ...database.transactions.inserts import parts
from ...database.transactions.database import Database
from ...database.transactions.slices import in_slices
from ...errors import TransactionError
from .. import queries
from ..catalog.catalog import Catalog
from ..files import events
from ..files.works import Works
from ..libraries import locked
from ..models import MediaLibrary
from ..names import kinds
from . import queries as scan_queries
from .facts import (
    FACTS,
    DETAILS,
    FileFacts,
    ScanResult,
    checked_facts,
    content_of,
    facts_of,
    details_of,
)
from .log import log_begin, log_end
from .queries import KnownFile, known_of
from .replacements import Replacements
from .state import ScanState
from .tally import Tally

_LOOK_BACK = 2000


class Reconciliation:
    """Takes the files of a library, then marks the others as missing.

    A context manager: add() each file inside; a clean exit marks the files that were not added, an
    exception marks none. `result` then holds a ScanResult.
    """

    def __init__(
        self,
        db: Database,
        library: MediaLibrary,
        config: Config,
        *,
        accept_missing: bool = False,
        folder: str | None = None,
    ) -> None:
        self.library = library
        self.folder = folder
        """The part of the library that is reconciled; files elsewhere are not missing."""
        self.accept_missing = accept_missing
        self.tally = Tally()
        self._scan_state = ScanState(db, library.id, folder)
        self._db = db
        self._config = config
        self._freeze_above = 1.0 if accept_missing else config.freeze_threshold
        self._began = monotonic()
        self._held = ExitStack()
        self._batch: dict[str, FileFacts] = {}
        self._unreadable: list[str] = []
        self._present_before = 0
        self._state = "new"

    @property
    def result(self) -> ScanResult:
        """The ScanResult so far; complete after the end of the with block."""
        return self.tally.result

    def __enter__(self) -> Reconciliation:
        if self._state != "new":
            raise TransactionError("a reconciliation runs once: call reconcile() for another")
        with ExitStack() as held:
            self.library = held.enter_context(locked(self._db, self.library.id))
            self._inside, _ = self.between
            self._present_before = self._count_present()
            self._began_at = self._db.now()
            self._pull_back_last_scan()
            self._scan_state.begin()
            self._held = held.pop_all()
        self._state = "open"
        log_begin(self.library.id, self._present_before)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        abandoned, self._state = self._state == "abandoned", "closed"
        error = exc
        try:
            with self._held:
                self._close(exc, abandoned)
        except BaseException as failed:
            error = failed
            raise
        finally:
            log_end(self.library.id, self.result, abandoned, error)

    def _close(self, exc: BaseException | None, abandoned: bool) -> None:
        phase = "cancelled" if isinstance(exc, KeyboardInterrupt) else "failed"
        try:
            if exc is None and not abandoned:
                self.flush()
                self.finish()
                phase = "cancelled" if self.is_cancelled else "done"
        finally:
            unplaced = self.result.unplaced if phase == "done" else None
            self._scan_state.end(phase, self.result.errors, unplaced)

    @property
    def is_cancelled(self) -> bool:
        """Whether cancel_scan() has asked this run to end, as of the last report."""
        return self._scan_state.is_cancelled

    def report(self, phase: str, done: int, total: int) -> None:
        """Let other processes know how far this run is, once a second at most."""
        self._scan_state.report(phase, done, total, self.result.errors)

    def add(self, facts: FileFacts) -> None:
        """Add a file that exists; raises InvalidValueError for a path outside the library."""
        if self._state != "open":
            raise TransactionError("add() outside of reconcile(): call it inside the with block")
        self._batch[checked_facts(facts, self._inside)] = facts
        if len(self._batch) >= self._config.scan_batch_rows:
            self.flush()

    def skip(self, path: str) -> None:
        """Keep the stored state of a file or folder that is currently unreadable."""
        self._unreadable.append(canonical_path(path.rstrip(os.sep)))

    def flush(self) -> None:
        """Write the files added so far."""
        batch, self._batch = self._batch, {}
        if not batch:
            return
        rows = self._db.all(scan_queries.known_files, self.library.id, list(batch))
        known: dict[str, KnownFile] = {row.path: row for row in rows}
        new = {path: facts for path, facts in batch.items() if path not in known}
        # Most files are unchanged: they cost one comparison.
        differs = {path for path, row in known.items() if facts_of(batch[path]) != row.values}
        changed = {
            path
            for path in differs
            if _differs(content_of(batch[path]), content_of(known[path].facts))
        }
        supplied = {
            path
            for path in differs - changed
            if _differs(details_of(batch[path]), details_of(known[path].facts))
        }
        returned = {
            path for path, row in known.items() if row.status != "present" and path not in changed
        }
        renamed = {
            path
            for path in changed | supplied
            if batch[path].identity not in (None, known[path].facts.identity)
        }
        self._write(
            new,
            *(
                {known[path].id: batch[path] for path in paths}
                for paths in (changed, supplied, renamed, returned)
            ),
        )
        self.tally.note(known, new, changed | returned)
        self.report("walk", self.tally.seen, 0)

    def finish(self) -> None:
        """Match gone files with new ones, then mark the rest missing unless they are too many.

        After a cancellation nothing is matched or missing: not every file was added.
        """
        self.report("finish", self.tally.seen, self.tally.seen)
        if not self.is_cancelled:
            self._match_and_mark()
        self.tally.set(
            missing=self.count_missing(),
            unplaced=self._scan_state.count_unplaced(self.result),
            seconds=monotonic() - self._began,
            cancelled=self.is_cancelled,
        )

    def _match_and_mark(self) -> None:
        matches = Replacements(self._db, self.library, self.tally, self._began_at)
        left = matches.moved(self._gone())
        gone = set(left)
        self._run(partial(self._rename_into, some, gone) for some in parts(left))
        left = matches.replaced(left)
        if len(left) > self._freeze_above * self._present_before:
            self.tally.set(
                frozen=f"{len(left)} of {self._present_before} files would vanish at once, more "
                f"than freeze_threshold={self._freeze_above:g}, so nothing was marked missing. Is "
                "the disk there? If they are really gone, scan again with accept_missing=True"
            )
        else:
            self._mark_missing(left)
        matches.long_gone()
        if self.folder is None:
            self._db.run(queries.library_scanned, self.library.id, self._db.now())

    def has_files(self) -> bool:
        """Whether a file of the library, or of its part, is known."""
        rows = self._db.all(scan_queries.count_below, self.library.id, *self.between)
        return bool(rows)

    def count_missing(self) -> int:
        """Count the files that are missing."""
        return self._counted("missing")

    def abandon(self, reason: str) -> ScanResult:
        """End without writing anything, because the folder cannot be read."""
        self._state = "abandoned"
        self.tally.set(errors=1, frozen=reason, missing=self.count_missing())
        self.tally.set(unplaced=self._scan_state.count_unplaced(self.result))
        return self.result

    # Inside

    def _pull_back_last_scan(self) -> None:
        """Set last_scan in the future, of a clock that ran ahead, to just before this run."""
        last = self.library.last_scan
        if last is not None and last > self._began_at:
            self.library.last_scan = self._began_at - timedelta(milliseconds=1)
            if self.folder is None:
                self._db.run(queries.library_scanned, self.library.id, self.library.last_scan)

    def _count_present(self) -> int:
        return self._counted("present")

    def _counted(self, status: str) -> int:
        """Count the files of the library, or of its part, that have a status."""
        if self.folder is not None:
            rows = self._db.all(scan_queries.count_below, self.library.id, *self.between)
            return int(dict(rows).get(status, 0))
        missing = int(self._db.one(scan_queries.count_missing, self.library.id)[0])
        if status == "missing":
            return missing
        return int(self._db.one(scan_queries.count_files, self.library.id)[0]) - missing

    @property
    def between(self) -> tuple[str, str]:
        """The two paths between which all files of the library, or of its part, are."""
        inside = os.path.join(self.folder or self.library.path, "")
        return inside, inside[:-1] + chr(ord(os.sep) + 1)

    def _write(
        self,
        new: dict[str, FileFacts],
        changed: dict[str, FileFacts],
        supplied: dict[str, FileFacts],
        renamed: dict[str, FileFacts],
        returned: dict[str, FileFacts],
    ) -> None:
        self._run(
            partial(write, part)
            for write, files in (
                (self._insert, new),
                (self._change, changed),
                (self._supply, supplied),
                (self._link, renamed),
                (self._return, returned),
            )
            for part in parts(list(files.items()))
        )

    def _run(self, writes: Iterable[Callable[[], None]]) -> None:
        """Write in transactions that end after scan_batch_ms, or when another writer waits."""
        in_slices(self._db, writes, most_ms=self._config.scan_batch_ms)

    def _insert(self, new: _Files) -> None:
        rows = self._rows(new)
        scan_queries.insert_files.run(self._db, rows)
        events.record(self._db, "file.added", rows)
        # New files share the watch state of the works that the caller names.
        named = {id: facts.identity for (id, *_), (_, facts) in zip(rows, new) if facts.identity}
        if named:
            Works(self._db).link_new(named)

    def _link(self, renamed: _Files) -> None:
        works = Works(self._db)
        for id, facts in renamed:
            works.link(id, works.of_identity(str(facts.identity)))

    def _change(self, changed: _Files) -> None:
        now = self._db.now()
        for id, facts in changed:
            supplied = dict(zip(FACTS, facts_of(facts)))
            self._db.run(scan_queries.change_file, id=id, now=now, **supplied)
        events.record(self._db, "file.updated", changed)

    def _supply(self, supplied: _Files) -> None:
        now = self._db.now()
        for id, facts in supplied:
            self._db.run(
                scan_queries.supply_details, id=id, now=now, **dict(zip(DETAILS, details_of(facts)))
            )
        events.record(self._db, "file.updated", supplied)

    def _return(self, returned: _Files) -> None:
        now = self._db.now()
        for id, _ in returned:
            self._db.run(scan_queries.file_returned, now, id)
        events.record(self._db, "file.updated", returned)

    def _rows(self, new: _Files) -> list[tuple[Any, ...]]:
        library_id, now = self.library.id, self._db.now()
        return [
            (
                id,
                library_id,
                path,
                filename := path[path.rindex(os.sep) + 1 :],
                now,
                now,
                facts.mime_type or kinds.mime_type(filename),
                facts.container or kinds.container(filename),
                *known_of(facts),
            )
            for id, (path, facts) in zip(self._db.new_ids(len(new)), new)
        ]

    def _gone(self) -> Iterator[str]:
        """Yield the ids of files that are stored as present and were not added."""
        if not self.result.moved and self._count_present() == self.tally.seen:
            return  # as many files are present as were added
        last, end = self.between
        while rows := self._db.all(
            scan_queries.present_paths_between, self.library.id, last, end, _LOOK_BACK
        ):
            last = rows[-1][0]
            yield from (
                id
                for path, id in rows
                if not self.tally.has_seen(path) and not self.is_unreadable(path)
            )

    def is_gone(self, path: str) -> bool:
        """Whether a stored file was not found, though nothing around it is unreadable."""
        start, end = self.between
        is_inside = start < path < end
        return is_inside and not self.tally.has_seen(path) and not self.is_unreadable(path)

    def is_unreadable(self, path: str) -> bool:
        """Whether a file or a folder, or one around it, is currently unreadable."""
        return any(path == one or path.startswith(one + os.sep) for one in self._unreadable)

    def _rename_into(self, some: Sequence[str], gone: set[str]) -> None:
        catalog = Catalog(self._db, self.library)
        catalog.rename_into(some, gone)
        catalog.finish()

    def _mark_missing(self, gone: list[str]) -> None:
        self._run(partial(self._mark, ids) for ids in parts(gone))

    def _mark(self, ids: Sequence[str]) -> None:
        marked = self._db.run_returning(scan_queries.mark_missing, self._db.now(), ids)
        self.tally.count(removed=len(marked))
        events.record(self._db, "file.missing", marked)
        Catalog(self._db, self.library).prefer_present(ids)


_Files = Sequence[tuple[str, FileFacts]]  # path or id, and the facts


def _differs(new: tuple[Any, ...], old: tuple[Any, ...]) -> bool:
    """Whether a supplied value differs from the stored one; None is not supplied."""
    return new != old and any(one not in (None, other) for one, other in zip(new, old))
