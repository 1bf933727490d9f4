"""A second server, in a process of its own: it opens a store, then calls the verbs it is sent.

other_server() starts it and sends them; run as a program, this file is that process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tests.support.clock import Clock
from tests.support.processes import running_python
from viewra_lite import Store

OTHER_SERVER = ("-m", "tests.support.other_server")


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


def answer(store: Store, clock: Clock, verb: str, arguments: Any, options: Any) -> Any:
    if verb == "advance":
        clock.advance(*arguments)
    elif verb == "tidy":
        store.playback.tidy(clock())
    elif verb == "close":
        store.close()
    elif verb == "heartbeat_for_ever":
        heartbeat_for_ever(store, clock, *arguments)
    else:
        result = getattr(store.playback, verb)(*arguments, **options)
        return {name: str(value) for name, value in result.__data__.items()}
    return None


def heartbeat_for_ever(store: Store, clock: Clock, session_id: str) -> None:
    """Report as fast as can be, telling each position that was acknowledged, until killed."""
    for position in range(1, 1_000_000):
        clock.advance(1)
        store.playback.heartbeat(session_id, position)
        os.write(1, f"{position}\n".encode())


def main(config: str, now: str) -> None:
    clock = Clock(datetime.fromisoformat(now)) if now else Clock()
    with Store.open(json.loads(config), clock=clock) as store:
        print("open", flush=True)
        for line in sys.stdin:
            verb, arguments, options = json.loads(line)
            try:
                value = answer(store, clock, verb, arguments, options)
                print(json.dumps({"value": value}), flush=True)
            except Exception as exc:
                print(json.dumps({"error": f"{type(exc).__name__}: {exc}"}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
