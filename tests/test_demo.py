"""What `make demo` runs shows what it says, and a try that failed does not break the next one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Stands for an interpreter of any version: it answers questions by the real one, makes
# virtualenvs of itself, and writes down what it was called for. While there is a file `offline`,
# pip fails, and while there is a file `killed`, it takes make with it.
INTERPRETER = """#!/bin/sh
echo "{version} $*" >> "$LOG"
venv=$(cd "$(dirname "$0")/.." && pwd)
code="import sys, platform; sys.version_info = tuple(map(int, '{version}'.split('.')))
platform.python_version = lambda: '{version}'; exec(sys.argv[1])"
case "$1 $2 $3" in
    "-m venv "*) mkdir -p "$3/bin" "$3/lib/pip" && touch "$3/lib/pip/__init__.py" "$3/pyvenv.cfg"
        [ ! -e no-pip ] && cp "$0" "$3/bin/python" ;;
    "-m pip --version") echo "pip 1.0 from $venv/lib/pip (python {version})" ;;
    "-m pip install") touch "$venv/lib/half"; [ ! -e killed ] || kill -9 $PPID; [ ! -e offline ] ;;
    "-I -c "*) PYTHONPATH="$venv/lib" exec {python} -c "$code" "$3" ;;
    "-c "*) exec {python} -c "$code" "$2" ;;
    *) echo "The demo ran on {version}" ;;
esac
"""


class Checkout:
    """A folder with the real Makefile, and interpreters to run it with."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.root.mkdir()
        for name in ("Makefile", "setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        self._bin = root / "bin"
        self._bin.mkdir()
        self._log = root / "log"
        self.install("python3", "3.11.7")

    def install(self, name: str, version: str) -> Path:
        path = self._bin / name
        path.write_text(INTERPRETER.format(version=version, python=sys.executable))
        path.chmod(0o755)
        return path

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self._bin}:/usr/bin:/bin", "LOG": str(self._log)}
        self._log.write_text("")
        return subprocess.run(
            ["make", *(arguments or ["demo"])],
            cwd=self.root,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, *words: str) -> list[str]:
        """Return the versions that were called for these words by the last make."""
        lines = self._log.read_text().splitlines()
        return [line.split()[0] for line in lines if " ".join(words) in line]

    def works(self, *arguments: str, version: str = "3.11.7", made: int = 0) -> None:
        """Assert that make demo runs, and how often it made a virtualenv."""
        done = self.make(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert f"The demo ran on {version}\n" in done.stdout
        assert self.calls("-m venv") == [version] * made
        assert not (self.root / ".venv/installing").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    return Checkout(tmp_path)


def test_the_demo_scans_a_library_and_finds_amelie(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.examples.demo"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Movies: 9 files added" in done.stdout and "Movies: 9 unchanged" in done.stdout
    assert "movie: Le Fabuleux Destin d'Amélie Poulain" in done.stdout
    (database,) = tmp_path.glob("viewra-demo-*/viewra.db")
    assert f"The database is {database}" in done.stdout
    assert f"viewra-lite status --config sqlite:///{database}\n" in done.stdout


@pytest.mark.parametrize("version", ["2.7.18", "3.6.15", "3.9.18"])
def test_an_old_python_is_refused_in_one_line_and_leaves_nothing(
    checkout: Checkout, version: str
) -> None:
    checkout.install("python3", version)
    done = checkout.make()
    assert done.returncode == 2 and done.stdout == ""
    assert re.fullmatch(
        rf"Makefile:\d+: \*\*\* viewra_lite needs Python 3\.10 or newer, and python3 is {version}: "
        r"make demo PYTHON=python3\.12\.  Stop\.\n",
        done.stderr,
    )
    assert not (checkout.root / ".venv").exists() and checkout.calls("-m ") == []
    checkout.install("python3.12", "3.12.1")
    checkout.works("demo", "PYTHON=python3.12", version="3.12.1", made=1)
    checkout.works(version="3.12.1")  # the virtualenv is there: python3 is not asked


def test_the_oldest_python_is_the_one_of_setup_cfg(checkout: Checkout) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    oldest = setup["options"]["python_requires"].removeprefix(">=")
    checkout.install("python3", f"{oldest}.0")
    checkout.works(version=f"{oldest}.0", made=1)


def test_a_python_that_is_not_there_is_named(checkout: Checkout) -> None:
    checkout.works(made=1)
    done = checkout.make("demo", "PYTHON=python3.99")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "needs Python 3.10 or newer, and python3.99 does not run" in done.stderr
    checkout.works()


def test_the_second_time_nothing_is_installed(checkout: Checkout) -> None:
    checkout.works(made=1)
    assert checkout.calls("pip install") == ["3.11.7"]
    checkout.works()
    assert checkout.calls("pip install") == []
    os.utime(checkout.root / "setup.cfg")
    checkout.works()
    assert checkout.calls("pip install") == ["3.11.7"]


@pytest.mark.parametrize("accident", ["offline", "killed"])
def test_an_interrupted_installation_begins_anew(checkout: Checkout, accident: str) -> None:
    (checkout.root / accident).touch()
    for _ in range(2):
        done = checkout.make()
        assert done.returncode != 0 and "The demo ran" not in done.stdout
        assert (checkout.root / ".venv/lib/half").exists()
        (checkout.root / ".venv/leftover").touch()
    (checkout.root / accident).unlink()
    checkout.works(made=1)
    assert not (checkout.root / ".venv/leftover").exists()
    checkout.works()


def test_a_python_without_pip_leaves_nothing(checkout: Checkout) -> None:
    (checkout.root / "no-pip").touch()
    done = checkout.make()
    assert done.returncode == 2 and "apt install python3-venv" in done.stderr
    assert not (checkout.root / ".venv").exists()
    (checkout.root / "no-pip").unlink()
    checkout.works(made=1)


def test_a_virtualenv_that_cannot_be_used_is_made_anew(checkout: Checkout) -> None:
    venv = checkout.root / ".venv"
    (venv / "bin").mkdir(parents=True)  # python -m venv was interrupted
    checkout.works(made=1)
    (venv / "bin/python").unlink()  # its Python was removed with the system's upgrade
    (venv / "bin/python").symlink_to("/nowhere/python3.8")
    checkout.works(made=1)
    shutil.rmtree(venv / "lib/pip")  # and so were its packages
    checkout.works(made=1)
    old = checkout.install("old", "3.9.18")  # an earlier Makefile took any Python
    shutil.copy(old, venv / "bin/python")
    checkout.works(made=1)
    moved = checkout.root.with_name("moved")  # scripts and the editable package name the old place
    checkout.root = checkout.root.rename(moved)
    checkout.works(made=1)
    checkout.works()


def test_another_python_that_is_asked_for_gets_a_virtualenv(checkout: Checkout) -> None:
    checkout.works(made=1)
    checkout.install("python3.13", "3.13.0")
    checkout.works("demo", "PYTHON=python3.13", version="3.13.0", made=1)
    checkout.works("demo", "PYTHON=python3.13", version="3.13.0")
    old = checkout.install("python3.9", "3.9.18")
    assert checkout.make("demo", f"PYTHON={old}").returncode == 2
    checkout.works(version="3.13.0")  # what is there is left alone by one that is refused
