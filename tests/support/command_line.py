"""The command line as the tests call it: in a process of its own, in a time zone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.support.processes import environment


@dataclass(frozen=True)
class Outcome:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@contextmanager
def in_zone(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process and those that it starts be in a time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", name)
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()


def process(
    *arguments: str | os.PathLike[str], prelude: str = "", **options: Any
) -> subprocess.Popen[str]:
    """Start the command line as a process of its own; a prelude is Python that runs before it."""
    environ = {**environment(), **options.pop("env", {})}
    start = ["-m", "viewra_lite"]
    if prelude:
        code = f"{prelude}\nfrom viewra_lite.cli import main\nsys.exit(main())"
        start = ["-c", f"import sys\n{code}"]
    pipe = subprocess.PIPE
    options = {"stdout": pipe, "stderr": pipe, "text": True, "errors": "surrogateescape", **options}
    # A suite that runs in the background has inherited that Ctrl-C is ignored.
    options["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen([sys.executable, *start, *arguments], env=environ, **options)


def in_process(*arguments: str | os.PathLike[str], **options: Any) -> Outcome:
    """Run the command line as a process of its own to its end."""
    child = process(*arguments, **options)
    out, err = child.communicate(timeout=120)
    return Outcome(child.returncode, out, err)
