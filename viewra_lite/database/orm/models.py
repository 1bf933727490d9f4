"""StoreModel: the base class of all models, bound to the open store of this process."""

from __future__ import annotations

from typing import Any, ClassVar

from . import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import SQL, DatabaseProxy, ForeignKeyField, Model

from .reading import name_unreadable


class _OpenDatabase(DatabaseProxy):
    """The open store's database; a proxy, because a model may be imported long after it opened."""

    def savepoint(self) -> Any:
        """Return a savepoint of the store's own kind; Peewee's proxy would return one of its."""
        return self.obj.savepoint()


open_database = _OpenDatabase()


class StoreModel(Model):
    """The base class of all models of the modules."""

    extra_ddl: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Statements by engine that Peewee cannot express, run after CREATE TABLE."""

    @classmethod
    def validate_model(cls) -> None:
        """Make errors of every column name the unreadable row; called by Peewee."""
        for field in cls._meta.sorted_fields:
            name_unreadable(field)

    class Meta:
        database = open_database
        legacy_table_names = False
        primary_key = False  # each model declares its own


def reference(model: Any, **options: Any) -> Any:
    """Return a foreign key that never queries: if not loaded, its attribute is the id."""
    return ForeignKeyField(model, backref="+", lazy_load=False, **options)


def unique(*columns: str) -> Any:
    """Return a UNIQUE constraint over several columns."""
    return SQL("UNIQUE ({})".format(", ".join(f'"{column}"' for column in columns)))


def index(model: Any, name: str, *columns: Any, where: Any = None, is_unique: bool = False) -> None:
    """Add an index to a model under a fixed name."""
    model.add_index(model.index(*columns, name=name, where=where, unique=is_unique))
