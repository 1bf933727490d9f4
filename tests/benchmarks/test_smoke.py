"""The benchmarks run, in tiny sizes: every contender that is installed does what it should.

How long anything took is not looked at.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from . import expected, rows
from .contenders import OURS, PEERS, installed
from .results import Row
from .table import table
from .tables import TABLES, key_of

ROOT = Path(__file__).parents[2]
ROWS = {
    "scan",
    "rescan",
    "file",
    "movies",
    "heartbeat",
    "heartbeat_worst",
    "heartbeat_p99",
    "set_progress",
    "set_progress_worst",
    "history",
    "every_file",
    "scan_beside_readers",
    "reads_beside_scan",
    "reads_kept",
    "heartbeats_beside_scan",
    "scan_beside_heartbeats",
    "durable",
}


def run(out: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """Run the benchmarks as `make bench` does; return what they print and write."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.benchmarks",
            "--size",
            "smoke",
            "--out",
            str(out),
            *arguments,
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    written: dict[str, Any] = json.loads((out / "speed.json").read_text())
    return done.stdout, written


@pytest.mark.parametrize("peer", [name for name in PEERS if name in installed()])
def test_every_call_of_a_peer_is_right(peer: str, tmp_path: Path) -> None:
    printed, written = run(tmp_path, "--only", "table", "--peers", peer)
    found = {row["name"]: row for row in written["rows"]}
    assert found.keys() == ROWS
    for name, row in found.items():
        assert row["values"]["ours"] >= 0 and row["goal"] and row["met"] in (True, False), name
        assert row["title"] in printed
    for name in (
        "scan",
        "rescan",
        "file",
        "movies",
        "heartbeat",
        "set_progress",
        "history",
        "every_file",
        "scan_beside_readers",
    ):
        assert found[name]["values"]["raw"] == 1.0 and found[name]["values"][peer] > 0
        assert {*OURS} & {*installed()} <= found[name]["values"].keys()
    assert not (tmp_path / "databases").exists()


def test_fresh_processes_and_growth_are_measured(tmp_path: Path) -> None:
    _, fresh = run(tmp_path, "--only", "fresh")
    [first, *_] = fresh["rows"]
    assert first["name"] == "fresh" and first["values"]["raw"] == 1.0
    assert first["values"].keys() == {"raw", *(set(installed()) & {*OURS, *PEERS})}
    assert {"processor", "cores", "system", "python", "sqlite", "packages"} == set(fresh["machine"])
    _, growth = run(tmp_path, "--only", "growth")
    names = {row["name"] for row in growth["rows"]}
    assert {"growth_file", "growth_movies_next_page", "growth_history", "search"} <= names


@pytest.mark.skipif(not importlib.util.find_spec("pygal"), reason="draws with pygal")
def test_the_picture_shows_every_contender_and_every_row(tmp_path: Path) -> None:
    from .picture import write_picture

    shown = [Row("file", "file(id)", "x raw", 1.5, {"ours": 1.2, "raw": 1.0, "peewee": 29.0})]
    hidden = Row("search", "search()", "ms", 20.0, {"ours": 3.0})
    write_picture(tmp_path / "a" / "b.svg", [*shown, hidden], ["ours", "raw", "peewee"], "A & B")
    drawn = " ".join(ElementTree.parse(tmp_path / "a" / "b.svg").getroot().itertext())
    for text in ("file(id)", "viewra_lite", "sqlite3", "Peewee", "goal", "29.00", "A & B"):
        assert text in drawn
    assert "search()" not in drawn and "Django" not in drawn


def test_a_goal_is_met_or_not_and_who_is_absent_is_named() -> None:
    told = [
        Row("a", "fast", "x raw", 1.5, {"ours": 1.5}),
        Row("b", "slow", "x raw", 1.5, {"ours": 1.6}),
        Row("c", "kept", "share", 0.8, {"ours": 0.7}, at_least=True),
    ]
    assert [row.met for row in told] == [True, False, False]
    text = table(told, ["ours", "raw", "peewee"])
    assert "Left out, because not installed: SQLAlchemy Core" in text and "NO" in text


def test_a_wrong_answer_is_no_measurement() -> None:
    row = rows.movie(3)
    expected.same({**row, "genres": json.loads(row["genres"])}, row, "movies")
    with pytest.raises(AssertionError, match="movies.rating"):
        expected.same({**row, "rating": 0.0}, row, "movies")


def test_the_tables_of_the_contenders_are_those_of_the_schema() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript((ROOT / "schema.sql").read_text(encoding="utf-8"))
    kinds = {
        "text": "TEXT",
        "integer": "INTEGER",
        "real": "REAL",
        "boolean": "BOOLEAN",
        "moment": "TIMESTAMP",
        "date": "DATE",
        "json": "TEXT",
    }
    for table_name, columns in TABLES.items():
        found = connection.execute(f"PRAGMA table_info({table_name})").fetchall()
        assert [(row[1], row[2], not row[3]) for row in found] == [
            (name, kinds[kind], null) for name, (kind, null) in columns.items()
        ]
        assert tuple(row[1] for row in sorted(found, key=lambda r: r[5]) if row[5]) == key_of(
            table_name
        )
    connection.close()
