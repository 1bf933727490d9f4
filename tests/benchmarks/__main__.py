"""Measure everybody, print a table, write the results and draw them.

python -m tests.benchmarks [--size quick|full|smoke] [--out FOLDER] [--picture FILE]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter

from .comparison import compare
from .contenders import ENTRIES, PEERS, installed
from .fresh import fresh_rows
from .growth import growth_rows
from .machine import machine
from .results import RATIO, Row
from .sizes import SIZES
from .table import table, write_json


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    asked = _asked(arguments)
    began, out = perf_counter(), Path(asked.out).resolve()
    names = [name for name in installed() if name not in PEERS or name in asked.peers]
    scratch = out / "databases"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        rows = _measured(asked.only, scratch, names, asked.size, _teller(began))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    date = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    facts = {
        "date": date,
        "size": asked.size,
        "sizes": asdict(SIZES[asked.size]),
        "machine": machine(),
        "contenders": {name: ENTRIES[name].title for name in names},
        "seconds": round(perf_counter() - began),
    }
    print(table(rows, names))
    write_json(out / "speed.json", facts, rows)
    print(f"\n{out / 'speed.json'}")
    picture = Path(asked.picture) if asked.picture else out / "speed.svg"
    _draw(picture, rows, names, date)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="quick", help="how much is measured")
    parser.add_argument("--out", default="build/bench", help="folder of the results")
    parser.add_argument("--picture", help="where to draw; default: speed.svg in that folder")
    parser.add_argument("--only", choices=("table", "fresh", "growth"), help="a part of it")
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=PEERS,
        default=PEERS,
        metavar="PEER",
        help=f"whom to compare with; default: whoever is installed of {', '.join(PEERS)}",
    )
    return parser.parse_args(arguments)


def _teller(began: float) -> Callable[[str], None]:
    def say(text: str) -> None:
        print(f"{perf_counter() - began:5.0f} s  {text}", file=sys.stderr, flush=True)

    return say


def _measured(
    only: str | None, scratch: Path, names: Sequence[str], size: str, say: Callable[[str], None]
) -> list[Row]:
    rows: list[Row] = []
    if only in (None, "table"):
        rows += compare(scratch, names, size, say)
    if only in (None, "fresh"):
        rows += fresh_rows(scratch, names, size, say)
    if only in (None, "growth"):
        rows += growth_rows(scratch, size, say)
    return rows


def _draw(path: Path, rows: Sequence[Row], names: Sequence[str], date: str) -> None:
    if not any(row.unit == RATIO for row in rows):
        return
    try:
        from .picture import write_picture
    except ImportError:
        print("No picture: it needs pygal (pip install pygal).")
        return
    found = machine()
    write_picture(
        path,
        rows,
        names,
        f"{found['processor']}, {found['cores']} cores, {found['python']}, "
        f"SQLite {found['sqlite']}, {date}",
    )
    print(path)


if __name__ == "__main__":
    main()
