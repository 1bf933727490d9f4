"""The tables of history: which scripts of a module were applied to a store."""

from __future__ import annotations

from typing import Any

import peewee

from ..orm.fields import TimestampField

HISTORY_PREFIX = "viewra_migrations_"


def history(database: peewee.Database, module: str) -> Any:
    """Return the model of a module's history table, bound to the database."""

    class History(peewee.Model):
        """Migrations of this module that were applied."""

        name = peewee.TextField(primary_key=True, help_text="file name without .py")
        checksum = peewee.TextField(null=True, help_text="SHA-256 of its source")
        applied = TimestampField(help_text="UTC")

        class Meta:
            table_name = HISTORY_PREFIX + module

    History._meta.set_database(database)
    return History
