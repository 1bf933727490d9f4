"""Purging: the only code that deletes the rows of vanished files, long after a scan."""

from __future__ import annotations

import logging
from datetime import datetime

from ...database.transactions.database import Database
from ...database.transactions.slices import repeat_in_slices
from ...errors import ConflictError, NotFoundError
from .. import queries
from ..catalog.catalog import Catalog
from ..files import queries as file_queries
from ..files.relink import is_mounted
from ..files.removal import forget_files
from ..libraries import locked
from ..models import MediaLibrary
from . import queries as scan_queries

_log = logging.getLogger("viewra_lite.media")

_BATCH = 5  # files forgotten by one step of a transaction


def purge_missing(db: Database, library: MediaLibrary, before: datetime) -> int:
    """Forget the files of a library that are missing since before a moment; return how many.

    Ids are remembered, so that a file gets its id back when it returns. Nothing is purged while
    the library's folder is unreadable or empty, or while the library is being scanned.
    """
    purged = 0

    def purge_some() -> int:
        nonlocal purged
        number = _purge_some(db, library, before)
        purged += number
        return number

    try:
        with locked(db, library.id) as library:
            if is_mounted(library.path):
                _count_from_now(db, library)
                repeat_in_slices(db, purge_some)
    except (ConflictError, NotFoundError):
        _log.debug("library %s is being scanned, or was removed: not purged", library.id)
    if purged:
        _log.info("forgot %d files of library %s that were missing for long", purged, library.id)
    return purged


def _count_from_now(db: Database, library: MediaLibrary) -> None:
    """Set missing_since in the future, of a clock that ran ahead, to now."""
    now = db.now()
    if db.one(scan_queries.missing_of_the_future, library.id, now) is not None:
        db.run(scan_queries.missing_from_now, now, library.id)


def _purge_some(db: Database, library: MediaLibrary, before: datetime) -> int:
    rows = db.all(scan_queries.missing_before, library.id, before, _BATCH)
    ids = [id for (id,) in rows]
    catalog = Catalog(db, library)
    for id in ids:
        catalog.release(db.one(queries.file_by_id, id))
    forget_files(db, ids)
    catalog.finish()
    if ids:
        db.run(file_queries.forget_unplaced)
    return len(ids)
