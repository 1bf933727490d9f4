"""The log, free pages, statistics, old plays and the cache are kept small by themselves."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.configured import configured
from tests.support.playing import add_files
from tests.support.plays import a_play, add_plays
from tests.support.transcodes import add_files as add_sources
from tests.support.transcodes import made
from viewra_lite import Chore, Store
from viewra_lite.errors import StoreFullError

HOUR_S, DAY_S = 3600, 86_400


def grow(store: Store, megabytes: int = 6) -> None:
    """Write and delete that much."""
    with store.writer():
        for number in range(megabytes):
            Chore.insert(
                name=f"grow-{number}", due_at=datetime.now(timezone.utc), done="x" * 1_000_000
            ).execute()
    with store.writer():
        Chore.delete().where(Chore.name.startswith("grow-")).execute()


@contextmanager
def running_reader(store: Store) -> Iterator[None]:
    """Hold a snapshot of the store in another thread."""
    reads, ended = threading.Event(), threading.Event()

    def read() -> None:
        with store.reader():
            store.media.libraries()
            reads.set()
            ended.wait(60)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert reads.wait(60)
        yield
    finally:
        ended.set()
        thread.join()


def done(store: Store) -> dict[str, str | None]:
    """Run the chores that are due, and return what each did."""
    return {one.name: one.error or one.done for one in store.maintenance.run_due()}


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_the_log_is_emptied(store: Store, clock: Clock, tmp_path: Path) -> None:
    store.maintenance.run_due()
    grow(store)
    assert store.maintenance.database().log_size > 4 << 20
    clock.advance(HOUR_S)
    assert "the log had" in str(done(store)["checkpoint"])
    assert store.maintenance.database().log_size < 100_000
    grow(store)
    store.maintenance.checkpoint()
    assert store.maintenance.database().log_size == 0


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_a_log_that_grew_beside_a_reader_is_cut_when_it_begins_anew(
    store_config: Any, clock: Clock
) -> None:
    store_config["database"]["wal_autocheckpoint_pages"] = 100
    with Store.open(store_config, clock=clock) as store:
        with running_reader(store):
            grow(store)
        for _ in range(3):
            grow(store, 1)
        assert store.maintenance.database().log_size < 2 << 20


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_free_pages_are_given_back_in_a_quiet_moment(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    store.maintenance.run_due()
    grow(store, 20)
    store.maintenance.checkpoint()
    before = store.maintenance.database().size
    (file,) = add_files(store, tmp_path / "films", "a.mkv")
    clock.advance(DAY_S)
    store.playback.start_session(file, user_id="ann")
    assert "vacuum" not in done(store)
    clock.advance(DAY_S)  # the session has expired
    assert "bytes back to the disk" in str(done(store)["vacuum"])
    assert store.maintenance.database().size < before - (15 << 20)
    assert store.media.file(file).id == file


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_free_pages_stay_where_a_vacuum_would_keep_writers_waiting(
    store_config: Any, clock: Clock
) -> None:
    with Store.open(store_config, clock=clock) as store:
        grow(store, 20)
    short = {**store_config["database"], "busy_timeout_ms": 20}
    with Store.open({"database": short}, clock=clock) as store:
        before = store.maintenance.database().size
        assert "call vacuum()" in str(store.maintenance.run("vacuum").done)
        assert store.maintenance.database().size == before
    with Store.open(store_config, clock=clock) as store:
        store.maintenance.vacuum()
        assert store.maintenance.database().size < before - (15 << 20)


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_a_vacuum_without_space_for_a_copy_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    with pytest.raises(StoreFullError, match="has 1048576 bytes free, and vacuum.. may need"):
        store.maintenance.vacuum()


def test_statistics_are_renewed_when_a_table_has_grown_tenfold(store: Store, clock: Clock) -> None:
    store.maintenance.run_due()
    add_plays(store, [a_play(number) for number in range(1500)])
    grown = store.maintenance.optimize()
    assert grown == (["playback_history"] if store.engine == "sqlite" else [])
    assert store.maintenance.optimize() == []
    add_plays(store, [a_play(number) for number in range(1500, 3000)])
    assert store.maintenance.optimize() == []  # twofold only


def test_old_plays_move_into_the_archive_by_themselves(store_config: Any, clock: Clock) -> None:
    config = configured(store_config, archive_after_days=365)
    with Store.open(config, clock=clock) as store:
        add_plays(store, [a_play(number) for number in range(3)])
        store.maintenance.run_due()
        assert len(store.playback.history().items) == 3
        clock.advance(366 * DAY_S)
        store.maintenance.run_due()
        assert store.playback.history().items == []
        assert len(store.playback.history(archived=True).items) == 3


@pytest.mark.parametrize("store_config", ["sqlite", "postgres"], indirect=True)
def test_a_cache_above_its_limit_is_emptied_with_its_files_only(
    store_config: Any, clock: Clock, tmp_path: Path
) -> None:
    config = configured(store_config, transcode_cache_max_mib=1)
    with Store.open(config, clock=clock) as store:
        sources = add_sources(store, tmp_path / "films", 4)
        file, folder, shared, newest = (
            tmp_path / name for name in ("a.mp4", "segments", "shared", "new.mp4")
        )
        for source, output in zip(sources, (file, folder, shared, newest)):
            made(store, source, output, size=500_000)
            clock.advance(60)
        for made_in in (folder, shared):
            made_in.unlink()
            made_in.mkdir()
            (made_in / "0.ts").write_bytes(b"x" * 400_000)
        (shared / "of-another.ts").write_bytes(b"x" * 200_000)
        clock.advance(HOUR_S)
        assert done(store)["transcoding.tidy"] is None
        assert store.transcoding.cache_usage().entries == 1
        assert not file.exists() and not folder.exists() and newest.exists()
        assert sorted(os.listdir(shared)) == ["0.ts", "of-another.ts"]  # not its own alone
        assert store.maintenance.run("transcoding.tidy").error is None
