"""Virtual environments with pip, in which all that the tests have is installed too."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any

from tests.support.processes import environment


class Venv:
    """A virtual environment, which sees the packages of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        self.python = str(folder / "bin" / "python")
        [packages] = folder.glob("lib/python*/site-packages")
        ours = sysconfig.get_path("purelib")
        (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")

    def pip(self, *words: str) -> str:
        """Run pip, which finds nothing but what is named."""
        quiet = ("--disable-pip-version-check", "--no-input", "--quiet")
        return self.run("-m", "pip", *quiet, *words)

    def install(self, *wheels: Path) -> None:
        self.pip("install", "--no-index", "--no-deps", "--no-compile", *map(str, wheels))

    def run(self, *words: str, **options: Any) -> str:
        """Run Python, and return what it printed; fail with it if it fails."""
        return run(self.python, *words, **options)


def run(*command: str, **options: Any) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment(), **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def wheel_of(source: Path, folder: Path) -> Path:
    """Build the wheel of a distribution, from a copy: building leaves files behind."""
    copy = folder / source.name
    copytree(source, copy, ignore=ignore_patterns("__pycache__", ".*"))
    built = folder / f"{source.name}-wheel"
    built.mkdir()
    code = "from setuptools.build_meta import build_wheel; import sys; build_wheel(sys.argv[1])"
    run(sys.executable, "-W", "ignore", "-c", code, str(built), cwd=copy)
    [wheel] = built.iterdir()
    return wheel
