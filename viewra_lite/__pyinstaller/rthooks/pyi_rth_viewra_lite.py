"""Runs in a frozen program before its own code: a process that is to be a worker is one, and ends.

The mark lets `viewra_lite.media.probing` start the program as a worker at all. Without this
hook the program would run again as itself.
"""

import sys

WORKER = "--viewra-lite-worker"

sys._viewra_lite_worker = WORKER  # type: ignore[attr-defined]
if sys.argv[1:2] == [WORKER] and sys.argv[2].startswith("viewra_lite."):
    from importlib import import_module

    import_module(sys.argv[2]).serve(sys.argv[3])
    raise SystemExit
