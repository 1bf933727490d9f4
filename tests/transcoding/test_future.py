"""A clock that ran ten years ahead and was put right holds neither work nor the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.transcodes import entries, made
from viewra_lite import Store

HOUR_S = 3600
TEN_YEARS_S = 3650 * 24 * HOUR_S


def test_a_lease_of_the_future_is_over(store: Store, files: list[str], clock: Any) -> None:
    session = store.transcoding.request(files[0], {})
    clock.advance(TEN_YEARS_S)
    store.transcoding.claim_next("a")
    clock.advance(-TEN_YEARS_S)
    store.transcoding.tidy(clock())
    assert store.transcoding.session(session.id).status == "pending"
    again = store.transcoding.claim_next("b", lease=30 * 24 * HOUR_S)
    assert again is not None and again.id == session.id
    store.transcoding.tidy(clock())
    assert store.transcoding.session(session.id).status == "running"


def test_an_entry_used_in_the_future_is_pulled_back_when_it_is_used_again(
    store: Store, files: list[str], clock: Any, tmp_path: Path
) -> None:
    entry = made(store, files[0], tmp_path / "0")
    clock.advance(TEN_YEARS_S)
    store.transcoding.cached(entry.content_hash, hold_s=60)
    clock.advance(-TEN_YEARS_S)
    used = store.transcoding.cached(entry.content_hash, hold_s=60)
    assert used is not None and used.last_accessed == clock()
    assert (used.in_use_until - clock()).total_seconds() == 60


def test_an_entry_used_in_the_future_does_not_stay_the_newest(
    store: Store, files: list[str], clock: Any, tmp_path: Path
) -> None:
    first, second = (made(store, files[n], tmp_path / str(n)) for n in range(2))
    clock.advance(TEN_YEARS_S)
    store.transcoding.cached(first.content_hash, hold_s=60)
    clock.advance(-TEN_YEARS_S)
    assert store.transcoding.evict(max_bytes=1000).paths == []
    clock.advance(HOUR_S)
    store.transcoding.cached(second.content_hash, hold_s=0)
    assert store.transcoding.evict(max_bytes=150).paths == [str(tmp_path / "0")]
    assert set(entries(store)) == {second.content_hash}


def test_what_was_requested_in_the_future_keeps_its_place_in_the_queue_and_in_lists(
    store: Store, files: list[str], clock: Any
) -> None:
    clock.advance(TEN_YEARS_S)
    first, second = (store.transcoding.request(files[n], {}).id for n in range(2))
    clock.advance(-TEN_YEARS_S)
    store.transcoding.tidy(clock())
    assert store.transcoding.session(first).created_at == clock()
    clock.advance(1)
    third = store.transcoding.request(files[2], {}).id
    assert [each.id for each in store.transcoding.sessions()] == [third, second, first]
    claimed = [store.transcoding.claim_next("w") for _ in range(3)]
    assert [each and each.id for each in claimed] == [first, second, third]
