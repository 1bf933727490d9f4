"""What differs between the drivers of SQLite, and must not be felt."""

from __future__ import annotations

import sys
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest

from tests.support.processes import run_python
from tests.support.rows import add, ids
from viewra_lite import Store
from viewra_lite.errors import ConfigError, ConflictError, InvalidValueError, ViewraError
from viewra_lite.media.models import MediaLibrary

cysqlite = pytest.importorskip("cysqlite")


@pytest.fixture
def store(driver, tmp_path):
    with Store.open({"database": {"database_path": str(tmp_path / "viewra.db")}}) as store:
        yield store


def execute(sql, *params):
    return MediaLibrary._meta.database.execute_sql(sql, params)


def test_the_chosen_driver_is_used_by_readers_writers_and_guests(driver, store, db):
    kind = {"sqlite3": "sqlite3", "cysqlite": "cysqlite._cysqlite"}[store.config.driver]
    for scope in (db.reader, db.writer, store.reader, store.writer):
        with scope():
            assert type(db.current.connection).__module__ == kind
            assert execute("SELECT sqlite_version()").fetchone() == (driver_version(kind),)


def driver_version(kind):
    return sys.modules[kind.partition(".")[0]].sqlite_version


def test_a_store_made_with_one_driver_is_read_with_the_other(tmp_path):
    path = str(tmp_path / "viewra.db")
    for number, name in enumerate(("sqlite3", "cysqlite", "sqlite3")):
        with Store.open({"database": {"database_path": path, "driver": name}}) as store:
            add(store, f"{number}")
            assert len(ids(store)) == number + 1
    with Store.open(f"sqlite:///{path}?driver=cysqlite") as store:
        assert store.config.driver == "cysqlite" and ids(store) == ["0", "1", "2"]


MISSING = """
import sys
sys.modules["cysqlite"] = None
from viewra_lite import Store, errors
try:
    Store.open({"database": {"database_path": sys.argv[1], "driver": "cysqlite"}})
except errors.ConfigError as exc:
    print(exc)
"""


def test_a_driver_that_is_missing_is_named_with_the_remedy(tmp_path):
    done = run_python("-c", MISSING, str(tmp_path / "viewra.db"))
    assert done.stdout.startswith("driver: cysqlite cannot be loaded")
    assert "pip install cysqlite" in done.stdout
    assert list(tmp_path.iterdir()) == []


UNUSED = """
import sys
from viewra_lite import Store
with Store.open({"database": {"database_path": sys.argv[1]}}) as store:
    store.media.libraries()
print("cysqlite" in sys.modules)
"""


def test_a_driver_that_was_not_chosen_is_not_loaded(tmp_path):
    assert run_python("-c", UNUSED, str(tmp_path / "viewra.db")).stdout == "False\n"


@pytest.mark.parametrize("value", ["pysqlite", "", 7, True])
def test_another_driver_is_refused(tmp_path, value):
    with pytest.raises(ConfigError, match="driver: expected sqlite3 or cysqlite"):
        Store.open({"database": {"database_path": str(tmp_path / "v.db"), "driver": value}})


def test_guests_values_mean_the_same(store):
    """cysqlite would store a Decimal as a float, and a UUID as text."""
    with store.writer():
        execute("CREATE TABLE guests (x)")
        for value in (Decimal("1.10"), b"\0", memoryview(b"ab"), None, 2**63 - 1, float("inf")):
            execute("INSERT INTO guests VALUES (?)", value)
        found = execute("SELECT typeof(x), x FROM guests").fetchall()
    assert found == [
        ("text", "1.10"),
        ("blob", b"\0"),
        ("blob", b"ab"),
        ("null", None),
        ("integer", 2**63 - 1),
        ("real", float("inf")),
    ]


@pytest.mark.parametrize("value", [UUID(int=1), Fraction(1, 2), object(), 2**63, "\ud800", "a\0b"])
def test_what_one_driver_does_not_take_the_other_does_not_take(store, value):
    with store.writer():
        execute("CREATE TABLE guests (x)")
    with pytest.raises(InvalidValueError), store.writer():
        execute("INSERT INTO guests VALUES (?)", value)


def test_guests_may_name_their_parameters(store):
    with store.writer():
        execute("CREATE TABLE guests (x, y)")
        database = MediaLibrary._meta.database
        database.execute_sql("INSERT INTO guests VALUES (:y, :x)", {"x": 1, "y": Decimal("2.50")})
        assert execute("SELECT x, y FROM guests").fetchall() == [("2.50", 1)]


def test_a_message_shows_neither_the_statement_nor_a_value(store):
    add(store, "a")
    secret = "hunter2 [x] y"
    statement = f"INSERT INTO media_libraries (id, name) VALUES ('a', '{secret}')"
    with pytest.raises(ViewraError) as refused, store.writer():
        execute(statement)
    assert "hunter2" not in str(refused.value) and "INSERT" not in str(refused.value)
    with pytest.raises(ConflictError) as conflict, store.writer():
        execute("UPDATE media_libraries SET id = 'b'")
        add(store, "b")
    assert str(conflict.value).startswith("UNIQUE constraint failed: media_libraries.")


def test_a_cursor_that_was_left_half_read_keeps_no_snapshot(store, db):
    for number in range(5):
        add(store, f"{number}")
    with store.reader():
        cursor = execute("SELECT id FROM media_libraries ORDER BY id")
        assert cursor.fetchone() == ("0",)
    connection = db.backend.borrow()
    assert not connection.in_transaction
    busy, log, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    db.backend.give_back(connection)
    assert (busy, log, moved) == (0, 0, 0)
    with pytest.raises(Exception, match="closed cursor|finalized"):
        cursor.fetchone()


def test_a_writing_cursor_that_was_left_half_read_does_not_hinder_the_commit(store):
    with store.writer():
        execute("CREATE TABLE guests (x)")
        cursor = execute("INSERT INTO guests VALUES (1), (2), (3) RETURNING x")
        assert cursor.fetchone() == (1,)
    with store.reader():
        assert execute("SELECT count(*) FROM guests").fetchone() == (3,)


def test_a_guests_transaction_of_the_driver_itself_ends_with_its_session(tmp_path):
    """cysqlite refuses to close a connection that it believes to be in a transaction."""
    config = {"database": {"database_path": str(tmp_path / "v.db"), "driver": "cysqlite"}}
    with Store.open(config) as store:
        with store.reader():
            connection = MediaLibrary._meta.database.connection()
            connection.savepoint().__enter__()
            connection.execute("ROLLBACK")
            connection.transaction().__enter__()
        add(store, "a")
        assert ids(store) == ["a"]


def test_what_a_guest_hooked_up_does_not_reach_the_next(driver, store):
    called = []
    with store.writer():
        connection = MediaLibrary._meta.database.connection()
        if store.config.driver == "cysqlite":
            connection.commit_hook(lambda: called.append("commit"))
            connection.update_hook(lambda *told: called.append("update"))
            connection.trace(lambda *told: called.append("trace"))
            connection.progress(lambda: called.append("progress"))
        else:
            connection.set_trace_callback(lambda sql: called.append("trace"))
            connection.set_progress_handler(lambda: called.append("progress"), 1)
    called.clear()
    add(store, "a")
    assert ids(store) == ["a"] and called == []


def test_no_cursor_of_cysqlite_outlives_the_lending_of_its_connection(tmp_path):
    """Freed late, by another thread, it would reach into the work of the next borrower."""
    config = {"database": {"database_path": str(tmp_path / "v.db"), "driver": "cysqlite"}}
    with Store.open(config) as store:
        add(store, "a")
        add(store, "b")
        backend = store.media.db.backend
        for borrow, give_back in (
            (backend.borrow, backend.give_back),
            (backend.borrow_writer, backend.give_back_writer),
        ):
            connection = borrow()
            cursor = connection.execute("SELECT id FROM media_libraries")
            cursor.fetchone()
            give_back(connection)
            with pytest.raises(cysqlite.Error, match="finalized"):
                cursor.fetchone()
        assert ids(store) == ["a", "b"]
