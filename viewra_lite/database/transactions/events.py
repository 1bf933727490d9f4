"""Events of a writer: stored with its commit, and delivered to listeners after it."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .transaction import Transaction

    class Owner(Protocol):
        """The part of Database that events use."""

        def writable(self, verb: str) -> Transaction: ...


_log = logging.getLogger("viewra_lite.database")
_SLOW_S = 1.0
_LAST_FEW = 4  # all of them would take minutes for a show that is marked


class Event:
    """Something that the open writer has done."""

    __slots__ = ("name", "facts")

    def __init__(self, name: str, facts: Mapping[str, Any]) -> None:
        self.name = name
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return False
        return self.name == other.name and self.facts == other.facts


Listener = Callable[[Mapping[str, Any]], Any]


class _Waiting(threading.local):
    """The events that a thread has committed and not yet delivered."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.is_delivering = False


class Events:
    """Records events in the open writer, stores them with its commit, and calls listeners.

    An event waits among the transaction's callbacks, so that a savepoint that is rolled back takes
    its events with it.
    """

    def __init__(self, db: Owner) -> None:
        self._db = db
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._waiting = _Waiting()
        self._lock = threading.Lock()
        self.write: Callable[[Sequence[Event]], None] | None = None
        """Stores events in the open writer; None before the store has its tables."""

    def record(self, name: str, *, once: bool = False, **facts: Any) -> None:
        """Record an event of the open writer; facts are JSON values.

        once=True does nothing if it is among the last few of the writer.
        """
        callbacks, event = self._db.writable("an event").callbacks, Event(name, facts)
        if not once or event not in callbacks[-_LAST_FEW:]:
            callbacks.append(event)

    def record_each(self, name: str, facts: Iterable[Mapping[str, Any]]) -> None:
        """Record an event of each of many things."""
        self._db.writable("an event").callbacks += [Event(name, one) for one in facts]

    def listen(self, name: str, listener: Listener) -> None:
        """Call listener(facts) in the committing thread after each event of this name."""
        with self._lock:
            self._listeners[name] = (*self._listeners.get(name, ()), listener)

    def ignore(self, name: str, listener: Listener) -> None:
        """Stop calling a listener."""
        with self._lock:
            known = self._listeners.get(name, ())
            self._listeners[name] = tuple(each for each in known if each is not listener)

    def store(self, callbacks: list[Any]) -> None:
        """Store the events of a writer that is about to commit."""
        events = [each for each in callbacks if isinstance(each, Event)]
        if events:
            callbacks[:] = [each for each in callbacks if not isinstance(each, Event)]
            callbacks += (kept := net(events))
            if kept and self.write is not None:
                self.write(kept)

    def deliver(self, callbacks: Sequence[Any]) -> None:
        """Call the callbacks of a committed writer, then the listeners of its events.

        Events come in the order of the commits: those that a callback or a listener commits wait
        for those before. Raises the first error of a callback, when all were called; that of a
        listener is logged.
        """
        waiting = self._waiting
        first: BaseException | None = None
        waiting.events += (each for each in callbacks if isinstance(each, Event))
        is_outermost, waiting.is_delivering = not waiting.is_delivering, True
        try:
            for callback in callbacks:
                if isinstance(callback, Event):
                    continue
                try:
                    callback()
                except Exception as exc:
                    first = first or exc
            while is_outermost and waiting.events:
                event = waiting.events.popleft()
                for listener in self._listeners.get(event.name, ()):
                    _call(listener, event)
        finally:
            waiting.is_delivering = not is_outermost
        if first is not None:
            raise first


def net(events: Sequence[Event]) -> list[Event]:
    """Leave out updates beside another event of the same thing, and what came and went."""
    if len(events) == 1 or all(event.name == "file.added" for event in events):
        return list(events)  # of a scan, mostly
    kept = dict(enumerate(events))
    before: dict[tuple[str, object], list[int]] = defaultdict(list)  # kept events of a thing
    went: set[tuple[str, object]] = set()
    for number, event in enumerate(events):
        kind, _, what = event.name.rpartition(".")
        if what not in ("added", "updated", "removed"):
            continue
        thing = kind, next(iter(event.facts.values()))
        last = events[before[thing][-1]].name if before[thing] else ""
        if what == "updated" and (last or thing in went):
            del kept[number]
            continue
        if what != "updated" and last.endswith(".updated"):
            del kept[before[thing].pop()]
        if what == "removed" and last.endswith(".added"):
            del kept[number], kept[before[thing].pop()]
            went.add(thing)
        else:
            before[thing].append(number)
    return list(kept.values())


def _call(listener: Listener, event: Event) -> None:
    began = time.monotonic()
    try:
        listener(event.facts)
    except Exception as exc:
        _log.error("a listener of %s raised %s", event.name, type(exc).__name__, exc_info=True)
    seconds = time.monotonic() - began
    if seconds >= _SLOW_S:
        _log.warning("a listener of %s took %.1f s", event.name, seconds)
