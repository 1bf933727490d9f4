"""Actions in threads of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

WAIT_S = 60.0  # for another thread: only a test that fails waits for so long


def in_thread(action: Callable[[], Any]) -> Any:
    """Run action in a thread of its own; return what it returned, raise what it raised."""
    return in_threads(1, lambda number: action())[0]


def in_threads(count: int, action: Callable[[int], Any]) -> list[Any]:
    """Run action(number) in `count` threads at once; raise the first error."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            results[number] = action(number)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results
