"""Finding backups, and reading one as a whole to check it."""

from __future__ import annotations

import os
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from ...errors import BackupError
from ..checks import checked_path
from ..files import sha256, why_unreadable
from .compression import plain
from .manifest import Backup, manifest_of, read

LATEST = "latest"
_SUFFIXES = (".db", ".db.zst", ".dump")
_SQLITE, _POSTGRES, _ZSTD = b"SQLite format 3\0", b"PGDMP", b"\x28\xb5\x2f\xfd"


def found(folder: Path) -> list[Backup]:
    """Return the backups in a folder, newest first; [] without a folder."""
    try:
        paths = [
            path for path in folder.iterdir() if path.name.endswith(_SUFFIXES) and path.is_file()
        ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    backups = filter(None, map(_unless_gone, paths))
    return sorted(backups, key=lambda one: (one.created_at, one.path), reverse=True)


def _unless_gone(path: Path) -> Backup | None:
    """Return a backup, or None if another process has pruned it since the folder was read."""
    try:
        return read(path)
    except BackupError as exc:
        if isinstance(exc.__cause__, FileNotFoundError):
            return None
        raise


def checked(folder: Path, path: str | PathLike[str]) -> Backup:
    """Check a backup as a whole and return it; raises BackupError, which names the fault."""
    backup = read(_resolved(folder, path))
    file = Path(backup.path)
    digest = sha256(file)
    if backup.sha256 and backup.sha256 != digest:
        raise BackupError(
            f"{file} is not the file that was written: its SHA-256 differs from its manifest's "
            f"({manifest_of(file).name})"
        )
    counts, schema = contents(file)
    wrong = [name for name, rows in backup.counts.items() if counts.get(name) != rows]
    if wrong:
        raise BackupError(f"{file} does not hold the rows that its manifest counts: {wrong[0]}")
    return replace(
        backup, counts=counts, schema=schema, sha256=digest, verified=True, engine=engine_of(file)
    )


def _resolved(folder: Path, path: str | PathLike[str]) -> Path:
    if path != LATEST:
        return Path(os.path.abspath(checked_path("path", path)))
    backups = found(folder)
    if not backups:
        raise BackupError(f"{folder} holds no backup")
    return Path(backups[0].path)


def contents(path: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Check a file as a whole; return its rows by table, and the last migration of each module.

    Raises BackupError.
    """
    with plain(path) as content:
        try:
            found: tuple[dict[str, int], dict[str, str]]
            found = of_engine(engine_of(content)).contents(content)
        except BackupError as exc:
            if content == path:
                raise
            raise BackupError(str(exc).replace(str(content), str(path))) from exc
    return found


def of_engine(engine: str) -> Any:
    """Return the module that writes and reads the backups of an engine."""
    if engine == "postgres":
        from ..postgres import backup as postgres

        return postgres
    from ..sqlite import backup as sqlite

    return sqlite


def engine_of(path: Path) -> str:
    """Return the engine of a backup by the beginning of its file; raises BackupError."""
    try:
        with open(path, "rb") as file:
            begin = file.read(len(_SQLITE))
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {why_unreadable(exc)}") from exc
    if not begin:
        raise BackupError(f"{path} is empty")
    if begin.startswith((_SQLITE, _ZSTD)):
        return "sqlite"  # a dump is compressed by itself
    if begin.startswith(_POSTGRES):
        return "postgres"
    raise BackupError(f"{path} is damaged, or no backup: neither an SQLite file nor a dump")
