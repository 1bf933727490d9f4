"""Files beside the store: removed, made durable and hashed, with the errors of their disk."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import BackupError, StoreFullError, StoreUnavailableError

_CHUNK_BYTES = 1 << 20


def remove(path: Path) -> None:
    """Remove a file, if it exists."""
    with suppress(FileNotFoundError):  # as asked
        path.unlink()


def sync(path: Path) -> None:
    """Make a file or a folder durable."""
    if path.is_dir() and os.name == "nt":
        return  # a folder cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal; raises BackupError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {exc.strerror}") from exc
    return digest.hexdigest()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Translate the errors of a folder's disk."""
    try:
        yield
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFullError(f"the disk of {folder} is full: make room") from exc
        raise StoreUnavailableError(f"{exc.filename or folder}: {exc.strerror}") from exc
