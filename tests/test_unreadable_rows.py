"""A row that cannot be read: its own verb says which, and a list leaves it out, whole otherwise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.errors import CorruptStoreError
from viewra_lite.media.models import Movie

LISTED = 20
WORDS = [f"B{vowel}{end}" for vowel in "aeiou" for end in ("ll", "rk", "st", "nd")]
NOT_UTF8 = "CAST(x'ff41' AS TEXT)"
NOW = datetime(2024, 5, 1, tzinfo=timezone.utc)


class Home:
    """A store with LISTED of everything that is listed."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        films, music = folder / "films", folder / "music"
        films.mkdir()
        music.mkdir()
        for number in range(LISTED):
            (films / f"Dune {WORDS[number]} (2001).mkv").write_bytes(bytes(number + 1))
        self.library = store.media.add_library("m", films, "movie").id
        store.media.scan(self.library)
        self.files = [file.id for file in store.media.files(self.library).items]
        self.damage("media_files", "duration = 3600.0", "true")
        for number, file in enumerate(self.files):
            store.media.save_show(self.library, title=f"Show {number:02}")
            store.media.save_album(self.library, title=f"Album {number:02}")
            store.playback.set_progress("eve", file, 1000.0)
            store.playback.start_session(file, user_id="bob", duration=3600.0)
            store.transcoding.request(file, {"height": 480})
        store.importing.watched(
            [
                {
                    "title": f"Dune {WORDS[number]}",
                    "year": 2001,
                    "played_at": NOW - timedelta(number),
                }
                for number in range(LISTED)
            ],
            user_id="ann",
        )

    def damage(self, table: str, assignment: str, where: str) -> None:
        with self.store.writer():
            database = Movie._meta.database
            assert database.execute_sql(f"UPDATE {table} SET {assignment} WHERE {where}").rowcount


Listed = Callable[[Store, str], list[Any]]
LISTS: dict[str, tuple[str, Listed]] = {
    "movies by title": ("movies", lambda store, library: pages(store.media.movies)),
    "movies by id": ("movies", lambda store, _: pages(store.media.movies, sort="added")),
    "shows": ("tv_shows", lambda store, _: pages(store.media.shows)),
    "albums": ("albums", lambda store, _: pages(store.media.albums)),
    "files": ("media_files", lambda store, library: pages(store.media.files, library)),
    "files placed": (
        "media_files",
        lambda store, library: pages(store.media.files, library, placed=True),
    ),
    "history": ("playback_history", lambda store, _: pages(store.playback.history, "ann")),
    "active sessions": ("playback_sessions", lambda store, _: store.playback.active_sessions()),
    "transcodes": ("transcode_sessions", lambda store, _: store.transcoding.sessions()),
}
COLUMNS = {
    "movies": "overview",
    "tv_shows": "overview",
    "albums": "label",
    "media_files": "filename",
    "playback_history": "device_id",
    "playback_sessions": "device_id",
    "transcode_sessions": "error_message",
}
TIMES = {"playback_history": "played_at", "playback_sessions": "start_time"}


def pages(verb: Any, *arguments: Any, **options: Any) -> list[Any]:
    """Return the items of all pages of seven."""
    page = verb(*arguments, limit=7, **options)
    items = list(page.items)
    while page.next:
        page = verb(*arguments, limit=7, after=page.next, **options)
        items += page.items
    return items


# PostgreSQL refuses such values.
DRIVERS = ["sqlite", "cysqlite"][: tries(1, 2)]
pytestmark = pytest.mark.parametrize("store_config", DRIVERS, indirect=True)


@pytest.fixture
def home(store: Store, tmp_path: Path, probing_here: None) -> Home:
    return Home(store, tmp_path)


@pytest.mark.parametrize("value", [NOT_UTF8, "'not a time'"], ids=["text", "time"])
def test_a_list_leaves_out_the_rows_that_cannot_be_read_and_names_them(
    home: Home, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    for table, listed in LISTS.values():
        whole = listed(home.store, home.library)
        column = COLUMNS[table] if value == NOT_UTF8 else TIMES.get(table, "created_at")
        bad = [whole[number].id for number in (0, 6, 7, len(whole) - 1)]
        for id in bad:
            home.damage(table, f"{column} = {value}", f"id = '{id}'")
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            found = [row.id for row in listed(home.store, home.library)]
        assert found == [row.id for row in whole if row.id not in bad]
        for id in bad:
            assert f"{table}.{column} of row '{id}'" in caplog.text
        assert "not a time" not in caplog.text


SINGLE: dict[str, tuple[str, Callable[[Store, str], Any]]] = {
    "movie": ("movies", lambda store, id: store.media.movie(id)),
    "show": ("tv_shows", lambda store, id: store.media.show(id)),
    "album": ("albums", lambda store, id: store.media.album(id)),
    "file": ("media_files", lambda store, id: store.media.file(id)),
    "session": ("playback_sessions", lambda store, id: store.playback.session(id)),
    "job": ("transcode_sessions", lambda store, id: store.transcoding.session(id)),
}


def test_the_verb_of_a_single_thing_names_table_column_and_id(home: Home) -> None:
    for table, verb in SINGLE.values():
        column = COLUMNS[table]
        listed = next(each for of, each in LISTS.values() if of == table)
        id = listed(home.store, home.library)[3].id
        home.damage(table, f"{column} = {NOT_UTF8}", f"id = '{id}'")
        where = f"^{table}.{column} of row '{id}' holds .*, not text in UTF-8: correct it by hand"
        with pytest.raises(CorruptStoreError, match=where):
            verb(home.store, id)


@pytest.mark.parametrize("value", [NOT_UTF8, "'not a time'"], ids=["text", "time"])
def test_what_to_watch_and_what_is_found_leave_out_what_cannot_be_read(
    home: Home, value: str
) -> None:
    store, text = home.store, value == NOT_UTF8
    assert len(store.playback.continue_watching("eve")) == LISTED
    assert len(store.media.search("dune")) == LISTED
    home.damage("media_files", "missing_since = created_at", "true")
    assert len(store.maintenance.problems()) == LISTED
    for number, file in enumerate(home.files[:3]):
        column = "filename" if text else "created_at"
        home.damage("media_files", f"{column} = {value}", f"id = '{file}'")
        assert len(store.playback.continue_watching("eve")) == LISTED - number - 1
        assert len(store.maintenance.problems()) == LISTED - number - 1
        if not text:  # of which the index has a copy
            home.damage("movies", f"release_date = {value}", f"media_file_id = '{file}'")
            assert len(store.media.search("dune")) == LISTED - number - 1
    home.damage(
        "user_media_progress",
        "updated_at = 'not a time'",
        f"user_id = 'eve' AND media_file_id = '{home.files[9]}'",
    )
    assert len(store.playback.continue_watching("eve")) >= LISTED - 4
    assert len(store.playback.progress_of("eve", home.files)) >= LISTED - 4
