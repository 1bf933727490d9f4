"""What one thread has open, and why it may be taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

_REMEDY = (
    "a session is its thread's, which the tasks of an event loop and suspended generators share: "
    "do not hold one over an await or a yield, and run store calls with asyncio.to_thread()"
)
OTHER_ORDER = f"reader() and writer() were left in another order than entered: {_REMEDY}"
OTHER_TASK = f"a reader() or writer() was opened by another asyncio task: {_REMEDY}"
INTERRUPTED = "an interruption ended the block before its end"
THREAD_ENDED = "its thread has ended"
CLOSED = "the store was closed"


def current_task() -> Any:
    """Return the asyncio task that runs in this thread; None where none does."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        loop = asyncio._get_running_loop()
    except AttributeError:  # not yet there, while it is imported
        return None
    return None if loop is None else asyncio.current_task(loop)


class Transaction:
    """What one thread has open."""

    __slots__ = (
        "connection",
        "turn",
        "writes",
        "untrusted",
        "read_depth",
        "read_only",
        "savepoints",
        "callbacks",
        "cursors",
        "place",
        "state",
        "task",
        "entered",
        "is_ending",
        "lost",
    )

    def __init__(self, connection: Any, turn: Any, writes: bool) -> None:
        self.connection = connection  # None once it was given back
        self.turn = turn
        self.writes = writes
        self.untrusted = False
        self.read_depth = 0
        self.read_only = False  # a writer whose connection refuses writes for now
        self.savepoints: list[int] = []  # how many callbacks there were before each
        self.callbacks: list[Callable[[], Any]] = []
        self.cursors: Any = None  # those that guest code may leave half-read
        self.place: Any = None
        self.state: dict[str, Any] = {}
        self.task = current_task()
        # The scopes that are entered, outermost first, each with what the `with` statement holds.
        self.entered: list[tuple[Any, Callable[[], Any] | None]] = []
        self.is_ending = False
        self.lost: str | None = None  # why it was taken back from its scopes

    @property
    def is_dead(self) -> bool:
        """Whether its innermost scope was left by an interruption, before __exit__ was through."""
        held = self.entered[-1][1] if self.entered else None
        return self.is_ending or (held is not None and held() is None)

    @property
    def is_within(self) -> bool:
        """Whether the caller runs inside a block of it, as far as can be told."""
        held = self.entered[-1][1] if self.entered else None
        return held is not None and held() is not None and self.task is current_task()
