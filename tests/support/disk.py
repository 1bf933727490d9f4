"""What tests of durability look at: the log, and the syncs that the store makes."""

from __future__ import annotations

import os
from pathlib import Path

FRAME_BYTES = 24 + 4096


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


class Disk:
    """What os.fdatasync does, told when: each call is numbered and may be held or refused."""

    def __init__(self, monkeypatch):
        self.syncs = 0
        self.before = lambda number: None
        self._real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", self._sync)

    def _sync(self, descriptor):
        self.syncs += 1
        self.before(self.syncs)
        self._real(descriptor)
