"""A file that belongs to nothing can be found, and is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip, facts
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import Episode, MediaScan, Movie

pytestmark = pytest.mark.usefixtures("probing_here")


def names(store: Store, library_id: str, **options: Any) -> list[str]:
    """Return the names of a library's files, page by page."""
    found: list[str] = []
    after = None
    while True:
        page = store.media.files(library_id, limit=2, after=after, **options)
        found += [Path(file.path).name for file in page.items]
        if page.next is None:
            return found
        after = page.next


@pytest.mark.edits_tables
def test_files_that_belong_to_nothing_are_listed_and_counted_and_extras_are_not(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "films"
    for seed in range(5):
        clip(folder / f"Film {seed} (2001)" / f"Film {seed} (2001).mkv", seed)
    clip(folder / "Film 0 (2001)/Film 0 (2001)-trailer.mkv", 9)
    library = store.media.add_library("films", folder, "movie")
    assert store.media.scan(library.id).unplaced == 0
    everything = names(store, library.id)
    assert len(everything) == 6
    assert names(store, library.id, placed=True) == everything
    assert names(store, library.id, placed=False) == []
    with store.writer():
        Movie.delete().where(Movie.title.in_(["Film 1", "Film 2", "Film 3"])).execute()
    lost = [f"Film {number} (2001).mkv" for number in (1, 2, 3)]
    assert names(store, library.id, placed=False) == lost
    assert names(store, library.id, placed=True) == [one for one in everything if one not in lost]
    assert [Path(file.path).name for file in store.maintenance.problems()] == lost
    clip(folder / "Film 9 (2001).mkv", 10)
    clock.advance(60)
    assert store.media.scan(library.id).unplaced == 3
    film = store.media.find_file(library.id, folder / "Film 2 (2001)/Film 2 (2001).mkv")
    assert film is not None
    store.media.save_movie(library.id, title="Film 2", year=2001, media_file_id=film.id)
    assert names(store, library.id, placed=False) == [lost[0], lost[2]]
    assert store.media.scan(library.id).unplaced == 2


def test_an_unchanged_library_is_not_counted_again(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    clip(folder / "Film (2001).mkv")
    library = store.media.add_library("films", folder, "movie")
    store.media.scan(library.id)
    with store.writer():
        MediaScan.update(unplaced=7).execute()
    assert store.media.scan(library.id).unplaced == 7
    clip(folder / "Other (2002).mkv", 2)
    assert store.media.scan(library.id).unplaced == 0


def test_the_files_of_a_program_that_only_reconciles_belong_to_nothing_and_are_no_problems(
    store: Store, tmp_path: Path
) -> None:
    path = clip(tmp_path / "tv/Lost/Lost S01E01.mkv")
    library = store.media.add_library("tv", tmp_path / "tv", "tv")
    with store.media.reconcile(library.id) as files:
        files.add(facts(path, identity="episode:lost::s01e01"))
    assert files.result.unplaced == 1
    assert store.maintenance.problems() == []
    result = store.media.scan(library.id)
    assert result.unplaced == 0
    with store.reader():
        assert Episode.select().count() == 1


def test_placed_is_true_false_or_none(store: Store, tmp_path: Path) -> None:
    (tmp_path / "tv").mkdir()
    library = store.media.add_library("tv", tmp_path / "tv", "tv")
    wrong: Any = "no"
    with pytest.raises(InvalidValueError, match="placed must be"):
        store.media.files(library.id, placed=wrong)
