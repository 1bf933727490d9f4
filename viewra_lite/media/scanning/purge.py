"""Forget files that have been missing for long: the only way a row leaves for a vanished file."""

from __future__ import annotations

from datetime import datetime

from ...database.sessions.sessions import Sessions
from ...errors import ConflictError, NotFoundError
from .. import queries
from ..catalog.catalog import Catalog
from ..files.relink import is_mounted
from ..files.removal import forget_files
from ..libraries import claimed
from ..models import MediaLibrary
from . import queries as scan_queries

_BATCH = 50  # files in a transaction


def purge_missing(sessions: Sessions, library: MediaLibrary, before: datetime) -> int:
    """Forget the files of a library that are missing since before a moment; return how many.

    Ids are remembered, so a file that comes back later is known again. Nothing is purged while
    the library's folder cannot be read or is empty, or while the library is being scanned.
    """
    purged = 0
    try:
        with claimed(sessions, library.id) as library:
            if is_mounted(library.path):
                _count_from_now(sessions, library)
                while batch := _purge_some(sessions, library, before):
                    purged += batch
    except (ConflictError, NotFoundError):
        pass  # it is being scanned, or was removed: the next time will do
    return purged


def _count_from_now(sessions: Sessions, library: MediaLibrary) -> None:
    """Begin the time of files that a scan missed while the clock ran ahead."""
    now = sessions.now()
    if sessions.one(scan_queries.missing_of_the_future, library.id, now) is not None:
        sessions.run(scan_queries.missing_from_now, now, library.id)


def _purge_some(sessions: Sessions, library: MediaLibrary, before: datetime) -> int:
    with sessions.writer():
        rows = sessions.all(scan_queries.missing_before, library.id, before, _BATCH)
        ids = [id for id, in rows]
        catalog = Catalog(sessions, library)
        for id in ids:
            catalog.release(sessions.one(queries.file_by_id, id))
        forget_files(sessions, ids)
        catalog.finish()
    return len(ids)
