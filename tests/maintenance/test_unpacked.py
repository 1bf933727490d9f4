"""Doctor names the folders that a killed binary has left, and none that is used."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from shlex import quote

import pytest

from tests.support.processes import running_python
from viewra_lite import Finding, Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only /proc shows who uses a file")

USES = """
import mmap, sys
with open(sys.argv[1], "rb") as file:
    held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
print("used", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary [1]"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def unpacked(parent: Path, name: str, package: str = "viewra_lite") -> Path:
    """Make a folder as a program frozen into one file does."""
    folder = parent / name
    (folder / package).mkdir(parents=True)
    (folder / "libpython3.so").write_bytes(bytes(3 << 20))
    os.utime(folder, (1, 1))
    return folder


def found(tmp_path: Path) -> list[Finding]:
    with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
        return [one for one in store.maintenance.check(only=["free-space"]) if "_MEI" in one.text]


def test_a_folder_that_no_process_uses_is_named_with_its_size(
    tmp_path: Path, temporary: Path
) -> None:
    folder = unpacked(temporary, "_MEIabc123")
    unpacked(temporary, "_MEIother", "another_program")
    unpacked(temporary, "MEI")
    (temporary / "_MEIfile").touch()
    [finding] = found(tmp_path)
    assert finding.text == f"a killed program has left 3 MiB in {folder}"
    assert finding.severity == "info" and finding.remedy.endswith(f"rm -r {quote(str(folder))}")


def test_a_folder_that_a_process_uses_is_not_named(tmp_path: Path, temporary: Path) -> None:
    folder = unpacked(temporary, "_MEIabc123")
    with running_python("-c", USES, str(folder / "libpython3.so")) as user:
        assert user.stdout is not None and user.stdout.readline() == "used\n"
        assert found(tmp_path) == []
    assert len(found(tmp_path)) == 1


def test_a_folder_that_a_program_may_be_unpacking_is_not_named(
    tmp_path: Path, temporary: Path
) -> None:
    os.utime(unpacked(temporary, "_MEIabc123"))
    assert found(tmp_path) == []


def test_a_frozen_program_looks_where_it_was_unpacked_itself(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "run"
    left = unpacked(elsewhere, "_MEIleft")
    monkeypatch.setattr(sys, "_MEIPASS", str(elsewhere / "_MEIself"), raising=False)
    assert str(left) in found(tmp_path)[0].text
