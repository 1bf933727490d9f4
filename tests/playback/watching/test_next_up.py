"""The next episode of each show is the one that its viewer would look for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.plans import plan_of
from tests.support.shelves import HOUR_S, Shelf, Viewer, episode_name, season
from viewra_lite import Store
from viewra_lite.database.transactions.database import Database
from viewra_lite.playback import queries
from viewra_lite.playback.watching import items, next_up, queries as watching_queries


@pytest.fixture
def dark(tv: Shelf) -> dict[Any, Any]:
    """A show with a special and two seasons of four episodes."""
    return tv.show("Dark", (0, 1), *season(1, 4), *season(2, 4))


def in_order(dark: dict[Any, Any]) -> list[Any]:
    """Return a show's episodes without the specials."""
    return [episode for number, episode in dark.items() if number[0]]


def test_a_show_is_in_it_once_an_episode_was_watched(ann: Viewer, dark: Any) -> None:
    assert ann.next() == []
    ann.at(dark[1, 1], 600.0)
    assert ann.next() == []
    ann.watch(dark[1, 1])
    assert ann.next() == ["Dark S01E02"]


def test_the_next_season_follows(ann: Viewer, dark: Any) -> None:
    ann.watch(dark[1, 3], dark[1, 4])
    assert ann.next() == ["Dark S02E01"]


def test_who_has_seen_all_of_it_waits_for_the_next_season(
    ann: Viewer, dark: Any, tv: Shelf
) -> None:
    ann.watch(*in_order(dark))
    assert ann.next() == []
    tv.episode(dark[1, 1].show_id, 3, 1, tv.put(episode_name("Dark", 3, 1))[0])
    assert ann.next() == ["Dark S03E01"]


def test_an_episode_in_progress_may_be_the_next(ann: Viewer, dark: Any) -> None:
    ann.watch(dark[1, 1])
    ann.at(dark[1, 2], 600.0)
    item = ann.playback.next_up("ann")[0]
    assert (item.title, item.progress.resume_position) == ("Dark S01E02", 600.0)


def test_an_entry_says_what_to_play(ann: Viewer, dark: Any, store: Store) -> None:
    show_id = dark[1, 1].show_id
    store.media.save_episode(show_id, season_number=1, episode_number=2, title="Lies")
    ann.watch(dark[1, 1])
    item = store.playback.next_up("ann")[0]
    assert (item.kind, item.title, item.show.title) == ("episode", "Dark S01E02 Lies", "Dark")
    assert (item.episode.id, item.media_file_id) == (dark[1, 2].id, dark[1, 2].media_file_id)
    progress = item.progress
    assert (progress.position, progress.resume_position, progress.completed) == (0.0, 0.0, False)
    assert progress.media_file_id == item.media_file_id


def test_specials_neither_follow_nor_count(ann: Viewer, dark: Any) -> None:
    ann.watch(dark[0, 1])
    assert ann.next() == []
    ann.watch(dark[1, 2])
    ann.watch(dark[0, 1])
    assert ann.next() == ["Dark S01E03"]


def test_the_show_watched_last_comes_first(ann: Viewer, dark: Any, tv: Shelf) -> None:
    lost, fargo = tv.show("Lost", *season(1, 3)), tv.show("Fargo", *season(1, 3))
    ann.watch(lost[1, 1], dark[1, 1], fargo[1, 1])
    assert ann.next() == ["Fargo S01E02", "Dark S01E02", "Lost S01E02"]
    ann.at(dark[0, 1], 60.0)  # a special is a sign of life
    assert ann.next(limit=2) == ["Dark S01E02", "Fargo S01E02"]


def test_where_somebody_began_in_the_middle_what_lies_before_is_not_next(
    ann: Viewer, dark: Any
) -> None:
    ann.watch(dark[1, 3])
    assert ann.next() == ["Dark S01E04"]


def test_what_was_watched_out_of_order_is_passed_over(ann: Viewer, dark: Any) -> None:
    ann.watch(dark[1, 3], dark[1, 1])
    assert ann.next() == ["Dark S01E02"]
    ann.watch(dark[1, 2])
    assert ann.next() == ["Dark S01E04"]


def test_an_episode_that_is_not_in_the_library_is_no_gap(ann: Viewer, tv: Shelf) -> None:
    dark = tv.show("Dark", (1, 1), (1, 3))
    ann.watch(dark[1, 1])
    assert ann.next() == ["Dark S01E03"]


def test_of_several_watched_at_one_moment_the_highest_counts(
    ann: Viewer, dark: Any, store: Store, clock: Any
) -> None:
    for number in (3, 1):
        store.playback.mark_watched("ann", episode_id=dark[1, number].id, at=clock())
    assert ann.next() == ["Dark S01E04"]
    store.playback.mark_watched("ann", season_id=dark[1, 1].season_id)
    assert ann.next() == ["Dark S02E01"]


def test_a_file_with_two_episodes_is_one_step(ann: Viewer, tv: Shelf) -> None:
    dark = tv.show("Dark", (1, 1), (1, 4))
    both = tv.put(episode_name("Dark", 1, 2, 3))[0]
    for number in (2, 3):
        tv.episode(dark[1, 1].show_id, 1, number, both)
    ann.watch(dark[1, 1])
    assert ann.next() == ["Dark S01E02-E03"]
    ann.watch(both)
    assert ann.next() == ["Dark S01E04"]
    ann.watch(dark[1, 4])
    assert ann.next() == []
    ann.watch(both)
    assert ann.next() == ["Dark S01E04"]


def test_who_begins_a_finished_show_again_goes_through_it_again(ann: Viewer, dark: Any) -> None:
    episodes = in_order(dark)
    ann.watch(*episodes)
    for episode, following in zip(episodes, episodes[1:]):
        ann.watch(episode)
        assert [item.episode.id for item in ann.playback.next_up("ann")] == [following.id]
    ann.watch(episodes[-1])
    assert ann.next() == []


def test_two_in_a_row_are_a_rewatch_though_the_show_was_not_finished(
    ann: Viewer, dark: Any
) -> None:
    ann.watch(*in_order(dark)[:5])
    ann.watch(dark[1, 1])
    assert ann.next() == ["Dark S02E02"]  # for old times' sake: one's place is kept
    ann.watch(dark[1, 2])
    assert ann.next() == ["Dark S01E03"]
    ann.watch(dark[1, 3], dark[1, 4], dark[2, 1])
    assert ann.next() == ["Dark S02E02"]


def test_a_double_episode_seen_again_is_no_rewatch(ann: Viewer, tv: Shelf) -> None:
    dark = tv.show("Dark", (1, 1), (1, 4), (1, 5))
    both = tv.put(episode_name("Dark", 1, 2, 3))[0]
    for number in (2, 3):
        tv.episode(dark[1, 1].show_id, 1, number, both)
    ann.watch(dark[1, 1], both, dark[1, 4], both)
    assert ann.next() == ["Dark S01E05"]


def test_a_season_that_arrives_during_a_rewatch_comes_after_it(ann: Viewer, tv: Shelf) -> None:
    dark = tv.show("Dark", *season(1, 3))
    ann.watch(*dark.values(), dark[1, 1], dark[1, 2])
    tv.episode(dark[1, 1].show_id, 2, 1, tv.put(episode_name("Dark", 2, 1))[0])
    assert ann.next() == ["Dark S01E03"]
    ann.watch(dark[1, 3])
    assert ann.next() == ["Dark S02E01"]


def test_what_was_marked_unwatched_is_next_again(ann: Viewer, dark: Any, store: Store) -> None:
    ann.watch(dark[1, 1], dark[1, 2])
    store.playback.mark_unwatched("ann", episode_id=dark[1, 2].id)
    assert ann.next() == ["Dark S01E02"]
    ann.watch(dark[1, 2])
    ann.at(dark[1, 2], 60.0, completed=False)
    assert ann.next() == ["Dark S01E02"]


def test_a_show_whose_next_episode_is_not_on_disk_is_skipped(
    ann: Viewer, dark: Any, tv: Shelf
) -> None:
    ann.watch(dark[1, 1])
    tv.take(episode_name("Dark", 1, 2))
    assert ann.next() == []
    tv.put("better.mkv", identity="episode:dark::s01e02")
    assert ann.next() == ["Dark S01E02"]
    tv.episode(dark[1, 1].show_id, 2, 5)
    ann.watch(dark[2, 4])
    assert ann.next() == []


def test_an_episode_watched_and_deleted_still_counts(ann: Viewer, dark: Any, tv: Shelf) -> None:
    ann.watch(dark[1, 1])
    tv.take(episode_name("Dark", 1, 1))
    assert ann.next() == ["Dark S01E02"]


def test_a_dropped_show_is_not_in_it_until_it_is_watched_again(
    ann: Viewer, dark: Any, store: Store
) -> None:
    ann.watch(dark[1, 1])
    store.playback.drop("ann", show_id=dark[1, 1].show_id)
    assert ann.next() == []
    ann.at(dark[1, 2], 600.0)
    assert ann.next() == ["Dark S01E02"]


def test_who_watched_another_version_has_watched_the_episode(
    ann: Viewer, dark: Any, tv: Shelf, store: Store
) -> None:
    other = tv.put("other.mkv", identity="episode:dark::s01e01")[0]
    ann.watch(other)
    assert ann.next() == ["Dark S01E02"]


@pytest.mark.parametrize("was_there", [False, True])
def test_what_was_watched_in_a_library_that_is_gone_counts_in_another(
    ann: Viewer, dark: Any, tv: Shelf, store: Store, tmp_path: Path, was_there: bool
) -> None:
    ann.watch(dark[1, 1])
    other = Shelf(store, tmp_path / "other")
    if was_there:
        other.show("Dark", *season(1, 2))
    store.media.remove_library(tv.library.id)
    assert ann.next() == (["Dark S01E02"] if was_there else [])
    other.show("Dark", *season(1, 2))
    assert ann.next() == ["Dark S01E02"]


def test_a_show_in_two_libraries_is_one_show(
    ann: Viewer, dark: Any, store: Store, tmp_path: Path
) -> None:
    there = Shelf(store, tmp_path / "tv-4k").show("Dark", *season(2, 4), *season(3, 1))
    ann.watch(dark[1, 4])
    assert [item.episode.id for item in ann.playback.next_up("ann")] == [dark[2, 1].id]
    ann.watch(there[2, 1])
    assert [item.episode.id for item in ann.playback.next_up("ann")] == [there[2, 2].id]
    ann.watch(dark[2, 4])
    item = ann.playback.next_up("ann")[0]
    assert (item.title, item.episode.id) == ("Dark S03E01", there[3, 1].id)
    assert item.show.library_id == item.media_file.library_id


def test_movies_and_strangers_do_not_disturb(
    ann: Viewer, dark: Any, movies: Shelf, store: Store, clock: Any
) -> None:
    ann.watch(dark[1, 1])
    Viewer(store, clock, "bob").watch(dark[1, 2])
    ann.watch(*movies.put("movie:heat:1995.mkv"))
    assert ann.next() == ["Dark S01E02"]


def test_a_show_is_found_behind_any_number_of_others(
    ann: Viewer, tv: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "_CHUNK_FILES", 2)
    monkeypatch.setattr(next_up, "_FEWEST_SHOWS", 1)
    monkeypatch.setattr(next_up, "_MOST_SHOWS", 3)
    shows = [tv.show(f"Show {letter}", *season(1, 2)) for letter in "ABCDEFGHIJK"]
    for show in shows:
        ann.at(show[1, 2], 600.0)
    for show in shows:
        ann.watch(show[1, 1])
    ann.watch(*(show[1, 2] for show in shows[8:]))
    assert ann.next() == [f"Show {letter} S01E02" for letter in "HGFEDCBA"]
    assert ann.next(limit=4) == [f"Show {letter} S01E02" for letter in "HGFE"]


def test_the_number_of_statements_does_not_grow_with_the_shows(
    ann: Viewer, tv: Shelf, store: Store, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    fetch = db.fetch

    def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return fetch(*arguments)

    monkeypatch.setattr(db, "fetch", counted)
    counts = []
    for letter in "ABC":
        for episode in list(tv.show(f"Show {letter}", *season(1, 6)).values())[:4]:
            ann.at(episode, HOUR_S)
            ann.at(episode, 600.0)
        asked.clear()
        ann.next()
        ann.begun(rewatching=True)
        counts.append(len(asked))
    assert len(set(counts)) == 1 and counts[0] < 30


def test_no_question_scans_a_growing_table(
    ann: Viewer, dark: Any, store: Store, db: Database
) -> None:
    moment = db.now()
    asked: tuple[tuple[Any, ...], ...] = (
        (watching_queries.files_recent, "ann", moment, "a", 100),
        (watching_queries.files_unfinished, "ann", moment, "a", 100, 300.0, 0.05, 0.9),
        (watching_queries.files_begun, "ann", moment, "a", 100, 300.0, 0.05, 0.9),
        (watching_queries.shows_of_files, ["a", "b"]),
        (watching_queries.episodes_of_shows, ["a", "b"]),
        (watching_queries.episodes_by_ids, ["a", "b"]),
        (watching_queries.plays_of_shows, "ann", ["a", "b"]),
        (queries.parts_around, ["a", "b"]),
        (queries.movies_of_works, ["a", "b"]),
        (queries.episodes_of_works, ["a", "b"]),
        (queries.tracks_of_works, ["a", "b"]),
        (queries.works_of_show, "a"),
        (queries.works_of_season, "a", 1),
        (queries.shows_of_works, ["a", "b"]),
        (queries.files_of_works, ["a", "b"]),
        (queries.progress_of_file, "ann", "a"),
        (queries.session_continuing, "a"),
        (queries.progress_continuing, "ann", "a"),
    )
    for statement, *arguments in asked:
        plan = plan_of(store, statement, arguments)
        scans = [step for step in plan if "SCAN" in step or "Seq Scan" in step]
        assert not [
            scan
            for scan in scans
            if not any(name in scan for name in ("json_each", "media_libraries", "CONSTANT"))
        ], plan
    for statement, name in (
        (asked[0], "idx_progress_recent"),
        (asked[1], "idx_progress_unfinished"),
        (asked[2], "idx_progress_recent"),
    ):
        plan = plan_of(store, statement[0], list(statement[1:]))
        assert any(name in step for step in plan), plan
        assert not any("TEMP B-TREE" in step or "Sort" in step for step in plan), plan
