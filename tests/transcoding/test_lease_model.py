"""A queue that lives, against a plain model of whose session is whose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.support.clock import Clock
from tests.support.torture import tries
from viewra_lite import Provider, Store
from viewra_lite.errors import ConflictError
from viewra_lite.transcoding.models import TranscodeCache, TranscodeSession

FILES = st.integers(0, 3)
CONTAINERS = st.sampled_from([None, "mp4", "webm"])
LEASES = st.sampled_from([10, 60])
SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


@dataclass
class Job:
    """What the model knows of a session."""

    id: str
    key: tuple[int, str | None]
    priority: int
    created_at: datetime
    status: str = "pending"
    attempts: int = 0
    progress: float = 0.0
    worker: str | None = None
    until: datetime | None = None


class LivingQueue(RuleBasedStateMachine):
    """Request, claim, report, end, cancel; time passes both ways; compare."""

    claims = Bundle("claims")

    def __init__(self, store: Store, clock: Clock, files: list[str], output: Path) -> None:
        super().__init__()
        with store.writer():
            TranscodeSession.delete().execute()
            TranscodeCache.delete().execute()
        self.room, self.clock, self.files, self.output = store.transcoding, clock, files, output
        self.jobs: dict[str, Job] = {}
        self.made: set[tuple[int, str | None]] = set()

    @rule(file=FILES, container=CONTAINERS, priority=st.integers(-1, 2))
    def request(self, file: int, container: str | None, priority: int) -> None:
        key = (file, container)
        found = self.room.request(self.files[file], {"container": container}, priority=priority)
        if key in self.made:
            assert isinstance(found, TranscodeCache)
            return
        assert isinstance(found, TranscodeSession)
        active = [
            job
            for job in self.jobs.values()
            if job.key == key and job.status in ("pending", "running")
        ]
        if active:
            assert found.id == active[0].id
            active[0].priority = max(active[0].priority, priority)
        else:
            assert found.id not in self.jobs
            self.jobs[found.id] = Job(found.id, key, priority, self.clock())

    @rule(target=claims, container=CONTAINERS, lease=LEASES, worker=st.sampled_from("ab"))
    def claim(self, container: str | None, lease: int, worker: str) -> tuple[str, int]:
        able = Provider(worker, containers=[container] if container else None)
        taken = self.room.claim_next(able, lease=lease)
        self.end_leases()
        waiting = [
            job
            for job in self.jobs.values()
            if job.status == "pending" and (container is None or job.key[1] in (None, container))
        ]
        if not waiting:
            assert taken is None
            return ("", 0)
        job = min(waiting, key=lambda job: (-job.priority, job.created_at, job.id))
        assert taken is not None and taken.id == job.id
        job.status, job.worker, job.progress = "running", worker, 0.0
        job.attempts += 1
        job.until = self.clock() + timedelta(seconds=lease)
        return (job.id, job.attempts)

    @rule(claim=claims, progress=SHARES, lease=LEASES, known=st.booleans())
    def report(self, claim: tuple[str, int], progress: float, lease: int, known: bool) -> None:
        id, attempt = claim
        if not id:
            return
        job = self.jobs[id]
        if job.status == "cancelled":
            assert self.room.report_progress(id, progress, attempt=attempt).status == "cancelled"
        elif self.may(
            job,
            attempt,
            known,
            lambda told: self.room.report_progress(id, progress, lease=lease, attempt=told),
        ):
            job.progress = max(job.progress, progress)
            job.until = self.clock() + timedelta(seconds=lease)

    @rule(claim=consumes(claims), known=st.booleans())
    def complete(self, claim: tuple[str, int], known: bool) -> None:
        id, attempt = claim
        if id and self.may(
            self.jobs[id],
            attempt,
            known,
            lambda told: self.room.complete(id, output_path=self.output, file_size=1, attempt=told),
        ):
            self.end(self.jobs[id], "completed")
            self.jobs[id].progress = 1.0
            self.made.add(self.jobs[id].key)

    @rule(claim=consumes(claims), known=st.booleans())
    def fail(self, claim: tuple[str, int], known: bool) -> None:
        id, attempt = claim
        if id and self.may(
            self.jobs[id], attempt, known, lambda told: self.room.fail(id, "it broke", attempt=told)
        ):
            self.end(self.jobs[id], "failed")

    @rule(claim=claims)
    def cancel(self, claim: tuple[str, int]) -> None:
        if not claim[0]:
            return
        job = self.jobs[claim[0]]
        try:
            self.room.cancel(job.id)
        except ConflictError:
            assert job.status in ("completed", "failed")
        else:
            assert job.status in ("pending", "running", "cancelled")
            self.end(job, "cancelled")

    @rule(seconds=st.sampled_from([1, 9, 10, 60, 3600, -1, -30]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def tidy(self) -> None:
        self.room.tidy(self.clock())
        self.end_leases()

    def may(self, job: Job, attempt: int, known: bool, verb: Any) -> bool:
        """Run a worker's verb, and whether the model lets it."""
        allowed = job.status == "running" and (not known or job.attempts == attempt)
        try:
            verb(attempt if known else None)
        except ConflictError:
            assert not allowed
            return False
        assert allowed
        return True

    def end(self, job: Job, status: str) -> None:
        job.status, job.until = status, None

    def end_leases(self) -> None:
        for job in self.jobs.values():
            if job.until is not None and job.until <= self.clock():
                if job.attempts == 3:
                    self.end(job, "failed")
                else:
                    self.end(job, "pending")
                    job.progress = 0.0

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        stored = {
            s.id: (s.status, s.attempts, s.progress, s.priority, s.provider, s.lease_until)
            for s in self.room.sessions(limit=1000)
        }
        assert stored == {
            j.id: (j.status, j.attempts, j.progress, j.priority, j.worker, j.until)
            for j in self.jobs.values()
        }
        assert self.room.cache_usage().entries == len(self.made)


def test_a_queue_behaves_like_its_model(
    store: Store, files: list[str], clock: Clock, tmp_path: Path
) -> None:
    output = tmp_path / "made.mp4"
    output.touch()
    run_state_machine_as_test(
        lambda: LivingQueue(store, clock, files, output),
        settings=settings(max_examples=tries(20, 40), stateful_step_count=40),
    )
