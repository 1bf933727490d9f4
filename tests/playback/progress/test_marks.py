"""A mark holds for every file, episode and version of what was marked, and is on disk at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.shelves import HOUR_S, Shelf, Viewer, season
from viewra_lite import Store
from viewra_lite.database.transactions.scopes import Writer
from viewra_lite.errors import ConflictError, InvalidValueError, NotFoundError

DUNE = "movie:dune:1984"
NOUNS = ("media_file_id", "movie_id", "episode_id", "season_id", "show_id")
VERBS = ("mark_watched", "mark_unwatched", "drop")


@pytest.fixture
def dark(tv: Shelf) -> dict[Any, Any]:
    """A show with a special and two seasons."""
    return tv.show("Dark", (0, 1), *season(1, 3), *season(2, 2))


def plays(store: Store, media: Any) -> list[tuple[bool, int]]:
    """Return what ann has watched of files or episodes, and how often: a mark is once."""
    ids = [getattr(each, "media_file_id", None) or each.id for each in media]
    found = store.playback.progress_of("ann", ids)
    return [(found[id].completed, found[id].play_count + found[id].marked) for id in ids]


def test_a_file_is_marked_without_a_date_and_without_a_play(store: Store, movies: Shelf) -> None:
    file = movies.put("clip.mkv")[0]
    store.playback.mark_watched("ann", file.id)
    state = store.playback.progress("ann", file.id)
    assert (state.completed, state.marked, state.play_count) == (True, True, 0)
    assert (state.position, state.last_played_at) == (0.0, None)
    assert store.playback.history("ann").items == []


def test_it_says_when(store: Store, movies: Shelf, clock: Any) -> None:
    file = movies.put("clip.mkv")[0]
    before = clock() - timedelta(days=400)
    store.playback.mark_watched("ann", file.id, at=before)
    assert store.playback.progress("ann", file.id).last_played_at == before


def test_a_movie_is_marked_with_all_its_parts_and_versions(store: Store, movies: Shelf) -> None:
    whole, part, other = movies.put(f"{DUNE}.mkv", f"{DUNE}:cd1.mkv", "movie:dune:.mkv")
    copy = movies.put("copy.mkv", identity=DUNE)[0]
    best = movies.put("best.mkv", identity=None)[0]
    movie = movies.movie("Dune", 1984, best)
    store.playback.mark_watched("ann", movie_id=movie.id)
    assert [done for done, _ in plays(store, [whole, part, copy, best])] == [True] * 4
    assert plays(store, [other]) == [(False, 0)]


def test_a_movie_without_a_year_is_not_all_of_that_title(store: Store, movies: Shelf) -> None:
    nameless, remake = movies.put("movie:dune:.mkv", f"{DUNE}.mkv")
    movie = store.media.save_movie(movies.library.id, title="Dune", media_file_id=nameless.id)
    store.playback.mark_watched("ann", movie_id=movie.id)
    assert plays(store, [nameless, remake]) == [(True, 1), (False, 0)]


def test_an_episode_a_season_a_show_are_marked(store: Store, dark: Any) -> None:
    episodes = list(dark.values())
    store.playback.mark_watched("ann", episode_id=dark[1, 2].id)
    assert [done for done, _ in plays(store, episodes)] == [False, False, True] + [False] * 3
    store.playback.mark_watched("ann", season_id=dark[1, 1].season_id)
    assert plays(store, episodes) == [(False, 0)] + [(True, 1)] * 3 + [(False, 0)] * 2
    store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    assert plays(store, episodes) == [(True, 1)] * 6


def test_the_specials_are_a_season(store: Store, dark: Any) -> None:
    store.playback.mark_watched("ann", season_id=dark[0, 1].season_id)
    assert plays(store, dark.values()) == [(True, 1)] + [(False, 0)] * 5


def test_episodes_without_a_file_are_left_out(store: Store, dark: Any, tv: Shelf) -> None:
    tv.episode(dark[1, 1].show_id, 2, 3)
    store.playback.mark_watched("ann", season_id=dark[2, 1].season_id)
    assert plays(store, [dark[2, 1], dark[2, 2]]) == [(True, 1)] * 2


def test_marking_twice_changes_nothing(store: Store, dark: Any, ann: Viewer, clock: Any) -> None:
    ann.watch(dark[1, 1], dark[1, 1])
    store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    before = plays(store, dark.values())
    moment = store.playback.progress("ann", dark[1, 2].media_file_id).last_played_at
    clock.advance(60)
    store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    assert plays(store, dark.values()) == before
    assert before == [(True, 1), (True, 2)] + [(True, 1)] * 4
    assert store.playback.progress("ann", dark[1, 2].media_file_id).last_played_at == moment


def test_unwatched_resets_every_version(store: Store, dark: Any, tv: Shelf, ann: Viewer) -> None:
    other = tv.put("other.mkv", identity="episode:dark::s01e01")[0]
    ann.watch(other, dark[1, 1], dark[1, 2])
    store.playback.mark_unwatched("ann", season_id=dark[1, 1].season_id)
    assert [done for done, _ in plays(store, [other, *dark.values()])] == [False] * 7
    assert store.playback.progress("ann", other.id).last_played_at is None


def test_a_mark_can_be_undone(store: Store, dark: Any, ann: Viewer) -> None:
    ann.at(dark[1, 1], 600.0)
    store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    state = store.playback.undo_progress("ann", dark[1, 1].media_file_id)
    assert (state.position, state.completed) == (600.0, False)


def test_one_mark_of_a_movie_is_one_step_to_undo(store: Store, movies: Shelf, ann: Viewer) -> None:
    worse, best = movies.put("a.mkv", "b.mkv", identity=DUNE)
    movie = movies.movie("Dune", 1984, best)
    ann.at(worse, 600.0)
    store.playback.mark_watched("ann", movie_id=movie.id)
    state = store.playback.undo_progress("ann", best.id)
    assert (state.position, state.completed) == (600.0, False)


def test_a_removed_file_can_be_marked(
    store: Store, movies: Shelf, tmp_path: Path, ann: Viewer
) -> None:
    gone = movies.put(f"{DUNE}.mkv")[0]
    ann.at(gone, 600.0)
    store.media.remove_library(movies.library.id)
    store.playback.mark_watched("ann", gone.id)
    back = Shelf(store, tmp_path / "back", "movie").put("back.mkv", identity=DUNE)[0]
    assert plays(store, [gone, back]) == [(True, 1)] * 2


@pytest.mark.parametrize("verb", ["mark_unwatched", "drop"])
def test_a_removed_file_stands_for_its_versions(
    store: Store, movies: Shelf, tmp_path: Path, ann: Viewer, verb: str
) -> None:
    here = movies.put(f"{DUNE}.mkv")[0]
    other = Shelf(store, tmp_path / "other", "movie")
    gone = other.put("gone.mkv", identity=DUNE)[0]
    ann.watch(gone, here)
    ann.at(here, 600.0)
    store.media.remove_library(other.library.id)
    getattr(store.playback, verb)("ann", gone.id)
    assert ann.begun(rewatching=True) == []
    assert plays(store, [gone, here]) == [(verb == "drop", 2)] * 2


def test_what_was_watched_can_be_marked_when_nothing_is_known_of_the_file(
    store: Store, movies: Shelf, ann: Viewer
) -> None:
    clip = movies.put("clip.mkv", identity=None)[0]
    ann.at(clip, 600.0)
    store.media.remove_library(movies.library.id)
    store.playback.mark_watched("ann", clip.id)
    assert plays(store, [clip]) == [(True, 1)]


def test_it_is_on_disk_before_it_returns(
    store: Store, dark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable = []
    begin = Writer.__enter__

    def noted(self: Any) -> Any:
        durable.append(self._durable)
        return begin(self)

    monkeypatch.setattr(Writer, "__enter__", noted)
    for verb in VERBS:
        getattr(store.playback, verb)("ann", show_id=dark[1, 1].show_id)
    assert durable == [True] * 3


def test_a_mark_is_all_or_nothing(store: Store, dark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    decide, decided = store.playback._progress.decide, []

    def failing(user_id: str, media_file_id: str, **options: Any) -> Any:
        decided.append(media_file_id)
        if len(decided) > 2:
            raise ConnectionError
        return decide(user_id, media_file_id, **options)

    monkeypatch.setattr(store.playback._progress, "decide", failing)
    with pytest.raises(ConnectionError):
        store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    assert plays(store, dark.values()) == [(False, 0)] * 6


@pytest.mark.parametrize("noun", ["media_file_id", "episode_id", "season_id", "show_id"])
def test_to_drop_an_episode_is_to_drop_its_show(
    store: Store, dark: Any, tv: Shelf, ann: Viewer, noun: str
) -> None:
    lost = tv.show("Lost", *season(1, 2))
    ann.watch(dark[1, 1], lost[1, 1])
    ann.at(dark[1, 2], 600.0)
    ann.at(lost[1, 2], 600.0)
    episode = dark[2, 2]
    ids = {"episode_id": episode.id}
    store.playback.drop("ann", **{noun: ids.get(noun) or getattr(episode, noun)})
    assert (ann.begun(), ann.next()) == (["Lost S01E02"], ["Lost S01E02"])
    state = store.playback.progress("ann", dark[1, 2].media_file_id)
    assert (state.position, plays(store, [dark[1, 1]])) == (600.0, [(True, 1)])


def test_a_show_is_dropped_in_every_library(
    store: Store, dark: Any, ann: Viewer, tmp_path: Path
) -> None:
    there = Shelf(store, tmp_path / "other").show("Dark", (3, 1))
    ann.at(there[3, 1], 600.0)
    store.playback.drop("ann", show_id=dark[1, 1].show_id)
    assert ann.begun() == []


@pytest.mark.parametrize("by_file", [False, True])
def test_a_movie_is_dropped_with_all_its_parts_until_it_is_watched_again(
    store: Store, movies: Shelf, ann: Viewer, by_file: bool
) -> None:
    parts = movies.put(f"{DUNE}:cd1.mkv", f"{DUNE}:cd2.mkv")
    movie = movies.movie("Dune", 1984, parts[0])
    for part in parts:
        ann.at(part, 600.0)
    wanted = {"media_file_id": parts[1].id} if by_file else {"movie_id": movie.id}
    store.playback.drop("ann", **wanted)
    assert ann.begun() == []
    ann.at(parts[1], 700.0)
    assert ann.begun() == ["Dune (1984)"]


def test_a_file_that_is_nothing_in_particular_is_dropped_alone(
    store: Store, movies: Shelf, ann: Viewer
) -> None:
    one, other = movies.put("one.mkv", "other.mkv", identity=None)
    ann.at(one, 600.0)
    ann.at(other, 600.0)
    store.playback.drop("ann", one.id)
    assert ann.begun() == ["other"]


def test_to_drop_what_was_never_begun_is_no_error(store: Store, dark: Any, ann: Viewer) -> None:
    store.playback.drop("ann", show_id=dark[1, 1].show_id)
    ann.at(dark[1, 1], 600.0)
    assert ann.begun() == ["Dark S01E01"]


@pytest.mark.parametrize("verb", VERBS)
def test_exactly_one_thing_is_to_be_given(store: Store, verb: str) -> None:
    call = getattr(store.playback, verb)
    with pytest.raises(InvalidValueError, match="exactly one of media_file_id, movie_id, .* none"):
        call("ann")
    with pytest.raises(InvalidValueError, match="not media_file_id and show_id"):
        call("ann", "a", show_id="b")


@pytest.mark.parametrize("noun", NOUNS)
@pytest.mark.parametrize("verb", VERBS)
def test_what_there_never_was_is_not_found(store: Store, verb: str, noun: str) -> None:
    call = getattr(store.playback, verb)
    name = noun.removesuffix("_id").replace("_", " ")
    with pytest.raises(NotFoundError, match=f"^no {name} 'nowhere'$"):
        call("ann", **{noun: "nowhere"})
    for wrong in (7, "\0", "\ud800", b"a"):
        with pytest.raises(InvalidValueError, match=noun):
            call("ann", **{noun: wrong})


def test_what_has_no_file_cannot_be_marked(store: Store, tv: Shelf, movies: Shelf) -> None:
    show = store.media.save_show(tv.library.id, title="Dark")
    episode = tv.episode(show, 1, 1)
    movie = movies.movie("Dune", 1984)
    for wanted in (
        {"show_id": show.id},
        {"season_id": episode.season_id},
        {"episode_id": episode.id},
        {"movie_id": movie.id},
    ):
        with pytest.raises(ConflictError, match="no file to mark: scan"):
            store.playback.mark_watched("ann", **wanted)
        store.playback.drop("ann", **wanted)


def test_it_is_each_users_own(store: Store, dark: Any) -> None:
    store.playback.mark_watched("bob", show_id=dark[1, 1].show_id)
    assert plays(store, dark.values()) == [(False, 0)] * 6


def test_what_is_marked_is_neither_begun_nor_next(store: Store, dark: Any, ann: Viewer) -> None:
    ann.at(dark[2, 2], HOUR_S / 2)
    store.playback.mark_watched("ann", show_id=dark[1, 1].show_id)
    assert (ann.begun(), ann.next()) == ([], [])
