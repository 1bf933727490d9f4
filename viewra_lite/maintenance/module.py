"""The verbs of `store.maintenance`."""

from __future__ import annotations

from ..database.checks import checked_limit
from ..database.backend import ConnectionFacts, DatabaseFacts
from ..database.transactions.database import Database
from ..media.models import MediaFile
from . import queries
from .statistics import Statistics, by_library, counts


class Maintenance:
    """The verbs of `store.maintenance`: statistics and problems of the store.

    Any verb may raise StoreBusyError, StoreClosedError, StoreUnavailableError, CorruptStoreError
    or TransactionError, and ConfigError if the file is not an SQLite database.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def statistics(self) -> Statistics:
        """Return the numbers of records in the store and the size of its database.

        The numbers come from one snapshot. Counting takes a few tenths of a second for a million
        files.
        """
        database = self.database()
        with self._db.reader():
            return Statistics(database, counts(self._db), by_library(self._db))

    def database(self) -> DatabaseFacts:
        """Return the engine, its version and the size of the database; needs no tables."""
        return self._db.backend.facts()

    def connections(self) -> ConnectionFacts:
        """Return how many connections this process has, and what its threads waited for.

        Counted since the store was opened; costs no query. For the database of `database()`.
        """
        return self._db.backend.connections()

    def problems(self, limit: int = 100) -> list[MediaFile]:
        """Return the first `limit` files, by path, that are missing, broken or belong to nothing.

        A missing file has `missing_since`, one that could not be probed has `error`, and one that
        belongs to no movie, episode or track has neither. limit is 1 to 1000. Raises
        InvalidValueError.
        """
        found: list[MediaFile] = self._db.all(queries.files_with_problems, checked_limit(limit))
        return found
