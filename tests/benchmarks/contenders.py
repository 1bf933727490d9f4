"""Who is compared, and which of them can be asked here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from .contender import Contender


@dataclass(frozen=True)
class Entry:
    """Where a contender lives, and the package that it needs."""

    title: str
    module: str
    name: str
    package: str


ENTRIES = {
    "ours": Entry("viewra_lite", "ours", "Ours", "viewra_lite"),
    "ours_cysqlite": Entry("viewra_lite, driver: cysqlite", "ours", "OursCysqlite", "cysqlite"),
    "raw": Entry("sqlite3", "raw", "Raw", "sqlite3"),
    "raw_busy": Entry("sqlite3, busy_timeout", "raw", "RawBusy", "sqlite3"),
    "raw_full": Entry("sqlite3, synchronous=FULL", "raw", "RawFull", "sqlite3"),
    "peewee": Entry("Peewee", "peer_peewee", "Peewee", "peewee"),
    "sqlalchemy_core": Entry(
        "SQLAlchemy Core", "peer_sqlalchemy_core", "SqlAlchemyCore", "sqlalchemy"
    ),
    "sqlalchemy_orm": Entry("SQLAlchemy ORM", "peer_sqlalchemy_orm", "SqlAlchemyOrm", "sqlalchemy"),
    "django": Entry("Django ORM", "peer_django", "Django", "django"),
    "pony": Entry("Pony", "peer_pony", "Pony", "pony"),
    "sqlite_utils": Entry("sqlite-utils", "peer_sqlite_utils", "SqliteUtils", "sqlite_utils"),
}
OURS = ("ours", "ours_cysqlite")
PEERS = ("peewee", "sqlalchemy_core", "sqlalchemy_orm", "django", "pony", "sqlite_utils")


def installed() -> list[str]:
    """Return those whose package is here."""
    return [name for name, entry in ENTRIES.items() if find_spec(entry.package) is not None]


def opened(name: str, path: str) -> Contender:
    """Open a database as a contender does; once in a process."""
    entry = ENTRIES[name]
    made: Contender = getattr(import_module(f".{entry.module}", __package__), entry.name)(path)
    return made
