"""The verbs of `store.backups`: create, list, verify and prune.

A backup is written to a `.part` file, read back as a whole, counted, and only then given its name.
One that fails its check is kept as `.bad` until one succeeds; until then nothing is pruned, because
the older backups may be all there is.
"""

from __future__ import annotations

import builtins
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timezone
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from ...config.options import Config, PostgresConfig, SqliteConfig
from ...errors import BackupError, StoreBusyError, StoreFullError
from ..checks import checked_choice, checked_path, checked_whole
from ..files import disk_errors, give_to_owner, make_folder, remove, sha256, sync
from .compression import COMPRESSED_SHARE, compress, required_zstd, zstd
from .compression import SUFFIX as COMPRESSED
from .manifest import KINDS, Backup, manifest_of, to_json
from .verify import LATEST, checked, contents, found, of_engine

_log = logging.getLogger("viewra_lite.database")

KEEP_BEFORE_UPGRADES = 3
SHRUNK_ROWS = 10  # of a smaller table nothing is said when it loses most of its rows
SPARE_BYTES = 16 << 20  # left free on the disk of a backup
_PART, _BAD = ".part", ".bad"
_NAME = re.compile(
    r".+-\d{8}T\d{6}Z(?:-before-upgrade)?(?:-\d+)?\.(?:db|db\.zst|dump)(?:\.json)?\.(?:part|bad)"
)


def folder_of(config: Config) -> Path:
    """Return the folder of a store's backups."""
    if config.backup_folder is not None:
        return Path(os.path.abspath(config.backup_folder))
    if isinstance(config, SqliteConfig):
        return Path(os.path.realpath(config.database_path)).parent / "backups"
    return Path(os.path.abspath("viewra-data")) / "backups"


class Locks(Protocol):
    """The part of a database that backups use."""

    backend: Any
    now: Callable[[], datetime]

    def exclusive(self, name: str, *, wait_s: float) -> AbstractContextManager[None]:
        """Hold a named lock across processes; raises StoreBusyError after wait_s seconds."""


class Backups:
    """The verbs of `store.backups`. Any may raise StoreUnavailableError for its folder's disk."""

    def __init__(self, db: Locks, config: Config) -> None:
        self._db = db
        self._config = config
        self._engine = of_engine(config.engine)
        self.folder = folder_of(config)

    def create(self, path: str | PathLike[str] | None = None, *, kind: str = "manual") -> Backup:
        """Back the store up while it is used, check the copy as a whole, and return it.

        path is a new file, or a folder; None is the folder of backups, where older ones of each
        kind are then pruned: see prune(). kind is manual, daily or upgrade.
        Takes about 1 s for 100 MiB; writers do not wait for it. Raises BackupError if the copy is
        not sound, which is kept as `.bad`, or if path exists, InvalidValueError, StoreFullError,
        StoreBusyError while another backup runs, StoreClosedError and CorruptStoreError.

            print(store.backups.create().path)
        """
        checked_choice("kind", kind, KINDS)
        given = None if path is None else Path(os.path.abspath(checked_path("path", path)))
        folder = self.folder if given is None else given if os.path.isdir(given) else given.parent
        with disk_errors(folder), self._alone():
            self._make_folder(folder)
            target = self._named(folder, kind) if given is None or given == folder else given
            if os.path.lexists(target):
                raise BackupError(f"{target} exists: a backup never overwrites a file")
            is_small = target.name.endswith(COMPRESSED)
            if is_small:
                required_zstd(target)
            self._refuse_full(folder, is_small)
            # Of backups that were killed: none runs, we have the lock.
            named = (target.with_name(name + _PART) for name in (target.name, target.stem))
            for left in (*(named if is_small else [next(named)]), *_ours(folder, _PART)):
                remove(left)
            backup = self._written(target, kind)
            for bad in _ours(folder, _BAD):
                remove(bad)
            if given is None:
                self._prune(self._config.backup_keep)
        _log.info("backed up %d bytes to %s", backup.size, backup.path)
        return backup

    def list(self) -> builtins.list[Backup]:
        """Return the backups in the folder of backups, newest first, from their manifests.

        Reads no backup: verify() does.
        """
        with disk_errors(self.folder):
            return found(self.folder)

    def verify(self, path: str | PathLike[str] = LATEST) -> Backup:
        """Read a backup as a whole and check it, also one without a manifest; return it.

        path is a file, or "latest". Raises BackupError, which names the fault, and
        InvalidValueError.
        """
        with disk_errors(self.folder):
            return checked(self.folder, path)

    def prune(self, *, keep: int | None = None) -> builtins.list[str]:
        """Remove all but the newest `keep` manual and `keep` daily ones, and three before upgrades.

        None keeps `backup_keep`. The last verified one always stays, and nothing is removed as long
        as the newest backup is a bad one. Returns the paths of what was removed. Raises
        InvalidValueError, and StoreBusyError while a backup is created.
        """
        number = self._config.backup_keep if keep is None else checked_whole("keep", keep, 1)
        with disk_errors(self.folder), self._alone():
            return self._prune(number)

    def bad(self) -> builtins.list[str]:
        """Return the paths of backups that failed their check; the next good one removes them."""
        with disk_errors(self.folder):
            return bad_backups(self.folder)

    # Inside

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            held = self._db.exclusive("backup", wait_s=0)
            with held:
                yield
        except StoreBusyError as exc:
            if "backup" in str(exc):
                raise StoreBusyError("another backup of this store is being created") from exc
            raise

    def _named(self, folder: Path, kind: str) -> Path:
        if isinstance(self._config, SqliteConfig):
            stem = self._config.database_path.stem
        else:
            assert isinstance(self._config, PostgresConfig)
            stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in self._config.database)
        moment = self._db.now().strftime("%Y%m%dT%H%M%SZ")
        name = f"{stem}-{moment}" + ("-before-upgrade" if kind == "upgrade" else "")
        suffix, number = str(self._engine.SUFFIX), 1
        if suffix == ".db" and zstd() is not None:
            suffix += COMPRESSED
        target = folder / (name + suffix)
        while os.path.lexists(target):
            number += 1
            target = folder / f"{name}-{number}{suffix}"
        return target

    def _make_folder(self, folder: Path) -> None:
        """Create the folder, but none above it: a disk that is not mounted gets no folders."""
        if self._config.backup_folder is None and folder == self.folder:
            folder.parent.mkdir(exist_ok=True)  # ./viewra-data, of a store on PostgreSQL
        make_folder(folder)

    def _refuse_full(self, folder: Path, is_small: bool) -> None:
        facts = self._db.backend.facts()
        copies = 1 + COMPRESSED_SHARE if is_small else 1
        needed = int((facts.size + facts.log_size) * copies) + SPARE_BYTES
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StoreFullError(
                f"{folder} has {free} bytes free, and a backup may need {needed}: make room, or "
                "set backup_folder to another disk"
            )

    def _written(self, target: Path, kind: str) -> Backup:
        part = target.with_name(target.name + _PART)
        is_small = target.name.endswith(COMPRESSED)
        copy = part if not is_small else target.with_name(target.stem + _PART)
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            created_at = self._db.now()
            expected = self._engine.write(self._db.backend, self._config, copy)
            counts, schema = _checked(copy, expected)
            if is_small:
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                compress(copy, part)
                remove(copy)
            before = next((one for one in found(target.parent) if one.verified), None)
            backup = Backup(
                path=str(target),
                created_at=created_at.astimezone(timezone.utc),
                size=part.stat().st_size,
                engine=self._config.engine,
                counts=counts,
                schema=schema,
                sha256=sha256(part),
                verified=True,
                kind=kind,
                findings=_shrunk(before, counts),
            )
            give_to_owner(part, part.parent)
            sync(part)
            _write_manifest(target, backup)
            os.rename(part, target)
            sync(target.parent)
        except BaseException:
            remove(copy)
            remove(part)
            raise
        return backup

    def _prune(self, keep: int) -> builtins.list[str]:
        backups = found(self.folder)
        if self.bad():
            _log.warning("no backup is removed: the newest one is bad")
            return []
        last_verified = next((one for one in backups if one.verified), None)
        if last_verified is None:
            return []
        kept = {last_verified.path}
        for kind in KINDS:
            number = KEEP_BEFORE_UPGRADES if kind == "upgrade" else keep
            kept |= {one.path for one in [b for b in backups if b.kind == kind][:number]}
        removed = [one.path for one in backups if one.path not in kept and one.verified]
        for path in map(Path, removed):
            remove(path)
            remove(manifest_of(path))
        return removed


def _checked(copy: Path, expected: dict[str, int] | None) -> tuple[dict[str, int], dict[str, str]]:
    """Return the rows and the schema of a sound copy; keep one that is not as `.bad`."""
    try:
        counts, schema = contents(copy)
        if expected is not None and expected != counts:
            names = expected.keys() | counts.keys()
            wrong = sorted(name for name in names if expected.get(name) != counts.get(name))
            raise BackupError(f"{copy} does not hold all rows of {', '.join(wrong)}")
    except BackupError as exc:
        bad = copy.with_suffix(_BAD)
        for older in _ours(copy.parent, _BAD):  # one is enough, and a chore tries again
            remove(older)
        os.replace(copy, bad)
        raise BackupError(
            f"the backup is not sound, so it does not count: {exc}. It is kept as {bad}, and "
            "no older backup is removed until one succeeds. Check the disk and the store"
        ) from exc
    return counts, schema


def _shrunk(before: Backup | None, counts: dict[str, int]) -> tuple[str, ...]:
    """Name the tables that lost more than half of their rows since the backup before."""
    if before is None:
        return ()
    return tuple(
        f"{table} has {counts.get(table, 0)} rows, and had {rows} in the backup before"
        for table, rows in before.counts.items()
        if rows >= SHRUNK_ROWS and counts.get(table, 0) * 2 < rows
    )


def _write_manifest(target: Path, backup: Backup) -> None:
    """Write the manifest first: a backup under its final name always has one."""
    manifest = manifest_of(target)
    part = manifest.with_name(manifest.name + _PART)
    with open(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as file:
        file.write(to_json(backup))
    give_to_owner(part, part.parent)
    sync(part)
    os.replace(part, manifest)


def bad_backups(folder: Path) -> builtins.list[str]:
    """Return the paths of the backups in a folder that failed their check."""
    return sorted(map(str, _ours(folder, _BAD)))


def _ours(folder: Path, suffix: str) -> builtins.list[Path]:
    """Return the unfinished or bad backups in a folder, which may hold files of other programs."""
    return [path for path in folder.glob(f"*{suffix}") if _NAME.fullmatch(path.name)]
