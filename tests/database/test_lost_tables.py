"""A table that is gone while the store is open: every verb raises an error that names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import peewee
import psycopg
import pytest

from tests.support.torture import TORTURE
from tests.support.verbs import NOT_VERBS, ROOMS, Home
from viewra_lite import Store
from viewra_lite.database.sqlite.drivers.loading import load_driver
from viewra_lite.errors import CorruptStoreError, TransactionError, ViewraError
from viewra_lite.media.models import Movie

LATER = {"watch"}  # what runs until it is stopped
SAMPLE = {
    *("media.add_library", "media.album", "media.albums", "media.file", "media.files"),
    *("media.libraries", "media.movie", "media.movies", "media.save_album", "media.save_movie"),
    *("media.save_show", "media.scan", "media.search", "media.show", "media.shows"),
    *("media.update_library", "playback.active_sessions", "playback.continue_watching"),
    *("playback.forget_user", "playback.heartbeat", "playback.history", "playback.mark_watched"),
    *("playback.set_progress", "playback.start_session", "transcoding.claim_next"),
    *("transcoding.request", "transcoding.sessions"),
}
ENGINES = ["sqlite", "postgres"] + ["cysqlite"] * TORTURE
pytestmark = pytest.mark.parametrize("store_config", ENGINES, indirect=True)
NEEDED = {
    *("albums", "media_files", "media_libraries", "movies", "playback_history"),
    *("playback_sessions", "search_documents", "transcode_sessions", "tv_shows"),
    *("user_media_progress", "works", "work_files"),
}


class Undone(Exception):
    """Rolls back what a verb wrote."""


@contextmanager
def beside(config: Any) -> Iterator[Callable[[str], Any]]:
    """Run statements as another program does, which has the database open for them."""
    if isinstance(config, str):
        with psycopg.connect(config, autocommit=True) as connection:
            yield connection.execute
        return
    driver = load_driver(config["database"].get("driver", "sqlite3"))
    connection = driver.connect(Path(config["database"]["database_path"]), 5.0)
    try:
        connection.execute("PRAGMA foreign_keys=0")
        connection.execute("PRAGMA legacy_alter_table=1")  # references stay as they are
        yield lambda sql: connection.execute(sql).fetchall()
    finally:
        driver.close(connection)


def tables(store: Store, config: Any) -> list[str]:
    if isinstance(config, str):
        return store.tables()
    with beside(config) as run:
        return [
            name
            for (name,) in run(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 "
                "AND name NOT LIKE 'sqlite_%' ORDER BY name"
            )
        ]


@contextmanager
def changed(config: Any, do: str, undo: str) -> Iterator[None]:
    with beside(config) as run:
        run(do)
    try:
        yield
    finally:
        with beside(config) as run:
            run(undo)


def verbs(home: Home) -> dict[str, Callable[[], Any]]:
    """Return what calls each verb with arguments that it takes."""
    found: dict[str, Callable[[], Any]] = {}
    for room, kind in ROOMS.items():
        for name, _ in inspect.getmembers(kind, inspect.isfunction):
            if name.startswith("_") or name in NOT_VERBS | LATER:
                continue
            verb = getattr(getattr(home.store, room), name)

            def call(verb: Any = verb) -> Any:
                given = home.arguments(verb, "", None)
                del given[""]
                return verb(**given)

            found[f"{room}.{name}"] = call
    return found


def reads(store: Store, call: Callable[[], Any]) -> bool:
    try:
        with store.reader():
            call()
    except TransactionError:
        return False
    except ViewraError:
        pass
    return True


def undone(store: Store, call: Callable[[], Any]) -> None:
    try:
        with store.writer():
            call()
            raise Undone
    except Undone:
        pass


def calls_of(home: Home) -> dict[str, Callable[[], Any]]:
    """Return the verbs of this run, those that write undone after each call."""
    return {
        name: call if reads(home.store, call) else partial(undone, home.store, call)
        for name, call in verbs(home).items()
        if TORTURE or name in SAMPLE
    }


def faults_of(call: Callable[[], Any], what: str) -> Iterator[str]:
    """Yield what is wrong with what a verb raises; "named" if it names what is gone."""
    try:
        call()
    except CorruptStoreError as error:
        remedy = "--only search-index --fix" if "search_index" in what else "viewra-lite restore"
        is_named = f" {what} is missing" in str(error) and remedy in str(error)
        yield "named" if is_named else str(error)
    except TransactionError as error:
        if "outside" not in str(error):  # of a verb that makes transactions of its own
            yield str(error)
    except ViewraError:
        pass  # no such file, for example
    except Exception as error:
        yield f"{type(error).__name__}: {str(error)[:200]}"


def test_a_table_that_is_gone_is_named_by_each_verb_that_needs_it(
    store: Store, store_config: Any, tmp_path: Path
) -> None:
    home = Home(store, tmp_path / "m")
    calls, faults, named = calls_of(home), {}, set()
    for table in tables(store, store_config):
        if not TORTURE and table not in NEEDED and not table.startswith("search_"):
            continue
        rename = f'ALTER TABLE "{table}" RENAME TO away', f'ALTER TABLE away RENAME TO "{table}"'
        with changed(store_config, *rename):
            for name, call in calls.items():
                for fault in faults_of(call, table):
                    if fault == "named":
                        named.add(table)
                    else:
                        faults[table, name] = fault
    assert not faults
    assert named >= NEEDED
    if store.maintenance.database().path:
        assert named >= {f"search_index_{part}" for part in ("config", "data", "idx")}


@pytest.mark.parametrize(
    "column", ["movies.title", "media_files.path", "user_media_progress.position"]
)
def test_a_column_that_is_gone_is_named(
    store: Store, store_config: Any, tmp_path: Path, column: str
) -> None:
    home = Home(store, tmp_path / "m")
    calls = calls_of(home)
    table, name = column.split(".")
    rename = f"ALTER TABLE {table} RENAME COLUMN "
    with changed(store_config, f"{rename} {name} TO away", f"{rename} away TO {name}"):
        faults = {verb: list(faults_of(call, column)) for verb, call in calls.items()}
    assert ["named"] in faults.values()
    assert all(found in ([], ["named"]) for found in faults.values()), faults


def test_a_mistake_in_a_query_of_yours_is_no_damage(store: Store) -> None:
    for sql in ("SELECT * FROM films", "SELECT titel FROM movies"):
        with pytest.raises(peewee.PeeweeException):
            with store.reader():
                Movie._meta.database.execute_sql(sql)
