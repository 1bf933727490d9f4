"""A user who may only read a store can back it up, and leaves nothing beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.support.processes import ROOT, environment, run_python
from tests.support.rows import add
from viewra_lite import Store

pytestmark = pytest.mark.skipif(
    not hasattr(os, "setuid") or os.getuid() != 0, reason="needs root to become another user"
)

# Modules that are imported later may be in a folder that this user may not read.
_AS_ANOTHER = """
import os, sys
from pathlib import Path
from viewra_lite.cli import main
from viewra_lite.database.backups import read_only
warm = f"{sys.argv[1]}/warm"
config = ["--config", f"sqlite:///{warm}/v.db{sys.argv[2]}", "--json"]
assert main(["init", *config]) == 0
assert main(["backup", "create", warm, *config]) == 0
assert main(["backup", "create", f"{warm}/v.db", *config]) == 1
print("as another", flush=True)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(params=["sqlite3", "cysqlite"])
def driver(request: pytest.FixtureRequest) -> Any:
    """The name of each driver."""
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder below which every user may read."""
    with TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mkdir(f"{folder}/usb")
        os.chmod(f"{folder}/usb", 0o777)
        yield Path(folder)


def back_up(base: Path, driver: str, *arguments: str) -> Any:
    """Run `viewra-lite backup create` as another user; return its exit code, result and errors."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_ANOTHER, base, f"?driver={driver}", "backup", "create"]
        + [*arguments, "--json", "--config", f"sqlite:///{base}/store/v.db?driver={driver}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment(),
        cwd=ROOT,
    )
    out = done.stdout.rpartition("as another\n")[2]
    return done.returncode, json.loads(out) if out else None, done.stderr


def readable(base: Path) -> dict[str, Any]:
    """Let every user read the store; return all that is in its folder."""
    folder = base / "store"
    os.chmod(folder, 0o755)
    for file in folder.glob("v.db*"):
        if file.is_file():
            os.chmod(file, 0o644)
    return state(folder)


def state(folder: Path) -> dict[str, Any]:
    return {
        str(file): file.read_bytes() if file.is_file() and not file.name.endswith("-shm") else None
        for file in folder.rglob("*")
    }


def check(base: Path, driver: str, libraries: int) -> None:
    before = readable(base)
    code, backup, errors = back_up(base, driver, f"{base}/usb")
    assert code == 0, errors
    assert backup["verified"] and backup["counts"]["media_libraries"] == libraries
    assert Path(backup["path"]).parent == base / "usb"
    assert state(base / "store") == before
    assert not list((base / "usb").glob("*.part"))


def test_a_closed_store_is_backed_up(base: Path, driver: Any) -> None:
    with Store.open(f"sqlite:///{base}/store/v.db?driver={driver}") as store:
        add(store, "a")
    check(base, driver, 1)
    code, _, errors = back_up(base, driver)
    assert code == 1 and "can only be read by this user: name a folder" in errors
    os.chmod(base / "store" / "v.db", 0o600)
    code, _, errors = back_up(base, driver, f"{base}/usb")
    assert code == 1 and "Traceback" not in errors


def test_a_store_that_a_server_uses_is_backed_up(base: Path, driver: Any) -> None:
    with Store.open(f"sqlite:///{base}/store/v.db?driver={driver}") as store:
        readable(base)  # before the log exists, which gets the permissions of the file
        add(store, "a")
        add(store, "b")
        check(base, driver, 2)
        add(store, "c")


def test_a_store_whose_server_was_killed_is_backed_up(base: Path, driver: Any) -> None:
    run_python(
        "-c",
        f"""
import os
from tests.support.rows import add
from viewra_lite import Store
if os.fork():
    os.wait()
else:
    store = Store.open("sqlite:///{base}/store/v.db")
    add(store, "a")
    os.kill(os.getpid(), 9)
""",
    )
    check(base, driver, 1)
