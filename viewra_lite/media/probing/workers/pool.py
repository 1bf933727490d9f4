"""Worker processes that probe files: a crash of a C library costs one file, not the server."""

from __future__ import annotations

import itertools
import json
import logging
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from ..probe import Probe, late, probe, unread
from . import starting
from .worker import READY

_log = logging.getLogger("viewra_lite.media")

Key = TypeVar("Key")
Request = tuple[Key, str, str, str]  # key, path, library_type, root
Answer = tuple[Key, Probe]

START_TIMEOUT_S = 30.0
REAP_TIMEOUT_S = 5.0
READ_BYTES = 64 * 1024
AHEAD = 1000  # probes that wait for an earlier one: about 2 MB
_MODULE = f"{__package__}.worker"


class ProbePool:
    """A few worker processes that probe files side by side; to be used from one thread.

    They start when a request needs them, and end with close(), with the `with` block, or with
    this process. With 0 workers, or where they cannot start, the pool probes in-process: there a
    file that hangs is waited for, and one that crashes the parser ends this process.
    """

    def __init__(self, workers: int, timeout_s: float) -> None:
        self.why_in_process = starting.why_in_process()
        """Why files are probed in this process, or None."""
        self._most = 0 if self.why_in_process else workers
        self._timeout_s = timeout_s
        self._workers: list[_Worker] = []
        self._stranded: list[Request[Any]] = []  # their worker could not start
        self._turns: deque[Any] = deque()  # keys of the requests not yielded yet, in order
        self._held: dict[Any, Probe] = {}  # results that wait for their turn

    def __enter__(self) -> ProbePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the running workers."""
        return [worker.pid for worker in self._workers]

    def close(self) -> None:
        """Kill the workers and wait for their end; another map() starts new ones."""
        for waiting in (self._stranded, self._turns, self._held):
            waiting.clear()
        while self._workers:
            self._discard(self._workers[-1])

    def map(self, requests: Iterable[Request[Key]]) -> Iterator[Answer[Key]]:
        """Probe (key, path, library_type, root) each; yields (key, Probe) in the order of requests.

        Takes from `requests`, in the caller's thread, only what a worker is free for, and AHEAD
        at most before the first of them is done. No two keys may be equal. A file on which a
        worker crashes, or takes longer than timeout_s, gets a Probe with that error. Leaving the
        iteration early kills the workers. One map at a time.
        """
        source, more = self._in_turn(requests), True
        try:
            while more or self._turns:
                more = more and self._fill(source)
                self._held.update(self._finished())
                self._held.update(self._probed_here())
                if self._is_next_done():
                    key = self._turns.popleft()
                    yield key, self._held.pop(key)
                if more and not self._most:
                    self._stranded.extend(itertools.islice(source, 1))
                    more = bool(self._stranded)
        finally:
            if self._turns:
                self.close()

    def _in_turn(self, requests: Iterable[Request[Key]]) -> Iterator[Request[Key]]:
        for request in requests:
            self._turns.append(request[0])
            yield request

    def _is_next_done(self) -> bool:
        return bool(self._turns) and self._turns[0] in self._held

    # Requests

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.request]

    def _fill(self, source: Iterator[Request[Any]]) -> bool:
        """Give every free worker a request; False once the source has no more."""
        while len(self._busy()) < self._most and len(self._turns) < AHEAD:
            request = next(source, None)
            if request is None:
                return False
            self._give(request)
        return True

    def _give(self, request: Request[Any]) -> None:
        for worker in [worker for worker in self._workers if not worker.request]:
            if worker.give(request, self._timeout_s):
                return
            self._discard(worker)  # it died while it was idle
        try:
            worker = _Worker(self._timeout_s)
        except OSError:
            return self._strand(request)
        self._workers.append(worker)
        if not worker.give(request, START_TIMEOUT_S):
            self._discard(worker)
            self._strand(request)

    def _strand(self, request: Request[Any]) -> None:
        """Stop starting workers; the running ones continue."""
        self.why_in_process = "no worker process could be started"
        _log.warning("%s: files are probed in this process", self.why_in_process)
        self._most = len(self._busy())
        self._stranded.append(request)

    def _probed_here(self) -> Iterator[Answer[Any]]:
        while self._stranded:
            yield _in_process(self._stranded.pop())

    # Answers

    def _finished(self) -> list[Answer[Any]]:
        """Wait until a busy worker has answered, died or run out of time; [] if none is busy.

        Does not wait while there is something to yield.
        """
        busy = self._busy()
        if not busy:
            return []
        until = 0.0 if self._is_next_done() else min(worker.deadline for worker in busy)
        heard = _readable(self._workers, until)
        answers = [answer for worker in heard for answer in self._hear(worker)]
        now = time.monotonic()  # after reading all answers: a slow consumer costs no file
        late = [
            worker
            for worker in busy
            if worker not in heard and worker.request and worker.deadline <= now
        ]
        return answers + [answer for worker in late for answer in self._too_late(worker)]

    def _hear(self, worker: _Worker) -> list[Answer[Any]]:
        try:
            return [answer for line in worker.lines() for answer in self._heard(worker, line)]
        except (EOFError, OSError, ValueError, LookupError, TypeError):
            return self._crashed(worker)

    def _heard(self, worker: _Worker, line: bytes) -> list[Answer[Any]]:
        if line == READY:
            worker.is_ready = True
            worker.deadline = time.monotonic() + self._timeout_s
            return []
        found = Probe.from_json(json.loads(line))
        (key, *_), worker.request = worker.request or (None,), None
        return [(key, found)]

    def _crashed(self, worker: _Worker) -> list[Answer[Any]]:
        request, code = worker.request, self._discard(worker)
        if request is None:
            return []
        if not worker.is_ready:
            self._strand(request)
            return []
        key, path, kind, root = request
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        _log.debug("a probe crashed (%s)", how)
        return [(key, unread(path, kind, root, f"the probe crashed on this file ({how})"))]

    def _too_late(self, worker: _Worker) -> list[Answer[Any]]:
        if not worker.is_ready:
            return self._crashed(worker)
        request = worker.request
        self._discard(worker)
        _log.debug("a probe took longer than %g s", self._timeout_s)
        if request is None:
            return []
        key, path, kind, root = request
        # Not read in this process: a file that hung the worker would hang the server.
        return [(key, late(path, kind, root, f"the probe took longer than {self._timeout_s:g} s"))]

    def _discard(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        return worker.end()


class _Worker:
    """One process, and the request it has not answered yet."""

    def __init__(self, timeout_s: float) -> None:
        self._process = subprocess.Popen(
            starting.command(_MODULE, str(timeout_s)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._begun = b""
        self.is_ready = False
        self.request: Request[Any] | None = None
        self.deadline = 0.0

    @property
    def pid(self) -> int:
        return self._process.pid

    def fileno(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def give(self, request: Request[Any], timeout_s: float) -> bool:
        """Send a request; False if the process is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request[1:]).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except OSError:
            return False
        self.request, self.deadline = request, time.monotonic() + timeout_s
        return True

    def lines(self) -> list[bytes]:
        """Read the available whole lines; raises EOFError at the end."""
        chunk = os.read(self.fileno(), READ_BYTES)
        if not chunk:
            raise EOFError
        *whole, self._begun = (self._begun + chunk).split(b"\n")
        return whole

    def end(self) -> int:
        """Kill the process, reap it, close its pipes; returns its exit code."""
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # a process in a dead disk's call cannot die yet
            self._process.wait(REAP_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # it is closed all the same
                assert pipe is not None
                pipe.close()
        return -signal.SIGTERM if self._process.returncode is None else self._process.returncode


def _readable(workers: list[_Worker], deadline: float) -> list[_Worker]:
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker, selectors.EVENT_READ, worker)
        ready = selector.select(max(0.0, deadline - time.monotonic()))
    return [key.data for key, _ in ready]


def _in_process(request: Request[Any]) -> Answer[Any]:
    key, *file = request
    return key, probe(*file)
