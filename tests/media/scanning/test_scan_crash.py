"""A scan may end at any moment: the next one makes it good, and nothing is doubled or lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.libraries import (
    blob,
    clip,
    counts,
    every_file,
    ids,
    progress_by_path,
    told,
    watched,
)
from tests.support.media import write_audio
from tests.support.processes import eventually
from tests.support.torture import TORTURE
from viewra_lite import Store
from viewra_lite.errors import ConflictError
from viewra_lite.media.scanning import scan as scanning

here = pytest.mark.usefixtures("probing_here")


class Unplugged(Exception):
    """What a progress callback raises."""


def fill(folder: Path, kind: str, count: int = 8) -> None:
    for number in range(1, count + 1):
        if kind == "music":
            write_audio(
                folder / f"{number:02} Song {number}.mp3",
                seconds=0.2,
                artist="Ann",
                title=f"Song {number}",
                album="First",
                track=number,
                seed=number,
            )
        elif kind == "tv":
            clip(folder / f"Lost/Lost S01E{number:02}.mkv", seed=number)
        else:
            clip(folder / f"Film {number} (2001).mkv", seed=number)
    blob(folder / ("Broken.mp3" if kind == "music" else "Broken (1999) S01E99.mkv"))


def change(folder: Path) -> None:
    """Rename most files, replace one, remove one, add one."""
    files = sorted(path for path in folder.rglob("*.m*") if "Broken" not in path.name)
    files[0].unlink()
    shutil.copyfile(files[2], files[1])
    os.utime(files[1], ns=(1, 1))
    for path in files[3:]:
        target = folder / "New" / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    blob(folder / f"Another (2005) S02E01{files[0].suffix}")


@contextmanager
def opened(folder: Path, clock: Clock) -> Iterator[Store]:
    path = folder / "v.db"
    with Store.open({"database": {"type": "sqlite", "database_path": str(path)}}, clock=clock) as s:
        yield s


def uninterrupted(tmp_path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a store says after a scan, and after another of the changed folder."""
    with opened(tmp_path / "reference", clock := Clock()) as store:
        library = store.media.add_library("m", tmp_path / "m", kind)
        store.media.scan(library.id)
        first = told(store)
        change(tmp_path / "m")
        clock.advance(60)
        store.media.scan(library.id)
        return first, told(store)


@pytest.mark.usefixtures("driver")
@here
@pytest.mark.parametrize(
    ("kind", "error", "step"),
    [("movie", Unplugged, 2), ("tv", KeyboardInterrupt, 3), ("music", Unplugged, 4)],
)
def test_a_scan_that_breaks_off_at_any_call_of_progress_ends_like_one_that_does_not(
    tmp_path: Path,
    kind: str,
    error: type[BaseException],
    step: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanning, "_PROGRESS_EVERY", 2)
    folder = tmp_path / "m"
    fill(folder, kind)
    shutil.copytree(folder, tmp_path / "before")
    first, second = uninterrupted(tmp_path, kind)
    for k in range(1, 40, step):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        with opened(tmp_path / f"{k}", clock := Clock()) as store:
            library = store.media.add_library("m", folder, kind)
            broke = interrupted_scan(store, library.id, k, error)
            clock.advance(60)
            store.media.scan(library.id)
            assert told(store) == first, k
            before = ids(store, library.id)
            change(folder)
            clock.advance(60)
            broke |= interrupted_scan(store, library.id, k, error)
            clock.advance(60)
            store.media.scan(library.id)
            assert told(store) == second, k
            kept = {id for name, id in before.items()} & set(ids(store, library.id).values())
            assert len(kept) == 8, k
        if not broke:
            break
    assert not broke


def interrupted_scan(store: Store, library_id: str, k: int, error: type[BaseException]) -> bool:
    calls = 0

    def progress(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == k:
            raise error

    try:
        store.media.scan(library_id, progress=progress)
    except error:
        return True
    return False


@pytest.mark.usefixtures("driver")
@here
@pytest.mark.parametrize("batch_rows", [1, 3])
def test_a_scan_that_breaks_off_between_any_two_transactions_is_made_good(
    tmp_path: Path, batch_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from viewra_lite.media.scanning.reconcile import Reconciliation

    folder = tmp_path / "m"
    fill(folder, "movie")
    shutil.copytree(folder, tmp_path / "before")
    first, second = uninterrupted(tmp_path, "movie")
    writes = 0
    stop_at = 0

    def counting(method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes == stop_at:
                raise Unplugged
            return method(*arguments, **named)

        return counted

    for k in range(1, 60, 2):
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "before", folder)
        source = {
            "database": {
                "type": "sqlite",
                "database_path": str(tmp_path / f"{k}/v.db"),
                "scan_batch_rows": batch_rows,
            }
        }
        with Store.open(source, clock=(clock := Clock())) as store:
            library = store.media.add_library("m", folder, "movie")
            store.media.scan(library.id)
            assert told(store) == first
            change(folder)
            clock.advance(60)
            with monkeypatch.context() as patch:
                writes, stop_at = 0, k
                patch.setattr(store.media.db, "writer", counting(store.media.db.writer))
                patch.setattr(
                    Reconciliation, "_count_present", counting(Reconciliation._count_present)
                )
                try:
                    store.media.scan(library.id)
                except Unplugged:
                    pass
            clock.advance(60)
            store.media.scan(library.id)
            assert told(store) == second, k
        if writes < k:
            break
    assert writes < k


def test_an_interrupted_scan_leaves_no_worker(store: Store, tmp_path: Path) -> None:
    alive: list[int] = []

    def progress(phase: str, done: int, total: int) -> None:
        if phase == "probe" and done == 3:
            alive.extend(children())
            raise KeyboardInterrupt

    fill(tmp_path / "m", "movie", 12)
    library = store.media.add_library("m", tmp_path / "m", "movie")
    before = set(children())
    with pytest.raises(KeyboardInterrupt):
        store.media.scan(library.id, progress=progress)
    assert set(alive) - before and set(children()) <= before
    left = [file for file in every_file(store, library.id) if file.probe_state == "pending"]
    result = store.media.scan(library.id)
    assert (result.unchanged, result.probed) == (13, len(left)) and left
    assert store.media.scan(library.id).probed == 0


def test_a_scan_counts_what_it_looks_into(store: Store, tmp_path: Path) -> None:
    fill(tmp_path / "m", "movie", 3)
    library = store.media.add_library("m", tmp_path / "m", "movie")
    first = store.media.scan(library.id)
    assert first.probed == first.added == 4
    clip(tmp_path / "m/New (2002).mkv", seed=100)
    second = store.media.scan(library.id)
    assert (second.probed, second.added, second.unchanged) == (1, 1, 4)


def children() -> list[int]:
    text = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    return [int(pid) for pid in text.split()]


SCANNING = """
import json, os, sys
from viewra_lite import Store
stop = int(sys.argv[3])
calls = 0
def progress(phase, done, total):
    global calls
    calls += 1
    print(phase, done, total, flush=True)
    if calls == stop:
        sys.stdin.readline()
with Store.open(json.loads(sys.argv[1])) as store:
    store.media.scan(sys.argv[2], progress=progress)
"""


def scanning_process(source: Any, library_id: str, stop: int) -> subprocess.Popen[str]:
    """Start a process that scans, and wait until it has called progress so often."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCANNING, json.dumps(source), library_id, str(stop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert process.stdout is not None
    for _ in range(stop):
        assert process.stdout.readline(), "the process ended early"
    return process


def ended(pids: list[int]) -> bool:
    return not any(
        Path(f"/proc/{pid}").exists()
        and Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z"
        for pid in pids
    )


@pytest.mark.parametrize("stop", [1, 2, 7, 13] if TORTURE else [2, 13])
def test_a_killed_scan_resumes_and_leaves_no_worker(
    store_config: Any, clock: Clock, tmp_path: Path, stop: int
) -> None:
    folder = tmp_path / "m"
    fill(folder, "movie", 12)
    with Store.open(store_config) as store:
        library = store.media.add_library("m", folder, "movie")
        store.media.scan(library.id)
        before = ids(store, library.id)
        watched(store, before["Film 5 (2001).mkv"])
    for path in list(folder.glob("Film *")):
        path.rename(path.with_name(path.name.replace("Film", "Movie")))
    for number in range(12):
        clip(folder / f"New/Added {number} (2002).mkv", seed=100 + number)
    process = scanning_process(store_config, library.id, stop)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    eventually(lambda: ended([int(pid) for pid in workers]))  # none outlives its scan
    with Store.open(store_config) as store:
        store.media.scan(library.id)
        after = ids(store, library.id)
        assert {name: after[name.replace("Film", "Movie")] for name in before} == before
        assert len(every_file(store, library.id)) == 25
        assert len(store.media.movies().items) == 25
        assert progress_by_path(store) == {"Movie 5 (2001).mkv": 42.0}
        assert counts(store.media.scan(library.id)) == {"unchanged": 25}


@here
def test_one_library_is_scanned_once_at_a_time_and_others_beside_it(
    store: Store, tmp_path: Path
) -> None:
    fill(tmp_path / "a", "movie", 3), fill(tmp_path / "b", "tv", 3)
    a = store.media.add_library("a", tmp_path / "a", "movie")
    b = store.media.add_library("b", tmp_path / "b", "tv")
    errors: list[Any] = []

    def second_scan() -> None:
        for verb in (store.media.scan, store.media.remove_library):
            try:
                verb(a.id)
            except ConflictError as exc:
                errors.append(str(exc))
        assert store.media.scan(b.id).added == 4

    def progress(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("probe", 1):
            thread = threading.Thread(target=second_scan)
            thread.start()
            thread.join()

    assert store.media.scan(a.id, progress=progress).added == 4
    assert len(errors) == 2 and all("library a" in error for error in errors)
    assert store.media.scan(b.id).unchanged == 4


def test_one_library_is_scanned_by_one_process_at_a_time(store_config: Any, tmp_path: Path) -> None:
    fill(tmp_path / "a", "movie", 3), fill(tmp_path / "b", "movie", 3)
    with Store.open(store_config) as store:
        a = store.media.add_library("a", tmp_path / "a", "movie")
        b = store.media.add_library("b", tmp_path / "b", "movie")
        process = scanning_process(store_config, a.id, 3)
        try:
            for verb in (store.media.scan, store.media.remove_library):
                with pytest.raises(ConflictError, match="library a"):
                    verb(a.id)
            assert store.media.scan(b.id).added == 4
        finally:
            process.communicate("go on\n")
        assert process.returncode == 0
        assert counts(store.media.scan(a.id)) == {"unchanged": 4}


@here
def test_libraries_that_are_scanned_side_by_side_share_out_moved_files(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    for number in range(20):
        clip(tmp_path / f"a/Film {number} (2001).mkv", seed=number)
    for name in ("b", "c"):
        clip(tmp_path / f"{name}/Own {name} (1999).mkv", seed=ord(name))
    libraries = {n: store.media.add_library(n, tmp_path / n, "movie") for n in "abc"}
    for library in libraries.values():
        store.media.scan(library.id)
    before = ids(store, libraries["a"].id)
    for number in range(1, 20):
        name = f"Film {number} (2001).mkv"
        for target in "bc":  # the content turns up twice, and only one may have the id
            shutil.copyfile(tmp_path / "a" / name, tmp_path / target / name)
        (tmp_path / "a" / name).unlink()
    clock.advance(60)
    threads = [threading.Thread(target=store.media.scan, args=(libraries[n].id,)) for n in "bc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [file.id for n in "abc" for file in every_file(store, libraries[n].id)]
    assert len(found) == len(set(found)) == 1 + 2 * 20
    assert set(before.values()) <= set(found)
