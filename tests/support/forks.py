"""Processes for a moment: forked from one that has imported everything, so that hundreds are cheap.

The server runs one thread and has no store open, so a child may open one.
"""

from __future__ import annotations

import importlib
import json
import os
import selectors
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.support.processes import running_python


class Ended(NamedTuple):
    """A process that ended: its exit code, negative for a signal, and what it printed."""

    code: int
    out: str


class Forks:
    """Calls functions of a module, each in a process of its own."""

    def __init__(self, process: Any, module: str) -> None:
        self._process = process
        self._module = module

    def call(self, function: str, *arguments: Any, kill_after: int | None = None) -> Ended:
        """Call a function; kill its process once it has printed so many lines."""
        return self.together([(function, *arguments)], kill_after=kill_after)[0]

    def together(self, calls: list[Any], *, kill_after: int | None = None) -> list[Ended]:
        """Call functions in as many processes, which begin at the same moment."""
        request = {"module": self._module, "calls": calls, "kill_after": kill_after}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the server of forks has ended"
        return [Ended(*one) for one in json.loads(answer)]


@contextmanager
def forks_of(module: str) -> Iterator[Forks]:
    """Start a process that forks for functions of a module."""
    code = f"from tests.support.forks import serve; serve({module!r})"
    with running_python("-c", code) as process:
        yield Forks(process, module)


def serve(module: str) -> None:
    """Answer requests until the input ends."""
    importlib.import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_answer(request)), flush=True)


def _answer(request: dict[str, Any]) -> list[Ended]:
    begin, go = os.pipe()
    children = [_forked(request["module"], call, begin, go) for call in request["calls"]]
    os.close(begin)
    os.close(go)  # all begin
    outputs = _read(children, request["kill_after"])
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, _ in children]
    return [Ended(code, out) for code, out in zip(codes, outputs)]


def _forked(module: str, call: list[Any], begin: int, go: int) -> tuple[int, int]:
    reads, writes = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writes)
        return pid, reads
    try:
        os.close(go)
        os.read(begin, 1)
        os.dup2(writes, 1)
        os.dup2(writes, 2)
        sys.stdin = open(os.devnull)
        getattr(sys.modules[module], call[0])(*call[1:])
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)


def _read(children: list[tuple[int, int]], kill_after: int | None) -> list[str]:
    found = {reads: bytearray() for _, reads in children}
    with selectors.DefaultSelector() as selector:
        for pid, reads in children:
            selector.register(reads, selectors.EVENT_READ, pid)
        while selector.get_map():
            for key, _ in selector.select():
                block = os.read(key.fd, 1 << 16)
                found[key.fd] += block
                if not block:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                elif kill_after is not None and found[key.fd].count(b"\n") >= kill_after:
                    os.kill(key.data, signal.SIGKILL)
    return [out.decode() for out in found.values()]
