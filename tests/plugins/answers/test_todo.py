"""todo() returns exactly the files that are due, and a file comes again until it is answered."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.asking import Asker, Films, answer_row, started
from tests.support.clock import Clock
from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, TransactionError
from viewra_lite.media.models import MediaFile
from viewra_lite.plugins import Plugin
from viewra_lite.plugins.answers import work
from viewra_lite.plugins.models import PluginCursor, PluginMetadata

DAY_S = 86_400


@pytest.fixture
def films(store: Store, tmp_path: Path) -> Films:
    return Films(store, tmp_path / "films")


@pytest.fixture
def asker(store: Store) -> Any:
    return started(store)


def ids(plugin: Any, kind: str = "movie", limit: int = 100) -> list[str]:
    return [item.id for item in plugin.todo(kind, limit)]


def answer_all(plugin: Any, kind: str = "movie", facts: Any = None) -> list[str]:
    items = plugin.todo(kind, limit=1000)
    plugin.answer_many([(item, facts) for item in items])
    return [item.id for item in items]


# What an item is


def test_an_item_of_a_movie_says_what_it_is(films: Films, asker: Plugin) -> None:
    file = films.film("a.mkv", title="Alien", year=1979, imdb_id="tt0078748", tmdb_id=348)
    [item] = asker.todo("movie")
    assert (item.id, item.type, item.path) == (file, "movie", f"{films.path}/a.mkv")
    assert (item.title, item.year, item.imdb_id, item.tmdb_id) == ("Alien", 1979, "tt0078748", 348)
    assert item.movie_id == films.store.media.movies().items[0].id == item.subject_id
    assert item.episode is item.show_id is item.track_id is item.tvdb_id is None


def test_an_item_of_an_episode_says_its_show_and_all_its_episodes(
    store: Store, tmp_path: Path, asker: Plugin
) -> None:
    series = Films(store, tmp_path / "series", "tv")
    one, two = series.put("1.mkv", "2.mkv")
    show = store.media.save_show(series.library.id, title="Lost", year=2004, tvdb_id=73739)
    of = [
        store.media.save_episode(
            show.id, season_number=1, episode_number=number, title=f"E{number}", media_file_id=file
        )
        for number, file in ((1, one), (3, two), (2, two))
    ]
    first, both = asker.todo("episode")
    assert (first.show, first.year, first.season, first.episode) == ("Lost", 2004, 1, 1)
    assert (first.title, first.episode_end, first.show_tvdb_id) == ("E1", None, 73739)
    assert (first.show_id, first.episode_id) == (show.id, of[0].id)
    assert (both.episode, both.episode_end, both.title) == (2, 3, "E2")
    assert both.episode_ids == (of[2].id, of[1].id) and both.episode_id == both.subject_id
    assert asker.todo("movie") == asker.todo("track") == []


def test_an_item_of_a_track_says_its_album(store: Store, tmp_path: Path, asker: Plugin) -> None:
    music = Films(store, tmp_path / "music", "music")
    one, two = music.put("1.flac", "2.flac")
    album = store.media.save_album(
        music.library.id, title="Blue", album_artist="Mitchell", year=1971, musicbrainz_id="rel"
    )
    for number, file in enumerate((one, two), 1):
        store.media.save_track(
            album.id, title=f"T{number}", track_number=number, media_file_id=file, artist="Joni"
        )
    first, second = asker.todo("track")
    assert (first.artist, first.album, first.album_artist) == ("Joni", "Blue", "Mitchell")
    assert (first.title, first.year, first.disc, first.track) == ("T1", 1971, 1, 1)
    assert (second.track, second.album_id, second.album_musicbrainz_id) == (2, album.id, "rel")


def test_every_file_is_an_item_of_the_kind_file(films: Films, asker: Plugin) -> None:
    expected = [*films.put("a.mkv", "b-trailer.mkv"), films.film("c.mkv")]
    assert ids(asker, "file") == expected
    assert answer_all(asker, "file", {"lang": "de"}) == expected
    assert ids(asker, "file") == []


def test_each_version_of_a_movie_is_an_item_with_the_same_movie(
    films: Films, asker: Plugin
) -> None:
    one, two = films.put("a 1080p.mkv", "a 720p.mkv")
    for file in (one, two):
        films.store.media.save_movie(films.library.id, title="Alien", media_file_id=file)
    first, second = asker.todo("movie")
    assert (first.id, second.id) == (one, two) and first.movie_id == second.movie_id


def test_a_title_of_two_libraries_is_an_item_of_each_with_the_row_of_its_library(
    films: Films, tmp_path: Path, asker: Plugin
) -> None:
    other = Films(films.store, tmp_path / "more")
    expected = [(one.film("a.mkv", title="Alien", year=1979), one) for one in (films, other)]
    items = asker.todo("movie")
    assert [item.id for item in items] == [file for file, _ in expected]
    for item, (_, one) in zip(items, expected):
        [movie] = films.store.media.movies(library_id=one.library.id).items
        assert item.movie_id == movie.id


# What is due


def test_an_item_comes_again_until_it_is_answered(films: Films, asker: Plugin) -> None:
    files = [films.film(f"{n}.mkv") for n in range(5)]
    assert ids(asker, limit=2) == ids(asker, limit=2) == files[:2]
    for item in asker.todo("movie", limit=2):
        asker.answer(item, {"title": "x"})
    assert ids(asker) == files[2:]
    assert answer_all(asker) == files[2:]
    assert ids(asker) == []


def test_only_a_file_that_belongs_to_a_row_of_the_kind_comes(films: Films, asker: Plugin) -> None:
    [file] = films.put("later.mkv")
    other = films.film("now.mkv")
    assert answer_all(asker) == [other]
    films.store.media.save_movie(films.library.id, title="Later", media_file_id=file)
    assert ids(asker) == [file]


def test_a_file_that_changes_comes_again(films: Films, asker: Plugin) -> None:
    one, _ = films.film("a.mkv"), films.film("b.mkv")
    answer_all(asker, facts={"title": "x"})
    films.put("a.mkv", size=2000)
    assert ids(asker) == [one]
    assert answer_row(films.store, one).metadata == {"title": "x"}  # until it is replaced
    assert answer_all(asker) == [one]
    films.scan()
    assert ids(asker) == []


def test_what_changes_among_many_comes_at_once(
    films: Films, asker: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "STEP", 1)  # of the files that are compared by each call
    files = [films.film(f"{n}.mkv") for n in range(5)]
    answer_all(asker)
    films.put("3.mkv", size=2000)
    assert ids(asker) == [files[3]]
    movie = films.store.media.movies().items[4]
    films.store.media.save_movie(films.library.id, id=movie.id, imdb_id="tt1")
    assert ids(asker) == files[3:]


def test_a_missing_file_waits_until_it_is_back(films: Films, asker: Plugin) -> None:
    file = films.film("a.mkv")
    assert ids(asker) == [file]
    films.take("a.mkv")
    assert ids(asker) == []
    films.put("a.mkv")
    assert answer_all(asker) == [file]
    films.take("a.mkv")
    films.put("a.mkv")
    assert ids(asker) == []  # its answer is still good


def test_an_answer_that_grew_old_while_the_file_was_missing_is_due_when_it_is_back(
    films: Films, asker: Plugin, clock: Clock
) -> None:
    file = films.film("a.mkv")
    answer_all(asker, facts={"title": "x"})
    films.take("a.mkv")
    clock.advance(91 * DAY_S)
    assert ids(asker) == []
    films.put("a.mkv")
    assert ids(asker) == [file]


def test_missing_files_do_not_hide_those_behind_them(films: Films, asker: Plugin) -> None:
    first, last = [films.film(f"{n}.mkv") for n in range(9)], films.film("last.mkv")
    assert ids(asker) == [*first, last]
    films.take(*(f"{n}.mkv" for n in range(9)))
    assert ids(asker, limit=1) == [last]
    films.put(*(f"{n}.mkv" for n in range(9)))
    assert ids(asker) == [*first, last]


def test_what_failed_and_was_missing_comes_when_it_is_back_though_it_has_an_old_answer(
    films: Films, asker: Plugin, clock: Clock
) -> None:
    file = films.film("a.mkv")
    answer_all(asker, facts={"title": "x"})
    films.put("a.mkv", size=2000)
    [item] = asker.todo("movie")
    asker.failed(item, "busy")
    films.take("a.mkv")
    clock.advance(60)
    assert ids(asker) == []
    films.put("a.mkv", size=2000)
    assert ids(asker) == [file]


def test_a_new_library_is_asked_about(tmp_path: Path, films: Films, asker: Plugin) -> None:
    films.film("a.mkv")
    answer_all(asker)
    other = Films(films.store, tmp_path / "more")
    assert ids(asker) == []
    new = other.film("b.mkv")
    assert ids(asker) == [new]


@pytest.mark.parametrize(("facts", "days"), [({"title": "x"}, 90), (None, 30), ({}, 30)])
def test_an_answer_is_due_again_after_some_days(
    films: Films, asker: Plugin, clock: Clock, facts: Any, days: int
) -> None:
    file = films.film("a.mkv")
    assert answer_all(asker, facts=facts) == [file]
    clock.advance(days * DAY_S - 1)
    assert ids(asker) == []
    clock.advance(1)
    assert answer_all(asker, facts=facts) == [file]
    assert ids(asker) == []


def test_a_plugin_chooses_the_days(store: Store, films: Films, clock: Clock) -> None:
    class Impatient(Asker):
        id = "impatient"
        recheck_days = 1
        recheck_unknown_days = 0.5

    plugin = started(store, Impatient)
    films.film("a.mkv")
    answer_all(plugin, facts=None)
    assert not plugin.todo("movie")
    clock.advance(DAY_S / 2)
    assert answer_all(plugin, facts={"title": "x"})
    clock.advance(DAY_S / 2)
    assert not plugin.todo("movie")
    clock.advance(DAY_S / 2)
    assert plugin.todo("movie")


def test_what_failed_comes_again_after_1_2_4_minutes_and_at_last_a_day(
    films: Films, asker: Plugin, clock: Clock
) -> None:
    film = films.film("a.mkv")
    for minutes in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1440, 1440):
        [item] = asker.todo("movie")
        asker.failed(item, OSError("no answer"))
        clock.advance(minutes * 60 - 1)
        assert ids(asker) == []
        clock.advance(1)
    row = answer_row(films.store, film)
    assert (row.failures, row.error) == (13, "OSError: no answer")
    [item] = asker.todo("movie")
    asker.answer(item, None)
    row = answer_row(films.store, film)
    assert (row.failures, row.error) == (0, None)


def test_a_failure_keeps_the_earlier_answer(films: Films, asker: Plugin, clock: Clock) -> None:
    file = films.film("a.mkv")
    answer_all(asker, facts={"title": "x"})
    clock.advance(90 * DAY_S)
    [item] = asker.todo("movie")
    asker.failed(item, "busy")
    row = answer_row(films.store, file)
    assert row.metadata == {"title": "x"} and row.error == "busy"


def test_what_failed_comes_at_once_if_it_changes(films: Films, asker: Plugin) -> None:
    file = films.film("a.mkv")
    [item] = asker.todo("movie")
    asker.failed(item, "busy")
    films.put("a.mkv", size=2000)
    assert ids(asker) == [file]


def test_a_person_who_corrects_what_is_asked_makes_it_due(films: Films, asker: Plugin) -> None:
    file = films.film("a.mkv", title="Alien")
    answer_all(asker, facts={"title": "x"})
    movie = films.store.media.movies().items[0]
    films.store.media.save_movie(films.library.id, id=movie.id, title="Alien", overview="In space")
    assert ids(asker) == []
    films.store.media.save_movie(films.library.id, id=movie.id, imdb_id="tt0078748")
    [item] = asker.todo("movie")
    assert (item.id, item.imdb_id) == (file, "tt0078748")


def test_an_answer_about_another_movie_is_withdrawn(films: Films, asker: Plugin) -> None:
    file = films.film("a.mkv", title="Alien")
    answer_all(asker, facts={"title": "x"})
    with films.store.writer():
        PluginMetadata.update(applied_at=answer_row(films.store, file).answered_at).execute()
    movie = films.store.media.movies().items[0]
    with films.store.writer():  # the file turns out to be another movie
        MediaFile._meta.database.execute_sql("DELETE FROM work_files")
        movie.delete_instance()
    films.store.media.save_movie(films.library.id, title="Aliens", media_file_id=file)
    [item] = asker.todo("movie")
    assert item.title == "Aliens"
    row = answer_row(films.store, file)
    assert row.metadata is row.answered_at is row.applied_at is None
    assert row.subject_id == item.movie_id


def test_an_answer_to_a_question_that_has_changed_is_not_stored(
    films: Films, asker: Plugin
) -> None:
    file = films.film("a.mkv")
    [before] = asker.todo("movie")
    films.put("a.mkv", size=2000)
    [after] = asker.todo("movie")
    asker.answer(before, {"title": "before"})
    asker.failed(before, "busy")
    assert ids(asker) == [file]
    asker.answer(after, {"title": "after"})
    assert ids(asker) == [] and answer_row(films.store, file).metadata == {"title": "after"}


def test_a_file_that_is_deleted_takes_its_answers_and_can_be_answered_no_more(
    films: Films, asker: Plugin
) -> None:
    films.film("a.mkv")
    [item] = asker.todo("movie")
    asker.answer(item, {"title": "x"})
    films.store.media.remove_library(films.library.id)
    asker.answer(item, {"title": "y"})
    asker.failed(item, "busy")
    assert asker.todo("movie") == []
    assert films.store.plugins.usage()[0].answers == 0


# Files that no event names, or whose ids are not in order


def test_rows_that_other_programs_wrote_come_though_no_event_names_them(
    films: Films, asker: Plugin
) -> None:
    files = [films.film(f"{n}.mkv") for n in range(3)]
    answer_all(asker)
    films.scan()
    with films.store.writer():  # no event, and its id is before all others
        old = MediaFile.get_by_id(files[0])
        MediaFile.insert(
            id="0",
            library=old.library_id,
            path=f"{films.path}/0000.mkv",
            filename="0000.mkv",
            created_at=old.created_at,
            updated_at=old.updated_at,
        ).execute()
        link = "INSERT INTO work_files (media_file_id, work_id, part) SELECT '0', work_id, 0"
        MediaFile._meta.database.execute_sql(f"{link} FROM movies ORDER BY id LIMIT 1")
    assert ids(asker) == ["0"]


def test_a_clock_that_went_back_hides_nothing(films: Films, asker: Plugin, clock: Clock) -> None:
    old, failing = films.film("a.mkv"), films.film("b.mkv")
    clock.advance(1000 * DAY_S)
    one, two = asker.todo("movie")
    asker.answer(one, {"title": "x"})
    asker.failed(two, "busy")
    clock.advance(-1000 * DAY_S)
    new = films.film("c.mkv")
    assert set(ids(asker)) == {new, failing}
    answer_all(asker)
    assert ids(asker) == []
    clock.advance(90 * DAY_S)
    assert old in ids(asker)


def test_a_plugin_that_was_off_for_long_begins_anew_and_asks_only_what_it_must(
    films: Films, asker: Plugin, clock: Clock
) -> None:
    films.film("a.mkv"), films.film("b.mkv")
    answer_all(asker, facts={"title": "x"})
    films.put("a.mkv", size=2000)
    new = films.film("c.mkv")
    for n in range(3):
        clock.advance(20 * DAY_S)
        films.store.media.update_library(films.library.id, name=f"n{n}")
        films.store.maintenance.run_due()
    with films.store.reader():
        cursor = PluginCursor.get()
    with pytest.raises(Exception, match="not all in the store"):
        films.store.changes(None if cursor.change_id == 0 else _cursor_of(cursor))
    assert ids(asker) == [films.id("a.mkv"), new]


def _cursor_of(cursor: PluginCursor) -> str:
    from viewra_lite.database.pages import cursor_of

    return str(cursor_of("changes", (str(cursor.change_id), cursor.change_at)))


def test_a_plugin_that_comes_before_any_file_finds_those_that_come_and_go_from_the_feed(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    plugin = started(store)
    assert plugin.todo("movie") == []
    films = Films(store, tmp_path / "films")
    file = films.film("a.mkv")
    for n in range(3):
        clock.advance(20 * DAY_S)
        store.media.update_library(films.library.id, name=f"n{n}")
        store.maintenance.run_due()
    assert ids(plugin) == [file]


def test_more_files_than_a_batch_come_in_order_and_each_once(
    store: Store, tmp_path: Path, asker: Plugin, clock: Clock
) -> None:
    films = Films(store, tmp_path / "films")
    films.put(*(f"{n:04}.mkv" for n in range(1200)))
    seen: list[str] = []
    while items := asker.todo("file", limit=250):
        assert len(items) <= 250
        asker.answer_many([(item, None) for item in items])
        seen += [item.id for item in items]
    with store.reader():
        assert seen == [row.id for row in MediaFile.select().order_by(MediaFile.id)]
    clock.advance(timedelta(days=1).total_seconds())
    for _ in range(20):  # comparing them all once more makes none due
        assert asker.todo("file") == []


# Refusals


def test_only_a_declared_kind_can_be_asked_and_answered(store: Store, films: Films) -> None:
    class OnlyMovies(Asker):
        id = "movies"
        answers = ("movie",)

    other, plugin = started(store), started(store, OnlyMovies)
    films.film("a.mkv")
    for kind in ("episode", "subtitles", None, 5):
        with pytest.raises(InvalidValueError, match="declares movie"):
            plugin.todo(kind)
    [item] = other.todo("file")
    with pytest.raises(InvalidValueError, match="declares movie"):
        plugin.answer(item, None)
    for wrong in ("a", None):
        with pytest.raises(InvalidValueError, match="item"):
            plugin.answer(wrong, None)
    for limit in (0, -1, 1001, "1", True):
        with pytest.raises(InvalidValueError, match="limit"):
            plugin.todo("movie", limit=limit)
    with pytest.raises(InvalidValueError, match="exc"):
        plugin.failed(plugin.todo("movie")[0], 5)
    with pytest.raises(TransactionError), plugin.reading():
        plugin.todo("movie")


@pytest.mark.parametrize(
    ("named", "value", "reason"),
    [
        ("answers", ("movie", "subtitles"), "'subtitles', which is not a kind"),
        ("answers", "movie", "not a list of texts"),
        ("recheck_days", 0, "recheck_days is 0"),
        ("recheck_days", None, "recheck_days is None"),
        ("recheck_unknown_days", "9", "recheck_unknown_days is '9'"),
    ],
)
def test_a_class_that_declares_nonsense_is_broken(
    store: Store, named: str, value: Any, reason: str
) -> None:
    status = store.plugins.register(type("Odd", (Asker,), {"id": "odd", named: value}))
    assert status.state == "broken" and reason in status.reason and status.remedy


def test_what_a_purge_removes_and_a_plain_uninstall_keeps(
    store: Store, films: Films, asker: Plugin
) -> None:
    films.film("a.mkv"), films.film("b.mkv")
    answer_all(asker, facts={"title": "x"})
    films.film("c.mkv")
    assert len(asker.todo("movie")) == 1
    assert store.plugins.usage()[0].answers == 2
    assert store.plugins.uninstall("asker").answers == 2
    plugin = started(store)
    assert len(plugin.todo("movie")) == 1
    store.plugins.uninstall("asker", purge=True)
    with store.reader():
        assert PluginMetadata.select().count() == PluginCursor.select().count() == 0
    assert len(started(store).todo("movie")) == 3
