"""The workers: every file gets an answer, whatever becomes of the process that looked at it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.media import garbage, write_video, zero_bytes
from viewra_lite.media.probing.workers import pool as workers
from viewra_lite.media.probing.probe import EXTRAS, Probe, probe
from viewra_lite.media.probing.workers.worker import NICENESS, serve
from viewra_lite.media.probing.workers.pool import ProbePool

for extra in EXTRAS:
    pytest.importorskip(extra)

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="Windows probes in-process"),
    pytest.mark.timeout(120),
]

TIMEOUT_S = 60.0
Asked = tuple[int, str, str, str]


def library(root: Path) -> list[Asked]:
    """Ten files, two of them broken, one gone."""
    paths = [write_video(root / f"Film {n} (199{n}).mkv", seed=n) for n in range(7)]
    paths += [zero_bytes(root / "Empty (2001).mkv"), garbage(root / "Noise (2002).mkv")]
    paths += [root / "Gone (2003).mkv"]
    return [(key, str(path), "movie", str(root)) for key, path in enumerate(paths)]


def expected(asked: list[Asked]) -> dict[int, Probe]:
    return {key: probe(path, kind, root) for key, path, kind, root in asked}


def is_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_every_file_is_answered_once(tmp_path: Path, workers: int):
    asked = library(tmp_path)
    with ProbePool(workers, TIMEOUT_S) as pool:
        answers = list(pool.map(asked))
        assert len(pool.pids) == workers
    assert len(answers) == len(asked)
    assert dict(answers) == expected(asked)


def test_no_more_workers_start_than_there_are_files(tmp_path: Path):
    asked = library(tmp_path)
    with ProbePool(8, TIMEOUT_S) as pool:
        assert pool.pids == []
        assert list(pool.map([])) == [] and pool.pids == []
        assert len(list(pool.map(asked[:1]))) == 1 and len(pool.pids) == 1


def test_workers_are_kept_from_one_map_to_the_next(tmp_path: Path):
    asked = library(tmp_path)
    with ProbePool(1, TIMEOUT_S) as pool:
        assert len(list(pool.map(asked))) == len(asked)
        pids = pool.pids
        assert len(list(pool.map(asked))) == len(asked)
        assert pool.pids == pids


def test_answers_come_in_the_order_of_requests_whatever_takes_longest(tmp_path: Path):
    asked = library(tmp_path)
    with ProbePool(3, TIMEOUT_S) as pool:
        list(pool.map(asked[:3]))
        victim = pool.pids[0]

        def requests() -> Iterator[Asked]:
            os.kill(victim, signal.SIGSTOP)
            yield from asked[:8]
            os.kill(victim, signal.SIGCONT)
            yield from asked[8:]

        assert [key for key, _ in pool.map(requests())] == [key for key, *_ in asked]
        assert victim in pool.pids


def test_a_file_that_hangs_holds_back_a_bounded_number_of_others_and_no_longer_than_its_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked, taken = library(tmp_path), []
    monkeypatch.setattr(workers, "AHEAD", 5)
    with ProbePool(2, TIMEOUT_S) as pool:
        list(pool.map(asked[:2]))
        stopped = pool._workers[0]
        victim = stopped.pid
        os.kill(victim, signal.SIGSTOP)  # as a dead disk stops a process

        def requests() -> Iterator[Asked]:
            for one in asked:
                taken.append(one[0])
                if len(taken) == 5:  # its time is over soon, and no other's on a busy machine
                    stopped.deadline = time.monotonic() + 0.3
                yield one

        answers = pool.map(requests())
        key, late = next(answers)
        assert (key, late.error, late.size) == (0, "the probe took longer than 60 s", 0)
        assert late.is_late and late.name is not None  # its name is known all the same
        assert taken == [0, 1, 2, 3, 4]
        assert is_ended(victim) and victim not in pool.pids
        assert dict(answers) == {key: found for key, found in expected(asked).items() if key}


def test_requests_are_taken_only_as_workers_are_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked, taken = library(tmp_path), 0
    monkeypatch.setattr(workers, "AHEAD", 4)

    def requests() -> Iterator[Asked]:
        nonlocal taken
        for one in asked:
            taken += 1
            yield one

    with ProbePool(2, TIMEOUT_S) as pool:
        for answered, _ in enumerate(pool.map(requests()), start=1):
            assert taken <= answered + 4


def test_a_killed_worker_costs_one_file(tmp_path: Path):
    asked = library(tmp_path)
    with ProbePool(2, TIMEOUT_S) as pool:
        list(pool.map(asked[:2]))
        victim = pool.pids[0]

        def requests() -> Iterator[Asked]:
            os.kill(victim, signal.SIGSTOP)  # so that it surely still has its file when it dies
            yield asked[0]
            os.kill(victim, signal.SIGKILL)
            yield from asked[1:]

        answers = dict(pool.map(requests()))
        assert victim not in pool.pids and is_ended(victim)
    wanted = expected(asked)
    crashed = answers.pop(0)
    assert crashed.error == "the probe crashed on this file (signal 9)"
    assert (crashed.name, crashed.fingerprint) == (wanted[0].name, wanted[0].fingerprint)
    assert answers == {key: found for key, found in wanted.items() if key != 0}


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="the system cannot wait without reaping")
def test_a_worker_that_died_while_idle_costs_nothing(tmp_path: Path):
    asked = library(tmp_path)
    with ProbePool(1, TIMEOUT_S) as pool:
        list(pool.map(asked[:1]))
        victim = pool.pids[0]
        os.kill(victim, signal.SIGKILL)
        os.waitid(os.P_PID, victim, os.WEXITED | os.WNOWAIT)
        assert dict(pool.map(asked)) == expected(asked)


def test_leaving_early_ends_the_workers(tmp_path: Path):
    asked, before = library(tmp_path), open_files()
    pool = ProbePool(2, TIMEOUT_S)
    answers = pool.map(asked)
    next(answers)
    pids = pool.pids
    answers.close()
    assert pids and all(is_ended(pid) for pid in pids) and pool.pids == []
    assert open_files() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_ends_the_workers(tmp_path: Path, error: type[BaseException]):
    asked, before, pids = library(tmp_path), open_files(), []

    def requests() -> Iterator[Asked]:
        yield from asked[:4]
        pids.extend(pool.pids)
        raise error

    with pytest.raises(error), ProbePool(2, TIMEOUT_S) as pool:
        list(pool.map(requests()))
    assert pids and all(is_ended(pid) for pid in pids)
    assert open_files() == before


@pytest.mark.parametrize("executable", ["/nowhere/python", "/bin/false", "/bin/cat", ""])
def test_where_no_worker_can_start_the_pool_probes_itself(
    tmp_path: Path, executable: str, monkeypatch: pytest.MonkeyPatch
):
    asked, before = library(tmp_path), open_files()
    monkeypatch.setattr(sys, "executable", executable)
    with ProbePool(2, TIMEOUT_S) as pool:
        assert dict(pool.map(asked)) == expected(asked)
        assert pool.pids == []
    assert open_files() == before


def test_a_frozen_program_probes_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    asked = library(tmp_path)
    with ProbePool(2, TIMEOUT_S) as pool:
        assert dict(pool.map(asked)) == expected(asked)
        assert pool.pids == []


def started(code: str) -> subprocess.Popen[bytes]:
    """Start a worker by hand; code runs with its module as `worker`."""
    prelude = f"import sys; sys.path[:] = sys.argv[1:]; import {serve.__module__} as worker\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def given(worker: subprocess.Popen[bytes], asked: Asked) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(asked[1:]).encode() + b"\n")
    worker.stdin.flush()


# A pattern keeps the interpreter busy in C, as a parser does: no thread of Python gets a turn.
HANGS = "worker.probe = lambda *file: __import__('re').match('(a+)+b', 'a' * 99)\n"


def test_a_worker_that_hangs_ends_by_itself_when_its_server_has_not_seen_to_it(tmp_path: Path):
    with started(HANGS + "worker.ALARM_GRACE_S = 0\nworker.serve(0.2)") as worker:
        given(worker, library(tmp_path)[0])
        assert worker.wait(TIMEOUT_S) == -signal.SIGALRM


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system cannot wait for any process")
def test_a_worker_that_is_busy_ends_with_a_server_that_is_killed(tmp_path: Path):
    busy = "worker.WATCH_S = 0.05\nworker.probe = lambda *file: [None for _ in iter(int, 1)]\n"
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import json, subprocess, sys; code, line = sys.argv[1:3]\n"
                "worker = subprocess.Popen([sys.executable, '-c', code, *sys.argv[3:]],"
                " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
                "worker.stdout.readline(); worker.stdin.write(line.encode())\n"
                "worker.stdin.flush()\n"
                "print(worker.pid, flush=True); sys.stdin.read()"
            ),
            f"import sys; sys.path[:] = sys.argv[1:]; import {serve.__module__} as worker\n{busy}"
            f"worker.serve({TIMEOUT_S})",
            json.dumps(library(tmp_path)[0][1:]) + "\n",
            *sys.path,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with server:
        assert server.stdout is not None
        ended = os.pidfd_open(int(server.stdout.readline()))
        server.kill()
        assert select.select([ended], [], [], TIMEOUT_S)[0] == [ended]
        os.close(ended)


def test_a_file_that_needs_too_much_memory_is_given_up(tmp_path: Path):
    asked = library(tmp_path)[0]
    greedy = (
        "import viewra_lite.media.probing.probe as p; p.parsed = lambda path: bytearray(2 ** 31)\n"
    )
    with started(greedy + f"worker.serve({TIMEOUT_S})") as worker:
        given(worker, asked)
        assert worker.stdout is not None and worker.stdin is not None
        _, answer = worker.stdout.readline(), worker.stdout.readline()
        found = Probe.from_json(json.loads(answer))
        assert found.error == "cannot be read: it takes too much memory"
        worker.stdin.close()
        assert worker.wait(TIMEOUT_S) == 0


def test_workers_give_way_to_the_server(tmp_path: Path):
    with ProbePool(1, TIMEOUT_S) as pool:
        list(pool.map(library(tmp_path)[:1]))
        [pid] = pool.pids
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(own + NICENESS, 19)


def served(code: str, asked: list[Asked]) -> list[str]:
    """Run a worker by hand until its stdin ends; it has to end by itself."""
    lines = "".join(json.dumps(one[1:]) + "\n" for one in asked)
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:] = sys.argv[1:]; {code}", *sys.path],
        input=lines.encode(),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return ended.stdout.decode("ascii").splitlines()


def test_a_worker_ends_when_its_parent_does(tmp_path: Path):
    asked = library(tmp_path)[:2]
    ready, *answers = served(f"from {serve.__module__} import serve; serve({TIMEOUT_S})", asked)
    assert ready == "ready"
    assert [Probe.from_json(json.loads(line)) for line in answers] == list(expected(asked).values())


def test_what_a_library_prints_does_not_reach_the_answers(tmp_path: Path):
    asked = library(tmp_path)[:1]
    noisy = (
        f"import os, {serve.__module__} as workers; real = workers.probe; "
        "workers.probe = lambda *file: (os.write(1, b'noise'), print(1), real(*file))[2]; "
        f"workers.serve({TIMEOUT_S})"
    )
    ready, answer = served(noisy, asked)
    assert Probe.from_json(json.loads(answer)) == expected(asked)[0]
