"""Durable writers of one SQLite store share a sync."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from tests.support.disk import Disk, log_of
from tests.support.processes import running_python
from tests.support.rows import add, ids
from tests.support.threads import WAIT_S, in_thread, in_threads
from viewra_lite import SqliteConfig, Store
from viewra_lite.errors import StoreUnavailableError
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fdatasync"), reason="every durable commit syncs by itself here"
)
WRITERS = 8


@pytest.fixture
def path(tmp_path):
    return tmp_path / "viewra.db"


@pytest.fixture
def store(driver, path):
    with Store.open({"database": {"type": "sqlite", "database_path": str(path)}}) as store:
        with store.media.db.writer():
            pass  # the connection that migrated was closed: this opens the log
        yield store


def add_durably(store, id):
    with store.media.db.writer(durable=True):
        add(store, id)


@pytest.fixture
def disk(monkeypatch, store):
    return Disk(monkeypatch)


class Crowd:
    """Lets the first sync go once every writer has committed."""

    def __init__(self, store, disk):
        self._store = store
        self._all_in = threading.Event()
        disk.before = self._wait
        self._committed = []
        backend = store.media.db.backend
        commit = backend.commit

        def counted(connection):
            commit(connection)
            self._committed.append(1)
            if len(self._committed) == WRITERS:
                self._all_in.set()

        backend.commit = counted

    def _wait(self, number):
        assert self._all_in.wait(WAIT_S)


def test_8_durable_writers_share_two_syncs(store, disk):
    Crowd(store, disk)
    in_threads(WRITERS, lambda number: add_durably(store, f"{number}"))
    assert 1 <= disk.syncs <= 2
    assert len(ids(store)) == WRITERS


def test_a_durable_commit_is_synced_before_its_writer_returns(store, db, disk, path):
    order = []

    def look(number):
        # What is synced holds the row, and the writer has not returned yet.
        order.append(("synced", b"marker-row" in log_of(path).read_bytes()))

    disk.before = look
    with db.writer(durable=True):
        add(store, "marker-row")
        store.after_commit(lambda: order.append("called back"))
    order.append("returned")
    assert order == [("synced", True), "called back", "returned"]


def test_each_durable_commit_alone_is_synced_and_no_other_is(store, db, disk):
    for number in range(3):
        add(store, f"plain-{number}")
        with db.writer():
            add(store, f"plain-writer-{number}")
        assert disk.syncs == number
        add_durably(store, f"durable-{number}")
        assert disk.syncs == number + 1
    with pytest.raises(ZeroDivisionError), db.writer(durable=True):
        1 / 0
    with db.writer(), db.writer(durable=True):
        add(store, "as the outer one")
    assert disk.syncs == 3


def test_who_waits_for_the_disk_keeps_nobody_from_writing(store, disk):
    disk.before = lambda number: in_thread(lambda: add(store, "meanwhile"))
    add_durably(store, "a")
    assert ids(store) == ["a", "meanwhile"]


def test_a_failing_sync_is_told_to_everyone_who_waited(store, db, disk, path):
    crowd, called = Crowd(store, disk), []

    def refuse(number):
        crowd._wait(number)
        raise OSError(errno.EIO, "Input/output error")

    disk.before = refuse

    def write(number):
        with pytest.raises(StoreUnavailableError, match="restart the program"):
            with db.writer(durable=True):
                add(store, f"{number}")
                store.after_commit(lambda: called.append(number))

    in_threads(WRITERS, write)
    assert disk.syncs == 1 and called == []
    # The system may now believe that it wrote what it lost: no later sync proves anything.
    disk.before = lambda number: None
    with pytest.raises(StoreUnavailableError, match="Input/output error"):
        add_durably(store, "refused")
    add(store, "not durable")
    assert "refused" not in ids(store) and "not durable" in ids(store)
    store.close()
    config = {"database": {"type": "sqlite", "database_path": str(path)}}
    with Store.open(config) as again:
        add_durably(again, "durable")
        assert "durable" in ids(again)


def test_a_connection_that_guest_code_changed_is_closed_after_what_it_owes_is_synced(
    store, db, disk
):
    with db.writer(durable=True, untrusted=True):
        add(store, "guest's")
        MediaLibrary._meta.database.execute_sql("PRAGMA cache_size=77")
    assert disk.syncs == 1
    with db.writer():
        add(store, "on a new connection")
    add_durably(store, "durable")
    assert disk.syncs == 2
    assert len(ids(store)) == 3


def test_a_store_that_is_closed_while_somebody_waits_has_synced_it(store, disk):
    inside, closed = threading.Event(), threading.Event()

    def hold(number):
        inside.set()
        assert closed.wait(WAIT_S)

    disk.before = hold
    writer = threading.Thread(target=add_durably, args=(store, "a"))
    writer.start()
    assert inside.wait(WAIT_S)
    closing = threading.Thread(target=store.close)
    closing.start()
    closed.set()
    for thread in (writer, closing):
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert disk.syncs == 1


CRASH = """
import sys
from tests.support.rows import add
from tests.support.threads import in_threads
from viewra_lite import Store

def write(thread):
    for n in range(1_000_000):
        id = f"{sys.argv[2]}-{thread}-{n:06}"
        with store.media.db.writer(durable=True):
            add(store, id + "-a")
            add(store, id + "-b")
        sys.stdout.write(id + "\\n")

with Store.open(sys.argv[1]) as store:
    in_threads(4, write)
"""


def test_a_killed_process_keeps_what_its_threads_acknowledged(driver, tmp_path):
    config = tmp_path / "viewra.yaml"
    config.write_text(
        f"database: {{database_path: {tmp_path}/viewra.db, wal_autocheckpoint_pages: 20, "
        f"driver: {SqliteConfig().driver}}}\n"
    )
    acknowledged = set()
    for round in range(3):
        with running_python("-c", CRASH, str(config), str(round)) as process:
            lines = [process.stdout.readline() for _ in range(80 + round * 17)]
            process.kill()
            lines += process.stdout.read().split("\n")[:-1]
        acknowledged |= {line.strip() + half for line in lines for half in ("-a", "-b")}
        with Store.open(config) as store:
            found = ids(store)
            assert acknowledged <= set(found)
            assert len(found) % 2 == 0  # transactions are whole
            with store.reader():
                check = MediaLibrary._meta.database.execute_sql("PRAGMA integrity_check")
                assert check.fetchall() == [("ok",)]
