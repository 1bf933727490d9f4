"""What the names of episodes bring into the catalog: specials, ids of each level, numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import clip
from viewra_lite import Store
from viewra_lite.media.models import Episode, MediaLibrary, TVShow

pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.fixture
def tv(store: Store, tmp_path: Path) -> MediaLibrary:
    """An empty library of shows."""
    (tmp_path / "tv").mkdir()
    return store.media.add_library("TV", tmp_path / "tv", "tv")


def scanned(store: Store, tv: MediaLibrary, *names: str) -> TVShow:
    """Scan files by these names, and return the only show that they are of."""
    for number, name in enumerate(names):
        clip(Path(tv.path) / name, seed=number)
    assert store.media.scan(tv.id).errors == 0
    (show,) = store.media.shows().items
    return store.media.show(show.id)


def episodes(show: TVShow) -> list[tuple[int, Any, Any]]:
    return [
        (season.season_number, episode.episode_number, episode.title)
        for season in show.seasons
        for episode in season.episodes
    ]


def episode(show: TVShow, title: str) -> Episode:
    return next(one for season in show.seasons for one in season.episodes if one.title == title)


def test_a_special_that_only_its_name_tells_apart_is_an_episode_without_a_number(
    store: Store, tv: MediaLibrary
) -> None:
    show = scanned(
        store,
        tv,
        "Harbour/Season 1/Harbour S01E01 - Pilot.mkv",
        "Harbour/Specials/Harbour - Christmas Special.mkv",
        "Harbour/Specials/Harbour - New Year.mkv",
        "Harbour/Specials/S00E01 - Reunion.mkv",
        "Harbour/OVA/Harbour - OVA 1.mkv",
    )
    assert episodes(show) == [
        (0, 1, "Reunion"),
        (0, None, "Christmas Special"),
        (0, None, "New Year"),
        (0, None, "OVA 1"),
        (1, 1, "Pilot"),
    ]


def test_two_files_of_one_special_are_its_versions(
    store: Store, tv: MediaLibrary, clock: Any
) -> None:
    names = (
        "Harbour/Specials/Christmas Special.mkv",
        "Harbour/Specials/Harbour - Christmas Special [1080p].mkv",
    )
    show = scanned(store, tv, *names)
    assert episodes(show) == [(0, None, "Christmas Special")]
    special = episode(show, "Christmas Special")
    Path(special.media_file.path).unlink()
    clock.advance(60)
    store.media.scan(tv.id, accept_missing=True)
    again = episode(store.media.show(show.id), "Christmas Special")
    assert (again.id, again.media_file.status) == (special.id, "present")
    assert again.media_file.path != special.media_file.path


def test_a_special_without_a_number_is_found_played_and_never_next_up(
    store: Store, tv: MediaLibrary
) -> None:
    show = scanned(
        store,
        tv,
        "Harbour/Season 1/Harbour S01E01.mkv",
        "Harbour/Season 1/Harbour S01E02.mkv",
        "Harbour/Specials/Harbour - Christmas Special.mkv",
        "Harbour/Specials/Harbour - New Year.mkv",
    )
    special = episode(show, "Christmas Special")
    (hit,) = store.media.search("christmas")
    assert (hit.id, hit.detail) == (special.id, "Harbour")
    store.playback.mark_watched("ann", special.media_file_id)
    assert store.playback.next_up("ann") == []
    pilot = show.seasons[1].episodes[0]
    store.playback.mark_watched("ann", pilot.media_file_id)
    assert [item.episode.episode_number for item in store.playback.next_up("ann")] == [2]
    store.playback.set_progress("ann", special.media_file_id, 0.1)
    assert store.playback.progress("ann", special.media_file_id).position == 0.1


def test_ids_in_names_are_the_shows_the_seasons_and_the_episodes(
    store: Store, tv: MediaLibrary
) -> None:
    show = scanned(
        store,
        tv,
        "Harbour [tvdbid=111]/Season 01 [tvdbid=222]/Harbour S01E01 [tvdbid=333].mkv",
        "Harbour [tvdbid=111]/Season 01 [tvdbid=222]/Harbour S01E02 {imdb-tt0000444}.mkv",
    )
    (season,) = show.seasons
    first, second = season.episodes
    assert (show.tvdb_id, season.tvdb_id) == (111, 222)
    assert (first.tvdb_id, first.imdb_id) == (333, None)
    assert (second.tvdb_id, second.imdb_id) == (None, "tt0000444")


def test_a_season_keeps_its_id_while_one_of_its_folders_has_it(
    store: Store, tv: MediaLibrary, clock: Any
) -> None:
    show = scanned(
        store,
        tv,
        "Harbour/Season 01 [tvdbid=222]/Harbour S01E01.mkv",
        "Harbour/Season 1/Harbour S01E02.mkv",
    )
    assert show.seasons[0].tvdb_id == 222
    Path(tv.path, "Harbour/Season 01 [tvdbid=222]").rename(Path(tv.path, "Harbour/Season 01"))
    clock.advance(60)
    store.media.scan(tv.id)
    assert store.media.show(show.id).seasons[0].tvdb_id is None


def test_an_episode_that_only_its_name_gave_an_id_goes_with_its_file(
    store: Store, tv: MediaLibrary, clock: Any
) -> None:
    names = ("Harbour/Season 1/S01E01 {tvdb-333}.mkv", "Harbour/Season 1/S01E02.mkv")
    show = scanned(store, tv, *names)
    Path(tv.path, names[0]).rename(Path(tv.path, "Harbour/Season 1/S01E03.mkv"))
    clock.advance(60)
    store.media.scan(tv.id)
    assert episodes(store.media.show(show.id)) == [(1, 2, None), (1, 3, None)]


def test_absolute_numbers_are_stored_beside_season_and_episode(
    store: Store, tv: MediaLibrary
) -> None:
    show = scanned(
        store,
        tv,
        "[Group] Harbour - 12 (S01E12).mkv",
        "[Group] Harbour - 13-14 (S01E13-E14).mkv",
        "[Group] Harbour - 15.5 (S00E01).mkv",
    )
    numbers = [
        (one.season_number, one.episode_number, one.absolute_number)
        for season in show.seasons
        for one in season.episodes
    ]
    assert numbers == [(0, 1, None), (1, 12, 12), (1, 13, 13), (1, 14, 14)]


def test_a_range_of_absolute_numbers_is_several_episodes(store: Store, tv: MediaLibrary) -> None:
    show = scanned(store, tv, "[Group] Harbour - 26-27.mkv", "[Group] Harbour - 28.mkv")
    assert [number for _, number, _ in episodes(show)] == [26, 27, 28]
    first, second, third = show.seasons[0].episodes
    assert first.media_file_id == second.media_file_id != third.media_file_id
    assert (first.episode_number_end, second.absolute_number) == (27, 27)


def test_a_dated_episode_is_in_the_season_of_its_folder(store: Store, tv: MediaLibrary) -> None:
    show = scanned(
        store,
        tv,
        "Harbour/Season 08/Harbour - 2011-11-15.mkv",
        "Harbour/2012/Harbour - 2012-01-02.mkv",
    )
    assert episodes(show) == [(8, 1115, None), (2012, 102, None)]


def test_a_file_with_episodes_of_two_seasons_is_both(store: Store, tv: MediaLibrary) -> None:
    show = scanned(
        store,
        tv,
        "Harbour/Season 1/Harbour S01E23.mkv",
        "Harbour/Season 1/Harbour S01E24S02E01 {tvdb-9} - Cliffs.mkv",
        "Harbour/Season 2/Harbour S02E01 - Ebb.mkv",
        "Harbour/Season 2/Harbour S02E02-E03S03E01E02.mkv",
    )
    assert episodes(show) == [
        (1, 23, None),
        (1, 24, None),
        (2, 1, "Ebb"),
        (2, 2, None),
        (2, 3, None),
        (3, 1, None),
        (3, 2, None),
    ]
    (_, last), (first, second, _), (new, newer) = (season.episodes for season in show.seasons)
    both = last.media_file
    assert both in store.media.episode(first.id).files
    assert (last.tvdb_id, first.tvdb_id) == (9, None)
    assert second.media_file_id == new.media_file_id == newer.media_file_id
    assert (second.episode_number_end, new.episode_number_end) == (3, 2)


def test_a_file_that_is_renamed_to_one_season_leaves_the_other(
    store: Store, tv: MediaLibrary
) -> None:
    scanned(store, tv, "Harbour/S01E24S02E01.mkv")
    Path(tv.path, "Harbour/S01E24S02E01.mkv").rename(Path(tv.path, "Harbour/S02E01.mkv"))
    store.media.scan(tv.id)
    (show,) = store.media.shows().items
    assert episodes(store.media.show(show.id)) == [(2, 1, None)]
