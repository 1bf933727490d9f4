"""Slow statements: which are listed, with what, and that no value ever is."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from viewra_lite import FileFacts, Store, load_config
from viewra_lite.database.transactions import database, peewee_database, slow
from viewra_lite.errors import ConflictError
from viewra_lite.media.models import MediaFile, MediaLibrary

CANARY = "canary-7f3a"
SLOW_SQL = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) "
    "SELECT COUNT(*) FROM n"
)


class Ticking:
    """A monotonic clock that advances whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.5

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> Ticking:
    """Every statement takes half a second, by the clock that is read before and after."""
    clock = Ticking()
    for module in (database, peewee_database, slow):
        monkeypatch.setattr(module, "monotonic", clock)
    return clock


@pytest.fixture
def library(store: Store, tmp_path: Path) -> Iterator[MediaLibrary]:
    (tmp_path / "Films").mkdir()
    yield store.media.add_library("Films", tmp_path / "Films", "movie")


def execute(sql: str, *parameters: object) -> Any:
    return MediaFile._meta.database.execute_sql(sql, parameters)


def test_a_statement_of_your_own_is_listed_by_the_time_that_it_took(store_config: Any) -> None:
    config = load_config(store_config)
    with Store.open(type(config)(**{**vars(config), "slow_query_ms": 1})) as store:
        with store.reader():
            execute(SLOW_SQL).fetchall()

        [one] = [one for one in store.maintenance.slow_queries() if one.verb is None]

    assert one.sql == SLOW_SQL.replace("SELECT 1", "SELECT ?").replace("+ 1", "+ ?").replace(
        "300000", "?"
    )
    assert (one.rows, one.verb, one.thread) == (1, None, threading.current_thread().name)
    assert 1 <= one.ms < 60_000
    assert one.plan is not None


def test_no_statement_of_a_quick_store_is_listed(store: Store, library: MediaLibrary) -> None:
    assert store.media.libraries() == [library]
    assert store.maintenance.slow_queries() == []


def test_none_is_listed_where_slow_query_ms_is_0(store_config: Any, ticking: Ticking) -> None:
    config = load_config(store_config)
    with Store.open(type(config)(**{**vars(config), "slow_query_ms": 0})) as store:
        store.media.libraries()
        with store.reader():
            list(MediaLibrary.select())

        assert store.maintenance.slow_queries() == []


def test_every_way_to_run_a_statement_is_timed(
    store: Store, library: MediaLibrary, ticking: Ticking, tmp_path: Path
) -> None:
    def found() -> list[tuple[str, int | None, str]]:
        every = store.maintenance.slow_queries()[: -len(before) or None]
        return [
            (one.verb or "own", one.rows, one.sql.split()[0])
            for one in reversed(every)
            if one.sql.split()[0] != "WITH"
        ]

    before = store.maintenance.slow_queries()
    store.media.library(library.id)
    assert found() == [("media.library", 1, "SELECT")]
    store.media.libraries()
    assert found()[-1] == ("media.libraries", 1, "SELECT")
    store.media.update_library(library.id, name="Movies")
    assert ("media.update_library", 1, "UPDATE") in found()
    with store.media.reconcile(library.id) as files:
        for number in range(3):
            files.add(FileFacts(str(tmp_path / "Films" / f"{number}.mkv"), 1000, 1))
    assert [rows for _, rows, kind in found() if kind == "INSERT" and rows == 3]
    before = store.maintenance.slow_queries()[:1]
    with store.writer():
        MediaFile.update(error=None).execute()
        assert list(MediaFile.select(MediaFile.id).tuples())
        execute("SELECT id FROM media_files ORDER BY id").fetchmany(2)
    own = [(rows, sql) for verb, rows, sql in found() if verb == "own"]
    assert own[-3:] == [(3, "UPDATE"), (3, "SELECT"), (own[-1][0], "SELECT")]
    # psycopg reads all rows at once; SQLite has read two.
    assert own[-1][0] == (3 if store.engine == "postgres" else 2)


def test_a_verb_is_named_also_where_a_thread_of_yours_calls_it(
    store: Store, library: MediaLibrary, ticking: Ticking
) -> None:
    thread = threading.Thread(target=store.media.libraries, name="of mine")
    thread.start()
    thread.join()

    one = store.maintenance.slow_queries()[0]
    assert (one.verb, one.thread, one.at) == ("media.libraries", "of mine", store.media.db.now())


def test_the_time_of_rows_that_are_read_later_counts_and_that_of_the_caller_does_not(
    store: Store, ticking: Ticking
) -> None:
    if store.engine == "postgres":
        pytest.skip("psycopg reads all rows when it executes a query")
    ticking.step = 0.05
    with store.reader():
        for number, _ in enumerate(execute("SELECT 1 UNION SELECT 2 UNION SELECT 3")):
            ticking.now += 100  # the caller's time
            listed = store.maintenance.slow_queries()
            assert len(listed) == (number == 2), "the query, and two and three rows"

    [one] = store.maintenance.slow_queries()
    assert (round(one.ms), one.rows) == (250, 3)


def test_a_statement_that_fails_is_listed_without_rows(
    store: Store, library: MediaLibrary, ticking: Ticking, tmp_path: Path
) -> None:
    with pytest.raises(ConflictError):
        store.media.add_library("Again", tmp_path / "Films", "movie")
    with pytest.raises(ConflictError), store.writer():
        MediaLibrary.insert(**library.__data__).execute()

    failed = [one for one in store.maintenance.slow_queries() if one.rows is None]
    assert failed and {one.sql.split()[0] for one in failed} == {"INSERT"}
    assert str(tmp_path) not in repr(failed)


def test_a_hundred_are_kept_newest_first(store: Store, ticking: Ticking) -> None:
    with store.reader():
        for number in range(150):
            execute(f'SELECT 1 AS "number_{number}"').fetchall()

    listed = store.maintenance.slow_queries()
    assert len(listed) == 100
    assert [listed[0].sql, listed[-1].sql] == [
        'SELECT ? AS "number_149"',
        'SELECT ? AS "number_50"',
    ]


WITH_VALUES = [
    "SELECT id FROM media_files WHERE path = '{}'",
    "SELECT id FROM media_files WHERE path LIKE '%%{}%%' -- of {}",
    "SELECT '{}' || /* {} */ id, 'it''s {}' FROM media_libraries ORDER BY id",
    "UPDATE media_libraries SET name = '{}' WHERE name = '{}'",
    "WITH own AS (SELECT '{}' AS named) SELECT * FROM own JOIN media_files ON path = named",
]
FOR_ONE_ENGINE = {
    "sqlite": [
        'SELECT id FROM media_files WHERE path = "{}"',
        'SELECT id FROM media_files WHERE path IN ("{}", "of {}")',
    ],
    "postgres": [
        "SELECT id FROM media_files WHERE path = $${}$$",
        "SELECT id FROM media_files WHERE path = $of$a '{}$of$ OR path = E'it\\'s {}'",
        "SELECT id FROM media_files WHERE path = ANY(ARRAY['{}'])",
    ],
}


def test_no_value_is_ever_listed(
    store: Store, library: MediaLibrary, ticking: Ticking, tmp_path: Path
) -> None:
    file = str(tmp_path / "Films" / f"{CANARY}.mkv")
    with store.media.reconcile(library.id) as files:
        files.add(FileFacts(file, 1000, 1))
    store.media.search(CANARY)
    store.media.find_file_by_path(file)
    with store.writer():
        list(MediaFile.select().where(MediaFile.path == file))
        list(MediaFile.select().where(MediaFile.path.contains(CANARY)).tuples())
        MediaLibrary.update(name=CANARY).execute()
        for sql in WITH_VALUES + FOR_ONE_ENGINE[store.engine]:
            try:
                with store.writer():
                    execute(sql.replace("{}", CANARY))
            except ConflictError:
                pass

    listed = store.maintenance.slow_queries()

    assert len(listed) > 12
    assert CANARY not in repr(listed) and CANARY not in str([one.plan for one in listed])
    assert CANARY.encode() not in pickle.dumps(listed)
    slow_ones = store.media.db.slow
    assert CANARY not in repr(slow_ones) + repr(slow_ones.newest_first())


def test_a_plan_names_the_index_and_runs_nothing_again(
    store: Store, library: MediaLibrary, ticking: Ticking, tmp_path: Path
) -> None:
    with store.writer():
        MediaLibrary.delete().where(MediaLibrary.path == "/elsewhere").execute()
        execute("DELETE FROM media_libraries WHERE name = 'Films of old'")
        MediaLibrary.update(path="/elsewhere").execute()
        MediaLibrary.update(name="Films of old").execute()
    store.media.library(library.id)

    listed = {one.sql: one for one in store.maintenance.slow_queries()}

    assert [one.name for one in store.media.libraries()] == ["Films of old"]
    deletes = [one for sql, one in listed.items() if sql.startswith("DELETE")]
    assert len(deletes) == 2 and all(one.plan for one in deletes)
    by_id = [one.plan for one in listed.values() if one.verb == "media.library"]
    assert by_id == [
        {
            "sqlite": "SEARCH t1 USING INDEX sqlite_autoindex_media_libraries_1 (id=?)",
            "postgres": "Index Scan using media_libraries_pkey on media_libraries t1\n"
            "  Index Cond: (id = $1)",
        }[store.engine]
    ]


@pytest.mark.parametrize("sql", ["PRAGMA user_version", "BEGIN IMMEDIATE", "SELECT 1; SELECT 2"])
def test_only_one_statement_that_has_a_plan_is_explained(
    store: Store, ticking: Ticking, sql: str
) -> None:
    with store.reader():
        try:
            execute(sql)
        except Exception:
            store  # an engine may refuse it
    assert {one.plan for one in store.maintenance.slow_queries() if one.verb is None} <= {None}


def test_the_list_is_read_while_another_thread_holds_the_writer(
    store: Store, library: MediaLibrary, ticking: Ticking
) -> None:
    with store.writer():
        MediaLibrary.update(name="Movies").execute()
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.extend(store.maintenance.slow_queries()))
        thread.start()
        thread.join()
    assert found[0].sql.startswith("UPDATE") and found[0].plan
