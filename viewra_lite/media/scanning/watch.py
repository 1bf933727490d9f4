"""Watching the folders of libraries: a folder that has changed is scanned once it is quiet."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Any

from ...database.files import network_share
from ...errors import ConfigError, ConflictError, NotFoundError, StoreClosedError, ViewraError
from ..libraries import is_inside
from ..models import MediaLibrary
from ..names.left_out import is_incomplete, why_left_out
from .facts import ScanResult
from .ignoring import IGNORE_FILES

_log = logging.getLogger("viewra_lite.media")

_LOOK_AGAIN_S = 30.0  # for libraries that were added, moved, removed or plugged in
_LONGEST_TICK_S = 1.0
_MOST_PARTS = 10  # of one library at a time: then all of it is scanned

Scan = Callable[..., ScanResult]
Scanned = Callable[[str, ScanResult], Any]


class Changes:
    """The folders that have changed, each with the moment of its last change."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._last: dict[tuple[str, str], float] = {}

    def note(self, library: MediaLibrary, path: str, now: float) -> None:
        """Note a change of a file or a folder, unless a scan leaves it out.

        The folder to scan is the nearest that exists: of a deleted folder the one above.
        """
        below = os.path.relpath(path, library.path).split(os.sep)
        left_out = any(why_left_out(name) for name in below if name != os.curdir)
        if below[-1] not in IGNORE_FILES and (left_out or is_incomplete(path)):
            return
        folder = path
        while not os.path.isdir(folder) and is_inside(folder, library.path):
            folder = os.path.dirname(folder)
        self.add(library.id, folder, now)

    def add(self, library_id: str, folder: str, now: float) -> None:
        """Note that a folder is to be scanned after the quiet period."""
        self._last[library_id, folder] = now

    def due(self, now: float) -> list[tuple[str, list[str]]]:
        """Take the folders that have been quiet for long enough, by library.

        A folder inside another is not repeated.
        """
        quiet = [key for key, last in self._last.items() if now - last >= self._quiet_s]
        by_library: dict[str, list[str]] = {}
        for key in sorted(quiet):
            del self._last[key]
            library_id, folder = key
            folders = by_library.setdefault(library_id, [])
            if not any(is_inside(folder, above) for above in folders):
                folders.append(folder)
        return list(by_library.items())


class Watcher:
    """Scans changed folders in a thread of its own, from the beginning of a with block to its end.

    Errors are logged, and the watcher continues. A library that is being scanned is tried again
    after the quiet period.
    """

    def __init__(
        self,
        scan: Scan,
        libraries: Callable[[], list[MediaLibrary]],
        cancel: Callable[[str], bool],
        *,
        quiet_s: float,
        scanned: Scanned | None,
    ) -> None:
        self.started = threading.Event()
        """Set once the folders are watched: a scan after it misses no change."""
        self._scan = scan
        self._libraries = libraries
        self._cancel = cancel
        self._scanned = scanned
        self._changes = Changes(quiet_s)
        self._tick_s = max(0.05, min(quiet_s / 2, _LONGEST_TICK_S))
        self._watch = _watchfiles()
        self._stopping = threading.Event()
        self._running: str | None = None
        self._warned: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="viewra-lite-watch", daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the watching, cancel the scan that runs, and wait for both."""
        self._stopping.set()
        while self._thread.is_alive():
            running = self._running
            if running is not None:
                with suppress(ViewraError):  # it was removed, or the store is closed
                    self._cancel(running)
            self._thread.join(self._tick_s)

    # In the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch_libraries()
            except StoreClosedError:
                return
            except Exception as exc:  # the watcher continues
                _log.warning("watching failed and is tried again: %s", type(exc).__name__)
                self._stopping.wait(_LOOK_AGAIN_S)

    def _watch_libraries(self) -> None:
        """Watch the folders of all libraries, until others have to be watched."""
        libraries = self._present()
        looked = monotonic()
        if not libraries:
            self.started.set()
            self._stopping.wait(self._tick_s)
            return
        for changes in self._watch(
            *libraries,
            watch_filter=None,
            stop_event=self._stopping,
            rust_timeout=round(self._tick_s * 1000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            self.started.set()
            for _, path in changes:
                self._note(libraries.values(), path)
            for library_id, folders in self._changes.due(monotonic()):
                self._scan_folders(library_id, folders)
            if monotonic() - looked >= _LOOK_AGAIN_S:
                looked = monotonic()
                if self._present().keys() != libraries.keys():
                    return

    def _present(self) -> dict[str, MediaLibrary]:
        """Return the libraries whose folders are there, by path."""
        found = {each.path: each for each in self._libraries() if os.path.isdir(each.path)}
        for library in found.values():
            share = network_share(library.path)
            if share and library.id not in self._warned:
                self._warned.add(library.id)
                _log.warning(
                    "library %s is on a network share (%s), where changes are not noticed: "
                    "scan it from time to time",
                    library.id,
                    share,
                )
        return found

    def _note(self, libraries: Iterable[MediaLibrary], path: str) -> None:
        for library in libraries:
            if path == library.path or is_inside(path, library.path):
                self._changes.note(library, path, monotonic())

    def _scan_folders(self, library_id: str, folders: list[str]) -> None:
        parts: list[str | None] = [*folders] if len(folders) <= _MOST_PARTS else [None]
        for folder in parts:
            if self._stopping.is_set():
                return
            try:
                self._scan_folder(library_id, folder)
            except ConflictError:  # it is being scanned
                for each in folders:
                    self._changes.add(library_id, each, monotonic())
                return
            except NotFoundError:
                return  # it was removed
            except StoreClosedError:
                raise
            except Exception as exc:  # one folder, or the caller's scanned(), stops no other
                _log.warning("a scan of library %s failed: %s", library_id, type(exc).__name__)

    def _scan_folder(self, library_id: str, folder: str | None) -> None:
        self._running = library_id
        if folder is not None and not os.path.isdir(folder):
            folder = None  # it was deleted meanwhile
        try:
            result = self._scan(library_id, folder=folder)
            if result.frozen and folder is not None:
                # Too much for a part may be little for the library.
                result = self._scan(library_id)
        finally:
            self._running = None
        if self._scanned is not None:
            self._scanned(library_id, result)


def _watchfiles() -> Any:
    try:
        from watchfiles import watch
    except ImportError as exc:
        raise ConfigError("watch() needs the package watchfiles: pip install watchfiles") from exc
    return watch
