"""What is measured of every contender: a check that it does the same, and the timed call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import perf_counter, process_time, thread_time
from typing import Any

from . import expected, rows
from .contender import Contender
from .sizes import Sizes
from .threads import Companions, Sample, in_threads, latencies

_CHECKED_FILES = 60
_PAGE = 50
_BEATS_EVERY_S = 0.1  # seconds: eight threads of them are a house of 800 players


@dataclass
class World:
    """A contender with the database that it has open."""

    contender: Contender
    sizes: Sizes
    sessions: list[str] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    """The last position that each kind of report has told, in seconds."""
    runs: Iterator[int] = field(default_factory=count)


def scan_check(world: World) -> None:
    """Scan a few files twice into the library that is not measured."""
    contender, root = world.contender, rows.ROOTS[rows.KNOWN]
    facts = rows.facts(_CHECKED_FILES, root)
    contender.scan(rows.KNOWN, contender.taken(facts))
    ids = expected.scanned(contender, rows.KNOWN, facts)
    contender.rescan(rows.KNOWN, contender.taken(facts))
    assert expected.scanned(contender, rows.KNOWN, facts) == ids


def scan(world: World) -> Sample:
    """Scan new files into an empty library."""
    facts = rows.facts(world.sizes.files, rows.ROOTS[rows.SCANNED])
    return _scanned(world, facts, world.contender.scan)


def rescan(world: World) -> Sample:
    """Scan the same files again; after scan()."""
    facts = rows.facts(world.sizes.files, rows.ROOTS[rows.SCANNED])
    return _scanned(world, facts, world.contender.rescan)


def scan_alone(world: World) -> Sample:
    """Scan new files into a store that is in use."""
    facts = rows.facts(world.sizes.files_beside_heartbeats, rows.ROOTS[rows.SCANNED])
    return _scanned(world, facts, world.contender.scan)


def scan_beside_readers(world: World) -> Sample:
    """Scan while threads read one file after the other, as fast as they can."""
    contender, sizes = world.contender, world.sizes
    files = _told(contender, sizes.files_beside_readers)

    def read(number: int, step: int) -> None:
        contender.file(rows.number_id("file", (number + step * 7919) % sizes.files))

    readers = Companions(sizes.readers, read, contender.leave_thread)
    idle_s = 0.5 if sizes.repeats > 1 else 0.01
    readers.wait(idle_s / 2)
    readers.phase("idle")
    readers.wait(idle_s)
    try:
        sample = _scan_beside(contender, files, readers)
    finally:
        took = readers.end()
    idle, busy = len(took["idle"]) / idle_s, len(took["scan"]) / sample["wall"]
    return {
        **sample,
        **latencies(took["scan"]),
        "kept": busy / idle if idle else 0.0,
        "idle_p99_ms": latencies(took["idle"])["p99_ms"],
    }


def scan_beside_heartbeats(world: World) -> Sample:
    """Scan while threads send ten heartbeats a second each."""
    contender, sizes = world.contender, world.sizes
    sessions = contender.sessions(range(sizes.threads))
    files = _told(contender, sizes.files_beside_heartbeats)
    beating = Companions(
        sizes.threads,
        lambda number, step: contender.heartbeat(sessions[number], float(step)),
        contender.leave_thread,
        _BEATS_EVERY_S,
    )
    try:
        sample = _scan_beside(contender, files, beating)
    finally:
        took = beating.end()
    return {**sample, **latencies(took["scan"])}


def _told(contender: Contender, files: int) -> tuple[list[Any], Any]:
    """Return what a scan finds, as it is and as the contender takes it.

    Made before anybody else works: they would wait for the interpreter while it is made.
    """
    facts = rows.facts(files, rows.ROOTS[rows.SCANNED])
    return facts, contender.taken(facts)


def _scan_beside(
    contender: Contender, files: tuple[list[Any], Any], companions: Companions
) -> Sample:
    facts, taken = files
    gc.collect()
    companions.phase("scan")
    cpu, wall = thread_time(), perf_counter()
    contender.scan(rows.SCANNED, taken)
    sample = {"wall": perf_counter() - wall, "cpu": thread_time() - cpu}
    companions.phase("after")
    expected.counted(contender, rows.SCANNED, facts)
    return sample


def _scanned(world: World, facts: list[Any], write: Callable[[str, Any], None]) -> Sample:
    taken = world.contender.taken(facts)
    with _timed() as sample:
        write(rows.SCANNED, taken)
    expected.counted(world.contender, rows.SCANNED, facts)
    return sample


# Reading


def file_check(world: World) -> None:
    """Compare some files with what they are."""
    for number in range(0, world.sizes.files, max(1, world.sizes.files // 20)):
        found = world.contender.file(rows.number_id("file", number))
        expected.same(
            world.contender.columns(found, "media_files"), rows.file(number), "media_files"
        )


def file(world: World) -> Sample:
    """Get one file after the other, in no order."""
    sizes, get = world.sizes, world.contender.file
    ids = [rows.number_id("file", number * 7919 % sizes.files) for number in range(sizes.gets)]
    with _timed() as sample:
        for id in ids:
            get(id)
    return sample


def movies_check(world: World) -> None:
    """Compare the first page with what it should be."""
    contender = world.contender
    page = contender.movies(rows.KNOWN, _PAGE)
    assert len(page) == _PAGE
    for number, movie in enumerate(page):
        expected.same(contender.columns(movie, "movies"), rows.movie(number), "movies")
        file = contender.columns(contender.file_of(movie), "media_files")
        expected.same(file, rows.file(number), "media_files")


def movies(world: World) -> Sample:
    """Get the first page again and again."""
    get = world.contender.movies
    with _timed() as sample:
        for _ in range(world.sizes.pages):
            get(rows.KNOWN, _PAGE)
    return sample


def history_check(world: World) -> None:
    """Compare the first user's and the last one's latest plays with what they should be."""
    sizes, contender = world.sizes, world.contender
    for number in (0, sizes.users - 1):
        page = contender.history(rows.user(number), _PAGE)
        wanted = rows.latest_plays(number, sizes.plays, sizes.users, _PAGE)
        assert len(page) == len(wanted) == _PAGE
        for play, one in zip(page, wanted):
            row = rows.play(one, sizes.users, sizes.files)
            expected.same(contender.columns(play, "playback_history"), row, "playback_history")


def history(world: World) -> Sample:
    """Get the latest plays of one user after the other."""
    sizes, get = world.sizes, world.contender.history
    users = [rows.user(number % sizes.users) for number in range(sizes.histories)]
    with _timed() as sample:
        for user in users:
            get(user, _PAGE)
    return sample


def every_file_check(world: World) -> None:
    """Compare the order of all files, and some of them, with what they should be."""
    contender, seen = world.contender, 0
    for page in contender.every_file(rows.KNOWN):
        for item in (page[0], page[-1]):
            number = seen if item is page[0] else seen + len(page) - 1
            found = contender.columns(item, "media_files")
            expected.same(found, rows.file(number), "media_files")
        seen += len(page)
    assert seen == world.sizes.files


def every_file(world: World) -> Sample:
    """Get all files of a library, page after page."""
    with _timed() as sample:
        seen = sum(len(page) for page in world.contender.every_file(rows.KNOWN))
    assert seen == world.sizes.files
    return sample


# Playing


def heartbeat_check(world: World) -> None:
    """Begin the sessions, and send each a first and a second heartbeat."""
    contender = world.contender
    world.sessions = contender.sessions(range(world.sizes.threads))
    for position in (1, 2):
        for number, id in enumerate(world.sessions):
            contender.heartbeat(id, float(position))
            expected.beaten(contender, id, number, position)
    world.positions["heartbeat"] = 2


def heartbeat(world: World) -> Sample:
    """Send heartbeats, each thread to a session of its own."""
    contender = world.contender

    def beat(number: int, position: float) -> None:
        contender.heartbeat(world.sessions[number], position)

    sample, last = _reported(world, "heartbeat", beat)
    for number, id in enumerate(world.sessions):
        expected.beaten(contender, id, number, last)
    return sample


def set_progress_check(world: World) -> None:
    """Report progress without a session, twice for each thread."""
    contender = world.contender
    for position in (1, 2):
        for number in range(world.sizes.threads):
            user, file_id = _listener(number)
            contender.set_progress(user, file_id, float(position))
            expected.reported(contender, user, file_id, position)
    world.positions["set_progress"] = 2


def set_progress(world: World) -> Sample:
    """Report progress, each thread for a user of its own."""
    contender = world.contender

    def report(number: int, position: float) -> None:
        contender.set_progress(*_listener(number), position)

    sample, last = _reported(world, "set_progress", report)
    for number in range(world.sizes.threads):
        expected.reported(contender, *_listener(number), last)
    return sample


def _listener(number: int) -> tuple[str, str]:
    return f"listener-{number}", rows.number_id("file", number)


def _reported(
    world: World, kind: str, report: Callable[[int, float], None]
) -> tuple[Sample, float]:
    """Report one second further each time: somebody plays on, and does not jump."""
    first = world.positions[kind] + 1
    last = world.positions[kind] = first + world.sizes.beats

    def work(number: int) -> Iterator[None]:
        for position in range(first, last + 1):
            report(number, float(position))
            yield

    gc.collect()
    return in_threads(world.sizes.threads, work, world.contender.leave_thread), float(last)


def durable(world: World) -> Sample:
    """Mark files as watched, each on disk before the call returns: in threads."""
    return _marked(
        world, lambda work: in_threads(world.sizes.threads, work, world.contender.leave_thread)
    )


def durable_in_turn(world: World) -> Sample:
    """Mark as many files as watched one by one."""

    def run(work: Callable[[int], Iterator[None]]) -> Sample:
        steps = [work(number) for number in range(world.sizes.threads)]
        for each in steps:
            next(each)
        with _timed() as sample:
            for each in steps:
                for _ in each:
                    pass
        return sample

    return _marked(world, run)


def _marked(world: World, run: Callable[[Callable[[int], Iterator[None]]], Sample]) -> Sample:
    contender: Any = world.contender
    threads, beats = world.sizes.threads, world.sizes.durable_beats
    run_number = next(world.runs)

    def work(number: int) -> Iterator[None]:
        for step in range(beats + 1):
            user = f"marker-{run_number}-{number}"
            file_id = rows.number_id("file", step)
            contender.mark_watched(user, file_id)
            yield

    gc.collect()
    sample = run(work)
    [(marked,)] = contender.selected(
        "SELECT count(*) FROM user_media_progress WHERE completed AND user_id "
        f"LIKE 'marker-{run_number}-%'"
    )
    assert marked == threads * (beats + 1)
    return sample


@contextmanager
def _timed() -> Iterator[Sample]:
    sample: Sample = {}
    gc.collect()
    cpu, wall = process_time(), perf_counter()
    yield sample
    sample["wall"], sample["cpu"] = perf_counter() - wall, process_time() - cpu
