"""The processes in which the contenders run, seen from the one that compares them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from . import template

ROOT = Path(__file__).parents[2]


class MeasurementFailed(Exception):
    """A contender did something else than it was asked for."""


class Worker:
    """A contender in a process of its own, on a copy of a filled database; a context manager."""

    def __init__(self, name: str, filled: Path, size: str) -> None:
        self._name = name
        self._database = filled.with_name(f"{name}.db")
        template.remove(self._database)
        template.copy(filled, self._database)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.worker", name, str(self._database), size],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )

    def ask(self, *operations: str) -> Any:
        """Run operations one after the other; return the sample of the last one."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        print(json.dumps(operations), file=stdin, flush=True)
        line = stdout.readline()
        if not line:
            raise MeasurementFailed(f"{self._name} ended during {', '.join(operations)}")
        answer = json.loads(line)
        if answer and "error" in answer:
            raise MeasurementFailed(
                f"{self._name}: {', '.join(operations)} failed\n{answer['error']}"
            )
        return answer

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()
        template.remove(self._database)


def environment() -> dict[str, str]:
    """Return the environment of a measured process: the package and the tests of this tree."""
    # Without its bytecode kept, a fresh process would be measured compiling the package.
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
