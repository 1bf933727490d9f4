"""A thousand sessions, eight workers in two processes, kills in between: each ends exactly once.

`VIEWRA_TORTURE_SESSIONS=10000 pytest tests/transcoding/test_torture.py` tortures longer.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import transcoder
from tests.support.processes import running_python
from tests.support.torture import tries
from tests.support.transcodes import add_files, entries
from viewra_lite import Store
from viewra_lite.transcoding.models import TranscodeSession

SESSIONS = int(os.environ.get("VIEWRA_TORTURE_SESSIONS", tries(300, 1000)))
KILLS = tries(3, 5)
CLAIMS = SESSIONS // 100  # of each worker that gets stuck: so few that every process gets there
LEASE_S = 60


class Workplace:
    """The processes, their log and their clock."""

    def __init__(self, stack: ExitStack, source: Any, folder: Path) -> None:
        self.stack, self.source = stack, json.dumps(source)
        self.log, self.clock = folder / "log", folder / "clock"
        self.log.touch()
        self.seconds = 0
        self.advance(0)

    def advance(self, seconds: int) -> None:
        """Move the time of all processes on."""
        self.seconds += seconds
        with open(self.clock, "r+" if self.clock.exists() else "w") as file:
            file.write(f"{self.seconds:010}")

    def start(self) -> Any:
        """Start a process of workers, which waits to be told."""
        process: Any = self.stack.enter_context(
            running_python("-m", transcoder.__name__, self.source, str(self.log), str(self.clock))
        )
        assert process.stdout.readline() == "ready\n"
        return process

    def tell(self, process: Any, claims: int) -> None:
        """Let a process begin, and stop in the middle of so many claims, or never."""
        process.stdin.write(f"{claims}\n")
        process.stdin.flush()

    def lines(self, *words: str) -> Iterator[tuple[str, int]]:
        """Yield the sessions and attempts that the log says this of."""
        for line in self.log.read_text().splitlines():
            word, id, attempt = line.split()
            if word in words:
                yield id, int(attempt)


@pytest.mark.timeout(300)
def test_every_session_ends_exactly_once(store: Store, store_config: Any, tmp_path: Path) -> None:
    room = store.transcoding
    ids = add_files(store, tmp_path / "movies", SESSIONS)
    with store.writer():
        queued = {room.request(id, {}).id for id in ids}
    assert len(queued) == SESSIONS
    with ExitStack() as stack:
        place = Workplace(stack, store_config, tmp_path)
        # All are started beforehand: else the work is done before the next one is there.
        crews = [place.start() for _ in range(KILLS + 3)]
        last = crews.pop()
        for crew in crews[:2]:
            place.tell(crew, CLAIMS)
        for number, crew in enumerate(crews[:KILLS]):
            assert crew.stdout.readline() == "stuck\n"
            crew.kill()
            place.advance(LEASE_S + 1)
            following = number + 2
            place.tell(crews[following], CLAIMS if following < KILLS else 0)
        for crew in crews[KILLS:]:
            assert crew.stdout.readline() == "done\n"
        place.advance(LEASE_S + 1)  # what was claimed since the last kill is still leased
        place.tell(last, 0)
        assert last.stdout.readline() == "done\n"
        verify(store, place)


def verify(store: Store, place: Workplace) -> None:
    """Compare what the workers were told with what the store holds."""
    with store.reader():
        sessions = {session.id: session for session in TranscodeSession.select()}
    claims = Counter(place.lines("claimed"))
    assert set(claims.values()) == {1}, "two workers had the same attempt"
    acknowledged = dict(place.lines("completed", "failed"))
    assert len(acknowledged) == len(list(place.lines("completed", "failed"))), "two ends"
    for name in ("completed", "failed"):
        for id, attempt in place.lines(name):
            assert (sessions[id].status, sessions[id].attempts) == (name, attempt)
    cache = entries(store)
    for session in sessions.values():
        assert session.status in ("completed", "failed"), "it never ended"
        assert 1 <= session.attempts <= 3
        if session.status == "completed":
            path = f"/made/{session.id}/{session.attempts}"
            assert session.output_path == cache[session.content_hash].output_path == path
        elif session.error_message != "it broke":
            assert session.error_message.startswith("the lease expired 3 times")
            assert session.id not in acknowledged
    assert len(cache) == sum(session.status == "completed" for session in sessions.values())
    # A worker that was killed was in the middle of at most one.
    assert len(sessions) - len(acknowledged) <= KILLS * transcoder.WORKERS
