"""What every table of the modules is: a model of the one store that this process has open."""

from __future__ import annotations

from typing import Any, ClassVar

from . import peewee_import  # noqa: F401  (before peewee, see there)
from peewee import SQL, DatabaseProxy, ForeignKeyField, Model

from .reading import name_unreadable

# A model finds its store by itself, for it may be imported long after the store was opened.
open_database = DatabaseProxy()


class StoreModel(Model):
    """Common to all tables of the modules."""

    extra_ddl: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Statements by engine that Peewee has no words for, run after CREATE TABLE."""

    @classmethod
    def validate_model(cls) -> None:
        """Let every column say which row holds what cannot be read; Peewee calls it."""
        for field in cls._meta.sorted_fields:
            name_unreadable(field)

    class Meta:
        database = open_database
        legacy_table_names = False
        primary_key = False  # each names its own


def reference(model: Any, **options: Any) -> Any:
    """Return a foreign key that never queries: unset, its attribute is the id."""
    return ForeignKeyField(model, backref="+", lazy_load=False, **options)


def unique(*columns: str) -> Any:
    """Return a UNIQUE constraint over several columns."""
    return SQL("UNIQUE ({})".format(", ".join(f'"{column}"' for column in columns)))


def index(model: Any, name: str, *columns: Any, where: Any = None, is_unique: bool = False) -> None:
    """Give a model an index by the name that the specification or we gave it."""
    model.add_index(model.index(*columns, name=name, where=where, unique=is_unique))
