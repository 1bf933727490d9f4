"""One writer at a time: in turn, across processes, and without losing what was acknowledged."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from itertools import count

import pytest

from tests.support.processes import run_python, running_python, write_lock_held_elsewhere
from tests.support.rows import add, ids, interval_of, set_interval
from tests.support.threads import WAIT_S, in_threads
from viewra_lite import SqliteConfig, Store
from viewra_lite.database.transactions.pool import WriteGate
from viewra_lite.errors import ConflictError, TransactionError, StoreBusyError
from viewra_lite.media.models import MediaLibrary


def sqlite_config(tmp_path, **options):
    path = str(tmp_path / "viewra.db")
    return {"database": {"type": "sqlite", "database_path": path, **options}}


def waiting(gate, number):
    while len(gate._waiting) < number:
        pass


def test_the_gate_tells_how_often_somebody_queued():
    gate = WriteGate()
    gate.release(gate.acquire(0))
    gate.acquire(0)
    assert gate.waits.times == 0
    assert not gate.acquire(0) and not gate.acquire(0)
    assert gate.waits.times == 2


def test_the_gate_lets_threads_in_as_they_came():
    gate, entered = WriteGate(), []

    def enter(number):
        turn = gate.acquire(WAIT_S)
        entered.append(number)
        gate.release(turn)

    held = gate.acquire(0)
    threads = []
    for number in range(6):
        threads.append(threading.Thread(target=enter, args=(number,)))
        threads[-1].start()
        waiting(gate, number + 1)
    assert gate._waiting
    gate.release(held)
    for thread in threads:
        thread.join(WAIT_S)
    assert entered == list(range(6))
    assert not gate._waiting and gate.acquire(0)


def test_a_thread_that_gives_up_leaves_the_queue():
    gate = WriteGate()
    held = gate.acquire(0)
    assert not gate.acquire(0.01)
    assert not gate._waiting
    gate.release(held)
    assert gate.acquire(0)


class Interrupt(BaseException):
    """What Ctrl-C raises, wherever the thread is."""


@pytest.mark.parametrize("handed_over", [False, True])
def test_an_interrupt_while_waiting_does_not_lose_the_gate(monkeypatch, handed_over):
    """The interrupt comes while the turn is awaited, before or after it was handed over."""
    gate = WriteGate()
    held = gate.acquire(0)

    class Turn:
        def __init__(self):
            self.lock = real_lock()
            self.waits = 0

        def acquire(self, timeout=None):
            if timeout is None:
                return self.lock.acquire()
            if handed_over:
                gate.release(held)
            raise Interrupt

        def release(self):
            self.lock.release()

    real_lock = threading.Lock
    monkeypatch.setattr(threading, "Lock", Turn)
    with pytest.raises(Interrupt):
        gate.acquire(WAIT_S)
    monkeypatch.undo()
    if not handed_over:
        gate.release(held)
    assert not gate._waiting
    assert gate.acquire(0)


def test_an_interrupt_in_a_transaction_does_not_lose_the_writer(store, db):
    for moment in ("begin_write", "commit"):
        backend = db.backend
        real = getattr(backend, moment)

        def interrupted(*args):
            real(*args)
            raise Interrupt

        setattr(backend, moment, interrupted)
        with pytest.raises(Interrupt), store.writer():
            pass
        delattr(backend, moment)
        add(store, moment)
    assert ids(store) == ["begin_write", "commit"]


@pytest.mark.usefixtures("driver")
def test_a_thread_that_writes_batch_after_batch_does_not_starve_another(tmp_path):
    with Store.open(sqlite_config(tmp_path)) as store:
        add(store, "scan")
        add(store, "heartbeat")
        stop, batches, seen = threading.Event(), count(), []

        def scan():
            while not stop.is_set():
                with store.media.db.writer():
                    store.media.db.run(set_interval, next(batches), "scan")

        def heartbeat():
            for n in range(200):
                before = next(batches)
                store.media.db.run(set_interval, n, "heartbeat")
                seen.append(next(batches) - before)
            stop.set()

        in_threads(2, lambda number: (scan, heartbeat)[number]())
        # Between two looks of ours the scan has had its turn, and at most one more.
        assert sorted(seen)[len(seen) * 9 // 10] <= 5


PROCESS = """
import sys
from tests.support.rows import add, interval_of, set_interval
from tests.support.threads import in_threads
from viewra_lite import Store

def write(thread):
    for n in range(20):
        add(store, f"{sys.argv[2]}-{thread}-{n}")
        with store.writer():
            before, = store.media.db.one(interval_of, "counter")
            store.media.db.run(set_interval, before + 1, "counter")

with Store.open(sys.argv[1]) as store:
    sys.stdin.readline()
    in_threads(4, write)
    print("done")
"""


@pytest.mark.usefixtures("driver")
def test_4_processes_of_4_threads_all_commit(tmp_path):
    config = tmp_path / "viewra.yaml"
    config.write_text(
        f"database: {{database_path: {tmp_path}/viewra.db, driver: {SqliteConfig().driver}}}\n"
    )
    with Store.open(config) as store:
        add(store, "counter")
    with ExitStack() as stack:
        processes = [
            stack.enter_context(running_python("-c", PROCESS, str(config), name)) for name in "abcd"
        ]
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in processes] == ["done\n"] * 4
    with Store.open(config) as store:
        assert len(ids(store)) == 1 + 4 * 4 * 20
        assert store.media.db.one(interval_of, "counter") == (4 * 4 * 20,)


@pytest.mark.usefixtures("driver")
def test_another_process_that_holds_the_lock_makes_the_store_busy_for_writers_only(tmp_path):
    with Store.open(sqlite_config(tmp_path, busy_timeout_ms=80)) as store:
        add(store, "a")
        with write_lock_held_elsewhere(tmp_path / "viewra.db"):
            for write in (lambda: add(store, "b"), store.writer().__enter__):
                with pytest.raises(StoreBusyError, match="another process"):
                    write()
            assert ids(store) == ["a"]
        add(store, "b")
        assert ids(store) == ["a", "b"]


def test_a_writer_waits_for_another_process_to_finish(tmp_path, driver):
    with Store.open(sqlite_config(tmp_path)) as store:
        other = driver.connect(tmp_path / "viewra.db", 1.0)
        other.execute("BEGIN IMMEDIATE")
        retries, backend = count(), store.media.db.backend
        retry = backend._retry

        def let_go_at_the_third(action):
            def counted():
                if next(retries) == 2:
                    other.execute("COMMIT")
                return action()

            return retry(counted)

        backend._retry = let_go_at_the_third
        with store.writer():
            add(store, "a")
        other.close()
        assert next(retries) == 3
        assert ids(store) == ["a"]


# Crashes

CRASH = """
import sys
from tests.support.rows import add
from viewra_lite import Store

with Store.open(sys.argv[1]) as store:
    for n in range(1_000_000):
        with store.writer():
            add(store, f"{sys.argv[2]}-{n:06}-a")
            add(store, f"{sys.argv[2]}-{n:06}-b")
        print(n)
"""


@pytest.mark.usefixtures("driver")
def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path):
    config = tmp_path / "viewra.yaml"
    config.write_text(
        f"database: {{database_path: {tmp_path}/viewra.db, wal_autocheckpoint_pages: 20, "
        f"driver: {SqliteConfig().driver}}}\n"
    )
    acknowledged = []
    for round in range(5):
        with running_python("-c", CRASH, str(config), str(round)) as process:
            for _ in range(60 + round * 17):
                last = int(process.stdout.readline())
            process.kill()
            rest = process.stdout.read().split("\n")[:-1]
            last = int(rest[-1]) if rest else last
        acknowledged += [f"{round}-{n:06}-{half}" for n in range(last + 1) for half in "ab"]
        with Store.open(config) as store:
            found = ids(store)
            assert set(acknowledged) <= set(found)
            assert len(found) % 2 == 0  # transactions are whole
            with store.reader():
                check = MediaLibrary._meta.database.execute_sql("PRAGMA integrity_check")
                assert check.fetchall() == [("ok",)]


# Durability


def durability(store):
    sql = "PRAGMA synchronous" if store.engine == "sqlite" else "SHOW synchronous_commit"
    return store.media.db.current.connection.execute(sql).fetchone()[0]


@pytest.fixture
def store_without_group_commit(store_config, monkeypatch):
    """A store of a system where several commits cannot share a sync."""
    monkeypatch.delattr(os, "fdatasync", raising=False)
    with Store.open(store_config) as store:
        yield store


def test_a_durable_writer_waits_for_the_disk_and_the_next_one_does_not(store_without_group_commit):
    store = store_without_group_commit
    full, normal = (2, 1) if store.engine == "sqlite" else ("on", "off")
    db = store.media.db
    for _ in range(2):
        with db.writer():
            assert durability(store) == normal
        with db.writer(durable=True):
            assert durability(store) == full
            with db.writer():
                assert durability(store) == full
        with db.writer():
            assert durability(store) == normal
        with pytest.raises(ZeroDivisionError), db.writer(durable=True):
            1 / 0
        with db.writer(), db.writer(durable=True):
            assert durability(store) == normal
        with store.writer():
            assert durability(store) == normal


@pytest.mark.usefixtures("driver")
def test_once_a_minute_a_commit_takes_those_before_it_to_the_disk(tmp_path, monkeypatch):
    """PostgreSQL's server does so by itself, several times a second."""
    with Store.open(sqlite_config(tmp_path)) as store:
        with store.writer():
            assert durability(store) == 1
        now = time.monotonic()
        monkeypatch.setattr("viewra_lite.database.sqlite.backend.time.monotonic", lambda: now + 61)
        for _ in range(2):  # where nothing is written nothing is synced
            with store.writer():
                assert durability(store) == 2
        with pytest.raises(ZeroDivisionError), store.writer():
            add(store, "taken back")
            1 / 0
        with store.writer():
            assert durability(store) == 2
            add(store, "a")
        with store.writer():
            assert durability(store) == 1


def test_a_store_configured_so_always_waits_for_the_disk(store_config):
    import dataclasses

    from viewra_lite import load_config

    config = dataclasses.replace(load_config(store_config), synchronous="full")
    with Store.open(config) as store:
        full = 2 if store.engine == "sqlite" else "on"
        for _ in range(2):
            with store.writer():
                assert durability(store) == full


# A full disk

FULL_DISK = """
import resource, signal, sys
from tests.support.rows import add, add_by_peewee, ids
from viewra_lite import Store
from viewra_lite.errors import StoreUnavailableError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Store.open(sys.argv[1]) as store:
    add(store, "before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    written = 0
    try:
        while True:
            with store.writer():
                for n in range(20):
                    add_by_peewee(f"{written + n}", name="x" * 1000)
            written += 20
    except StoreUnavailableError as exc:
        print("refused:", exc)
    assert len(ids(store)) == written + 1, "what was acknowledged is there, and nothing else"
    try:
        add(store, "x" * 50_000)
    except StoreUnavailableError:
        print("again")
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    add(store, "after")
    assert len(ids(store)) == written + 2
    print("works")
"""


@pytest.mark.usefixtures("driver")
def test_a_full_disk_is_named_and_the_store_works_when_there_is_room_again(tmp_path):
    config = tmp_path / "viewra.yaml"
    config.write_text(
        f"database: {{database_path: {tmp_path}/viewra.db, cache_size_kib: 64, "
        f"driver: {SqliteConfig().driver}}}\n"
    )
    done = run_python("-c", FULL_DISK, str(config))
    lines = done.stdout.splitlines()
    assert lines[0].startswith("refused:") and str(tmp_path / "viewra.db") in lines[0]
    assert "no transaction" not in lines[0]
    assert lines[1:] == ["again", "works"]


@pytest.mark.usefixtures("driver")
def test_an_error_that_made_sqlite_roll_back_is_not_taken_for_success(tmp_path):
    """Swallowed inside the writer, it must not look as if the rows were committed."""
    with Store.open(sqlite_config(tmp_path)) as store:
        with pytest.raises(TransactionError, match="swallowed"), store.writer():
            MediaLibrary._meta.database.execute_sql(
                "CREATE TEMP TRIGGER full AFTER INSERT ON main.media_libraries"
                " WHEN new.id = 'bad' BEGIN SELECT RAISE(ROLLBACK, 'full'); END"
            )
            add(store, "a")
            with pytest.raises(ConflictError, match="full"):
                add(store, "bad")
        assert ids(store) == []
        add(store, "bad")
