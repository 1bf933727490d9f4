"""The worker process that probes files, and that no file can make outlive or outgrow its server.

An alarm ends it when a file hangs it, a limit when a file needs too much memory, and a thread when
the process that started it has ended.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from ..probe import probe

READY = b"ready"
NICENESS = 10  # a scan yields to playback
ALARM_GRACE_S = 5.0  # so that the server notices a slow file first, and reports it
MEMORY_BYTES = 640 * 2**20  # of addresses, beyond the interpreter's; the libraries take 150 MiB
WATCH_S = 1.0  # between checks of the parent process
_GONE = 1  # exit code


def serve(argument: str) -> None:
    """Answer requests, one JSON line each, until stdin ends; what a worker process runs.

    The argument is the time for one file, in seconds.
    """
    timeout_s = float(argument)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _give_way()
    limit_memory()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    # A C library that prints would garble the answers, and one that reads would eat requests.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    with suppress(BrokenPipeError):  # the server is gone
        _answer(answers, READY)
        for line in requests:
            _alarm(timeout_s + ALARM_GRACE_S)
            found = probe(*json.loads(line))
            _alarm(0)
            _answer(answers, json.dumps(found.to_json()).encode("ascii"))


def _answer(answers: Any, line: bytes) -> None:
    answers.write(line + b"\n")
    answers.flush()


def _alarm(seconds: float) -> None:
    """Let the system end this process then: a parser in C never comes back to Python."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _give_way() -> None:
    if hasattr(os, "nice"):
        with suppress(OSError):  # not allowed here: it only was to be polite
            os.nice(NICENESS)


def limit_memory() -> None:
    """Bound the memory of this process, which a hostile file could fill."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _addresses() + MEMORY_BYTES
    with suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(
            resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
        )


def _addresses() -> int:
    """Return the size of this process's address space in bytes; 0 if the system hides it."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _end_with(parent: int) -> None:
    """End this process with the one that started it, even while a file keeps it busy."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(_GONE)
