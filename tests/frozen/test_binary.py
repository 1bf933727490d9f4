"""A host frozen into one file by PyInstaller, run where there are six C libraries and nothing else.

`make binary-test` runs this; it takes minutes, and needs root to shut the program in.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import make_library, write_video
from tests.support.processes import ROOT, eventually, run_python
from viewra_lite import Store, __version__

PYINSTALLER = os.environ.get("FROZEN_BY")
HERE = ROOT / "tests/frozen/program"
C_LIBRARIES = "ld-linux libc libdl libm libpthread libz"
KINDS = {"movie": "Movies", "tv": "TV Shows", "music": "Music"}
# Of what a scan found: all but ids and times.
FOUND = (
    "SELECT path, size, container, duration, video_codec, audio_codec, probe_state, error "
    "FROM media_files ORDER BY path",
    "SELECT title, year FROM movies ORDER BY title, year",
    "SELECT season_number, episode_number, title FROM episodes ORDER BY 1, 2",
    "SELECT album_artist, title, year FROM albums ORDER BY 1, 2",
    "SELECT track_number, title, artist FROM tracks ORDER BY 1",
)

pytestmark = [
    pytest.mark.skipif(not PYINSTALLER, reason="make binary-test freezes a program and tries it"),
    pytest.mark.skipif(sys.platform != "linux", reason="it is shut in with libraries of Linux"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frozen host; the only flags name the file, and the faults that a test needs."""
    folder = tmp_path_factory.mktemp("frozen")
    assert PYINSTALLER is not None
    subprocess.run(
        [
            *(ROOT / PYINSTALLER, HERE / "host.py", "--log-level", "ERROR", "--onefile"),
            *("--runtime-hook", HERE / "faults.py"),
        ],
        cwd=folder,
        check=True,
    )
    return folder / "dist/host"


def c_libraries(binary: Path) -> Iterator[Path]:
    """Yield the C libraries that a frozen program and the packed Python need."""
    listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    paths = [Path(path) for path in re.findall(r"(/\S+) \(0x", listed)]
    yield from paths
    yield next(path.with_name("libm.so.6") for path in paths if path.name == "libc.so.6")


class Host:
    """The frozen host in a root folder that holds it, some media and the C libraries."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = 0
        self.data = root / "data"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it with an empty environment; it leaves no temporary file, and ran only once."""
        self.runs += 1
        done = subprocess.run(
            ["/host", "/data", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            preexec_fn=partial(_shut_in, self.root),
            timeout=400,
        )
        assert os.listdir(self.root / "tmp") == []
        assert (self.data / "starts").read_text() == "started\n" * self.runs
        return done

    def said(self, *arguments: str, **environment: str) -> str:
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def scans(self, **folders: str) -> list[dict[str, Any]]:
        named = (f"{kind}={folder}" for kind, folder in folders.items())
        return json.loads(self.said("scan", *named))["scans"]

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.data / "viewra.db")) as connection:
            return connection.execute(query).fetchall()


def _shut_in(root: Path) -> None:
    os.chroot(root)
    os.chdir("/")


@pytest.fixture
def host(binary: Path, tmp_path: Path) -> Host:
    if os.geteuid() != 0:
        pytest.skip("NOT TRIED: only root may shut a program in (chroot)")
    root = tmp_path / "root"
    for folder in ("data", "dev", "tmp"):
        (root / folder).mkdir(parents=True)
    os.mknod(root / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    shutil.copy(binary, root / "host")
    libraries = set(c_libraries(binary))
    assert " ".join(sorted(re.split(r"[.-]x|\.so", path.name)[0] for path in libraries)) == (
        C_LIBRARIES
    )
    for path in libraries:
        (root / path.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to("/"))
    return Host(root)


def test_a_host_works_where_nothing_is_installed(host: Host, tmp_path: Path) -> None:
    assert host.said("--version") == f"viewra-lite {__version__}\n"
    host.said("init")
    make_library(host.root / "media")
    scans = host.scans(**{kind: f"/media/{folder}" for kind, folder in KINDS.items()})
    assert [(scan["errors"], scan["in_process"], scan["not_probed"]) for scan in scans] == (
        [(0, None, [])] * 3
    )
    assert "Le Fabuleux Destin d'Amélie Poulain" in host.said("search", "amelie")
    assert "Amélie" in host.said("search", "AMÉLIE")

    [(films,)] = host.rows("SELECT count(*) FROM movies")
    backup = json.loads(host.said("backup", "create", "--json"))["path"]
    assert backup.endswith(".db.zst")
    with closing(sqlite3.connect(host.data / "viewra.db")) as connection, connection:
        connection.execute("UPDATE movies SET title = 'Gone'")
    host.said("restore", backup)
    assert host.rows("SELECT count(*) FROM movies WHERE title <> 'Gone'") == [(films,)]
    status = json.loads(host.said("status", "--json"))
    assert (status["counts"]["movies"], status["in_process"]) == (films, None)
    assert host.said("migrate") == "The store is up to date\n"
    assert host.run("doctor", "--ignore", "backups").returncode == 0
    check_beside_an_interpreter(host, tmp_path)


def check_beside_an_interpreter(host: Host, tmp_path: Path) -> None:
    """Compare what the frozen host stored with what a virtual environment stores."""
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        for kind, folder in KINDS.items():
            library = store.media.add_library(kind, host.root / "media" / folder, kind)
            store.media.scan(library.id)
    with closing(sqlite3.connect(tmp_path / "viewra.db")) as connection:
        for query in FOUND:
            expected = [
                tuple(
                    part.removeprefix(str(host.root)) if part.__class__ is str else part
                    for part in row
                )
                for row in connection.execute(query).fetchall()
            ]
            assert host.rows(query) == expected and expected
        tables = "SELECT name FROM sqlite_master WHERE name LIKE 'viewra_migrations_%'"
        for (table,) in connection.execute(tables).fetchall():
            query = f"SELECT name, checksum FROM {table} ORDER BY name"
            assert host.rows(query) == connection.execute(query).fetchall()
    script = (HERE / "host_migrations/0001_reviews.py").read_bytes()
    assert host.rows("SELECT name, checksum FROM viewra_migrations_reviews") == [
        ("0001_reviews", hashlib.sha256(script).hexdigest())
    ]


def test_a_file_on_which_the_parser_crashes_or_hangs_costs_itself_only(host: Host) -> None:
    for name in ("Alien (1979)", "Crash (2004)", "Hang (2001)", "Zodiac (2007)"):
        write_video(host.root / f"films/{name}.mkv", seed=len(name))
    [scan] = host.scans(movie="/films")
    assert (scan["probed"], scan["added"], scan["in_process"]) == (4, 4, None)
    assert {problem["path"]: problem["message"] for problem in scan["problems"]} == {
        "/films/Crash (2004).mkv": "the probe crashed on this file (signal 6)",
        "/films/Hang (2001).mkv": "the probe took longer than 30 s",
    }
    assert host.rows("SELECT title, year FROM movies ORDER BY title") == [
        ("Alien", 1979),
        ("Crash", 2004),
        ("Hang", 2001),
        ("Zodiac", 2007),
    ]


def test_the_store_is_seen_in_a_browser(host: Host) -> None:
    host.said("init")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    server = subprocess.Popen(
        ["/host", "/data", "web", "--port", port], env={}, preexec_fn=partial(_shut_in, host.root)
    )
    with server:
        try:
            eventually(lambda: _page(port, "/") is not None, within_s=120)
            assert b"movies" in (_page(port, "/db/viewra") or b"")
        finally:
            server.terminate()


def _page(port: str, path: str) -> bytes | None:
    """Return a page, or None while the server does not listen."""
    with (
        suppress(ConnectionRefusedError),
        closing(HTTPConnection("127.0.0.1", int(port), timeout=60)) as connection,
    ):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read()
    return None


IMPORTABLE = """
import importlib, warnings
warnings.simplefilter("ignore")
from viewra_lite.__pyinstaller.contents import standard_library
needing_more_libraries = {"_crypt", "crypt", "nis"}  # than the six
for name in sorted({*standard_library()} - needing_more_libraries):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print(name)
"""
PLUGIN = """
import importlib
from pathlib import Path
from viewra_lite.plugins import Plugin

missing = []
for name in Path(__file__).with_name("names.txt").read_text().split():
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)

class Wide(Plugin):
    id = "wide"
    name = f"missing: {missing}"
"""


def test_a_plugin_in_a_folder_may_import_the_whole_standard_library(host: Host) -> None:
    host.said("init")
    folder = host.data / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "wide.py").write_text(PLUGIN)
    (folder / "names.txt").write_text(run_python("-c", IMPORTABLE).stdout)
    listed = host.said("plugins", "list", "--json", VIEWRA_DATABASE_PLUGINS_FOLDER="/data/plugins")
    [plugin] = json.loads(listed)["plugins"]
    assert (plugin["id"], plugin["name"]) == ("wide", "missing: []")


def test_what_a_kill_leaves_is_named_by_doctor(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, data = tmp_path / "temporary", tmp_path / "data"
    temporary.mkdir()
    data.mkdir()
    write_video(tmp_path / "films/Hang (2001).mkv")
    host = subprocess.Popen(
        [binary, data, "scan", f"movie={tmp_path}/films"],
        env={"TMPDIR": str(temporary)},
        start_new_session=True,
    )
    with host:
        eventually(lambda: (data / "starts").exists(), within_s=120)
        os.killpg(host.pid, signal.SIGKILL)
    [left] = temporary.iterdir()
    os.utime(left, (1, 1))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        findings = store.maintenance.check(only=["free-space"])
    assert [str(left) in finding.text for finding in findings] == [True]
