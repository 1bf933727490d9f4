"""Calls of check() and run(), each in a thread of its own, so that one that hangs holds no other.

A thread cannot be ended from outside: one that hangs is left alone, and is a daemon, which does not
keep the program from ending.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import copy_context
from threading import Event, Lock, Thread
from typing import Any

from ...errors import PluginError

log = logging.getLogger("viewra_lite.plugins")


class NotEnded(PluginError):
    """A call of a plugin's code has not ended in time."""


class Call:
    """A call of a plugin's code."""

    def __init__(self, plugin: str, what: str, function: Callable[..., Any], *args: object) -> None:
        self.what = what
        self._plugin = plugin
        self._function, self._args = function, args
        self._error: BaseException | None = None
        self._ended = Event()
        self._lock = Lock()
        self._actions: list[Callable[[], Any]] = []
        name = f"viewra-plugin-{plugin}"
        Thread(target=copy_context().run, args=(self._work,), name=name, daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    def wait(self, limit_s: float) -> None:
        """Wait for its end, and raise its error; raises NotEnded after limit_s seconds."""
        if not self._ended.wait(limit_s):
            log.warning(
                "the plugin %s: %s runs for more than %g s", self._plugin, self.what, limit_s
            )
            raise NotEnded(
                f"{self.what} did not end within {limit_s:g} s",
                remedy="correct the plugin, and restart the program to end it; "
                f"or raise plugin_{self.what[:-2]}_ms",
            )
        if self._error is not None:
            raise self._error

    def afterwards(self, action: Callable[[], Any]) -> None:
        """Call action at its end, in its thread; now if it has ended."""
        with self._lock:
            if self.is_running:
                self._actions.append(action)
                return
        action()

    def _work(self) -> None:
        try:
            self._function(*self._args)
        except BaseException as exc:  # raised in the thread that waits
            self._error = exc
        while self.is_running:
            with self._lock:
                action = self._actions.pop(0) if self._actions else None
                if action is None:
                    self._ended.set()
            if action is not None:
                action()
