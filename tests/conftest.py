"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest
from hypothesis import settings
from postgres_server import PostgresMissing, Server, running_server

settings.register_profile("ci", derandomize=True, max_examples=50, deadline=None, database=None)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL of this test process; without one the tests skip, and fail where CI=true."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except PostgresMissing as exc:
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(f"no PostgreSQL: {exc}")
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped after the test."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)
