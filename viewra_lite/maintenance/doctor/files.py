"""Checks of the store's files, its disk and its backups; they need no open store."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from ...config.options import Config, SqliteConfig
from ...database.backups.backups import bad_backups, folder_of
from ...database.backups.manifest import Backup
from ...database.backups.verify import found
from ...database.files import file_system, is_refused, network_share, refused_use, size_of
from ...database.findings import Finding, Severity
from ...database.sqlite.file import lock_folder
from .unpacked import left_unpacked

_LEAST_FREE_BYTES = 64 << 20
_NEEDED_SPACE = 1.2  # times the database and its log, of an upgrade
_OLDEST_BACKUP = timedelta(days=3)
_NEW_STORE = timedelta(days=2)
_LOST_AT_RESTART = ("tmpfs", "ramfs")


def store_paths(config: Config) -> list[Path]:
    """Return the files and folders of a store that exist: database, log, locks."""
    if not isinstance(config, SqliteConfig):
        return []
    path = Path(os.path.realpath(config.database_path))
    locks = lock_folder(path)
    beside = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    return [each for each in (path, *beside, locks, locks / "store") if each.exists()]


def file_systems(config: Config) -> Iterator[Finding]:
    """Yield file systems on which a database is not safe."""
    for path in store_paths(config)[:1]:
        kind = file_system(str(path))
        if network_share(str(path)):
            text = f"{path} is on a network share ({kind}), where locks may fail and damage it"
            yield Finding("file-system", "warning", text, "move it to a local disk")
        if kind in _LOST_AT_RESTART:
            text = f"{path} is in memory ({kind}), and lost when the system restarts"
            yield Finding("file-system", "warning", text, "move it to a disk")
        if hasattr(os, "statvfs") and os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            text = f"{path} is on a read-only file system"
            remedy = "mount it for writing, and check its disk if it was mounted so by itself"
            yield Finding("file-system", "error", text, remedy)


def free_space(config: Config) -> Iterator[Finding]:
    """Yield disks on which the database, an upgrade or a backup soon has no space."""
    paths = store_paths(config)
    size = sum(size_of(path) for path in paths if path.is_file())
    folders = {path.parent for path in paths[:1]} | {_existing(folder_of(config))}
    for folder in sorted(folders):
        facts = shutil.disk_usage(folder)
        needed = max(_LEAST_FREE_BYTES, int(size * _NEEDED_SPACE))
        if facts.free < needed:
            severity: Severity = "error" if facts.free < _LEAST_FREE_BYTES else "warning"
            text = f"the disk of {folder} has {facts.free >> 20} MiB free; a backup or an upgrade "
            text += f"needs {needed >> 20} MiB"
            remedy = "make room, or move the backups (backup_folder)"
            yield Finding("free-space", severity, text, remedy)
        if hasattr(os, "statvfs"):
            files = os.statvfs(folder)
            if files.f_files and not files.f_favail:
                text = f"the disk of {folder} has no place for another file (inodes)"
                yield Finding("free-space", "error", text, "remove files")
    yield from left_unpacked()


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


# Permissions


def permissions(config: Config) -> Iterator[Finding]:
    """Yield files that other users may read or write, and those that we may not."""
    open_to_others = _open_to_others(config)
    if open_to_others:
        first, mode = open_to_others[0]
        more = f" and {len(open_to_others) - 1} more" if len(open_to_others) > 1 else ""
        text = f"other users of this machine may use {first}{more} (mode {mode:04o})"
        yield Finding("permissions", "warning", text, "chmod go= on them", fixable=True)
    for path in _ours(config):
        if is_refused(path):
            error = refused_use([path], are_ours=True)
            yield Finding("permissions", "error", str(error), "change its owner or its mode")


def restrict(config: Config) -> None:
    """Take every permission from other users."""
    for path, mode in _open_to_others(config):
        with suppress(FileNotFoundError):  # a log that a server has removed, or a pruned backup
            path.chmod(mode & ~0o077)


def _open_to_others(config: Config) -> list[tuple[Path, int]]:
    """Return the files that other users may use, with their modes."""
    modes: list[tuple[Path, int]] = []
    for path in _ours(config) if os.name != "nt" else ():
        with suppress(FileNotFoundError):  # as above
            modes.append((path, stat.S_IMODE(path.stat().st_mode)))
    return [(path, mode) for path, mode in modes if mode & 0o077]


def _ours(config: Config) -> list[Path]:
    """Return the files of the store, and its backups with their manifests."""
    folder = folder_of(config)
    backups = [Path(backup.path) for backup in _backups(config)]
    manifests = [path for path in folder.glob("*.json") if path.with_suffix("") in backups]
    return [*store_paths(config), *backups, *manifests]


# Backups


def backups(config: Config, now: datetime, made_at: datetime | None) -> Iterator[Finding]:
    """Yield bad, damaged, old and missing backups; made_at is when the store was made."""
    folder = folder_of(config)
    for bad in bad_backups(folder):
        text = f"the backup {bad} failed its check; no older backup is removed until one succeeds"
        yield Finding("backups", "error", text, "viewra-lite backup create")
    known = _backups(config)
    for backup in known:
        yield from _damaged(backup)
    newest = next((backup for backup in known if backup.verified), None)
    if newest is None:
        is_new = made_at is not None and now - made_at < _NEW_STORE
        text = f"no verified backup in {folder}"
        severity: Severity = "info" if is_new else "warning"
        yield Finding("backups", severity, text, "viewra-lite backup create")
        return
    if now - newest.created_at > _OLDEST_BACKUP:
        days = (now - newest.created_at).days
        text = f"the newest verified backup is {days} days old: {newest.path}"
        remedy = "call store.maintenance.run_due() from a timer, or run viewra-lite maintain"
        yield Finding("backups", "warning", text, remedy)
    for each in newest.findings:
        remedy = f"if that is wrong, restore an older one: viewra-lite backup list ({folder})"
        yield Finding("backups", "warning", f"the newest backup: {each}", remedy)
    for path in store_paths(config)[:1]:
        if os.stat(path.parent).st_dev == os.stat(folder).st_dev:
            text = f"the backups are on the disk of the store: {folder}"
            remedy = "set backup_folder to a folder of another disk"
            yield Finding("backups", "info", text, remedy)


def _backups(config: Config) -> list[Backup]:
    return found(folder_of(config))


def _damaged(backup: Backup) -> Iterator[Finding]:
    try:
        size = os.stat(backup.path).st_size
    except FileNotFoundError:  # it was pruned meanwhile
        return
    if backup.verified and size != backup.size:
        text = f"the backup {backup.path} has {size} bytes and had {backup.size}"
        remedy = "remove it, and create another: viewra-lite backup create"
        yield Finding("backups", "error", text, remedy)
