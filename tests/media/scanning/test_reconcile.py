"""reconcile(): the same bookkeeping for a caller who has the facts already."""

from __future__ import annotations

import random
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import counts, every_file, ids, watched
from tests.support.torture import tries
from viewra_lite import FileFacts, Store
from viewra_lite.errors import InvalidValueError, TransactionError
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.playback.models import UserMediaProgress

MANY = tries(5_000, 20_000)


@pytest.fixture
def library(store: Store, tmp_path: Path) -> MediaLibrary:
    (tmp_path / "m").mkdir()
    return store.media.add_library("m", tmp_path / "m", "movie")


def reconcile(store: Store, library: MediaLibrary, *files: FileFacts) -> dict[str, int]:
    with store.media.reconcile(library.id) as run:
        for file in files:
            run.add(file)
    return counts(run.result)


def at(
    library: MediaLibrary, name: str, size: int | None = 1, time: int | None = 1, **known: Any
) -> FileFacts:
    return FileFacts(f"{library.path}/{name}", size, time, **known)


def test_files_are_added_found_unchanged_changed_missing_and_back(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    five = [at(library, f"{number}.mkv") for number in range(5)]
    assert reconcile(store, library, *five) == {"added": 5}
    before = ids(store, library.id)
    clock.advance(60)
    assert reconcile(store, library, *five) == {"unchanged": 5}
    assert store.media.library(library.id).last_scan == clock()
    clock.advance(60)
    assert reconcile(store, library, *five[1:]) == {"unchanged": 4, "removed": 1, "missing": 1}
    clock.advance(60)
    changed = at(library, "1.mkv", size=2)
    assert reconcile(store, library, *five[2:], changed) == {
        "unchanged": 3,
        "updated": 1,
        "missing": 1,
    }
    clock.advance(60)
    assert reconcile(store, library, five[0], changed, *five[2:]) == {"unchanged": 4, "updated": 1}
    assert ids(store, library.id) == before
    file = store.media.file(before["1.mkv"])
    assert (file.size, file.mime_type, file.container) == (2, "video/x-matroska", "matroska")


def test_facts_are_kept_as_told_and_what_is_not_told_stays(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    whole = at(
        library,
        "a.mkv",
        5,
        7,
        mime_type="video/x",
        container="mkv",
        duration=1.5,
        width=640,
        height=480,
        video_codec="h264",
        audio_codec="aac",
        fingerprint="f",
        identity="i",
    )
    assert reconcile(store, library, whole) == {"added": 1}
    (first,) = every_file(store, library.id)
    for name in FileFacts.__slots__:
        assert getattr(first, name) == getattr(whole, name)
    clock.advance(60)
    assert reconcile(store, library, at(library, "a.mkv", None, None)) == {"unchanged": 1}
    assert every_file(store, library.id)[0].updated_at == first.updated_at
    assert reconcile(store, library, at(library, "a.mkv", 5, 7, duration=2.5)) == {"unchanged": 1}
    assert reconcile(store, library, at(library, "a.mkv", 6, 8, width=1280)) == {"updated": 1}
    (file,) = every_file(store, library.id)
    assert (file.size, file.modified_ns, file.duration, file.width, file.video_codec) == (
        6,
        8,
        2.5,
        1280,
        "h264",
    )
    assert (file.identity, file.container, file.probe_state) == ("i", "mkv", "pending")


def test_many_files_are_kept_each_as_it_was_told(store: Store, library: MediaLibrary) -> None:
    wanted = [
        at(
            library,
            f"{n:04}.mkv",
            n,
            n + 1,
            mime_type=f"video/{n}",
            container=f"c{n}",
            duration=n / 4,
            width=n + 2,
            height=n + 3,
            video_codec=f"v{n}",
            audio_codec=f"a{n}",
            fingerprint=f"f{n}",
            identity=f"i{n}",
        )
        for n in range(737)
    ]
    assert reconcile(store, library, *wanted) == {"added": 737}
    for one, file in zip(wanted, every_file(store, library.id), strict=True):
        assert one == FileFacts(*(getattr(file, name) for name in FileFacts.__slots__))
        assert (file.filename, file.status, file.probe_state) == (
            Path(one.path).name,
            "present",
            "pending",
        )
        assert file.created_at == file.updated_at


def test_who_waits_for_the_writer_gets_it_within_a_batch(tmp_path: Path) -> None:
    stores: list[Store] = []
    seen: list[int] = []
    numbers = iter(range(1_000_000))

    def write() -> None:
        with stores[0].writer():
            seen.append(MediaFile.select().count())

    other = threading.Thread(target=write)

    def new_id() -> str:
        # Called inside the scan's transaction: the other one queues before it goes on.
        number = next(numbers)
        if stores and number > 10 and other.ident is None:
            other.start()
            while not stores[0].media.db.is_writer_awaited():
                pass
        return f"{number:09}"

    config = {"database": {"database_path": str(tmp_path / "v.db"), "scan_batch_ms": 10_000}}
    with Store.open(config, new_id=new_id) as opened:
        (tmp_path / "m").mkdir()
        library = opened.media.add_library("m", tmp_path / "m", "movie")
        stores.append(opened)
        assert reconcile(opened, library, *(at(library, f"{n}.mkv") for n in range(500))) == {
            "added": 500
        }
        other.join()
    assert 0 < seen[0] < 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "/elsewhere/a.mkv"},
        {"path": "{root}"},
        {"path": "{root}/"},
        {"path": "{root}x/a"},
        {"path": "{root}/../a.mkv"},
        {"path": "{root}/./a.mkv"},
        {"path": "{root}//a.mkv"},
        {"path": "a.mkv"},
        {"path": ""},
        {"path": "{root}/a\0.mkv"},
        {"path": None},
        {"path": b"/a"},
        {"path": 5},
        {"path": "{root}/\ud800.mkv"},
        {"path": Path("/a")},
        {"size": -1},
        {"size": "5"},
        {"size": 1.5},
        {"size": True},
        {"size": 2**63},
        {"modified_ns": 2**63},
        {"modified_ns": "now"},
        {"duration": -1.0},
        {"duration": float("nan")},
        {"duration": "1"},
        {"width": -1},
        {"width": 2**31},
        {"width": 65_536},
        {"height": 10**6},
        {"duration": 1e14},
        {"height": 1.5},
        {"mime_type": 5},
        {"container": "a\0b"},
        {"video_codec": b"h264"},
        {"fingerprint": "\ud800"},
        {"identity": []},
        {"fingerprint": "f" * 601},
        {"identity": "i" * 601},
        {"mime_type": "m" * 601},
    ],
)
def test_facts_that_cannot_be_are_refused_by_name_before_anything_is_written(
    store: Store, library: MediaLibrary, wrong: dict[str, Any]
) -> None:
    path = wrong.get("path", "{root}/a.mkv")
    if isinstance(path, str):
        path = path.replace("{root}", library.path)
    facts = FileFacts(**{**wrong, "path": path})
    with store.media.reconcile(library.id) as run:
        with pytest.raises(InvalidValueError) as refused:
            run.add(facts)
        run.add(at(library, "good.mkv"))
    (name,) = wrong
    assert name in str(refused.value)
    assert counts(run.result) == {"added": 1}


def test_what_is_no_fact_is_refused(store: Store, library: MediaLibrary) -> None:
    with store.media.reconcile(library.id) as run:
        for wrong in (None, f"{library.path}/a.mkv", {"path": "x"}):
            with pytest.raises(InvalidValueError, match="FileFacts"):
                run.add(wrong)


def test_an_exception_inside_marks_nothing_missing_and_keeps_what_was_written(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    reconcile(store, library, *(at(library, f"{number}.mkv") for number in range(8)))
    scanned = store.media.library(library.id).last_scan
    clock.advance(60)
    with pytest.raises(ZeroDivisionError):
        with store.media.reconcile(library.id) as run:
            for number in range(1200):
                run.add(at(library, f"new {number}.mkv"))
            raise ZeroDivisionError
    files = every_file(store, library.id)
    assert {file.status for file in files} == {"present"}
    assert len(files) > 8 + 1200 - 500  # all but what was not yet a whole batch
    assert run.result.removed == 0
    assert store.media.library(library.id).last_scan == scanned
    assert store.media.reconcile(library.id).__enter__() is not None


def test_a_reconciliation_is_used_once_and_inside_its_block(
    store: Store, library: MediaLibrary
) -> None:
    run = store.media.reconcile(library.id)
    with pytest.raises(TransactionError):
        run.add(at(library, "a.mkv"))
    with run:
        pass
    with pytest.raises(TransactionError):
        run.add(at(library, "a.mkv"))
    with pytest.raises(TransactionError, match="once"):
        run.__enter__()


def test_moves_are_known_by_fingerprint_and_replacements_by_identity(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    def film(name: str, number: int, fingerprint: str) -> FileFacts:
        return at(library, name, fingerprint=fingerprint, identity=f"movie:{number}:")

    reconcile(store, library, *(film(f"{n}.mkv", n, f"f{n}") for n in range(10)))
    before = ids(store, library.id)
    for id in before.values():
        watched(store, id)
    clock.advance(60)
    moved = [film(f"sub/{n}.mkv", n, f"f{n}") for n in range(5)]
    better = [film(f"better {n}.mkv", n, f"g{n}") for n in range(5, 8)]
    same = [film(f"{n}.mkv", n, f"f{n}") for n in range(8, 10)]
    also = film("also 0.mkv", 0, "h0")
    assert reconcile(store, library, also, *better, *moved, *same) == {
        "moved": 5,
        "updated": 3,
        "unchanged": 2,
        "added": 1,
    }
    after = ids(store, library.id)
    assert after.pop("also 0.mkv") not in before.values()
    assert after == {
        **{f"sub/{n}.mkv": before[f"{n}.mkv"] for n in range(5)},
        **{f"better {n}.mkv": before[f"{n}.mkv"] for n in range(5, 8)},
        **{f"{n}.mkv": before[f"{n}.mkv"] for n in range(8, 10)},
    }


def test_an_earlier_missing_file_is_known_again_elsewhere(
    store: Store, library: MediaLibrary, tmp_path: Path, clock: Any
) -> None:
    files = [at(library, f"{n}.mkv", fingerprint=f"f{n}") for n in range(5)]
    reconcile(store, library, *files)
    before = ids(store, library.id)
    clock.advance(60)
    reconcile(store, library, *files[1:])
    (tmp_path / "other").mkdir()
    other = store.media.add_library("o", tmp_path / "other", "movie")
    clock.advance(60)
    assert reconcile(store, other, at(other, "x.mkv", fingerprint="f0")) == {"moved": 1}
    assert ids(store, other.id) == {"x.mkv": before["0.mkv"]}
    clock.advance(60)
    assert reconcile(store, library, *files[1:]) == {"unchanged": 4}


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("batch", [1, 7, 500])
def test_a_file_that_is_added_twice_is_counted_once(tmp_path: Path, batch: int) -> None:
    source = {
        "database": {
            "type": "sqlite",
            "database_path": str(tmp_path / "v.db"),
            "scan_batch_rows": batch,
        }
    }
    with Store.open(source) as store:
        library = store.media.add_library("m", tmp_path, "movie")
        files = [at(library, f"{number}.mkv") for number in range(10)]
        assert reconcile(store, library, *files, *files) == {"added": 10}
        assert reconcile(store, library, *files, *files) == {"unchanged": 10}
        changed = [at(library, f"{number}.mkv", size=2) for number in range(3)]
        assert reconcile(store, library, *changed, *files[3:], *changed) == {
            "unchanged": 7,
            "updated": 3,
        }


def test_thousands_of_files_come_in_any_order_while_others_write(
    store: Store, library: MediaLibrary, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    many = MANY if store.engine == "sqlite" else MANY // 4
    names = [f"{number % 97}/Film {number}.mkv" for number in range(many)]
    random.Random(1).shuffle(names)
    waits: list[float] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            began = time.perf_counter()
            watched(store, f"file-{len(waits)}")
            waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=write)
    thread.start()
    began = time.perf_counter()
    try:
        first = reconcile(store, library, *(at(library, n, fingerprint=n) for n in names))
        first_s = time.perf_counter() - began
        random.Random(2).shuffle(names)
        clock.advance(60)
        second = reconcile(store, library, *(at(library, n, fingerprint=n) for n in names))
    finally:
        done.set()
        thread.join()
    assert (first, second) == ({"added": many}, {"unchanged": many})
    with store.reader():
        assert UserMediaProgress.select().count() == len(waits) > 10
    with capsys.disabled():
        longest, median = max(waits) * 1000, sorted(waits)[len(waits) // 2] * 1000
        print(
            f"\n{store.engine}: {many} files in {first_s:.1f} s beside {len(waits)} writes, "
            f"longest {longest:.0f} ms, median {median:.1f} ms"
        )


def test_memory_grows_by_little_for_each_file(store: Store, library: MediaLibrary) -> None:
    if store.engine != "sqlite":
        pytest.skip("the same code on both engines")

    def peak(count: int) -> int:
        tracemalloc.start()
        with store.media.reconcile(library.id) as run:
            for number in range(count):
                run.add(at(library, f"{number:06}.mkv"))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    small, large = peak(2000), peak(8000)
    assert (large - small) / 6000 < 300  # bytes for each file
