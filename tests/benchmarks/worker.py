"""One contender with one database in a process of its own, told over stdin what to do.

    python -m tests.benchmarks.worker CONTENDER DATABASE SIZES

Takes a JSON list of names of functions in operations.py a line; answers each with the sample of
the last one.
"""

from __future__ import annotations

import json
import sys
import traceback

from . import operations
from .contenders import opened
from .sizes import SIZES


def main(name: str, path: str, size: str) -> None:
    """Serve until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    world = operations.World(opened(name, path), SIZES[size])
    for line in sys.stdin:
        answer: object = None
        try:
            for operation in json.loads(line):
                answer = getattr(operations, operation)(world)
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
    world.contender.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
