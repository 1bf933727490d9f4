"""What is lent comes back clean, and nothing leaks."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import threading

import pytest

from tests.support.processes import run_python
from tests.support.rows import add, add_by_peewee, ids, library_by_id
from tests.support.threads import WAIT_S, in_threads
from tests.support.torture import tries
from viewra_lite import SqliteConfig, Store, load_config
from viewra_lite.errors import TransactionError, StoreBusyError, ViewraError
from viewra_lite.media.models import MediaLibrary

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# Python 3.12 warns of what these tests are about.
quiet_fork = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_short_threads_leak_nothing(store_config, open_files, capsys):
    config = dataclasses.replace(load_config(store_config), pool_size=4)
    with Store.open(config) as store:
        add(store, "a")

        def use(number):
            try:
                if number % 8 in (0, 1):
                    store.media.db.one(library_by_id, "a")
                elif number % 8 == 2:
                    with store.media.db.reader():
                        MediaLibrary.select().count()
                        raise ZeroDivisionError
                elif number % 8 == 3:
                    with store.media.db.writer():
                        MediaLibrary.select().count()
                elif number % 8 == 4:
                    with store.writer(), store.writer():
                        MediaLibrary.update(scan_interval=number).execute()
                        raise ZeroDivisionError
                elif number % 8 == 5:  # half-read
                    with store.reader():
                        next(iter(MediaLibrary.select().iterator()))
                elif number % 8 == 6:  # it ends inside the block
                    store.reader().__enter__()
                    MediaLibrary.select().count()
                else:
                    MediaLibrary.select().count()
            except (ZeroDivisionError, TransactionError):
                pass

        def round_of(count):
            threads = [threading.Thread(target=use, args=(n,)) for n in range(count)]
            for first in range(0, count, 8):
                for thread in threads[first : first + 8]:
                    thread.start()
                for thread in threads[first : first + 8]:
                    thread.join()

        round_of(200)
        before = open_files()
        count = tries(500, 10_000)
        round_of(count)
        # The pool may have grown to its size since then: SQLite opens three files a connection.
        assert open_files() <= before + 3 * 4
        connections = store.maintenance.connections()
        assert connections.in_use == 0
        assert connections.open <= 4 + (store.engine == "sqlite")  # whose writer has its own
        assert ids(store) == ["a"]
    with capsys.disabled():
        print(f"\n{count} short threads: 0 connections and 0 descriptors leaked")


def test_one_connection_too_many_is_waited_for_and_then_refused(store_config):
    config = dataclasses.replace(load_config(store_config), pool_size=2, busy_timeout_ms=60)
    with Store.open(config) as store:
        entered, done = threading.Barrier(3, timeout=WAIT_S), threading.Event()

        def hold():
            with store.reader():
                entered.wait()
                assert done.wait(WAIT_S)

        holders = [threading.Thread(target=hold) for _ in range(2)]
        for holder in holders:
            holder.start()
        entered.wait()
        try:
            with pytest.raises(StoreBusyError, match="pool_size"):
                store.media.db.one(library_by_id, "a")
        finally:
            done.set()
            for holder in holders:
                holder.join()
        assert ids(store) == []


def test_who_waits_for_a_connection_gets_one_that_comes_back(store_config):
    config = dataclasses.replace(load_config(store_config), pool_size=1, busy_timeout_ms=20_000)
    with Store.open(config) as store:
        entered = threading.Event()

        def read():
            entered.set()
            return store.media.db.one(library_by_id, "a")

        with store.media.db.reader():
            waiter = threading.Thread(target=read)
            waiter.start()
            assert entered.wait(WAIT_S)
        waiter.join(WAIT_S)
        assert not waiter.is_alive()


def test_who_waits_gets_the_place_of_a_broken_connection(postgres_url):
    config = dataclasses.replace(load_config(postgres_url), pool_size=1)
    with Store.open(config) as store:
        pool = store.media.db.backend._pool
        broken = pool.borrow()
        got = []
        waiter = threading.Thread(target=lambda: got.append(pool.borrow()))
        waiter.start()
        pool.discard(broken)
        waiter.join(WAIT_S)
        assert got and not got[0].closed and broken.closed
        pool.give_back(got[0])


# What guest code does to a connection


def settings_of(store, writes):
    """The settings a borrower finds, on every connection that may be lent."""
    db = store.media.db
    names = (
        (
            "foreign_keys",
            "query_only",
            "busy_timeout",
            "cache_size",
            "recursive_triggers",
            "locking_mode",
            "ignore_check_constraints",
            "synchronous",
        )
        if store.engine == "sqlite"
        else ()
    )
    session = db.writer if writes else db.reader
    with session():
        connection = db.current.connection
        if store.engine == "postgres":
            rows = connection.execute("SELECT name, setting FROM pg_settings ORDER BY name")
            return connection.row_factory, [row for row in rows if "transaction" not in row[0]]
        likes = connection.execute("SELECT 'a' LIKE 'A'").fetchone()
        found = [connection.execute(f"PRAGMA {name}").fetchone() for name in names]
        return connection.row_factory, getattr(connection, "text_factory", str), likes, found


SQLITE_DIRT = [
    "PRAGMA foreign_keys=0",
    "PRAGMA query_only=0",
    "PRAGMA query_only=1",
    "PRAGMA busy_timeout=7",
    "PRAGMA cache_size=77",
    "PRAGMA recursive_triggers=1",
    "PRAGMA case_sensitive_like=1",
    "PRAGMA ignore_check_constraints=1",
    "PRAGMA locking_mode=EXCLUSIVE",
    "ATTACH ':memory:' AS attached",
    "CREATE TEMP TABLE dirt (x)",
    "CREATE TEMP VIEW media_libraries AS SELECT 1",
]
POSTGRES_DIRT = [
    "SET TimeZone = 'Asia/Tokyo'",
    "SET lock_timeout = 1",
    "SET search_path = pg_catalog",
    "SET synchronous_commit = on",
    "CREATE TEMP TABLE media_libraries (x int)",
    "SELECT pg_advisory_lock(77)",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("writes", [False, True])
def test_what_guest_code_changes_does_not_reach_the_next_borrower(store, db, writes, fails):
    add(store, "a")
    clean = settings_of(store, writes)
    session = store.writer if writes else store.reader
    for sql in SQLITE_DIRT if store.engine == "sqlite" else POSTGRES_DIRT:
        try:
            with session():
                database = MediaLibrary._meta.database
                if store.engine == "sqlite" and ("ATTACH" in sql or "PRAGMA" in sql):
                    database.execute_sql("ROLLBACK")  # they work outside a transaction only
                database.execute_sql(sql)
                database.connection().row_factory = lambda *row: "dirt"
                if fails:
                    raise ZeroDivisionError
        except (ZeroDivisionError, ViewraError):
            pass  # e.g. a temporary table in a reader of PostgreSQL
        for _ in range(3):
            assert settings_of(store, writes) == clean, sql
        assert db.one(library_by_id, "a").name == "a", sql
        add(store, sql)
    with db.reader():
        assert MediaLibrary.select().count() > 1


def test_a_guest_inside_a_session_of_ours_is_cleaned_up_after_too(store, db):
    clean = settings_of(store, True)
    with db.writer():
        add(store, "a")
        with store.writer():
            MediaLibrary._meta.database.connection().row_factory = lambda *row: "dirt"
    assert settings_of(store, True) == clean
    with db.reader(), store.reader():
        MediaLibrary._meta.database.connection().row_factory = lambda *row: "dirt"
    assert db.one(library_by_id, "a").name == "a"


def test_a_guests_tidied_connection_keeps_its_prepared_statements_valid(store, db):
    add(store, "a")
    for _ in range(30):
        with store.reader():
            assert db.one(library_by_id, "a").id == "a"
        with store.writer():
            assert db.one(library_by_id, "a").id == "a"


def test_a_connection_that_guest_code_closed_is_replaced(store):
    add(store, "a")
    for session in (store.reader, store.writer):
        for _ in range(3):
            with pytest.raises(Exception), session():
                MediaLibrary._meta.database.connection().close()
                MediaLibrary.select().count()
    add(store, "b")
    assert ids(store) == ["a", "b"]


# Processes


def in_child(action):
    """Run action in a forked child; return what it returned or what it raised, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = str(action())
        except BaseException as exc:
            answer = f"{type(exc).__name__}: {exc}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


@can_fork
@quiet_fork
def test_a_forked_child_is_told_to_spawn_and_the_parent_is_unharmed(store, db, store_config):
    acknowledged, stop = [], threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            with store.writer():
                add(store, f"{n:06}")
            acknowledged.append(f"{n:06}")
            n += 1

    def closed_and_opened():
        store.close()
        Store.open(store_config)

    uses = [
        lambda: db.one(library_by_id, "a"),
        lambda: add(store, "child"),
        lambda: store.reader().__enter__(),
        lambda: store.writer().__enter__(),
        lambda: store.writer().__enter__(),
        lambda: MediaLibrary.select().count(),
    ]
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for use in uses * 2:
            answer = in_child(use)
            assert answer.startswith("TransactionError:") and "'spawn'" in answer
        if store.engine == "sqlite":
            assert "'spawn'" in in_child(closed_and_opened)
    finally:
        stop.set()
        writer.join()
    assert ids(store) == acknowledged
    add(store, "zz")


@can_fork
@quiet_fork
@pytest.mark.parametrize("session", ["reader", "writer"])
def test_a_fork_inside_a_session_harms_nothing(store, session):
    def leave():
        open_session.__exit__(None, None, None)

    add(store, "a")
    open_session = getattr(store, session)()
    with open_session:
        if session == "writer":
            add_by_peewee("b")
        assert "'spawn'" in in_child(lambda: MediaLibrary.select().count())
        assert "'spawn'" in in_child(leave)
        assert "'spawn'" in in_child(lambda: add(store, "child"))
        MediaLibrary.select().count()
    add(store, "c")
    assert ids(store) == (["a", "b", "c"] if session == "writer" else ["a", "c"])


FORKS = """
import os, sys
from tests.support.rows import add, add_by_peewee, ids
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary

with Store.open(sys.argv[1]) as store:
    add(store, "first")
    for round in range(6):
        with store.writer():
            for n in range(600):  # more than the page cache: the log is written before the commit
                add_by_peewee(f"{round}-{n}", name="x" * 2000)
            child = os.fork()
            if child == 0:
                sys.exit(0)  # closes whatever the interpreter still holds
            os.waitpid(child, 0)
            add(store, f"{round}-z")
        add(store, f"{round}-after")
    with store.reader():
        database = MediaLibrary._meta.database
        check = database.execute_sql("PRAGMA integrity_check").fetchone()
        print(MediaLibrary.select().count(), check)
"""


@pytest.mark.usefixtures("driver")
@can_fork
def test_forked_children_that_end_normally_take_no_row_from_the_parent(tmp_path):
    config = tmp_path / "viewra.yaml"
    config.write_text(
        f"database:\n  database_path: {tmp_path}/viewra.db\n  cache_size_kib: 64\n"
        f"  driver: {SqliteConfig().driver}\n"
    )
    done = run_python("-W", "ignore", "-c", FORKS, str(config))
    assert done.stdout.split("\n")[-2] == f"{1 + 6 * 602} ('ok',)", done.stdout


def write_in_process(config, name, count):
    """What a spawned process runs."""
    with Store.open(config) as store:
        in_threads(4, lambda thread: [add(store, f"{name}-{thread}-{n}") for n in range(count)])


def test_several_spawned_processes_write_the_same_store(store_config):
    Store.open(store_config).close()
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=write_in_process, args=(store_config, name, 25)) for name in "abcd"
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    with Store.open(store_config) as store:
        assert len(ids(store)) == 4 * 4 * 25
