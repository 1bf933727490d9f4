"""How a command ended."""

from __future__ import annotations

DONE, NOT_WELL, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
