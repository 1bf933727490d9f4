"""transcodes, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Run
from tests.support.transcodes import add_files, made
from viewra_lite import Store
from viewra_lite.cli.commands.transcodes import STATUSES
from viewra_lite.transcoding.models import TRANSCODE_STATUSES


@pytest.fixture
def busy(url: str, clock: Any, tmp_path: Path) -> str:
    """The URL of a store in which one file was made, one fails, one runs and one waits."""
    with Store.open(url, clock=clock) as store:
        files = add_files(store, tmp_path / "films", 4)
        profile = {"container": "mp4", "video_codec": "h264", "audio_codec": "aac", "height": 720}
        made(store, files[0], tmp_path / "made.mp4", {**profile, "quality": 23}, size=5 * 2**20)
        for number, work in enumerate((failed, half_done, None), start=1):
            clock.advance(1)
            asked = store.transcoding.request(files[number], {"container": "webm"})
            if work is not None:
                work(store, asked.id)
    return url


def failed(store: Store, id: str) -> None:
    store.transcoding.claim_next("worker\x1b[31m")
    store.transcoding.fail(id, "the encoder said:\nno such codec " + "x" * 200)


def half_done(store: Store, id: str) -> None:
    store.transcoding.claim_next("worker 1", lease=1e6)
    store.transcoding.report_progress(id, 0.456)


def test_an_empty_store_says_so(cli: Run, url: str) -> None:
    cli("init", "--config", url)
    done = cli("transcodes", "--config", url)
    assert (done.code, done.out) == (0, "cache: 0 entries, 0 bytes\n")
    assert done.err == "Nothing was transcoded yet\n"
    none = cli("transcodes", "--status", "failed", "--config", url)
    assert (none.code, none.err) == (0, "No session is failed\n")
    assert cli("transcodes", "--json", "--config", url).json == {
        "transcodes": [],
        "cache": {"entries": 0, "bytes": 0, "pinned_bytes": 0},
    }


def test_what_was_asked_for_is_listed_the_latest_first(cli: Run, busy: str) -> None:
    done = cli("transcodes", "--config", busy)
    assert (done.code, done.err) == (0, "")
    heading, *rows, cache = done.out.splitlines()
    assert heading.split() == ["file", "status", "profile", "%", "provider", "attempts", "error"]
    assert [row.split()[:2] for row in rows] == [
        ["file-3.mkv", "pending"],
        ["file-2.mkv", "running"],
        ["file-1.mkv", "failed"],
        ["file-0.mkv", "completed"],
    ]
    assert " 46  worker 1 " in rows[1]
    assert "worker\\x1b[31m" in rows[2] and "the encoder said: no such codec xx" in rows[2]
    assert rows[2].endswith("x...") and len(rows[2]) < 220
    assert "mp4 h264+aac 720p q23" in rows[3]
    assert cache == "cache: 1 entry, 5.0 MiB"


def test_json_tells_everything(cli: Run, busy: str) -> None:
    document = cli("transcodes", "--json", "--config", busy).json
    assert document["cache"] == {"entries": 1, "bytes": 5 * 2**20, "pinned_bytes": 0}
    waiting, running, broken, done = document["transcodes"]
    assert (running["progress"], running["attempts"], running["provider"]) == (0.456, 1, "worker 1")
    assert broken["error_message"].endswith("x" * 200)
    assert done["profile"] == {
        "audio_codec": "aac",
        "container": "mp4",
        "height": 720,
        "quality": 23,
        "video_codec": "h264",
    }
    assert done["created_at"] == "2024-05-01T12:00:00+00:00"
    assert waiting["created_at"] == "2024-05-01T12:00:03+00:00"
    assert waiting["started_at"] is None


def test_status_and_limit_choose(cli: Run, busy: str) -> None:
    def statuses(*options: str) -> list[str]:
        done = cli("transcodes", *options, "--json", "--config", busy)
        return [session["status"] for session in done.json["transcodes"]]

    assert statuses("--status", "running") == ["running"]
    assert statuses("--limit", "2") == ["pending", "running"]
    assert statuses("--status", "cancelled") == []


def test_pinned_entries_are_told(cli: Run, busy: str, clock: Any) -> None:
    with Store.open(busy, clock=clock) as store:
        [done] = store.transcoding.sessions(status="completed")
        store.transcoding.pin(done.content_hash)
    assert cli("transcodes", "--config", busy).out.endswith(
        "cache: 1 entry, 5.0 MiB, 5.0 MiB of it pinned\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [["--status", "done"], ["--limit", "0"], ["--limit", "1001"], ["--limit", "x"], ["more"]],
)
def test_wrong_usage_is_exit_2(cli: Run, arguments: list[str]) -> None:
    done = cli("transcodes", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)


def test_the_statuses_are_those_of_the_room() -> None:
    assert STATUSES == TRANSCODE_STATUSES
