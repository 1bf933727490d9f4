"""Print what the frozen command line weighs, and what `status` costs it beside an interpreter.

python -m tests.frozen.figures INTERPRETED ONE_FILE FOLDER/PROGRAM

Each is run in turn, so that a busy machine slows all of them alike; the figure is the least
processor time of all runs, children included.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 15


def processor_s(program: Path, url: str) -> float:
    """Return the processor time of one `status`, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "status", "--config", url], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main(interpreted: Path, one_file: Path, in_folder: Path) -> None:
    """Print a line for each program."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/viewra.db"
        subprocess.run([interpreted, "init", "--config", url], check=True, capture_output=True)
        programs = (interpreted, one_file, in_folder)
        rounds = [[processor_s(program, url) for program in programs] for _ in range(RUNS)]
    least = [min(times) for times in zip(*rounds)]
    in_all = sum(path.stat().st_size for path in in_folder.parent.rglob("*") if path.is_file())
    sizes = ("", f"{one_file.stat().st_size / 1e6:.1f} MB", f"{in_all / 1e6:.1f} MB")
    for name, size, seconds in zip(("interpreted", "one file", "folder"), sizes, least):
        print(f"{name:12}{size:>9}{seconds:8.3f} s{seconds / least[0]:6.2f} x")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
