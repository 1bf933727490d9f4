"""What the forked processes of the kills do: they open a store, and die before a statement."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg

import viewra_lite.store
from viewra_lite import Module, Store
from viewra_lite.errors import ConfigError, StoreUnavailableError

viewra_lite.store.OPEN_S = 600.0  # a look before each statement takes most of the usual time
TODAY = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
_left = 0
_counted = 0
_looked: Callable[[], object] | None = None


def _statement() -> None:
    global _left, _counted
    _counted += 1
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if _looked is not None:
        _looked()


class _Cursor(sqlite3.Cursor):
    def execute(self, *arguments: Any) -> Any:
        _statement()
        return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        _statement()
        return super().executemany(*arguments)


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)


def die_before(number: int) -> None:
    """Kill this process before the statement of that number, of any connection to any engine."""
    global _left
    _left = number
    connect = sqlite3.connect

    def counting(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{"factory": _Connection, **options})

    sqlite3.connect = counting
    for name in ("execute", "executemany"):
        real = getattr(psycopg.Cursor, name)

        def counted(self: Any, *arguments: Any, _real: Any = real, **options: Any) -> Any:
            _statement()
            return _real(self, *arguments, **options)

        setattr(psycopg.Cursor, name, counted)


def modules(names: list[str]) -> list[Module]:
    """Return the modules of packages of scripts, by the name of the package."""
    found = []
    for name in names:
        values = {"name": "notes", "requires": ("media",), "migrations": f"{name}.migrations"}
        found.append(type("Notes", (Module,), values)())
    return found


def open_and_die(number: int, config: Any, folder: str = "", package: str = "") -> None:
    """Open a store, and with it migrate or adopt; print the number of statements if it lives."""
    sys.path.insert(0, folder)
    die_before(number)
    with Store.open(config, modules=modules([package] if package else []), clock=lambda: TODAY):
        pass
    print(json.dumps(_counted))


def look_then_open(config: Any, folder: str = "", package: str = "") -> None:
    """Print how the tables differ from those that their history says; then complete the store."""
    sys.path.insert(0, folder)
    known, drift = modules([package] if package else []), []
    try:
        with Store.open(config, modules=known, clock=lambda: TODAY, migrate=False) as store:
            drift = [finding.text for finding in store.migrations.drift()]
    except (StoreUnavailableError, ConfigError) as exc:
        if "SQLite" not in str(exc) and "does not exist" not in str(exc):
            raise  # before the file was made there is nothing to look at
    with Store.open(config, modules=known, clock=lambda: TODAY):
        print(json.dumps(drift))


def look_before_each(config: Any, folder: str = "", package: str = "") -> None:
    """Open a store; print how many statements that takes, and the first of each state.

    A state is what would be left if the process were killed: two statements with no commit between
    them have the same.
    """
    global _looked
    states: list[str] = []
    looked = _files_of(config) if isinstance(config, dict) else _commits_of(config)
    die_before(0)
    _looked = lambda: states.append(looked())  # noqa: E731
    sys.path.insert(0, folder)
    known = modules([package] if package else [])
    with Store.open(config, modules=known, clock=lambda: TODAY):
        pass
    firsts = [n for n, state in enumerate(states, 1) if n == 1 or state != states[n - 2]]
    print(json.dumps([len(states), firsts]))


def _files_of(config: Any) -> Callable[[], str]:
    path = Path(config["database"]["database_path"])

    def digest() -> str:
        found = hashlib.sha256()
        for each in sorted(path.parent.rglob("*")):
            found.update(f"{each}\n".encode())
            if each.is_file() and not each.name.endswith("-shm"):  # which SQLite makes anew
                found.update(each.read_bytes())
        return found.hexdigest()

    def looked() -> str:
        # In a process of its own: to close a file ends SQLite's locks on it in this one.
        reads, writes = os.pipe()
        if not (child := os.fork()):
            os.write(writes, digest().encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writes)
        with open(reads) as answer:
            return answer.read()

    return looked


def _commits_of(url: str) -> Callable[[], str]:
    connection = psycopg.connect(url.partition("?")[0], autocommit=True)
    execute = psycopg.Cursor.execute  # before it is counted
    cursor = connection.cursor()

    def looked() -> str:
        # It grows with each transaction that has written and has ended.
        execute(cursor, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        return str(cursor.fetchone()[0])

    return looked


def opened_with_others(config: Any, folder: str = "", package: str = "") -> None:
    """Open a store, and with it make, adopt or migrate it."""
    sys.path.insert(0, folder)
    known = modules([package] if package else [])
    with Store.open(config, modules=known, clock=lambda: TODAY) as store:
        print(json.dumps([finding.text for finding in store.migrations.drift()]))


_STEPS = ("open", "rename", "replace", "fsync", "unlink", "mkdir", "stat", "write")


def back_up_and_die(number: int, config: Any) -> None:
    """Back a store up, and die before a statement or a call of the operating system."""
    with Store.open(config) as store:
        store.media.find_library("/nowhere")  # what it imports is no step
        die_before(number)
        for name in _STEPS:
            real = getattr(os, name)

            def counted(*arguments: Any, _real: Any = real, **options: Any) -> Any:
                _statement()
                return _real(*arguments, **options)

            setattr(os, name, counted)
        store.backups.create()
    print(json.dumps(_counted))
