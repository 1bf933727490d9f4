"""A module of others with a chore."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from viewra_lite import Module


class Reviews(Module):
    """A module of others: its chore does what a test says."""

    name = "reviews"
    tidy_every_s = 3600

    def __init__(self, does: Callable[[datetime], Any] = lambda now: None) -> None:
        self.runs: list[datetime] = []
        self.does = does

    def tidy(self, now: datetime) -> None:
        self.runs.append(now)
        self.does(now)
