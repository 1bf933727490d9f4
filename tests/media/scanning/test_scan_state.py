"""The state of a scan: any process can read it, and can cancel the scan."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import blob, clip, counts, every_file, facts
from tests.support.processes import eventually, run_python, running_python
from viewra_lite import MediaScan, Store
from viewra_lite.errors import ConflictError, NotFoundError, TransactionError
from viewra_lite.media.models import MediaLibrary

here = pytest.mark.usefixtures("probing_here")
COUNT = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(COUNT):
        clip(tmp_path / f"m/Film {number} (2001).mkv", seed=number)
    return tmp_path / "m"


@pytest.fixture
def library(store: Store, folder: Path) -> MediaLibrary:
    return store.media.add_library("m", folder, "movie")


def only(store: Store) -> MediaScan:
    [scan] = store.media.scans()
    return scan


@here
def test_a_scan_can_be_watched_while_it_runs_and_afterwards(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    seen: list[tuple[Any, ...]] = []
    began = clock()

    def progress(phase: str, done: int, total: int) -> None:
        clock.advance(1)
        scan = only(store)
        seen.append((scan.phase, scan.done, scan.total, scan.running))
        assert (scan.library_id, scan.folder, scan.started_at) == (library.id, None, began)

    assert store.media.scans() == []
    result = store.media.scan(library.id, progress=progress)
    assert not result.cancelled
    assert seen[0] == ("walk", 0, 0, True) and seen[-1] == ("done", COUNT, COUNT, False)
    assert [row for row in seen if row[0] == "probe"][:2] == [
        ("probe", 0, COUNT, True),
        ("probe", 1, COUNT, True),
    ]
    scan = only(store)
    assert (scan.phase, scan.errors, scan.running, scan.is_cancelled) == ("done", 0, False, False)
    assert scan.ended_at is not None and began < scan.ended_at <= clock()


@here
def test_progress_is_written_once_a_second_and_with_each_phase(
    store: Store, library: MediaLibrary
) -> None:
    seen = set()
    store.media.scan(
        library.id, progress=lambda *_: seen.add((only(store).phase, only(store).done))
    )
    assert seen == {("walk", 0), ("probe", 0), ("done", COUNT)}  # the clock stands still


@here
def test_the_state_names_the_part_and_counts_errors(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    blob(folder / "Part/Broken (2001).mkv")
    store.media.scan(library.id, folder=folder / "Part")
    scan = only(store)
    assert (scan.folder, scan.errors, scan.phase) == (str(folder / "Part"), 1, "done")


@here
@pytest.mark.parametrize("at", ["walk", "probe"])
def test_a_cancelled_scan_keeps_what_it_added_marks_nothing_missing_and_is_continued(
    store: Store, library: MediaLibrary, folder: Path, clock: Any, at: str
) -> None:
    store.media.scan(library.id)
    last_scan = store.media.library(library.id).last_scan
    for number in range(COUNT):
        (folder / f"Film {number} (2001).mkv").unlink()
        clip(folder / f"a/New {number} (2002).mkv", seed=100 + number)
    clip(folder / "z/Last (2003).mkv", seed=200)
    clock.advance(60)
    calls: list[str] = []

    def progress(phase: str, done: int, total: int) -> None:
        clock.advance(1)
        calls.append(phase)
        if phase == at and calls.count(at) == 1:
            assert store.media.cancel_scan(library.id)

    result = store.media.scan(library.id, progress=progress, accept_missing=True)
    assert result.cancelled and (result.removed, result.frozen) == (0, None)
    assert result.added == COUNT + 1 and result.probed == 1
    assert {file.status for file in every_file(store, library.id)} == {"present"}
    assert store.media.library(library.id).last_scan == last_scan
    assert (only(store).phase, only(store).running) == ("cancelled", False)
    clock.advance(60)
    result = store.media.scan(library.id, accept_missing=True)
    assert not result.cancelled and result.removed + result.updated == COUNT
    assert result.probed == COUNT
    assert (only(store).phase, only(store).is_cancelled) == ("done", False)


@here
def test_a_walk_through_folders_without_media_can_be_cancelled(
    store: Store, library: MediaLibrary, folder: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        (folder / f"empty {number}").mkdir()
    scandir, listed = os.scandir, 0

    def listing_and_cancelling(path: Any) -> Any:
        nonlocal listed
        listed += 1
        clock.advance(1)
        if listed == 4:
            assert store.media.cancel_scan(library.id)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", listing_and_cancelling)
    assert store.media.scan(library.id).cancelled
    assert listed < 40


@here
def test_a_reconciliation_is_a_scan_too(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    store.media.scan(library.id)
    clock.advance(60)
    with store.media.reconcile(library.id, accept_missing=True) as files:
        assert only(store).running
        files.add(facts(folder / "Film 1 (2001).mkv"))
        assert store.media.cancel_scan(library.id)
    assert files.result.cancelled and files.result.removed == 0
    assert only(store).phase == "cancelled"
    with store.media.reconcile(library.id, accept_missing=True) as files:
        files.add(facts(folder / "Film 1 (2001).mkv"))
    assert (files.result.cancelled, files.result.removed) == (False, COUNT - 1)
    assert only(store).phase == "done"


@here
@pytest.mark.parametrize(
    ("error", "phase"), [(RuntimeError, "failed"), (KeyboardInterrupt, "cancelled")]
)
def test_a_scan_that_raises_has_ended(
    store: Store, library: MediaLibrary, error: type[BaseException], phase: str
) -> None:
    def progress(*_: object) -> None:
        raise error

    with pytest.raises(error):
        store.media.scan(library.id, progress=progress)
    assert (only(store).phase, only(store).running) == (phase, False)
    assert only(store).ended_at is not None
    assert store.media.scan(library.id).added + COUNT >= COUNT


@here
def test_only_a_running_scan_is_cancelled(store: Store, library: MediaLibrary) -> None:
    assert store.media.cancel_scan(library.id) is False
    store.media.scan(library.id)
    assert store.media.cancel_scan(library.id) is False
    with pytest.raises(NotFoundError):
        store.media.cancel_scan("no such")
    assert counts(store.media.scan(library.id)) == {"unchanged": COUNT}
    store.media.remove_library(library.id)
    assert store.media.scans() == []


def test_a_reconciliation_that_cannot_begin_does_not_keep_the_library_busy(
    store: Store, library: MediaLibrary
) -> None:
    files = store.media.reconcile(library.id)
    with store.reader():
        with pytest.raises(TransactionError):
            files.__enter__()
    assert store.media.scans() == []
    assert not store.media.scan(library.id).cancelled


def test_the_latest_scan_comes_first(store: Store, tmp_path: Path, clock: Any) -> None:
    made = []
    for name in "abc":
        (tmp_path / name).mkdir()
        made.append(store.media.add_library(name, tmp_path / name, "movie").id)
    for id in (made[1], made[0], made[2]):
        store.media.scan(id)
        clock.advance(1)
    assert [scan.library_id for scan in store.media.scans()] == [made[2], made[0], made[1]]


# Other processes

SCANNING = """
import json, sys
from viewra_lite import Store

def progress(phase, done, total):
    if (phase, done) == ("probe", 2):
        print("probing", flush=True)
        sys.stdin.readline()
        clock[0] += timedelta(seconds=2)

from datetime import datetime, timedelta, timezone
clock = [datetime.now(timezone.utc)]
with Store.open(json.loads(sys.argv[1]), clock=lambda: clock[0]) as store:
    result = store.media.scan(sys.argv[2], progress=progress)
    print(json.dumps([result.cancelled, result.added, result.probed]))
"""
CANCELLING = """
import json, sys
from viewra_lite import Store
with Store.open(json.loads(sys.argv[1])) as store:
    [scan] = store.media.scans()
    print(json.dumps([scan.running, scan.phase, scan.total, store.media.cancel_scan(sys.argv[2])]))
"""


@contextmanager
def scan_elsewhere(source: Any, library_id: str) -> Iterator[Any]:
    with running_python("-c", SCANNING, json.dumps(source), library_id) as process:
        assert process.stdout.readline() == "probing\n"
        yield process


def test_a_scan_is_cancelled_from_another_process(
    store_config: Any, store: Store, library: MediaLibrary
) -> None:
    with scan_elsewhere(store_config, library.id) as process:
        with pytest.raises(ConflictError):
            store.media.scan(library.id)
        done = run_python("-c", CANCELLING, json.dumps(store_config), library.id)
        assert json.loads(done.stdout) == [True, "probe", COUNT, True]
        assert (only(store).running, only(store).is_cancelled) == (True, True)
        out, _ = process.communicate("go on\n", timeout=120)
        assert json.loads(out) == [True, COUNT, 3]
    assert (only(store).running, only(store).phase) == (False, "cancelled")
    assert store.media.scan(library.id).probed == COUNT - 3


def test_a_scan_whose_process_died_is_not_running(
    store_config: Any, store: Store, library: MediaLibrary
) -> None:
    with scan_elsewhere(store_config, library.id) as process:
        assert only(store).running
        process.kill()
        process.wait()
    eventually(lambda: not only(store).running)  # PostgreSQL learns of it from the closed socket
    assert (only(store).ended_at, only(store).phase) == (None, "probe")
    assert store.media.cancel_scan(library.id) is False
    assert store.media.scan(library.id).probed == COUNT
    assert only(store).phase == "done"


def test_looking_at_scans_never_stops_one_from_starting(
    store: Store, library: MediaLibrary
) -> None:
    import threading

    store.media.scan(library.id)
    stop = threading.Event()
    errors: list[BaseException] = []

    def look() -> None:
        try:
            while not stop.is_set():
                store.media.scans()
                store.media.db.backend.is_locked(f"scan-{library.id}")
        except BaseException as exc:
            errors.append(exc)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(8):
            store.media.scan(library.id)
    finally:
        stop.set()
        looking.join()
    assert errors == []
