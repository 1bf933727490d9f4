"""Watching: a folder that changes is scanned once it is quiet, and only there."""

from __future__ import annotations

import builtins
import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue
from threading import Event
from typing import Any

import pytest

from tests.support.libraries import clip, every_file
from viewra_lite import ScanResult, Store
from viewra_lite.errors import ConfigError, ConflictError, InvalidValueError
from viewra_lite.media.models import MediaLibrary
from viewra_lite.database.files import network_share
from viewra_lite.media.scanning.watch import Changes

pytestmark = pytest.mark.usefixtures("probing_here")

WAIT_S = 60
Results = Queue[tuple[str, ScanResult]]


@pytest.fixture
def films(folder: Path) -> Path:
    for number in range(4):
        clip(folder / f"Film {number} (2001)/Film.mkv", seed=number)
    return folder


def until(results: Results, is_it: Callable[[ScanResult], bool]) -> ScanResult:
    """Wait for a result; the system may report one change twice."""
    while True:
        _, result = results.get(timeout=WAIT_S)
        if is_it(result):
            return result


def paths(store: Store, library: MediaLibrary) -> set[str]:
    return {Path(file.path).parent.name for file in every_file(store, library.id)}


def test_what_appears_is_scanned_without_the_rest_of_the_library(
    store: Store, library: MediaLibrary, films: Path
) -> None:
    results: Results = Queue()
    with store.media.watch(quiet_s=0.1, scanned=lambda *scan: results.put(scan)) as watcher:
        assert watcher.started.wait(WAIT_S)
        clip(films / "New (2002)/New.mkv", seed=50)
        until(results, lambda result: result.added == 1 and result.unchanged == 0)
    assert paths(store, library) == {"New (2002)"}


def test_several_libraries_are_watched_and_errors_stop_nothing(
    store: Store, library: MediaLibrary, films: Path, tmp_path: Path, caplog: Any
) -> None:
    (tmp_path / "other").mkdir()
    other = store.media.add_library("other", tmp_path / "other", "movie")
    results: Results = Queue()

    def scanned(library_id: str, result: ScanResult) -> None:
        results.put((library_id, result))
        raise RuntimeError("a fault of the program")

    with store.media.watch(quiet_s=0.1, scanned=scanned) as watcher:
        assert watcher.started.wait(WAIT_S)
        clip(tmp_path / "other/New (2002)/New.mkv", seed=50)
        while results.get(timeout=WAIT_S)[0] != other.id:
            pass
        clip(films / "New (2003)/New.mkv", seed=51)
        until(results, lambda result: result.added == 1)
    assert paths(store, other) == {"New (2002)"}
    assert "RuntimeError" in caplog.text and str(tmp_path) not in caplog.text


def test_a_change_during_a_scan_is_not_missed_and_a_scan_changes_nothing(
    store: Store, library: MediaLibrary, films: Path
) -> None:
    results: Results = Queue()

    def scanned(library_id: str, result: ScanResult) -> None:
        if results.empty() and not (films / "Second (2003)").exists():
            clip(films / "Second (2003)/Second.mkv", seed=51)  # in the watcher's own thread
        results.put((library_id, result))

    with store.media.watch(quiet_s=0.1, scanned=scanned) as watcher:
        assert watcher.started.wait(WAIT_S)
        clip(films / "First (2002)/First.mkv", seed=50)
        until(results, lambda result: result.added == 1)
        until(results, lambda result: result.added == 1)
        with pytest.raises(Empty):
            while True:  # the system may report one change twice, and not for ever
                results.get(timeout=1.0)
    assert paths(store, library) == {"First (2002)", "Second (2003)"}


def test_a_busy_library_is_tried_again(store: Store, library: MediaLibrary, films: Path) -> None:
    results, refused, scan = Results(), Event(), store.media.scan

    def noting(*arguments: Any, **options: Any) -> ScanResult:
        try:
            return scan(*arguments, **options)
        except ConflictError:
            refused.set()
            raise

    store.media.scan = noting  # type: ignore[method-assign]
    with store.media.watch(quiet_s=0.1, scanned=lambda *scan: results.put(scan)) as watcher:
        assert watcher.started.wait(WAIT_S)
        with store.media.reconcile(library.id):
            clip(films / "New (2002)/New.mkv", seed=50)
            assert refused.wait(WAIT_S) and results.empty()
        until(results, lambda result: result.added == 1)


def test_of_a_deleted_film_the_library_decides(
    store: Store, library: MediaLibrary, films: Path
) -> None:
    store.media.scan(library.id)
    results: Results = Queue()
    with store.media.watch(quiet_s=0.1, scanned=lambda *scan: results.put(scan)) as watcher:
        assert watcher.started.wait(WAIT_S)
        (films / "Film 1 (2001)/Film.mkv").unlink()
        until(results, lambda result: result.removed == 1)
    missing = [f.path for f in every_file(store, library.id) if f.status == "missing"]
    assert missing == [str(films / "Film 1 (2001)/Film.mkv")]


def test_the_end_of_the_block_ends_the_watching_and_a_closed_store_too(
    store: Store, library: MediaLibrary, films: Path
) -> None:
    with store.media.watch(quiet_s=0.1) as watcher:
        pass
    watcher.stop()  # again
    with store.media.watch(quiet_s=0.1) as watcher:
        store.close()


def test_a_scan_that_runs_at_the_end_is_cancelled(
    store: Store, library: MediaLibrary, films: Path, clock: Any
) -> None:
    began, results = Event(), Queue[tuple[str, ScanResult]]()
    scan = store.media.scan

    def slow(library_id: str, **options: Any) -> ScanResult:
        def progress(phase: str, done: int, total: int) -> None:
            began.set()
            while not store.media.scans()[0].is_cancelled:
                pass
            clock.advance(2)

        return scan(library_id, progress=progress, **options)

    store.media.scan = slow  # type: ignore[method-assign]
    with store.media.watch(quiet_s=0.1, scanned=lambda *scan: results.put(scan)) as watcher:
        assert watcher.started.wait(WAIT_S)
        clip(films / "New (2002)/New.mkv", seed=50)
        assert began.wait(WAIT_S)
    assert results.get(timeout=WAIT_S)[1].cancelled


# Which folders


def library_at(path: Path) -> MediaLibrary:
    return MediaLibrary(id="m", path=str(path), name="m", type="movie")


def test_a_burst_of_changes_in_one_folder_becomes_one_scan(tmp_path: Path) -> None:
    (tmp_path / "Film/sub").mkdir(parents=True)
    (tmp_path / "Other").mkdir()
    library, changes = library_at(tmp_path), Changes(5.0)
    for moment in range(10):
        changes.note(library, str(tmp_path / f"Film/{moment}.mkv"), float(moment))
    changes.note(library, str(tmp_path / "Film/sub/x.mkv"), 2.0)
    changes.note(library, str(tmp_path / "Other/x.mkv"), 3.0)
    assert changes.due(7.9) == [("m", [str(tmp_path / "Film/sub")])]
    assert changes.due(13.9) == [("m", [str(tmp_path / "Other")])]
    assert changes.due(14.0) == [("m", [str(tmp_path / "Film")])]
    assert changes.due(99.0) == []


def test_a_folder_inside_another_is_not_scanned_twice(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a b").mkdir()
    library, changes = library_at(tmp_path), Changes(0.0)
    for name in ("a/b/c/x.mkv", "a/x.mkv", "a b/x.mkv", "a/b/x.mkv"):
        changes.note(library, str(tmp_path / name), 1.0)
    assert changes.due(1.0) == [("m", [str(tmp_path / "a"), str(tmp_path / "a b")])]


def test_of_a_deleted_folder_the_nearest_that_is_there_is_scanned(tmp_path: Path) -> None:
    library, changes = library_at(tmp_path), Changes(0.0)
    changes.note(library, str(tmp_path / "gone/deep/x.mkv"), 1.0)
    assert changes.due(1.0) == [("m", [str(tmp_path)])]


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("Film.mkv.part", False),
        ("@eaDir/x.jpg", False),
        (".hidden/x.mkv", False),
        (".ignore", True),
        (".plexignore", True),
        ("movie.nfo", True),
        ("...And Justice.mkv", True),
    ],
)
def test_what_a_scan_leaves_out_changes_nothing(tmp_path: Path, name: str, noted: bool) -> None:
    library, changes = library_at(tmp_path), Changes(0.0)
    changes.note(library, str(tmp_path / name), 1.0)
    assert bool(changes.due(1.0)) == noted


# Where it does not work

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
nas:/films /mnt/nas\\040films nfs4 rw 0 0
//nas/x /mnt/smb cifs rw 0 0
me@nas:/ /mnt/ssh fuse.sshfs rw 0 0
/dev/sdb1 /mnt/ssh/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "share"),
    [
        ("/mnt/nas films", "nfs4"),
        ("/mnt/nas films/a/b", "nfs4"),
        ("/mnt/smb/a", "cifs"),
        ("/mnt/ssh/a", "fuse.sshfs"),
        ("/mnt/ssh/local/a", None),
        ("/mnt/smb2", None),
        ("/srv", None),
    ],
)
def test_a_network_share_is_known_by_its_file_system(
    monkeypatch: pytest.MonkeyPatch, path: str, share: str | None
) -> None:
    monkeypatch.setattr(builtins, "open", lambda *_, **__: io.StringIO(MOUNTS))
    assert network_share(path) == share


def test_a_library_on_a_network_share_is_warned_of_once(
    store: Store,
    library: MediaLibrary,
    films: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from viewra_lite.media.scanning import watch as watching

    monkeypatch.setattr(watching, "network_share", lambda path: "nfs4")
    monkeypatch.setattr(watching, "_LOOK_AGAIN_S", 0.0)
    results: Results = Queue()
    with caplog.at_level(logging.WARNING):
        with store.media.watch(quiet_s=0.1, scanned=lambda *scan: results.put(scan)) as watcher:
            assert watcher.started.wait(WAIT_S)
    warnings = [record.getMessage() for record in caplog.records if "nfs4" in record.getMessage()]
    assert len(warnings) == 1 and library.id in warnings[0] and str(films) not in warnings[0]


def test_without_the_package_the_error_says_what_to_install(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(ConfigError, match="pip install watchfiles"):
        store.media.watch()


@pytest.mark.parametrize(
    "wrong", [{"quiet_s": -1}, {"quiet_s": "soon"}, {"quiet_s": float("nan")}, {"scanned": 7}]
)
def test_bad_arguments_are_refused(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        store.media.watch(**wrong)
