"""Recovery of a damaged SQLite store: rebuilt beside it, checked, and then put in its place.

The damaged files are only read until the new file is sound and durable. Then they are moved aside
together. A crash in between leaves no store, which opening refuses, and the next try finds the
files by the note `moving`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ....errors import ConfigError, StoreBusyError, StoreUnavailableError
from ...files import disk_errors, give_to_owner, refuse_full, remove, sync
from ...transactions.locks import file_lock
from ...sqlite.backup import contents, moved_aside
from ...sqlite.file import APPLICATION_ID, lock_folder, marker
from .rebuilding import Mend, Rebuild, RecoveredTable
from .objects import catalogue_of
from .pages import Pages
from .trees import Tree, rows_of

SPARE_BYTES = 16 << 20
ASIDE = "damaged"
_HISTORY = "viewra_migrations_"
_APPLIED = 2  # the position of this column


class Files(NamedTuple):
    """The files of a damaged store, each None where it is gone."""

    database: Path | None
    log: Path | None

    def size(self) -> int:
        """Return their bytes."""
        return sum(file.stat().st_size for file in self if file is not None)


class Rebuilt(NamedTuple):
    """What was rebuilt."""

    moved_to: str | None
    tables: list[RecoveredTable]
    findings: list[str]
    is_log_whole: bool


class Recovery:
    """The recovery of one store, which holds its lock until the end."""

    def __init__(self, path: Path, mend: Mend, new_store: Callable[[Path], object]) -> None:
        self._path = path
        self._mend = mend
        self._new_store = new_store
        self._work = path.with_name(path.name + "-recovering")

    def run(
        self, find_backup: Callable[[Path], Path | None], now: datetime, *, dry_run: bool
    ) -> Rebuilt:
        """Rebuild the store, and put it in its place unless dry_run.

        find_backup is called with a folder for what it unpacks. Raises StoreBusyError if a process
        has the store open, StoreFullError, StoreUnavailableError, and BackupError if what was
        rebuilt is not sound.
        """
        path = self._path
        if not path.parent.is_dir():
            raise StoreUnavailableError(f"no store at {path}: {path.parent} does not exist")
        try:
            with file_lock(lock_folder(path) / "open", wait_s=0), disk_errors(path.parent):
                return self._locked(find_backup, now.strftime("%Y%m%dT%H%M%SZ"), dry_run)
        except StoreBusyError as exc:
            raise StoreBusyError(f"{path} is open in a process: stop it, then recover") from exc

    def _locked(
        self, find_backup: Callable[[Path], Path | None], stamp: str, dry_run: bool
    ) -> Rebuilt:
        files, unfinished = self._files()
        work = self._work / stamp
        for left in self._work.glob("*T*Z"):  # by tries that were killed: each is a whole store
            shutil.rmtree(left, ignore_errors=True)
        work.mkdir(mode=0o700, parents=True)
        try:
            refuse_full(self._path.parent, files.size() + SPARE_BYTES)
            backup = find_backup(work)
            self._new_store(work / "pattern.db")
            rebuilt = self._rebuilt(files, backup, work)
            contents(work / "store.db")
            if not dry_run:
                moved_to = self._replace(work / "store.db", files, stamp, unfinished)
                rebuilt = rebuilt._replace(moved_to=moved_to)
        finally:
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):  # it holds the note of an unfinished try
                self._work.rmdir()
        return rebuilt

    def _files(self) -> tuple[Files, Path | None]:
        """Return the damaged files, and the folder to which an unfinished try was moving them."""
        path, aside = self._path, None
        if not path.exists():
            with suppress(OSError, ValueError):  # no try was killed
                aside = path.with_name(json.loads((self._work / "moving").read_text()))
        files = Files(_there(path, aside), _there(path.with_name(path.name + "-wal"), aside))
        return files, aside

    def _rebuilt(self, files: Files, backup: Path | None, work: Path) -> Rebuilt:
        findings = []
        use_log = files.log is not None and self._is_own_log(files)
        if files.log is not None and not use_log:
            findings.append(f"{files.log.name} is the log of another database, and was not read")
        with Pages(files.database, files.log, use_log=use_log) as pages:
            _refuse_foreign(files, pages)
            rebuild = Rebuild(pages, backup, work / "pattern.db", self._mend)
            tables = rebuild.write(work / "store.db")
            is_log_whole = self._is_log_whole(files, pages, findings)
            if pages.unreadable:
                findings.append(f"{len(pages.unreadable)} pages could not be read from the disk")
        return Rebuilt(None, tables, findings + rebuild.findings, is_log_whole)

    def _is_own_log(self, files: Files) -> bool:
        if files.database is None:
            return True
        note = _note(self._path)
        found = files.database.stat()
        if note.get("closed") == [found.st_size, found.st_mtime_ns]:
            return False  # closing has moved its log into the file
        with Pages(files.database, None) as alone, Pages(files.database, files.log) as both:
            with_log, without = _identity(both), _identity(alone)
        known = {note.get("store"), without} - {None}
        return without is None if with_log is None else not known or with_log in known

    def _is_log_whole(self, files: Files, pages: Pages, findings: list[str]) -> bool:
        note = _note(self._path)
        if files.log is None and note and note.get("closed") is None:
            findings.append("its log is gone: what was written last may be lost")
            return False
        if pages.log is not None and not pages.log.is_whole:
            findings.append("its log is damaged: what was written last may be lost")
            return False
        return True

    def _replace(self, new: Path, files: Files, stamp: str, unfinished: Path | None) -> str | None:
        path = self._path
        give_to_owner(new, files.database or path.parent)
        os.chmod(new, 0o600)
        sync(new)
        aside = unfinished or path.with_name(f"{path.name}-{ASIDE}-{stamp}")
        note = self._work / "moving"
        note.write_text(json.dumps(aside.name))
        sync(note)
        sync(self._work)
        moved = moved_aside(path, aside) or unfinished
        os.rename(new, path)
        sync(path.parent)
        remove(marker(path))  # it describes the store before; opening this one writes another
        remove(note)
        return None if moved is None else str(moved)


def _refuse_foreign(files: Files, pages: Pages) -> None:
    found = pages.application_id
    if found not in (None, 0, APPLICATION_ID):
        raise ConfigError(
            f"{files.database} belongs to another program (application_id {found:#x}): "
            "database_path must name another file"
        )
    catalogue = catalogue_of(pages, ())
    if catalogue.is_whole and not any(name.startswith(_HISTORY) for name in catalogue.objects):
        raise ConfigError(f"{files.database} has no table of a store: it is not one")


def _there(path: Path, aside: Path | None) -> Path | None:
    places = (path,) if aside is None else (path, aside / path.name)
    return next((place for place in places if place.exists()), None)


def _note(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(marker(path).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _identity(pages: Pages) -> str | None:
    """Return the moment of a store's first migration, which no two stores share."""
    catalogue = catalogue_of(pages, ())
    trees = [
        Tree(pages, one.root, of_index=False)
        for one in catalogue.objects.values()
        if one.type == "table" and one.name.startswith(_HISTORY)
    ]
    rows = [row for tree in trees for leaf in tree.leaves for row in rows_of(pages, leaf.number)[0]]
    moments = [row.values[_APPLIED] for row in rows if len(row.values) > _APPLIED]
    return min((one for one in moments if isinstance(one, str)), default=None)
