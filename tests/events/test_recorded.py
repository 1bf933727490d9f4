"""Each event is recorded by what causes it, with the facts of the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from tests.support.playing import add_files
from viewra_lite import Store


@pytest.fixture
def film(store: Store, tmp_path: Path) -> str:
    """A film of an hour."""
    return add_files(store, tmp_path / "films", "Alien (1979).mkv")[0]


def since(store: Store, cursor: str | None) -> list[tuple[str, dict[str, Any]]]:
    return [(one.event, dict(one.facts)) for one in store.changes(cursor, limit=1000).items]


def names(store: Store, cursor: str | None) -> list[str]:
    return [event for event, _ in since(store, cursor)]


def test_a_session_is_started_and_stopped_and_its_end_completes_the_progress(
    store: Store, film: str, clock: Any
) -> None:
    now = store.changes("now").next
    session = store.playback.start_session(film, user_id="ann")
    common = {"session_id": session.id, "user_id": "ann", "media_file_id": film}
    clock.advance(3600)
    store.playback.heartbeat(session.id, 3550)
    store.playback.stop_session(session.id)
    assert since(store, now) == [
        ("session.started", common),
        ("progress.completed", {"user_id": "ann", "media_file_id": film}),
        ("session.stopped", {**common, "state": "completed", "position": 3550, "completed": True}),
    ]
    again = store.changes("now").next
    session = store.playback.start_session(film, user_id="ann")
    clock.advance(3600)
    store.playback.stop_session(session.id, position=3590)
    assert names(store, again) == ["session.started", "progress.completed", "session.stopped"]


def test_a_silent_session_is_expired(store: Store, film: str, clock: Any) -> None:
    session = store.playback.start_session(film, user_id="ann")
    store.playback.heartbeat(session.id, 10)
    now = store.changes("now").next
    store.playback.tidy(clock.advance(3600))
    [(event, facts)] = since(store, now)
    assert (event, facts["session_id"], facts["position"]) == ("session.expired", session.id, 10)


def test_progress_is_completed_once_by_a_report_and_by_a_mark(store: Store, film: str) -> None:
    for user, complete in (
        ("ann", lambda: store.playback.set_progress("ann", film, 3590)),
        ("bob", lambda: store.playback.mark_watched("bob", film)),
    ):
        now = store.changes("now").next
        complete()
        assert since(store, now) == [
            ("progress.completed", {"user_id": user, "media_file_id": film})
        ]
        complete()
        assert len(since(store, now)) == 1
    now = store.changes("now").next
    store.playback.mark_unwatched("ann", film)
    assert since(store, now) == []


def test_a_transcode_is_completed_or_failed(
    store: Store, film: str, clock: Any, tmp_path: Any
) -> None:
    (tmp_path / "out.mp4").touch()
    now = store.changes("now").next
    ids = []
    for height in (720, 480, 360):
        ids.append(store.transcoding.request(film, {"container": "mp4", "height": height}).id)
    for end in (
        lambda id: store.transcoding.complete(id, output_path=tmp_path / "out.mp4", file_size=1),
        lambda id: store.transcoding.fail(id, "broken"),
    ):
        claimed = store.transcoding.claim_next("worker")
        assert claimed is not None
        end(claimed.id)
    for _ in range(3):
        store.transcoding.claim_next("worker", lease=60)
        store.transcoding.tidy(clock.advance(61))
    assert since(store, now) == [
        (event, {"transcode_session_id": id, "media_file_id": film})
        for event, id in zip(
            ("transcode.completed", "transcode.failed", "transcode.failed"), ids, strict=True
        )
    ]


def test_a_scan_is_started_and_finished(store: Store, tmp_path: Any) -> None:
    clip(tmp_path / "m/Film (2001).mkv")
    library = store.media.add_library("m", tmp_path / "m", "movie")
    now = store.changes("now").next
    store.media.scan(library.id)
    events = since(store, now)
    assert events[0] == ("scan.started", {"library_id": library.id, "folder": None})
    assert events[-1] == (
        "scan.finished",
        {"library_id": library.id, "folder": None, "phase": "done"},
    )
