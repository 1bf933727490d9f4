"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.support.clock import Clock
from tests.support.documented_errors import require_documented_errors
from tests.support.empty_stores import EmptyStores
from tests.support.postgres import PostgresMissing, Server, running_server
from tests.support.torture import TORTURE
from viewra_lite import SqliteConfig, Store
from viewra_lite.database.sqlite import store_file
from viewra_lite.database.sqlite.file import lock_folder
from viewra_lite.database.sqlite.drivers.loading import load_driver
from viewra_lite.database.sqlite.drivers.protocol import SqliteDriver
from viewra_lite.database.backups.backups import Backups
from viewra_lite.database.migrations.migrator import Migrator
from viewra_lite.importing.module import Importing
from viewra_lite.maintenance.module import Maintenance
from viewra_lite.media.module import MediaModule
from viewra_lite.playback.module import PlaybackModule
from viewra_lite.plugins.module import PluginsModule
from viewra_lite.database.transactions.database import Database
from viewra_lite.media.probing.workers.pool import ProbePool
from viewra_lite.media.scanning import scan
from viewra_lite.transcoding.module import TranscodingModule

collect_ignore = ["plugins/samples"]  # their tests run in an environment of their own

settings.register_profile("ci", derandomize=True, max_examples=50, deadline=None, database=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("ci")

WITH_DOCUMENTED_ERRORS = (
    Backups,
    Importing,
    Maintenance,
    MediaModule,
    Migrator,
    PlaybackModule,
    PluginsModule,
    Store,
    TranscodingModule,
)


@pytest.fixture(scope="session", autouse=True)
def documented_errors() -> Iterator[None]:
    """Every test holds the docstrings of the public verbs to the errors that they raise."""
    with pytest.MonkeyPatch.context() as patch:
        for module in WITH_DOCUMENTED_ERRORS:
            require_documented_errors(module, patch)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of this test process; without one the tests skip, and fail where CI=true."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except PostgresMissing as exc:
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(f"no PostgreSQL: {exc}")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("PATH", f"{server.bin_dir}{os.pathsep}{os.environ['PATH']}")  # for backups
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped after the test."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


@pytest.fixture
def clock() -> Clock:
    """The clock of `store`."""
    return Clock()


# To make the tables takes as long as most tests. Those of a room get a store that was made once.


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty SQLite store that nobody has open."""
    path = tmp_path_factory.mktemp("template") / "viewra.db"
    Store.open(f"sqlite:///{path}", clock=Clock()).close()
    return path.parent


@pytest.fixture(autouse=True)
def tables_made(request: pytest.FixtureRequest) -> None:
    """Let a new SQLite store begin with its tables, unless to make them is what is tested."""
    parts = request.path.relative_to(Path(__file__).parent).parts
    is_ready = parts[0] in _ONE_DRIVER or parts[1:2] in (("backups",), ("transactions",))
    if is_ready and request.node.get_closest_marker("makes_tables") is None:
        template: Path = request.getfixturevalue("sqlite_template")
        make = store_file.make_file

        def make_file(path: Path) -> None:
            make(path)
            shutil.copy2(template / "viewra.db", path)
            shutil.copytree(template / "viewra.db-lock", lock_folder(path), dirs_exist_ok=True)

        request.getfixturevalue("monkeypatch").setattr(store_file, "make_file", make_file)


@pytest.fixture(scope="session")
def postgres_stores(postgres_server: Server) -> EmptyStores:
    """Empty stores on PostgreSQL."""
    return EmptyStores(postgres_server)


@pytest.fixture
def postgres_store(postgres_stores: EmptyStores) -> Iterator[str]:
    """The URL of an empty store."""
    with postgres_stores.one() as url:
        yield url


# What a room does is the same with either driver of SQLite: `make torture` tries both.
_ONE_DRIVER = (
    "media",
    "playback",
    "importing",
    "transcoding",
    "adoption",
    "plugins",
    "cli",
    "journeys",
    "maintenance",
    "test_foreign_errors.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if TORTURE:
        return
    folder = Path(__file__).parent
    left_out = [
        item
        for item in items
        if "[cysqlite" in item.nodeid and item.path.relative_to(folder).parts[0] in _ONE_DRIVER
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(params=["sqlite", "cysqlite", "postgres"])
def store_config(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What Store.open() takes, for an empty store on each engine, and driver of SQLite, in turn."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_store")
    options = {"type": "sqlite", "database_path": str(tmp_path / "viewra.db")}
    if request.param == "cysqlite":
        pytest.importorskip("cysqlite")
        options["driver"] = "cysqlite"
    template = request.getfixturevalue("sqlite_template")
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return {"database": options}


@pytest.fixture(params=["sqlite3", "cysqlite"])
def driver(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SqliteDriver]:
    """Each driver of SQLite in turn, which every store of this test has that names no other.

    A test that opens a store's file beside it does so with driver.connect(): two SQLite libraries
    on one file in one process break each other's locks.
    """
    pytest.importorskip(request.param)
    monkeypatch.setattr(SqliteConfig.__dataclass_fields__["driver"], "default", request.param)
    yield load_driver(request.param)


@pytest.fixture
def store(store_config: Any, clock: Clock) -> Iterator[Store]:
    """An open, empty store on each engine in turn, at the time of `clock`."""
    with Store.open(store_config, clock=clock) as opened:
        yield opened


@pytest.fixture
def db(store: Store) -> Database:
    """The database of `store`, as its modules have it."""
    return store.media.db


@pytest.fixture
def probing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe in this process, as where no worker can start: starting them takes the most time."""
    monkeypatch.setattr(scan, "ProbePool", lambda workers, timeout_s: ProbePool(0, timeout_s))
