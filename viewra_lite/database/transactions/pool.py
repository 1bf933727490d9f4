"""A pool of connections, and the gate that admits one writer at a time.

Nothing is stored per thread, so a thread that ends leaks nothing. Borrowing an idle connection
costs one queue operation.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from operator import methodcaller
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from ...errors import TransactionError, StoreBusyError, StoreClosedError
from .waits import Waits

FORKED = (
    "this process was forked from the one that opened the store, and its connections cannot be "
    "shared: start processes with the 'spawn' method and open the store in each of them"
)
_inherited: list[Any] = []


def keep_open(connection: object) -> None:
    """Prevent a connection from being closed, even at interpreter exit."""
    from ctypes import py_object, pythonapi

    pythonapi.Py_IncRef(py_object(connection))


def never_close(connections: Iterable[Any]) -> None:
    """Keep the connections that a forked child has inherited.

    Closing one would make SQLite roll back into the parent's log, which has corrupted databases.
    """
    for connection in connections:
        keep_open(connection)
        _inherited.append(connection)


def refuse_in_forked_child() -> None:
    """Raise TransactionError if an open store was inherited through a fork.

    In the child SQLite would act as if it held the parent's file locks.
    """
    if _inherited:
        raise TransactionError(FORKED)


class Pool:
    """At most `size` connections, opened on demand and kept for reuse."""

    def __init__(
        self,
        connect: Callable[[], Any],
        size: int,
        wait_s: float,
        close: Callable[[Any], Any] = methodcaller("close"),
    ) -> None:
        self._connect = connect
        self._close = close
        self._size = size
        self._wait_s = wait_s
        self.waits = Waits(_what_is_waited_for(size))
        self._places = 0
        self._lock = threading.Lock()
        # Connections; None is the free place of a discarded one, or wakes a waiter after close().
        self._idle: SimpleQueue[Any] = SimpleQueue()
        # Strong references: in a forked child an unreferenced connection would be closed.
        self._alive: set[Any] = set()
        self._lent: dict[Any, int] = {}
        self._turns = count(1)
        self._ended: type[Exception] | None = None
        self._ended_message: str | None = None

    def borrow(self) -> Any:
        """Return an idle or new connection; raises StoreBusyError after the configured wait."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = None if self._has_place() else self._wait()
        if connection is None:
            connection = self._made()
        self._lent[connection] = next(self._turns)
        return connection

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._alive)

    @property
    def in_use(self) -> int:
        """How many of them are lent."""
        return len(self._lent)

    def turn_of(self, connection: object) -> int | None:
        """Return the number of the current loan of a connection, or None if it is idle."""
        return self._lent.get(connection)

    def give_back(self, connection: object) -> None:
        """Return a clean connection to the pool."""
        self._lent.pop(connection, None)
        self._idle.put(connection)
        if self._ended is not None:
            self._drain()

    def discard(self, connection: object) -> None:
        """Close a connection that cannot be reused; a waiting borrower may open a new one."""
        self._alive.discard(connection)
        self._lent.pop(connection, None)
        try:
            self._close(connection)
        finally:
            self._idle.put(None)

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they are given back."""
        self._ended = StoreClosedError
        self._drain()

    def after_fork(self) -> None:
        """Forget every connection without closing it: they belong to the parent process."""
        never_close(self._alive)
        self._ended, self._ended_message = TransactionError, FORKED
        self._lock, self._idle, self._alive = threading.Lock(), SimpleQueue(), set()
        self.waits = Waits(_what_is_waited_for(self._size))
        self._idle.put(None)

    def _has_place(self) -> bool:
        with self._lock:
            free = self._places < self._size
            self._places += free
        return free

    def _made(self) -> Any:
        """Open a connection for the place that the caller has reserved."""
        try:
            if self._ended is not None:
                raise self._ended(self._ended_message)
            connection = self._connect()
        except BaseException:
            self._idle.put(None)
            raise
        self._alive.add(connection)
        return connection

    def _wait(self) -> Any:
        self.waits.begin()
        began, in_vain = monotonic(), True
        try:
            connection = self._idle.get(timeout=self._wait_s)
            in_vain = False
            return connection
        except Empty:
            raise StoreBusyError(
                f"all {self._size} connections stayed in use for {self._wait_s:g} s: "
                "raise pool_size, or keep reader() blocks short"
            ) from None
        finally:
            self.waits.end(began, in_vain=in_vain)

    def _drain(self) -> None:
        while True:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                self._idle.put(None)  # wakes the next waiter, who finds the pool closed
                return
            if connection is not None:
                self._alive.discard(connection)
                self._close(connection)


def _what_is_waited_for(size: int) -> str:
    return f"a connection (pool_size is {size})"


class WriteGate:
    """A fair (FIFO) lock: release() hands it straight to the longest waiter.

    Each acquisition has a token, its turn, which can be released only once. So a release that was
    interrupted can be repeated without releasing the next holder's turn.
    """

    # With a plain Lock, a scan that commits batch after batch would take it again before a waiting
    # heartbeat wakes up. One lock in the process is also faster than SQLite's busy timeout.

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: threading.Lock | None = None
        self.waits = Waits("the writer")
        """How many acquisitions had to wait; counted when the wait begins."""
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, wait_s: float) -> threading.Lock | None:
        """Return the turn that holds the gate; None if it did not become free within wait_s."""
        turn = threading.Lock()
        try:
            with self._guard:
                if self._holder is None:
                    self._holder = turn
                    return turn
                turn.acquire()
                self._waiting.append(turn)
                self.waits.begin()
            if self._waited(turn, wait_s):
                return turn
        except BaseException:
            self.release(turn)
            raise
        return self._give_up(turn)

    def is_taken(self) -> bool:
        """Whether a turn holds the gate."""
        return self._holder is not None

    def is_awaited(self) -> bool:
        """Whether a thread is waiting."""
        return bool(self._waiting)

    def is_held(self, turn: threading.Lock) -> bool:
        """Whether this turn holds the gate."""
        return self._holder is turn

    def release(self, turn: threading.Lock) -> None:
        """End a turn: hand the gate to the longest waiter, or open it."""
        with self._guard:
            if self._holder is not turn:
                with suppress(ValueError):  # it ended before
                    self._waiting.remove(turn)
            elif self._waiting:
                self._holder = self._waiting.popleft()
                self._holder.release()
            else:
                self._holder = None

    def _waited(self, turn: threading.Lock, wait_s: float) -> bool:
        began, is_ours = monotonic(), False
        try:
            is_ours = turn.acquire(timeout=wait_s)
            return is_ours
        finally:
            self.waits.end(began, in_vain=not is_ours)

    def _give_up(self, turn: threading.Lock) -> threading.Lock | None:
        with self._guard:
            try:
                self._waiting.remove(turn)
                return None
            except ValueError:
                return turn  # the gate was handed over after the wait had timed out


def remaining(deadline: float) -> float:
    """Return the seconds left until a monotonic deadline, never negative."""
    return max(0.0, deadline - monotonic())
