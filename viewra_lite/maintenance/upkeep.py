"""Upkeep: the size of a database, statistics for its query planner, and its free pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config.options import Config
from ..database.backend import SizeFacts, Space
from ..database.transactions.database import Database
from ..errors import TransactionError


class Upkeep:
    """Keeps a database small and its plans good; each verb outside a transaction."""

    def __init__(self, db: Database, config: Config) -> None:
        self._db = db
        self._config = config
        self._engine = _of_engine(config.engine)
        self.chores: Sequence[str] = self._engine.CHORES
        """The names of those that the engine needs."""

    def space(self) -> Space:
        """Return the size of the database."""
        found: Space = self._engine.space(self._db.backend)
        return found

    def sizes(self) -> SizeFacts:
        """Return what parts of the database take, and how its cache does."""
        found: SizeFacts = self._engine.sizes(self._db.backend, "search_documents", "search_index")
        return found

    def checkpoint(self) -> None:
        """Move the log into the database, and empty it if no reader needs it."""
        self._refuse_inside()
        self._db.backend.checkpoint(truncate=True)

    def optimize(self) -> list[str]:
        """Renew the statistics of tables that grew or shrank tenfold; return their names."""
        self._refuse_inside()
        tables: list[str] = self._engine.optimize(self._db.backend, self._config)
        return tables

    def vacuum(self) -> None:
        """Give free pages back to the disk."""
        self._refuse_inside()
        self._engine.vacuum(self._db.backend, self._config)

    def _refuse_inside(self) -> None:
        if self._db.in_transaction:
            raise TransactionError("inside a reader() or writer(): leave that block first")


def _of_engine(engine: str) -> Any:
    if engine == "postgres":
        from ..database.postgres import upkeep as postgres

        return postgres
    from ..database.sqlite import upkeep as sqlite

    return sqlite
