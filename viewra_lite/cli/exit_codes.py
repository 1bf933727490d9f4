"""The exit codes of every command.

0 done; 1 a problem was found, or the command failed; 2 wrong usage or configuration; 130
interrupted; 141 the pipe was closed.
"""

from __future__ import annotations

DONE, NOT_WELL, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 130, 141
