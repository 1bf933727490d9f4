"""What the tests of the command line share."""

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
from pathlib import Path
from typing import Any

import pytest

from viewra_lite.cli import main

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, empty, in UTC, with nothing of VIEWRA_DATABASE_* in the environment."""
    for name in [name for name in os.environ if name.startswith("VIEWRA_")]:
        monkeypatch.delenv(name)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with in_zone("UTC", monkeypatch):
        yield here


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


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call main() in the empty folder."""

    def run(*arguments: str | os.PathLike[str]) -> Outcome:
        capsys.readouterr()
        code = main([os.fspath(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture(params=["sqlite", "cysqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a store that is not there yet, on each engine."""
    if request.param == "sqlite":
        return "sqlite:///store.db"
    if request.param == "cysqlite":
        pytest.importorskip("cysqlite")
        return "sqlite:///store.db?driver=cysqlite"
    found: str = request.getfixturevalue("postgres_url")
    return found


def process(
    *arguments: str | os.PathLike[str], prelude: str = "", **options: Any
) -> subprocess.Popen[str]:
    """Start the command line as a process of its own; a prelude is Python that runs before it."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
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
    out, err = child.communicate(timeout=60)
    return Outcome(child.returncode, out, err)
