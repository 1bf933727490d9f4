"""A path that is too long to be stored is reported, on both engines, and nothing else fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.libraries import blob, ids

from viewra_lite import FileFacts, Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.libraries import LONGEST_PATH

pytestmark = pytest.mark.usefixtures("probing_here")


def deep(folder: Path, size: int, letter: str = "x") -> Path:
    """Return the path of a file below a folder that has just this many bytes."""
    path, name = folder, "Alien (1979).mkv"
    while size - len(bytes(path)) - len(name) - 2 > 240:
        path /= letter * (200 // len(letter.encode()))
    rest = size - len(bytes(path)) - len(name) - 2
    return (path / ("y" * rest) if rest > 0 else path) / name


@pytest.mark.parametrize("letter", ["x", "é", "映"])
def test_a_file_whose_path_is_too_long_is_reported_and_the_others_are_scanned(
    store: Store, tmp_path: Path, letter: str
) -> None:
    library = store.media.add_library("m", blob(tmp_path / "m/a.mkv").parent, "movie")
    longest = blob(deep(tmp_path / "m", LONGEST_PATH, letter))
    beyond = blob(deep(tmp_path / "m", LONGEST_PATH + 1, letter).with_name("Brazil (1985)!.mkv"))
    assert len(bytes(longest)) == LONGEST_PATH
    for _ in range(2):
        result = store.media.scan(library.id)
        said = [problem for problem in result.problems if problem.path == str(beyond)]
        message = f"its path has {len(bytes(beyond))} bytes, more than {LONGEST_PATH}"
        assert [one.message for one in said] == [f"cannot be read: {message}"]
        assert (result.frozen, result.missing) == (None, 0)
    assert {Path(path).name for path in ids(store, library.id)} == {"a.mkv", longest.name}
    assert store.media.find_file(library.id, longest) is not None
    with pytest.raises(InvalidValueError, match="cannot be stored: its path has"):
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(str(beyond)))


def test_bytes_that_are_not_utf_8_count_as_they_are_stored(store: Store, tmp_path: Path) -> None:
    folder = blob(tmp_path / "m/a.mkv").parent
    raw = "\udcff" * 200
    library = store.media.add_library("m", folder, "movie")
    fits, beyond = (blob(Path(folder, *[raw] * n, "Alien (1979).mkv")) for n in (2, 3))
    result = store.media.scan(library.id)
    assert store.media.find_file(library.id, fits) is not None
    assert store.media.find_file(library.id, beyond) is None
    assert [one.path for one in result.problems if "its path has" in one.message] == [str(beyond)]


def test_a_folder_whose_files_would_have_too_long_paths_is_refused(
    store: Store, tmp_path: Path
) -> None:
    library = store.media.add_library("m", blob(tmp_path / "m/a.mkv").parent, "movie")
    blob(deep(tmp_path / "m", LONGEST_PATH))
    store.media.scan(library.id)
    before = ids(store, library.id)
    (tmp_path / "m").rename(tmp_path / "longer")
    with pytest.raises(InvalidValueError, match=f"its path has {LONGEST_PATH + 5} bytes"):
        store.media.update_library(library.id, path=tmp_path / "longer")
    assert ids(store, library.id) == before
    root = deep(tmp_path, LONGEST_PATH + 1).parent / "a folder of its own"
    root.mkdir(parents=True)
    with pytest.raises(InvalidValueError, match="cannot be a library: its path has"):
        store.media.add_library("n", root, "movie")
    (tmp_path / "longer").rename(tmp_path / "n")
    moved = store.media.update_library(library.id, path=tmp_path / "n")
    assert ids(store, moved.id) == before
