"""Without the optional packages a scan records what it can, and says what it left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, counts, every_file, ids
from tests.support.media import make_library
from viewra_lite import Store

BLOCKED = """
import sys
for name in {names!r}:
    sys.modules[name] = None
"""
SCANNING = """
import json, sys
from viewra_lite import Store
with Store.open(json.loads(sys.argv[1])) as store:
    library, = store.media.libraries()
    result = store.media.scan(library.id)
    print(json.dumps([result.added, result.errors, result.not_probed]))
"""


def scan_without(names: tuple[str, ...], source: dict[str, Any], folder: Path) -> list[Any]:
    """Scan in a process, and with workers, that cannot import these packages."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BLOCKED.format(names=names))
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", SCANNING, json.dumps(source)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}"},
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    ("kind", "blocked", "lacking"),
    [
        ("movie", ("guessit", "pymediainfo", "tinytag"), ["guessit", "pymediainfo"]),
        ("movie", ("pymediainfo",), ["pymediainfo"]),
        ("music", ("guessit", "pymediainfo", "tinytag"), ["pymediainfo", "tinytag"]),
    ],
)
def test_without_the_extras_files_are_recorded_and_probed_once_they_are_there(
    tmp_path: Path, kind: str, blocked: tuple[str, ...], lacking: list[str]
) -> None:
    made = make_library(tmp_path / "l")
    folder = made.movies if kind == "movie" else made.music
    for path in sorted(folder.rglob("*.m??"))[2:]:
        path.unlink()
    count = sum(path.is_file() for path in folder.rglob("*"))
    source = {"database": {"type": "sqlite", "database_path": str(tmp_path / "v.db")}}
    with Store.open(source) as store:
        library = store.media.add_library("l", folder, kind)
    assert scan_without(blocked, source, tmp_path / "site") == [count, 0, lacking]
    with Store.open(source) as store:
        for file in every_file(store, library.id):
            assert file.size == os.path.getsize(file.path) and file.mime_type and file.container
            assert file.probe_state == "partial" and file.duration is None and file.fingerprint
        before = ids(store, library.id)
        result = store.media.scan(library.id)
        assert (counts(result), result.not_probed) == ({"unchanged": count}, ())
        assert ids(store, library.id) == before
        for file in every_file(store, library.id):
            assert file.probe_state == "done" and file.duration
        whole = store.media.movies if kind == "movie" else store.media.albums
        assert whole().items
        assert counts(store.media.scan(library.id)) == {"unchanged": count}


@pytest.mark.usefixtures("driver")
def test_without_the_extras_a_renamed_file_is_still_known(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    for number in range(5):
        clip(folder / f"Film {number} (2001).mkv", seed=number)
    source = {"database": {"type": "sqlite", "database_path": str(tmp_path / "v.db")}}
    with Store.open(source) as store:
        library = store.media.add_library("m", folder, "movie")
        store.media.scan(library.id)
        before, movies = ids(store, library.id), [m.id for m in store.media.movies().items]
    (folder / "Film 1 (2001).mkv").rename(folder / "Film One (2001).mkv")
    assert scan_without(("guessit", "pymediainfo"), source, tmp_path / "site")[0] == 0
    with Store.open(source) as store:
        after = ids(store, library.id)
        assert after["Film One (2001).mkv"] == before["Film 1 (2001).mkv"]
        store.media.scan(library.id)
        assert {m.id for m in store.media.movies().items} == set(movies)
        assert "Film One" in [m.title for m in store.media.movies().items]
