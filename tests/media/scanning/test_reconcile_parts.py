"""reconcile() takes the parts of a movie, cd1 and cd2, as a scan does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import counts, ids, watched
from viewra_lite import FileFacts, Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import MediaLibrary, WorkFile
from viewra_lite.playback.models import UserMediaProgress

HEAT = "movie:heat:1995"


@pytest.fixture
def library(store: Store, tmp_path: Path) -> MediaLibrary:
    (tmp_path / "m").mkdir()
    return store.media.add_library("m", tmp_path / "m", "movie")


def reconcile(store: Store, library: MediaLibrary, *files: FileFacts) -> dict[str, int]:
    with store.media.reconcile(library.id) as run:
        for file in files:
            run.add(file)
    return counts(run.result)


def at(library: MediaLibrary, name: str, **known: Any) -> FileFacts:
    return FileFacts(f"{library.path}/{name}", 1, 1, **known)


def parts_of_works(store: Store, library: MediaLibrary) -> dict[str, tuple[int | None, int]]:
    """Return the part of each file, by itself and of its only work."""
    with store.reader():
        links = {link.media_file_id: (link.work_id, link.part) for link in WorkFile.select()}
    found = ids(store, library.id)
    assert len({links[id][0] for id in found.values()}) == 1, "all are of one movie"
    return {name: (store.media.file(id).part, links[id][1]) for name, id in found.items()}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"identity": HEAT, "part": 1}, {"identity": HEAT, "part": 2}),
        ({"identity": f"{HEAT}:part1"}, {"identity": f"{HEAT}:cd2"}),
        ({"identity": f"{HEAT}:part1", "part": 1}, {"identity": HEAT, "part": 2}),
    ],
)
def test_parts_are_of_one_movie_each_by_its_number(
    store: Store, library: MediaLibrary, first: dict[str, Any], second: dict[str, Any]
) -> None:
    files = at(library, "cd1.avi", **first), at(library, "cd2.avi", **second)
    assert reconcile(store, library, *files) == {"added": 2}
    assert parts_of_works(store, library) == {"cd1.avi": (1, 1), "cd2.avi": (2, 2)}
    assert reconcile(store, library, *files) == {"unchanged": 2}


def test_a_part_is_replaced_by_the_same_part_only(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    reconcile(
        store, library, *(at(library, f"cd{part}.avi", identity=HEAT, part=part) for part in (1, 2))
    )
    before = ids(store, library.id)
    watched(store, before["cd2.avi"])
    clock.advance(60)
    better = [at(library, f"{part}.mkv", identity=HEAT, part=part) for part in (2, 1)]
    assert reconcile(store, library, *better) == {"updated": 2}
    assert ids(store, library.id) == {"1.mkv": before["cd1.avi"], "2.mkv": before["cd2.avi"]}
    with store.reader():
        (progress,) = UserMediaProgress.select()
    assert progress.media_file_id == before["cd2.avi"]


def test_a_part_that_was_not_known_or_was_wrong_is_corrected(
    store: Store, library: MediaLibrary, clock: Any
) -> None:
    reconcile(store, library, at(library, "a.avi", identity=HEAT), at(library, "b.avi", part=1))
    clock.advance(60)
    corrected = [
        at(library, "a.avi", identity=HEAT, part=1),
        at(library, "b.avi", identity=HEAT, part=2),
    ]
    assert reconcile(store, library, *corrected) == {"unchanged": 2}
    assert parts_of_works(store, library) == {"a.avi": (1, 1), "b.avi": (2, 2)}


@pytest.mark.parametrize("identity", ["episode:lost:2004:s01e02", "track:a:b:1:1:c", "i"])
def test_a_part_of_what_is_not_a_movie_is_refused(
    store: Store, library: MediaLibrary, identity: str
) -> None:
    with store.media.reconcile(library.id) as run:
        with pytest.raises(InvalidValueError, match="part is of a movie"):
            run.add(at(library, "a.mkv", identity=identity, part=1))


def test_two_different_parts_are_refused(store: Store, library: MediaLibrary) -> None:
    with store.media.reconcile(library.id) as run:
        with pytest.raises(InvalidValueError, match="part is 1, and 2 in .*give one of them"):
            run.add(at(library, "a.mkv", identity=f"{HEAT}:part2", part=1))


def test_a_scan_finds_the_same_parts(store: Store, library: MediaLibrary, clock: Any) -> None:
    pytest.importorskip("guessit")
    names = "Heat (1995) cd1.avi", "Heat (1995) cd2.avi"
    for name in names:
        Path(library.path, name).write_bytes(name.encode())
    files = [
        FileFacts(f"{library.path}/{name}", identity=HEAT, part=part)
        for part, name in enumerate(names, 1)
    ]
    assert reconcile(store, library, *files) == {"added": 2}
    before = parts_of_works(store, library), ids(store, library.id)
    clock.advance(60)
    store.media.scan(library.id)
    assert (parts_of_works(store, library), ids(store, library.id)) == before
    (movie,) = store.media.movies().items
    assert [file.part for file in store.media.movie(movie.id).files] == [1, 2]
