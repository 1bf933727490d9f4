"""The programs in which a database is typed at: their arguments and their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from .options import Config, PostgresConfig, SqliteConfig


class Client(NamedTuple):
    """What starts a program on a database; the first that is installed will do."""

    commands: list[list[str]]
    environ: dict[str, str]
    remedy: str
    """A command that installs the first."""


def client(config: Config, environ: Mapping[str, str], *, write: bool) -> Client:
    """Return the clients of a database, which only read unless write is given."""
    if isinstance(config, PostgresConfig):
        found = {**environ, **_connection(config, environ.get("PGOPTIONS", ""), write)}
        return Client([["psql"], ["pgcli"]], found, "apt install postgresql-client")
    assert isinstance(config, SqliteConfig)
    path = os.path.abspath(config.database_path)
    shell = ["sqlite3", *([] if write else ["-readonly"])]
    for setting in (f".timeout {config.busy_timeout_ms}", "PRAGMA foreign_keys=1;"):
        shell += ["-cmd", setting]
    url = f"file:{quote(os.fsencode(path))}?mode={'rw' if write else 'ro'}"
    return Client([[*shell, path], ["litecli", url]], dict(environ), "apt install sqlite3")


def _connection(config: PostgresConfig, options: str, write: bool) -> dict[str, str]:
    """Return what libpq reads from the environment: other users see arguments."""
    found = {
        "PGHOST": config.host,
        "PGPORT": str(config.port),
        "PGUSER": config.user,
        "PGDATABASE": config.database,
        "PGSSLMODE": config.sslmode,
    }
    if config.password:
        found["PGPASSWORD"] = config.password.reveal()
    if not write:
        found["PGOPTIONS"] = f"{options} -c default_transaction_read_only=on".strip()
    return found
