"""Which open store keeps which sessions, and which of those stores are dead.

Every open store that plays anything holds a lock by a name of its own, which the operating system
(or the PostgreSQL server) drops together with the process. Sessions carry that name: whose lock
can be had is dead. A process id may be another's by now, and a timeout cannot tell a pause from a
crash.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack

from ..database.sessions import Sessions
from ..errors import StoreBusyError, StoreClosedError

_ASKED_S = 5.0  # more than another process needs to ask whether we are dead


class Owner:
    """This open store's name, and its lock from the first session on."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._turn = threading.Lock()
        self._held = ExitStack()
        self._is_held: Callable[[], bool] | None = None
        self._name: str | None = None
        self._is_released = False

    def claim(self) -> str:
        """Return the name, locked; a lock that the server has dropped is taken again.

        Asking for a lock may wait: call it outside a writer. Raises StoreClosedError.
        """
        with self._turn:
            if self._is_released:
                raise StoreClosedError()
            name = self._name or self._sessions.new_id()
            if self._is_held is None or not self._is_held():
                self._held.close()
                self._is_held = self._held.enter_context(
                    self._sessions.exclusive(_lock_name(name), wait_s=_ASKED_S, once=True)
                )
            self._name = name
            return name

    def keep(self) -> None:
        """Make sure that the lock is held still, if it ever was."""
        if self._name is not None:
            self.claim()

    def is_own(self, name: str | None) -> bool:
        """Whether a name is this store's."""
        return name is not None and name == self._name

    def is_dead(self, name: str | None) -> bool:
        """Whether the store of that name is gone; one that never had a name is."""
        if name is None:
            return True
        if self.is_own(name):
            return False
        try:
            with self._sessions.exclusive(_lock_name(name), once=True):
                return True
        except StoreBusyError:
            return False

    def release(self) -> None:
        """Give the lock up: what is still open is for the next to close."""
        with self._turn:
            self._is_released = True
            self._held.close()
            self._is_held = self._name = None


def _lock_name(name: str) -> str:
    return f"playback-{name}"
