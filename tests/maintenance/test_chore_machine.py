"""Chores over two processes, failures, interruptions and clocks that jump, as a state machine.

Two runners with the rows and the locks of one store are two processes: what they know of each other
is in the store.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support.clock import Clock
from tests.support.torture import tries
from viewra_lite import Chore, Store
from viewra_lite.maintenance.chores import Chores
from viewra_lite.maintenance.due import Definition, Every

PERIODS = {"quick": 300, "hourly": 3600, "daily": 86_400}
DAY_S = 86_400


class Machine(RuleBasedStateMachine):
    """What each chore did, by the time that has really passed."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.db: Any = self.store.media.db
        with self.store.writer():
            Chore.delete().execute()
        self.clock = Clock()
        self.passed = 0.0  # seconds, whatever the clock says
        self.runs: dict[str, list[float]] = {name: [] for name in PERIODS}
        self.failed: dict[str, list[float]] = {name: [] for name in PERIODS}
        self.since = dict.fromkeys(PERIODS, -1e9)  # from when on a period has to be kept
        self.failing: set[str] = set()
        self.interrupting: set[str] = set()
        self.twice: list[str] = []  # a failure of the test in a chore would be one of the chore
        self.other_runs_beside = False
        self.unseen_jump = False
        self.runners = [self.runner(number) for number in range(2)]

    def runner(self, number: int) -> Chores:
        definitions = [
            Definition(name, Every(period), lambda now, n=name: self.run(n, number))
            for name, period in PERIODS.items()
        ]
        return Chores(self.db, definitions, lambda: True)

    def run(self, name: str, number: int) -> None:
        if self.other_runs_beside:
            self.other_runs_beside = False
            results = self.runners[1 - number].run_due(self.clock(), None)
            self.twice += [one.name for one in results if one.name == name]
        if name in self.interrupting:
            self.interrupting.discard(name)
            raise KeyboardInterrupt
        if name in self.failing:
            self.failed[name].append(self.passed)
            raise RuntimeError("as told")
        self.runs[name].append(self.passed)
        self.failed[name].clear()

    @rule(seconds=st.sampled_from([1, 59, 60, 299, 300, 301, 3600, 5000, DAY_S, 3 * DAY_S]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.passed += seconds

    @rule(seconds=st.sampled_from([-1, -300, -4000, -40 * DAY_S, 500, 400 * DAY_S]))
    def the_clock_jumps(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.unseen_jump = True

    @rule(name=st.sampled_from(sorted(PERIODS)))
    def a_chore_begins_to_fail_or_recovers(self, name: str) -> None:
        self.failing ^= {name}

    @rule(name=st.sampled_from(sorted(PERIODS)))
    def a_chore_will_be_interrupted(self, name: str) -> None:
        self.interrupting.add(name)

    @rule(name=st.sampled_from(sorted(PERIODS)), number=st.integers(0, 1))
    def a_chore_fails_for_hours(self, name: str, number: int) -> None:
        self.failing.add(name)
        for _ in range(8):
            self.the_chores_run(number)
            self.time_passes(600)

    @rule()
    def the_other_will_run_beside(self) -> None:
        self.other_runs_beside = True

    @rule(number=st.integers(0, 1))
    def nothing_fits_the_budget(self, number: int) -> None:
        assert all(one.left for one in self.runners[number].run_due(self.clock(), 0.0))

    @rule(number=st.integers(0, 1))
    def the_chores_run(self, number: int) -> None:
        before = {name: len(runs) for name, runs in self.runs.items()}
        if self.unseen_jump:  # it is noticed now: periods begin anew
            self.unseen_jump = False
            self.since = dict.fromkeys(PERIODS, self.passed)
            for name in PERIODS:
                self.runs[name].clear()
                self.failed[name].clear()
                before[name] = 0
            self.run_all(number)
            return
        due = {
            name
            for name, period in PERIODS.items()
            if not self.failed[name]
            and self.passed - max([self.since[name], *self.runs[name]]) >= period
        }
        self.run_all(number)
        for name in due - self.failing:
            assert len(self.runs[name]) > before[name], f"{name} was due and did not run"

    def run_all(self, number: int) -> None:
        try:
            self.runners[number].run_due(self.clock(), None)
        except KeyboardInterrupt:  # the next timer
            self.other_runs_beside = False
            self.interrupting.clear()
            self.runners[number].run_due(self.clock(), None)
        again = self.runners[1 - number].run_due(self.clock(), None)
        assert [one for one in again if not one.left] == []
        for row in self.runners[0].all(self.clock()):
            assert self.clock() < row.due_at <= self.clock() + timedelta(days=1)

    @invariant()
    def no_chore_runs_beside_itself(self) -> None:
        assert self.twice == []

    @invariant()
    def no_chore_runs_more_often_than_its_period(self) -> None:
        for name, period in PERIODS.items():
            runs = self.runs[name]
            for first, third in zip(runs, runs[2:]):
                assert third - first >= period, f"{name} ran at {runs}"

    @invariant()
    def failures_are_tried_again_with_growing_distance(self) -> None:
        for name, period in PERIODS.items():
            tries_at = self.failed[name]
            for number, (one, next_one) in enumerate(zip(tries_at, tries_at[1:])):
                assert next_one - one >= min(60 * 2**number, max(period, 3600))


@pytest.mark.parametrize("store_config", ["sqlite"], indirect=True)
def test_every_chore_runs_once_in_its_period_whatever_happens(store: Store) -> None:
    Machine.store = store
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=tries(30, 1000), stateful_step_count=30, deadline=None, derandomize=True
        ),
    )
