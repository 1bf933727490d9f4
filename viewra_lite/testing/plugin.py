"""The fixtures of pytest: viewra_store, viewra_clock and viewra_media.

Pytest imports this file wherever the package is installed: all else is imported by a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..config.loading import ConfigSource
    from ..store import Store
    from .clock import Clock
    from .media import Media
    from .postgres import PostgresStores


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --viewra-postgres."""
    parser.getgroup("viewra_lite").addoption(
        "--viewra-postgres",
        metavar="URL",
        help="run the tests that use viewra_store on this PostgreSQL server too, in databases that "
        "are made for each: postgresql://user:password@host/postgres",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a store on both engines if there is a server."""
    if "_viewra_engine" in metafunc.fixturenames and metafunc.config.getoption("viewra_postgres"):
        metafunc.parametrize("_viewra_engine", ["sqlite", "postgres"])


@pytest.fixture
def _viewra_engine() -> str:
    return "sqlite"


@pytest.fixture(scope="session")
def _viewra_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an empty SQLite store: to copy it takes less time than to make one."""
    from ..store import Store

    folder: Path = tmp_path_factory.mktemp("viewra")
    Store.open({"database": {"database_path": str(folder / "viewra.db")}}).close()
    return folder


@pytest.fixture(scope="session")
def _viewra_postgres(request: pytest.FixtureRequest) -> Iterator[PostgresStores]:
    from .postgres import PostgresStores

    stores = PostgresStores(request.config.getoption("viewra_postgres"))
    yield stores
    stores.close()


@pytest.fixture
def viewra_clock() -> Clock:
    """The time of viewra_store, which stops: advance(seconds) moves it."""
    from .clock import Clock

    return Clock()


@pytest.fixture
def viewra_store(
    request: pytest.FixtureRequest, tmp_path: Path, _viewra_engine: str, viewra_clock: Clock
) -> Iterator[Store]:
    """An open, empty store on SQLite, and again on PostgreSQL with --viewra-postgres."""
    from ..store import Store

    with ExitStack() as stack:
        if _viewra_engine == "postgres":
            url = stack.enter_context(request.getfixturevalue("_viewra_postgres").one())
            source: ConfigSource = f"{url}{'&' if '?' in url else '?'}scan_workers=1"
        else:
            from shutil import copytree

            folder = tmp_path / "viewra-data"
            copytree(request.getfixturevalue("_viewra_template"), folder)
            path = str(folder / "viewra.db")
            source = {"database": {"database_path": path, "scan_workers": 1}}
        yield stack.enter_context(Store.open(source, clock=viewra_clock))


@pytest.fixture
def viewra_media(tmp_path: Path) -> Media:
    """Writes small films, episodes and tracks below tmp_path, and scans them."""
    from .media import Media

    return Media(tmp_path / "media")
