"""Broken plugins of installed packages: each has its state, and all else works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.plugins import entry_points, importable
from viewra_lite import Store
from viewra_lite.errors import PluginError
from viewra_lite.plugins.models import PluginStorage

HEAD = """
from peewee import ForeignKeyField, IntegerField, Model, TextField
from viewra_lite.media.models import MediaFile, Movie
from viewra_lite.plugins import Plugin, PluginModel, on
"""
# By name of the entry point: its code, the state after discover(), and a part of the reason.
BROKEN: dict[str, tuple[str, str, str]] = {
    "importing": ("import nothing_such", "broken", "ModuleNotFoundError"),
    "exiting": ("raise SystemExit(3)", "broken", "SystemExit"),
    "syntax": ("class Found(Plugin", "broken", "SyntaxError"),
    "nothing": ("", "broken", "no attribute 'Found'"),
    "noplugin": ("Found = 5", "broken", "a subclass of Plugin"),
    "decorator": (
        "class Found(Plugin):\n id = 'decorator'\n @on\n def f(self): pass",
        "broken",
        "name of an event",
    ),
    "noid": ("class Found(Plugin): pass", "broken", "its id is None"),
    "badid": ("class Found(Plugin): id = 'Bad_Id'", "broken", "its id is 'Bad_Id'"),
    "injecting": ("class Found(Plugin): id = 'a\"; --'", "broken", "its id is"),
    "nul": ("class Found(Plugin): id = 'a\\0'", "broken", "its id is"),
    "number": ("class Found(Plugin): id = 5", "broken", "its id is 5"),
    "reserved": ("class Found(Plugin): id = 'storage'", "broken", "its id is 'storage'"),
    "apitwo": ("class Found(Plugin): id = 'apitwo'; api = 2", "incompatible", "api 2"),
    "apitext": ("class Found(Plugin): id = 'apitext'; api = '1'", "broken", "api is '1'"),
    "coremodel": (
        "class Found(Plugin):\n id = 'coremodel'\n models = (Movie,)\n migrations = 'x'",
        "broken",
        "not a PluginModel",
    ),
    "models": (
        "class Found(Plugin): id = 'models'; models = 5; migrations = 'x'",
        "broken",
        "TypeError",
    ),
    "unmigrated": (
        "class A(PluginModel): pass\nclass Found(Plugin):\n id = 'unmigrated'\n models = (A,)",
        "broken",
        "no migrations",
    ),
    "noscripts": (
        "class Found(Plugin): id = 'noscripts'; migrations = 'nothing_such'",
        "broken",
        "cannot be found",
    ),
    "holding": (
        "class A(PluginModel): movie = ForeignKeyField(Movie, backref='+')\n"
        "class Found(Plugin):\n id = 'holding'\n models = (A,)\n migrations = 'x'",
        "broken",
        "from being deleted",
    ),
    "arguments": (
        "class Found(Plugin):\n id = 'arguments'\n @on('movie.added')\n def f(self, nothing): pass",
        "broken",
        "movie.added has no 'nothing'",
    ),
    "event": (
        "class Found(Plugin):\n id = 'event'\n @on('movie.eaten')\n def f(self): pass",
        "broken",
        "movie.eaten",
    ),
    "init": (
        "class Found(Plugin):\n id = 'init'\n def __init__(self): raise OSError('no disk')",
        "broken",
        "OSError: no disk",
    ),
    "wrongname": ("class Found(Plugin): id = 'wrongname'; name = 5", "broken", "name is not text"),
    "schema": (
        "class Found(Plugin): id = 'schema'; config_schema = {'type': 'x'}",
        "broken",
        "config_schema",
    ),
    "twin": ("class Found(Plugin): id = 'good'", "broken", "another plugin has the id good"),
}
SHOWN = {
    "noid": "Found",
    "badid": "Bad_Id",
    "injecting": 'a"; --',
    "nul": "'a\\x00'",
    "number": "5",
    "reserved": "storage",
    "twin": "good",
}
# Those that are found out when they are enabled, with a part of the reason and the state then.
LATER: dict[str, tuple[str, str, str]] = {
    "checking": (
        "class Found(Plugin):\n id = 'checking'\n def check(self): raise OSError('away')",
        "OSError: away",
        "off",
    ),
    "checkexit": (
        "class Found(Plugin):\n id = 'checkexit'\n def check(self): raise SystemExit",
        "SystemExit",
        "off",
    ),
    "migrating": (
        "class Found(Plugin): id = 'migrating'; migrations = 'm_migrating'",
        "1 / 0",
        "broken",
    ),
    "altering": (
        "class Found(Plugin): id = 'altering'; migrations = 'm_altering'",
        "it would change the table movies",
        "broken",
    ),
    "dropping": (
        "class Found(Plugin): id = 'dropping'; migrations = 'm_dropping'",
        "it would",
        "broken",
    ),
    "creating": (
        "class Found(Plugin): id = 'creating'; migrations = 'm_creating'",
        "it would change the table other",
        "broken",
    ),
    "indexing": (
        "class Found(Plugin): id = 'indexing'; migrations = 'm_indexing'",
        "it would change the table movies",
        "broken",
    ),
    "keeping": (
        "class Found(Plugin): id = 'keeping'; migrations = 'm_keeping'",
        "keeps its rows from being deleted",
        "broken",
    ),
    "missing": (
        "class A(PluginModel): n = IntegerField()\nclass Found(Plugin):\n"
        " id = 'missing'\n models = (A,)\n migrations = 'm_missing'",
        "do not create plugin_missing_a",
        "broken",
    ),
}
SCRIPTS = {
    "migrating": "raise ZeroDivisionError('1 / 0')",
    "altering": "db.execute_sql('ALTER TABLE movies ADD COLUMN x INTEGER')",
    "dropping": "db.execute_sql('DROP TABLE plugin_storage')",
    "creating": "db.execute_sql('CREATE TABLE other (x INTEGER)')",
    "indexing": "db.execute_sql('CREATE UNIQUE INDEX mine ON movies (title)')",
    "keeping": "db.execute_sql('CREATE TABLE plugin_keeping_a "
    "(movie_id TEXT REFERENCES movies (id))')",
    "missing": "pass",
}
GOOD = """
class Found(Plugin):
    id = 'good'
    def run(self, now):
        self.storage['runs'] = self.storage.get('runs', 0) + 1
    @on('library.added')
    def added(self, library_id):
        self.storage['library'] = library_id
"""
RAISING = """
class Found(Plugin):
    id = 'araising'
    def run(self, now): raise SystemExit('no')
    @on('library.added')
    def added(self): raise KeyError('no')
"""


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[None]:
    """All of these plugins, installed."""
    codes = {name: code for name, (code, *_) in {**BROKEN, **LATER}.items()}
    codes |= {"good": GOOD, "araising": RAISING}
    files = {f"third_{name}.py": HEAD + code for name, code in codes.items()}
    for name, body in SCRIPTS.items():
        files[f"m_{name}/__init__.py"] = ""
        files[f"m_{name}/0001_initial.py"] = f"def up(migrator, db):\n    {body}\n"
    points = entry_points({name: f"third_{name}:Found" for name in codes})
    with importable(tmp_path / "installed", {**files, **points}):
        yield


def test_broken_plugins_have_a_state_and_all_else_works(
    installed: None, store_config: Any, tmp_path: Path, clock: Clock
) -> None:
    with Store.open(store_config, plugins=True, clock=clock) as store:
        before = set(store.tables())
        plugins = store.plugins
        assert len(plugins.plugins()) == len(BROKEN) + len(LATER) + 2
        for name, (_, state, reason) in BROKEN.items():
            [one] = [
                one
                for one in plugins.plugins(state=state)
                if one.id == SHOWN.get(name, name) and reason in one.reason
            ]
            assert one.remedy, one
        for name in BROKEN.keys() & {one.id for one in plugins.plugins()}:
            with pytest.raises(PluginError):
                plugins.enable(name)
        for name, (_, reason, state) in LATER.items():
            assert plugins.plugin(name).state == "off"
            with pytest.raises(PluginError) as error:
                plugins.enable(name)
            assert reason in error.value.reason and error.value.remedy, name
            assert plugins.plugin(name).state == state
        assert {name for name in store.tables() if "viewra_migrations" not in name} == {
            name for name in before if "viewra_migrations" not in name
        } and store.migrations.drift() == []
        for name in ("good", "araising"):
            assert plugins.enable(name).state == "on"
        assert {run.id: bool(run.error) for run in plugins.run_due()} == {
            "good": False,
            "araising": True,
        }
        library = store.media.add_library("Films", tmp_path, "movie")
        with store.reader():
            stored = {row.key: row.value for row in PluginStorage.select()}
        assert stored == {"runs": 1, "library": library.id}
        assert plugins.discover() == []
        assert {one.id for one in plugins.plugins(state="on")} == {"good", "araising"}
    with Store.open(store_config, plugins=True, clock=clock) as store:
        assert {one.id for one in store.plugins.plugins(state="on")} == {"good", "araising"}
        clock.advance(3600)
        assert len(store.plugins.run_due()) == 2
        for id in (*LATER, "good", "araising"):
            store.plugins.uninstall(id, purge=True)
        assert set(store.tables()) == before


def test_plugins_are_discovered_on_request_only(installed: None, store_config: Any) -> None:
    with Store.open(store_config) as store:
        assert store.plugins.plugins() == []
        assert len(store.plugins.discover()) == len(BROKEN) + len(LATER) + 2
    with Store.open(store_config, plugins=True, migrate=False) as store:
        assert store.plugins.plugins() == []
