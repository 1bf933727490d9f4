"""Recovers a store with the tables of the built-in modules; see Store.recover()."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from .built_in import BUILT_IN
from .config.options import Config, SqliteConfig
from .database.backups.recover import Recovered, recover
from .database.ids import Ids
from .database.migrations.migrator import Migrator
from .database.sqlite.backend import SqliteBackend
from .database.transactions.database import Database
from .media.files.lost_parents import make_again


def recovered(config: Config, now: datetime, *, dry_run: bool) -> Recovered:
    """Recover the store of a configuration."""

    def new_store(path: Path) -> None:
        backend = SqliteBackend(SqliteConfig(database_path=path))
        db = Database(backend, config, clock=lambda: now, new_id=Ids(lambda: now))
        try:
            backend.prepare()
            Migrator(db, BUILT_IN).apply()
        finally:
            db.close()

    return recover(config, now, new_store=new_store, mend=make_again, dry_run=dry_run)
