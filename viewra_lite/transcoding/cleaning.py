"""Keeps the cache below its configured size: evicts entries and deletes their files."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ..database.transactions.database import Database
from . import cache
from .cache_queries import Evicted

_log = logging.getLogger("viewra_lite.transcoding")


def keep_below(db: Database, max_mib: int) -> None:
    """Evict entries of a cache that is over max_mib, and delete their output; 0 does nothing.

    The row goes first: a kill in between leaves a file, never an entry without one.
    """
    max_bytes = max_mib << 20
    if not max_mib or cache.usage(db).bytes <= max_bytes:
        return
    cache.forget_vanished(db)
    cache.evict(db, max_bytes, evicted=_delete)


def _delete(entries: list[Evicted]) -> None:
    for entry in entries:
        if entry.path is not None:
            try:
                _delete_output(Path(entry.path), entry.bytes)
            except OSError as exc:
                _log.warning("the output of an evicted transcode stays: %s", exc.strerror)


def _delete_output(path: Path, size: int) -> None:
    """Delete a file, or a folder of segments.

    A folder that holds more than the transcode wrote is not its own: it may be that of all.
    """
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    with os.scandir(path) as found:
        segments = list(found)
    if any(one.is_dir(follow_symlinks=False) for one in segments):
        raise OSError(0, "its folder has folders in it")
    if sum(one.stat(follow_symlinks=False).st_size for one in segments) > size:
        raise OSError(0, "its folder holds more than it wrote")
    for one in segments:
        Path(one.path).unlink(missing_ok=True)
    path.rmdir()
