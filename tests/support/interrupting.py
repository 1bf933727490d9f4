"""Something that another process does, at each moment between two calls of the system in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import Any


def at_each_call(prepare: Callable[[], Any], act: Callable[[], Any], run: Callable[[], Any]) -> int:
    """Run something again and again, each time with act() before another call about files.

    prepare() comes before each run. Returns the number of moments that were tried.
    """
    for number in count(1):
        prepare()
        if not _acted(number, act, run):
            return number - 1
    raise AssertionError


def _acted(number: int, act: Callable[[], Any], run: Callable[[], Any]) -> bool:
    calls = 0

    def look(_: Any, event: str, called: Any) -> None:
        nonlocal calls
        if event == "c_call" and called.__module__ in ("posix", "nt"):
            calls += 1
            if calls == number:
                sys.setprofile(None)
                act()

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(before)
    return calls >= number
