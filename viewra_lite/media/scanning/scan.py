"""Scanning a library: walk its folder, probe new files, and update the store.

The walk writes new files as `pending` at once, so that an interrupted scan resumes: the next one
finds them known and still unprobed. Worker processes probe the pending files. Each result is
written with the file's identity and its place in the catalog, in small transactions and in the
order of paths, so that the same files always become the same movies, shows and albums.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

from ...config.options import Config
from ...database.transactions.database import Database
from ...errors import InvalidValueError, TransactionError, shown
from .. import queries
from ..beside.folders import Folders
from ..beside.reading import Beside
from ..catalog import extras
from ..catalog.catalog import Catalog
from ..files import events
from ..files.streams import Streams
from ..files.relink import Match, exists, swap, find_match, is_new
from ..models import MediaFile, RemovedFile
from ..names import kinds
from ..names.facts import NameFacts, TrackName
from ..probing.probe import Probe, available
from ..probing.workers.pool import ProbePool
from . import queries as scan_queries
from .facts import ScanResult
from .reconcile import Reconciliation
from .walk import Walk

Progress = Callable[[str, int, int], Any]
_LOOK_AHEAD = 200
_PROGRESS_EVERY = 100
_MOST_ROUNDS = 3
_NEEDED = {
    "movie": ("guessit", "pymediainfo"),
    "tv": ("guessit", "pymediainfo"),
    "music": ("pymediainfo", "tinytag"),
}


def scan(
    db: Database, reconciliation: Reconciliation, config: Config, progress: Progress | None
) -> ScanResult:
    """Scan one library; raises ConflictError while another scan of it runs."""
    if db.in_transaction:
        raise TransactionError(
            "scan() inside reader() or writer(): call it outside, for it writes in batches"
        )
    folder = reconciliation.folder
    if folder is not None and not exists(folder) and not reconciliation.has_files():
        raise InvalidValueError(
            f"{shown(folder)} does not exist, and no file below it is known: "
            "give a folder of the library"
        )
    report = progress or _silent
    with reconciliation as files:
        running = _Scan(db, config, files, report)
        unreadable = running.why_unreadable()
        if unreadable:
            return files.abandon(unreadable)
        running.run()
        report("finish", 0, 1)
    report("finish", 1, 1)
    db.backend.checkpoint()
    return files.result


def _silent(phase: str, done: int, total: int) -> None:
    """Report nothing."""


class _Scan:
    def __init__(
        self, db: Database, config: Config, files: Reconciliation, progress: Progress
    ) -> None:
        self._db = db
        self._library = files.library
        self._config = config
        self._progress = progress
        self._files = files
        self._folders = Folders(db, files.library)
        self._swapped = False

    def run(self) -> None:
        """Walk, then probe the pending files, then link extras, then read sidecars."""
        self._walk()
        done = self._probe_all(0)
        if done:
            extras.link(self._db, self._library)
        beside = Beside(
            self._db, self._library, self._config, self._files.tally.problem, self._files.is_gone
        )
        if not self._files.is_cancelled:
            self._read_beside(beside.read(), done)
        if beside.has_lost:
            done = self._probe_all(done)
            self._read_beside(beside.read_apart(), done)

    def _read_beside(self, batches: Iterator[None], done: int) -> None:
        for _ in batches:
            self._report("probe", done, done)
            if self._files.is_cancelled:
                break

    def _probe_all(self, done: int) -> int:
        for _ in range(0 if self._files.is_cancelled else _MOST_ROUNDS):
            self._swapped = False
            done = self._probe(done)
            # Else files have other paths than those that were probed.
            if not self._swapped or self._files.is_cancelled:
                break
        return done

    def why_unreadable(self) -> str | None:
        """Return why nothing can be scanned, or None."""
        reason = self._why_root_unreadable() or self._why_part_unreadable()
        return reason and f"{reason}: nothing was marked missing. Is the disk there?"

    def _why_root_unreadable(self) -> str | None:
        root = self._library.path
        try:
            with os.scandir(root) as entries:
                if next(entries, None) is not None:
                    return None
        except OSError as exc:
            return f"{root} cannot be read ({exc.strerror})"
        known = self._db.all(queries.files_first, self._library.id, 1)
        return f"{root} is empty, but the store has files in it" if known else None

    def _why_part_unreadable(self) -> str | None:
        folder = self._files.folder
        if folder is None or self._files.accept_missing and not exists(folder):
            return None
        try:
            os.scandir(folder).close()
        except FileNotFoundError:
            return (
                f"{folder} does not exist (if it was deleted, scan again with accept_missing=True)"
            )
        except OSError as exc:
            return f"{folder} cannot be read ({exc.strerror})"
        return None

    def _walk(self) -> None:
        done = 0
        for facts in Walk(self._files, self._folders):
            self._files.add(facts)
            done += 1
            if done % _PROGRESS_EVERY == 0:
                self._report("walk", done, 0)
        self._files.flush()
        if not self._files.is_cancelled:
            self._folders.finish(self._files.folder, self._files.is_unreadable)
        self._report("walk", done, done)

    def _report(self, phase: str, done: int, total: int) -> None:
        self._files.report(phase, done, total)
        self._progress(phase, done, total)

    # Probing

    def _probe(self, done: int) -> int:
        lacking = self._lacking()
        between = self._files.between
        counts = dict(self._db.all(scan_queries.count_unprobed, self._library.id, *between))
        pending = counts.get("pending", 0) + (0 if lacking else counts.get("partial", 0))
        total = done + pending
        self._files.tally.set(not_probed=lacking)
        self._report("probe", done, total)
        probes: list[Probe] = []
        workers = self._config.scan_workers or os.cpu_count() or 1
        with ProbePool(min(workers, pending), self._config.probe_timeout_s) as pool:
            for _, probe in pool.map(self._requests(skip_partial=bool(lacking))):
                probes.append(probe)
                done += 1
                if len(probes) >= min(self._config.scan_batch_rows, _PROGRESS_EVERY):
                    self._save(probes)
                    probes = []
                self._report("probe", done, max(done, total))
                if self._files.is_cancelled:
                    break
        self._save(probes)
        self._files.tally.set(probed=done, in_process=pool.why_in_process if done else None)
        return done

    def _lacking(self) -> tuple[str, ...]:
        installed = available()
        return tuple(name for name in _NEEDED[self._library.type] if not installed[name])

    def _requests(self, *, skip_partial: bool) -> Iterator[tuple[str, str, str, str]]:
        last, end = self._files.between
        while rows := self._db.all(scan_queries.unprobed, self._library.id, last, end, _LOOK_AHEAD):
            last = rows[-1].path
            for row in rows:
                if not (skip_partial and row.probe_state == "partial"):
                    yield row.id, row.path, self._library.type, self._library.path

    def _save(self, probes: list[Probe]) -> None:
        """Write the probes, in transactions of at most scan_batch_ms."""
        while probes:
            # Reads the disk: outside of any writer.
            found = deque((probe, self._match(probe)) for probe in probes)
            probes = []
            while found:
                probes += self._save_batch(found)

    def _save_batch(self, found: deque[tuple[Probe, Match | None]]) -> list[Probe]:
        """Write some probes; return those whose match another transaction took first."""
        again = []
        self._db.yield_to_writers()
        with self._db.writer():
            catalog = Catalog(self._db, self._library)
            streams = Streams(self._db)
            deadline = monotonic() + self._config.scan_batch_ms / 1000
            while found and monotonic() < deadline:
                probe, match = found.popleft()
                if not self._save_one(catalog, streams, probe, match):
                    again.append(probe)
            streams.finish()
            catalog.finish()
        return again

    def _match(self, probe: Probe) -> Match | None:
        file = self._at(probe)
        return find_match(self._db, file, _fingerprint(probe) or "") if file else None

    def _at(self, probe: Probe) -> MediaFile | None:
        """Return the file at a probe's path, possibly another than when it was requested."""
        file: MediaFile | None = self._db.one(queries.file_by_path, self._library.id, probe.path)
        return file

    def _save_one(
        self, catalog: Catalog, streams: Streams, probe: Probe, match: Match | None
    ) -> bool:
        file = self._at(probe)
        if file is None:
            return True  # removed in the meantime
        if probe.error is not None:
            self._files.tally.problem(probe.path, probe.error)
        if not probe.fingerprint:
            self._save_error(catalog, file, probe)
            return True
        if match is not None and file.fingerprint != probe.fingerprint:
            known = self._known(catalog, file, match)
            if known is None:
                return False
            file = known
        name = _name(file, probe)
        self._db.run(scan_queries.save_probe, id=file.id, **self._probed(file, name, probe))
        events.record(self._db, "file.updated", [(file.id,)])
        if not _keeps_streams(probe):
            found = probe.streams
            streams.replace(
                file.id, found.streams if found else (), found.chapters if found else ()
            )
        file = self._db.one(queries.file_by_id, file.id)
        if name is not None:
            catalog.place(file, name, probe.tags)
        return True

    def _known(self, catalog: Catalog, file: MediaFile, match: Match) -> MediaFile | None:
        """Give a file the id of its content; None if another transaction took it first."""
        if match.is_gone and is_new(file):
            known = catalog.merge_file(match.known, file)
            if known is not None:
                self._moved(file.path)
            return known
        if isinstance(match.known, RemovedFile):
            return None
        known = swap(self._db, file, match.known)
        if known is not None:
            self._swapped = True
            self._moved(file.path)
        return known

    def _moved(self, path: str) -> None:
        self._files.tally.moved(path)
        self._folders.moved(path)

    def _save_error(self, catalog: Catalog, file: MediaFile, probe: Probe) -> None:
        """Keep the stored columns of an unreadable file, which the next scan probes again.

        Not a file whose probe was ended, until it changes.
        """
        state = "failed" if probe.is_late else "pending"
        if (file.error, file.probe_state) == (probe.error, state):
            return
        name = _name(file, probe)
        self._db.run(
            scan_queries.save_error,
            id=file.id,
            error=probe.error,
            probe_state=state,
            identity=file.identity if name is None else name.identity,
            updated_at=self._db.now(),
        )
        events.record(self._db, "file.updated", [(file.id,)])
        if name is not None:
            catalog.place(self._db.one(queries.file_by_id, file.id), name)

    def _probed(self, file: MediaFile, name: NameFacts | None, probe: Probe) -> dict[str, Any]:
        filename = os.path.basename(probe.path)
        state = "failed" if probe.error else "partial" if probe.skipped else "done"
        streams = probe.streams
        facts = file if _keeps_streams(probe) else streams
        return {
            "size": probe.size,
            "fingerprint": _fingerprint(probe),
            "identity": file.identity if name is None else name.identity,
            "mime_type": kinds.mime_type(filename),
            "container": (streams and streams.container) or kinds.container(filename),
            **{column: facts and getattr(facts, column) for column in _OF_STREAMS},
            **{column: getattr(name or file, column, None) for column in _OF_NAMES},
            "probe_state": state,
            "error": probe.error,
            "updated_at": self._db.now(),
        }


_OF_STREAMS = ("duration", "width", "height", "video_codec", "audio_codec", "bit_rate", "hdr")

_OF_NAMES = ("edition", "part", "source")


def _keeps_streams(probe: Probe) -> bool:
    """Whether the stored streams stay, because without pymediainfo none were read."""
    return probe.streams is None and bool(probe.skipped)


def _name(file: MediaFile, probe: Probe) -> NameFacts | None:
    """Return what a probe says that a file is, or None if it stays what it was.

    The name of a damaged file is as good as any other's, but music is known by its tags.
    """
    tags = probe.tags
    is_tagged = tags is not None and (tags.title or tags.artist or tags.album)
    is_guess = probe.error is not None and isinstance(probe.name, TrackName) and not is_tagged
    return None if is_guess and file.identity is not None else probe.name


def _fingerprint(probe: Probe) -> str | None:
    """Return a file's fingerprint; None for an empty file, since all empty files are equal."""
    return probe.fingerprint if probe.size else None
