"""Databases that are put back after each try, and the scripts that upgrade them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.catalogue import postgres_catalogue, sqlite_catalogue

CHUNKS = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE notes ADD COLUMN capitals TEXT DEFAULT ''")

def chunk(db, after):
    found = db.execute_sql(
        "SELECT id FROM notes WHERE id > " + str(after or 0) + " ORDER BY id LIMIT 7"
    ).fetchall()
    for (id,) in found:
        db.execute_sql("UPDATE notes SET capitals = capitals || 'A' WHERE id = " + str(id))
    return found[-1][0] if found else None
"""
FIRST = """
def up(migrator, db):
    db.execute_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    for number in range(20):
        db.execute_sql("INSERT INTO notes VALUES (" + str(number + 1) + ", 'a')")
"""
REBUILT = """
from peewee import IntegerField

def up(migrator, db):
    migrator.add_column("notes", "stars", IntegerField(default=3)).run()
    migrator.drop_not_null("notes", "text").run()
"""


class Database:
    """A database that is put back to how it was before each kill."""

    def __init__(self, engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
        self.engine = engine
        if engine == "sqlite":
            self.folder = tmp_path / "store"
            self.folder.mkdir()
            self.path = self.folder / "viewra.db"
            options = {"type": "sqlite", "database_path": str(self.path)}
            self.config: Any = {"database": {**options, "upgrade_backup": "off"}}
            self.kept = tmp_path / "kept"
        else:
            self.url = request.getfixturevalue("postgres_url")
            self.config = f"{self.url}?upgrade_backup=off"
            self.server = request.getfixturevalue("postgres_server")
            self.kept_name = ""

    def keep(self) -> None:
        """Remember this state."""
        if self.engine == "sqlite":
            shutil.rmtree(self.kept, ignore_errors=True)
            shutil.copytree(self.folder, self.kept)
        else:
            self.kept_name = self.url.rpartition("/")[2] + "_kept"
            self.server.create_database(self.kept_name, template=self.url.rpartition("/")[2])

    def put_back(self) -> None:
        """Return to the state that was kept."""
        if self.engine == "sqlite":
            shutil.rmtree(self.folder)
            shutil.copytree(self.kept, self.folder)
            return
        name = self.url.rpartition("/")[2]
        self.server.drop_database(name)
        self.server.create_database(name, template=self.kept_name)

    def close(self) -> None:
        """Remove what was kept on a server."""
        if self.engine == "postgres" and self.kept_name:
            self.server.drop_database(self.kept_name)

    def catalogue(self) -> Any:
        found = (
            sqlite_catalogue(self.path) if self.engine == "sqlite" else postgres_catalogue(self.url)
        )
        return {key: value for key, value in found.items() if "sqlite_stat1" not in key}

    def rows(self, sql: str) -> list[Any]:
        if self.engine == "sqlite":
            with closing(sqlite3.connect(self.path)) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql).fetchall()
