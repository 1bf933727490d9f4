"""What happens to the files of a store while it is open: the right error, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import chown_all, mount, open_folder, without_privileges
from tests.support.processes import running_python
from tests.support.rows import add, ids
from viewra_lite import Store
from viewra_lite.database.sqlite import store_file, wal
from viewra_lite.errors import StoreUnavailableError


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a store that looks at its files before every write."""
    monkeypatch.setattr(store_file, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(wal, "LOOK_EVERY_S", 0.0)
    with open_folder() as place:
        (place / "d").mkdir()
        chown_all(place)
        yield place / "d"


@dataclass(frozen=True)
class Case:
    disturb: Callable[[Path], Any]
    mend: Callable[[Path], Any]
    words: str


def moved(name: str) -> Case:
    return Case(
        lambda folder: os.rename(folder / name, folder / "away"),
        lambda folder: os.rename(folder / "away", folder / name),
        f"{name} was removed or replaced while it is open",
    )


def replaced(name: str) -> Case:
    def disturb(folder: Path) -> None:
        os.rename(folder / name, folder / "away")
        shutil.copy(folder / "away", folder / name)

    return Case(
        disturb,
        lambda folder: os.rename(folder / "away", folder / name),
        f"{name} was removed or replaced while it is open",
    )


CASES = {
    "the folder was renamed": Case(
        lambda folder: os.rename(folder, folder.with_name("e")),
        lambda folder: os.rename(folder.with_name("e"), folder),
        "viewra.db was removed or replaced while it is open",
    ),
    "the folder may not be entered": Case(
        lambda folder: folder.chmod(0),
        lambda folder: folder.chmod(0o700),
        "d cannot be written to: permission denied .*chmod",
    ),
    "the file was moved": moved("viewra.db"),
    "the file was replaced": replaced("viewra.db"),
    "the log was moved": moved("viewra.db-wal"),
    "the log was replaced": replaced("viewra.db-wal"),
}


@pytest.mark.parametrize("name", CASES)
def test_writing_is_refused_until_the_files_are_as_they_were(name: str, folder: Path) -> None:
    case = CASES[name]
    with without_privileges(), Store.open(f"sqlite:///{folder}/viewra.db") as store:
        add(store, "a")
        with store.writer():
            add(store, "b")
        case.disturb(folder)
        for number in range(3):
            with pytest.raises(StoreUnavailableError, match=case.words):
                with store.writer():
                    add(store, f"lost {number}")
            assert ids(store) == ["a", "b"]
        case.mend(folder)
        with store.writer():
            add(store, "c")
        assert ids(store) == ["a", "b", "c"]
    with without_privileges(), Store.open(f"sqlite:///{folder}/viewra.db") as store:
        assert ids(store) == ["a", "b", "c"]


LOSING = """
import sys
from tests.support.rows import add
from viewra_lite import Store
from viewra_lite.database.sqlite import store_file, wal
from viewra_lite.errors import StoreUnavailableError
store_file.LOOK_EVERY_S = wal.LOOK_EVERY_S = 0.0
store = Store.open(sys.argv[1])
number = 0
for line in sys.stdin:
    try:
        with store.writer():
            add(store, f"n{number:03}")
        print("acknowledged", number, flush=True)
    except StoreUnavailableError as exc:
        print("refused", exc, flush=True)
    if line == "close\\n":
        store.close()
        print("closed", flush=True)
    number += 1
"""


@pytest.mark.parametrize("is_killed", [True, False])
def test_a_log_that_is_removed_below_a_server_costs_no_later_write(
    folder: Path, is_killed: bool
) -> None:
    """What was written before is saved by ending the program in the regular way."""
    url = f"sqlite:///{folder}/viewra.db"
    Store.open(url).close()
    with running_python("-c", LOSING, url) as server:
        assert server.stdin is not None and server.stdout is not None

        def write(line: str = "write") -> str:
            server.stdin.write(f"{line}\n")  # type: ignore[union-attr]
            server.stdin.flush()  # type: ignore[union-attr]
            return server.stdout.readline()  # type: ignore[union-attr]

        assert [write() for _ in range(3)] == [f"acknowledged {n}\n" for n in range(3)]
        (folder / "viewra.db-wal").unlink()
        for _ in range(5):
            assert "end the program in the regular way, which saves" in write()
        if is_killed:
            server.kill()
            server.wait()
        else:
            assert write("close").startswith("refused")
            assert server.stdout.readline() == "closed\n"
    with Store.open(url) as store:
        assert ids(store) == ([] if is_killed else ["n000", "n001", "n002"])


def test_an_unmounted_disk_refuses_writes_and_is_read_on(folder: Path) -> None:
    mount("-t", "tmpfs", "-o", "size=8m,mode=777", "none", str(folder))
    with Store.open(f"sqlite:///{folder}/viewra.db") as store:
        add(store, "a")
        subprocess.run(["umount", "-l", folder], check=True)
        with pytest.raises(StoreUnavailableError, match="was removed or replaced"):
            with store.writer():
                add(store, "b")
        assert ids(store) == ["a"]
    assert list(folder.iterdir()) == []
