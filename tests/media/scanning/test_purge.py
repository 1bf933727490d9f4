"""Only tidy() forgets a vanished file, late, and so that it is known when it returns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import (
    blob,
    clip,
    counts,
    every_file,
    facts,
    ids,
    progress_by_path,
    watched,
)
from tests.support.media import write_audio
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.media.models import MediaLibrary, RemovedFile
from viewra_lite.media.search.models import SearchDocument

pytestmark = pytest.mark.usefixtures("probing_here")

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "m"


def scanned(store: Store, folder: Path, kind: str, clock: Any) -> MediaLibrary:
    library = store.media.add_library("m", folder, kind)
    store.media.scan(library.id)
    clock.advance(60)
    return library


def fill(folder: Path, count: int = 9) -> None:
    """Write files that keep the others from being more than a quarter."""
    for number in range(count):
        clip(folder / f"Filler {number} (1999) S09E{number:02}.mkv", seed=1000 + number)


def test_a_missing_file_is_forgotten_after_retention_days_and_not_before(
    store: Store, folder: Path, clock: Any
) -> None:
    fill(folder)
    gone = clip(folder / "Gone (2001).mkv")
    library = scanned(store, folder, "movie", clock)
    id = ids(store, library.id)["Gone (2001).mkv"]
    watched(store, id)
    gone.unlink()
    store.media.scan(library.id)
    clock.advance(30 * DAY_S)
    store.media.tidy(clock())
    assert store.media.file(id).status == "missing"
    store.media.tidy(clock.advance(1))
    assert id not in {file.id for file in every_file(store, library.id)}
    assert "Gone" not in {movie.title for movie in store.media.movies().items}
    assert store.media.search("gone") == []
    with store.reader():
        assert [row.id for row in RemovedFile.select()] == [id]
    clip(gone)
    assert counts(store.media.scan(library.id)) == {"moved": 1, "unchanged": 9}
    assert ids(store, library.id)["Gone (2001).mkv"] == id
    assert progress_by_path(store) == {"Gone (2001).mkv": 42.0}
    with store.reader():
        assert RemovedFile.select().count() == 0


@pytest.mark.parametrize("unplug", ["gone", "empty", "scanning"])
def test_nothing_is_forgotten_while_the_disk_is_away_or_a_scan_runs(
    store: Store, folder: Path, tmp_path: Path, clock: Any, unplug: str
) -> None:
    fill(folder)
    gone = clip(folder / "Gone (2001).mkv")
    library = scanned(store, folder, "movie", clock)
    gone.unlink()
    assert store.media.scan(library.id).missing == 1
    clock.advance(90 * DAY_S)
    if unplug == "scanning":
        with store.media.reconcile(library.id) as files:
            store.media.tidy(clock())
            for path in folder.iterdir():
                files.add(facts(path))
    else:
        folder.rename(tmp_path / "away")
        if unplug == "empty":
            folder.mkdir()
        store.media.tidy(clock())
    assert len(every_file(store, library.id)) == 10


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(InvalidValueError):
        store.media.tidy(datetime(2024, 1, 1))


def test_a_movie_passes_to_its_other_version(store: Store, folder: Path, clock: Any) -> None:
    fill(folder)
    best = clip(folder / "Heat (1995) 1080p.mkv", seed=1, width=128)
    other = clip(folder / "Heat (1995) 480p.mkv", seed=2)
    library = scanned(store, folder, "movie", clock)
    heat = next(m for m in store.media.movies().items if m.title == "Heat")
    assert heat.media_file.path == str(best)
    best.unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    movie = store.media.movie(heat.id)
    assert movie.media_file.path == str(other) and len(movie.files) == 1


def test_an_episode_and_a_track_pass_to_their_other_version(
    store: Store, folder: Path, clock: Any
) -> None:
    for number in range(1, 9):
        clip(folder / f"Lost/Lost S01E{number:02}.mkv", seed=number)
    clip(folder / "Lost/Lost S01E07-E08 720p.mkv", seed=30)
    clip(folder / "Lost/Lost S01E01 720p.mkv", seed=31, width=128)
    library = scanned(store, folder, "tv", clock)
    (show,) = store.media.shows().items

    def standing() -> dict[int, str]:
        (season,) = store.media.show(show.id).seasons
        return {e.episode_number: Path(e.media_file.path).name for e in season.episodes}

    assert standing()[1] == "Lost S01E01 720p.mkv"
    (folder / "Lost/Lost S01E01 720p.mkv").unlink()
    (folder / "Lost/Lost S01E07.mkv").unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    assert standing()[1] == "Lost S01E01.mkv"
    assert standing()[7] == "Lost S01E07-E08 720p.mkv"


def test_an_empty_show_goes_with_its_last_file(store: Store, folder: Path, clock: Any) -> None:
    fill(folder / "Filler")
    clip(folder / "Lost/Season 1/Lost S01E01.mkv", seed=1)
    clip(folder / "Lost/Season 2/Lost S02E01.mkv", seed=2)
    library = scanned(store, folder, "tv", clock)
    assert len(store.media.shows().items) == 2
    lost = next(show for show in store.media.shows().items if show.title == "Lost")
    (folder / "Lost/Season 1/Lost S01E01.mkv").unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    assert [s.season_number for s in store.media.show(lost.id).seasons] == [2]
    (folder / "Lost/Season 2/Lost S02E01.mkv").unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    assert [show.title for show in store.media.shows().items] == ["Filler"]
    with store.reader():
        assert SearchDocument.select().where(SearchDocument.title == "Lost").count() == 0


@pytest.mark.parametrize("written", ["show", "season", "episode"])
def test_what_somebody_wrote_about_a_show_stays_without_its_files(
    store: Store, folder: Path, clock: Any, written: str
) -> None:
    fill(folder / "Filler")
    clip(folder / "Lost/Lost S01E01.mkv", seed=1)
    library = scanned(store, folder, "tv", clock)
    lost = next(show for show in store.media.shows().items if show.title == "Lost")
    if written == "show":
        store.media.save_show(library.id, title="Lost", overview="An island")
    elif written == "season":
        store.media.save_season(lost.id, season_number=1, overview="The crash")
    else:
        store.media.save_episode(lost.id, season_number=1, episode_number=1, tmdb_id=4)
    (folder / "Lost/Lost S01E01.mkv").unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    show = store.media.show(lost.id)
    assert len(show.seasons) == (written != "show")
    assert [e.media_file for s in show.seasons for e in s.episodes] == (
        [None] if written == "episode" else []
    )
    clip(folder / "Lost/Lost S01E01.mkv", seed=1)
    store.media.scan(library.id)
    (season,) = store.media.show(lost.id).seasons
    assert season.episodes[0].media_file.filename == "Lost S01E01.mkv"


@pytest.mark.parametrize("curated", [False, True])
def test_an_empty_album_goes_with_its_last_track_unless_somebody_wrote_about_it(
    store: Store, folder: Path, clock: Any, curated: bool
) -> None:
    for number in range(8):
        write_audio(
            folder / f"{number}.mp3",
            seconds=0.2,
            title=f"Song {number}",
            artist="Ann",
            album="Long" if number < 7 else "Short",
            track=number,
            seed=number,
        )
    library = scanned(store, folder, "music", clock)
    if curated:
        store.media.save_album(library.id, title="Short", album_artist="Ann", label="Ours")
    (folder / "7.mp3").unlink()
    store.media.scan(library.id)
    store.media.tidy(clock.advance(40 * DAY_S))
    assert [album.title for album in store.media.albums().items] == (
        ["Long", "Short"] if curated else ["Long"]
    )


def test_many_missing_files_are_forgotten_in_batches(
    store: Store, folder: Path, clock: Any
) -> None:
    library = store.media.add_library("m", blob(folder / "x.mkv").parent, "movie")
    from viewra_lite import FileFacts

    def reconciled(count: int) -> None:
        with store.media.reconcile(library.id) as files:
            for number in range(count):
                files.add(FileFacts(f"{folder}/{number:04}.mkv", 1, 1, fingerprint=str(number)))
        clock.advance(60)

    reconciled(1000)
    reconciled(800)
    store.media.tidy(clock.advance(40 * DAY_S))
    assert len(every_file(store, library.id)) == 800
    with store.reader():
        assert RemovedFile.select().count() == 200
