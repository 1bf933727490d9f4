"""Packages of plugins, written and installed as a third party's."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path
from textwrap import dedent

AWARD = """
from peewee import ForeignKeyField, IntegerField, Model, TextField

def up(migrator, db):
    class Movie(Model):
        id = TextField(primary_key=True)
        class Meta:
            database = db
            table_name = "movies"

    class Award(Model):
        movie = ForeignKeyField(Movie, on_delete="CASCADE", backref="+")
        won = IntegerField()
        class Meta:
            database = db
            table_name = "plugin_omdb_award"

    db.create_tables([Award], safe=False)
"""
MORE = """
from peewee import TextField

def up(migrator, db):
    migrator.migrate(migrator.add_column("plugin_omdb_award", "year", TextField(null=True)))
"""


@contextmanager
def importable(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Write Python files into a folder that is on the path meanwhile, and forget them after."""
    with forgotten(folder):
        written(folder, files)
        sys.path.insert(0, str(folder))
        invalidate_caches()
        yield


def written(folder: Path, files: Mapping[str, str]) -> None:
    """Write text files below a folder, which only their owner may change."""
    for name, text in files.items():
        path = folder / name
        for parent in reversed(path.relative_to(folder.parent).parents):
            (folder.parent / parent).mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        path.chmod(0o644)


@contextmanager
def forgotten(folder: Path) -> Iterator[None]:
    """Let Python forget afterwards what was imported from a folder meanwhile."""
    before, path = set(sys.modules), list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            if str(folder) in f"{getattr(module, '__path__', '')}{getattr(module, '__file__', '')}":
                del sys.modules[name]
        invalidate_caches()


def entry_points(names: Mapping[str, str]) -> dict[str, str]:
    """Return the files that make entry points of a distribution, as pip writes them."""
    lines = "\n".join(f"{name} = {target}" for name, target in names.items())
    return {
        "third_party-1.0.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: third_party\nVersion: 1.0\n"
        ),
        "third_party-1.0.dist-info/entry_points.txt": f"[viewra_lite.plugins]\n{lines}\n",
    }
