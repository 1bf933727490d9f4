"""Locks between processes, which the operating system releases when their owner dies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import StoreBusyError
from ..files import disk_errors, give_to_owner, make_folder
from .waits import log_long_wait

_RETRY_S = 0.02


@contextmanager
def file_lock(path: Path, *, wait_s: float, shared: bool = False) -> Iterator[None]:
    """Hold an exclusive or a shared lock on a file; raises StoreBusyError after wait_s seconds.

    The lock also excludes other threads of this process, because each holder opens the file again.
    The file is not removed, because that would race with the next holder. Windows has no shared
    locks: there a shared one does nothing.
    """
    if shared and os.name == "nt":  # pragma: no cover
        yield
        return
    descriptor = _opened(path)
    with of_this_process(descriptor) as is_ours:
        try:
            wait_for_lock(lambda: _try_lock(descriptor, shared=shared), path.name, wait_s, _RETRY_S)
            yield
        finally:
            if is_ours():
                _unlock(descriptor)
                os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a lock file is locked, by this process or another one.

    Looking takes a shared lock for a moment: an exclusive one has to be tried twice then.
    """
    if not path.exists():
        return False
    descriptor = _opened(path)
    with of_this_process(descriptor) as is_ours:
        try:
            return not _try_lock(descriptor, shared=True)
        finally:
            if is_ours():
                _unlock(descriptor)
                os.close(descriptor)


def wait_for_lock(is_ours: Callable[[], bool], name: str, wait_s: float, retry_s: float) -> None:
    """Ask for a lock until it is ours; raises StoreBusyError after wait_s seconds."""
    if is_ours():
        return
    began, in_vain = time.monotonic(), True
    try:
        while not is_ours():
            if time.monotonic() - began >= wait_s:
                raise StoreBusyError(f"{name} is locked by another process or thread")
            time.sleep(jitter() * retry_s)
        in_vain = False
    finally:
        log_long_wait(f"the lock {name}", time.monotonic() - began, in_vain=in_vain)


@contextmanager
def of_this_process(descriptor: int) -> Iterator[Callable[[], bool]]:
    """Close a descriptor in children that are forked meanwhile; yields a check for the owner.

    A lock is held as long as any process has its descriptor: a child that outlives its parent
    would keep the parent's lock. The yielded function returns False in such a child.
    """
    owner = os.getpid()
    _held.add(descriptor)
    try:
        yield lambda: os.getpid() == owner
    finally:
        _held.discard(descriptor)


_held: set[int] = set()


def _close_inherited() -> None:
    while _held:
        with suppress(OSError):  # its thread was just closing it
            os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


def jitter() -> float:
    """Return a random factor from 0.5 to 1.0, so that waiting processes do not retry in step."""
    from random import uniform  # imported here because opening a store does not need it

    return uniform(0.5, 1.0)


def _opened(path: Path) -> int:
    with disk_errors(path):
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        give_to_owner(path, path.parent)
    return descriptor


def _unlock(descriptor: int) -> None:
    # Closing is not enough: between fork and exec, a child of any thread has a copy of the
    # descriptor, and so of the lock.
    with suppress(OSError):  # then closing has to do
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _try_lock(descriptor: int, *, shared: bool = False) -> bool:
    try:
        if os.name == "nt":  # pragma: no cover
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
