"""Work done in several threads at once, and how long each piece of it took."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from time import perf_counter, process_time

Sample = dict[str, float]


def in_threads(
    count: int, work: Callable[[int], Iterable[object]], leave: Callable[[], None]
) -> Sample:
    """Run the generators work(0), work(1), … in threads of their own, and time every step.

    The first step of each gets the thread ready and is not counted. leave ends each thread.
    """
    ready = threading.Barrier(count + 1)
    took: list[list[float]] = [[] for _ in range(count)]
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            steps = iter(work(number))
            next(steps)
            ready.wait()
            before = perf_counter()
            for _ in steps:
                after = perf_counter()
                took[number].append(after - before)
                before = after
        except BaseException as exc:
            errors.append(exc)
            ready.abort()
        finally:
            leave()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        ready.wait()
        wall, cpu = perf_counter(), process_time()
    finally:
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
    return {
        "wall": perf_counter() - wall,
        "cpu": process_time() - cpu,
        **latencies([seconds for each in took for seconds in each]),
    }


class Companions:
    """Threads that repeat a call beside other work, in phases that are told apart."""

    def __init__(
        self,
        count: int,
        call: Callable[[int, int], None],
        leave: Callable[[], None],
        every_s: float = 0.0,
    ) -> None:
        self._stop = threading.Event()
        self._every_s = every_s
        self._took: dict[str, list[float]] = {}
        self._phase: list[float] = []
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number, call, leave))
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def phase(self, name: str) -> None:
        """Count what is called from now on by another name."""
        self._phase = self._took.setdefault(name, [])

    def wait(self, seconds: float) -> None:
        """Let them call for a while."""
        self._stop.wait(seconds)

    def end(self) -> dict[str, list[float]]:
        """Stop, and return how long each call took, in seconds, by phase."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]
        return self._took

    def _run(
        self, number: int, call: Callable[[int, int], None], leave: Callable[[], None]
    ) -> None:
        step = 0
        try:
            while not self._stop.is_set():
                step += 1
                before, phase = perf_counter(), self._phase
                call(number, step)
                phase.append(perf_counter() - before)
                if self._every_s:
                    self._stop.wait(self._every_s)
        except BaseException as exc:
            self._errors.append(exc)
        finally:
            leave()


def latencies(seconds: list[float]) -> Sample:
    """Return the median, the 99th percentile and the worst, in milliseconds."""
    ordered = sorted(seconds) or [0.0]
    last = len(ordered) - 1
    return {
        "p50_ms": ordered[last // 2] * 1000,
        "p99_ms": ordered[round(last * 0.99)] * 1000,
        "worst_ms": ordered[last] * 1000,
    }
