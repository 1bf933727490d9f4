"""An unplugged disk deletes nothing: what is frozen, what is missing, and what is purged when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import blob, counts, every_file, ids
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary
from viewra_lite.media.scanning import scan as scanning, walk as walking

pytestmark = pytest.mark.usefixtures("probing_here")

COUNT = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(COUNT):
        blob(tmp_path / f"m/{'a' if number < 4 else 'b'}/Film {number:02} (2001).mkv")
    return tmp_path / "m"


@pytest.fixture
def library(store: Store, folder: Path, clock: Any) -> MediaLibrary:
    library = store.media.add_library("m", folder, "movie")
    store.media.scan(library.id)
    clock.advance(60)
    return store.media.library(library.id)


def statuses(store: Store, library: MediaLibrary) -> list[str]:
    return [file.status for file in every_file(store, library.id)]


@pytest.mark.parametrize("unplug", ["gone", "empty", "a file", "lost+found"])
def test_an_unplugged_root_marks_nothing_missing_and_the_library_stays_due(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Any, unplug: str
) -> None:
    folder.rename(tmp_path / "away")
    if unplug == "a file":
        folder.write_text("")
    elif unplug != "gone":
        folder.mkdir()
    if unplug == "lost+found":
        (folder / "lost+found").mkdir()
    clock.advance(3600)
    result = store.media.scan(library.id)
    assert result.frozen is not None and result.removed == result.missing == 0
    assert str(folder) in result.frozen or "would vanish" in result.frozen
    assert statuses(store, library) == ["present"] * COUNT
    due = [one.id for one in store.media.libraries_due()]
    assert due == ([] if unplug == "lost+found" else [library.id])
    if folder.is_dir():
        for path in folder.iterdir():
            path.rmdir()
        folder.rmdir()
    elif folder.exists():
        folder.unlink()
    (tmp_path / "away").rename(folder)
    clock.advance(3600)
    result = store.media.scan(library.id)
    assert (counts(result), result.frozen) == ({"unchanged": COUNT}, None)


def test_an_empty_folder_of_a_new_library_is_no_alarm(store: Store, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    library = store.media.add_library("n", tmp_path / "new", "movie")
    result = store.media.scan(library.id)
    assert (counts(result), result.frozen) == ({}, None)
    assert store.media.libraries_due() == []


@pytest.mark.parametrize(("vanished", "frozen"), [(5, False), (6, True)])
def test_a_quarter_may_vanish_at_once_and_not_one_file_more(
    store: Store, library: MediaLibrary, folder: Path, clock: Any, vanished: int, frozen: bool
) -> None:
    for path in sorted(folder.rglob("*.mkv"))[:vanished]:
        path.unlink()
    result = store.media.scan(library.id)
    if frozen:
        assert result.frozen is not None and "6 of 20" in result.frozen
        assert counts(result) == {"unchanged": COUNT - 6}
        blob(folder / "New (2002).mkv")  # what is new is found all the same
        clock.advance(60)
        assert store.media.scan(library.id).added == 1
    else:
        assert result.frozen is None
        assert counts(result) == {"unchanged": 15, "removed": 5, "missing": 5}
    assert statuses(store, library).count("missing") == (0 if frozen else 5)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("threshold", "vanished", "frozen"),
    [(1.0, 19, False), (0.0, 1, True), (0.5, 10, False), (0.5, 11, True)],
)
def test_how_much_may_vanish_is_configured(
    tmp_path: Path, folder: Path, threshold: float, vanished: int, frozen: bool
) -> None:
    source = {
        "database": {
            "type": "sqlite",
            "database_path": str(tmp_path / "v.db"),
            "freeze_threshold": threshold,
        }
    }
    with Store.open(source) as store:
        library = store.media.add_library("m", folder, "movie")
        store.media.scan(library.id)
        for path in sorted(folder.rglob("*.mkv"))[:vanished]:
            path.unlink()
        result = store.media.scan(library.id)
        assert (result.frozen is not None) == frozen
        assert result.missing == (0 if frozen else vanished)


def refusing(monkeypatch: pytest.MonkeyPatch, target: str, *modules: Any) -> None:
    """Let a folder answer as one does that an account may not enter."""
    scandir = os.scandir

    def refused(path: Any) -> Iterator[os.DirEntry[str]]:
        if str(path) == target:
            raise PermissionError(13, "Permission denied", target)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)


def test_a_root_that_cannot_be_read_is_frozen(
    store: Store, library: MediaLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, str(folder), scanning)
    result = store.media.scan(library.id)
    assert result.frozen is not None and "Permission denied" in result.frozen
    assert counts(result) == {"errors": 1}
    assert statuses(store, library) == ["present"] * COUNT


@pytest.mark.parametrize("part", ["a", "b"])
def test_what_lies_below_a_folder_that_cannot_be_read_is_left_alone(
    store: Store,
    library: MediaLibrary,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Any,
    part: str,
) -> None:
    refusing(monkeypatch, str(folder / part), walking)
    (folder / ("b" if part == "a" else "a") / "Film 03 (2001).mkv").unlink(missing_ok=True)
    (folder / "b" / "Film 10 (2001).mkv").unlink()
    result = store.media.scan(library.id)
    assert [problem.path for problem in result.problems] == [str(folder / part)]
    assert result.frozen is None
    missing = {f.filename for f in every_file(store, library.id) if f.status == "missing"}
    assert missing == ({"Film 10 (2001).mkv"} if part == "a" else {"Film 03 (2001).mkv"})
    monkeypatch.undo()


def test_a_file_whose_disk_answers_with_errors_is_left_alone(
    store: Store, library: MediaLibrary, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ill:
        def __init__(self, entry: Any) -> None:
            self.name, self.path = entry.name, entry.path
            self.is_dir, self.is_symlink, self.is_file = (
                entry.is_dir,
                entry.is_symlink,
                entry.is_file,
            )

        def stat(self) -> None:
            raise OSError(5, "Input/output error")

    listing = walking._listing

    def ill(*arguments: Any) -> list[Any]:
        return [Ill(e) if "Film 07" in e.name else e for e in listing(*arguments)]

    monkeypatch.setattr(walking, "_listing", ill)
    result = store.media.scan(library.id)
    assert counts(result) == {"unchanged": COUNT - 1, "errors": 1}
    assert statuses(store, library) == ["present"] * COUNT


def test_a_disk_below_the_root_that_vanishes_is_missing_at_most_and_comes_back_as_it_was(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Any
) -> None:
    before = ids(store, library.id)
    (folder / "a").rename(tmp_path / "disk")
    (folder / "a").mkdir()
    result = store.media.scan(library.id)
    assert (result.frozen, result.missing) == (None, 4)
    (folder / "a").rmdir()
    (tmp_path / "disk").rename(folder / "a")
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"updated": 4, "unchanged": 16, "errors": 4}
    assert ids(store, library.id) == before


def test_a_root_that_vanishes_during_the_walk_marks_nothing_missing(
    store: Store,
    library: MediaLibrary,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listing = walking._listing

    def vanishing(path: str, *rest: Any) -> list[Any]:
        if path.endswith("/a"):
            folder.rename(tmp_path / "away")
        return listing(path, *rest)

    monkeypatch.setattr(walking, "_listing", vanishing)
    result = store.media.scan(library.id)
    assert result.removed == result.missing == 0
    assert statuses(store, library) == ["present"] * COUNT


# What is imported later may lie where nobody may read.
UNPRIVILEGED = """
import json, os, sys
import guessit, pymediainfo
from viewra_lite import Store
from viewra_lite.database.sqlite import backend as sqlite
from viewra_lite.media.scanning import scan
guessit.guessit("Film (2001)", {"no_user_config": True})
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
with Store.open(json.loads(sys.argv[1])) as store:
    library, = store.media.libraries()
    result = store.media.scan(library.id)
    print(json.dumps([result.errors, result.missing, bool(result.frozen),
                      [p.message for p in result.problems]]))
"""


@pytest.mark.usefixtures("driver")
@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
@pytest.mark.parametrize("shut", ["", "a", "a/Film 00 (2001).mkv"])
def test_real_permissions_freeze_or_spare_what_they_hide(shut: str) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "m"
        for number in range(COUNT):
            blob(folder / f"{'a' if number < 4 else 'b'}/Film {number:02} (2001).mkv")
        source = {"database": {"type": "sqlite", "database_path": f"{base}/db/v.db"}}
        with Store.open(source) as store:
            library = store.media.add_library("m", folder, "movie")
            store.media.scan(library.id)
        for path in [Path(base), *Path(base).rglob("*")]:
            os.chown(path, nobody, nobody)
        os.utime(folder / "a/Film 00 (2001).mkv", ns=(1, 1))
        os.chown(folder / shut, 0, 0)
        os.chmod(folder / shut, 0o700)
        scanned = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, json.dumps(source)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        assert scanned.returncode == 0, scanned.stderr
        errors, missing, frozen, problems = json.loads(scanned.stdout)
        assert (errors, missing, frozen) == (1, 0, shut == "")
        assert all("denied" in problem for problem in problems)


def test_somebody_may_say_that_what_vanished_is_really_gone(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for number in range(10):
        next(folder.glob(f"*/Film {number:02} *")).unlink()
    frozen = store.media.scan(library.id)
    assert frozen.frozen is not None and "accept_missing=True" in frozen.frozen
    accepted = store.media.scan(library.id, accept_missing=True)
    assert (accepted.frozen, accepted.removed, accepted.missing) == (None, 10, 10)


def test_an_empty_folder_is_not_believed_whatever_somebody_says(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path
) -> None:
    folder.rename(tmp_path / "away")
    folder.mkdir()
    assert store.media.scan(library.id, accept_missing=True).frozen is not None
    assert statuses(store, library) == ["present"] * COUNT
