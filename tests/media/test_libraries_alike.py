"""One folder is one library, whatever it is called: another mount, another case, another link."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from viewra_lite import Store
from viewra_lite.errors import ConflictError

# Runs where it may mount: refused(path) says why a folder cannot be a library beside `films`.
PRELUDE = """
import os, subprocess, sys
sys.path[:], root = sys.argv[2:], sys.argv[1]
from viewra_lite import Store
from viewra_lite.errors import ConflictError
os.chdir(root)
def mount(*options):
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        sys.exit(77)
def refused(store, path):
    try:
        store.media.add_library("Other", path, "movie")
    except ConflictError as exc:
        return str(exc).replace(root, "")
"""
BOUND = """
os.makedirs("films/sub"), os.makedirs("FILMS"), os.makedirs("other/deep")
mount("--bind", "films", "FILMS")  # as a disk that does not tell case apart shows it
with Store.open(f"sqlite:///{root}/viewra.db") as store:
    store.media.add_library("Films", f"{root}/films", "movie")
    print([refused(store, f"{root}/{path}") for path in ("FILMS", "FILMS/sub")])
    mount("--bind", ".", "other/deep")
    print(refused(store, f"{root}/other/deep"), refused(store, f"{root}/other"))
"""


def in_a_namespace(code: str, root: Path) -> list[str]:
    """Run code as one that may mount, and sees its mounts alone; return the lines it prints."""
    command = [
        "unshare",
        "--map-root-user",
        "--mount",
        sys.executable,
        "-c",
        PRELUDE + code,
        str(root),
        *sys.path,
    ]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("this system does not let a test mount")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_a_library_under_another_name_without_a_link_is_refused(tmp_path: Path) -> None:
    beside, around = in_a_namespace(BOUND, tmp_path)
    assert beside == str(
        [
            "/FILMS is the folder of library Films (/films) already",
            "/FILMS/sub is inside library Films (/films): give a folder outside it",
        ]
    )
    assert around == "/other/deep holds library Films (/films): give a folder beside it None"


def test_a_library_under_the_name_of_a_link_in_other_letter_case_is_refused(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "films/sub").mkdir(parents=True)
    (tmp_path / "FILMS").symlink_to(tmp_path / "films")
    store.media.add_library("Films", tmp_path / "FILMS", "movie")
    for path, words in [
        ("films", "is the folder of library Films"),
        ("films/sub", "is inside library Films"),
        (".", "holds library Films"),
    ]:
        with pytest.raises(ConflictError, match=words):
            store.media.add_library("Other", tmp_path / path, "movie")


def test_a_library_whose_disk_is_away_keeps_no_other_from_being_added(
    store: Store, tmp_path: Path
) -> None:
    disk, other = tmp_path / "disk", tmp_path / "other"
    (disk / "films").mkdir(parents=True)
    other.mkdir()
    away = store.media.add_library("Away", disk / "films", "movie")
    disk.rename(tmp_path / "unplugged")
    added = store.media.add_library("Other", other, "movie")
    assert store.media.libraries() == [away, added]
    with pytest.raises(ConflictError, match="holds library Away"):
        store.media.add_library("Everything", tmp_path, "movie")
    disk.mkdir()  # the empty folder of the mount
    with pytest.raises(ConflictError, match="holds library Away"):
        store.media.update_library(added.id, path=disk)
    (tmp_path / "loop").symlink_to("loop")
    disk.rmdir()
    disk.symlink_to("loop")
    assert store.media.update_library(added.id, name="Still").path == str(other)
    store.media.add_library("New", tmp_path / "unplugged/films", "movie")


def test_a_library_may_get_another_name_of_its_own_folder(store: Store, tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    (tmp_path / "link").symlink_to("films")
    library = store.media.add_library("Films", tmp_path / "films", "movie")
    moved = store.media.update_library(library.id, path=tmp_path / "link")
    assert moved.path == str(tmp_path / "link")
