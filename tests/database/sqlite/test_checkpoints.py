"""The log of an SQLite store is moved while writers queue, and none of them waits for the disk."""

from __future__ import annotations

import errno
import os
import struct
import threading

import pytest

from tests.support.disk import FRAME_BYTES, Disk, log_of
from tests.support.processes import running_python
from tests.support.rows import add, ids, set_interval
from tests.support.threads import WAIT_S, in_thread
from viewra_lite import FileFacts, Store
from viewra_lite.errors import StoreUnavailableError
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.skipif(
    not os.path.isdir("/proc/self/fd") or not hasattr(os, "fdatasync"),
    reason="SQLite's own checkpoints do here",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "viewra.db"


@pytest.fixture
def store(driver, path, monkeypatch):
    monkeypatch.setattr("viewra_lite.database.sqlite.checkpoints._STEP_PAGES", 40)
    with Store.open({"database": {"type": "sqlite", "database_path": str(path)}}) as store:
        add(store, "a")
        yield store


def write_while_another_queues(store, times, first=0):
    """Write again and again, each time with another thread at the gate; see each step end."""
    backend = store.media.db.backend
    for number in range(first, first + times):
        with store.media.db.writer():
            store.media.db.run(set_interval, number, "a")
            other = threading.Thread(target=add, args=(store, f"{number}"))
            other.start()
            while not backend._gate._waiting:
                pass
        other.join(WAIT_S)
        backend._checkpoints.end()


def moved(path):
    """Return how many pages of the log are in the database, and how many it has."""
    # https://sqlite.org/walformat.html#the_wal_index_file_format
    with open(path.with_name(path.name + "-shm"), "rb") as index:
        header = index.read(100)
    (pages,), (moved,) = struct.unpack_from("=I", header, 16), struct.unpack_from("=I", header, 96)
    return moved, pages


COUNT = """
import sqlite3, sys
print(*sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM media_libraries").fetchone())
"""


class HeldStep:
    """A step that waits where it syncs the database, until it may go on."""

    def __init__(self, store, path, monkeypatch):
        self.reached, self.go_on, self.gone_on = (threading.Event() for _ in range(3))
        disk = Disk(monkeypatch)

        def hold(number):
            if number == 3 and not self.go_on.is_set():  # twice the log, then the database
                self.reached.set()
                self.go_on.wait(WAIT_S)
                self.gone_on.set()

        def write():
            while not self.reached.is_set():
                write_while_another_queues(store, 1, self.rows)
                self.rows += 1

        disk.before = hold
        self.rows = 0
        self._writing = threading.Thread(target=write)
        self._writing.start()
        assert self.reached.wait(WAIT_S)

    def end(self):
        self.go_on.set()
        self._writing.join(WAIT_S)


@pytest.fixture
def held(store, path, monkeypatch):
    step = HeldStep(store, path, monkeypatch)
    yield step
    step.end()


def test_the_log_stays_short_while_writers_queue(store, path):
    before = log_of(path).stat().st_size
    write_while_another_queues(store, 150)
    # 300 commits of two pages and more each, while SQLite's own checkpoint waits for 10,000.
    assert log_of(path).stat().st_size < before + 80 * FRAME_BYTES
    assert len(ids(store)) == 151


def test_others_write_while_the_database_is_synced(store, path, held):
    add(store, "meanwhile")
    held.end()
    assert len(ids(store)) == 1 + held.rows + 1


def test_what_was_moved_is_not_the_whole_log_until_the_database_is_synced(store, db, path, held):
    some, pages = moved(path)
    assert 0 < some < pages
    held.end()
    db.backend._checkpoints.end()


def test_a_step_ends_with_the_whole_log_in_the_database(store, path):
    for number in range(40):
        write_while_another_queues(store, 1, number)
        some, pages = moved(path)
        if some:
            break
    assert some == pages > 40


def test_a_scan_waits_until_the_log_is_moved(store, tmp_path, held):
    folder = tmp_path / "films"
    folder.mkdir()
    library = store.media.add_library("Films", str(folder), "movie")
    began, done = threading.Event(), threading.Event()

    def scan():
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(path=str(folder / "Amelie.mkv"), size=1, modified_ns=1))
            began.set()
        done.set()

    scanning = threading.Thread(target=scan)
    scanning.start()
    assert began.wait(WAIT_S)
    add(store, "meanwhile")
    assert not done.is_set() and not store.media.files(library.id).items
    held.end()
    scanning.join(WAIT_S)
    assert done.is_set() and len(store.media.files(library.id).items) == 1


def test_a_scan_inside_a_writer_does_not_wait_for_a_step_that_needs_the_writer(
    store, tmp_path, held
):
    library = store.media.add_library("Films", str(tmp_path), "movie")
    with store.writer():
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(path=str(tmp_path / "Amelie.mkv"), size=1, modified_ns=1))
    assert not held.gone_on.is_set()
    assert len(store.media.files(library.id).items) == 1


def test_no_writer_waits_for_the_disk_when_a_scan_ends(store, db, path, tmp_path, monkeypatch):
    """Each sync of the log and the database finds the gate open."""
    library = store.media.add_library("Films", str(tmp_path), "movie")
    disk = Disk(monkeypatch)
    disk.before = lambda number: in_thread(lambda: add(store, f"{number}"))
    store.media.scan(library.id)
    assert disk.syncs >= 2 and len(ids(store)) == 2 + disk.syncs
    some, pages = moved(path)
    assert some == pages
    syncs = disk.syncs
    db.backend.checkpoint()
    assert disk.syncs == syncs  # there is nothing to move


def test_a_scan_whose_log_cannot_be_synced_says_so(store, tmp_path, monkeypatch):
    library = store.media.add_library("Films", str(tmp_path), "movie")
    disk = Disk(monkeypatch)

    def refuse(number):
        if number == 2:
            raise OSError(errno.EIO, "Input/output error")

    disk.before = refuse
    with pytest.raises(StoreUnavailableError, match="Input/output error"):
        store.media.scan(library.id)


def test_close_waits_for_the_step_and_leaves_no_log(store, db, path, held):
    backend = db.backend
    closing = threading.Thread(target=store.close)
    closing.start()
    while not backend._closed:
        pass
    assert log_of(path).exists()
    held.end()
    closing.join(WAIT_S)
    assert not closing.is_alive() and not log_of(path).exists()


def test_a_reader_that_needs_the_log_does_not_make_every_commit_move_it(store, path, monkeypatch):
    disk = Disk(monkeypatch)
    held, done = threading.Event(), threading.Event()

    def read():
        with store.reader():
            before = MediaLibrary.select().count()
            held.set()
            assert done.wait(WAIT_S)
            return before, MediaLibrary.select().count()

    seen = []
    reader = threading.Thread(target=lambda: seen.append(read()))
    reader.start()
    assert held.wait(WAIT_S)
    try:
        write_while_another_queues(store, 150)
    finally:
        done.set()
        reader.join(WAIT_S)
    assert seen == [(1, 1)]
    frames = log_of(path).stat().st_size / FRAME_BYTES
    assert 3 <= disk.syncs <= 3 * frames / 40  # three for each step


def test_a_step_that_fails_says_nothing_to_the_writer_that_made_it(store, path, monkeypatch):
    disk = Disk(monkeypatch)

    def refuse(number):
        raise OSError(errno.EIO, "Input/output error")

    disk.before = refuse
    write_while_another_queues(store, 40)
    assert disk.syncs == 1
    assert len(ids(store)) == 41


def test_a_database_that_cannot_be_synced_keeps_its_log(store, db, path, monkeypatch):
    disk = Disk(monkeypatch)

    def refuse(number):
        if number == 3:  # the database
            raise OSError(errno.EIO, "Input/output error")

    disk.before = refuse
    write_while_another_queues(store, 100)
    assert disk.syncs == 3 and len(ids(store)) == 101
    with pytest.raises(StoreUnavailableError, match="check the disk"):
        with db.writer(durable=True):
            add(store, "durable")
    some, pages = moved(path)
    assert 0 < some < pages
    store.close()
    assert log_of(path).stat().st_size > 200 * FRAME_BYTES  # each commit is in it
    with running_python("-c", COUNT, str(path)) as process:
        assert process.stdout.readline().strip() == "101"


def test_a_thread_that_cannot_start_leaves_the_log_to_sqlite(store, path, monkeypatch):
    start = threading.Thread.start

    def refuse(thread):
        if thread.name == "viewra-lite-checkpoint":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    write_while_another_queues(store, 40)
    assert moved(path)[0] == 0 and len(ids(store)) == 41


def test_what_the_file_calls_its_version_stays(store, path):
    with store.writer():
        MediaLibrary._meta.database.execute_sql("PRAGMA user_version = 1234")
    write_while_another_queues(store, 40)
    with store.reader():
        [version] = MediaLibrary._meta.database.execute_sql("PRAGMA user_version").fetchone()
    assert version == 1234
