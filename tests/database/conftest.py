"""Fixtures of the plumbing's tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable

import pytest


@pytest.fixture
def open_files() -> Callable[[], int]:
    """A function that counts this process's open files and sockets."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc here")

    def count() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    return count
