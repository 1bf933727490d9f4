"""A store that works for long holds no more memory, descriptors or log than at first."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from tests.support.forks import forks_of
from tests.support.torture import tries
from tests.torture.work import Work, make
from viewra_lite import Store

pytestmark = pytest.mark.timeout(tries(120, 1800))

# Until the page caches are full: 8 MiB for each connection.
WARM_UP = tries(1_000, 70_000)
WRITES = tries(1_500, 100_000)
MOST_GROWTH = 5 << 20  # bytes
LONGEST_LOG = 64 << 20  # bytes


def memory() -> int:
    """Return the bytes of this process that are in memory."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def soak(path: str) -> None:
    """Write and read, and compare memory, descriptors and log with those after the warm-up."""
    make(path)
    with Store.open(f"sqlite:///{path}") as store:
        one = Work(store, 1, lambda line: None)
        longest_log = done = 0

        def mixed(count: int) -> None:
            nonlocal longest_log, done
            for number in range(count):
                one.step()
                done += 1
                if number % 50 == 0:
                    store.media.movies(limit=20)
                    store.media.search("film")
                    store.playback.continue_watching("ann")
                    done += 3
                if number % 500 == 0:
                    longest_log = max(longest_log, os.path.getsize(path + "-wal"))

        mixed(WARM_UP)
        one.worst_s = 0.0
        before, open_before = memory(), descriptors()
        mixed(WRITES)
        growth, opened = memory() - before, descriptors() - open_before
    print(
        f"{done} operations: {growth / 2**20:+.1f} MiB after the warm-up, {opened:+d} descriptors, "
        f"log at most {longest_log / 2**20:.1f} MiB, worst write {one.worst_s * 1000:.0f} ms"
    )
    assert growth <= MOST_GROWTH
    assert opened == 0
    assert longest_log <= LONGEST_LOG


def test_a_long_run_holds_no_more_than_a_short_one(tmp_path: Path) -> None:
    with forks_of("tests.torture.test_soak") as forks:
        ended = forks.call("soak", str(tmp_path / "viewra.db"))
    print(ended.out)
    assert ended.code == 0, ended.out
