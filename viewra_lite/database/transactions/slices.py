"""Slices: transactions of a long job that end by the clock, or when another writer waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic

from .database import Database

MOST_MS = 25  # after which no further step is begun


def in_slices(
    db: Database,
    steps: Iterable[Callable[[], object]],
    *,
    most_ms: int | None = None,
    durable: bool = False,
) -> None:
    """Call steps, in order, in as many transactions as it takes.

    A step is whole or not done at all. After an interruption the steps before are done, so each has
    to find out by itself what remains to do.
    """
    left = iter(steps)
    step = next(left, None)
    while step is not None:
        db.yield_to_writers()
        with db.writer(durable=durable):
            # Measured from here: waiting for the writer does not count.
            deadline = monotonic() + (MOST_MS if most_ms is None else most_ms) / 1000
            while step is not None:
                step()
                step = next(left, None)
                if db.is_writer_awaited() or monotonic() >= deadline:
                    break


def repeat_in_slices(db: Database, step: Callable[[], object], *, durable: bool = False) -> None:
    """Call one step until it returns nothing, in as many transactions as it takes."""
    is_done = False

    def once() -> None:
        nonlocal is_done
        is_done = not step()

    in_slices(db, (once for _ in iter(lambda: is_done, True)), durable=durable)
