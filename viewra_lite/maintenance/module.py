"""What `store.maintenance` offers."""

from __future__ import annotations

from ..database.checks import checked_limit
from ..database.backend import DatabaseFacts
from ..database.transactions.database import Database
from ..media.models import MediaFile
from . import queries
from .statistics import Statistics, by_library, counts


class Maintenance:
    """What a store can say about itself."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def statistics(self) -> Statistics:
        """Return what the store holds and how large it is, as of one moment.

        Counts every table, so a store of a million files takes a few tenths of a second.
        """
        database = self.database()
        with self._db.reader():
            return Statistics(database, counts(self._db), by_library(self._db))

    def database(self) -> DatabaseFacts:
        """Return which engine it is and how large the database is; also before it is migrated."""
        return self._db.backend.facts()

    def problems(self, limit: int = 100) -> list[MediaFile]:
        """Return the first files, by path, that are missing or could not be probed.

        A missing one has `missing_since`, one that could not be probed `error`. limit is 1 to
        1000; raises InvalidValueError.
        """
        found: list[MediaFile] = self._db.all(queries.files_with_problems, checked_limit(limit))
        return found
