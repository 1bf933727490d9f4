"""The sample server: many viewers beside a scan, and a server that is killed and started again."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import write_video
from tests.support.processes import ROOT, environment, eventually
from tests.support.torture import tries
from viewra_lite import FileFacts, Store

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
VIEWERS = 50
OTHERS = tries(60, 600)
LENGTH_S = 7200.0
STEP_S = 7200.0 / 16
SECONDS = tries(4, 30)


class Server:
    """A server in a process of its own, with two workers."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self.folder, self.port = folder, 0
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self.folder / "server.log"
        log.write_bytes(b"")
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.server", "--port", str(self.port)]
                + ["--workers", str(self._workers)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
                env=environment(),
            )
        eventually(self._is_up, within_s=90)
        self.port = int(_ADDRESS.search(self.log())[1])  # type: ignore[index]

    def _is_up(self) -> bool:
        log = self.log()
        started = log.count("Application startup complete")
        return started == self._workers and _ADDRESS.search(log) is not None

    def end(self, number: int) -> None:
        """Send a signal to the server and its workers, and wait until all have ended."""
        assert self._process is not None
        if number == signal.SIGKILL:
            os.killpg(self._process.pid, number)
        else:
            self._process.send_signal(number)
        self._process.wait(60)
        self._process = None

    def log(self) -> str:
        return (self.folder / "server.log").read_text()


@contextmanager
def serving(folder: Path, workers: int = 2) -> Iterator[Server]:
    server = Server(folder, workers)
    server.start()
    try:
        yield server
    finally:
        if server._process is not None:
            server.end(signal.SIGKILL)


class Client:
    """A user's connection, kept open as a player keeps it."""

    def __init__(self, port: int, user: str = "ann") -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"X-User": user}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
        text = None if body is None else json.dumps(body)
        self._http.request(method, path, text, {**self._headers, **headers})
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def get(self, path: str) -> Any:
        status, body = self.ask("GET", path)
        assert status == 200, body
        return json.loads(body)

    def send(self, method: str, path: str, body: object = None) -> Any:
        status, answer = self.ask(method, path, body)
        assert status in (200, 201, 202), answer
        return json.loads(answer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of two libraries: films of two hours that are known, and others, not yet scanned."""
    known, other = tmp_path / "Films", tmp_path / "More"
    for number in range(VIEWERS):
        write_video(known / f"Film {number} (2001).mkv", seed=number)
    for number in range(OTHERS):
        write_video(other / f"Other {number} (2002).mkv", seed=1000 + number)
    with Store.open(f"sqlite:///{tmp_path}/viewra-data/viewra.db") as store:
        library = store.media.add_library("Films", known, "movie")
        store.media.add_library("More", other, "movie")
        with store.media.reconcile(library.id) as files:
            for path in known.iterdir():
                facts = path.stat()
                files.add(FileFacts(str(path), facts.st_size, facts.st_mtime_ns, duration=LENGTH_S))
        for number, file in enumerate(store.media.files(library.id, limit=VIEWERS).items):
            store.media.save_movie(library.id, title=f"Film {number}", media_file=file.id)
    return tmp_path


@dataclass
class Viewer:
    """Plays one film to its end, and looks around meanwhile."""

    number: int
    film: str
    session: str = ""
    position: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def user(self) -> str:
        return f"user {self.number}"

    def begin(self, client: Client) -> None:
        started = client.send("POST", "/sessions", {"media_file_id": self.film})
        self.session = started["id"]

    def beat(self, client: Client) -> None:
        there = (self.position + STEP_S) % (LENGTH_S / 2)
        began = time.perf_counter()
        client.send("POST", f"/sessions/{self.session}", {"position": there})
        self.times.append(time.perf_counter() - began)
        self.position = there

    def look_around(self, client: Client, turn: int) -> None:
        if turn % 4 == 0:
            assert client.get("/movies")["items"]
        elif turn % 4 == 1:
            found = client.get(f"/search?q=film%20{self.number}")
            assert any(hit["title"] == f"Film {self.number}" for hit in found)
        elif turn % 4 == 2:
            status, part = client.ask("GET", f"/files/{self.film}/stream", Range="bytes=100-1123")
            assert (status, len(part)) == (206, 1024)
        else:
            assert "continue" in client.get("/home")

    def end(self, client: Client) -> None:
        client.send("POST", f"/sessions/{self.session}", {"position": LENGTH_S - 1})
        client.send("DELETE", f"/sessions/{self.session}")


def each(viewers: list[Viewer], port: int, do: Callable[[Viewer, Client], object]) -> None:
    """Let all viewers do something at once, each in a thread with a connection of its own."""
    errors: list[BaseException] = []

    def work(viewer: Viewer) -> None:
        try:
            with Client(port, viewer.user) as client:
                do(viewer, client)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=work, args=[viewer]) for viewer in viewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, f"{len(errors)} of {len(viewers)}: {errors[:3]}"


def viewers_of(client: Client) -> list[Viewer]:
    films: list[Any] = []
    page = {"next": ""}
    while page["next"] is not None:
        page = client.get(f"/movies?after={page['next']}" if page["next"] else "/movies")
        films += page["items"]
    return [Viewer(number, film["media_file"]) for number, film in enumerate(films)]


def plays(folder: Path, viewers: list[Viewer]) -> list[list[bool]]:
    """Return what each viewer has watched, to the end or not."""
    with Store.open(f"sqlite:///{folder}/viewra-data/viewra.db") as store:
        return [
            [play.completed for play in store.playback.history(user_id=one.user).items]
            for one in viewers
        ]


def test_fifty_viewers_beside_a_scan_see_no_error(folder: Path) -> None:
    with serving(folder) as server, Client(server.port) as client:
        viewers = viewers_of(client)
        assert len(viewers) == VIEWERS
        each(viewers, server.port, Viewer.begin)
        library = next(one for one in client.get("/libraries")["items"] if one["name"] == "More")
        client.send("POST", f"/libraries/{library['id']}/scan")
        never = threading.Event()

        def watch(viewer: Viewer, client: Client) -> None:
            never.wait(viewer.number / VIEWERS)
            for turn in range(SECONDS):
                began = time.monotonic()
                viewer.beat(client)
                viewer.look_around(client, viewer.number + turn)
                never.wait(began + 1 - time.monotonic())

        each(viewers, server.port, watch)
        each(viewers, server.port, Viewer.end)
        eventually(lambda: is_scanned(client, library["id"]), within_s=90)
        server.end(signal.SIGTERM)
        assert "Traceback" not in server.log()
    times = sorted(time for viewer in viewers for time in viewer.times)
    p99 = times[len(times) * 99 // 100]
    print(
        f"{VIEWERS} viewers, {len(times)} heartbeats, p50 {times[len(times) // 2] * 1000:.0f} ms,"
    )
    print(f"p99 {p99 * 1000:.0f} ms, worst {times[-1] * 1000:.0f} ms")
    assert plays(folder, viewers) == [[True]] * VIEWERS


def test_a_killed_server_starts_again_and_everyone_resumes(folder: Path) -> None:
    with serving(folder) as server:
        with Client(server.port) as client:
            viewers = viewers_of(client)
        each(viewers, server.port, Viewer.begin)
        for _ in range(3):
            each(viewers, server.port, Viewer.beat)
        server.end(signal.SIGKILL)
        server.start()

        def resume(viewer: Viewer, client: Client) -> None:
            [begun] = client.get("/home")["continue"]
            assert begun["progress"]["position"] == viewer.position
            viewer.beat(client)
            viewer.end(client)

        each(viewers, server.port, resume)
        server.end(signal.SIGTERM)
    assert plays(folder, viewers) == [[True]] * VIEWERS


def test_a_server_that_is_told_to_stop_cancels_its_scan_and_closes_its_store(folder: Path) -> None:
    with serving(folder, workers=1) as server, Client(server.port) as client:
        library = next(one for one in client.get("/libraries")["items"] if one["name"] == "More")
        client.send("POST", f"/libraries/{library['id']}/scan")
        eventually(lambda: any(scan["running"] for scan in client.get("/scans")["items"]))
        server.end(signal.SIGTERM)
        assert "Traceback" not in server.log()
    with Store.open(f"sqlite:///{folder}/viewra-data/viewra.db") as store:
        assert not any(scan.running for scan in store.media.scans())
        store.media.scan(library["id"])
        assert len(store.media.files(library["id"], limit=1000).items) == OTHERS


def test_a_request_that_is_wrong_gets_the_words_of_the_store(folder: Path) -> None:
    with serving(folder, workers=1) as server, Client(server.port) as client:
        [film] = client.get("/movies?limit=1")["items"][:1]
        answers = {
            ("GET", "/movies/none"): 404,
            ("GET", "/files/none/stream"): 404,
            ("GET", "/movies?after=nonsense"): 400,
            ("POST", "/libraries/none/scan"): 404,
            ("DELETE", "/sessions/none"): 404,
        }
        for (method, path), expected in answers.items():
            status, body = client.ask(method, path)
            assert status == expected, path
            assert "error" in json.loads(body)
        session = client.send("POST", "/sessions", {"media_file_id": film["media_file"]})["id"]
        for body in ("nonsense", [], {}, {"position": None}, {"position": "far"}, None):
            status, answer = client.ask("POST", f"/sessions/{session}", body)
            assert status == 400 and "error" in json.loads(answer), body
        assert client.send("POST", f"/files/{film['media_file']}/watched")[0]["completed"]
        job = {"media_file_id": film["media_file"], "height": 720}
        eventually(lambda: client.send("POST", "/transcodes", job)["status"] == "completed")
        Path(client.get(f"/files/{film['media_file']}")["path"]).unlink()
        assert client.ask("GET", f"/files/{film['media_file']}/stream")[0] == 410


def is_scanned(client: Client, library_id: str) -> bool:
    scans = client.get("/scans")["items"]
    return any(one["library"] == library_id and not one["running"] for one in scans)


def test_the_readme_shows_how_this_server_embeds_the_store() -> None:
    code = (Path(__file__).parent / "embedding.py").read_text(encoding="utf-8")
    assert f"```python\n{code}```" in (ROOT / "README.md").read_text(encoding="utf-8")
