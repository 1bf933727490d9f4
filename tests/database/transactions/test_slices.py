"""Long jobs write in slices: others get their turn, and a killed job is continued."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import add_files
from tests.support.plays import a_play, add_plays
from tests.support.processes import running_python
from tests.support.torture import tries
from viewra_lite import Chore, Store
from viewra_lite.database.transactions.database import Database
from viewra_lite.database.transactions.slices import in_slices, repeat_in_slices
from viewra_lite.media.models import MediaFile


def transactions(db: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with each commit of a writer."""
    found: list[int] = []
    commit = db.backend.commit

    def counted(connection: Any) -> None:
        found.append(len(found))
        commit(connection)

    monkeypatch.setattr(db.backend, "commit", counted)
    return found


def test_a_transaction_ends_by_the_clock(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    commits, done = transactions(db, monkeypatch), []
    in_slices(db, [lambda n=n: done.append(n) for n in range(5)], most_ms=60_000)
    assert (done, len(commits)) == ([0, 1, 2, 3, 4], 1)
    in_slices(db, [lambda n=n: done.append(n) for n in range(5)], most_ms=0)
    assert len(commits) == 6
    in_slices(db, [])
    assert len(commits) == 6


def test_a_step_is_repeated_until_it_returns_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [3, 2, 1, 0]
    repeat_in_slices(db, lambda: left.pop(0))
    assert left == []


@pytest.mark.parametrize("store_config", ["sqlite", "cysqlite"], indirect=True)
def test_a_transaction_ends_when_another_writer_waits(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = transactions(db, monkeypatch)
    order: list[str] = []

    def write() -> None:
        with db.writer():
            order.append("another")

    another = threading.Thread(target=write)

    def begin() -> None:
        order.append("first")
        another.start()
        while not db.is_writer_awaited():
            pass

    in_slices(db, [begin, lambda: order.append("second")], most_ms=60_000)
    another.join()
    assert sorted(order) == ["another", "first", "second"] and len(commits) == 3


def test_a_step_that_fails_is_undone_and_those_of_earlier_transactions_stay(
    store: Store, db: Database, clock: Clock
) -> None:
    def insert(name: str) -> None:
        Chore.insert(name=name, due_at=clock(), failures=0).execute()
        if name == "c":
            raise RuntimeError(name)

    with pytest.raises(RuntimeError):
        in_slices(db, [lambda n=n: insert(n) for n in "abcd"], most_ms=0)
    with store.reader():
        assert sorted(one.name for one in Chore.select()) == ["a", "b"]


# Killed

KILLED = """
import json, sys
from datetime import datetime, timezone
from viewra_lite import Store
from viewra_lite.database.transactions import slices
from viewra_lite.media import libraries
from viewra_lite.media.scanning import purge
from viewra_lite.media.search import indexing
from viewra_lite.playback import users

slices.MOST_MS = 0
libraries._BATCH = purge._BATCH = indexing._BATCH = users._BATCH = 2
config, verb, left = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
now = datetime(2034, 5, 1, tzinfo=timezone.utc)
with Store.open(config, clock=lambda: now) as store:
    db = store.media.db
    commit = db.backend.commit

    def commit_until_killed(connection):
        global left
        if not left:
            print("now", flush=True)
            sys.stdin.readline()
        left -= 1
        commit(connection)

    db.backend.commit = commit_until_killed
    VERB
    print("done", flush=True)
"""
VERBS = {
    "remove_library": "store.media.remove_library(store.media.libraries()[0].id)",
    "purge": "store.media.tidy(now)",
    "forget_user": "store.playback.forget_user('ann')",
    "reindex": "indexing.reindex(db)",
}


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_job_is_continued_by_the_next(
    store: Store, store_config: Any, tmp_path: Path, verb: str
) -> None:
    files = add_files(store, tmp_path / "films", *(f"Film {n} ({1950 + n}).mkv" for n in range(7)))
    (tmp_path / "films" / "here.txt").touch()
    add_plays(store, [a_play(number, media_file_id=files[0]) for number in range(7)])
    library = store.media.libraries()[0].id
    for number in range(7):
        store.media.save_movie(library_id=library, title=f"Film {number}", year=1950 + number)
    with store.writer():
        if verb == "purge":
            MediaFile.update(status="missing", missing_since=store.media.db.now()).execute()
        if verb == "reindex":
            store.media.db.backend.database.execute_sql("DELETE FROM search_documents")
    code = KILLED.replace("VERB", VERBS[verb])
    for commits in range(1, tries(2, 4)):
        with running_python("-c", code, json.dumps(store_config), verb, str(commits)) as other:
            assert other.stdout is not None and other.stdout.readline() == "now\n"
            other.kill()
    with running_python("-c", code, json.dumps(store_config), verb, "1000") as other:
        assert other.stdout is not None and other.stdout.readline() == "done\n"
    left = {
        "remove_library": lambda: store.media.libraries(),
        "purge": lambda: store.media.files(store.media.libraries()[0].id).items,
        "forget_user": lambda: [*store.playback.history("ann").items],
        "reindex": lambda: 7 - len(store.media.search("film")),
    }
    assert not left[verb]()
