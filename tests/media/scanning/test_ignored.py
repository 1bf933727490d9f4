"""What a scan leaves out, and counts: ignore files, folders of the system, what is not media."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.libraries import blob, ids
from viewra_lite import Store
from viewra_lite.media.models import MediaLibrary
from viewra_lite.media.scanning.ignoring import Rules

pytestmark = pytest.mark.usefixtures("probing_here")


def names(store: Store, library: MediaLibrary) -> list[str]:
    return sorted(ids(store, library.id))


def test_everything_that_is_left_out_is_counted_by_reason(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in (
        "Film (2001)/Film (2001).mkv",
        "Film (2001)/Film (2001).srt",
        "Film (2001)/poster.jpg",
        "Film (2001)/movie.nfo",
        "Film (2001)/readme.txt",
        "Film (2001)/song.mp3",
        "Film (2001)/Sample/film.mkv",
        "Film (2001)/film-sample.mkv",
        "...And Justice for All (1979).mkv",
        ".hidden.mkv",
        ".secret/a.mkv",
        ".secret/b.mkv",
        "@EADIR/x.mkv",
        "#recycle/y.mkv",
        "New (2003).mkv.part",
        "New (2004).mkv.!qB",
        "Kids/.ignore",
        "Kids/Film (2005).mkv",
        "Kids/deep/Film (2006).mkv",
    ):
        blob(folder / name)
    (folder / "Kids/.ignore").write_text("")
    result = store.media.scan(library.id)
    assert names(store, library) == [
        "...And Justice for All (1979).mkv",
        "Film (2001)/Film (2001).mkv",
    ]
    assert result.ignored == {
        "hidden": 2,
        "ignore file": 1,
        "incomplete download": 2,
        "not media": 2,
        "sample": 2,
        "system folder": 2,
    }


@pytest.mark.parametrize(
    ("ignore", "content", "left"),
    [
        (".ignore", "", []),
        (".ignore", "\n  \n# only a comment\n", []),
        (".nomedia", "", []),
        (".nomedia", "whatever", []),
        (".plexignore", "", ["a.mkv", "b.mkv", "sub/a.mkv", "sub/deep/c.mkv"]),
        (".ignore", "a.mkv", ["b.mkv", "sub/deep/c.mkv"]),
        (".plexignore", "# mine\r\nA.MKV\r\n", ["b.mkv", "sub/deep/c.mkv"]),
        (".ignore", "/a.mkv", ["b.mkv", "sub/a.mkv", "sub/deep/c.mkv"]),
        (".plexignore", "sub/*", ["a.mkv", "b.mkv"]),
        (".ignore", "sub/", ["a.mkv", "b.mkv"]),
        (".ignore", "a.mkv/", ["a.mkv", "b.mkv", "sub/a.mkv", "sub/deep/c.mkv"]),
        (".ignore", "*.mkv\n!b.mkv", ["b.mkv"]),
        (".ignore", "deep", ["a.mkv", "b.mkv", "sub/a.mkv"]),
        (".ignore", "sub/**/c.mkv", ["a.mkv", "b.mkv", "sub/a.mkv"]),
        (".ignore", "**/[ab].mkv", ["sub/deep/c.mkv"]),
        (".plexignore", "*deep*", ["a.mkv", "b.mkv", "sub/a.mkv"]),
        (".ignore", "\ufeff?.mkv", []),
    ],
)
def test_ignore_files_exclude_a_folder_or_what_matches_in_it(
    store: Store, library: MediaLibrary, folder: Path, ignore: str, content: str, left: list[str]
) -> None:
    for name in ("a.mkv", "b.mkv", "sub/a.mkv", "sub/deep/c.mkv"):
        blob(folder / "Shelf" / name)
    blob(folder / "a.mkv")
    (folder / "Shelf" / ignore).write_bytes(content.encode())
    store.media.scan(library.id)
    assert names(store, library) == [*(f"Shelf/{name}" for name in left), "a.mkv"]


def test_ignore_files_hold_below_their_folder_and_a_lower_one_has_the_last_word(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in ("a.mkv", "x/a.mkv", "x/y/a.mkv", "x/y/b.mkv"):
        blob(folder / name)
    (folder / ".ignore").write_text("a.mkv")
    (folder / "x/y/.ignore").write_text("!a.mkv\nb.mkv")
    store.media.scan(library.id)
    assert names(store, library) == ["x/y/a.mkv"]


def test_a_part_obeys_the_ignore_files_above_it(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in ("x/y/a.mkv", "x/y/b.mkv", "z/q/c.mkv"):
        blob(folder / name)
    (folder / ".ignore").write_text("a.mkv")
    (folder / "z/.nomedia").touch()
    assert store.media.scan(library.id, folder=folder / "x/y").ignored == {"ignore file": 1}
    result = store.media.scan(library.id, folder=folder / "z/q")
    assert (result.ignored, result.added) == ({"ignore file": 1}, 0)
    assert names(store, library) == ["x/y/b.mkv"]


def test_a_folder_whose_ignore_file_cannot_be_read_keeps_its_state(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    for number in range(5):
        blob(folder / f"Film {number} (2001).mkv")
    blob(folder / "Kids/Film (2002).mkv")
    store.media.scan(library.id)
    before = names(store, library)
    clock.advance(60)
    (folder / "Kids/.ignore").mkdir()  # cannot be read as a file
    result = store.media.scan(library.id)
    assert (result.errors, result.removed) == (1, 0)
    assert "ignore file" in result.problems[0].message
    assert names(store, library) == before


def test_a_folder_that_is_excluded_later_is_missing_and_comes_back_as_it_was(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    for number in range(5):
        blob(folder / f"Film {number} (2001).mkv")
    blob(folder / "Kids/Film (2002).mkv")
    store.media.scan(library.id)
    before = ids(store, library.id)
    (folder / "Kids/.ignore").touch()
    clock.advance(60)
    assert store.media.scan(library.id).removed == 1
    (folder / "Kids/.ignore").unlink()
    clock.advance(60)
    store.media.scan(library.id)
    assert ids(store, library.id) == before


@settings(max_examples=50)
@given(st.text(alphabet="*?a[]!/\\#. ", max_size=60), st.integers(0, 3))
def test_any_pattern_is_read_and_ends_soon(tmp_path_factory: Any, line: str, depth: int) -> None:
    folder = tmp_path_factory.mktemp("x")
    (folder / ".ignore").write_text(line)
    rules = Rules().read(str(folder), [".ignore"])
    path = os.path.join(folder, *["a" * 200] * depth, "a" * 250)
    assert rules.exclude(path, is_folder=False) in (True, False)
