"""Imports Peewee without the PostgreSQL driver until PostgreSQL is used.

Peewee imports psycopg if it is installed, which triples the start-up time of a program that only
uses SQLite. `import_peewee` hides the driver while Peewee loads, and installs it when the first
PostgresqlDatabase is created, by us or by the host program.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_HIDDEN = ("psycopg", "psycopg2", "psycopg2cffi")


def import_peewee() -> ModuleType:
    """Return the peewee module, imported without a PostgreSQL driver if still possible."""
    if "peewee" in sys.modules or any(name in sys.modules for name in _HIDDEN):
        return importlib.import_module("peewee")
    sys.modules.update(dict.fromkeys(_HIDDEN))  # type: ignore[arg-type]
    try:
        peewee = importlib.import_module("peewee")
    finally:
        for name in _HIDDEN:
            sys.modules.pop(name, None)
    _load_driver_on_demand(peewee)
    return peewee


def import_schema_migrator() -> Any:
    """Return playhouse's SchemaMigrator without importing the drivers that its module tries.

    It tries playhouse.cockroachdb, which imports psycopg; if that is loaded already, it stays.
    """
    name = "playhouse.cockroachdb"
    if name in sys.modules or "playhouse.migrate" in sys.modules:
        return importlib.import_module("playhouse.migrate").SchemaMigrator
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("playhouse.migrate").SchemaMigrator
    finally:
        del sys.modules[name]


def _load_driver_on_demand(peewee: Any) -> None:
    original = peewee.PostgresqlDatabase.init

    def init(self: object, *args: object, **kwargs: object) -> Any:
        peewee.PostgresqlDatabase.init = original
        _attach_drivers(peewee)
        return original(self, *args, **kwargs)

    peewee.PostgresqlDatabase.init = init


def _attach_drivers(peewee: Any) -> None:
    try:
        import psycopg
        from psycopg.pq import TransactionStatus
        from psycopg.types.json import Json, Jsonb
    except ImportError:
        pass  # Peewee raises when a PostgreSQL database is created
    else:
        peewee.psycopg, peewee.TransactionStatus = psycopg, TransactionStatus
        peewee.Json_pg3, peewee.Jsonb_pg3 = Json, Jsonb
        adapter = peewee.Psycopg3Adapter
        adapter.txn_idle = TransactionStatus.IDLE
        adapter.txn_inerror = TransactionStatus.INERROR
        adapter.txn_unknown = TransactionStatus.UNKNOWN
    _attach_psycopg2(peewee)


def _attach_psycopg2(peewee: Any) -> None:
    try:
        psycopg2 = importlib.import_module("psycopg2")
        extensions = importlib.import_module("psycopg2.extensions")
        extras = importlib.import_module("psycopg2.extras")
    except ImportError:
        return
    peewee.psycopg2, peewee.pg_extensions = psycopg2, extensions
    peewee.Json_pg2, peewee.pg_register_uuid = extras.Json, extras.register_uuid
    extras.register_uuid()
    adapter = peewee.Psycopg2Adapter
    adapter.txn_idle = extensions.TRANSACTION_STATUS_IDLE
    adapter.txn_inerror = extensions.TRANSACTION_STATUS_INERROR
    adapter.txn_unknown = extensions.TRANSACTION_STATUS_UNKNOWN


import_peewee()
