"""What a statement takes and returns: arguments by name, rows with names, values of Python."""

from __future__ import annotations

import linecache
import traceback
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from peewee import Case, Tuple, fn

from tests.support.rows import NOW, add, insert_library, library_by_id
from viewra_lite import Store
from viewra_lite.database.orm.nodes import Together, Typed, UtcDay
from viewra_lite.database.orm.statements import Statement, statement
from viewra_lite.database.transactions.database import Database
from viewra_lite.database.transactions.inserts import Insert
from viewra_lite.errors import CorruptStoreError, InvalidValueError
from viewra_lite.media.models import MediaFile, MediaLibrary
from viewra_lite.playback.models import PlaybackDailyTotal

# A name in Latin-1, and one that holds a character that the store uses for such bytes.
ODD_PATHS = ["/caf\udce9", "/\U0010ffe9", "/plain", "/ü"]
SPELT = datetime(2024, 5, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))


class Named(NamedTuple):
    id: str
    path: str
    created_at: datetime
    scan_interval: int
    is_hourly: bool
    day: date
    latest: datetime


@statement
def named(id: Any) -> Any:
    library = MediaLibrary
    return (
        library.select(
            library.id,
            library.path,
            library.created_at,
            library.scan_interval,
            library.scan_interval == 3600,
            Typed(UtcDay(library.created_at), PlaybackDailyTotal.day),
            fn.MAX(library.updated_at),
        )
        .where(library.id == id)
        .group_by(library.id)
        .objects(Named)
    )


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_row_has_names_and_the_values_of_python(db: Database, path: str) -> None:
    db.run(insert_library, id="a", name="A", path=path, now=SPELT)
    expected = Named("a", path, NOW, 0, False, date(2024, 5, 1), NOW)
    for found in (db.one(named, "a"), *db.all(named, "a")):
        assert found == expected
        assert list(map(type, found)) == list(map(type, expected))
        assert found.created_at.utcoffset() == timedelta(0)


def test_rows_of_two_columns_and_of_a_union_are_converted_too(db: Database) -> None:
    db.run(insert_library, "a", "A", ODD_PATHS[0], SPELT)

    def query() -> Any:
        each = MediaLibrary.select(MediaLibrary.path, MediaLibrary.created_at)
        return each.union_all(each).tuples()

    assert db.all(Statement(query)) == [(ODD_PATHS[0], NOW)] * 2


def test_what_a_write_returns_are_models_or_rows_like_those_of_a_query(db: Database) -> None:
    db.run(insert_library, "a", "A", ODD_PATHS[0], SPELT)

    def touched(now: Any, id: Any) -> Any:
        return MediaLibrary.update({MediaLibrary.last_scan: now}).where(MediaLibrary.id == id)

    whole = Statement(lambda now, id: touched(now, id).returning(MediaLibrary))
    part = Statement(
        lambda now, id: (
            touched(now, id).returning(MediaLibrary.path, MediaLibrary.last_scan).tuples()
        )
    )
    later = NOW + timedelta(days=1)
    (library,) = db.run_returning(whole, later, "a")
    assert library == db.one(library_by_id, "a")
    assert library.__data__ == db.one(library_by_id, "a").__data__
    assert (library.path, library.last_scan) == (ODD_PATHS[0], later)
    assert db.run_returning(part, NOW, "a") == [(ODD_PATHS[0], NOW)]


@pytest.mark.parametrize("count", [1, 130])
def test_many_rows_are_stored_as_one_is(store: Store, db: Database, count: int) -> None:
    names = [name for name in MediaLibrary._meta.fields if name != "last_scan"]
    for number, order in enumerate((names, names[::-1])):
        times = {"created_at": SPELT, "updated_at": SPELT}
        rows = [
            {
                **times,
                "id": f"{number}-{n:03}",
                "name": "N",
                "path": f"/{number}-{n:03}{ODD_PATHS[0]}",
                "type": "tv",
                "scan_interval": 7,
            }
            for n in range(count)
        ]
        insert = Insert(*(getattr(MediaLibrary, name) for name in order))
        with store.writer():
            insert.run(db, [[row[name] for name in order] for row in rows])
    everything = Statement(lambda: MediaLibrary.select().order_by(MediaLibrary.id))
    found = db.all(everything)
    assert [row.path for row in found] == [
        f"/{number}-{n:03}{ODD_PATHS[0]}" for number in (0, 1) for n in range(count)
    ]
    assert {(row.type, row.scan_interval, row.created_at) for row in found} == {("tv", 7, NOW)}


def test_rows_of_run_many_are_given_by_name_and_converted(store: Store, db: Database) -> None:
    rows = [{"now": SPELT, "path": path, "id": path, "name": "N"} for path in ODD_PATHS[1:]]
    with store.writer():
        db.run_many(insert_library, rows)
    for path in ODD_PATHS[1:]:
        assert db.one(library_by_id, path).path == path
    with pytest.raises(InvalidValueError, match="time zone"), store.writer():
        naive = {"now": NOW.replace(tzinfo=None), "path": "/p", "id": "p", "name": "N"}
        db.run_many(insert_library, [naive])


def test_arguments_by_name_may_come_in_any_order_after_those_by_place(db: Database) -> None:
    db.run(insert_library, "a", now=NOW, path="/a", name="A")
    assert db.one(library_by_id, id="a").name == "A"


@pytest.mark.parametrize(
    "places, names",
    [
        (("a",), {"name": "A", "path": "/a"}),
        (("a",), {"id": "b", "name": "A", "path": "/a", "now": NOW}),
        (("a",), {"name": "A", "path": "/a", "when": NOW}),
        (("a", "A", "/a", NOW), {"more": 1}),
    ],
)
def test_arguments_that_a_statement_does_not_take_are_refused_before_anything_runs(
    store: Store, db: Database, places: tuple[Any, ...], names: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match="insert_library takes id, name, path, now"):
        db.run(insert_library, *places, **names)
    assert store.media.libraries() == []


def test_a_value_where_nothing_says_its_column_is_typed(store: Store, db: Database) -> None:
    add(store, "a")
    library = MediaLibrary

    def build(now: Any, key: Any) -> Any:
        scanned = Typed(now, library.last_scan)
        return library.update(
            {
                library.last_scan: Case(
                    None, [(library.scan_interval > -1, scanned)], library.last_scan
                )
            }
        ).where(Tuple(library.created_at, library.id) >= Tuple(Typed(key, library.created_at), "a"))

    assert db.run(Statement(build), SPELT, SPELT) == 1
    assert db.one(library_by_id, "a").last_scan == NOW


@pytest.mark.parametrize("in_reader", [False, True], ids=["alone", "in a reader"])
@pytest.mark.parametrize("with_key", [True, False], ids=["with its key", "without its key"])
def test_what_cannot_be_read_is_named_by_table_column_and_row(
    store: Store, db: Database, in_reader: bool, with_key: bool
) -> None:
    if store.engine == "postgres":
        pytest.skip("PostgreSQL stores no text in a column of times")
    for id in ("a", "b", "c"):
        add(store, id)
    with store.writer():
        MediaLibrary._meta.database.execute_sql(
            "UPDATE media_libraries SET updated_at = 'no time' WHERE id = 'b'"
        )
    columns = [MediaLibrary.updated_at, MediaLibrary.name]
    times = Statement(lambda: MediaLibrary.select(*columns, *[MediaLibrary.id] * with_key).tuples())
    with pytest.raises(CorruptStoreError) as caught:
        if in_reader:
            with store.reader():
                db.all(times)
        else:
            db.all(times)
    assert "media_libraries.updated_at of row 'b' holds 'no time', not a time" in str(caught.value)


def test_a_traceback_shows_the_line_of_generated_code(db: Database) -> None:
    def build(id: Any, name: Any, path: Any, now: Any) -> Any:
        return insert_library.build(id, name, path, now)

    build.__name__ = "insert_shown"
    with pytest.raises(InvalidValueError) as caught:
        db.run(Statement(build), "a", 5, "/a", NOW)
    shown = traceback.extract_tb(caught.value.__traceback__)
    (ours,) = [frame for frame in shown if "insert_shown" in frame.filename]
    assert ours.filename.startswith("<viewra_lite parameters: ")
    assert "a[1]" in ours.line and ours.name == "bind"


def test_two_statements_of_one_name_have_their_own_lines() -> None:
    from viewra_lite.database.orm import generated

    one = generated.function("rows: twice", "def fill(rows):\n return 1", {})
    other = generated.function("rows: twice", "def fill(rows):\n return 2", {})
    assert (one([]), other([])) == (1, 2)
    names = [made.__code__.co_filename for made in (one, other)]
    assert [linecache.getline(name, 2) for name in names] == [" return 1", " return 2"]


def test_every_statement_says_as_many_columns_as_its_rows_have_names(
    store: Store, db: Database
) -> None:
    """An error of a named tuple's fields must not wait for the first use of a rare statement."""
    import pkgutil
    from importlib import import_module

    import viewra_lite

    compiled = 0
    for found in pkgutil.walk_packages(viewra_lite.__path__, "viewra_lite."):
        if "queries" in Path(found.name.replace(".", "/")).name:
            for each in vars(import_module(found.name)).values():
                for one in each if isinstance(each, tuple) else (each,):
                    if isinstance(one, Statement):
                        one.compile(store.engine, db.backend.database)
                        compiled += 1
    assert compiled > 150


def test_a_file_of_any_name_is_known_again(store: Store, db: Database, tmp_path: Path) -> None:
    from viewra_lite import FileFacts

    library = store.media.add_library("L", tmp_path, "movie")
    files = [FileFacts(f"{library.path}{path}", 1, 2) for path in ODD_PATHS]
    for added, unchanged in ((4, 0), (0, 4)):
        with store.media.reconcile(library.id) as run:
            for facts in files:
                run.add(facts)
        assert (run.result.added, run.result.unchanged, run.result.missing) == (added, unchanged, 0)
    everything = Statement(lambda: MediaFile.select().order_by(MediaFile.path))
    assert {row.path for row in db.all(everything)} == {facts.path for facts in files}


def test_columns_may_stand_together_in_a_row(store: Store, db: Database) -> None:
    class Pair(NamedTuple):
        id: str
        times: tuple[object, ...]

    add(store, "a")
    library = MediaLibrary
    times = Together(library.created_at, library.last_scan)
    query = Statement(lambda: library.select(library.id, times).objects(Pair))
    assert db.all(query) == [Pair("a", (NOW, None))]
