"""Progress of a scan: bars on a terminal with rich, a bounded number of lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .output import console, has_rich, is_terminal, note, printable

Progress = Callable[[str, int, int], None]

PHASES = {"walk": "looking for files", "probe": "reading files", "finish": "finishing"}
_SHARES = 10  # lines for a phase with a known total
_FIRST_COUNT = 1000  # files; without a known total, a line here and whenever the count doubled


@contextmanager
def scan_progress(library: str) -> Iterator[Progress]:
    """Yield the progress callback of a scan: called with (phase, done, total), total 0 unknown."""
    if is_terminal(sys.stderr) and has_rich():
        with _bars() as bars:
            yield Bars(bars, library)
    else:
        yield Lines(library)


def is_shown(count: int) -> bool:
    """Whether a count without a known end is shown: 1, 2, 5, 10, 20, 50 and so on."""
    return str(count).rstrip("0") in ("1", "2", "5")


class Lines:
    """Prints a line for each tenth of a phase."""

    def __init__(self, library: str) -> None:
        self._library = library
        self._phase = ""
        self._next = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            self._phase, self._next = phase, 1.0 if total else _FIRST_COUNT
        is_last = done == total
        if phase == "finish" or not done or not (is_last or done >= self._next):
            return
        self._next = done + max(1.0, total / _SHARES) if total else done * 2.0
        end = f" of {total}" if total else ""
        note(f"{self._library}: {PHASES.get(phase, phase)}: {done}{end}")


class Bars:
    """Draws a bar for the current phase."""

    def __init__(self, bars: Any, library: str) -> None:
        self._bars = bars
        self._library = printable(library)
        self._phase = ""
        self._task: Any = None

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase != self._phase:
            self._begin(phase)
        self._bars.update(self._task, completed=done, total=total or None)

    def _begin(self, phase: str) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._phase = phase
        text = f"{self._library}: {PHASES.get(phase, phase)}"
        self._task = self._bars.add_task(text, total=None)


def _bars() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
    )
