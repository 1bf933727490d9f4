"""However often and from wherever the same content is asked for, it is made once."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import running_python
from tests.support.threads import in_threads
from tests.support.transcodes import count_sessions, entries, made
from viewra_lite import Store, TranscodeProfile
from viewra_lite.database.transactions.database import Database
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.media.models import MediaFile
from viewra_lite.transcoding import queries
from viewra_lite.transcoding.models import TranscodeCache, TranscodeSession

H264 = {"container": "mp4", "video_codec": "h264", "height": 1080, "streams": [0, "audio:eng"]}


def test_a_request_makes_a_session_that_tells_a_worker_everything(
    store: Store, files: list[str], clock: Any
) -> None:
    session = store.transcoding.request(files[1], H264, priority=3)
    assert isinstance(session, TranscodeSession)
    assert session.content_hash == TranscodeProfile.of(H264).content_hash("content 1")
    assert (session.status, session.progress, session.attempts) == ("pending", 0.0, 0)
    assert (session.container, session.video_codec, session.height) == ("mp4", "h264", 1080)
    assert (session.priority, session.created_at) == (3, clock())
    assert session.media_file_id == files[1]
    assert session.input_path == store.media.file(files[1]).path
    claimed = store.transcoding.claim_next("worker")
    assert claimed is not None
    assert TranscodeProfile.of(claimed.profile) == TranscodeProfile.of(H264)


def test_the_same_content_is_joined_and_other_content_is_not(
    store: Store, files: list[str]
) -> None:
    room = store.transcoding
    first = room.request(files[0], H264)
    same = [TranscodeProfile.of(H264), {**H264, "container": "MP4"}, {**H264, "width": None}]
    assert {room.request(files[0], profile).id for profile in same} == {first.id}
    assert room.request(files[1], H264).id != first.id
    assert room.request(files[0], {**H264, "height": 720}).id != first.id
    room.claim_next("worker")
    assert room.request(files[0], H264).status == "running"
    room.cancel(first.id)
    assert room.request(files[0], H264).id != first.id


def test_a_joined_session_rises_to_the_highest_priority(store: Store, files: list[str]) -> None:
    for priority, expected in ((1, 1), (5, 5), (2, 5), (-3, 5)):
        assert store.transcoding.request(files[0], H264, priority=priority).priority == expected


def test_two_files_of_the_same_content_share_a_session(store: Store, files: list[str]) -> None:
    with store.writer():
        MediaFile.update(fingerprint="content 0").where(MediaFile.id == files[1]).execute()
    first = store.transcoding.request(files[0], H264)
    assert store.transcoding.request(files[1], H264).id == first.id


def test_a_file_that_changed_is_not_taken_for_what_it_was(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    old = made(store, files[0], tmp_path / "old.mp4", H264)
    change = {"size": 999, "modified_ns": 8, "probe_state": "pending"}  # as a walk leaves it
    with store.writer():
        MediaFile.update(**change).where(MediaFile.id == files[0]).execute()
    again = store.transcoding.request(files[0], H264)
    assert isinstance(again, TranscodeSession) and again.content_hash != old.content_hash


def test_a_file_that_nobody_looked_into_has_a_hash_of_its_own(
    store: Store, files: list[str]
) -> None:
    with store.writer():
        MediaFile.update(fingerprint=None).execute()
    hashes = {store.transcoding.request(id, H264).content_hash for id in files}
    assert hashes == {TranscodeProfile.of(H264).content_hash(f"{id}:1000:7") for id in files}


def test_what_is_in_the_cache_is_not_made_again(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    entry = made(store, files[0], tmp_path / "out.mp4", H264)
    found = store.transcoding.request(files[0], H264)
    assert isinstance(found, TranscodeCache)
    assert (found.id, found.output_path) == (entry.id, str(tmp_path / "out.mp4"))
    assert (found.pinned, found.access_count) == (False, 0)
    assert count_sessions(store) == 1


def test_what_is_completed_while_it_is_asked_for_is_not_made_again(
    store: Store, db: Database, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = store.transcoding.request(files[0], H264)
    store.transcoding.claim_next("worker")
    look, left = db.one, [session.id]

    def looked(statement: Any, *arguments: Any) -> Any:
        if statement is queries.active_session and left:  # not in the cache a moment ago
            store.transcoding.complete(left.pop(), output_path=tmp_path / "out", file_size=1)
        return look(statement, *arguments)

    monkeypatch.setattr(db, "one", looked)
    found = store.transcoding.request(files[0], H264)
    assert isinstance(found, TranscodeCache) and count_sessions(store) == 1


def test_an_entry_whose_file_is_gone_is_forgotten_and_made_again(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    entry = made(store, files[0], tmp_path / "out.mp4", H264)
    (tmp_path / "out.mp4").unlink()
    again = store.transcoding.request(files[0], H264)
    assert isinstance(again, TranscodeSession)
    assert (again.status, again.content_hash) == ("pending", entry.content_hash)
    assert entries(store) == {}
    anew = made(store, files[0], tmp_path / "out.mp4", H264)
    assert store.transcoding.request(files[0], H264).id == anew.id != entry.id


def test_an_entry_that_names_no_file_counts_as_gone(
    store: Store, files: list[str], tmp_path: Path
) -> None:
    made(store, files[0], tmp_path / "out.mp4", H264)
    with store.writer():
        TranscodeCache.update(output_path=None).execute()
    assert isinstance(store.transcoding.request(files[0], H264), TranscodeSession)


def test_what_cannot_be_requested_is_refused(store: Store, files: list[str]) -> None:
    for id in ("nowhere", "", None, 7, "a\0"):
        with pytest.raises(NotFoundError):
            store.transcoding.request(id, H264)
    for priority in (None, "1", 1.5, True, 2**31):
        with pytest.raises(InvalidValueError, match="priority"):
            store.transcoding.request(files[0], H264, priority=priority)
    with pytest.raises(InvalidValueError, match="did you mean height"):
        store.transcoding.request(files[0], {"heigth": 1})
    assert count_sessions(store) == 0


def test_a_request_goes_with_its_callers_transaction(store: Store, files: list[str]) -> None:
    kept = store.transcoding.request(files[0], H264)
    with pytest.raises(ZeroDivisionError):
        with store.writer():
            assert store.transcoding.request(files[0], H264).id == kept.id
            store.transcoding.request(files[1], H264)
            raise ZeroDivisionError
    assert [session.id for session in store.transcoding.sessions()] == [kept.id]


def test_threads_that_ask_at_once_get_one_session(store: Store, files: list[str]) -> None:
    def ask(number: int) -> list[str]:
        return [store.transcoding.request(id, H264, priority=number).id for id in files]

    answers = in_threads(8, ask)
    assert len({tuple(ids) for ids in answers}) == 1
    assert count_sessions(store) == len(files)
    assert {session.priority for session in store.transcoding.sessions()} == {7}


ASKING = """
import json, sys, threading
from viewra_lite import Store
with Store.open(json.loads(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    told = []
    def ask():
        for number in range(4):
            told.append(store.transcoding.request(f"file-{number}", {"height": 720}).id)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert len(told) == 16
    print(json.dumps(sorted(set(told))), flush=True)
"""


def test_processes_that_ask_at_once_get_one_session(
    store: Store, store_config: Any, files: list[str]
) -> None:
    with ExitStack() as stack:
        asking: list[Any] = [
            stack.enter_context(running_python("-c", ASKING, json.dumps(store_config)))
            for _ in range(3)
        ]
        for process in asking:
            assert process.stdout.readline() == "ready\n"
        for process in asking:
            process.stdin.write("go\n")
            process.stdin.flush()
        told = {process.stdout.readline() for process in asking}
    mine = sorted(store.transcoding.request(id, {"height": 720}).id for id in files)
    assert [json.loads(line) for line in told] == [mine]
    assert count_sessions(store) == len(files)


def test_a_session_outlives_its_file(store: Store, files: list[str]) -> None:
    session = store.transcoding.request(files[0], H264)
    with store.writer():
        MediaFile.delete().where(MediaFile.id == files[0]).execute()
    found = store.transcoding.session(session.id)
    assert (found.media_file_id, found.input_path) == (None, session.input_path)


def test_what_was_made_of_a_new_file_follows_the_known_file_that_it_is(
    store: Store, db: Database, files: list[str], tmp_path: Path
) -> None:
    entry = made(store, files[0], tmp_path / "out.mp4", H264)
    session = store.transcoding.request(files[0], {})
    with store.writer():
        db.emit("file_merged", files[0], files[1])
    assert store.transcoding.session(session.id).media_file_id == files[1]
    assert entries(store)[entry.content_hash].media_file_id == files[1]


def test_a_worker_is_given_the_path_where_the_file_lies_now(store: Store, files: list[str]) -> None:
    store.transcoding.request(files[0], H264)
    with store.writer():
        MediaFile.update(path="/renamed/\udcff.mkv").where(MediaFile.id == files[0]).execute()
    claimed = store.transcoding.claim_next("worker")
    # As bytes: pytest-xdist breaks down at a failure whose text holds a surrogate.
    assert claimed is not None and os.fsencode(claimed.input_path) == b"/renamed/\xff.mkv"
