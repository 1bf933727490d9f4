"""What was made is found again, and what nobody uses goes first when there is too much."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.threads import in_thread, in_threads
from tests.support.transcodes import add_files, entries, made
from viewra_lite import Store
from viewra_lite.database.transactions.database import Database
from viewra_lite.errors import InvalidValueError, NotFoundError, StoreBusyError
from viewra_lite.transcoding import cache_queries
from viewra_lite.transcoding.cache import CacheUsage, EvictResult
from viewra_lite.transcoding.models import TranscodeCache

HOUR_S = 3600


@pytest.fixture
def cache(store: Store, files: list[str], clock: Any, tmp_path: Path) -> dict[str, str]:
    """Four entries of 100 bytes, made a minute apart and an hour ago: path by content hash."""
    found = {}
    for number, file in enumerate(files):
        entry = made(store, file, tmp_path / f"{number}.mp4")
        found[entry.content_hash] = str(tmp_path / f"{number}.mp4")
        clock.advance(60)
    clock.advance(HOUR_S)
    return found


def test_using_an_entry_counts_each_time_and_writes_the_time_once_a_minute(
    store: Store, cache: dict[str, str], clock: Any
) -> None:
    first = next(iter(cache))
    began = clock()
    for advance, count, touched in ((0, 1, 0), (59, 2, 0), (1, 3, 60), (59, 4, 60), (90, 5, 209)):
        clock.advance(advance)
        entry = store.transcoding.cached(first)
        assert entry is not None and entry.output_path == cache[first]
        assert entry.access_count == count
        assert (entry.last_accessed - began).total_seconds() == touched
    assert store.transcoding.cached("nothing") is None


def test_uses_at_once_are_all_counted(store: Store, cache: dict[str, str]) -> None:
    first = next(iter(cache))
    in_threads(8, lambda number: [store.transcoding.cached(first) for _ in range(10)])
    assert entries(store)[first].access_count == 80


def test_the_usage_is_counted_and_the_pinned_part_of_it(
    store: Store, cache: dict[str, str]
) -> None:
    assert store.transcoding.cache_usage() == CacheUsage(4, 400, 0)
    store.transcoding.pin(next(iter(cache)))
    assert store.transcoding.cache_usage() == CacheUsage(4, 400, 100)


def test_an_empty_cache_has_no_bytes(store: Store) -> None:
    assert store.transcoding.cache_usage() == CacheUsage(0, 0, 0)
    assert store.transcoding.evict(max_bytes=0).paths == []


def test_more_bytes_than_32_bits_can_count_are_added_up(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    for number in range(2):
        made(store, files[number], tmp_path / f"{number}", size=2**61)
    assert store.transcoding.cache_usage() == CacheUsage(2, 2**62, 0)


def test_the_least_recently_used_go_first_down_to_nine_tenths(
    store: Store, cache: dict[str, str]
) -> None:
    paths = list(cache.values())
    assert store.transcoding.evict(max_bytes=400).paths == []
    assert store.transcoding.evict(max_bytes=399).paths == paths[:1]  # 300 is below 359
    assert all(Path(path).exists() for path in paths)
    store.transcoding.cached(list(cache)[1])
    assert store.transcoding.evict(max_bytes=222).paths == [paths[2], paths[3]]  # 199
    assert store.transcoding.cache_usage() == CacheUsage(1, 100, 0)
    assert store.transcoding.evict(max_bytes=0).paths == [paths[1]]


@pytest.mark.parametrize("keep", ["pinned", "in use", "being made"])
def test_what_is_pinned_in_use_or_being_made_stays(
    store: Store, cache: dict[str, str], files: list[str], clock: Any, keep: str
) -> None:
    room = store.transcoding
    first, *others = cache
    if keep == "pinned":
        assert room.pin(first).pinned is True
    elif keep == "in use":
        room.cached(first, hold_s=100)
        room.cached(first, hold_s=10)  # does not shorten it
        clock.advance(99)
    else:
        Path(cache[first]).rename(cache[first] + ".away")
        room.request(files[0], {})
        Path(cache[first] + ".away").rename(cache[first])
        with store.writer():  # as a store does that was adopted
            TranscodeCache.create(
                id="old",
                content_hash=first,
                file_size=100,
                created_at=clock().replace(year=2020),
                last_accessed=clock().replace(year=2020),
                output_path=cache[first],
            )
    assert room.evict(max_bytes=0).paths == [cache[other] for other in others]
    if keep == "pinned":
        assert room.unpin(first).pinned is False
    elif keep == "in use":
        clock.advance(1)
    else:
        room.cancel(room.sessions(status="pending")[0].id)
    assert room.evict(max_bytes=0).paths == [cache[first]]


def test_what_was_evicted_is_listed_as_it_was_used_not_as_it_is_stored(
    store: Store, cache: dict[str, str], clock: Any
) -> None:
    for content_hash in reversed(cache):
        clock.advance(120)
        store.transcoding.cached(content_hash)
    used = [cache[content_hash] for content_hash in reversed(cache)]
    assert store.transcoding.evict(max_bytes=0).paths == used


def test_the_cache_comes_under_its_limit_however_young_it_is(
    store: Store, files: list[str], clock: Any, tmp_path: Path
) -> None:
    made(store, files[0], tmp_path / "old")
    clock.advance(1)
    made(store, files[1], tmp_path / "young")
    assert store.transcoding.evict(max_bytes=199) == EvictResult(
        [str(tmp_path / "old")], freed_bytes=100
    )
    assert store.transcoding.evict(max_bytes=10).paths == [str(tmp_path / "young")]


def test_what_could_not_be_freed_is_said(
    store: Store, cache: dict[str, str], files: list[str], clock: Any
) -> None:
    first, second, third, fourth = cache
    store.transcoding.pin(first)
    store.transcoding.cached(first, hold_s=60)
    store.transcoding.cached(second, hold_s=60)
    assert store.transcoding.evict(max_bytes=150) == EvictResult(
        [cache[third], cache[fourth]],
        freed_bytes=200,
        over_bytes=50,
        in_use_bytes=100,
        pinned_bytes=100,
    )
    clock.advance(60)
    assert store.transcoding.evict(max_bytes=150) == EvictResult([cache[second]], freed_bytes=100)
    assert store.transcoding.evict(max_bytes=150).paths == []


def test_entries_whose_files_are_gone_are_forgotten_before_anything_is_evicted(
    store: Store, cache: dict[str, str]
) -> None:
    first, second, *_ = cache
    store.transcoding.pin(first)
    for gone in (first, second):
        Path(cache[gone]).unlink()
    assert store.transcoding.evict(max_bytes=250).paths == []
    assert set(entries(store)) == set(list(cache)[2:])


def test_an_output_may_be_a_folder(store: Store, files: list[str], tmp_path: Path) -> None:
    entry = made(store, files[0], tmp_path / "segment")
    (tmp_path / "segment").unlink()
    (tmp_path / "segment").mkdir()
    assert store.transcoding.request(files[0], {}).id == entry.id
    assert store.transcoding.evict(max_bytes=100).paths == []
    assert store.transcoding.cache_usage().entries == 1


def test_an_output_that_cannot_be_looked_at_is_not_taken_for_gone(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    entry = made(store, files[0], tmp_path / "out")
    (tmp_path / "out").unlink()
    (tmp_path / "out").symlink_to("out")  # too many levels of symbolic links
    assert store.transcoding.request(files[0], {}).id == entry.id


def test_many_entries_are_evicted_and_forgotten_in_batches(
    store: Store, clock: Any, tmp_path: Path
) -> None:
    (tmp_path / "there").touch()
    add_entries(store, clock, "gone", [tmp_path / "nowhere"] * 1230)
    add_entries(store, clock, "kept", [tmp_path / "there"] * 345)
    clock.advance(2 * HOUR_S)
    assert len(store.transcoding.evict(max_bytes=100).paths) == 345 - 90
    assert store.transcoding.cache_usage() == CacheUsage(90, 90, 0)


def add_entries(store: Store, clock: Any, name: str, outputs: list[Path]) -> None:
    with store.writer():
        for number, output in enumerate(outputs):
            TranscodeCache.create(
                id=f"{name}-{number:05}",
                content_hash=f"{name}-{number:05}",
                file_size=1,
                created_at=clock(),
                last_accessed=clock(),
                output_path=str(output),
            )


def test_each_path_goes_to_one_of_those_who_evict_at_once(
    store: Store, clock: Any, tmp_path: Path
) -> None:
    outputs = [tmp_path / f"{number:03}" for number in range(250)]
    for output in outputs:
        output.touch()
    add_entries(store, clock, "made", outputs)
    clock.advance(2 * HOUR_S)
    told = in_threads(4, lambda number: store.transcoding.evict(max_bytes=100).paths)
    paths = [path for paths in told for path in paths]
    assert sorted(paths) == [str(output) for output in outputs[:160]]


def test_what_somebody_begins_to_use_while_it_is_chosen_stays_on_postgres(
    postgres_url: str, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").touch()
    with Store.open(postgres_url, clock=clock) as store:
        add_entries(store, clock, "made", [tmp_path / "there"] * 2)
        clock.advance(2 * HOUR_S)
        choose = store.media.db.all

        def chosen(statement: Any, *arguments: Any) -> Any:
            rows = choose(statement, *arguments)
            if statement is cache_queries.least_recently_used and len(rows) == 2:
                in_thread(lambda: store.transcoding.cached("made-00000", hold_s=60))
            return rows

        monkeypatch.setattr(store.media.db, "all", chosen)
        assert store.transcoding.evict(max_bytes=0).paths == [str(tmp_path / "there")]
        assert list(entries(store)) == ["made-00000"]


def test_paths_that_are_out_are_returned_whatever_comes_after(
    store: Store, db: Database, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").touch()
    add_entries(store, clock, "made", [tmp_path / "there"] * 150)
    clock.advance(2 * HOUR_S)
    writer, left = db.writer, [1]

    def busy(**options: Any) -> Any:
        if not left:
            raise StoreBusyError
        left.pop()
        return writer(**options)

    monkeypatch.setattr(db, "writer", busy)
    assert len(store.transcoding.evict(max_bytes=0).paths) == 100
    with pytest.raises(StoreBusyError):
        store.transcoding.evict(max_bytes=0)
    assert store.transcoding.cache_usage().entries == 50


def test_what_is_made_anew_keeps_its_count_and_its_pin(
    store: Store, cache: dict[str, str], files: list[str], clock: Any, tmp_path: Path
) -> None:
    first = next(iter(cache))
    store.transcoding.cached(first)
    store.transcoding.pin(first)
    before = entries(store)[first]
    session = store.transcoding.request(files[0], {"quality": 1})
    with store.writer():  # as when an adopted store was making it again
        type(session).update(content_hash=first).execute()
    store.transcoding.claim_next("w")
    store.transcoding.complete(session.id, output_path=tmp_path / "new", file_size=7)
    after = entries(store)[first]
    assert (after.access_count, after.pinned) == (before.access_count, True)
    assert (after.output_path, after.file_size) == (str(tmp_path / "new"), 7)
    assert after.id != before.id and after.created_at == clock()


def test_what_cannot_be_meant_is_refused(store: Store, cache: dict[str, str]) -> None:
    room = store.transcoding
    first = next(iter(cache))
    for pin in (room.pin, room.unpin):
        with pytest.raises(NotFoundError):
            pin("nothing")
    wrong: list[Any] = [
        *(
            lambda value=value: verb(value)
            for value in (None, 7, "a\0", "", "x" * 256)
            for verb in (room.cached, room.pin)
        ),
        *(
            lambda value=value: room.cached(first, hold_s=value)
            for value in (-1, float("nan"), float("inf"), "1", None, True, 1e9)
        ),
        *(
            lambda value=value: room.evict(max_bytes=value)
            for value in (-1, 1.5, None, "1", True, 2**63)
        ),
    ]
    for verb in wrong:
        with pytest.raises((InvalidValueError, NotFoundError)):
            verb()
    assert entries(store)[first].access_count == 0


def test_relative_outputs_are_found_from_anywhere(
    store: Store, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    entry = made(store, files[0], Path("out.mp4"))
    monkeypatch.chdir("/")
    assert entry.output_path == str(tmp_path / "out.mp4")
    assert store.transcoding.request(files[0], {}).id == entry.id


def test_names_that_are_not_utf8_come_back_as_they_were(
    store: Store, files: list[str], clock: Any, tmp_path: Path
) -> None:
    output = tmp_path / "na\udcefve.mp4"
    # As bytes: pytest-xdist breaks down at a failure whose text holds a surrogate.
    assert os.fsencode(made(store, files[0], output).output_path) == bytes(output)
    clock.advance(2 * HOUR_S)
    assert list(map(os.fsencode, store.transcoding.evict(max_bytes=0).paths)) == [bytes(output)]


def test_the_cache_of_a_removed_library_is_still_there(
    store: Store, clock: Any, tmp_path: Path
) -> None:
    [file] = add_files(store, tmp_path / "lib", 1)
    entry = made(store, file, tmp_path / "out")
    store.media.remove_library(store.media.libraries()[0].id)
    assert store.transcoding.cached(entry.content_hash) is not None
