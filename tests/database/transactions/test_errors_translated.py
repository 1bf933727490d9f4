"""A driver's error becomes one of ours, once, and the same one on both engines."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import peewee
import pytest

from tests.support.processes import run_python
from tests.support.rows import (
    NOW,
    add,
    add_by_peewee,
    ids,
    insert_library,
    library_by_id,
    set_interval,
)
from viewra_lite import Store
from viewra_lite.database.orm.statements import statement
from viewra_lite.errors import (
    ConfigError,
    ConflictError,
    CorruptStoreError,
    InvalidValueError,
    StoreUnavailableError,
    ViewraError,
)
from viewra_lite.media.models import MediaFile, MediaLibrary


@statement
def insert_file(id, library, size, width, duration, created_at):
    return MediaFile.insert(
        {
            MediaFile.id: id,
            MediaFile.library: library,
            MediaFile.path: id,
            MediaFile.filename: id,
            MediaFile.size: size,
            MediaFile.width: width,
            MediaFile.duration: duration,
            MediaFile.created_at: created_at,
            MediaFile.updated_at: created_at,
        }
    )


def add_file(store, id="f", library="a", size=1, width=1, duration=1.0, created_at=NOW):
    store.media.db.run(insert_file, id, library, size, width, duration, created_at)


def in_writer(store, action):
    with store.writer():
        action()


BROKEN_RULES = {
    "unique": (ConflictError, lambda store: add(store, "a")),
    "unique, Peewee": (ConflictError, lambda store: in_writer(store, lambda: add_by_peewee("a"))),
    "foreign key": (ConflictError, lambda store: add_file(store, library="nowhere")),
    "check": (InvalidValueError, lambda store: store.media.db.run(set_interval, -1, "a")),
    "check, Peewee": (
        InvalidValueError,
        lambda store: in_writer(store, lambda: add_by_peewee("b", scan_interval=-1)),
    ),
    "not null": (InvalidValueError, lambda store: add_file(store, created_at=None)),
    "not null, Peewee": (
        InvalidValueError,
        lambda store: in_writer(store, lambda: add_by_peewee("b", name=None)),
    ),
    "choice": (
        InvalidValueError,
        lambda store: in_writer(store, lambda: add_by_peewee("b", type="x")),
    ),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_a_broken_rule_is_the_same_error_on_both_engines(store, rule):
    expected, break_it = BROKEN_RULES[rule]
    add(store, "a")
    with pytest.raises(ViewraError) as caught:
        break_it(store)
    assert type(caught.value) is expected
    assert isinstance(caught.value, InvalidValueError) or caught.value.__cause__ is not None
    assert ids(store) == ["a"]


HOURS_12 = timedelta(hours=12)
WRONG_VALUES = {
    "too large for 64 bits": {"size": 1 << 63},
    "too small for 64 bits": {"size": -(1 << 63) - 1},
    "text for a number": {"size": "abc"},
    "digits for a number": {"size": "12"},
    "fraction for a whole number": {"width": 1.5},
    "text for a fraction": {"duration": "abc"},
    "not a number": {"duration": float("nan")},
    "surrogate": {"id": "\ud800"},
    "NUL": {"id": "a\0b"},
    "a number for text": {"id": 5},
    "an object": {"id": object()},
    "naive time": {"created_at": datetime(2024, 1, 1)},
    "a word for a time": {"created_at": "yesterday"},
    "a number for a time": {"created_at": 5},
    "a time that UTC has not": {"created_at": datetime.max.replace(tzinfo=timezone(-HOURS_12))},
}


@pytest.mark.parametrize("case", WRONG_VALUES)
def test_a_value_that_does_not_fit_is_the_same_error_on_both_engines(store, case):
    add(store, "a")
    with pytest.raises(InvalidValueError):
        add_file(store, **WRONG_VALUES[case])
    with store.reader():
        assert MediaFile.select().count() == 0


@pytest.mark.parametrize(
    "value", ["a\0b", "\ud800", 1 << 70, object()], ids=["NUL", "surrogate", "huge", "object"]
)
def test_a_value_in_a_peewee_query_is_the_same_error_on_both_engines(store, value):
    with pytest.raises(InvalidValueError), store.writer():
        MediaLibrary._meta.database.execute_sql(
            "INSERT INTO media_files (size, id) VALUES ({0}, {0})".format(
                MediaLibrary._meta.database.param
            ),
            (value, value),
        )


@pytest.mark.parametrize("id", ["a\0b", "\ud800"], ids=["NUL", "surrogate"])
def test_a_value_that_cannot_be_stored_cannot_be_looked_for_either(store, db, id):
    with pytest.raises(InvalidValueError):
        db.one(library_by_id, id)


def test_rows_of_run_many_are_looked_at_too(store, db):
    rows = [{"id": id, "name": "name", "path": id, "now": NOW} for id in ("a", "b\0")]
    with pytest.raises(Exception) as caught, store.writer():
        db.run_many(insert_library, rows)
    assert type(caught.value) is InvalidValueError
    assert ids(store) == []


def test_wrong_sql_of_guest_code_stays_peewees_error(store):
    with pytest.raises(peewee.PeeweeException), store.reader():
        MediaLibrary._meta.database.execute_sql("SELECT nothing FROM nowhere")


def test_a_message_shows_no_values_of_the_row(store, db):
    add(store, "a")
    with pytest.raises(ConflictError) as caught:
        db.run(insert_library, "secret", "n", "/a", NOW)
    assert "secret" not in str(caught.value) and "/a" not in str(caught.value)


# The file of SQLite


def opened(path, **options):
    options = {"type": "sqlite", "database_path": str(path), **options}
    return Store.open({"database": options})


@pytest.mark.usefixtures("driver")
def test_a_missing_folder_is_created_and_the_file_is_ours_alone(tmp_path):
    path = tmp_path / "where" / "viewra.db"
    with opened(path) as store:
        add(store, "a")
        modes = {p.name: p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
    assert modes == {
        "viewra.db": 0o600,
        "viewra.db-wal": 0o600,
        "viewra.db-shm": 0o600,
        "viewra.db-lock": 0o700,
    }


@pytest.mark.usefixtures("driver")
def test_a_path_with_every_awkward_character_works(tmp_path):
    path = tmp_path / "a b%20?mode=ro#é\udcff" / "viewra.db"
    with opened(path) as store:
        add(store, "a")
    assert path.exists()


def folder(path):
    path.mkdir()


def parent_is_a_file(path):
    path.parent.rmdir()
    path.parent.touch()


def grandparent_is_a_file(path):
    path.parent.rmdir()
    path.parent.touch()
    return path / "viewra.db"


def dangling_link(path):
    path.symlink_to(path.parent / "nowhere")


def loop(path):
    path.symlink_to(path)


def too_long(path):
    return path.parent / ("x" * 300)


def pipe(path):
    os.mkfifo(path)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    "arrange, error, words",
    [
        (folder, ConfigError, "is a folder"),
        (parent_is_a_file, ConfigError, "is not a folder"),
        (grandparent_is_a_file, ConfigError, "is not a folder"),
        (dangling_link, StoreUnavailableError, "does not exist"),
        (loop, ViewraError, "link"),
        (too_long, ConfigError, "too long"),
        pytest.param(
            pipe,
            ConfigError,
            "not a regular file",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO here"),
        ),
    ],
)
def test_a_path_that_cannot_be_opened_is_explained(tmp_path, arrange, error, words):
    path = tmp_path / "folder" / "viewra.db"
    path.parent.mkdir()
    path = arrange(path) or path
    with pytest.raises(error, match=words):
        opened(path)


AS_NOBODY = """
import os, shlex, sys
from viewra_lite import Store

def use(path):
    try:
        with Store.open({"database": {"database_path": path}}) as store:
            return f"opened {len(store.media.libraries())}"
    except Exception as exc:
        return f"{type(exc).__name__}: {exc}"

print(use(sys.argv[1]))  # loads every module while they can still be read
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(use(sys.argv[2]))
"""


@pytest.mark.usefixtures("driver")
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no permissions of this kind here")
@pytest.mark.parametrize("name, mode", [("file", 0o000), ("file", 0o444), ("folder", 0o555)])
def test_no_permission_is_named(name, mode):
    """Root may do everything, so the tests become nobody, to whom pytest's folders are closed."""
    with tempfile.TemporaryDirectory(prefix="viewra-nobody-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        path = data / "viewra.db"
        if name == "file":
            opened(path).close()
        os.chmod(path if name == "file" else data, mode)
        if os.geteuid() == 0:
            for item in (Path(folder), *Path(folder).rglob("*")):
                os.chown(item, 65534, 65534)
        done = run_python("-c", AS_NOBODY, str(Path(folder) / "other.db"), str(path))
        os.chmod(data, 0o755)
        before, after = done.stdout.splitlines()
        assert before == "opened 0"
        assert after.startswith("StoreUnavailableError") and "permission denied" in after


@pytest.mark.usefixtures("driver")
def test_a_file_that_is_no_database_is_refused_untouched(tmp_path):
    path = tmp_path / "viewra.db"
    path.write_bytes(b"This is a shopping list.\n" * 100)
    with pytest.raises(ConfigError, match="viewra.db is not an SQLite database: .*name one"):
        opened(path)
    assert path.read_bytes() == b"This is a shopping list.\n" * 100


@pytest.mark.usefixtures("driver")
def test_a_store_that_is_no_database_any_more_is_damaged(tmp_path):
    path = tmp_path / "viewra.db"
    opened(path).close()
    path.write_bytes(b"x" * 5000)
    with pytest.raises(CorruptStoreError, match="not an SQLite database.: run viewra-lite recover"):
        opened(path)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("application_id", [0, 0x12345678])
def test_another_programs_database_is_refused_untouched(tmp_path, application_id):
    path = tmp_path / "viewra.db"
    other = sqlite3.connect(path)
    other.executescript(f"CREATE TABLE theirs (x); PRAGMA application_id={application_id}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="another program"):
        opened(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["viewra.db"]


@pytest.mark.usefixtures("driver")
def test_an_empty_file_where_a_store_was_is_refused(tmp_path):
    path = tmp_path / "viewra.db"
    path.touch()
    opened(path).close()
    path.write_bytes(b"")
    with pytest.raises(CorruptStoreError, match="empty"):
        opened(path)


@pytest.mark.usefixtures("driver")
def test_a_damaged_file_is_refused_or_named_when_the_damage_is_read(tmp_path):
    path = tmp_path / "viewra.db"
    with opened(path) as store:
        with store.writer():
            for n in range(500):
                add_by_peewee(str(n), name="x" * 200)
    whole = bytearray(path.read_bytes())
    for start in range(4096, len(whole)):
        if start % 4096 < 200 and start > 40 * 4096:
            whole[start] = 0xA5
    path.write_bytes(whole)
    with pytest.raises(CorruptStoreError, match="damaged"):
        with opened(path) as store, store.reader():
            list(MediaLibrary.select())
            list(MediaLibrary.select().order_by(MediaLibrary.path))
            MediaLibrary._meta.database.execute_sql("SELECT count(*) FROM media_files")
    with pytest.raises(CorruptStoreError, match="damaged"):
        with opened(path) as store, store.writer():
            MediaLibrary.update(name="y").execute()


@pytest.mark.usefixtures("driver")
def test_a_damaged_header_is_refused(tmp_path):
    path = tmp_path / "viewra.db"
    opened(path).close()
    whole = bytearray(path.read_bytes())
    whole[100:200] = b"\xa5" * 100
    path.write_bytes(whole)
    with pytest.raises(CorruptStoreError):
        opened(path)


def test_two_names_of_one_error_read_alike_on_the_oldest_python(tmp_path):
    """Python 3.10 tells only a message; what it stands for must be the same."""
    from viewra_lite.database.sqlite.drivers import stdlib as driver
    from viewra_lite.database.sqlite.errors import is_busy, translate_sqlite

    messages = {
        "database is locked": "StoreBusyError",
        "database table is locked": "StoreBusyError",
        "locking protocol": "StoreBusyError",
        "disk I/O error": "StoreUnavailableError",
        "database or disk is full": "StoreFullError",
        "unable to open database file": "StoreUnavailableError",
        "database disk image is malformed": "CorruptStoreError",
        "file is not a database": "ConfigError",
        "UNIQUE constraint failed: t.x": "ConflictError",
        "FOREIGN KEY constraint failed": "ConflictError",
        "CHECK constraint failed: x": "InvalidValueError",
        "NOT NULL constraint failed: t.x": "InvalidValueError",
        "datatype mismatch": "InvalidValueError",
        "string or blob too big": "InvalidValueError",
        "no such table: locked": "OperationalError",
    }
    path = tmp_path / "viewra.db"
    for message, expected in messages.items():
        error = sqlite3.OperationalError(message)
        assert type(translate_sqlite(error, path, driver)).__name__ == expected, message
        assert is_busy(error, driver) == (expected == "StoreBusyError")
    path.touch()
    readonly = sqlite3.OperationalError("attempt to write a readonly database")
    assert type(translate_sqlite(readonly, path, driver)).__name__ == "TransactionError"


NOT_UTF8 = "UPDATE media_libraries SET name = CAST(x'ff41' AS TEXT)"


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.media.db.one(library_by_id, "a"),
        lambda store: store.media.db.all(library_by_id, "a"),
        lambda store: in_writer(store, lambda: MediaLibrary.get()),
        lambda store: in_writer(store, lambda: list(MediaLibrary.select().tuples())),
        lambda store: in_writer(store, lambda: store.media.db.one(library_by_id, "a")),
        lambda store: store.media.save_movie("a", title="Dune"),
    ],
    ids=["one", "all", "Peewee's get", "Peewee's rows", "one in a writer", "a verb"],
)
def test_text_that_is_not_utf8_is_the_same_error_with_both_drivers(store, read):
    add(store, "a")
    if store.engine == "postgres":
        return  # which does not store it
    in_writer(store, lambda: MediaLibrary._meta.database.execute_sql(NOT_UTF8))
    with pytest.raises(CorruptStoreError, match="text cannot be read: .*UTF-8|not text in UTF-8"):
        read(store)


def test_what_a_caller_decodes_itself_is_its_own_error(store):
    for scope in (store.reader, store.writer):
        with pytest.raises(UnicodeDecodeError), scope():
            b"\xff".decode()
