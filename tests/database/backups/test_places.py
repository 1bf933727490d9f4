"""Where a backup, a restored store or a library cannot be: the cause, the path, and no new file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import (
    chown_all,
    contents_of,
    fill,
    mount,
    open_folder,
    without_privileges,
)
from viewra_lite import Store
from viewra_lite.errors import ViewraError

Make = Callable[[Path], Path]


def linked(folder: Path, target: str) -> Path:
    os.symlink(target, folder / "l")
    return folder / "l"


def a_file(folder: Path) -> Path:
    (folder / "x").touch()
    return folder / "x"


def with_mode(folder: Path, mode: int) -> Path:
    (folder / "d").mkdir(mode=mode)
    return folder / "d"


def disk(folder: Path, *options: str) -> Path:
    (folder / "m").mkdir()
    mount("-t", "tmpfs", "-o", ",".join(("mode=777", *options)), "none", str(folder / "m"))
    return folder / "m"


READ_ONLY = "~/m(/b)? is on a read-only file system: mount it for writing"
DENIED = "~/d cannot be written to: permission denied .*chmod"
# What is asked for, and what is said of a folder to write to: of backups, or of a store.
FOLDERS: dict[str, tuple[Make, str]] = {
    "two missing": (lambda f: f / "a/b", "because ~/a does not exist: mount its disk"),
    "three missing": (lambda f: f / "a/b/c", "because ~/a does not exist: mount its disk"),
    "a file": (a_file, "~/x (cannot be used: a file is in its place|is not a folder)"),
    "below a file": (lambda f: a_file(f) / "y", "(part of its path|~/x) is not a folder"),
    "a dangling link": (lambda f: linked(f, "nowhere"), "~/l .*a link to nowhere, which does not"),
    "a loop": (lambda f: linked(f, "l"), "~/l.*(its symbolic links form a loop|leads to itself)"),
    "a long name": (
        lambda f: f / ("x" * 300),
        "(too long for database_path|cannot be used: its name is too long)",
    ),
    "a closed folder": (lambda f: with_mode(f, 0), DENIED),
    "a read-only folder": (lambda f: with_mode(f, 0o555), DENIED),
    "below a read-only folder": (lambda f: with_mode(f, 0o555) / "e", DENIED),
    "a read-only disk": (lambda f: disk(f, "ro") / "b", READ_ONLY),
    "a full disk": (lambda f: fill(disk(f, "size=64k")), "~/m .*0 bytes free.*make room"),
}
FILES: dict[str, tuple[Make, str]] = {
    "missing": (lambda f: f / "a/b", "~/a/b cannot be read: it does not exist"),
    "a folder": (lambda f: with_mode(f, 0o755), "~/d cannot be read: it is a folder, not a file"),
    "below a file": (
        lambda f: a_file(f) / "y",
        "cannot be read: a part of its path is not a folder",
    ),
    "a dangling link": (lambda f: linked(f, "nowhere"), "~/l cannot be read: it does not exist"),
    "a loop": (lambda f: linked(f, "l"), "~/l cannot be read: its symbolic links form a loop"),
    "an empty file": (a_file, "~/x is empty"),
    "in a closed folder": (
        lambda f: with_mode(f, 0) / "x",
        "cannot be read: this user has no perm",
    ),
}
LIBRARIES: dict[str, tuple[Make, str]] = {
    "missing": (lambda f: f / "a", "~/a does not exist: create the folder or mount the disk first"),
    "a file": (a_file, "~/x is a file: give the folder that holds it"),
    "a dangling link": (lambda f: linked(f, "nowhere"), "~/l is a link to nowhere, which does not"),
    "a loop": (lambda f: linked(f, "l"), "~/l is a link to l, which does not exist"),
}
CASES = [
    *(("backup_folder", name) for name in FOLDERS),
    *(("backup path", name) for name in FOLDERS),
    *(("restore to", name) for name in FOLDERS),
    *(("restore from", name) for name in FILES),
    *(("library", name) for name in LIBRARIES),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder with a store of the user's and a backup of it."""
    with open_folder() as folder:
        with Store.open(f"sqlite:///{folder}/s/viewra.db") as store:
            store.backups.create(folder / "copy.db")
        chown_all(folder)
        yield folder


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        chown_all(folder)
        yield folder


@pytest.mark.parametrize(("what", "name"), CASES)
def test_a_place_that_cannot_be_used_is_named_with_its_cause(
    what: str, name: str, home: Path, place: Path
) -> None:
    cases = {"restore from": FILES, "library": LIBRARIES}.get(what, FOLDERS)
    make, words = cases[name]
    path = make(place)
    if "disk" not in name:
        chown_all(place)
    before = contents_of(place)
    with without_privileges(), pytest.raises(ViewraError) as caught:
        use(what, home, path)
    assert re.search(words.replace("~", re.escape(str(place))), str(caught.value))
    assert contents_of(place) == before


def use(what: str, home: Path, path: Path) -> Any:
    options = {"database_path": home / "s/viewra.db"}
    if what == "restore to":
        return Store.restore({"database": {"database_path": path / "viewra.db"}}, home / "copy.db")
    if what == "restore from":
        return Store.restore({"database": {"database_path": home / "new.db"}}, path)
    if what == "backup_folder":
        options["backup_folder"] = path
    with Store.open({"database": options}) as store:
        if what == "library":
            return store.media.add_library("m", path, "movie")
        return store.backups.create(path / "copy.db" if what == "backup path" else None)
