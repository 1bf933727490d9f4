"""The transaction of a thread, and the reasons for which it may be rolled back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .guards import Guard

_REMEDY = (
    "a thread has one transaction, shared by the tasks of its event loop and by suspended "
    "generators: do not hold a reader() or writer() across an await or a yield; run store calls "
    "with asyncio.to_thread()"
)
OTHER_ORDER = f"reader() and writer() were left in another order than entered: {_REMEDY}"
OTHER_TASK = f"a reader() or writer() was opened by another asyncio task: {_REMEDY}"
INTERRUPTED = "the block was interrupted before it was left"
THREAD_ENDED = "its thread has ended"
CLOSED = "the store was closed"


def current_task() -> Any:
    """Return the asyncio task that runs in this thread, or None."""
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        loop = asyncio._get_running_loop()
    except AttributeError:  # asyncio is still being imported
        return None
    return None if loop is None else asyncio.current_task(loop)


class Transaction:
    """The open transaction of a thread: the snapshot of a reader, or a writer's."""

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
        "guard",
    )

    def __init__(self, connection: Any, turn: Any, writes: bool) -> None:
        self.connection = connection  # None after it was given back
        self.turn = turn
        self.writes = writes
        self.untrusted = False
        self.read_depth = 0 if writes else 1
        self.read_only = False  # a writer whose connection refuses writes for the moment
        self.savepoints: list[int] = []  # the number of callbacks before each
        # Called after the commit; events among them are stored before it.
        self.callbacks: list[Any] = []
        self.cursors: Any = None  # those that caller's code may leave half-read
        self.place: Any = None
        self.state: dict[str, Any] = {}
        self.task = current_task()
        # The entered scopes, outermost first, each with a weak reference to its __exit__ method.
        self.entered: list[tuple[Any, Callable[[], Any] | None]] = []
        self.is_ending = False
        self.lost: str | None = None  # why it was rolled back without its scopes
        self.guard: Guard | None = None  # while the code of a plugin uses the connection

    @property
    def is_within(self) -> bool:
        """Whether the caller runs inside one of its blocks, as far as is known."""
        held = self.entered[-1][1] if self.entered else None
        return held is not None and held() is not None and self.task is current_task()
