"""Stray queries, close(), and opening again, on both engines."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.rows import NOW, add, add_by_peewee, ids, insert_library, library_by_id
from tests.support.threads import WAIT_S, in_thread, in_threads
from viewra_lite import Store
from viewra_lite.errors import (
    MigrationError,
    TransactionError,
    StoreAlreadyOpenError,
    StoreClosedError,
    ViewraError,
)
from viewra_lite.media.models import MediaLibrary


def stray_uses():
    database = MediaLibrary._meta.database
    return [
        lambda: MediaLibrary.select().count(),
        lambda: list(MediaLibrary.select()),
        lambda: add_by_peewee("stray"),
        lambda: database.execute_sql("SELECT 1"),
        database.connect,
        database.connection,
        lambda: database.atomic().__enter__(),
    ]


def test_a_stray_query_is_refused_before_and_after_sessions_and_in_any_thread(store):
    def refused():
        for use in stray_uses():
            with pytest.raises(TransactionError, match="outside a transaction"):
                use()

    refused()
    with store.reader():
        MediaLibrary.select().count()
    refused()
    with pytest.raises(ZeroDivisionError), store.writer():
        1 / 0
    refused()
    in_thread(refused)
    with store.writer():
        in_thread(refused)


def test_every_use_after_close_says_that_the_store_is_closed(store_config):
    store = Store.open(store_config)
    add(store, "a")
    assert ids(store) == ["a"]
    store.close()
    db = store.media.db
    uses = [
        lambda: store.reader().__enter__(),
        lambda: store.writer().__enter__(),
        lambda: db.one(library_by_id, "a"),
        lambda: db.all(library_by_id, "a"),
        lambda: db.run(insert_library, "b", "b", "/b", NOW),
        store.media.libraries,
        store.migrations.status,
        *stray_uses(),
    ]
    for use in (*uses, *uses):
        with pytest.raises(StoreClosedError):
            use()
    in_thread(lambda: pytest.raises(StoreClosedError, uses[0]))


def test_close_is_idempotent_and_open_works_again(store_config):
    for name in "abc":
        store = Store.open(store_config)
        add(store, name)
        store.close()
        store.close()
    with Store.open(store_config) as store:
        assert ids(store) == ["a", "b", "c"]


def test_close_inside_a_session_is_refused(store):
    for session in (store.reader, store.writer):
        with session(), pytest.raises(TransactionError, match="leave that block"):
            store.close()
    add(store, "a")


def test_a_second_open_is_refused_and_harms_nothing(store, store_config, tmp_path):
    other = {"database": {"type": "sqlite", "database_path": str(tmp_path / "other.db")}}
    for config in (store_config, other):
        with pytest.raises(StoreAlreadyOpenError):
            Store.open(config)
    assert not (tmp_path / "other.db").exists()
    add(store, "a")
    assert ids(store) == ["a"]


def test_an_open_that_fails_leaves_nothing_open(store_config, tmp_path, open_files):
    from viewra_lite import Module

    class Broken(Module):
        name = "broken"
        requires = ("nobody",)

    Store.open(store_config).close()
    before = open_files()
    for _ in range(3):
        with pytest.raises(MigrationError, match="nobody"):
            Store.open(store_config, modules=[Broken()])
    assert open_files() == before
    with Store.open(store_config) as store:
        add(store, "a")


def test_close_while_others_work_lets_them_finish_or_tells_them(store_config, open_files):
    Store.open(store_config).close()
    before = open_files()
    store = Store.open(store_config)
    started = threading.Barrier(7, timeout=WAIT_S)
    acknowledged = []

    def work(number):
        started.wait()
        try:
            for n in range(100_000):
                if number % 2:
                    with store.writer():
                        add(store, f"{number}-{n}")
                    acknowledged.append(f"{number}-{n}")
                else:
                    ids(store)
        except ViewraError as exc:
            return type(exc)

    def close():
        started.wait()
        while len(acknowledged) < 20:
            pass
        store.close()

    closer = threading.Thread(target=close)
    closer.start()
    assert in_threads(6, work) == [StoreClosedError] * 6
    closer.join()
    assert open_files() == before
    with Store.open(store_config) as store:
        assert set(acknowledged) <= set(ids(store))


def test_a_session_that_outlives_close_works_to_its_end(store_config, open_files):
    Store.open(store_config).close()
    before = open_files()
    store = Store.open(store_config)
    add(store, "a")
    reading, closed = threading.Event(), threading.Event()

    def read():
        with store.reader():
            reading.set()
            assert closed.wait(WAIT_S)
            return MediaLibrary.select().count()

    def close():
        assert reading.wait(WAIT_S)
        store.close()
        closed.set()

    assert in_threads(2, lambda number: (read, close)[number]()) == [1, None]
    assert open_files() == before


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("reader_stays", [False, True])
def test_the_wal_is_gone_after_the_last_close(tmp_path, reader_stays):
    path = tmp_path / "viewra.db"
    store = Store.open({"database": {"type": "sqlite", "database_path": str(path)}})
    add(store, "a")
    assert Path(f"{path}-wal").exists()
    if reader_stays:
        reading, closed = threading.Event(), threading.Event()

        def read():
            with store.reader():
                MediaLibrary.select().count()
                reading.set()
                assert closed.wait(WAIT_S)

        thread = threading.Thread(target=read)
        thread.start()
        assert reading.wait(WAIT_S)
        store.close()
        closed.set()
        thread.join()
    else:
        store.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["viewra.db", "viewra.db-lock"]
