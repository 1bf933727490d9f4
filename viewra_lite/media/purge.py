"""Forget files that have been missing for long: the only way a row leaves for a vanished file."""

from __future__ import annotations

from datetime import datetime

from ..database.sessions import Sessions
from . import queries
from .catalog import release
from .identity import is_mounted
from .libraries import forget_files
from .models import MediaLibrary

_BATCH = 100


def purge_missing(sessions: Sessions, library: MediaLibrary, before: datetime) -> int:
    """Forget the files of a library that are missing since before a moment; return how many.

    Ids are remembered, so a file that comes back later is known again. Nothing is purged while
    the library's folder cannot be read or is empty.
    """
    if not is_mounted(library.path):
        return 0
    purged = 0
    while True:
        rows = sessions.all(queries.missing_before, library.id, before, _BATCH)
        ids = [id for id, in rows]
        if not ids:
            return purged
        with sessions.writer():
            release(sessions, library, ids)
            forget_files(sessions, ids)
        purged += len(ids)
