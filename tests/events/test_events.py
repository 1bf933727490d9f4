"""Listeners and the feed of changes: stored with the commit, delivered after it, in order."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode as b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.processes import running_python
from viewra_lite import Store
from viewra_lite.database.transactions.events import Event, net
from viewra_lite.errors import ConflictError, InvalidValueError
from viewra_lite.media.models import MediaLibrary


def heard(store: Store, *events: str) -> list[tuple[str, dict[str, Any]]]:
    """Return a list that grows with each of these events."""
    calls: list[tuple[str, dict[str, Any]]] = []
    for event in events:
        store.on(event, lambda event=event, **facts: calls.append((event, facts)))
    return calls


def add(store: Store, folder: Path) -> str:
    folder.mkdir()
    return store.media.add_library(folder.name, folder, "movie").id


def test_a_listener_is_called_after_the_commit_with_the_facts_that_it_names(
    store: Store, tmp_path: Path
) -> None:
    seen: list[Any] = []
    store.on("library.added", lambda library_id: seen.append(store.media.library(library_id).name))
    with store.writer():
        add(store, tmp_path / "films")
        assert seen == []
    assert seen == ["films"]


def test_what_is_rolled_back_is_neither_delivered_nor_kept(store: Store, tmp_path: Path) -> None:
    calls = heard(store, "library.added")
    with pytest.raises(RuntimeError), store.writer():
        add(store, tmp_path / "a")
        raise RuntimeError
    with store.writer():
        with pytest.raises(RuntimeError), store.writer():
            add(store, tmp_path / "b")
            raise RuntimeError
        with pytest.raises(RuntimeError), MediaLibrary._meta.database.atomic():
            add(store, tmp_path / "c")
            raise RuntimeError
        kept = add(store, tmp_path / "d")
    assert calls == [("library.added", {"library_id": kept})]
    [change] = store.changes().items
    assert (change.event, change.facts) == ("library.added", {"library_id": kept})


def test_the_feed_goes_on_from_a_cursor_and_from_now(store: Store, tmp_path: Path) -> None:
    empty = store.changes()
    assert empty.items == []
    ids = [add(store, tmp_path / name) for name in "abc"]
    page = store.changes(empty.next, limit=2)
    rest = store.changes(page.next)
    assert [one.facts["library_id"] for one in (*page.items, *rest.items)] == ids
    assert store.changes(rest.next) == store.changes("now")
    now = store.changes("now").next
    store.media.remove_library(ids[0])
    assert [one.event for one in store.changes(now).items] == ["library.removed"]


@pytest.mark.parametrize("id", ["", "x", "1.0", 1, "9" * 30, "9" * 5000, "-1", "\u0663"])
def test_a_cursor_that_no_page_gave_is_refused(store: Store, id: object) -> None:
    text = json.dumps(["changes", id, "2024-01-01T00:00:00+00:00"])
    with pytest.raises((InvalidValueError, ConflictError)):
        store.changes(b64encode(text.encode()).decode())


def test_changes_are_kept_for_30_days_and_a_cursor_older_than_that_is_refused(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    began = store.changes().next
    for name in "ab":
        add(store, tmp_path / name)
    old = store.changes(began, limit=1).next
    for _ in range(2):
        clock.advance(timedelta(days=20).total_seconds())
        add(store, tmp_path / f"{clock():%d}")
    latest = store.changes("now").next
    store.maintenance.run_due(clock())
    assert len(store.changes().items) == 3
    with pytest.raises(ConflictError, match='since="now"'):
        store.changes(old)
    assert store.changes(latest).items == []
    clock.advance(timedelta(days=100).total_seconds())
    store.maintenance.run_due(clock())
    add(store, tmp_path / "last")
    assert len(store.changes(latest).items) == 1


def test_a_listener_that_raises_is_logged_and_the_others_are_called(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.on("library.added", lambda: 1 / 0)
    calls = heard(store, "library.added")
    add(store, tmp_path / "a")
    assert len(calls) == 1
    assert "a listener of library.added raised ZeroDivisionError" in caplog.text


def test_what_a_listener_commits_is_delivered_after_what_it_listens_to(
    store: Store, tmp_path: Path
) -> None:
    calls = heard(store, "library.removed")
    order: list[str] = []

    def remove(library_id: str) -> None:
        order.append("added")
        if len(order) == 1:
            store.media.remove_library(library_id)

    store.on("library.added", remove)
    store.on("library.removed", lambda: order.append("removed"))
    with store.writer():
        for name in "ab":
            add(store, tmp_path / name)
    assert order == ["added", "added", "removed"] and len(calls) == 1


def test_what_a_callback_commits_is_delivered_after_the_events_of_its_writer(
    store: Store, tmp_path: Path
) -> None:
    calls = heard(store, "library.added")
    with store.writer():
        store.after_commit(lambda: add(store, tmp_path / "second"))
        add(store, tmp_path / "first")
    assert [facts for _, facts in calls] == [one.facts for one in store.changes().items]
    assert len(calls) == 2


def test_a_listener_can_be_removed(store: Store, tmp_path: Path) -> None:
    calls: list[str] = []
    stop = store.on("library.added", lambda: calls.append("a"))
    add(store, tmp_path / "a")
    stop()
    add(store, tmp_path / "b")
    assert calls == ["a"]


@pytest.mark.parametrize(
    ("event", "listener", "message"),
    [
        ("movie.add", print, "did you mean movie.added"),
        ("movie.added", 5, "listener must be a function"),
        ("movie.added", lambda film_id: None, "movie.added has no 'film_id'.*it has movie_id"),
        ("movie.added", lambda movie_id, /: None, "movie.added has no 'movie_id'"),
    ],
)
def test_an_unknown_event_or_fact_is_refused_at_once(
    store: Store, event: str, listener: Any, message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        store.on(event, listener)


WRITING = """
import json, sys
from viewra_lite import Store
config, folder, count = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with Store.open(config, migrate=False) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for number in range(count):
        id = store.media.add_library(f"{folder} {number}", folder, "movie").id
        store.media.remove_library(id)
        print(id, flush=True)
"""


def test_a_reader_of_the_feed_misses_nothing_of_several_writing_processes(
    store: Store, store_config: Any, tmp_path: Path
) -> None:
    count, processes = 15, []
    from contextlib import ExitStack

    with ExitStack() as stack:
        for name in "ab":
            (tmp_path / name).mkdir()
            arguments = ("-c", WRITING, json.dumps(store_config), str(tmp_path / name), str(count))
            processes.append(stack.enter_context(running_python(*arguments)))
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == "open\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        seen, cursor = [], store.changes().next
        while len(seen) < 2 * 2 * count:
            page = store.changes(cursor, limit=3)
            seen += [(one.facts["library_id"], one.event) for one in page.items]
            cursor = page.next
            assert all(process.poll() in (None, 0) for process in processes)
        written = [line for p in processes for line in p.communicate()[0].split()]
    for id in written:
        assert [event for one, event in seen if one == id] == ["library.added", "library.removed"]
    assert len(written) == 2 * count and store.changes(cursor).items == []


@given(st.lists(st.tuples(st.sampled_from(["added", "updated", "removed"]), st.integers(0, 2))))
def test_a_commit_says_of_each_thing_only_what_lasts(steps: list[tuple[str, int]]) -> None:
    events, lives = [], {0: True, 1: False, 2: False}
    for what, thing in steps:
        if (what == "added") != lives[thing]:
            lives[thing] = what != "removed"
            events.append(Event(f"movie.{what}", {"movie_id": thing}))
    for thing, lived in {0: True, 1: False, 2: False}.items():
        said = [each.name for each in net(events) if each.facts["movie_id"] == thing]
        mine = [each.name for each in events if each.facts["movie_id"] == thing]
        if lived == lives[thing] and not lived or not mine:
            assert said == []
        elif not lived:
            assert said == ["movie.added"]
        elif not lives[thing]:
            assert said == ["movie.removed"]
        else:
            assert said in (["movie.updated"], ["movie.removed", "movie.added"])
