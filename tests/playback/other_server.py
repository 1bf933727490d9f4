"""A server in a process of its own: opens a store, then does what it is told line by line."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from typing import Any

from tests.conftest import Clock
from viewra_lite import Store


def answer(store: Store, clock: Clock, verb: str, arguments: Any, options: Any) -> Any:
    if verb == "advance":
        clock.advance(*arguments)
    elif verb == "tidy":
        store.playback.tidy(clock())
    elif verb == "close":
        store.close()
    elif verb == "heartbeat_for_ever":
        heartbeat_for_ever(store, clock, *arguments)
    else:
        result = getattr(store.playback, verb)(*arguments, **options)
        return {name: str(value) for name, value in result.__data__.items()}
    return None


def heartbeat_for_ever(store: Store, clock: Clock, session_id: str) -> None:
    """Report as fast as can be, telling each position that was acknowledged, until killed."""
    for position in range(1, 1_000_000):
        clock.advance(1)
        store.playback.heartbeat(session_id, position)
        os.write(1, f"{position}\n".encode())


def main(config: str, now: str) -> None:
    clock = Clock()
    if now:
        clock._moment = datetime.fromisoformat(now)
    with Store.open(json.loads(config), clock=clock) as store:
        print("open", flush=True)
        for line in sys.stdin:
            verb, arguments, options = json.loads(line)
            try:
                value = answer(store, clock, verb, arguments, options)
                print(json.dumps({"value": value}), flush=True)
            except Exception as exc:
                print(json.dumps({"error": f"{type(exc).__name__}: {exc}"}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
