"""A frozen program probes in worker processes of its own, and is never started again as itself.

The programs here are scripts that have the marks of freezers; tests/frozen/test_binary.py freezes
one in earnest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.media import write_video
from tests.support.processes import ROOT
from viewra_lite import Store
from viewra_lite.media.probing.cover import cover
from viewra_lite.media.probing.workers import starting

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows probes in-process")

HOOK = ROOT / "viewra_lite/__pyinstaller/rthooks/pyi_rth_viewra_lite.py"
WITH_HOOK = f"sys.frozen = True; runpy.run_path({str(ROOT / 'tests/frozen/program/faults.py')!r}); "
WITH_HOOK += f"runpy.run_path({str(HOOK)!r})"
NO_HOOK = "this program was frozen without viewra_lite's hook for PyInstaller"


def program(folder: Path, marks: str) -> Path:
    """Write an executable that is its own sys.executable, as a frozen program is."""
    path = folder / "server"
    path.write_text(
        f"#!{sys.executable}\nimport runpy, sys\n"
        f"sys.path[:] = {[str(ROOT), str(ROOT / 'tests/frozen/program'), *sys.path]!r}\n"
        f"sys.executable = {str(path)!r}\n{marks}\n"
        f"runpy.run_path({str(ROOT / 'tests/frozen/program/host.py')!r}, run_name='__main__')\n"
    )
    path.chmod(0o700)
    return path


def scanned(program: Path, folder: Path) -> dict[str, Any]:
    """Let a program scan films, for which it may run only once."""
    films = folder / "films"
    for name in ("Alien (1979)", "Crash (2004)"):
        write_video(films / f"{name}.mkv", seed=len(name))
    data = folder / "data"
    data.mkdir()
    done = subprocess.run(
        [program, data, "scan", f"movie={films}"], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert (data / "starts").read_text() == "started\n"
    [scan] = json.loads(done.stdout)["scans"]
    assert scan["probed"] == 2
    return scan


def test_a_program_frozen_with_the_hook_survives_a_file_that_crashes_the_parser(
    tmp_path: Path,
) -> None:
    scan = scanned(program(tmp_path, WITH_HOOK), tmp_path)
    assert scan["in_process"] is None
    [problem] = scan["problems"]
    assert problem["message"] == "the probe crashed on this file (signal 6)"


def test_a_program_frozen_without_it_probes_itself_and_says_so(tmp_path: Path) -> None:
    scan = scanned(program(tmp_path, "sys.frozen = True"), tmp_path)
    assert (scan["errors"], scan["in_process"]) == (0, NO_HOOK)


@pytest.mark.parametrize(
    ("executable", "why"),
    [
        ("", "sys.executable is not a Python interpreter: empty"),
        (None, "sys.executable is not a Python interpreter: empty"),
        ("/usr/sbin/uwsgi", "sys.executable is not a Python interpreter: /usr/sbin/uwsgi"),
        ("/srv/python/server", "sys.executable is not a Python interpreter: /srv/python/server"),
        ("/usr/bin/python3", None),
        ("/usr/libexec/platform-python3.12", None),
        ("/opt/Python.app/Contents/MacOS/Python", None),
        ("/opt/pypy3.10", None),
    ],
)
def test_only_an_interpreter_is_started_as_a_worker(
    monkeypatch: pytest.MonkeyPatch, executable: str | None, why: str | None
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert starting.why_in_process() == why
    assert starting.command("module", "argument")[:2] == [executable, "-c"]


@pytest.mark.parametrize("mark", ["frozen", "oxidized"])
def test_a_program_with_the_mark_of_a_freezer_is_no_interpreter_whatever_its_name(
    monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setattr(sys, mark, True, raising=False)
    assert starting.why_in_process() == NO_HOOK


def test_the_reason_is_in_the_result_of_a_scan_and_in_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from viewra_lite.cli import main

    films = tmp_path / "films"
    write_video(films / "Alien (1979).mkv")
    monkeypatch.chdir(tmp_path)
    assert main(["scan", str(films), "--type", "movie"]) == 0
    assert "worker process" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    write_video(films / "Zodiac (2007).mkv", seed=1)
    assert main(["scan", str(films)]) == 0
    assert f"films: no worker process read the files: {NO_HOOK}\n" in capsys.readouterr().out
    assert main(["scan", str(films)]) == 0  # reads none
    assert "worker process" not in capsys.readouterr().out
    assert main(["status"]) == 0
    assert f"scans read files without worker processes: {NO_HOOK}\n" in capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["in_process"] == NO_HOOK


def test_a_worker_that_cannot_start_is_said_in_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    write_video(tmp_path / "films/Alien (1979).mkv")
    with Store.open({"database": {"database_path": str(tmp_path / "viewra.db")}}) as store:
        assert store.media.why_in_process() is None
        library = store.media.add_library("Films", tmp_path / "films", "movie")
        assert store.media.scan(library.id).in_process == "no worker process could be started"


def test_a_cover_is_read_by_the_frozen_program_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "server"
    path.write_text("#!/bin/sh\nprintf 'GIF87a %s' \"$*\"\n")
    path.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(path))
    monkeypatch.setattr(sys, "_viewra_lite_worker", "--viewra-lite-worker", raising=False)
    found = cover("/films/Alien.mkv", 60)
    assert found is not None
    assert found.data == (
        b"GIF87a --viewra-lite-worker viewra_lite.media.probing.cover /films/Alien.mkv"
    )
    assert starting.why_in_process() is None
