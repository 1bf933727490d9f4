"""Locks between processes that the operating system drops together with their owner."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreBusyError, StoreUnavailableError

_RETRY_S = 0.02


@contextmanager
def file_lock(path: Path, *, wait_s: float) -> Iterator[None]:
    """Hold an exclusive lock on a file of its own; raises StoreBusyError after wait_s seconds.

    The lock also excludes other threads of this process, because each holder opens the file
    anew. The file stays: removing it would race with the next holder.
    """
    descriptor = _opened(path)
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise StoreBusyError(f"{path.name} is locked by another process or thread")
            time.sleep(random.uniform(0.5, 1.0) * _RETRY_S)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as exc:
        raise StoreUnavailableError(f"{path} cannot be opened: {exc.strerror}") from exc


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
