"""Every session has one worker at a time, and one end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.threads import in_thread, in_threads
from tests.support.transcodes import add_files, entries
from viewra_lite import Provider, Store
from viewra_lite.errors import ConflictError, InvalidValueError, NotFoundError
from viewra_lite.transcoding.models import TranscodeSession
from viewra_lite.transcoding.leases import MAX_ATTEMPTS


def queued(store: Store, file_id: str, priority: int = 0, **profile: Any) -> TranscodeSession:
    session = store.transcoding.request(file_id, profile, priority=priority)
    assert isinstance(session, TranscodeSession)
    return session


def claimed(store: Store, file_id: str, lease: float = 60) -> TranscodeSession:
    """Queue a session and let a worker take it, which must be the only one that waits."""
    session = queued(store, file_id)
    taken = store.transcoding.claim_next("first", lease=lease)
    assert taken is not None and taken.id == session.id
    return taken


# Claims


def test_the_highest_priority_goes_first_then_the_oldest(
    store: Store, files: list[str], clock: Any
) -> None:
    third = queued(store, files[0])
    clock.advance(1)
    fourth = queued(store, files[1])
    first = queued(store, files[2], priority=9)
    clock.advance(-3600)
    second = queued(store, files[3])  # asked for last, by a clock that was set back
    order = [store.transcoding.claim_next("w") for _ in range(5)]
    assert [one and one.id for one in order] == [first.id, second.id, third.id, fourth.id, None]


def test_a_claim_says_who_has_it_since_when_and_until_when(
    store: Store, files: list[str], clock: Any
) -> None:
    session = claimed(store, files[0], lease=90)
    assert (session.status, session.provider, session.attempts) == ("running", "first", 1)
    assert session.started_at == clock()
    assert (session.lease_until - clock()).total_seconds() == 90
    assert store.transcoding.session(session.id).__data__ == session.__data__


@pytest.mark.parametrize(
    ("provider", "able"),
    [
        (Provider("w"), True),
        (Provider("w", containers=["webm", "MP4"]), True),
        (Provider("w", containers=["webm"]), False),
        (Provider("w", containers=[]), False),
        (Provider("w", video_codecs=("hevc",), containers={"mp4"}, max_height=1080), True),
        (Provider("w", video_codecs=("h264",), containers={"mp4"}), False),
        (Provider("w", max_height=1079), False),
        (Provider("w", audio_codecs=["opus"]), True),  # nobody asked for one
    ],
)
def test_a_worker_gets_only_what_it_can_do(
    store: Store, files: list[str], provider: Provider, able: bool
) -> None:
    session = queued(store, files[0], container="mp4", video_codec="hevc", height=1080)
    taken = store.transcoding.claim_next(provider)
    assert (taken is not None) == able
    rest = store.transcoding.claim_next("anything")
    assert (rest is not None and rest.id == session.id) != able


def test_a_worker_passes_over_what_it_cannot_do(store: Store, files: list[str]) -> None:
    queued(store, files[0], priority=9, container="webm")
    mine = queued(store, files[1], container="mp4")
    anything = queued(store, files[2])
    worker = Provider("w", containers=["mp4"])
    taken = [store.transcoding.claim_next(worker) for _ in range(3)]
    assert [one and one.id for one in taken] == [mine.id, anything.id, None]


def test_threads_that_claim_at_once_never_share_a_session(store: Store, tmp_path: Path) -> None:
    wanted = {queued(store, id).id for id in add_files(store, tmp_path / "many", 60)}

    def work(number: int) -> list[str]:
        taken = []
        while session := store.transcoding.claim_next(f"worker {number}"):
            taken.append(session.id)
        return taken

    taken = [id for ids in in_threads(8, work) for id in ids]
    assert len(taken) == 60 and set(taken) == wanted


def test_a_claim_does_not_wait_for_a_session_that_postgres_has_locked(
    postgres_url: str, tmp_path: Path
) -> None:
    with Store.open(postgres_url) as store:
        first, second = (queued(store, id) for id in add_files(store, tmp_path / "lib", 2))
        with store.writer():
            store.transcoding.cancel(first.id)
            taken = in_thread(lambda: store.transcoding.claim_next("w"))
        assert taken.id == second.id


def test_a_claim_goes_with_its_callers_transaction(store: Store, files: list[str]) -> None:
    queued(store, files[0])
    with pytest.raises(ZeroDivisionError):
        with store.writer():
            assert store.transcoding.claim_next("w") is not None
            raise ZeroDivisionError
    again = store.transcoding.claim_next("w")
    assert again is not None and again.attempts == 1


# Leases


def test_a_report_renews_the_lease_and_progress_never_goes_back(
    store: Store, files: list[str], clock: Any
) -> None:
    room = store.transcoding
    session = claimed(store, files[0])
    for told, expected in ((0.25, 0.25), (0.1, 0.25), (0, 0.25), (1, 1.0), (0.5, 1.0)):
        clock.advance(59)
        reported = room.report_progress(session.id, told, attempt=1)
        assert reported.progress == expected
        assert (reported.lease_until - clock()).total_seconds() == 60
        assert room.claim_next("second") is None


def test_a_lease_that_ran_out_gives_the_session_to_another(
    store: Store, files: list[str], clock: Any
) -> None:
    room = store.transcoding
    session = claimed(store, files[0])
    room.report_progress(session.id, 0.7)
    clock.advance(59.999)
    assert room.claim_next("second") is None
    clock.advance(0.001)
    again = room.claim_next("second")
    assert again is not None and (again.id, again.attempts) == (session.id, 2)
    assert (again.progress, again.provider, again.started_at) == (0.0, "second", clock())


@pytest.mark.parametrize("taken", [True, False])
def test_who_lost_a_session_is_told_and_changes_nothing(
    store: Store, files: list[str], clock: Any, taken: bool
) -> None:
    room = store.transcoding
    session = claimed(store, files[0])
    clock.advance(61)
    if taken:
        room.claim_next("second")
    else:
        room.tidy(clock())
    before = room.session(session.id).__data__
    for late in (
        lambda: room.report_progress(session.id, 0.9, attempt=1),
        lambda: room.complete(session.id, output_path="/out", file_size=1, attempt=1),
        lambda: room.fail(session.id, "it broke", attempt=1),
    ):
        with pytest.raises(ConflictError, match="attempt 2" if taken else "queue"):
            late()
    assert room.session(session.id).__data__ == before
    assert before["status"] == ("running" if taken else "pending")
    assert entries(store) == {}


def test_a_late_worker_whose_session_nobody_took_goes_on(
    store: Store, files: list[str], clock: Any
) -> None:
    session = claimed(store, files[0])
    clock.advance(3600)
    assert store.transcoding.report_progress(session.id, 0.5, attempt=1).status == "running"
    assert store.transcoding.claim_next("second") is None


@pytest.mark.parametrize("chore", [True, False])
def test_the_third_lease_that_runs_out_fails_the_session(
    store: Store, files: list[str], clock: Any, chore: bool
) -> None:
    room = store.transcoding
    session = queued(store, files[0])
    for attempt in range(1, MAX_ATTEMPTS + 1):
        taken = room.claim_next(f"worker {attempt}")
        assert taken is not None and taken.attempts == attempt
        clock.advance(61)
    if chore:
        room.tidy(clock())
    else:
        assert room.claim_next("one more") is None
    ended = room.session(session.id)
    assert (ended.status, ended.completed_at) == ("failed", clock())
    assert ended.error_message == "the lease expired 3 times; last worker: worker 3"
    assert queued(store, files[0]).id != session.id


def test_leases_end_however_many_ran_out(store: Store, clock: Any, tmp_path: Path) -> None:
    for id in add_files(store, tmp_path / "many", 250):
        queued(store, id)
    while store.transcoding.claim_next("w"):
        pass
    clock.advance(61)
    store.transcoding.tidy(clock())
    assert len(store.transcoding.sessions(status="pending", limit=1000)) == 250


def test_what_another_program_left_running_goes_back_to_the_queue(
    store_config: Any, clock: Any, tmp_path: Path
) -> None:
    with Store.open(store_config, clock=clock) as store:
        session = queued(store, add_files(store, tmp_path / "lib", 1)[0])
        with store.writer():
            TranscodeSession.update(status="running").execute()  # as adopted: without a lease
    with Store.open(store_config, clock=clock) as store:
        again = store.transcoding.claim_next("w")
        assert again is not None and again.id == session.id


# Ends


def test_cancelling_reaches_the_worker_at_its_next_report(
    store: Store, files: list[str], clock: Any
) -> None:
    room = store.transcoding
    session = claimed(store, files[0])
    assert room.cancel(session.id).completed_at == clock()
    seen = room.report_progress(session.id, 0.5, attempt=1)
    assert (seen.status, seen.progress) == ("cancelled", 0.0)
    clock.advance(3600)
    assert room.claim_next("second") is None
    assert room.cancel(session.id).__data__ == seen.__data__


def test_a_queued_session_can_be_cancelled(store: Store, files: list[str]) -> None:
    session = queued(store, files[0])
    assert store.transcoding.cancel(session.id).status == "cancelled"
    assert store.transcoding.claim_next("w") is None


def test_completing_ends_the_session_and_fills_the_cache_at_once(
    store: Store, files: list[str], clock: Any, tmp_path: Path
) -> None:
    session = store.transcoding.request(files[0], {"container": "webm", "quality": 23})
    store.transcoding.claim_next("w")
    clock.advance(5)
    output = tmp_path / "out.webm"
    done = store.transcoding.complete(session.id, output_path=output, file_size=2**40, attempt=1)
    assert (done.status, done.progress, done.completed_at) == ("completed", 1.0, clock())
    assert (done.output_path, done.lease_until) == (str(output), None)
    entry = entries(store)[session.content_hash]
    assert (entry.output_path, entry.file_size) == (str(output), 2**40)
    assert (entry.container, entry.quality, entry.media_file_id) == ("webm", 23, files[0])
    assert entry.created_at == entry.last_accessed == clock()


@pytest.mark.parametrize("end", ["completed", "failed", "cancelled"])
def test_an_end_is_final(store: Store, files: list[str], tmp_path: Path, end: str) -> None:
    room = store.transcoding
    id = claimed(store, files[0]).id
    verbs = {
        "completed": lambda: room.complete(id, output_path=tmp_path / "o", file_size=1),
        "failed": lambda: room.fail(id, "no such codec"),
        "cancelled": lambda: room.cancel(id),
    }
    ended = verbs[end]()
    assert ended.status == end
    for name, verb in verbs.items():
        if (name, end) != ("cancelled", "cancelled"):
            with pytest.raises(ConflictError, match=f"is {end}, which is final"):
                verb()
    if end != "cancelled":
        with pytest.raises(ConflictError, match="final"):
            room.report_progress(id, 0.5)
    assert room.session(id).__data__ == ended.__data__


def test_what_nobody_claimed_cannot_be_reported_completed_or_failed(
    store: Store, files: list[str]
) -> None:
    room, id = store.transcoding, queued(store, files[0]).id
    for early in (
        lambda: room.report_progress(id, 0.1),
        lambda: room.complete(id, output_path="/out", file_size=1),
        lambda: room.fail(id, "it broke"),
    ):
        with pytest.raises(ConflictError, match="waits in the queue"):
            early()


def test_a_failed_session_tells_why(store: Store, files: list[str]) -> None:
    id = claimed(store, files[0]).id
    failed = store.transcoding.fail(id, "ffmpeg: größer als\nerlaubt", attempt=1)
    assert (failed.status, failed.error_message) == ("failed", "ffmpeg: größer als\nerlaubt")


# Looking


def test_sessions_come_newest_first_and_by_status(
    store: Store, files: list[str], clock: Any
) -> None:
    room = store.transcoding
    ids = []
    for file in files:
        ids.append(queued(store, file).id)
        clock.advance(1)
    assert [session.id for session in room.sessions()] == ids[::-1]
    assert [session.id for session in room.sessions(limit=2)] == ids[:1:-1]
    room.cancel(ids[2])
    assert [session.id for session in room.sessions(status="cancelled")] == [ids[2]]
    assert [session.id for session in room.sessions(status="pending", limit=1)] == [ids[3]]
    assert room.sessions(status="failed") == []


def test_unknown_sessions_are_not_found(store: Store) -> None:
    room = store.transcoding
    for id in ("nowhere", "", None, 7, "a\0"):
        for verb in (
            room.session,
            room.cancel,
            lambda id: room.report_progress(id, 0.5),
            lambda id: room.fail(id, "x"),
            lambda id: room.complete(id, output_path="/out", file_size=1),
        ):
            with pytest.raises(NotFoundError):
                verb(id)


def test_what_a_worker_cannot_mean_is_refused(store: Store, files: list[str]) -> None:
    room, id = store.transcoding, claimed(store, files[0]).id
    wrong: list[Any] = [
        *(
            lambda value=value: room.report_progress(id, value)
            for value in (-0.01, 1.01, float("nan"), float("inf"), "0.5", None, True)
        ),
        *(
            lambda value=value: room.report_progress(id, 0.5, lease=value)
            for value in (0, -1, float("nan"), float("inf"), "60", None, True, 1e9)
        ),
        *(
            lambda value=value: room.report_progress(id, 0.5, attempt=value)
            for value in ("1", 1.0, True)
        ),
        *(lambda value=value: room.claim_next("w", lease=value) for value in (0, "60", 1e9)),
        *(lambda value=value: room.claim_next(value) for value in ("", None, 7)),
        *(
            lambda value=value: room.complete(id, output_path="/out", file_size=value)
            for value in (-1, 1.5, None, "1", True, 2**63)
        ),
        *(
            lambda value=value: room.complete(id, output_path=value, file_size=1)
            for value in ("", None, 7, b"/out", "/a\0b")
        ),
        *(lambda value=value: room.fail(id, value) for value in (None, 7, "a\0")),
        *(lambda value=value: room.sessions(status=value) for value in ("done", "", 7)),
        *(lambda value=value: room.sessions(limit=value) for value in (0, 1001, None)),
    ]
    before = room.session(id).__data__
    for verb in wrong:
        with pytest.raises(InvalidValueError):
            verb()
    assert room.session(id).__data__ == before
