"""What Peewee's fields call in SQL is there on our connections, on both engines and drivers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from peewee import fn

from viewra_lite import Store
from viewra_lite.media.models import Album, MediaLibrary

PARTS = ("year", "month", "day", "hour", "minute", "second")


@pytest.fixture
def library_id(store: Store, tmp_path: Any) -> str:
    return store.media.add_library("Music", str(tmp_path), "music").id


def test_json_methods_of_a_field_answer(store: Store, library_id: str) -> None:
    albums = {"Blue Train": ["Jazz", "Bop"], "Abbey Road": ["Rock"], "None": None}
    for title, genres in albums.items():
        store.media.save_album(library_id, title=title, genres=genres)
    with store.reader():
        for question, found in (
            (Album.genres.contains("Jazz"), ["Blue Train"]),
            (Album.genres.contains(["Jazz", "Bop"]), ["Blue Train"]),
            (Album.genres.contained_by(["Rock", "Pop"]), ["Abbey Road"]),
            (Album.genres.length() == 2, ["Blue Train"]),
            (Album.genres[0] == "Rock", ["Abbey Road"]),
        ):
            assert [album.title for album in Album.select().where(question)] == found
    with store.writer():
        assert Album.select().where(Album.genres.contains("Jazz")).count() == 1


def test_parts_of_a_date_answer(store: Store, library_id: str, clock: Any) -> None:
    created = MediaLibrary.created_at
    store.media.save_album(library_id, title="Blue Train", release_date=date(1958, 1, 15))
    with store.reader():
        asked = MediaLibrary.select(*(fn.date_part(part, created) for part in PARTS))
        assert [int(part) for part in asked.tuples().get()] == [
            getattr(clock(), part) for part in PARTS
        ]
        for unit, start in (("year", (2024, 1, 1)), ("month", (2024, 5, 1)), ("day", (2024, 5, 1))):
            [day] = MediaLibrary.select(fn.date_trunc(unit, created)).tuples().get()
            day = datetime.fromisoformat(day) if isinstance(day, str) else day
            assert (day.year, day.month, day.day) == start
        released = Album.release_date
        assert Album.select().where(released.year == 1958, released.month == 1).count() == 1
        [year] = Album.select(released.truncate("year")).tuples().get()
        assert str(year)[:10] == "1958-01-01"


@pytest.mark.parametrize("session", ["reader", "writer"])
def test_a_function_that_guest_code_registered_is_there_in_every_new_connection(
    store_config: Any, session: str
) -> None:
    with Store.open(store_config) as store:
        if store.engine == "postgres":
            return
        database = MediaLibrary._meta.database
        with getattr(store, session)():
            database.register_function(lambda text: text[::-1], "backwards", 1)
            assert database.execute_sql("SELECT backwards('abc')").fetchone() == ("cba",)


def test_the_search_ranks_of_cysqlite_are_registered(store: Store) -> None:
    database = MediaLibrary._meta.database.obj
    with store.reader():
        for name in getattr(database, "_functions", ()):
            known = database.execute_sql(
                "SELECT count(*) FROM pragma_function_list WHERE name = ?", (name,)
            ).fetchone()[0]
            assert known, name
    assert fn.count  # Peewee's own way to name one
