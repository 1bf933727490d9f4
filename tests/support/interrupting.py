"""Something that another process does, at each moment between two calls of the system in turn."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

_CALLS = ("access", "chmod", "listdir", "lstat", "open", "scandir", "stat", "statvfs", "unlink")


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
    calls = count(1)

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **options: Any) -> Any:
            if next(calls) == number:
                act()
            return call(*arguments, **options)

        return called

    with pytest.MonkeyPatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, counted(getattr(os, name)))
        run()
    return next(calls) > number
