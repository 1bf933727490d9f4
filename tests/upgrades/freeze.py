"""Write the frozen files of a release: python -m tests.upgrades.freeze 0.1.0 (see README.md)."""

from __future__ import annotations

import json
import lzma
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.clock import Clock
from tests.support.postgres import running_server
from tests.upgrades.contents import contents
from tests.upgrades.rows import fill
from viewra_lite import Store
from viewra_lite.built_in import BUILT_IN
from viewra_lite.database.migrations.scripts import scripts

FROZEN = Path(__file__).parent / "frozen"


def main(release: str) -> None:
    """Write the files of a release; refuses to write them twice."""
    folder = FROZEN / release
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        _freeze(f"sqlite:///{name}/viewra.db", folder, Path(name))
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        os.environ["PATH"] = f"{server.bin_dir}{os.pathsep}{os.environ['PATH']}"
        _freeze(server.create_database("frozen"), folder, Path(name))
    _write(folder / "scripts.json.xz", json.dumps(checksums(), indent=1).encode())
    for path in sorted(folder.iterdir()):
        print(f"{path.relative_to(FROZEN)}: {path.stat().st_size} bytes")


def _freeze(url: str, folder: Path, work: Path) -> None:
    clock = Clock()
    with Store.open(url, clock=clock) as store:
        fill(store, clock, work / "media")
        rows = contents(store)
        empty = sorted(table for table, found in rows.items() if not found)
        if empty:
            raise SystemExit(f"no rows in {', '.join(empty)}: add some in tests/upgrades/rows.py")
        engine, backup = store.engine, Path(store.backups.create(work / "copies").path)
    _write(folder / f"{engine}-rows.json.xz", json.dumps(rows, indent=1).encode())
    _write(folder / f"{engine}-backup.xz", backup.read_bytes())
    if engine == "sqlite":
        _write(folder / "sqlite-store.xz", (work / "viewra.db").read_bytes())


def checksums() -> dict[str, str]:
    """Return the checksum of each migration script of ours."""
    found: dict[str, Any] = {}
    for module in BUILT_IN:
        for script in scripts(module.name, module.migrations):
            found[f"{module.name} {script.name}"] = script.checksum
    return found


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(lzma.compress(content, preset=9))


if __name__ == "__main__":
    main(sys.argv[1])
