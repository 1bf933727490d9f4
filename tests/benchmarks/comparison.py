"""Everybody side by side, in interleaved repeats: the rows that all contenders take part in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from . import template
from .contenders import OURS
from .results import Row, medians, plain_row, ratio_row
from .sizes import SIZES
from .threads import Sample
from .workers import Worker

Samples = dict[str, dict[str, list[Sample]]]  # operation, contender
Say = Callable[[str], None]
_READING = ("file", "movies", "history", "every_file")
_ROUNDS = 3  # of the reading calls in each repeat: they are short, and a hiccup is not
_PLAYING = ("heartbeat", "set_progress")


def compare(folder: Path, names: Sequence[str], size: str, say: Say) -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    sizes = SIZES[size]
    empty = template.make(folder / "empty.db", 0, 0, sizes.users)
    say(f"filling a store of {sizes.files:,} files and {sizes.plays:,} plays")
    filled = template.make(folder / "filled.db", sizes.files, sizes.plays, sizes.users)
    found = _scans(empty, filled, names, size, say)
    found |= _calls(filled, names, size, say)
    for path in (empty, filled):
        template.remove(path)
    yield from _rows(found, size)


def _scans(empty: Path, filled: Path, names: Sequence[str], size: str, say: Say) -> Samples:
    """Measure scans, each in a fresh process on a fresh database."""
    found: Samples = {}
    contenders = [name for name in names if name not in ("raw_busy", "raw_full")]
    for repeat, name in _interleaved(contenders, SIZES[size].repeats):
        say(f"scans, repeat {repeat + 1}: {name}")
        with Worker(name, empty, size) as worker:
            _note(found, "scan", name, worker.ask("scan_check", "scan"))
            _note(found, "rescan", name, worker.ask("rescan"))
        with Worker(name, filled, size) as worker:
            sample = worker.ask("file_check", "scan_beside_readers")
            _note(found, "scan_beside_readers", name, sample)
        if name in OURS:
            with Worker(name, filled, size) as worker:
                _note(found, "scan_alone", name, worker.ask("scan_alone"))
            with Worker(name, filled, size) as worker:
                sample = worker.ask("scan_beside_heartbeats")
                _note(found, "scan_beside_heartbeats", name, sample)
    return found


def _calls(filled: Path, names: Sequence[str], size: str, say: Say) -> Samples:
    """Measure calls, each contender in one process throughout."""
    found: Samples = {}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(Worker(name, filled, size)) for name in names}
        operations = [
            (operation, _asked(operation, workers))
            for operation in (*_READING, *_PLAYING, "durable", "durable_in_turn")
        ]
        for operation, asked in operations:
            for name in asked:
                if not operation.startswith("durable"):
                    workers[name].ask(f"{operation}_check", operation)  # and warm up
        for repeat in range(SIZES[size].repeats):
            say(f"calls, repeat {repeat + 1}")
            for operation, asked in operations:
                rounds = _ROUNDS if operation in _READING else 1
                for _, name in _interleaved(asked, rounds, repeat):
                    _note(found, operation, name, workers[name].ask(operation))
    return found


def _asked(operation: str, workers: dict[str, Worker]) -> list[str]:
    """Return who takes part in an operation."""
    if operation.startswith("durable"):
        takers = OURS if operation == "durable" else ("raw_full",)
        return [name for name in takers if name in workers]
    absent = ("raw_full",) if operation in _PLAYING else ("raw_full", "raw_busy")
    return [name for name in workers if name not in absent]


def _interleaved(names: Sequence[str], repeats: int, first: int = 0) -> Iterator[tuple[int, str]]:
    """Yield (repeat, name): everybody once in each repeat, another one first each time."""
    for repeat in range(repeats):
        start = (first + repeat) % len(names)
        for name in (*names[start:], *names[:start]):
            yield repeat, name


def _note(found: Samples, operation: str, name: str, sample: Sample) -> None:
    found.setdefault(operation, {}).setdefault(name, []).append(sample)


def _rows(samples: Samples, size: str) -> Iterator[Row]:
    sizes = SIZES[size]
    found = {
        operation: {name: medians(each) for name, each in by_name.items()}
        for operation, by_name in samples.items()
    }
    yield ratio_row("scan", f"scan of {sizes.files:,} new files", 1.10, found["scan"])
    yield ratio_row(
        "rescan", "rescan, nothing changed", 0.35, found["rescan"], note="raw upserts every row"
    )
    yield ratio_row("file", "a file by its id", 1.5, found["file"])
    yield ratio_row("movies", "movies(): a page of 50", 1.7, found["movies"])
    yield from _reports(found, "heartbeat", sizes.threads)
    yield from _reports(found, "set_progress", sizes.threads)
    yield ratio_row("history", f"history(): 50 of {sizes.plays:,}", 1.4, found["history"])
    yield ratio_row("every_file", "every file, page after page", 1.8, found["every_file"])
    beside = found["scan_beside_readers"]
    title = f"scan of {sizes.files_beside_readers:,} beside {sizes.readers} readers"
    yield ratio_row("scan_beside_readers", title, 1.15, beside)
    yield plain_row(
        "reads_beside_scan",
        "p99 of a read beside a scan",
        "ms",
        1.0,
        beside,
        "p99_ms",
        note=f"{beside['ours']['idle_p99_ms']:.1f} without a scan",
    )
    yield plain_row(
        "reads_kept",
        "share of reads kept beside a scan",
        "share",
        0.8,
        beside,
        "kept",
        at_least=True,
    )
    yield from _heartbeats_beside_a_scan(found)
    yield ratio_row(
        "durable",
        f"durable writes of {sizes.threads} threads (raw: one by one)",
        0.25,
        {**found["durable"], "raw": found["durable_in_turn"]["raw_full"]},
    )


def _reports(found: dict[str, dict[str, Sample]], name: str, threads: int) -> Iterator[Row]:
    """Return the time of reports, their tail, and their worst."""
    details = found[name]
    # Which of raw's two ways is the better one is for the machine to say.
    best = min(("raw", "raw_busy"), key=lambda way: details[way]["wall"])
    how = "one lock" if best == "raw" else "busy_timeout"
    shown = {who: sample for who, sample in details.items() if who not in ("raw", "raw_busy")}
    shown["raw"] = details[best]
    yield ratio_row(name, f"{name}(), {threads} threads", 1.3, shown, note=f"raw with {how}")
    yield plain_row(f"{name}_worst", f"{name}(): the worst write", "ms", 50.0, shown, "worst_ms")
    if name == "heartbeat":
        p99 = {
            who: sample["p99_ms"] / details["raw_busy"]["p99_ms"] for who, sample in shown.items()
        }
        yield Row(
            "heartbeat_p99",
            "heartbeat(): p99 against raw's with busy_timeout",
            "x raw p99",
            1.0,
            p99,
            details=details,
        )


def _heartbeats_beside_a_scan(found: dict[str, dict[str, Sample]]) -> Iterator[Row]:
    beside, alone = found["scan_beside_heartbeats"], found["scan_alone"]
    yield plain_row(
        "heartbeats_beside_scan", "p99 of a heartbeat beside a scan", "ms", 25.0, beside, "p99_ms"
    )
    slower = {name: sample["wall"] / alone[name]["wall"] for name, sample in beside.items()}
    yield Row(
        "scan_beside_heartbeats",
        "scan beside heartbeats, against alone",
        "x alone",
        1.3,
        slower,
        details={"beside": beside["ours"], "alone": alone["ours"]},
    )
