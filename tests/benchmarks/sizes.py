"""How much is measured: enough to be told from noise, little enough to wait for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of rows, calls and repeats."""

    repeats: int
    files: int
    """In the library that is read, and in one that is scanned."""
    files_beside_readers: int
    """New files of a scan while other threads read as fast as they can."""
    files_beside_heartbeats: int
    plays: int
    users: int
    gets: int
    pages: int
    histories: int
    beats: int
    """Heartbeats, and reports of progress, of each thread."""
    durable_beats: int
    """Durable writes of each thread."""
    starts: int
    """Fresh processes of each kind."""
    growth: tuple[int, ...]
    """Files of the stores that a verb's cost is compared in, the smallest first."""
    growth_plays: tuple[int, ...]
    growth_calls: int
    threads: int = 8
    readers: int = 4


SIZES = {
    # Proves that everything runs: what it measures means nothing.
    "smoke": Sizes(
        repeats=1,
        files=120,
        files_beside_readers=120,
        files_beside_heartbeats=120,
        plays=400,
        users=4,
        gets=5,
        pages=2,
        histories=2,
        beats=2,
        durable_beats=1,
        starts=1,
        growth=(100, 200),
        growth_plays=(200, 400),
        growth_calls=2,
    ),
    "quick": Sizes(
        repeats=5,
        files=12_000,
        files_beside_readers=4_000,
        files_beside_heartbeats=20_000,
        plays=100_000,
        users=50,
        gets=2_000,
        pages=40,
        histories=200,
        beats=60,
        durable_beats=15,
        starts=5,
        growth=(10_000, 100_000),
        growth_plays=(20_000, 200_000),
        growth_calls=100,
    ),
    "full": Sizes(
        repeats=5,
        files=200_000,
        files_beside_readers=100_000,
        files_beside_heartbeats=100_000,
        plays=1_000_000,
        users=100,
        gets=10_000,
        pages=100,
        histories=500,
        beats=250,
        durable_beats=50,
        starts=15,
        growth=(10_000, 100_000, 1_000_000),
        growth_plays=(100_000, 1_000_000, 10_000_000),
        growth_calls=1_000,
    ),
}
