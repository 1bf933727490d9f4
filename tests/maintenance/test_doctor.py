"""Doctor finds what is wrong with a store, whatever that is, and repairs what it can."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.clock import Clock
from tests.support.home import furnish
from tests.support.processes import running_python
from viewra_lite import Finding, Store
from viewra_lite.database import files
from viewra_lite.database.postgres.health import checks as of_postgres
from viewra_lite.database.sqlite.health import checks as of_sqlite
from viewra_lite.errors import InvalidValueError, StoreAlreadyOpenError, TransactionError
from viewra_lite.maintenance.doctor import checks
from viewra_lite.media.models import MediaFile


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed SQLite store with a small home in it."""
    folder = tmp_path_factory.mktemp("furnished")
    with Store.open(f"sqlite:///{folder}/data/viewra.db", clock=Clock()) as store:
        furnish(store, folder)
    return folder / "data"


@pytest.fixture
def home(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An open store with a small home in it, on each engine in turn."""
    monkeypatch.chdir(tmp_path)  # where the backups of a server's store go
    furnish(store, tmp_path / "media")
    return store


@pytest.fixture
def path(furnished: Path, tmp_path: Path) -> Path:
    """The file of a closed SQLite store with a small home in it."""
    return shutil.copytree(furnished, tmp_path / "data") / "viewra.db"


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def examined(path: Path, *ids: str, **options: Any) -> list[Finding]:
    """Return what is wrong with a closed store, but for what these tests cannot help."""
    found = Store.check(url(path), only=ids or None, clock=Clock(), **options)
    return [finding for finding in found if finding.severity != "info"]


@contextmanager
def by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """Change a database with SQL, without foreign keys."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def run(store: Store, *statements: str) -> None:
    """Run SQL that damages an open store."""
    database = store.media.db.backend.database
    with store.writer():
        for statement in statements:
            database.execute_sql(statement)


def one(findings: list[Finding], id: str, severity: str, *words: str) -> Finding:
    """Return the only finding, which is of this check and has these words."""
    [finding] = findings
    assert (finding.id, finding.severity) == (id, severity), finding
    assert all(word in finding.text for word in words), finding
    assert finding.remedy
    return finding


def not_well(store: Store, *ids: str) -> list[Finding]:
    ignored = () if ids else IGNORED[store.engine]
    found = store.maintenance.check(only=ids or None, ignore=ignored)
    return [finding for finding in found if finding.severity != "info"]


# The server of the tests does not wait for its disk, and has another clock than their stores.
IGNORED = {"sqlite": (), "postgres": ("journal", "clock")}


def test_a_store_in_use_is_well(home: Store) -> None:
    assert not_well(home) == []
    home.backups.create()
    assert not_well(home) == []
    assert {finding.id for finding in home.maintenance.check(ignore=IGNORED[home.engine])} <= {
        "engine",
        "backups",  # on the disk of the store
    }


def test_there_are_at_most_sixteen_checks_and_each_can_be_chosen(home: Store) -> None:
    assert len(checks.ABOUT) <= 16
    for id in checks.ABOUT:
        found = home.maintenance.check(only=[id])
        assert {finding.id for finding in found} <= {id}
    home.maintenance.fix("permissions")
    assert home.maintenance.check(only=["backups", "schema"], ignore=["schema", "backups"]) == []
    for chosen in ({"only": ["nothing"]}, {"ignore": "nothing"}):
        with pytest.raises(InvalidValueError, match="must be one of store, engine"):
            home.maintenance.check(**chosen)
    with pytest.raises(InvalidValueError, match="id must be one of"):
        home.maintenance.fix("backups")
    with home.reader(), pytest.raises(TransactionError, match="leave that block first"):
        home.maintenance.check()
    with pytest.raises(StoreAlreadyOpenError):
        Store.check("sqlite:///other.db")


def test_it_needs_no_writer_and_gives_every_connection_back(home: Store) -> None:
    held, done = threading.Event(), threading.Event()

    def write() -> None:
        with home.writer():
            MediaFile.update(error="x").execute()
            held.set()
            assert done.wait(60)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert held.wait(60)
        assert not_well(home) == []
        assert home.maintenance.connections().in_use == 1
    finally:
        done.set()
        thread.join()


def test_time_is_bounded_and_what_was_left_out_is_said(
    home: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(checks.LIMITS_S, "integrity", 0.0)
    [finding] = home.maintenance.check(only=["integrity"])
    assert finding.severity == "info"
    assert "was ended" in finding.text or "the time was over before" in finding.text
    assert not_well(home, "schema", "orphans") == []  # no other query was ended


# The store itself


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    one(examined(tmp_path / "v.db", "store"), "store", "error", "no store at")
    assert not (tmp_path / "v.db").exists()


def test_a_store_that_was_lost_or_emptied(path: Path) -> None:
    path.write_bytes(b"")
    one(examined(path, "store"), "store", "error", "is empty, but it was a store")
    path.unlink()
    one(examined(path, "store"), "store", "error", "is gone, but a store was here")


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"\1" * 5000)
    assert one(examined(path, "store"), "store", "error", "not a").remedy.startswith("run viewra-")
    found = examined(path)
    assert {finding.id for finding in found} >= {"store", "backups"}
    assert all(finding.remedy for finding in found)


def test_a_database_of_another_program(tmp_path: Path) -> None:
    with by_hand(tmp_path / "v.db") as other:
        other.execute("CREATE TABLE notes (x)")
    one(examined(tmp_path / "v.db", "store"), "store", "error", "is not a store")
    assert not (tmp_path / "v.db-lock").exists()


def test_a_newer_store(path: Path) -> None:
    with by_hand(path) as newer:
        newer.execute(
            "INSERT INTO viewra_migrations_media (name, applied) VALUES ('0009_x', '2024-01-01')"
        )
    finding = one(examined(path, "store"), "store", "error", "0009_x", "does not have")
    assert finding.remedy == "upgrade viewra_lite"
    assert [each.id for each in examined(path, ignore=["backups"])] == ["store"]


def test_a_store_that_is_not_migrated(path: Path) -> None:
    with by_hand(path) as older:
        older.execute("DELETE FROM viewra_migrations_media WHERE name LIKE '0002%'")
    finding = one(examined(path, "store"), "store", "error", "pending: media 0002_recognition")
    assert "viewra-lite migrate" in finding.remedy


def test_a_store_that_another_process_restores(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from viewra_lite.database.transactions.locks import file_lock
with file_lock(Path(sys.argv[1]), wait_s=0):
    print("held", flush=True)
    sys.stdin.readline()
"""
    with running_python("-c", code, f"{path}-lock/open") as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        source = f"{url(path)}?busy_timeout_ms=50"
        found = Store.check(source, only=["store"])
        assert "stop the program" in one(found, "store", "error", "by another process").remedy


def test_a_store_that_another_program_keeps_for_itself(path: Path) -> None:
    code = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.readline()
"""
    with running_python("-c", code, str(path)) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        found = Store.check(f"{url(path)}?busy_timeout_ms=50", ignore=["backups", "permissions"])
        assert "stop the program" in one(found, "store", "error", "").remedy


# The engine, its files and its log


@pytest.mark.parametrize(
    ("release", "faults"),
    [
        ("3.37.1", 2),
        ("3.40.1", 1),
        ("3.44.5", 1),
        ("3.44.6", 0),
        ("3.45.0", 1),
        ("3.50.6", 1),
        ("3.50.7", 0),
        ("3.51.2", 1),
        ("3.51.3", 0),
        ("3.54.0", 0),
    ],
)
def test_known_faults_of_a_version_of_sqlite_are_named(release: str, faults: int) -> None:
    found = list(of_sqlite.faults_of(release))
    assert len(found) == faults and all(release in finding.text for finding in found)


def test_the_version_that_is_used_is_the_one_that_is_named(path: Path) -> None:
    for driver in ("sqlite3", "cysqlite"):
        pytest.importorskip(driver)
        release = __import__(driver).sqlite_version
        found = Store.check(f"{url(path)}?driver={driver}", only=["engine"])
        assert found == list(of_sqlite.faults_of(release))


@pytest.mark.parametrize(
    ("kind", "words"), [("nfs4", "network share (nfs4)"), ("tmpfs", "in memory (tmpfs)")]
)
def test_a_disk_on_which_a_database_is_not_safe(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, words: str
) -> None:
    mounts = path.with_name("mounts")
    mounts.write_text(f"disk / ext4 rw 0 0\nother {path.parent} {kind} rw 0 0\n")
    monkeypatch.setattr(files, "MOUNTS", str(mounts))
    one(examined(path, "file-system"), "file-system", "warning", words)


class Usage(NamedTuple):
    """What shutil.disk_usage() returns."""

    total: int
    used: int
    free: int


def test_a_disk_that_is_nearly_full(home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    total, used, whole = shutil.disk_usage(".")
    for free, severity in ((1 << 20, "error"), (whole, "")):
        usage = Usage(total, used, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder, usage=usage: usage)
        found = home.maintenance.check(only=["free-space"])
        assert {finding.severity for finding in found} == ({severity} - {""})


def test_files_that_others_may_read(path: Path, tmp_path: Path) -> None:
    with Store.open(url(path)) as store:
        store.backups.create()
    backup = next((path.parent / "backups").glob("*.json")).with_suffix("")
    for file in (path, backup, Path(f"{path}-lock/store")):
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)
        finding = one(examined(path, "permissions"), "permissions", "warning", str(file), "0644")
        assert finding.fixable and examined(path, "permissions", fix=True) == []
        assert file.stat().st_mode & 0o777 == 0o600


def test_tables_that_the_user_may_not_write(postgres_url: str) -> None:
    import psycopg

    Store.open(postgres_url).close()
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
        try:
            owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
            owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO reader")
            owner.execute("REVOKE INSERT, UPDATE ON movies FROM reader")
            server = postgres_url.rpartition("@")[2]
            found = Store.check(f"postgresql://reader:x@{server}", only=["permissions"])
            one(found, "permissions", "error", "lacks INSERT, UPDATE on the table movies")
        finally:
            owner.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_another_journal_mode(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    finding = one(examined(path, "journal"), "journal", "error", "journal mode is delete")
    assert finding.fixable and examined(path, "journal", fix=True) == []


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="no list of locks here")
def test_a_long_log_and_who_reads_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_sqlite, "LARGE_LOG_BYTES", 4096)
    code = f"""
import sys
from viewra_lite import Store
with Store.open("{url(path)}", migrate=False) as store, store.reader():
    store.migrations.status()
    print("reads", flush=True)
    sys.stdin.readline()
"""
    with Store.open(url(path)) as store:
        run(store, "UPDATE movies SET overview = 'x'")
        with running_python("-c", code) as reader:
            assert reader.stdout is not None and reader.stdout.readline() == "reads\n"
            found = store.maintenance.check(only=["journal"])
            one(found, "journal", "warning", "viewra.db-wal has", f"({reader.pid})")


def test_a_server_that_a_power_cut_would_destroy(postgres_store: str) -> None:
    found = Store.check(postgres_store, only=["journal"])
    assert [finding.text.split()[2] for finding in found] == ["fsync", "full_page_writes"]


def test_transactions_that_are_open_for_long(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setattr(of_postgres, "LONG_TRANSACTION_S", -1)
    with psycopg.connect(postgres_store, application_name="forgotten") as idle:
        idle.execute("SELECT 1")
        found = Store.check(postgres_store, only=["journal"])
        assert any("(forgotten)" in finding.text for finding in found)


# Pages and values


def page_of(path: Path, name: str) -> int:
    with by_hand(path) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
        return int(root[0])


def overwrite(path: Path, page: int, content: bytes = b"\xff" * 512) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(content)


@pytest.mark.parametrize("name", ["movies", "idx_movies_title", "work_files", "playback_history"])
@pytest.mark.parametrize("large", [False, True])
def test_a_damaged_page(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, large: bool
) -> None:
    monkeypatch.setattr(of_sqlite, "WHOLE_BYTES", 0 if large else 1 << 30)
    overwrite(path, page_of(path, name))
    found = examined(path, "integrity")
    assert found and {finding.severity for finding in found} == {"error"}
    assert "viewra-lite recover" in found[0].remedy
    whole = examined(path)
    assert not any(finding.text.startswith("the check failed") for finding in whole)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE movies SET year = 'soon' WHERE title = 'Dune'", "movies.year"),
        ("UPDATE movies SET created_at = 'yesterday' WHERE title = 'Dune'", "movies.created_at"),
        (
            "UPDATE movies SET created_at = '2024-13-01 00:00:00'",
            "created_at that cannot be read: 3",
        ),
        ("UPDATE movies SET release_date = '1.2.2020' WHERE year = 2021", "movies.release_date"),
        ("UPDATE movies SET title = x'00ff' WHERE year = 2021", "movies.title"),
        ("UPDATE movies SET rating = 'good' WHERE year = 2021", "movies.rating"),
        ("UPDATE user_media_progress SET completed = 'no'", "user_media_progress.completed"),
    ],
)
def test_values_that_cannot_be_read(path: Path, change: str, words: str) -> None:
    with by_hand(path) as connection:
        connection.execute(change)
    one(examined(path, "integrity"), "integrity", "error", words, "cannot be read")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE movies SET genres = '[1,' WHERE year = 2021",
        "UPDATE media_files SET status = 'lost'",
    ],
)
def test_values_that_a_check_forbids(path: Path, change: str) -> None:
    with by_hand(path) as connection:
        connection.execute("PRAGMA ignore_check_constraints=1")
        connection.execute(change)
    one(examined(path, "integrity"), "integrity", "error", "CHECK constraint failed")


def test_a_damaged_file_of_a_server(
    postgres_server: Any, postgres_store: str, tmp_path: Path
) -> None:
    import psycopg

    with Store.open(postgres_store) as store:
        furnish(store, tmp_path)
    with psycopg.connect(postgres_store, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        [file] = connection.execute("SELECT pg_relation_filepath('movies')").fetchone()
    name = postgres_store.rpartition("/")[2]
    copy = postgres_server.create_database(f"damaged_{name}"[:60], template=name)
    try:
        with psycopg.connect(copy.rpartition("/")[0] + "/postgres") as connection:
            [oid] = connection.execute(
                "SELECT oid FROM pg_database WHERE datname = %s", (f"damaged_{name}"[:60],)
            ).fetchone()
        heap = postgres_server.folder / "data" / "base" / str(oid) / file.rpartition("/")[2]
        heap.write_bytes(b"\xff" * heap.stat().st_size)
        found = Store.check(copy, only=["integrity"])
        one(found, "integrity", "error", "the table movies cannot be read")
    finally:
        postgres_server.drop_database(f"damaged_{name}"[:60])


# Rows


def test_rows_that_refer_to_nothing(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("DELETE FROM works WHERE kind = 'movie'")
        connection.execute("DELETE FROM albums")
    found = examined(path, "foreign-keys")
    assert all(finding.severity == "error" for finding in found)
    texts = [finding.text.partition(", the first")[0] for finding in found]
    assert sorted(texts) == [
        "rows of movies that refer to rows of works that do not exist: 3",
        "rows of search_documents that refer to rows of albums that do not exist: 1",
        "rows of tracks that refer to rows of albums that do not exist: 1",
        "rows of work_files that refer to rows of works that do not exist: 3",
    ]


def test_rows_of_a_server_that_refer_to_nothing(postgres_store: str, tmp_path: Path) -> None:
    with Store.open(postgres_store) as store:
        furnish(store, tmp_path)
        run(store, "SET LOCAL session_replication_role = replica", "DELETE FROM albums")
        found = store.maintenance.check(only=["foreign-keys"])
    assert sorted(finding.text.split()[2] for finding in found) == ["search_documents", "tracks"]


@pytest.mark.parametrize(
    ("change", "severity", "words"),
    [
        ("UPDATE work_files SET media_file_id = 'x' || media_file_id", "warning", "files of works"),
        ("UPDATE works SET kind = 'other' WHERE kind = 'movie'", "warning", "kind movie: 3, "),
        ("UPDATE works SET kind = 'movie' WHERE kind = 'track'", "warning", "kind track: 1, "),
        ("UPDATE works SET kind = 'other' WHERE kind = 'show'", "warning", "kind show: 1, "),
        ("UPDATE seasons SET season_number = 7", "warning", "another number: 2, "),
        ("UPDATE user_media_progress SET media_file_id = 'x' || media_file_id", "info", "progress"),
        ("UPDATE playback_history SET media_file_id = 'x'", "info", "playback_history"),
    ],
)
def test_references_without_a_key(home: Store, change: str, severity: str, words: str) -> None:
    run(home, change)
    one(home.maintenance.check(only=["orphans"]), "orphans", severity, words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM search_documents WHERE kind = 'movie'", "movies that are not in search"),
        ("DELETE FROM search_documents", "are not in"),
        ("UPDATE movies SET title = 'Dune Part One' WHERE title = 'Dune'", "by another title"),
        ("UPDATE search_documents SET movie_id = NULL", "that belong to no title"),
        (
            "UPDATE search_documents SET kind = 'show' WHERE kind = 'movie'",
            "that belong to no title",
        ),
    ],
)
def test_titles_that_the_search_does_not_find(home: Store, change: str, words: str) -> None:
    run(home, change)
    found = not_well(home, "search-index")
    assert any(words in finding.text for finding in found) and found[0].fixable
    assert {finding.severity for finding in found} == {"error"}
    home.maintenance.fix("search-index")
    assert not_well(home, "search-index") == []
    assert {hit.kind for hit in home.media.search("dune")} == {"movie"}


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO search_index (search_index) VALUES ('delete-all')",
        "DELETE FROM search_index_data WHERE id > 10",
        "UPDATE search_index_data SET block = x'00'",
        "DROP TABLE search_index_config",
        "DROP TABLE search_index_data",
        "DROP TABLE search_index_idx",
        "DROP TRIGGER search_documents_update; UPDATE search_documents SET terms = 'arrakis #m'",
    ],
)
def test_a_full_text_index_that_is_out_of_step(path: Path, change: str) -> None:
    with by_hand(path) as connection:
        connection.executescript(change)
    found = examined(path, "search-index")
    assert found and found[0].fixable and found[0].severity == "error"
    assert examined(path, "search-index", fix=True) == []
    with Store.open(url(path)) as store:
        assert len(store.media.search("dune")) == 1


def test_an_index_that_another_connection_has_moved_is_sound(path: Path) -> None:
    """SQLite 3.44 and newer check it too, by what a connection remembers of it."""
    pytest.importorskip("cysqlite")
    with Store.open(f"{url(path)}?driver=cysqlite") as store:
        assert not_well(store, "search-index", "integrity") == []
        store.maintenance.fix("search-index")
        assert not_well(store, "search-index", "integrity") == []


def test_a_schema_that_was_changed(home: Store) -> None:
    run(home, "DROP INDEX idx_movies_title")
    one(not_well(home, "schema"), "schema", "error", "idx_movies_title of movies is missing")


# Upkeep


def test_stale_statistics(home: Store) -> None:
    run(
        home,
        "INSERT INTO removed_files (id, filename, removed_at) WITH RECURSIVE n (i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "SELECT 'r' || i, 'x', '2024-01-01 00:00:00.000000+00:00' FROM n",
    )
    if home.engine == "postgres":
        run(home, "SELECT pg_stat_clear_snapshot()")
    finding = one(_soon(home, "statistics"), "statistics", "warning", "removed_files")
    assert finding.fixable
    home.maintenance.fix("statistics")
    assert not_well(home, "statistics") == []


def _soon(store: Store, id: str) -> list[Finding]:
    """Return what is found; a server's counters come when a session has been idle for a while."""
    from tests.support.processes import eventually

    eventually(lambda: bool(not_well(store, id)))
    return not_well(store, id)


def test_free_pages(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with by_hand(path) as connection:
        connection.execute("CREATE TABLE adopted_x (x)")
        connection.execute("INSERT INTO adopted_x VALUES (zeroblob(9000000))")
        connection.execute("DROP TABLE adopted_x")
    one(examined(path, "fragmentation"), "fragmentation", "warning", "8 MiB of")
    with Store.open(url(path)) as store:
        store.maintenance.vacuum()
    assert examined(path, "fragmentation") == []


def test_deleted_rows_of_a_server(
    postgres_store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(of_postgres, "FEWEST_DEAD_ROWS", 3)
    with Store.open(postgres_store) as store:
        furnish(store, tmp_path)
        for _ in range(3):
            run(store, "UPDATE movies SET overview = title")
        assert any("movies" in each.text for each in _soon(store, "fragmentation"))


# Backups, chores, clocks


def backed_up(path: Path, clock: Callable[[], datetime]) -> Path:
    with Store.open(url(path), clock=clock) as store:
        return Path(store.backups.create().path)


def test_backups_that_are_missing_or_old(path: Path) -> None:
    made, later = Clock(), Clock()
    with Store.open(url(path), migrate=False, clock=made) as store:
        [new] = store.maintenance.check(only=["backups"])
    assert new.severity == "info" and "no verified backup" in new.text
    later.advance(5 * 86400)
    one(Store.check(url(path), only=["backups"], clock=later), "backups", "warning", "no verified")
    backed_up(path, made)
    old, place = Store.check(url(path), only=["backups"], clock=later)
    assert old.severity == "warning" and "5 days old" in old.text
    assert place.severity == "info" and "on the disk of the store" in place.text
    backed_up(path, later)
    assert [one.severity for one in Store.check(url(path), only=["backups"], clock=later)] == [
        "info"
    ]


def test_backups_that_are_bad(path: Path) -> None:
    backup = backed_up(path, Clock())
    bad = backup.with_name(f"{backup.name}.bad")
    bad.touch()
    one(examined(path, "backups"), "backups", "error", str(bad), "failed its check")
    bad.unlink()
    with backup.open("r+b") as file:
        file.truncate(1000)
    one(examined(path, "backups"), "backups", "error", str(backup), "has 1000 bytes and had")


def test_a_backup_that_lost_most_rows(path: Path) -> None:
    with by_hand(path) as connection:
        connection.executescript(
            "INSERT INTO removed_files (id, filename, removed_at) SELECT 'r' || value, 'x', "
            "'2024-01-01 00:00:00.000000+00:00' FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')"
        )
    clock = Clock()
    backed_up(path, clock)
    with by_hand(path) as connection:
        connection.execute("DELETE FROM removed_files")
    clock.advance(60)
    backed_up(path, clock)
    one(examined(path, "backups"), "backups", "warning", "removed_files has 0 rows, and had 12")


def test_chores_that_are_late_or_fail(home: Store, clock: Clock) -> None:
    home.maintenance.run_due()
    assert not_well(home, "chores") == []
    clock.advance(3 * 86400)
    finding = one(not_well(home, "chores"), "chores", "warning", "late", "media.tidy", "optimize")
    assert "run_due()" in finding.remedy
    home.maintenance.run_due()
    run(
        home, "UPDATE maintenance_chores SET error = 'no space', failures = 2 WHERE name = 'backup'"
    )
    one(not_well(home, "chores"), "chores", "warning", "backup failed, 2 times in a row: no space")


def test_times_of_the_future(home: Store, clock: Clock) -> None:
    run(home, "UPDATE user_media_progress SET updated_at = '2031-02-03 04:05:06.000000+00:00'")
    *_, finding = not_well(home, "clock")
    one([finding], "clock", "warning", "user_media_progress.updated_at", "2031-02-03")


def test_a_clock_that_shows_a_time_before_the_store_was_made(path: Path) -> None:
    early = Clock(datetime(1970, 1, 2, tzinfo=timezone.utc))
    found = Store.check(url(path), only=["clock"], clock=early)
    one(found, "clock", "error", "1970-01-02 00:00 UTC, but the store was migrated at 2024-05-01")


def test_a_clock_that_differs_from_that_of_the_server(postgres_store: str) -> None:
    assert Store.check(postgres_store, only=["clock"]) == []
    behind = Clock(datetime.now(timezone.utc) + timedelta(minutes=9))
    found = Store.check(postgres_store, only=["clock"], clock=behind)
    one(found, "clock", "warning", "+5", "s from that of the server")


# The command line


def test_a_check_that_fails_is_a_finding(path: Path) -> None:
    with by_hand(path) as connection:
        connection.execute("DROP TABLE search_documents")
    found = examined(path, "search-index")
    one(found, "search-index", "error", "the check failed", "search_documents is missing")
    assert any(finding.id == "schema" for finding in examined(path))


def test_the_damage_of_a_fix_is_a_finding_too(path: Path) -> None:
    with by_hand(path) as connection:
        connection.executescript(
            "DELETE FROM search_documents; DROP TRIGGER search_documents_insert;"
            "CREATE TRIGGER search_documents_insert BEFORE INSERT ON search_documents "
            "BEGIN SELECT raise(ABORT, 'no'); END"
        )
    found = examined(path, "search-index", fix=True)
    assert any("it could not be fixed" in finding.text for finding in found)
