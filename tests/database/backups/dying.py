"""What the forked processes of the kills do: back up, restore or recover, and die at a step."""

from __future__ import annotations

import os
import signal
from typing import Any

from viewra_lite import Store
from viewra_lite import recovering  # noqa: F401  what is imported here is not imported by each
from viewra_lite.database.backups import backups, compression, recover, restore  # noqa: F401
from viewra_lite.database.backups.salvage import recovery  # noqa: F401
from viewra_lite.database.sqlite import backup  # noqa: F401

_STEPS = ("open", "rename", "replace", "fsync", "unlink", "mkdir", "stat")
_left = 0


def _die_at(step: int) -> None:
    """Kill this process before its call of that number that concerns files."""
    global _left
    _left = step
    for name in _STEPS:
        setattr(os, name, _counted(getattr(os, name)))


def _counted(real: Any) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        global _left
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    return call


def back_up(step: int, url: str) -> None:
    with Store.open(url) as store:
        _die_at(step)
        store.backups.create()


def put_back(step: int, url: str) -> None:
    _die_at(step)
    Store.restore(url)


def mend(step: int, url: str) -> None:
    _die_at(step)
    Store.recover(url)
