"""What the tests of sessions and progress share: files to watch, rows to look at, other servers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.database.processes import running_python
from viewra_lite import FileFacts, Store
from viewra_lite.playback.models import PlaybackHistory, PlaybackSession, UserMediaProgress

HOUR_S = 3600.0
OTHER_SERVER = ("-m", "tests.playback.other_server")


def add_files(
    store: Store,
    folder: Path,
    *names: str,
    kind: str = "movie",
    duration: float | None = HOUR_S,
    identity: str | None = None,
    **facts: Any,
) -> list[str]:
    """Make a library of files that need not be there; return their ids in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    library = store.media.add_library(folder.name, folder, kind)
    with store.media.reconcile(library.id) as files:
        for name in names:
            files.add(
                FileFacts(
                    str(folder / name), 1000, 1, duration=duration, identity=identity, **facts
                )
            )
    found = {file.filename: file.id for file in store.media.files(library.id).items}
    return [found[name] for name in names]


def sessions(store: Store) -> dict[str, PlaybackSession]:
    """Return every session, ended ones too, by id."""
    with store.reader():
        return {row.id: row for row in PlaybackSession.select()}


def progress_rows(store: Store, **where: Any) -> list[UserMediaProgress]:
    """Return the rows of progress as they are stored."""
    with store.reader():
        return list(UserMediaProgress.select().filter(**where))


def plays(store: Store) -> dict[str, PlaybackHistory]:
    """Return the history as it is stored, by id."""
    with store.reader():
        return {row.id: row for row in PlaybackHistory.select()}


def told(store: Store) -> list[str]:
    """Return everything that this room stores: two may be compared."""
    rows = [*sessions(store).values(), *progress_rows(store), *plays(store).values()]
    return sorted(f"{type(row).__name__} {sorted(row.__data__.items())}" for row in rows)


def resume(store: Store, user_id: str, file_id: str) -> tuple[float, bool, int]:
    """Return position, completed and play_count as progress() tells them."""
    found = store.playback.progress(user_id, file_id)
    return found.position, found.completed, found.play_count


def watch(
    store: Store, clock: Any, session_id: str, start: float, stop: float, step: float = 10.0
) -> None:
    """Play on from start to stop in heartbeats, the clock going along."""
    position = start
    while position < stop:
        passed = min(step, stop - position)
        clock.advance(passed)
        position += passed
        store.playback.heartbeat(session_id, position)


class OtherServer:
    """Another process with the same store open; its clock begins where a test's does."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, verb: str, *arguments: Any, **options: Any) -> Any:
        """Call a verb of its store.playback (or advance, tidy, close) and return what it says."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps([verb, arguments, options]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def kill(self) -> None:
        """End it as the kernel does when memory runs out, and wait for its end."""
        self.process.kill()
        self.process.wait()


@contextmanager
def other_server(config: Any, now: datetime | None = None) -> Iterator[OtherServer]:
    """Open the store in another process; it is killed at the end, if not before."""
    moment = "" if now is None else now.isoformat()
    with running_python(*OTHER_SERVER, json.dumps(config), moment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield OtherServer(process)


def minutes(count: float) -> timedelta:
    """Return a time span."""
    return timedelta(minutes=count)
