"""The pages of a store, served by the command line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.processes import running_program


@contextmanager
def serving(url: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Run viewra-lite web; yield its port and process id."""
    command = [sys.executable, "-m", "viewra_lite", "--config", url]
    with running_program([*command, "web", "--port", "0", *arguments]) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        threading.Thread(target=process.stderr.read, daemon=True).start()
        assert line.startswith("http://localhost:"), line
        yield int(line.split(":")[2].split()[0]), process.pid
