"""A process of four workers that transcode nothing: CONFIG LOG CLOCK are its arguments.

LOG gets a line for every claim and for every end that was acknowledged. CLOCK is a file that holds
the time, as seconds, for all processes. A process begins when a line on the standard input tells
it how many sessions two of its workers claim before they stop in the middle of their work; it then
says so and waits to be killed. With 0 it works to the end.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import datetime, timedelta, timezone

from viewra_lite import Store
from viewra_lite.errors import ConflictError

WORKERS = 4
STUCK = 2  # of the workers; the others are killed wherever they happen to be
EPOCH = datetime(2024, 5, 1, tzinfo=timezone.utc)


class SharedClock:
    """The time that a file tells."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDONLY)

    def __call__(self) -> datetime:
        return EPOCH + timedelta(seconds=int(os.pread(self._file, 10, 0)))


class Worker:
    """What one thread does."""

    def __init__(self, store: Store, name: str, log: int, claims: int, stuck: threading.Barrier):
        self.room, self.name, self.log = store.transcoding, name, log
        self.claims, self.stuck = claims, stuck

    def run(self) -> None:
        """Work until there is nothing left to claim."""
        while session := self.room.claim_next(self.name):
            self.write("claimed", session.id, session.attempts)
            self.claims -= 1
            if self.claims == 0:
                self.stuck.wait()
                threading.Event().wait()  # until it is killed
            self.work(session)
        if self.claims > 0:
            self.stuck.abort()  # too little was left: end, and fail the test, instead of waiting

    def work(self, session: object) -> None:
        """Report, then end the session, unless it was given to another."""
        id, attempt = session.id, session.attempts
        number = int(session.media_file_id.rpartition("-")[2])
        try:
            self.room.report_progress(id, 0.5, attempt=attempt)
            if number % 10 == 0:
                self.room.fail(id, "it broke", attempt=attempt)
                self.write("failed", id, attempt)
            else:
                path = f"/made/{id}/{attempt}"
                self.room.complete(id, output_path=path, file_size=1, attempt=attempt)
                self.write("completed", id, attempt)
        except ConflictError:
            self.write("lost", id, attempt)

    def write(self, *words: object) -> None:
        """Note what was acknowledged, in one piece."""
        os.write(self.log, " ".join(map(str, words)).encode() + b"\n")


def main(source: str, log: str, clock: str) -> None:
    """Run the workers of this process."""
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Store.open(json.loads(source), clock=SharedClock(clock)) as store:
        print("ready", flush=True)
        claims = int(sys.stdin.readline())
        stuck = threading.Barrier(STUCK, lambda: print("stuck", flush=True))
        workers = [
            Worker(store, f"{os.getpid()}/{number}", file, claims * (number < STUCK), stuck)
            for number in range(WORKERS)
        ]
        threads = [threading.Thread(target=worker.run) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
