"""Scan a library: walk its folder, look into what is new, and bring the store in line.

Walking writes new files as `pending` at once, so that an interrupted scan resumes where it was:
the next one finds them known and still unprobed. Worker processes look into the pending ones, and
each result is one small transaction's part: the file's facts, its identity, and what it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from ..config import Config
from ..database.fields import os_path
from ..database.sessions import Sessions
from ..errors import ConflictError, StoreBusyError
from . import kinds, queries
from .catalog import Catalog
from .identity import Match, absorb, find_match
from .models import MediaFile, MediaLibrary
from .probe import Probe, available
from .reconcile import Reconciliation, ScanResult
from .walk import walk
from .workers import ProbePool

Progress = Callable[[str, int, int], Any]
_LOOK_AHEAD = 200
_PROGRESS_EVERY = 100
_NEEDED = {
    "movie": ("guessit", "pymediainfo"),
    "tv": ("guessit", "pymediainfo"),
    "music": ("pymediainfo", "tinytag"),
}


def scan(
    sessions: Sessions, library: MediaLibrary, config: Config, progress: Progress | None
) -> ScanResult:
    """Scan one library; raises ConflictError while another scan of it runs."""
    try:
        with sessions.exclusive(f"scan-{library.id}"):
            return _Scan(sessions, library, config, progress or _silent).run()
    except StoreBusyError as exc:
        if "is locked by another" not in str(exc):
            raise
        raise ConflictError(f"library {library.name} is being scanned already") from exc


def _silent(phase: str, done: int, total: int) -> None:
    """Report nothing."""


class _Scan:
    def __init__(
        self, sessions: Sessions, library: MediaLibrary, config: Config, progress: Progress
    ) -> None:
        self._sessions = sessions
        self._library = library
        self._config = config
        self._progress = progress
        self._files = Reconciliation(sessions, library, config)

    def run(self) -> ScanResult:
        unreadable = self._why_unreadable()
        if unreadable:
            self._files.freeze(f"{unreadable}: nothing was marked missing. Is the disk there?")
            missing = self._sessions.one(queries.count_missing, self._library.id)[0]
            return ScanResult(
                errors=1, frozen=self._files.result.frozen, missing=missing,
            )
        with self._files:
            self._walk()
            self._probe()
            self._progress("finish", 0, 1)
        self._progress("finish", 1, 1)
        self._sessions.backend.checkpoint()
        return self._files.result

    def _why_unreadable(self) -> str | None:
        root = self._library.path
        try:
            with os.scandir(root) as entries:
                if next(entries, None) is not None:
                    return None
        except OSError as exc:
            return f"{root} cannot be read ({exc.strerror})"
        known = self._sessions.all(queries.files_first, self._library.id, 1)
        return f"{root} is empty, but files are known in it" if known else None

    def _walk(self) -> None:
        done = 0
        for facts in walk(self._library.path, self._library.type, self._unreadable):
            self._files.add(facts)
            done += 1
            if done % _PROGRESS_EVERY == 0:
                self._progress("walk", done, 0)
        self._files.flush()
        self._progress("walk", done, done)

    def _unreadable(self, path: str, reason: str) -> None:
        self._files.skip_folder(path)
        self._files.problem(path, f"cannot be read: {reason}")

    # Probing

    def _probe(self) -> None:
        lacking = self._lacking()
        counts = dict(self._sessions.all(queries.count_unprobed, self._library.id))
        total = counts.get("pending", 0) + (0 if lacking else counts.get("partial", 0))
        if lacking:
            self._files.note_lacking(lacking)
        done = 0
        results: list[tuple[str, Probe]] = []
        workers = self._config.scan_workers or os.cpu_count() or 1
        with ProbePool(min(workers, total), self._config.probe_timeout_s) as pool:
            for result in pool.map(self._requests(skip_partial=bool(lacking))):
                results.append(result)
                done += 1
                if len(results) >= self._config.scan_batch_rows or done % _PROGRESS_EVERY == 0:
                    results = self._save(results)
                self._progress("probe", done, total)
        self._save(results)

    def _lacking(self) -> tuple[str, ...]:
        installed = available()
        return tuple(name for name in _NEEDED[self._library.type] if not installed[name])

    def _requests(self, *, skip_partial: bool) -> Iterator[tuple[str, str, str, str]]:
        last = ""
        while True:
            rows = self._sessions.all(queries.unprobed, self._library.id, last, _LOOK_AHEAD)
            if not rows:
                return
            last = rows[-1][0]
            for id, path, state in rows:
                if not (skip_partial and state == "partial"):
                    yield id, os_path(path), self._library.type, self._library.path

    def _save(self, results: list[tuple[str, Probe]]) -> list[tuple[str, Probe]]:
        """Write what the workers found, in transactions of at most scan_batch_ms."""
        matched = [(id, probe, self._match(id, probe)) for id, probe in results]
        held_s = self._config.scan_batch_ms / 1000
        while matched:
            with self._sessions.writer():
                catalog = Catalog(self._sessions, self._library)
                deadline = monotonic() + held_s
                while matched and (monotonic() < deadline):
                    self._save_one(catalog, *matched.pop(0))
                catalog.finish()
        return []

    def _match(self, id: str, probe: Probe) -> Match | None:
        """Look for the known file that a new one is, before the writer is taken: this may stat."""
        if self._is_settled(id):
            return None
        newcomer = MediaFile(
            id=id, library=self._library.id, fingerprint=probe.fingerprint or None,
            identity=_identity(probe),
        )
        return find_match(self._sessions, newcomer)

    def _is_settled(self, id: str) -> bool:
        """Whether the file was here when the last scan ended: it keeps its id, whatever changed."""
        file = self._sessions.one(queries.file_by_id, id)
        last_scan = self._library.last_scan
        return file is None or (last_scan is not None and file.created_at <= last_scan)

    def _save_one(self, catalog: Catalog, id: str, probe: Probe, match: Match | None) -> None:
        if not self._sessions.run(queries.save_probe, *self._probe_row(id, probe)):
            return  # removed meanwhile
        file = self._sessions.one(queries.file_by_id, id)
        if match is not None and self._still_there(match):
            file = absorb(self._sessions, match.known, file)
            if match.same_content:
                self._files.moved()
            else:
                self._files.replaced()
        if probe.error is not None:
            self._files.problem(probe.path, probe.error)
        elif probe.name is not None:
            catalog.place(file, probe.name, probe.tags)

    def _still_there(self, match: Match) -> bool:
        """Whether nobody else took the known file since it was looked up."""
        known = match.known
        if isinstance(known, MediaFile):
            now = self._sessions.one(queries.file_by_id, known.id)
            return now is not None and now.path == known.path
        return self._sessions.one(queries.removed_by_id, known.id) is not None

    def _probe_row(self, id: str, probe: Probe) -> tuple[Any, ...]:
        streams = probe.streams
        filename = os.path.basename(probe.path)
        state = "failed" if probe.error else "partial" if probe.skipped else "done"
        return (
            probe.size, kinds.mime_type(filename),
            (streams and streams.container) or kinds.container(filename),
            streams and streams.duration, streams and streams.width, streams and streams.height,
            streams and streams.video_codec, streams and streams.audio_codec,
            probe.fingerprint or None, _identity(probe), state, probe.error,
            self._sessions.now(), id,
        )


def _identity(probe: Probe) -> str | None:
    return probe.name.identity if probe.name is not None and probe.error is None else None
