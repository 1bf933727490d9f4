"""Scanning a part: only one folder is looked into, and nothing else is missing."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, counts, every_file, ids
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, NotFoundError
from viewra_lite.media.models import MediaLibrary

pytestmark = pytest.mark.usefixtures("probing_here")

EIGHT = tuple(f"Film {number} (2001)/Film {number} (2001).mkv" for number in range(8))

_seeds = count(1)


def film(path: Path, width: int = 64) -> Path:
    """Write a film of its own content."""
    return clip(path, seed=next(_seeds), width=width)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in EIGHT:
        film(tmp_path / "m" / name)
    return tmp_path / "m"


@pytest.fixture
def library(store: Store, folder: Path, clock: Any) -> MediaLibrary:
    library = store.media.add_library("m", folder, "movie")
    store.media.scan(library.id)
    clock.advance(60)
    return store.media.library(library.id)


def statuses(store: Store, library: MediaLibrary) -> dict[str, str]:
    return {file.filename: file.status for file in every_file(store, library.id)}


def test_only_the_folder_is_scanned_and_what_is_elsewhere_stays_as_it_was(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for number in range(4):
        (folder / EIGHT[number]).unlink()
    film(folder / "New (2002)/New (2002).mkv")
    film(folder / "Elsewhere (2003)/Elsewhere (2003).mkv")
    result = store.media.scan(library.id, folder=folder / "New (2002)")
    assert (counts(result), result.probed, result.frozen) == ({"added": 1}, 1, None)
    assert set(statuses(store, library).values()) == {"present"}
    assert "Elsewhere (2003).mkv" not in statuses(store, library)
    assert store.media.library(library.id).last_scan == library.last_scan
    [movie] = [m for m in store.media.movies().items if m.title == "New"]
    assert movie.year == 2002


def test_a_name_that_begins_like_the_folder_is_not_in_it(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in ("Film 1 (2001)-b/B.mkv", "Film 1 (2001) b/C.mkv", "Film 1 (2001)0/D.mkv"):
        film(folder / name)
    store.media.scan(library.id)
    result = store.media.scan(library.id, folder=folder / "Film 1 (2001)")
    assert counts(result) == {"unchanged": 1}
    assert set(statuses(store, library).values()) == {"present"}


def test_the_threshold_counts_the_files_of_the_part_only(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in "ABCD":
        film(folder / f"Box/{name} (1999).mkv")
    store.media.scan(library.id)
    (folder / "Box/A (1999).mkv").unlink()
    result = store.media.scan(library.id, folder=folder / "Box")
    assert (counts(result), result.frozen) == ({"removed": 1, "missing": 1, "unchanged": 3}, None)
    (folder / "Box/B (1999).mkv").unlink()
    result = store.media.scan(library.id, folder=folder / "Box")
    assert result.frozen is not None and "1 of 3 files" in result.frozen
    assert counts(result) == {"missing": 1, "unchanged": 2}
    result = store.media.scan(library.id, folder=folder / "Box", accept_missing=True)
    assert (counts(result), result.frozen) == ({"removed": 1, "missing": 2, "unchanged": 2}, None)


def test_a_deleted_folder_is_missing_only_when_the_caller_says_so(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    (folder / EIGHT[0]).unlink()
    (folder / EIGHT[0]).parent.rmdir()
    gone = (folder / EIGHT[0]).parent
    result = store.media.scan(library.id, folder=gone)
    assert result.frozen is not None and str(gone) in result.frozen
    assert "accept_missing=True" in result.frozen and result.removed == 0
    result = store.media.scan(library.id, folder=gone, accept_missing=True)
    assert (counts(result), result.frozen) == ({"removed": 1, "missing": 1}, None)
    assert list(statuses(store, library).values()).count("missing") == 1


def test_an_empty_folder_marks_nothing_missing_unless_the_caller_says_so(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    (folder / EIGHT[0]).unlink()
    part = (folder / EIGHT[0]).parent
    assert store.media.scan(library.id, folder=part).frozen is not None
    result = store.media.scan(library.id, folder=part, accept_missing=True)
    assert (result.removed, result.frozen) == (1, None)


@pytest.mark.parametrize("unplug", ["gone", "empty"])
def test_of_an_unplugged_library_no_part_is_deleted(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, unplug: str
) -> None:
    folder.rename(tmp_path / "away")
    if unplug == "empty":
        folder.mkdir()
    result = store.media.scan(library.id, folder=folder / "Film 0 (2001)", accept_missing=True)
    assert result.frozen is not None and result.removed == 0
    assert set(statuses(store, library).values()) == {"present"}


def test_a_file_that_was_moved_into_the_folder_keeps_its_id(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    before = ids(store, library.id)
    (folder / "Shelf").mkdir()
    (folder / EIGHT[0]).rename(folder / "Shelf/Film 0 (2001).mkv")
    result = store.media.scan(library.id, folder=folder / "Shelf")
    assert result.moved == 1 and result.added == 0
    after = ids(store, library.id)
    assert after["Shelf/Film 0 (2001).mkv"] == before[EIGHT[0]]
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 8}


def test_a_file_that_was_moved_out_of_the_folder_keeps_its_id(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    for name in "ABCDE":
        film(folder / f"Box/{name} (1999).mkv")
    store.media.scan(library.id)
    before = ids(store, library.id)
    clock.advance(60)
    (folder / "Box/A (1999).mkv").rename(folder / "A (1999).mkv")
    assert store.media.scan(library.id, folder=folder / "Box").removed == 1
    clock.advance(60)
    assert store.media.scan(library.id).moved == 1
    assert ids(store, library.id)["A (1999).mkv"] == before["Box/A (1999).mkv"]


def test_a_better_version_in_the_folder_replaces_the_one_that_is_gone(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    film(folder / "Heat (1995)/Heat (1995) 480p.mkv")
    store.media.scan(library.id, folder=folder / "Heat (1995)")
    old = ids(store, library.id)["Heat (1995)/Heat (1995) 480p.mkv"]
    clock.advance(60)
    (folder / "Heat (1995)/Heat (1995) 480p.mkv").unlink()
    film(folder / "Heat (1995)/Heat (1995) 1080p.mkv", width=128)
    result = store.media.scan(library.id, folder=folder / "Heat (1995)")
    assert (counts(result), result.frozen) == ({"updated": 1}, None)
    assert ids(store, library.id)["Heat (1995)/Heat (1995) 1080p.mkv"] == old


def test_the_root_as_the_folder_is_the_whole_library(
    store: Store, library: MediaLibrary, folder: Path, clock: Any
) -> None:
    for form in (folder, f"{folder}/", folder / "Film 1 (2001)/.."):
        clock.advance(60)
        assert counts(store.media.scan(library.id, folder=form)) == {"unchanged": 8}
        assert store.media.library(library.id).last_scan == clock()


def test_a_relative_folder_and_one_reached_over_a_link_are_the_same_part(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(folder)
    assert counts(store.media.scan(library.id, folder="Film 1 (2001)")) == {"unchanged": 1}
    (tmp_path / "link").symlink_to(folder)
    (folder / "Again").symlink_to(folder / "Film 1 (2001)")
    for way in (tmp_path / "link/Film 1 (2001)", folder / "Again"):
        assert counts(store.media.scan(library.id, folder=way)) == {"unchanged": 1}
    assert len(every_file(store, library.id)) == 8


def test_a_link_out_of_the_part_is_left_to_a_scan_of_the_library(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path, clock: Any
) -> None:
    film(tmp_path / "outside/O (2003).mkv")
    film(folder / ".data/D (2004).mkv")
    (folder / "Part").mkdir()
    (folder / "Part/film").symlink_to(folder / "Film 1 (2001)")
    (folder / "Part/hidden").symlink_to(folder / ".data")
    (folder / "Part/outside").symlink_to(tmp_path / "outside")
    store.media.scan(library.id)
    before = ids(store, library.id)
    assert {"Part/hidden/D (2004).mkv", "Part/outside/O (2003).mkv"} < set(before)
    clock.advance(60)
    result = store.media.scan(library.id, folder=folder / "Part")
    assert (counts(result), result.frozen) == ({"unchanged": 1}, None)
    assert ids(store, library.id) == before


def test_a_folder_that_a_scan_leaves_out_is_left_out_as_a_part_too(
    store: Store, library: MediaLibrary, folder: Path
) -> None:
    for name in ("@eaDir/deep/A (2001).mkv", ".hidden/B (2001).mkv", "Film 0 (2001)/Sample/C.mkv"):
        film(folder / name)
        result = store.media.scan(library.id, folder=(folder / name).parent)
        assert (result.added, result.frozen) == (0, None)


def test_names_of_any_bytes_are_a_part(store: Store, library: MediaLibrary, folder: Path) -> None:
    name = os.fsdecode(b"\xff \xc3\xa9 (2001)")
    os.makedirs(folder / name)
    film(folder / name / "x.mkv")
    assert store.media.scan(library.id, folder=folder / name).added == 1
    assert counts(store.media.scan(library.id, folder=folder / name)) == {"unchanged": 1}


def test_a_bad_folder_is_refused_with_the_remedy(
    store: Store, library: MediaLibrary, folder: Path, tmp_path: Path
) -> None:
    for bad, remedy in (
        (tmp_path, "give a folder below"),
        (tmp_path / "other", "give a folder below"),
        (folder / "../elsewhere", "give a folder below"),
        (folder / EIGHT[0], "give the folder that holds it"),
        (folder / "never there", "give a folder of the library"),
        (7, "folder must be"),
        ("", "folder must not be empty"),
        ("a\0b", "without NUL"),
    ):
        with pytest.raises(InvalidValueError, match=remedy):
            store.media.scan(library.id, folder=bad)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        store.media.scan("no such", folder=folder)
    assert set(statuses(store, library).values()) == {"present"}
