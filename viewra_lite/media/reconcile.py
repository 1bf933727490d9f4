"""Bring what the store knows of a library in line with what is there.

Files arrive one by one and are written in bounded batches; what did not arrive is marked missing
in the end, unless too much of it vanished at once. Memory grows by one number for each file, so a
library of a million files fits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType
from typing import Any

from ..config import Config
from ..database.fields import os_path, stored_path, timestamp_text
from ..database.sessions import Sessions
from ..errors import InvalidValueError, SessionError
from . import kinds, queries
from .identity import absorb
from .models import MediaFile, MediaLibrary

_LARGEST_SIZE = 2**63 - 1
_LOOK_BACK = 2000
_FEWEST_ROWS = 20


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a caller knows of one file; None = not known. Size in bytes, duration in seconds."""

    path: str
    size: int | None = None
    modified_ns: int | None = None
    mime_type: str | None = None
    container: str | None = None
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    fingerprint: str | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or a folder that could not be read, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan or a reconciliation found; all but the last four are numbers of files."""

    added: int = 0
    updated: int = 0
    """Changed in place, come back, or replaced by another file of the same movie or episode."""
    moved: int = 0
    """Renamed or moved; they keep their id."""
    removed: int = 0
    """Newly marked missing."""
    unchanged: int = 0
    missing: int = 0
    """All that are missing now, those of earlier scans included."""
    errors: int = 0
    frozen: str | None = None
    """Why nothing was marked missing, or None."""
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()
    """The first hundred errors."""
    not_probed: tuple[str, ...] = ()
    """Optional packages that are not installed, so that something was left out."""


class Reconciliation:
    """Takes the files of a library, then marks as missing what did not come.

    A context manager: add() each file inside; a clean exit marks what was not added, an exception
    leaves everything else as it was. `result` then holds a ScanResult.
    """

    def __init__(self, sessions: Sessions, library: MediaLibrary, config: Config) -> None:
        self.result = ScanResult()
        self.library = library
        self._sessions = sessions
        self._config = config
        self._began = monotonic()
        self._batch: dict[str, FileFacts] = {}
        self._batch_rows = config.scan_batch_rows
        self._seen: set[int] = set()
        self._unreadable: list[str] = []
        self._inside = stored_path(library.path.rstrip(os.sep)) + os.sep
        self._open = False

    def __enter__(self) -> Reconciliation:
        self._open = True
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open = False
        if exc is None:
            self.flush()
            self.finish()

    def add(self, facts: FileFacts) -> None:
        """Note one file that is there; raises InvalidValueError for a path outside the library."""
        if not self._open:
            raise SessionError("add() outside the with block of reconcile()")
        path = _checked(facts, self._inside)
        self._batch[path] = facts
        if len(self._batch) >= self._batch_rows:
            self.flush()

    def skip_folder(self, path: str) -> None:
        """Leave alone what is known below a folder that cannot be read now."""
        self._unreadable.append(stored_path(path.rstrip(os.sep)) + os.sep)

    def flush(self) -> None:
        """Write what was added so far."""
        batch, self._batch = self._batch, {}
        if not batch:
            return
        rows = self._sessions.all(queries.known_files, self.library.id, list(batch))
        known = {row[0]: row for row in rows}
        now = timestamp_text(self._sessions.now())
        new = [self._new_row(path, f, now) for path, f in batch.items() if path not in known]
        changed, returned = [], []
        for path, row in known.items():
            facts = batch[path]
            if (facts.size, facts.modified_ns) != (row[2], row[3]):
                changed.append(_changed_row(facts, row[1], now))
            elif row[4] != "present":
                returned.append((now, row[1]))
        self._write(new, changed, returned)
        self._seen.update(map(hash, batch))
        self._count(
            added=len(new), updated=len(changed) + len(returned),
            unchanged=len(known) - len(changed) - len(returned),
        )

    def finish(self) -> None:
        """Match what is gone with what is new, then mark the rest missing unless it is too much."""
        gone = self._match(self._gone())
        before = self.result.unchanged + self.result.updated + len(gone)
        if gone and len(gone) > self._config.freeze_threshold * before:
            self.freeze(
                f"{len(gone)} of {before} files would vanish at once, more than freeze_threshold="
                f"{self._config.freeze_threshold:g}: is the disk there? Nothing was marked missing"
            )
        else:
            self._mark_missing(gone)
        missing = self._sessions.one(queries.count_missing, self.library.id)[0]
        self._sessions.run(queries.library_scanned, self.library.id, self._sessions.now())
        seconds = monotonic() - self._began
        self.result = replace(self.result, missing=missing, seconds=seconds)

    def freeze(self, reason: str) -> None:
        """Say why nothing is marked missing."""
        self.result = replace(self.result, frozen=reason)

    def moved(self, count: int = 1) -> None:
        """Count files first taken for new that turned out to be known under another path."""
        self._count(added=-count, moved=count)

    def replaced(self, count: int = 1) -> None:
        """Count files first taken for new that replace another of the same movie or episode."""
        self._count(added=-count, updated=count)

    def note_lacking(self, packages: tuple[str, ...]) -> None:
        """Say which optional packages are not installed."""
        self.result = replace(self.result, not_probed=packages)

    def problem(self, path: str, message: str) -> None:
        """Count an error, and keep the first hundred."""
        problems = self.result.problems
        if len(problems) < 100:
            problems = (*problems, Problem(path, message))
        self.result = replace(self.result, errors=self.result.errors + 1, problems=problems)

    def _count(self, **changes: int) -> None:
        result = self.result
        self.result = replace(
            result, **{name: getattr(result, name) + by for name, by in changes.items()}
        )

    def _new_row(self, path: str, facts: FileFacts, now: str) -> tuple[Any, ...]:
        filename = path[path.rindex(os.sep) + 1:]
        return (
            self._sessions.new_id(), self.library.id, path, filename, facts.size,
            facts.mime_type or kinds.mime_type(filename),
            facts.container or kinds.container(filename),
            facts.duration, facts.width, facts.height, facts.video_codec, facts.audio_codec,
            now, now, facts.modified_ns, facts.fingerprint, facts.identity, "present", "pending",
        )

    def _write(self, new: list[Any], changed: list[Any], returned: list[Any]) -> None:
        if not (new or changed or returned):
            return
        with self._sessions.writer():
            # The time that counts starts once the writer is ours.
            began = monotonic()
            if new:
                self._sessions.run_many(queries.insert_file, new)
            for row in changed:
                self._sessions.run(queries.change_file, *row)
            for row in returned:
                self._sessions.run(queries.file_returned, *row)
            took_ms = (monotonic() - began) * 1000
        self._resize_batch(took_ms)

    def _resize_batch(self, took_ms: float) -> None:
        """Hold the writer no longer than scan_batch_ms: fewer rows next time if it was longer."""
        if took_ms > self._config.scan_batch_ms:
            self._batch_rows = max(_FEWEST_ROWS, self._batch_rows // 2)
        elif took_ms < self._config.scan_batch_ms / 2:
            self._batch_rows = min(self._config.scan_batch_rows, self._batch_rows * 2)

    def _gone(self) -> Iterator[list[str]]:
        """Yield ids of files that are known as present and were not added, some at a time."""
        last = ""
        while True:
            rows = self._sessions.all(
                queries.present_paths_after, self.library.id, os_path(last), _LOOK_BACK
            )
            if not rows:
                return
            last = rows[-1][0]
            yield [
                id for path, id in rows
                if hash(path) not in self._seen and not path.startswith(tuple(self._unreadable))
            ]

    def _match(self, gone: Iterator[list[str]]) -> list[str]:
        """Give a new file the id of a gone one that it is; return the ids that stay gone."""
        left = []
        for ids in gone:
            files = self._sessions.all(queries.files_by_ids, ids) if ids else []
            matched = self._match_by(files, "fingerprint", queries.files_with_fingerprints)
            self.moved(len(matched))
            files = [file for file in files if file.id not in matched]
            replaced = self._match_by(files, "identity", queries.files_with_identities)
            self.replaced(len(replaced))
            left += [file.id for file in files if file.id not in replaced]
        return left

    def _match_by(self, gone: list[MediaFile], key: str, find: Any) -> set[str]:
        wanted = {getattr(file, key) for file in gone} - {None}
        if not wanted:
            return set()
        fresh = {}
        for file in self._sessions.all(find, list(wanted)):
            if self._is_new(file):
                fresh.setdefault(getattr(file, key), file)
        pairs = []
        for file in gone:
            newcomer = fresh.pop(getattr(file, key), None)
            if newcomer is not None:
                pairs.append((file, newcomer))
        for chunk in _chunks(pairs, 50):
            with self._sessions.writer():
                for file, newcomer in chunk:
                    absorb(self._sessions, file, newcomer)
        return {file.id for file, _ in pairs}

    def _is_new(self, file: MediaFile) -> bool:
        """Whether the file came to this library since its last completed scan."""
        return file.library_id == self.library.id and (
            self.library.last_scan is None or file.created_at > self.library.last_scan
        )

    def _mark_missing(self, gone: list[str]) -> None:
        now = self._sessions.now()
        for ids in _chunks(gone, self._batch_rows):
            self._count(removed=self._sessions.run(queries.mark_missing, now, ids))


def _changed_row(facts: FileFacts, id: str, now: str) -> tuple[Any, ...]:
    filename = os.path.basename(facts.path)
    return (
        facts.size, facts.modified_ns,
        facts.mime_type or kinds.mime_type(filename),
        facts.container or kinds.container(filename),
        facts.duration, facts.width, facts.height, facts.video_codec, facts.audio_codec,
        facts.fingerprint, facts.identity, "pending", now, id,
    )


def _checked(facts: FileFacts, inside: str) -> str:
    """Return the path as it is stored; raises InvalidValueError for facts that cannot be."""
    path = stored_path(facts.path)
    if not path.startswith(inside) or path.endswith(os.sep) or "\0" in path:
        raise InvalidValueError(
            f"{facts.path!r} is not the path of a file below the library's folder {inside!r}"
        )
    size = facts.size
    if size is not None and not (type(size) is int and 0 <= size <= _LARGEST_SIZE):
        raise InvalidValueError(f"{facts.path!r}: the size in bytes cannot be {size!r}")
    return path


def _chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start:start + size]
