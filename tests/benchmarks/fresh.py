"""What a fresh process costs: its time from start to end, and its memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from . import rows, template
from .contender import READER_PRAGMAS
from .contenders import ENTRIES, PEERS
from .results import Row, medians, ratio_row
from .sizes import SIZES
from .threads import Sample
from .workers import ROOT, MeasurementFailed, environment

# Each program gets a database and a file's id, and leaves that file's path in `found`. Peewee
# would import PostgreSQL's driver where there is one; that is not counted against it.
_WITHOUT_DRIVERS = "import sys; sys.modules.update(psycopg=None, psycopg2=None)\n"
_RAW_OPEN = f"""
connection = sqlite3.connect(database, isolation_level=None)
for name, value in {READER_PRAGMAS!r}.items():
    connection.execute(f"PRAGMA {{name}}={{value}}")
"""
_RAW = f"""import sqlite3{_RAW_OPEN}
found = connection.execute("SELECT * FROM media_files WHERE id = ?", (id,)).fetchone()[2]
"""
_OURS = """from viewra_lite import Store
store = Store.open({"database": {"type": "sqlite", "database_path": database}})
found = store.media.file(id).path
store.close()  # else the next process finds a file that was not closed, and checks it as a whole
"""
_OURS_CYSQLITE = _OURS.replace('"sqlite"', '"sqlite", "driver": "cysqlite"')
_PEER = """from tests.benchmarks.{module} import {name}
contender = {name}(database)
found = contender.columns(contender.file(id), "media_files")["path"]
"""
_PARTS = f"""{_WITHOUT_DRIVERS}import peewee, yaml, sqlite3{_RAW_OPEN}
found = connection.execute("PRAGMA database_list").fetchone()[2]
"""
_OPENED = """from viewra_lite import Store
store = Store.open(database + ".yaml")
found = str(store.config.database_path)
store.close()
"""
_SERVER = """from viewra_lite import Store
from tests.benchmarks import rows
store = Store.open({"database": {"type": "sqlite", "database_path": database}})
session = store.playback.start_session(id, user_id="somebody")
for number in range(100):
    store.media.file(rows.number_id("file", number))
    store.media.movies()
    store.media.search(rows.title(number))
    store.playback.heartbeat(session.id, float(number))
    store.playback.history(rows.user(0))
found = store.media.file(id).path
"""
_SCAN = """from viewra_lite import FileFacts, Store
from tests.benchmarks import rows
store = Store.open({{"database": {{"type": "sqlite", "database_path": database}}}})
with store.media.reconcile(rows.SCANNED) as files:
    for number in range({files}):
        files.add(FileFacts(*rows.fact(number, rows.ROOTS[rows.SCANNED])))
assert files.result.added == {files}
found = store.media.file(id).path
"""
_MEMORY = """
import json, re
try:
    with open("/proc/self/status") as status:
        told = dict(re.findall("(VmRSS|VmHWM):\\\\s+(\\\\d+)", status.read()))
except OSError:
    told = {}
print(json.dumps({"found": found, **told}))
"""


def fresh_rows(
    folder: Path, names: Sequence[str], size: str, say: Callable[[str], None]
) -> list[Row]:
    """Measure fresh processes of everybody, and what our import and open cost."""
    sizes = SIZES[size]
    database = template.make(folder / "fresh.db", min(sizes.files, 10_000), 0, 1)
    (folder / "fresh.db.yaml").write_text(json.dumps(template.config(database)))
    programs = {"raw": _RAW, "ours": _OURS, "parts": _PARTS, "opened": _OPENED}
    if "ours_cysqlite" in names:
        programs["ours_cysqlite"] = _OURS_CYSQLITE
    for name in PEERS:
        if name in names:
            entry = ENTRIES[name]
            start = _WITHOUT_DRIVERS if name == "peewee" else ""
            programs[name] = start + _PEER.format(module=entry.module, name=entry.name)
    samples: dict[str, list[Sample]] = {name: [] for name in programs}
    say("fresh processes")
    for _ in range(sizes.starts):
        for name, program in programs.items():
            found = str(database) if name in ("parts", "opened") else None
            samples[name].append(run(program, database, 7, found))
    taken = {name: medians(each) for name, each in samples.items()}
    template.remove(database)
    parts = {"ours": taken.pop("opened"), "raw": taken.pop("parts")}
    time = ratio_row(
        "opening_time", "import and open, against import peewee, yaml and a raw open", 1.25, parts
    )
    shown = [ratio_row("fresh", "fresh process: import, open, first get", 4.0, taken), time]
    time.unit = "x parts"
    if all("peak_mb" in sample for sample in parts.values()):
        ratio = {"ours": parts["ours"]["peak_mb"] / parts["raw"]["peak_mb"]}
        shown.append(
            Row("opening_memory", "the same in memory (RSS)", "x parts", 1.25, ratio, details=parts)
        )
    time.values.pop("raw")
    time.cpu.pop("raw")
    return shown


def memory_rows(folder: Path, filled: Path, files: int, say: Callable[[str], None]) -> list[Row]:
    """Measure what a server with a large store takes when it is idle, and what a scan takes."""
    say("memory")
    idle = run(_SERVER, filled, 7)
    empty = template.make(folder / "scanned.db", 10, 0, 1)
    scan = run(_SCAN.format(files=files), empty, 7)
    template.remove(empty)
    if "peak_mb" not in idle:
        return []
    return [
        Row(
            "memory_idle",
            f"RSS of an idle server, {files:,} files",
            "MB",
            40.0,
            {"ours": idle["now_mb"]},
        ),
        Row(
            "memory_scan",
            f"peak RSS of a scan of {files:,} files",
            "MB",
            150.0,
            {"ours": scan["peak_mb"]},
        ),
    ]


def run(program: str, database: Path, number: int, found: str | None = None) -> Sample:
    """Run a program in a process of its own; seconds, and megabytes where the system tells.

    found: what it should find, if not the path of the file of that number.
    """
    id = rows.number_id("file", number)
    code = f"database, id = {str(database)!r}, {id!r}\n{program}{_MEMORY}"
    before, cpu_before = perf_counter(), os.times()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        check=False,
    )
    wall, cpu = perf_counter() - before, os.times()
    if done.returncode:
        raise MeasurementFailed(f"{program}\n{done.stderr}")
    told = json.loads(done.stdout)
    if told["found"] != (found or rows.file(number)["path"]):
        raise MeasurementFailed(f"{program}\nfound {told['found']}")
    sample = {
        "wall": wall,
        "cpu": cpu.children_user
        + cpu.children_system
        - cpu_before.children_user
        - cpu_before.children_system,
    }
    if "VmHWM" in told:
        sample |= {"now_mb": int(told["VmRSS"]) / 1000, "peak_mb": int(told["VmHWM"]) / 1000}
    return sample
