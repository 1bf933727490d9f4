"""What every table of the rooms is: a model of the one store that this process has open."""

from __future__ import annotations

from typing import ClassVar

from . import drivers  # noqa: F401  (before peewee, see there)
from peewee import DatabaseProxy, Model

# A model finds its store by itself, for it may be imported long after the store was opened.
open_database = DatabaseProxy()


class StoreModel(Model):
    """Common to all tables of the rooms."""

    extra_ddl: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Statements by engine that Peewee has no words for, run after CREATE TABLE."""

    class Meta:
        database = open_database
        legacy_table_names = False
        primary_key = False  # each names its own
