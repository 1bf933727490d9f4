"""A database made by hand from the specification's SQL becomes a store, with every row."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.support.by_hand import FILLED, SPECIFICATION
from tests.support.catalogue import sqlite_catalogue
from viewra_lite import Store, errors
from viewra_lite.built_in import BUILT_IN
from viewra_lite.database.sqlite.drivers.protocol import SqliteDriver

TABLES_ONLY, INDEXES = SPECIFICATION.split("-- Media queries")
TODAY = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
TODAY_TEXT = "2024-05-06 07:08:09.000000+00:00"


def fresh_catalogue(tmp_path: Path) -> Any:
    path = tmp_path / "fresh.db"
    opened(path).close()
    return sqlite_catalogue(path)


def made_by_hand(path: Path, *scripts: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for script in scripts:
            connection.executescript(script)
    return path


def opened(path: Path, **options: str) -> Store:
    options["database_path"] = str(path)
    return Store.open({"database": options}, clock=lambda: TODAY)


def adopted(path: Path, *scripts: str, **options: str) -> sqlite3.Connection:
    """Make a database by hand, open and close a store on it, and return a connection."""
    opened(made_by_hand(path, *scripts), **options).close()
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    _connections.append(connection)
    return connection


_connections: list[sqlite3.Connection] = []


@pytest.fixture(scope="module", autouse=True)
def close_connections() -> Iterator[None]:
    """Close what adopted() has returned."""
    yield
    while _connections:
        _connections.pop().close()


def rows(connection: sqlite3.Connection, table: str) -> dict[str, dict[str, Any]]:
    found = connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall()
    return {row["id"]: dict(row) for row in found}


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return list(connection.iterdump())


ADDED = {"media_libraries": 2, "media_files": 2, "plugins": 2}


def count_by_hand(table: str) -> int:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SPECIFICATION + FILLED)
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture(scope="module", params=["sqlite3", "cysqlite"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip(request.param)
    path = tmp_path_factory.mktemp("filled") / "viewra.db"
    with closing(adopted(path, SPECIFICATION, FILLED, driver=request.param)) as connection:
        yield connection


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("scripts", [[TABLES_ONLY], [SPECIFICATION], [SPECIFICATION, FILLED]])
def test_the_schema_is_a_fresh_stores(tmp_path: Path, scripts: list[str]) -> None:
    with closing(adopted(tmp_path / "viewra.db", *scripts)) as connection:
        assert sqlite_catalogue(connection) == fresh_catalogue(tmp_path)


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize("table", ["media_libraries", "plugins", "transcode_cache"])
def test_some_of_the_tables_are_enough(tmp_path: Path, table: str) -> None:
    start = SPECIFICATION.index(f"CREATE TABLE {table} ")
    script = SPECIFICATION[start : SPECIFICATION.index(";", start) + 1]
    with closing(adopted(tmp_path / "viewra.db", script)) as connection:
        assert sqlite_catalogue(connection) == fresh_catalogue(tmp_path)


@pytest.mark.parametrize(
    "table",
    [
        "media_libraries",
        "media_files",
        "movies",
        "playback_sessions",
        "user_media_progress",
        "playback_history",
        "transcode_sessions",
        "transcode_cache",
        "plugins",
        "plugin_metadata",
    ],
)
def test_every_row_is_kept(filled: sqlite3.Connection, table: str) -> None:
    now = filled.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    assert now == count_by_hand(table) + ADDED.get(table, 0)


def test_the_database_is_sound(filled: sqlite3.Connection) -> None:
    assert filled.execute("PRAGMA foreign_key_check").fetchall() == []
    assert filled.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_libraries(filled: sqlite3.Connection) -> None:
    found = rows(filled, "media_libraries")
    assert {found[id]["type"] for id in ("l1",)} == {"movie"}
    assert (found["l2"]["type"], found["l3"]["type"]) == ("tv", "music")
    assert [found[id]["scan_interval"] for id in ("l1", "l2", "l3")] == [3600, 60, 0]
    assert found["l1"]["last_scan"] == "2024-01-02 03:04:05.000000+00:00"
    assert found["l1"]["updated_at"] == TODAY_TEXT
    assert found["l2"]["last_scan"] == "2024-01-02 03:04:05.000000+00:00"
    assert found["l2"]["created_at"] == "2024-01-02 03:04:05.500000+00:00"
    assert found["l2"]["updated_at"] == "2024-01-02 03:04:05.123456+00:00"
    assert found["l3"]["last_scan"] is None
    assert found["l3"]["updated_at"] == "2024-01-02 03:04:05.123000+00:00"
    adopted_ones = {row["path"]: row["name"] for row in found.values() if "(" in row["path"]}
    assert adopted_ones == {"(adopted)": "Adopted files", "(adopted 2)": "Adopted files 2"}


def test_files(filled: sqlite3.Connection) -> None:
    found = rows(filled, "media_files")
    libraries = {row["path"]: id for id, row in rows(filled, "media_libraries").items()}
    assert found["f1"]["size"] == 5_000_000_000
    assert found["f1"]["created_at"] == "2024-01-02 02:04:05.500000+00:00"
    assert found["f1"]["updated_at"] == "2024-01-02 04:34:05.500000+00:00"
    assert found["f2"]["filename"] == "b.mkv"
    assert found["f6"]["filename"] == "f.mkv"
    assert found["f3"]["duration"] is None
    assert found["f3"]["library_id"] == found["f5"]["library_id"] == libraries["(adopted)"]
    assert found["f4"]["library_id"] == libraries["(adopted 2)"]
    assert found["f7"]["path"] == "/films/\U0010ffff"
    assert found["nowhere"]["status"] == found["unknown"]["status"] == "missing"


def test_movies(filled: sqlite3.Connection) -> None:
    found = rows(filled, "movies")
    first, second, lost, unfiled = (found[id] for id in ("m1", "m2", "m3", "m4"))
    assert first["library_id"] == second["library_id"] == "l1"
    assert first["identity"] == "movie:the-amelie:2001"
    assert second["identity"] == "movie:the-amelie:2001#m2"
    assert [movie["year"] for movie in found.values()] == [2001, 2001, None, 2010]
    assert first["sort_title"] != first["title"]
    assert json.loads(first["genres"]) == ["Drama", "Comedy"]
    assert [second["release_date"], unfiled["release_date"]] == ["2001-01-01", "2010-07-16"]
    assert json.loads(second["cast"]) == ["One"]
    assert lost["genres"] is None and unfiled["cast"] is None
    assert lost["media_file_id"] is None
    files = rows(filled, "media_files")
    assert files["f2"]["identity"] == second["identity"]


def test_playback(filled: sqlite3.Connection) -> None:
    found = rows(filled, "playback_sessions")
    assert (found["s1"]["method"], found["s1"]["state"]) == ("direct", "expired")
    assert (found["s2"]["method"], found["s2"]["state"]) == ("direct", "stopped")
    assert (found["s3"]["method"], found["s3"]["state"]) == ("transcode", "stopped")
    assert found["s2"]["start_time"] == "2024-01-02 03:05:05.000000+00:00"
    assert found["s1"]["end_time"] == found["s1"]["last_activity"]
    assert found["s2"]["end_time"] == found["s2"]["last_activity"]
    assert found["s2"]["media_file_id"] == "nowhere" and found["s2"]["position"] == 0
    progress = filled.execute(
        "SELECT user_id, media_file_id, position, completed FROM user_media_progress"
    ).fetchall()
    assert {tuple(row) for row in progress if row["user_id"] != "u2"} == {
        ("u1", "f1", 12.5, 1),
        ("u1", "removed", 3.0, 0),
        ("unknown", "f1", 0.0, 0),
        ("unknown (2)", "f1", 1.0, 1),
    }
    history = rows(filled, "playback_history")
    assert history["h2"]["media_file_id"] == "removed"
    assert history["h2"]["duration_watched"] == 13
    assert (history["h1"]["kind"], history["h1"]["title"]) == ("movie", "The Amélie (2001)")
    assert found["s1"]["title"] == "The Amélie (2001)"
    states = filled.execute("SELECT completed, marked, play_count FROM user_media_progress")
    assert {tuple(row) for row in states} == {(0, 0, 0), (1, 1, 0)}
    assert history["h2"]["played_at"] == TODAY_TEXT


def test_transcoding(filled: sqlite3.Connection) -> None:
    found = rows(filled, "transcode_sessions")
    assert [found[id]["status"] for id in ("t1", "t2", "t3", "t4", "t5")] == [
        "completed",
        "cancelled",
        "failed",
        "running",
        "cancelled",
    ]
    assert [found[id]["progress"] for id in ("t1", "t2", "t3", "t4")] == [1.0, 0.55, 0.25, 0.0]
    cache = rows(filled, "transcode_cache")
    assert cache["c1"]["last_accessed"] == cache["c1"]["created_at"]
    assert cache["c2"]["media_file_id"] == "removed"
    assert cache["c2"]["content_hash"] != cache["c3"]["content_hash"]


def test_plugins(filled: sqlite3.Connection) -> None:
    found = rows(filled, "plugins")
    assert found["p1"]["config"] == '{"a": 1, "a": 2}'
    assert json.loads(found["p1"]["capabilities"]) == "fast"
    assert (found["p1"]["enabled"], found["p2"]["enabled"], found["gone"]["enabled"]) == (1, 1, 0)
    metadata = rows(filled, "plugin_metadata")
    assert [metadata[id]["confidence"] for id in ("d1", "d2", "d3")] == [0.5, 0.85, 1.0]
    assert json.loads(metadata["d2"]["metadata"]) == "not JSON"


@pytest.mark.usefixtures("driver")
def test_the_store_reads_what_it_adopted(tmp_path: Path) -> None:
    from viewra_lite.media.models import MediaFile, Movie

    with opened(made_by_hand(tmp_path / "viewra.db", SPECIFICATION, FILLED)) as store:
        with store.reader():
            file = MediaFile.get_by_id("f1")
            assert file.created_at == datetime(2024, 1, 2, 2, 4, 5, 500000, timezone.utc)
            assert Movie.get_by_id("m1").genres == ["Drama", "Comedy"]


@pytest.mark.usefixtures("driver")
def test_what_was_adopted_can_be_searched(tmp_path: Path) -> None:
    with opened(made_by_hand(tmp_path / "viewra.db", SPECIFICATION, FILLED)) as store:
        assert {hit.id for hit in store.media.search("amelie")} == {"m1", "m2"}


@pytest.mark.usefixtures("driver")
def test_schema_sql_loaded_by_hand_is_a_store(tmp_path: Path) -> None:
    script = (Path(__file__).parents[2] / "schema.sql").read_text(encoding="utf-8")
    library = (
        "INSERT INTO media_libraries (id, name, path, type, created_at, updated_at) "
        "VALUES ('l', 'n', '/p', 'tv', '2024-01-02 03:04:05', '2024-01-02 03:04:05');"
    )
    with closing(adopted(tmp_path / "viewra.db", script, library)) as connection:
        assert sqlite_catalogue(connection) == fresh_catalogue(tmp_path)
        assert list(rows(connection, "media_libraries")) == ["l"]


SHOWS = """
CREATE TABLE tv_shows (id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT);
CREATE TABLE seasons (id TEXT PRIMARY KEY, show_id TEXT, season_number INTEGER);
INSERT INTO tv_shows VALUES ('w1', 'Lost', 'Returning Series'), ('w2', 'Lost', NULL);
INSERT INTO seasons VALUES ('n1', 'w1', 0), ('n2', 'w2', 1);
"""


@pytest.mark.usefixtures("driver")
def test_tables_that_the_specification_only_names(tmp_path: Path) -> None:
    with closing(adopted(tmp_path / "viewra.db", SPECIFICATION, SHOWS)) as connection:
        found = rows(connection, "tv_shows")
        assert [found["w1"]["identity"], found["w2"]["identity"]] == ["show:lost:", "show:lost:#w2"]
        assert [found["w1"]["status"], found["w2"]["status"]] == ["continuing", "unknown"]
        assert list(rows(connection, "seasons")) == ["n1", "n2"]
        assert [row["name"] for row in rows(connection, "media_libraries").values()] == [
            "Adopted shows"
        ]


GUESTS = """
ALTER TABLE movies ADD COLUMN "my ""note" TEXT;
ALTER TABLE movies ADD COLUMN empty TEXT;
INSERT INTO movies (id, title, "my ""note") VALUES ('m1', 'A', 'seen twice'), (NULL, 'B', NULL);
CREATE TABLE notes (id INTEGER PRIMARY KEY, movie_id TEXT REFERENCES movies(id));
INSERT INTO notes VALUES (1, 'm1');
CREATE VIEW titles AS SELECT title FROM movies;
CREATE INDEX mine ON movies(imdb_id);
CREATE TRIGGER told AFTER INSERT ON movies BEGIN INSERT INTO notes (movie_id) VALUES (new.id); END;
"""


@pytest.mark.usefixtures("driver")
def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    with closing(adopted(tmp_path / "viewra.db", SPECIFICATION, GUESTS)) as connection:
        saved = connection.execute("SELECT * FROM adopted_movies").fetchall()
        assert [dict(row) for row in saved] == [
            {"id": "m1", 'my "note': "seen twice", "empty": None}
        ]
        assert len(connection.execute("SELECT * FROM notes").fetchall()) == 1
        assert len(connection.execute("SELECT * FROM titles").fetchall()) == 2
        known = {name for _, name, _ in sqlite_catalogue(connection)}
        assert {"mine", "told", "titles"} <= known
        notes = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'notes'")
        assert "REFERENCES movies(id)" in notes.fetchone()[0]


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    "trouble, said",
    [
        (
            "INSERT INTO media_libraries VALUES ('x', 'n', '/p', 'games', 1, NULL, NULL, NULL)",
            ["media_libraries", "'x'", "type is 'games'", "movie, tv, music"],
        ),
        (
            "INSERT INTO media_files VALUES ('x', NULL, '/p', 'p', 'big', '', '', '', '', '', '', "
            "'', '', "
            "'')",
            ["media_files", "'x'", "size is 'big'", "not a number"],
        ),
        (
            "INSERT INTO playback_history VALUES ('x', 'u', 'f', NULL, 3000000000, 1)",
            ["playback_history", "'x'", "duration_watched is 3000000000", "32 bits"],
        ),
        (
            "INSERT INTO playback_history VALUES ('x', 'u', 'f', 'yesterday', 1, 1)",
            ["playback_history", "'x'", "played_at is 'yesterday'", "not a time"],
        ),
        (
            "INSERT INTO playback_history VALUES ('x', 'u', 'f', '2024-13-01', 1, 1)",
            ["playback_history", "'x'", "played_at is '2024-13-01'"],
        ),
        (
            "INSERT INTO transcode_sessions (id, progress) VALUES ('x', 101)",
            ["transcode_sessions", "'x'", "progress is 101"],
        ),
        (
            "INSERT INTO user_media_progress VALUES ('x', 'f', 1, 'maybe', NULL)",
            ["user_media_progress", "user_id is 'x'", "completed is 'maybe'"],
        ),
        (
            "INSERT INTO movies (id, title, release_date) VALUES ('x', 't', '25/04/2001')",
            ["movies", "'x'", "release_date is '25/04/2001'", "not a date"],
        ),
        (
            "CREATE TABLE seasons (id TEXT PRIMARY KEY); INSERT INTO seasons VALUES ('x')",
            ["seasons", "'x'", "show_id"],
        ),
        (
            "DROP TABLE plugin_metadata; CREATE VIEW plugin_metadata AS SELECT 1 plugin_id",
            ["plugin_metadata is a view"],
        ),
    ],
)
def test_a_failure_changes_nothing_and_says_why(
    tmp_path: Path, trouble: str, said: list[str]
) -> None:
    path = made_by_hand(tmp_path / "viewra.db", SPECIFICATION, FILLED, trouble)
    before = dump(path)
    with pytest.raises(errors.MigrationError) as caught:
        opened(path)
    assert [part for part in said if part not in str(caught.value)] == []
    assert dump(path) == before


@pytest.mark.usefixtures("driver")
def test_after_a_correction_it_opens(tmp_path: Path) -> None:
    path = made_by_hand(
        tmp_path / "viewra.db",
        SPECIFICATION,
        "INSERT INTO media_libraries VALUES ('x', 'n', '/p', 'games', 1, NULL, NULL, NULL)",
    )
    with pytest.raises(errors.MigrationError):
        opened(path)
    with closing(adopted(path, "UPDATE media_libraries SET type = 'tv'")) as connection:
        assert sqlite_catalogue(connection) == fresh_catalogue(tmp_path)


@pytest.mark.usefixtures("driver")
def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = made_by_hand(tmp_path / "viewra.db", SPECIFICATION, "PRAGMA application_id=123")
    before = dump(path)
    with pytest.raises(errors.ConfigError, match="another program"):
        opened(path)
    assert dump(path) == before


@pytest.mark.usefixtures("driver")
@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE bookmarks (id INTEGER PRIMARY KEY)",
        "CREATE TABLE Movies (Id INTEGER PRIMARY KEY, Title TEXT, Year INTEGER)",
        TABLES_ONLY + "DROP TABLE movies; CREATE TABLE Movies (Id INTEGER PRIMARY KEY, Title TEXT)",
    ],
)
def test_tables_that_only_share_a_name_are_left_alone(tmp_path: Path, script: str) -> None:
    path = made_by_hand(tmp_path / "viewra.db", script)
    before = path.read_bytes()
    with pytest.raises(errors.ConfigError, match="another program"):
        opened(path)
    assert path.read_bytes() == before


def test_a_second_open_writes_nothing(tmp_path: Path, driver: SqliteDriver) -> None:
    path = made_by_hand(tmp_path / "viewra.db", SPECIFICATION, FILLED)
    opened(path).close()
    content = dump(path)
    with closing(driver.connect(path, 1.0)) as watcher:
        before = watcher.execute("PRAGMA data_version").fetchone()
        watcher.execute("BEGIN IMMEDIATE")  # a lock that opening must not need
        opened(path).close()
        watcher.rollback()
        assert watcher.execute("PRAGMA data_version").fetchone() == before
    assert dump(path) == content


def test_it_waits_for_another_programs_write(tmp_path: Path, driver: SqliteDriver) -> None:
    path = made_by_hand(tmp_path / "viewra.db", SPECIFICATION, "PRAGMA journal_mode=WAL")
    with closing(driver.connect(path, 1.0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO plugins (id, name, type) VALUES ('late', 'n', 't')")
        timer = threading.Timer(0.3, other.commit)
        timer.start()
        opened(path).close()
        timer.join()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT enabled FROM plugins").fetchall() == [(1,)]


OPEN = """
import sys
from viewra_lite import Store
with Store.open({"database": {"database_path": sys.argv[1]}}) as store:
    print(store.engine)
"""


def test_processes_that_open_it_together_adopt_it_once(tmp_path: Path) -> None:
    path = made_by_hand(tmp_path / "viewra.db", SPECIFICATION, FILLED)
    command = [sys.executable, "-c", OPEN, str(path)]
    top = Path(__file__).parents[2]
    running = [
        subprocess.Popen(
            command, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    results = [process.communicate(timeout=120) for process in running]
    assert results == [("sqlite\n", "")] * 3
    with closing(sqlite3.connect(path)) as connection:
        assert sqlite_catalogue(connection) == fresh_catalogue(tmp_path)
        files = connection.execute("SELECT count(*) FROM media_files").fetchone()[0]
        assert files == count_by_hand("media_files") + ADDED["media_files"]


HISTORIES = [f"viewra_migrations_{built_in.name}" for built_in in BUILT_IN]


@pytest.mark.parametrize(
    ("how", "lost"),
    [
        *((how, [name]) for how in ("DROP TABLE {}", "DELETE FROM {}") for name in HISTORIES),
        ("DROP TABLE {}", HISTORIES),
    ],
)
def test_a_store_that_lost_a_history_is_not_adopted_again(
    tmp_path: Path, how: str, lost: list[str]
) -> None:
    path = tmp_path / "viewra.db"
    with opened(path) as store:
        library = store.media.add_library("m", tmp_path, "movie")
        store.backups.create()
    with closing(sqlite3.connect(path)) as connection:
        for name in lost:
            connection.execute(how.format(name))
        connection.commit()
        before = list(connection.iterdump())
    with pytest.raises(
        errors.CorruptStoreError, match=f"{lost[0]}.*restore a backup.*the newest verified"
    ):
        opened(path)
    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before
    Store.restore({"database": {"database_path": str(path)}})
    with opened(path) as store:
        assert store.media.library(library.id).name == "m"
