"""What the store logs: what it does, what somebody should look at, and nothing of a user's."""

from __future__ import annotations

import errno
import logging
import math
import re
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.disk import Disk
from tests.support.libraries import blob, clip
from tests.support.playing import add_files
from tests.support.processes import run_python, write_lock_held_elsewhere
from tests.support.rows import add
from tests.support.threads import WAIT_S, in_thread
from tests.support.transcodes import made
import viewra_lite
from viewra_lite import FileFacts, Store
from viewra_lite.database.transactions import waits
from viewra_lite.database.transactions.database import Database
from viewra_lite.database.transactions.waits import log_long_wait
from viewra_lite.cli import main
from viewra_lite.errors import StoreBusyError, ViewraError

SPECIFICATION = Path(__file__).parent / "data" / "specification.sql"
INFO, WARNING = logging.INFO, logging.WARNING


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record what is logged on every level, but for waits, which are long on a busy machine."""
    monkeypatch.setattr(waits, "LONG_WAIT_S", math.inf)
    caplog.set_level(logging.DEBUG, "viewra_lite")


@pytest.fixture
def every_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no wait be too short to be logged."""
    monkeypatch.setattr(waits, "LONG_WAIT_S", 0.0)


def said(caplog: pytest.LogCaptureFixture, logger: str, level: int = INFO) -> list[str]:
    """Return the messages of a logger on a level, and forget all that was logged.

    N stands for how long something was waited for.
    """
    found = [
        re.sub(r"^waited \d+\.\d s", "waited N s", record.getMessage())
        for record in caplog.records
        if (record.name, record.levelno) == (f"viewra_lite.{logger}", level)
    ]
    caplog.clear()
    return found


def library_of(store: Store, folder: Path, count: int) -> str:
    """Add a library of files that need not be there; return its id."""
    folder.mkdir(exist_ok=True)
    library = store.media.add_library(folder.name, folder, "movie")
    reconcile(store, library.id, count)
    return library.id


def reconcile(store: Store, library_id: str, count: int) -> None:
    root = store.media.library(library_id).path
    with store.media.reconcile(library_id) as files:
        for number in range(count):
            files.add(FileFacts(f"{root}/{number}.mkv", 1000, 1))


# Opening


def test_opening_and_closing_are_logged_with_the_database(
    store_config: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store.open(store_config)
    assert said(caplog, "store") == [f"opened {store.config.url}"]
    store.close()
    store.close()
    assert said(caplog, "store") == [f"closed {store.config.url}"]
    Store.open(store_config, migrate=False).close()
    assert said(caplog, "store")[0] == f"opened {store.config.url} without migrating"


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_each_migration_is_logged(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/viewra.db"
    if engine == "postgres":
        url = request.getfixturevalue("postgres_url")
    Store.open(url).close()
    scripts = Path(viewra_lite.__file__).parent.glob("*/migrations/0*.py")
    expected = sorted(f"migrated {path.parents[1].name}: {path.stem}" for path in scripts)
    found = said(caplog, "database")
    assert sorted(found) == expected
    of_media = [one for one in found if " media:" in one]
    assert of_media == sorted(of_media)  # in their order
    Store.open(url).close()
    assert said(caplog, "database") == []


def test_a_database_that_is_adopted_is_logged_with_its_tables(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "viewra.db")) as connection:
        connection.executescript(SPECIFICATION.read_text().split("-- Media queries")[0])
    Store.open(f"sqlite:///{tmp_path}/viewra.db").close()
    [message] = said(caplog, "adoption")
    assert message.startswith("adopted tables that were made by hand: media_files, ")


def test_no_password_is_logged(postgres_store: str, caplog: pytest.LogCaptureFixture) -> None:
    password = str(urlsplit(postgres_store).password)
    with Store.open(postgres_store) as store:
        store.media.libraries()
    shown = [(record.getMessage(), record.__dict__) for record in caplog.records]
    assert "***" in caplog.text
    assert password not in str(shown) and unquote(password) not in str(shown)


# Scans


def test_a_scan_is_logged_at_its_beginning_and_at_its_end(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    id = library_of(store, tmp_path / "Films", 3)
    begins, ends = said(caplog, "media")
    assert begins == f"scan of library {id} begins, 0 files are known"
    assert ends.startswith(f"scan of library {id} ended after ")
    assert ends.endswith("3 added, 0 updated, 0 moved, 0 removed, 0 unchanged, 0 probed, 0 errors")
    blob(tmp_path / "Films" / "0.mkv")
    store.media.scan(id, accept_missing=True)
    begins, ends = said(caplog, "media")
    assert begins == f"scan of library {id} begins, 3 files are known"
    assert ends.endswith("0 added, 1 updated, 0 moved, 2 removed, 0 unchanged, 3 probed, 3 errors")


def test_a_frozen_scan_is_a_warning(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    id = library_of(store, tmp_path / "Films", 4)
    caplog.clear()
    reconcile(store, id, 1)
    [message] = said(caplog, "media", WARNING)
    assert message.startswith(
        f"scan of library {id} is frozen: 3 of 4 files would vanish at once, more than "
    )
    assert store.media.scan(id).frozen
    assert said(caplog, "media", WARNING) == [
        f"scan of library {id} is frozen: its folder cannot be read or is empty"
    ]


def test_a_scan_that_is_broken_off_is_logged_with_the_kind_of_error_only(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    id = library_of(store, tmp_path / "Films", 1)
    caplog.clear()
    with pytest.raises(RuntimeError), store.media.reconcile(id):
        raise RuntimeError("Alien.mkv")
    assert said(caplog, "media")[1:] == [f"scan of library {id} was broken off: RuntimeError"]
    reconciliation = store.media.reconcile(id)
    with pytest.raises(StoreBusyError), reconciliation as files:
        reconciliation.finish = refuse  # type: ignore[method-assign]
        files.add(FileFacts(str(tmp_path / "Films" / "0.mkv"), 1000, 1))
    assert said(caplog, "media")[1:] == [f"scan of library {id} was broken off: StoreBusyError"]


def refuse() -> None:
    raise StoreBusyError()


def test_what_chores_forget_is_logged(
    store: Store, clock: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    id = library_of(store, tmp_path / "Films", 5)
    blob(tmp_path / "Films" / "0.mkv")
    reconcile(store, id, 4)
    clock.advance(timedelta(days=400).total_seconds())
    caplog.clear()
    store.media.tidy(clock())
    assert said(caplog, "media") == [f"forgot 1 files of library {id} that were missing for long"]
    store.media.remove_library(id)
    assert said(caplog, "media") == [f"removed library {id}"]


# What people watch, and what is made for them


def test_sessions_that_expire_are_counted(
    store: Store, clock: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [file] = add_files(store, tmp_path / "Films", "Alien.mkv")
    for user in ("ann", "bob"):
        store.playback.start_session(file, user_id=user)
    store.playback.tidy(clock())
    assert said(caplog, "playback") == []
    store.playback.tidy(clock.advance(24 * 3600))
    assert said(caplog, "playback") == ["expired 2 sessions that were silent for too long"]
    store.playback.archive_history(older_than=timedelta(0))
    assert said(caplog, "playback") == ["moved 0 plays into the archive"]


def test_an_eviction_is_logged_and_what_it_could_not_free_is_a_warning(
    store: Store, clock: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = add_files(store, tmp_path / "Films", "1.mkv", "2.mkv")
    first, second = (made(store, file, tmp_path / f"{file}.mp4") for file in files)
    clock.advance(24 * 3600)
    store.transcoding.pin(first.content_hash)
    store.transcoding.evict(max_bytes=150)
    assert said(caplog, "transcoding") == ["evicted 1 transcodes of 100 bytes from the cache"]
    store.transcoding.evict(max_bytes=50)
    assert said(caplog, "transcoding", WARNING) == [
        "the cache is 50 bytes over its limit: 100 pinned, 0 in use"
    ]


def test_a_lease_that_runs_out_is_logged(
    store: Store, clock: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [file] = add_files(store, tmp_path / "Films", "1.mkv")
    store.transcoding.request(file, {})
    store.transcoding.claim_next("worker", lease=60)
    clock.advance(61)
    store.transcoding.claim_next("another")
    assert said(caplog, "transcoding") == ["the leases of 1 transcodes expired"]


# The database


def test_a_checkpoint_that_fails_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewra_lite.database.sqlite.checkpoints._STEP_PAGES", 1)
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        add(store, "a")
        disk = Disk(monkeypatch)

        def fail(number: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        disk.before = fail
        with store.writer():
            add(store, "b")
            other = threading.Thread(target=add, args=(store, "c"))
            other.start()
            while not store.media.db.backend.is_writer_awaited():
                pass
        other.join(WAIT_S)
        store.media.db.backend._checkpoints.end()
        first, second = said(caplog, "database", WARNING)
    assert first == "the disk did not take what was committed: Input/output error"
    assert second.startswith("the log could not be moved into the database: ")


def test_waits_are_counted_and_long_ones_are_warnings(
    store: Store, every_wait: None, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, "a")
    before = store.maintenance.connections().writer_waits
    assert (before.times, before.total_s, before.longest_s) == (0, 0.0, 0.0)
    caplog.clear()
    other = threading.Thread(target=with_writer, args=(store,))
    with store.writer():
        other.start()
        while not store.maintenance.connections().writer_waits.times:
            pass
    other.join(WAIT_S)
    assert said(caplog, "database", WARNING) == ["waited N s for the writer"]
    waited = store.maintenance.connections().writer_waits
    assert waited.times == 1 and 0 < waited.total_s == waited.longest_s


def with_writer(store: Store) -> None:
    with store.writer():
        pass


def test_a_wait_that_is_given_up_counts_too(tmp_path: Path) -> None:
    options = {"database_path": str(tmp_path / "viewra.db"), "busy_timeout_ms": 1}
    with Store.open({"database": options}) as store:
        with store.writer(), pytest.raises(StoreBusyError):
            in_thread(lambda: with_writer(store))
        assert store.maintenance.connections().writer_waits.times == 1
        with write_lock_held_elsewhere(tmp_path / "viewra.db"), pytest.raises(StoreBusyError):
            with_writer(store)
        assert store.maintenance.connections().writer_waits.times == 2


def test_a_pool_that_is_too_small_is_seen(
    store_config: Any, every_wait: None, caplog: pytest.LogCaptureFixture
) -> None:
    config = store_config
    if isinstance(config, str):
        config += "?pool_size=1&busy_timeout_ms=1"
    else:
        config["database"].update(pool_size=1, busy_timeout_ms=1)
    with Store.open(config) as store:
        with store.reader(), pytest.raises(StoreBusyError):
            in_thread(lambda: with_reader(store))
        found = store.maintenance.connections()
    assert (found.in_use, found.pool_waits.times) == (0, 1)
    assert found.pool_waits.longest_s > 0
    assert said(caplog, "database", WARNING) == [
        "waited N s for a connection (pool_size is 1), in vain"
    ]


def with_reader(store: Store) -> None:
    with store.reader():
        pass


def test_connections_are_counted_as_they_are_used(store: Store) -> None:
    with store.reader():
        reading = store.maintenance.connections()
    idle = store.maintenance.connections()
    with store.writer():
        writing = store.maintenance.connections()
    assert (reading.in_use, idle.in_use, writing.in_use) == (1, 0, 1)
    assert reading.open == idle.open >= 1
    assert writing.open <= idle.open + 1


def test_a_lock_that_is_waited_for_is_a_warning(
    store: Store, db: Database, every_wait: None, caplog: pytest.LogCaptureFixture
) -> None:
    with db.exclusive("migrate"):
        with pytest.raises(StoreBusyError):
            in_thread(lambda: db.exclusive("migrate", wait_s=0).__enter__())
    assert "waited N s for the lock migrate, in vain" in said(caplog, "database", WARNING)


# The program


FROZEN = """
import sys
from viewra_lite import FileFacts, Store
store = Store.open(f"sqlite:///{sys.argv[1]}/viewra.db")
library = store.media.add_library("Films", sys.argv[1] + "/Films", "movie")
with store.media.reconcile(library.id) as files:
    files.add(FileFacts(library.path + "/Alien.mkv", 1000, 1))
assert store.media.scan(library.id).frozen
"""


def test_nothing_is_printed_where_the_program_has_set_up_no_logging(tmp_path: Path) -> None:
    (tmp_path / "Films").mkdir()
    run = run_python("-W", "error", "-c", FROZEN, str(tmp_path))
    assert (run.stdout, run.stderr) == ("", "")


def test_the_command_line_shows_warnings_of_the_database_that_no_error_repeats(
    store_config: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    every_wait: None,
) -> None:
    if isinstance(store_config, dict):
        options = store_config["database"]
        url = f"sqlite:///{options['database_path']}?driver={options.get('driver', 'sqlite3')}"
    else:
        url = store_config
    main(["--config", url, "libraries"])
    assert "warning" not in capsys.readouterr().err
    log_long_wait("the writer", 2.0, in_vain=True)
    log_long_wait("the writer", 2.0, in_vain=False)
    assert capsys.readouterr().err == "viewra-lite: warning: waited 2.0 s for the writer\n"


# A user's values

SECRETS = ("ann-e7f1", "phone-e7f1", "Amelie", "e7f1-films", "letterboxd", "e7f1-note", "Pluribus")


def test_no_value_of_a_users_is_logged_on_a_whole_journey(
    store_config: Any,
    clock: Any,
    tmp_path: Path,
    every_wait: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    films = tmp_path / "e7f1-films"
    clip(films / "Amelie (2001).mkv")
    blob(films / "Pluribus (2025).mkv")
    exported = tmp_path / "letterboxd.csv"
    exported.write_text(
        "Date,Name,Year,Letterboxd URI\n2024-04-01,Amelie,2001,x\n2024-04-02,Nosferatu,1922,y\n"
    )
    with Store.open(store_config, clock=clock) as store:
        library = store.media.add_library("e7f1-films", films, "movie").id
        store.media.scan(library)
        [movie] = [one for one in store.media.movies().items if one.title == "Amelie"]
        store.media.save_movie(library, title="Amelie", year=2001, overview="e7f1-note")
        assert store.media.search("amelie")
        file = movie.media_file.id
        session = store.playback.start_session(file, user_id="ann-e7f1", device_id="phone-e7f1")
        store.playback.heartbeat(session.id, 0.1)
        store.playback.tidy(clock.advance(24 * 3600))
        store.playback.archive_history(older_than=timedelta(0))
        store.importing.watched(exported, user_id="ann-e7f1")
        made(store, file, tmp_path / "Amelie.mp4")
        clock.advance(24 * 3600)
        assert store.transcoding.evict(max_bytes=0).paths
        (films / "Amelie (2001).mkv").rename(tmp_path / "Amelie (2001).mkv")
        assert store.media.scan(library).frozen
        store.media.scan(library, accept_missing=True)
        store.media.tidy(clock.advance(timedelta(days=400).total_seconds()))
        store.playback.rename_user("ann-e7f1", "bob-e7f1")
        store.playback.forget_user("bob-e7f1")
        with pytest.raises(ViewraError):
            store.media.save_movie(library, title="Amelie", year="e7f1-note")
        with pytest.raises(RuntimeError), store.media.reconcile(library):
            raise RuntimeError("e7f1-note")
        store.media.remove_library(library)
    names = {record.name for record in caplog.records}
    rooms = ("store", "media", "playback", "transcoding", "importing")
    assert names >= {f"viewra_lite.{room}" for room in rooms}
    shown = [(record.getMessage(), record.__dict__) for record in caplog.records]
    told = [text for text in SECRETS if text.casefold() in str(shown).casefold()]
    assert told == []
