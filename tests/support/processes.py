"""Other processes: Python code run in one, and raw connections that disturb a store."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return an environment in which the package and the tests can be imported."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def run_python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python; fail with its output if it fails."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        cwd=ROOT,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@contextmanager
def running_program(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a program that writes where it is on stderr; it is killed at the end."""
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment()
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@contextmanager
def running_python(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start Python with pipes to it; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-u", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def eventually(condition: Callable[[], bool], within_s: float = 60) -> None:
    """Wait for what another process causes, such as a server that notices a killed client."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it has not come about"
        time.sleep(0.01)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def write_lock_held_elsewhere(path: Path) -> Iterator[None]:
    """Hold SQLite's write lock in another process."""
    with running_python("-c", HOLD, str(path)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
