"""Plugins run as a chore, in the processes in which they are registered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.clock import Clock
from viewra_lite import Store
from viewra_lite.plugins import Plugin

RAN: list[tuple[str, datetime]] = []


class Works(Plugin):
    id = "works"

    def run(self, now: datetime) -> None:
        RAN.append((self.id, now))


class Fails(Plugin):
    id = "fails"

    def run(self, now: datetime) -> None:
        RAN.append((self.id, now))
        raise OSError("away")


def done(store: Store) -> list[str | None]:
    """Return what the chore did, if it was due."""
    results = store.maintenance.run_due()
    assert not [result.error for result in results if result.error]
    return [result.done for result in results if result.name == "plugins.run"]


def test_plugins_run_every_minute_and_one_that_fails_delays_no_other(
    store: Store, clock: Clock
) -> None:
    RAN.clear()
    for kind in (Works, Fails):
        store.plugins.register(kind)
        store.plugins.enable(kind.id)
    assert done(store) == ["works ran; fails failed: OSError: away"]
    assert done(store) == []
    clock.advance(59)
    assert done(store) == []
    clock.advance(61)
    assert done(store) == ["works ran; fails failed: OSError: away"]
    clock.advance(60)
    assert done(store) == ["works ran"]  # the other one is due after two minutes now
    store.plugins.disable("works")
    store.plugins.disable("fails")
    clock.advance(60)
    assert done(store) == [None]
    assert [id for id, _ in RAN] == ["works", "fails", "works", "fails", "works"]


def test_a_process_without_plugins_does_not_run_the_chore_for_those_that_have_some(
    store_config: Any, clock: Clock
) -> None:
    RAN.clear()
    with Store.open(store_config, clock=clock) as store:
        store.plugins.register(Works)
        store.plugins.enable("works")
    with Store.open(store_config, clock=clock) as store:
        assert done(store) == []
        assert "plugins.run" not in [chore.name for chore in store.maintenance.chores()]
        store.plugins.register(Works)  # later than the first look at the chores
        assert "plugins.run" in [chore.name for chore in store.maintenance.chores()]
        assert done(store) == ["works ran"]
        assert RAN == [("works", clock())]
