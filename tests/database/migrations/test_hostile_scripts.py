"""A script that tries to keep half of itself, or to lose something, leaves the store as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.rows import add, ids
from tests.support.script_packages import CREATE, dump, rows
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.database.migrations.migrator import Migrator
from viewra_lite.errors import MigrationError, ViewraError

FIRST = (
    CREATE
    + """
    db.execute_sql("ALTER TABLE notes ADD COLUMN library TEXT REFERENCES media_libraries (id)")
    db.execute_sql("CREATE INDEX idx_library ON notes (library)")
    db.execute_sql("CREATE INDEX idx ON notes (id, library)")
    db.execute_sql("CREATE VIEW named AS SELECT id FROM notes")
"""
)
DELETE = "db.execute_sql('DELETE FROM notes')"
DANGLE = "db.execute_sql(\"INSERT INTO notes (id, library) VALUES ('x', 'none')\")"
CATCH = "try: {}\nexcept Exception: pass"

# What ends a transaction, by every route that leads to the engine.
ENDS = {
    "a commit of Peewee's": "db.commit()",
    "a rollback of Peewee's": "db.rollback()",
    "COMMIT as SQL": "db.execute_sql('COMMIT')",
    "commit in small letters": "db.execute_sql('commit')",
    "END as SQL": "db.execute_sql('END')",
    "ROLLBACK as SQL": "db.execute_sql('ROLLBACK')",
    "a comment before COMMIT": "db.execute_sql('/* it is well */ COMMIT')",
    "a comment of a line before COMMIT": "db.execute_sql('-- it is well\\nCOMMIT')",
    "COMMIT TRANSACTION": "db.execute_sql('COMMIT TRANSACTION')",
    "COMMIT through a cursor": "db.cursor().execute('COMMIT')",
    "ROLLBACK through a cursor": "db.cursor().execute('ROLLBACK')",
    "COMMIT through the connection": "db.connection().execute('COMMIT')",
    "ROLLBACK through the connection": "db.connection().execute('ROLLBACK')",
    "COMMIT through a cursor of the connection": "db.connection().cursor().execute('COMMIT')",
    "commit() of the connection": "db.connection().commit()",
    "rollback() of the connection": "db.connection().rollback()",
    "closing the connection": "db.connection().close()",
}
AFTER_ENDS = {
    f"{name}, {how}": body
    for name, end in ENDS.items()
    for how, body in {
        "and no more": end,
        "caught": CATCH.format(end),
        "caught, and on": f"{CATCH.format(end)}\n{CATCH.format(DELETE)}",
        "caught, begun again, ended again": "\n".join(
            map(CATCH.format, (end, "db.execute_sql('BEGIN')", DELETE, "db.execute_sql('COMMIT')"))
        ),
    }.items()
}
BOTH = {
    **AFTER_ENDS,
    "a ValueError": "raise ValueError",
    "a SystemExit": "raise SystemExit(0)",
    "an assertion": "assert False",
    "no such attribute": "db.nothing()",
    "a RecursionError": "def f(): f()\nf()",
    "no such table": "db.execute_sql('DELETE FROM nowhere')",
    "no SQL": "db.execute_sql('NO SQL')",
    "a generator": "yield",
    "closing Peewee's database": "db.close()\n" + DELETE,
    "an index lost": "db.execute_sql('DROP INDEX idx_library')",
    "a name in another's name": "global DROPS\nDROPS = 'idx_library'\n"
    "db.execute_sql('DROP INDEX idx')",
    "a view lost": "db.execute_sql('DROP VIEW named')",
    "a row that refers to none": DANGLE,
    "another module's history": "db.execute_sql('DELETE FROM viewra_migrations_media')",
    "a history that says it was done": "db.execute_sql("
    "\"INSERT INTO viewra_migrations_notes (name, applied) VALUES ('0002_x', '2024-01-01')\")",
    "its history lost": "db.execute_sql('DROP TABLE viewra_migrations_notes')",
    "an unknown savepoint": "db.execute_sql('ROLLBACK TO SAVEPOINT nothing')",
    "a savepoint released twice": "db.execute_sql('SAVEPOINT a')\n"
    "db.execute_sql('RELEASE SAVEPOINT a')\ndb.execute_sql('RELEASE SAVEPOINT a')",
    "a commit in a savepoint": "db.execute_sql('SAVEPOINT a')\n"
    + CATCH.format("db.execute_sql('COMMIT')"),
    "a commit in atomic()": "with db.atomic() as a:\n    db.execute_sql('COMMIT')",
    "VACUUM": "db.execute_sql('VACUUM')",
    "a duplicate": "db.execute_sql(\"INSERT INTO notes (id) VALUES ('first'), ('first')\")",
    "an error after others' rows": "from viewra_lite.media.models import MediaLibrary\n"
    "MediaLibrary.delete().execute()\nraise KeyError",
}
SQLITE = {
    **{
        f"PRAGMA {one}": f"db.execute_sql('PRAGMA {one}')"
        for one in (
            "writable_schema=ON",
            "Writable_Schema=1",
            "ignore_check_constraints=ON",
            "application_id=7",
            "user_version=7",
            "schema_version=7",
            "journal_mode=DELETE",
            "locking_mode=EXCLUSIVE",
            "recursive_triggers=ON",
            "query_only=ON",
            "main.application_id=7",
        )
    },
    "a schema written by hand": "db.execute_sql('PRAGMA writable_schema=ON')\n"
    "db.execute_sql(\"DELETE FROM sqlite_master WHERE name = 'idx'\")",
    "a file attached": "db.execute_sql(\"ATTACH 'elsewhere.db' AS elsewhere\")",
    "a memory attached": "db.execute_sql(\"ATTACH ':memory:' AS elsewhere\")",
    "attached, caught": CATCH.format("db.execute_sql(\"ATTACH 'elsewhere.db' AS elsewhere\")"),
    "VACUUM INTO": "db.execute_sql(\"VACUUM INTO 'elsewhere.db'\")",
    "OR ROLLBACK": CATCH.format(
        "db.execute_sql(\"INSERT OR ROLLBACK INTO notes (id) VALUES ('first'), ('first')\")"
    )
    + f"\n{CATCH.format(DELETE)}",
    "a statement that was compiled before OR ROLLBACK": f"{DELETE}\n"
    + "db.execute_sql(\"INSERT INTO notes (id) VALUES ('first'), ('first')\")\n"
    + CATCH.format(
        "db.execute_sql(\"INSERT OR ROLLBACK INTO notes (id) VALUES ('first'), ('first')\")"
    )
    + f"\n{CATCH.format(DELETE)}",
    "RAISE(ROLLBACK)": "db.execute_sql(\"INSERT INTO notes (id) VALUES ('x')\")\n"
    'db.execute_sql("CREATE TRIGGER t BEFORE DELETE ON notes'
    " BEGIN SELECT RAISE(ROLLBACK, 'x'); END\")\n"
    + f"{CATCH.format(DELETE)}\n{CATCH.format(DELETE)}",
    "a temporary trigger": "db.execute_sql('CREATE TEMP TRIGGER t AFTER INSERT ON notes"
    " BEGIN DELETE FROM notes; END')",
    "a temporary table": "db.execute_sql('CREATE TEMP TABLE notes (x)')",
    "an executescript that begins": "db.connection().executescript('BEGIN; DELETE FROM notes')",
    "an executescript that commits": "db.connection().executescript('COMMIT; DELETE FROM notes')",
    "BEGIN": "db.execute_sql('BEGIN')",
    "a half-read RETURNING": "global rows\nrows = db.connection().execute("
    "'DELETE FROM media_libraries RETURNING id')\nraise ValueError",
}
POSTGRES = {
    **{
        f"{one} as SQL": f"db.execute_sql({one!r})\n{CATCH.format(DELETE)}"
        for one in (
            "ABORT",
            "COMMIT AND CHAIN",
            "ROLLBACK AND CHAIN",
            "COMMIT WORK",
            "PREPARE TRANSACTION 'x'",
            "SELECT 1; COMMIT; DELETE FROM notes",
            "ROLLBACK; DELETE FROM notes",
            "ROLLBACK; BEGIN; DELETE FROM notes; COMMIT",
            "DO $$ BEGIN COMMIT; END $$",
            "SELECT pg_terminate_backend(pg_backend_pid())",
            "CREATE INDEX CONCURRENTLY i ON notes (id)",
            "DISCARD ALL",
            "SET search_path = pg_temp",
        )
    },
    "an error swallowed": CATCH.format("db.execute_sql('NO SQL')"),
    "triggers off, rows lost": "db.execute_sql('SET session_replication_role = replica')\n"
    + DANGLE
    + "\ndb.execute_sql('SET session_replication_role = DEFAULT')",
    "triggers off": "db.execute_sql('ALTER TABLE media_files DISABLE TRIGGER ALL')\n" + DANGLE,
    "what depends on it dropped": "db.execute_sql('ALTER TABLE notes DROP COLUMN library CASCADE')",
    "a view by CASCADE": "db.execute_sql('DROP TABLE notes CASCADE')\n"
    "db.execute_sql('CREATE TABLE notes (id TEXT)')",
    "a deferred foreign key": "db.execute_sql('CREATE TABLE later (library TEXT REFERENCES"
    " media_libraries (id) DEFERRABLE INITIALLY DEFERRED)')\n"
    "db.execute_sql(\"INSERT INTO later VALUES ('none')\")",
}

_NOT_CLOSED = ("closing the connection, caught", "closing the connection, caught, and on")


def state(store: Store) -> Any:
    """Return all rows, and the objects of the catalogue."""
    catalogue = {
        "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2",
        "postgres": "SELECT relkind::text, relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY 1, 2",
    }
    return dump(store), rows(store, catalogue[store.engine])


def test_no_hostile_script_leaves_anything_behind(store: Store, db: Any, guest: Any) -> None:
    guest.write("0001_initial", FIRST)
    add(store, "a")
    modules = [guest.module(requires=())]
    Migrator(db, modules).apply()
    before, wrong = state(store), []
    hostile = {**BOTH, **(SQLITE if store.engine == "sqlite" else POSTGRES)}
    if store.engine == "sqlite" and store.config.driver == "cysqlite":
        # It does not close a connection with open statements, so nothing happens.
        hostile = {name: body for name, body in hostile.items() if name not in _NOT_CLOSED}
    assert len(hostile) >= 60
    tried = list(hostile.items())[:: tries(4, 1)]
    for name, body in tried:
        lines = "\n".join(f"    {line}" for line in f"{DELETE}\n{body}".splitlines())
        guest.write("0002_hostile", f"def up(migrator, db):\n{lines}\n")
        try:
            Migrator(db, modules).apply()
            wrong.append((name, "was applied"))
        except MigrationError as exc:
            if "notes 0002_hostile failed and was rolled back" not in str(exc):
                wrong.append((name, str(exc)))
        except ViewraError as exc:
            wrong.append((name, repr(exc)))
        if state(store) != before:
            wrong.append((name, "left something"))
            break
    assert wrong == []
    print(f"{len(tried)} hostile scripts on {store.engine}: 0 left anything")
    add(store, "b")
    with pytest.raises(ViewraError), store.writer():  # foreign keys are checked again
        db.backend.database.execute_sql("INSERT INTO notes (id, library) VALUES ('x', 'none')")
    assert ids(store) == ["a", "b"]


def test_a_plan_of_hostile_scripts_changes_nothing(
    store: Store, db: Any, guest: Any, here: Any
) -> None:
    guest.write("0001_initial", FIRST)
    modules = [guest.module(requires=())]
    Migrator(db, modules).apply()
    before = state(store)
    for body in SQLITE.values():
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        guest.write("0002_hostile", f"def up(migrator, db):\n{lines}\n")
        [step] = Migrator(db, modules).plan()
        assert step.name == "0002_hostile"
    assert state(store) == before
    assert not list(here.glob("elsewhere*"))


def test_a_script_that_opens_a_store_is_refused_and_does_not_hang(
    store_config: Any, guest: Any
) -> None:
    guest.write(
        "0001_initial",
        f"""
def up(migrator, db):
    from viewra_lite import Store
    Store.open({store_config!r})
""",
    )
    for _ in range(2):
        with pytest.raises(MigrationError, match="already has another store half open"):
            Store.open(store_config, modules=[guest.module()])
    Store.open(store_config).close()


@pytest.mark.parametrize("text", ["def up(", "import nothing_of_this_name", "raise SystemExit(3)"])
def test_a_script_that_cannot_be_imported_is_refused_with_its_name(
    store: Store, db: Any, guest: Any, text: str
) -> None:
    guest.write("0001_initial", text)
    for verb in ("plan", "apply"):
        with pytest.raises(MigrationError, match="notes 0001_initial cannot be imported"):
            getattr(Migrator(db, [guest.module(requires=())]), verb)()
