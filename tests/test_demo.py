"""What `make demo` runs shows what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def test_the_demo_scans_a_library_and_finds_amelie(tmp_path: Path) -> None:
    path = os.pathsep.join((str(TESTS.parent), str(TESTS)))
    done = subprocess.run(
        [sys.executable, str(TESTS / "examples/demo.py")], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path), "PYTHONUTF8": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Movies: 9 files added" in done.stdout and "Movies: 9 unchanged" in done.stdout
    assert "movie: Le Fabuleux Destin d'Amélie Poulain" in done.stdout
    (database,) = tmp_path.glob("viewra-demo-*/viewra.db")
    assert f"The database is {database}" in done.stdout
