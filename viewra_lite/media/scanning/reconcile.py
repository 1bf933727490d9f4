"""Bring what the store knows of a library in line with what is there.

Files arrive one by one and are written in bounded batches; what did not arrive is marked missing
in the end, unless too much of it vanished at once. Memory grows by one number for each file, so a
library of a million files fits.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

from ...config.options import Config
from ...database.orm.fields import canonical_path
from ...database.transactions.inserts import PART
from ...database.transactions.database import Database
from ...errors import TransactionError
from .. import queries
from ..catalog.catalog import Catalog
from ..files.works import Works
from ..libraries import locked
from ..models import MediaLibrary
from ..names import kinds
from . import queries as scan_queries
from .facts import (
    FACTS,
    TOLD,
    FileFacts,
    Problem,
    ScanResult,
    checked_facts,
    content_of,
    facts_of,
    told_of,
)
from .log import log_begin, log_end
from .queries import Known, known_of
from .replacements import Replacements

_LOOK_BACK = 2000


class Reconciliation:
    """Takes the files of a library, then marks as missing what did not come.

    A context manager: add() each file inside; a clean exit marks what was not added, an exception
    leaves everything else as it was. `result` then holds a ScanResult.
    """

    def __init__(
        self, db: Database, library: MediaLibrary, config: Config, *, accept_missing: bool = False
    ) -> None:
        self.result = ScanResult()
        self.library = library
        self._db = db
        self._config = config
        self._freeze_above = 1.0 if accept_missing else config.freeze_threshold
        self._began = monotonic()
        self._held = ExitStack()
        self._batch: dict[str, FileFacts] = {}
        # Each file's path stands in one of them, as a number: the paths themselves would be large.
        self._new: set[int] = set()
        self._updated: set[int] = set()
        self._unchanged: set[int] = set()
        self._unreadable: list[str] = []
        self._present_before = 0
        self._state = "new"

    def __enter__(self) -> Reconciliation:
        if self._state != "new":
            raise TransactionError("a reconciliation runs once: ask for another with reconcile()")
        self.library = self._held.enter_context(locked(self._db, self.library.id))
        self._inside = self.library.path.rstrip(os.sep) + os.sep
        self._present_before = self._count_present()
        self._began_at = self._db.now()
        self._pull_back_last_scan()
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
                if exc is None and not abandoned:
                    self.flush()
                    self.finish()
        except BaseException as failed:
            error = failed
            raise
        finally:
            log_end(self.library.id, self.result, abandoned, error)

    def add(self, facts: FileFacts) -> None:
        """Note one file that is there; raises InvalidValueError for a path outside the library."""
        if self._state != "open":
            raise TransactionError("add() outside the with block of reconcile()")
        self._batch[checked_facts(facts, self._inside)] = facts
        if len(self._batch) >= self._config.scan_batch_rows:
            self.flush()

    def skip(self, path: str) -> None:
        """Leave alone what is known of a file or a folder that cannot be read now."""
        self._unreadable.append(canonical_path(path.rstrip(os.sep)))

    def flush(self) -> None:
        """Write what was added so far."""
        batch, self._batch = self._batch, {}
        if not batch:
            return
        rows = self._db.all(scan_queries.known_files, self.library.id, list(batch))
        known: dict[str, Known] = {row.path: row for row in rows}
        new = {path: facts for path, facts in batch.items() if path not in known}
        # Nearly always everything is as it was: then a file costs one comparison.
        differs = {path for path, row in known.items() if facts_of(batch[path]) != facts_of(row)}
        changed = {
            path for path in differs if _says_more(content_of(batch[path]), content_of(known[path]))
        }
        told = {
            path
            for path in differs - changed
            if _says_more(told_of(batch[path]), told_of(known[path]))
        }
        returned = {
            path for path, row in known.items() if row.status != "present" and path not in changed
        }
        renamed = {
            path
            for path in changed | told
            if batch[path].identity not in (None, known[path].identity)
        }
        self._write(
            new,
            *(
                {known[path].id: batch[path] for path in paths}
                for paths in (changed, told, renamed, returned)
            ),
        )
        self._note(known, list(new), changed | returned)

    def finish(self) -> None:
        """Match what is gone with what is new, then mark the rest missing unless it is too much."""
        matches = Replacements(self._db, self.library, self, self._began_at)
        left = matches.moved(self._gone())
        gone = set(left)
        self._run(partial(self._rename_into, some, gone) for some in _parts(left))
        left = matches.replaced(left)
        if len(left) > self._freeze_above * self._present_before:
            self.freeze(
                f"{len(left)} of {self._present_before} files would vanish at once, more than "
                f"freeze_threshold={self._freeze_above:g}, so nothing was marked missing. Is the "
                "disk there? If they are really gone, scan again with accept_missing=True"
            )
        else:
            self._mark_missing(left)
        matches.long_gone()
        self._db.run(queries.library_scanned, self.library.id, self._db.now())
        self.result = replace(
            self.result, missing=self.count_missing(), seconds=monotonic() - self._began
        )

    def is_new(self, path: str) -> bool:
        """Whether the file at a path was first seen in this run."""
        return hash(path) in self._new

    def count_missing(self) -> int:
        """Count the files of the library that are missing."""
        return int(self._db.one(scan_queries.count_missing, self.library.id)[0])

    def abandon(self, reason: str) -> ScanResult:
        """End at once because the folder cannot be read: nothing is known, nothing is written."""
        self._state = "abandoned"
        self.result = ScanResult(errors=1, frozen=reason, missing=self.count_missing())
        return self.result

    def freeze(self, reason: str) -> None:
        """Say why nothing is marked missing."""
        self.result = replace(self.result, frozen=reason)

    def moved(self, path: str) -> None:
        """Count a file as moved, whatever it was taken for at first."""
        self._count(**{self._recounted(path): -1}, moved=1)

    def replaced(self, path: str) -> None:
        """Count a file first taken for new that replaces another of the same movie or episode."""
        self._count(**{self._recounted(path): -1})
        self._count(updated=1)

    def note_lacking(self, packages: tuple[str, ...]) -> None:
        """Say which optional packages are not installed."""
        self.result = replace(self.result, not_probed=packages)

    def note_probed(self, files: int) -> None:
        """Say how many files were looked into."""
        self.result = replace(self.result, probed=files)

    def problem(self, path: str, message: str) -> None:
        """Count an error, and keep the first hundred."""
        problems = self.result.problems
        if len(problems) < 100:
            problems = (*problems, Problem(path, message))
        self.result = replace(self.result, errors=self.result.errors + 1, problems=problems)

    # Inside

    def _pull_back_last_scan(self) -> None:
        """Let what comes from now on be new, though the clock ran ahead in the last scan."""
        last = self.library.last_scan
        if last is not None and last > self._began_at:
            self.library.last_scan = self._began_at - timedelta(milliseconds=1)
            self._db.run(queries.library_scanned, self.library.id, self.library.last_scan)

    def _recounted(self, path: str) -> str:
        """Take a file for known from now on, and return what it was counted as."""
        seen = hash(path)
        self._unchanged.add(seen)
        for name, files in (("added", self._new), ("updated", self._updated)):
            if seen in files:
                files.remove(seen)
                return name
        return "unchanged"  # what an interrupted run wrote as new, this one found known

    def _count(self, **changes: int) -> None:
        numbers: dict[str, Any] = {
            name: getattr(self.result, name) + by for name, by in changes.items()
        }
        self.result = replace(self.result, **numbers)

    def _count_present(self) -> int:
        everything = int(self._db.one(scan_queries.count_files, self.library.id)[0])
        return everything - self.count_missing()

    def _note(self, known: dict[str, Known], new: list[str], updated: set[str]) -> None:
        """Count each file once, however often it was added."""
        seen = set(map(hash, known))
        if all(map(seen.isdisjoint, (self._new, self._updated, self._unchanged))):
            first = set(known)
        else:
            first = {path for path in known if not self._has_seen(path)}
        self._new.update(map(hash, new))
        self._updated.update(map(hash, first & updated))
        self._unchanged.update(map(hash, first - updated))
        self._count(added=len(new), updated=len(first & updated), unchanged=len(first - updated))

    def _has_seen(self, path: str) -> bool:
        seen = hash(path)
        return seen in self._unchanged or seen in self._new or seen in self._updated

    def _write(
        self,
        new: dict[str, FileFacts],
        changed: dict[str, FileFacts],
        told: dict[str, FileFacts],
        renamed: dict[str, FileFacts],
        returned: dict[str, FileFacts],
    ) -> None:
        self._run(
            partial(write, part)
            for write, files in (
                (self._insert, new),
                (self._change, changed),
                (self._tell, told),
                (self._link, renamed),
                (self._return, returned),
            )
            for part in _parts(list(files.items()))
        )

    def _run(self, writes: Iterable[Callable[[], None]]) -> None:
        """Write in transactions that end after scan_batch_ms, or when somebody waits for that."""
        left = deque(writes)
        while left:
            self._db.yield_to_writers()
            with self._db.writer():
                # The time that counts starts once the writer is ours.
                deadline = monotonic() + self._config.scan_batch_ms / 1000
                left.popleft()()
                while left and not self._db.is_writer_awaited() and monotonic() < deadline:
                    left.popleft()()

    def _insert(self, new: _Files) -> None:
        rows = self._rows(new)
        scan_queries.insert_files.run(self._db, rows)
        # They share the watch state of what the caller says that they are.
        named = {row[0]: facts.identity for row, (_, facts) in zip(rows, new) if facts.identity}
        if named:
            Works(self._db).link_new(named)

    def _link(self, renamed: _Files) -> None:
        works = Works(self._db)
        for id, facts in renamed:
            works.link(id, works.of_identity(str(facts.identity)))

    def _change(self, changed: _Files) -> None:
        now = self._db.now()
        for id, facts in changed:
            told = dict(zip(FACTS, facts_of(facts)))
            self._db.run(scan_queries.change_file, id=id, now=now, **told)

    def _tell(self, told: _Files) -> None:
        now = self._db.now()
        for id, facts in told:
            self._db.run(scan_queries.tell_file, id=id, now=now, **dict(zip(TOLD, told_of(facts))))

    def _return(self, returned: _Files) -> None:
        now = self._db.now()
        for id, _ in returned:
            self._db.run(scan_queries.file_returned, now, id)

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
        """Yield ids of files that are known as present and were not added."""
        added = len(self._new) + len(self._updated) + len(self._unchanged)
        if not self.result.moved and self._count_present() == added:
            return  # each file that was added is present, so there are no others to look for
        last = ""
        while rows := self._db.all(
            scan_queries.present_paths_after, self.library.id, last, _LOOK_BACK
        ):
            last = rows[-1][0]
            yield from (
                id
                for path, id in rows
                if not self._has_seen(path) and not self._is_unreadable(path)
            )

    def _is_unreadable(self, path: str) -> bool:
        return any(path == one or path.startswith(one + os.sep) for one in self._unreadable)

    def _rename_into(self, some: Sequence[str], gone: set[str]) -> None:
        catalog = Catalog(self._db, self.library)
        catalog.rename_into(some, gone)
        catalog.finish()

    def _mark_missing(self, gone: list[str]) -> None:
        self._run(partial(self._mark, ids) for ids in _parts(gone))

    def _mark(self, ids: Sequence[str]) -> None:
        marked = self._db.run(scan_queries.mark_missing, self._db.now(), ids)
        self._count(removed=marked)
        Catalog(self._db, self.library).prefer_present(ids)


_Row = TypeVar("_Row")
_Files = Sequence[tuple[str, FileFacts]]  # path or id, and what is known of it now


def _parts(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Cut what is to be written into pieces short enough for whoever waits."""
    for start in range(0, len(rows), PART):
        yield rows[start : start + PART]


def _says_more(new: tuple[Any, ...], old: tuple[Any, ...]) -> bool:
    """Whether something that is known differs from what is stored; None is not known."""
    return new != old and any(one not in (None, other) for one, other in zip(new, old))
