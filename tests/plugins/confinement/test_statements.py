"""Hostile statements in the blocks of a plugin: each is refused, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from peewee import PeeweeException

from tests.support.guest import Guest, Line, Note, dump, guest_of
from tests.support.configured import configured
from tests.support.threads import in_thread
from tests.support.torture import TORTURE
from viewra_lite import MediaLibrary, Store
from viewra_lite.errors import PluginError
from viewra_lite.media.models import Movie
from viewra_lite.plugins.models import PluginRow, PluginStorage

BOMB = "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
OWN = "plugin_guest_note"

# What is refused, and a part of the reason.
WRITES = {
    "UPDATE media_libraries SET name = 'x'": "media_libraries",
    "UPDATE media_libraries SET name = 'x' WHERE 1 = 0": "media_libraries",
    "update Media_Libraries set name = 'x'": "media_libraries",
    "DELETE FROM media_libraries": "media_libraries",
    'DELETE FROM "media_libraries"': "media_libraries",
    "/* note */ DELETE FROM media_libraries -- plugin_guest_note": "media_libraries",
    "DELETE FROM media_libraries RETURNING id": "media_libraries",
    "INSERT INTO media_libraries SELECT * FROM media_libraries": "media_libraries",
    "INSERT INTO media_libraries (id, name, path, type, created_at, updated_at) SELECT id, name,"
    " path, type, created_at, updated_at FROM media_libraries WHERE true ON CONFLICT (id)"
    " DO UPDATE SET name = 'x'": "media_libraries",
    "WITH all_ids AS (SELECT id FROM media_libraries) DELETE FROM media_libraries"
    " WHERE id IN (SELECT id FROM all_ids)": "media_libraries",
    f"UPDATE media_libraries SET name = text FROM {OWN}": "media_libraries",
    "UPDATE plugins SET enabled = false": "plugins",
    "DELETE FROM plugins": "plugins",
    "DELETE FROM plugin_metadata": "plugin_metadata",
    "DELETE FROM plugin_storage": "plugin_storage",
    "DELETE FROM viewra_migrations_plugin_guest": "viewra_migrations_plugin_guest",
    "INSERT INTO plugin_guest_reaching VALUES (1)": "media_libraries",  # by its trigger
}
READS = {
    "SELECT * FROM plugins": "plugins",
    "SELECT p.config FROM media_libraries JOIN plugins AS p ON 1 = 1": "plugins",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM plugins WHERE config IS NOT NULL)": "plugins",
    "SELECT value FROM plugin_storage": "plugin_storage",
    "SELECT * FROM plugin_guest_view": "plugins",
    f"{BOMB}, p AS (SELECT * FROM plugins) SELECT * FROM p": "plugins",
}
TAKEN = {
    f"INSERT INTO {OWN} (text) SELECT CAST(config AS TEXT) FROM plugins": "plugins",
    f"UPDATE {OWN} SET text = (SELECT CAST(value AS TEXT) FROM plugin_storage)": "plugin_storage",
}
KINDS = {
    "CREATE TABLE plugin_guest_more (x INTEGER)": "CREATE TABLE",
    "CREATE TABLE IF NOT EXISTS copied AS SELECT 1 AS x": "CREATE TABLE",
    "CREATE TEMP TABLE copied (x INTEGER)": "CREATE TEMP",
    "CREATE VIEW plugin_guest_all AS SELECT 1 AS x": "CREATE VIEW",
    f"CREATE INDEX plugin_guest_more ON {OWN} (text)": "CREATE INDEX",
    "DROP TABLE plugin_guest_line": "DROP TABLE",
    "DROP TABLE media_libraries": "DROP TABLE",
    "DROP VIEW plugin_guest_view": "DROP VIEW",
    f"ALTER TABLE {OWN} ADD COLUMN more INTEGER": "ALTER TABLE",
    f"ALTER TABLE {OWN} RENAME TO plugin_other_note": "ALTER TABLE",
    "COMMIT": "COMMIT",
    "  -- now\n end": "",
    "ROLLBACK": "ROLLBACK",
    "BEGIN": "BEGIN",
    "VACUUM": "VACUUM",
    "ANALYZE": "ANALYZE",
    "REINDEX TABLE media_libraries": "",
}
SQLITE = {
    "ATTACH ':memory:' AS more": "ATTACH",
    "DETACH main": "DETACH",
    "PRAGMA query_only = 1": "PRAGMA query_only",
    "PRAGMA foreign_keys = 0": "PRAGMA foreign_keys",
    "PRAGMA writable_schema = 1": "PRAGMA writable_schema",
    "PRAGMA user_version = 5": "PRAGMA user_version",
    "PRAGMA journal_mode = delete": "PRAGMA journal_mode",
    "PRAGMA wal_checkpoint": "PRAGMA wal_checkpoint",
    "SELECT load_extension('x')": "load_extension",
    "REPLACE INTO media_libraries SELECT * FROM media_libraries": "media_libraries",
    "INSERT OR REPLACE INTO media_libraries SELECT * FROM media_libraries": "media_libraries",
    "INSERT OR IGNORE INTO media_libraries SELECT * FROM media_libraries": "media_libraries",
    "UPDATE OR IGNORE media_libraries SET id = '1'": "media_libraries",
    "VACUUM INTO 'stolen.db'": "VACUUM",
    "CREATE VIRTUAL TABLE plugin_guest_words USING fts5 (x)": "VIRTUAL TABLE",
    "CREATE TEMP TRIGGER t AFTER INSERT ON media_libraries BEGIN SELECT 1; END": "TRIGGER",
    f"CREATE TRIGGER t AFTER INSERT ON {OWN} BEGIN SELECT 1; END": "TRIGGER",
    "DROP TRIGGER plugin_guest_reach": "DROP TRIGGER",
    "DELETE FROM main.media_libraries": "media_libraries",
    "UPDATE main.media_libraries SET (name, path) = ('x', 'y')": "media_libraries",
    "UPDATE sqlite_master SET sql = 'x'": "",
    "SELECT config FROM main.plugins": "plugins",
}
POSTGRES = {
    "GRANT ALL ON media_libraries TO public": "GRANT",
    "REVOKE ALL ON media_libraries FROM public": "REVOKE",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": "CREATE FUNCTION",
    "CREATE ROLE mine": "CREATE ROLE",
    "CREATE EXTENSION pg_trgm": "CREATE EXTENSION",
    "CREATE SCHEMA mine": "CREATE SCHEMA",
    "ALTER SYSTEM SET work_mem = '1MB'": "ALTER SYSTEM",
    "DO $$ BEGIN DELETE FROM media_libraries; END $$": "DO",
    "SELECT lo_create(0)": "lo_create",
    "SELECT pg_catalog.lo_from_bytea(0, 'x')": "lo_from_bytea",
    "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'": "COPY",
    "COPY media_libraries FROM STDIN": "COPY",
    "SET work_mem = '1MB'": "SET",
    "SET LOCAL statement_timeout = 0": "SET",
    "RESET ALL": "RESET",
    "SELECT set_config('statement_timeout', '0', false)": "set_config",
    "LISTEN mine": "LISTEN",
    "NOTIFY mine": "NOTIFY",
    "SELECT pg_notify('mine', '')": "pg_notify",
    "SELECT pg_advisory_lock(5)": "pg_advisory_lock",
    "SELECT pg_try_advisory_xact_lock (5)": "pg_try_advisory_xact_lock",
    "SELECT pg_terminate_backend(pg_backend_pid())": "pg_terminate_backend",
    "SELECT nextval('plugin_guest_note_id_seq')": "nextval",
    "SELECT \"setval\"('plugin_guest_note_id_seq', 5)": "setval",
    "TRUNCATE media_libraries CASCADE": "TRUNCATE",
    "LOCK TABLE media_libraries": "LOCK",
    "SELECT * INTO copied FROM media_libraries": "SELECT INTO",
    "WITH a AS (SELECT 1 AS x) SELECT x INTO copied FROM a": "copied",
    "WITH gone AS (DELETE FROM media_libraries RETURNING id) SELECT * FROM gone": "media_libraries",
    f"WITH gone AS (DELETE FROM media_libraries RETURNING name) INSERT INTO {OWN} (text)"
    " SELECT name FROM gone": "media_libraries",
    "EXPLAIN ANALYZE DELETE FROM media_libraries": "media_libraries",
    "DELETE FROM public.media_libraries": "media_libraries",
    "SELECT config FROM public.plugins": "plugins",
    "TABLE plugins": "plugins",
    "SELECT query_to_xml('DELETE FROM media_libraries', true, true, '')": "query_to_xml",
    "PREPARE mine AS DELETE FROM media_libraries": "PREPARE",
    "DISCARD ALL": "DISCARD",
    "COMMENT ON TABLE media_libraries IS 'x'": "COMMENT",
    "SELECT repeat('x', 900000000)": "repeat",
    "SELECT 1; DELETE FROM media_libraries": "several statements",
    "SELECT '\\'; COMMIT; --'": "several statements",
    "SELECT 1 AS \"it's\"; COMMIT; --'": "several statements",
    "SELECT $a$ $b$ $a$; COMMIT; SELECT $b$ $b$": "several statements",
    "SET TRANSACTION READ WRITE": "SET",
    "CALL mine()": "CALL",
    "ABORT": "ABORT",
    "PREPARE TRANSACTION 'mine'": "PREPARE",
}

# Seen before the commit only.
PAST_THE_DRIVER = {
    "UPDATE media_libraries SET name = 'x'": "media_libraries",
    "UPDATE media_libraries SET name = 'x' WHERE 1 = 0": "media_libraries",
    "SELECT config FROM plugins": "plugins",
    "CREATE TABLE mine (x int)": "mine",
    "CREATE INDEX mine ON plugin_guest_note (text)": "plugin_guest_note",
    "ALTER TABLE plugin_guest_note ADD COLUMN x int": "plugin_guest_note",
    "TRUNCATE plugin_guest_line": "plugin_guest_line",
    "LOCK TABLE media_libraries": "media_libraries",
}


def by_python(store: Store) -> dict[str, tuple[Callable[[], Any], str]]:
    """What is refused of Peewee, of connections and of the store's verbs."""
    database: Any = Note._meta.database
    library = store.media.libraries()[0]
    row = {"id": "1", "name": "x", "path": "/x", "type": "movie"}
    row |= dict.fromkeys(("created_at", "updated_at"), library.created_at)

    def swallowed(sql: str) -> None:
        with suppress(PeeweeException, PluginError), database.atomic():
            database.execute_sql(sql)
        Note.create(text="after it")

    def cursor() -> None:
        database.cursor().execute("DELETE FROM media_libraries")

    return {
        "update": (MediaLibrary.update(name="x").execute, "media_libraries"),
        "delete": (MediaLibrary.delete().execute, "media_libraries"),
        "insert": (MediaLibrary.insert(row).execute, "media_libraries"),
        "insert_many": (MediaLibrary.insert_many([row]).execute, "media_libraries"),
        "insert_from": (
            Note.insert_from(PluginRow.select(PluginRow.id), [Note.text]).execute,
            "plugins",
        ),
        "save": (MediaLibrary(**row).save, "media_libraries"),
        "create": (lambda: MediaLibrary.create(**row), "media_libraries"),
        "delete_instance": (library.delete_instance, "media_libraries"),
        "select": (lambda: list(PluginStorage.select()), "plugin_storage"),
        "joined": (
            lambda: list(Note.select(PluginRow.config).join(PluginRow, on=(Note.text != ""))),
            "plugins",
        ),
        "create_table": (lambda: database.create_tables([Movie], safe=False), ""),
        "drop_table": (lambda: database.drop_tables([Line]), "DROP TABLE"),
        "commit": (database.commit, "COMMIT"),
        "rollback": (database.rollback, "ROLLBACK"),
        "raw commit": (lambda: database.connection().commit(), "COMMIT"),
        "raw rollback": (lambda: database.connection().rollback(), "ROLLBACK"),
        "cursor": (cursor, "media_libraries"),
        "raw": (
            lambda: database.connection().execute("DELETE FROM media_libraries"),
            "media_libraries",
        ),
        "raw many": (
            lambda: (
                database.connection()
                .cursor()
                .executemany(
                    "DELETE FROM media_libraries WHERE id = "
                    + ("?" if store.engine == "sqlite" else "%s"),
                    [("1",), ("2",)],
                )
            ),
            "media_libraries",
        ),
        "swallowed": (lambda: swallowed("COMMIT"), "COMMIT"),
        "writer": (lambda: store.writer().__enter__(), "writer()"),
        "update_library": (lambda: store.media.update_library(library.id, name="x"), ""),
        "endless": (lambda: database.execute_sql(f"{BOMB} SELECT max(x) FROM c"), "0.1 s"),
        "endless write": (
            lambda: database.execute_sql(
                f"INSERT INTO {OWN} (text) {BOMB} SELECT CAST(x AS TEXT) FROM c"
            ),
            "0.1 s",
        ),
    }


@pytest.fixture
def store(store_config: Any, clock: Any) -> Iterator[Store]:
    """An open store with a short time for each statement of a plugin."""
    config = configured(store_config, plugin_statement_ms=100, plugin_writing_ms=600_000)
    with Store.open(config, clock=clock) as opened:
        yield opened


def of_engine(store: Store) -> dict[str, tuple[Callable[[], Any], str]]:
    """Return all that is refused in writing(), by what it is."""
    execute = Note._meta.database.execute_sql  # type: ignore[attr-defined]
    more = SQLITE if store.engine == "sqlite" else POSTGRES
    texts = {**WRITES, **READS, **TAKEN, **KINDS, **more}
    found = {sql: (lambda sql=sql: list(execute(sql)), named) for sql, named in texts.items()}
    if store.engine == "postgres":
        connection = Note._meta.database.connection  # type: ignore[attr-defined]
        for sql, named in PAST_THE_DRIVER.items():
            found[f"libpq: {sql}"] = (
                lambda sql=sql: connection().pgconn.exec_(sql.encode()),
                named,
            )
    return {**found, **by_python(store)}


def test_at_least_45_statements_are_refused_and_change_nothing(
    store: Store, tmp_path: Path
) -> None:
    with guest_of(store, tmp_path) as guest:
        before = dump(store)
        attempts = of_engine(store)
        assert len(attempts) >= 45
        for number, (what, (attempt, named)) in enumerate(attempts.items()):
            with pytest.raises(PluginError) as error, guest.writing():
                Note.create(text="before it")
                attempt()
            assert named.lower() in error.value.reason.lower(), (what, error.value.reason)
            assert "guest" in error.value.reason and error.value.remedy, what
            if TORTURE or number % 10 == 0:
                assert dump(store) == before, what
        assert dump(store) == before
        still_works(store, guest)


def test_a_snapshot_neither_writes_nor_reads_what_is_private(store: Store, tmp_path: Path) -> None:
    with guest_of(store, tmp_path) as guest:
        before = dump(store)
        execute = Note._meta.database.execute_sql  # type: ignore[attr-defined]
        for what in (*WRITES, *READS, *KINDS, f"INSERT INTO {OWN} (text) VALUES ('x')"):
            with pytest.raises(PluginError), guest.reading():
                list(execute(what))
        assert dump(store) == before
        still_works(store, guest)


def still_works(store: Store, guest: Guest) -> None:
    """The store is of use to the same thread and to others, and so is the plugin."""

    def use() -> None:
        with store.writer():
            MediaLibrary.update(name="Films").execute()
        assert [one.name for one in store.media.libraries()] == ["Films"]
        with guest.writing():
            Note.create(text="again")
            Note.delete().where(Note.text == "again").execute()

    use()
    in_thread(use)
    assert store.plugins.run_due() == [] and store.migrations.drift() == []
