"""What was begun is offered again, until it is over: most recent first, each thing once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.shelves import HOUR_S, Shelf, Viewer, season
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError
from viewra_lite.playback.watching import items

DUNE = "movie:dune:2021"


@pytest.fixture
def dune(movies: Shelf) -> Any:
    """A movie with one file."""
    return movies.movie("Dune", 2021, *movies.put(f"{DUNE}.mkv"))


def test_nothing_was_begun(ann: Viewer) -> None:
    assert ann.begun() == []


def test_what_was_watched_last_comes_first(ann: Viewer, movies: Shelf, tv: Shelf) -> None:
    files = movies.put("movie:dune:2021.mkv", "movie:heat:1995.mkv", "holiday.mkv")
    movies.movie("Dune", 2021, files[0])
    movies.movie("Heat", 1995, files[1])
    dark = tv.show("Dark", *season(1, 2))
    for media in (files[0], dark[1, 2], files[1], files[2]):
        ann.at(media, 600.0)
    assert ann.begun() == ["holiday", "Heat (1995)", "Dark S01E02", "Dune (2021)"]
    ann.at(files[0], 900.0)
    assert ann.begun(limit=2) == ["Dune (2021)", "holiday"]


def test_what_a_device_reports_late_stands_where_it_was_watched(
    ann: Viewer, movies: Shelf, store: Store, clock: Any
) -> None:
    files = movies.put("holiday.mkv", "wedding.mkv", "abroad.mkv")
    began = clock()
    ann.at(files[0], 600.0)
    clock.advance(2 * HOUR_S)
    ann.at(files[1], 600.0)
    store.playback.set_progress("ann", files[2].id, 600.0, client_time=began + timedelta(hours=1))
    assert ann.begun() == ["wedding", "abroad", "holiday"]


def test_an_entry_says_what_to_play_and_from_where(
    ann: Viewer, dune: Any, tv: Shelf, store: Store
) -> None:
    lies = tv.show("Dark", *season(1, 2))[1, 2]
    store.media.save_episode(lies.show_id, season_number=1, episode_number=2, title="Lies")
    ann.at(lies, 700.0)
    ann.at(dune, 600.0)
    movie, episode = store.playback.continue_watching("ann")
    assert (movie.kind, movie.title, movie.movie.id) == ("movie", "Dune (2021)", dune.id)
    assert movie.media_file_id == movie.media_file.id == dune.media_file_id
    assert movie.progress.resume_position == movie.progress.position == 600.0
    assert (episode.kind, episode.title) == ("episode", "Dark S01E02 Lies")
    assert (episode.episode.id, episode.show.title) == (lies.id, "Dark")
    assert episode.progress.resume_position == 700.0


def test_a_show_has_one_entry_its_latest(ann: Viewer, tv: Shelf) -> None:
    dark, lost = tv.show("Dark", *season(1, 3)), tv.show("Lost", *season(1, 1))
    for episode in (dark[1, 3], dark[1, 1], lost[1, 1], dark[1, 2]):
        ann.at(episode, 600.0)
    assert ann.begun() == ["Dark S01E02", "Lost S01E01"]


def test_a_show_in_two_libraries_has_one_entry(
    ann: Viewer, tv: Shelf, store: Store, tmp_path: Path
) -> None:
    here = tv.show("Dark", *season(1, 2))
    there = Shelf(store, tmp_path / "tv-4k").show("Dark", *season(1, 2), height=2160)
    ann.at(here[1, 1], 600.0)
    ann.at(there[1, 2], 600.0)
    assert ann.begun() == ["Dark S01E02"]


def test_a_movie_in_parts_or_versions_has_one_entry(ann: Viewer, movies: Shelf) -> None:
    first, second = movies.put(f"{DUNE}:cd1.mkv", f"{DUNE}:cd2.mkv")
    better = movies.put("better.mkv", identity=f"{DUNE}:cd2", height=2160)[0]
    movies.movie("Dune", 2021, first)
    for file in (first, second, better):
        ann.at(file, 600.0)
    assert ann.begun() == ["Dune (2021)"]
    item = ann.playback.continue_watching("ann")[0]
    assert item.media_file_id == better.id


@pytest.mark.parametrize(
    "position, resumed",
    [(0.0, False), (179.0, False), (180.0, True), (3239.0, True), (3240.0, False)],
)
def test_it_is_offered_from_5_percent_up_to_90(
    ann: Viewer, dune: Any, position: float, resumed: bool
) -> None:
    ann.at(dune, position)
    assert ann.begun() == (["Dune (2021)"] if resumed else [])


@pytest.mark.parametrize("duration, resumed", [(299.0, False), (300.0, True), (None, True)])
def test_what_runs_for_less_than_300_seconds_is_not_resumed(
    ann: Viewer, movies: Shelf, duration: float | None, resumed: bool
) -> None:
    clip = movies.put("clip.mkv", duration=duration)[0]
    ann.at(clip, 150.0)
    assert ann.begun() == (["clip"] if resumed else [])


def test_of_music_only_long_mixes_are_resumed(ann: Viewer, store: Store, tmp_path: Path) -> None:
    music = Shelf(store, tmp_path / "music", "music")
    song = music.put("song.flac", duration=900.0)[0]
    mix = music.put("mix.flac", duration=3600.0)[0]
    for file in (song, mix):
        ann.at(file, 400.0)
    assert ann.begun() == ["mix"]
    ann.at(mix, 1800.0)  # half of it counts as heard
    assert ann.begun() == []


def test_what_is_completed_or_dropped_is_not_in_it(
    ann: Viewer, dune: Any, tv: Shelf, store: Store
) -> None:
    dark = tv.show("Dark", *season(1, 2))
    ann.at(dune, 600.0)
    ann.at(dark[1, 1], 600.0)
    ann.at(dark[1, 2], 600.0)
    store.playback.mark_watched("ann", movie_id=dune.id)
    assert ann.begun() == ["Dark S01E02"]
    store.playback.drop("ann", episode_id=dark[1, 1].id)
    assert ann.begun() == []
    ann.at(dark[1, 1], 700.0)  # watched on: it is back
    assert ann.begun() == ["Dark S01E01"]


def test_what_was_begun_again_is_in_it_on_request(ann: Viewer, dune: Any) -> None:
    ann.watch(dune)
    assert ann.begun(rewatching=True) == []
    ann.at(dune, 600.0)
    assert (ann.begun(), ann.begun(rewatching=True)) == ([], ["Dune (2021)"])
    ann.playback.drop("ann", movie_id=dune.id)
    assert ann.begun(rewatching=True) == []


def test_what_was_never_completed_is_in_it_when_asked_for_the_rest_too(
    ann: Viewer, dune: Any, movies: Shelf
) -> None:
    unknown = movies.put("clip.mkv", duration=None)[0]
    ann.at(dune, 600.0)
    ann.at(unknown, 600.0)
    assert ann.begun(rewatching=True) == ["clip", "Dune (2021)"]


def test_what_is_not_on_disk_is_not_in_it(ann: Viewer, dune: Any, movies: Shelf) -> None:
    ann.at(dune, 600.0)
    movies.take(f"{DUNE}.mkv")
    assert ann.begun() == []
    movies.put(f"{DUNE}.mkv")
    assert ann.begun() == ["Dune (2021)"]


def test_another_version_is_played_where_the_one_that_was_watched_is_gone(
    ann: Viewer, dune: Any, movies: Shelf, store: Store
) -> None:
    small, large = movies.put("small.mkv", "large.mkv", identity=DUNE, height=480)
    movies.put("large.mkv", identity=DUNE, height=2160)
    ann.at(dune, 600.0)
    assert store.playback.continue_watching("ann")[0].media_file_id == dune.media_file_id
    movies.take(f"{DUNE}.mkv")
    item = store.playback.continue_watching("ann")[0]
    assert item.media_file_id == item.progress.media_file_id == large.id
    assert item.progress.resume_position == 600.0
    movies.take("large.mkv")
    assert store.playback.continue_watching("ann")[0].media_file_id == small.id


@pytest.mark.parametrize("was_there", [False, True])
def test_it_goes_on_in_another_library_when_the_first_was_removed(
    ann: Viewer, dune: Any, movies: Shelf, store: Store, tmp_path: Path, was_there: bool
) -> None:
    ann.at(dune, 600.0)
    other = Shelf(store, tmp_path / "other", "movie")
    if was_there:
        other.movie("Dune", 2021, *other.put(f"{DUNE}.mkv"))
    store.media.remove_library(movies.library.id)
    assert ann.begun() == (["Dune (2021)"] if was_there else [])
    file = other.put(f"{DUNE}.mkv")[0]
    other.movie("Dune", 2021, file)
    items = store.playback.continue_watching("ann")
    assert [(item.title, item.media_file_id) for item in items] == [("Dune (2021)", file.id)]


@pytest.mark.parametrize("position", [HOUR_S, 60.0])
def test_what_another_version_says_later_holds(
    ann: Viewer, dune: Any, movies: Shelf, position: float
) -> None:
    better = movies.put("better.mkv", identity=DUNE)[0]
    ann.at(dune, 600.0)
    ann.at(better, position)
    assert ann.begun() == ann.begun(rewatching=True) == []
    ann.at(dune, 700.0)
    begun_again = [] if position == HOUR_S else ["Dune (2021)"]
    assert (ann.begun(), ann.begun(rewatching=True)) == (begun_again, ["Dune (2021)"])


def test_who_has_completed_another_version_has_completed_it(
    ann: Viewer, dune: Any, movies: Shelf
) -> None:
    better = movies.put("better.mkv", identity=DUNE)[0]
    ann.at(dune, 600.0)
    ann.at(better, 700.0, completed=True)
    assert (ann.begun(), ann.begun(rewatching=True)) == ([], ["Dune (2021)"])


def test_what_was_dropped_last_holds_for_files_that_turn_out_to_be_the_same(
    ann: Viewer, movies: Shelf
) -> None:
    one, other = movies.put("one.mkv", "other.mkv", identity=None)
    ann.at(one, 600.0)
    ann.at(other, 700.0)
    ann.playback.drop("ann", other.id)
    assert ann.begun() == ["one"]
    movies.put("one.mkv", "other.mkv", identity=DUNE)
    assert ann.begun() == []


def test_it_is_each_users_own(ann: Viewer, dune: Any, store: Store, clock: Any) -> None:
    ann.at(dune, 600.0)
    assert Viewer(store, clock, "bob").begun() == []


@pytest.mark.parametrize("rewatching", [False, True])
def test_it_is_found_behind_any_number_of_others(
    ann: Viewer, movies: Shelf, monkeypatch: pytest.MonkeyPatch, rewatching: bool
) -> None:
    monkeypatch.setattr(items, "_CHUNK_FILES", 2)
    films = movies.put(*(f"{number}.mkv" for number in range(12)))
    for number in (1, 7):
        ann.playback.set_progress("ann", films[number].id, 600.0)  # at one moment, all of these
    shorts = movies.put(*(f"short {number}.mkv" for number in range(20)), duration=200.0)
    for short in shorts:
        ann.playback.set_progress("ann", short.id, 100.0)
    ann.clock.advance(60)
    for number in range(2, 7):
        ann.at(films[number], 600.0)
    assert ann.begun(limit=5, rewatching=rewatching) == ["6", "5", "4", "3", "2"]
    assert set(ann.begun(rewatching=rewatching)[5:]) == {"1", "7"}


@pytest.mark.parametrize("limit", [0, 1001, -1, True, 2.0, "20"])
def test_a_limit_that_is_none_is_refused(ann: Viewer, limit: Any) -> None:
    for verb in (ann.playback.continue_watching, ann.playback.next_up):
        with pytest.raises(InvalidValueError, match="limit"):
            verb("ann", limit=limit)
