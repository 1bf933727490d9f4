"""Connections lent one borrower at a time, and the gate that lets one writer in at a time.

Nothing is kept by thread, so a thread that ends leaks nothing. A borrow that finds an idle
connection costs one queue operation.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from ..errors import SessionError, StoreBusyError, StoreClosedError

FORKED = (
    "this process was forked from the one that opened the store, and its connections cannot be "
    "shared: start processes with the 'spawn' method and open the store in each of them"
)
# Closing an inherited connection in a forked child could checkpoint or delete the parent's WAL,
# so they are kept for ever, unused.
_inherited: list[Any] = []


class Pool:
    """At most `size` connections, made when needed and kept for the next borrower."""

    def __init__(self, connect: Callable[[], Any], size: int, wait_s: float) -> None:
        self._connect = connect
        self._size = size
        self._wait_s = wait_s
        self._count = 0
        self._lock = threading.Lock()
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._ended: type[Exception] | None = None
        self._ended_message: str | None = None

    def borrow(self) -> Any:
        """Return an idle or new connection; raises StoreBusyError after the configured wait."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._grow() or self._wait()
        if connection is None:
            self._refuse()
        return connection

    def give_back(self, connection: Any) -> None:
        """Keep a clean connection for the next borrower."""
        self._idle.put(connection)
        if self._ended is not None:
            self._drain()

    def discard(self, connection: Any) -> None:
        """Close a connection that cannot be used again and make room for a new one."""
        connection.close()
        with self._lock:
            self._count -= 1

    def close(self) -> None:
        """Close what is idle; what is in use is closed as it comes back."""
        self._ended = StoreClosedError
        self._drain()

    def abandon(self) -> None:
        """Forget every connection without closing it: they belong to the parent process."""
        _inherited.append(self._idle)
        self._ended, self._ended_message = SessionError, FORKED
        self._lock, self._idle = threading.Lock(), SimpleQueue()
        self._idle.put(None)

    def _grow(self) -> Any:
        with self._lock:
            if self._ended is not None:
                self._refuse()
            if self._count >= self._size:
                return None
            self._count += 1
        try:
            return self._connect()
        except BaseException:
            with self._lock:
                self._count -= 1
            raise

    def _wait(self) -> Any:
        try:
            return self._idle.get(timeout=self._wait_s)
        except Empty:
            raise StoreBusyError(
                f"all {self._size} connections stayed in use for {self._wait_s:g} s: "
                "raise pool_size or close sessions sooner"
            ) from None

    def _refuse(self) -> None:
        self._idle.put(None)  # the next waiter learns it too
        raise (self._ended or StoreClosedError)(self._ended_message)

    def _drain(self) -> None:
        while True:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                self._idle.put(None)
                return
            if connection is not None:
                connection.close()
            elif self._idle.empty():
                self._idle.put(None)
                return


class WriteGate:
    """A first-come-first-served lock: whoever waits gets it before its last holder returns."""

    # A plain Lock would let a scan that commits batch after batch take the lock again before any
    # waiting heartbeat wakes up; one lock in the process also beats SQLite's busy timeout.

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, wait_s: float) -> bool:
        """Take the gate; False when it did not come free in time."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            if turn.acquire(timeout=wait_s):
                return True
        except BaseException:
            self._give_up(turn, keep=False)
            raise
        return self._give_up(turn, keep=True)

    def release(self) -> None:
        """Pass the gate to the first in the queue, or open it."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    @property
    def contended(self) -> bool:
        """Whether somebody waits: a long chore ends its batch early then."""
        return bool(self._waiting)

    def _give_up(self, turn: threading.Lock, *, keep: bool) -> bool:
        with self._guard:
            try:
                self._waiting.remove(turn)
                return False
            except ValueError:
                pass  # it was handed to us at the last moment
        if not keep:
            self.release()
        return keep


def remaining(deadline: float) -> float:
    """Return the seconds left until a monotonic deadline, never negative."""
    return max(0.0, deadline - monotonic())
