"""Packages of migration scripts, of a module that is not built in, and looks into a store."""

from __future__ import annotations

import importlib

from viewra_lite import Module
from viewra_lite.media.models import MediaLibrary

CREATE = """
from peewee import *

def up(migrator, db):
    class Note(Model):
        id = TextField(primary_key=True)
        class Meta:
            database = db
            table_name = "notes"
    db.create_tables([Note])
    db.execute_sql("INSERT INTO notes (id) VALUES ('first')")
"""
ADD_COLUMN = """
from peewee import *

def up(migrator, db):
    migrator.migrate(migrator.add_column("notes", "stars", IntegerField(default=3)))
"""
FAIL = """
def up(migrator, db):
    db.execute_sql("CREATE TABLE half (x integer)")
    db.execute_sql("INSERT INTO notes (id) VALUES ('half')")
    db.execute_sql("DELETE FROM media_libraries")
    raise ValueError("the script's own trouble")
"""


class Guest:
    """A package of migrations that belongs to no room of ours, written anew for each test."""

    def __init__(self, folder, name):
        self.name = name
        self.folder = folder / name
        (self.folder / "migrations").mkdir(parents=True)
        (self.folder / "__init__.py").touch()
        (self.folder / "migrations" / "__init__.py").touch()

    def write(self, script, text):
        (self.folder / "migrations" / f"{script}.py").write_text(text)
        importlib.invalidate_caches()

    def remove(self, script):
        (self.folder / "migrations" / f"{script}.py").unlink()
        importlib.invalidate_caches()

    def module(self, **attributes):
        values = {"name": "notes", "requires": ("media",), **attributes}
        return type("Notes", (Module,), {"migrations": f"{self.name}.migrations", **values})()


def rows(store, sql):
    with store.reader():
        return MediaLibrary._meta.database.execute_sql(sql).fetchall()


def tables(store):
    with store.reader():
        return set(MediaLibrary._meta.database.get_tables())


def dump(store):
    """Everything that is in the store, as text."""
    with store.reader():
        database = MediaLibrary._meta.database
        return {
            table: sorted(map(repr, database.execute_sql(f'SELECT * FROM "{table}"').fetchall()))
            for table in database.get_tables()
            if "_fts" not in table
        }
