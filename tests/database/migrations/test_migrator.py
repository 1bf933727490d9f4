"""An upgrade is whole or did not happen, once, whoever else is there."""

from __future__ import annotations

import zipfile
from contextlib import ExitStack

import pytest

from tests.support.processes import running_python, write_lock_held_elsewhere
from tests.support.rows import add, ids
from tests.support.script_packages import ADD_COLUMN, CREATE, FAIL, Guest, dump, rows, tables
from viewra_lite import Module, Store
from viewra_lite.built_in import BUILT_IN
from viewra_lite.database.migrations import migrator
from viewra_lite.database.migrations.scripts import in_order
from viewra_lite.errors import (
    InvalidValueError,
    MigrationError,
    NewerSchemaError,
    StoreFullError,
    StoreUnavailableError,
)
from viewra_lite.media.models import MediaLibrary


# Planning


def test_a_fresh_store_is_brought_to_this_version_and_then_left_alone(store, clock):
    status = store.migrations.status()
    assert {line["module"] for line in status} == {module.name for module in BUILT_IN}
    assert {line["applied"] for line in status} == {clock()}
    before = dump(store)
    assert store.migrations.plan() == store.migrations.apply() == []
    assert dump(store) == before


def test_opening_an_up_to_date_store_needs_no_write_lock_and_writes_nothing(tmp_path, driver):
    path = tmp_path / "viewra.db"
    config = {"database": {"type": "sqlite", "database_path": str(path), "busy_timeout_ms": 50}}
    with Store.open(config) as store:
        add(store, "a")
    before, modified = path.read_bytes(), path.stat().st_mtime_ns
    watcher = driver.connect(path, 1.0)
    version = watcher.execute("PRAGMA data_version").fetchone()
    with write_lock_held_elsewhere(path), Store.open(config) as store:
        assert ids(store) == ["a"]
    assert watcher.execute("PRAGMA data_version").fetchone() == version
    watcher.close()
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == modified


def needs(name, *required):
    return type(name, (Module,), {"name": name, "requires": required})()


def test_modules_come_after_what_they_require():
    modules = [needs("c", "b"), needs("d"), needs("b", "a", "d"), needs("a")]
    assert [module.name for module in in_order(modules)] == ["a", "d", "b", "c"]
    independent = [needs("x"), needs("y"), needs("z")]
    assert in_order(independent) == independent


@pytest.mark.parametrize(
    "modules, words",
    [
        ([needs("a", "b"), needs("b", "c"), needs("c", "a")], "a -> b -> c -> a"),
        ([needs("a", "a")], "a -> a"),
        ([needs("a", "nobody")], "a requires the module nobody"),
        ([needs("a"), needs("a")], "same name"),
    ],
)
def test_modules_that_cannot_be_ordered_are_refused(modules, words):
    with pytest.raises(MigrationError, match=words):
        in_order(modules)


@pytest.mark.parametrize(
    "scripts, words", [(["0001_a", "01_b"], "same number"), (["1a_b"], "must start with a number")]
)
def test_scripts_that_cannot_be_ordered_are_refused(store_config, guest, scripts, words):
    for script in scripts:
        guest.write(script, CREATE)
    with pytest.raises(MigrationError, match=words):
        Store.open(store_config, modules=[guest.module()])


def test_scripts_run_by_number_and_not_by_name(store_config, guest):
    guest.write("9_first", CREATE)
    guest.write("10_second", ADD_COLUMN)
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id, stars FROM notes") == [("first", 3)]


# A module of somebody else


def test_a_third_partys_scripts_run_once_after_those_they_require(store_config, guest):
    guest.write("0001_initial", CREATE)
    with Store.open(store_config) as store:
        add(store, "a")
        assert "notes" not in tables(store)
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]
    guest.write("0002_stars", ADD_COLUMN)
    for _ in range(2):
        with Store.open(store_config, modules=[guest.module()]) as store:
            assert rows(store, "SELECT id, stars FROM notes") == [("first", 3)]
            assert ids(store) == ["a"]
            assert [
                line["name"] for line in store.migrations.status() if line["module"] == "notes"
            ] == ["0001_initial", "0002_stars"]
    with Store.open(store_config) as store:  # without the module its history is left alone
        assert rows(store, "SELECT count(*) FROM viewra_migrations_notes") == [(2,)]


def test_two_modules_have_each_their_history(store_config, guest, tmp_path):
    guest.write("0001_initial", CREATE)
    other = Guest(tmp_path / "packages", f"{guest.name}_other")
    other.write("0001_initial", CREATE.replace("notes", "other_notes"))
    modules = [guest.module(), other.module(name="other")]
    with Store.open(store_config, modules=modules) as store:
        assert {"notes", "other_notes"} <= tables(store)


def test_a_zip_brings_its_scripts_too(store_config, guest, tmp_path, monkeypatch):
    name = f"{guest.name}_zipped"
    archive = tmp_path / "plugin.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"{name}/__init__.py", "")
        packed.writestr(f"{name}/migrations/__init__.py", "")
        packed.writestr(f"{name}/migrations/0001_initial.py", CREATE)
    monkeypatch.syspath_prepend(str(archive))
    module = guest.module(migrations=f"{name}.migrations")
    with Store.open(store_config, modules=[module]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]
        ((checksum,),) = rows(store, "SELECT checksum FROM viewra_migrations_notes")
        assert len(checksum) == 64


def test_a_script_may_be_a_package_and_hold_any_letters(store_config, guest):
    guest.write("0001_initial", CREATE)
    Store.open(store_config, modules=[guest.module()]).close()
    script = guest.folder / "migrations" / "0002_stars"
    script.mkdir()
    (script / "__init__.py").write_text(ADD_COLUMN + "    # für später\n", encoding="utf-8")
    for _ in range(2):
        with Store.open(store_config, modules=[guest.module()]) as store:
            assert rows(store, "SELECT id, stars FROM notes") == [("first", 3)]


def test_a_package_that_is_not_there_is_named(store_config, guest):
    with pytest.raises(MigrationError, match="nowhere"):
        Store.open(store_config, modules=[guest.module(migrations="nowhere.migrations")])


def test_a_script_without_up_is_refused_before_anything_runs(store_config, guest):
    guest.write("0001_initial", CREATE)
    guest.write("0002_empty", "")
    with pytest.raises(MigrationError, match="0002_empty does not define up"):
        Store.open(store_config, modules=[guest.module()])
    with Store.open(store_config) as store:
        assert "notes" not in tables(store)


# What does not fit the history


def refuse(store_config, guest, error, words):
    """Open with the guest's module: refused, and nothing in the store has changed."""
    with Store.open(store_config) as store:
        before = dump(store)
    with pytest.raises(error, match=words) as caught:
        Store.open(store_config, modules=[guest.module()])
    assert type(caught.value) is error
    with Store.open(store_config) as store:
        assert dump(store) == before
    return caught.value


def test_an_edited_script_is_refused(store_config, guest):
    guest.write("0001_initial", CREATE)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0001_initial", CREATE.replace("\n", "\r\n"))
    Store.open(store_config, modules=[guest.module()]).close()  # line ends are no edit
    guest.write("0001_initial", CREATE + "\n# harmless")
    guest.write("0002_stars", ADD_COLUMN)
    refuse(store_config, guest, MigrationError, "0001_initial was edited")


def test_a_late_number_is_refused(store_config, guest):
    guest.write("0002_initial", CREATE)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0001_stars", ADD_COLUMN)
    guest.write("0003_stars", ADD_COLUMN)
    refuse(store_config, guest, MigrationError, "0001_stars has a lower number")


def test_a_newer_store_is_refused_untouched(store_config, guest):
    guest.write("0001_initial", CREATE)
    guest.write("0002_stars", ADD_COLUMN)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.remove("0002_stars")
    refuse(store_config, guest, NewerSchemaError, "0002_stars")


def test_a_newer_store_of_ours_is_refused_untouched(store_config, guest):
    with Store.open(store_config) as store, store.writer():
        MediaLibrary._meta.database.execute_sql(
            "INSERT INTO viewra_migrations_playback (name, applied)"
            " VALUES ('9999_future', '2099-01-01 00:00:00.000000+00:00')"
        )
    guest.write("0001_initial", CREATE)
    for modules in ([], [guest.module()]):
        with pytest.raises(NewerSchemaError, match="9999_future.*Nothing was changed"):
            Store.open(store_config, modules=modules)


# Failures


def test_a_failing_script_is_rolled_back_with_its_tables(store_config, guest):
    guest.write("0001_initial", CREATE)
    with Store.open(store_config, modules=[guest.module()]) as store:
        add(store, "a")
    guest.write("0002_fail", FAIL)
    error = refuse(store_config, guest, MigrationError, "notes 0002_fail failed and was rolled")
    assert "the store is unchanged" in str(error) and "own trouble" in str(error)
    assert isinstance(error.__cause__, ValueError)
    guest.write("0002_fail", ADD_COLUMN)  # corrected, in the same process
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id, stars FROM notes") == [("first", 3)]
        assert ids(store) == ["a"]
        assert "half" not in tables(store)


def test_scripts_before_the_failing_one_stay(store_config, guest):
    guest.write("0001_initial", CREATE)
    guest.write("0002_fail", FAIL)
    with pytest.raises(MigrationError, match="0002_fail"):
        Store.open(store_config, modules=[guest.module()])
    guest.remove("0002_fail")
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]


@pytest.mark.parametrize("end", ["ROLLBACK", "COMMIT"])
def test_a_script_that_ends_its_transaction_is_not_recorded_as_done(store_config, guest, end):
    guest.write("0001_initial", CREATE + f"    db.execute_sql('{end}')\n")
    with pytest.raises(MigrationError, match="0001_initial"):
        Store.open(store_config, modules=[guest.module()])


def test_a_script_that_leaves_rows_pointing_nowhere_is_refused(store_config, guest):
    guest.write(
        "0001_initial",
        """
def up(migrator, db):
    db.execute_sql("CREATE TABLE notes (library TEXT REFERENCES media_libraries (id))")
    db.execute_sql("INSERT INTO notes VALUES ('nowhere')")
""",
    )
    refuse(store_config, guest, MigrationError, "notes 0001_initial failed")


def test_a_table_rebuild_deletes_no_child_rows(store_config, guest):
    guest.write(
        "0001_initial",
        CREATE
        + """
    db.execute_sql("CREATE TABLE children (note TEXT REFERENCES notes (id) ON DELETE CASCADE)")
    db.execute_sql("INSERT INTO children VALUES ('first')")
""",
    )
    guest.write("0002_stars", ADD_COLUMN)
    guest.write(
        "0003_strict",
        """
def up(migrator, db):
    migrator.migrate(migrator.add_not_null("notes", "stars"), migrator.rename_column(
        "notes", "stars", "points"), migrator.drop_not_null("notes", "points"))
""",
    )
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT note FROM children") == [("first",)]
        with pytest.raises(Exception), store.writer():  # foreign keys hold again
            MediaLibrary._meta.database.execute_sql("INSERT INTO children VALUES ('nowhere')")


def test_an_error_in_a_migration_keeps_the_writer_usable(store, db, guest):
    guest.write("0001_fail", FAIL)
    broken = migrator.Migrator(db, [guest.module(requires=())])
    for _ in range(2):
        with pytest.raises(MigrationError):
            broken.apply()
        add(store, f"{len(ids(store))}")
    assert len(ids(store)) == 2


# Other processes

OPEN = """
import sys
from viewra_lite import Store
print("ready")
sys.stdin.readline()
with Store.open(sys.argv[1]) as store:
    print(len(store.migrations.status()))
"""


def test_6_processes_open_a_fresh_store_at_once(store_config, tmp_path):
    source = store_config
    if not isinstance(source, str):
        source = str(tmp_path / "viewra.yaml")
        (tmp_path / "viewra.yaml").write_text(f"database: {store_config['database']}")
    with ExitStack() as stack:
        processes = [stack.enter_context(running_python("-c", OPEN, source)) for _ in range(6)]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        answers = [process.stdout.readline() for process in processes]
    assert len(set(answers)) == 1 and int(answers[0]) >= 4
    with Store.open(store_config) as store:
        assert store.migrations.plan() == []


STUCK = (
    CREATE
    + """
    import os, sys
    if os.environ.get("VIEWRA_TEST_STUCK"):
        print("stuck", flush=True)
        sys.stdin.readline()
"""
)
OPEN_STUCK = """
import os, sys
os.environ["VIEWRA_TEST_STUCK"] = "1"
sys.path.insert(0, sys.argv[2])
from viewra_lite import Module, Store

class Notes(Module):
    name = "notes"
    requires = ("media",)
    migrations = sys.argv[3]

with Store.open(sys.argv[1], modules=[Notes()]):
    print("opened")
"""


def test_a_process_killed_in_a_migration_leaves_a_store_that_the_next_open_completes(
    store_config, guest, tmp_path
):
    guest.write("0001_initial", STUCK)
    source = store_config
    if not isinstance(source, str):
        source = str(tmp_path / "viewra.yaml")
        (tmp_path / "viewra.yaml").write_text(f"database: {store_config['database']}")
    for _ in range(2):
        with running_python(
            "-c", OPEN_STUCK, source, str(guest.folder.parent), f"{guest.name}.migrations"
        ) as process:
            assert process.stdout.readline() == "stuck\n"
            process.kill()
            process.wait()
    with Store.open(store_config) as store:
        assert "notes" not in tables(store)
        add(store, "a")
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]
        assert ids(store) == ["a"]


def test_a_migration_waits_for_a_writer_of_another_process(tmp_path, guest, driver):
    """The migrator's own BEGIN IMMEDIATE waits as every writer does."""
    path = tmp_path / "viewra.db"
    config = {"database": {"type": "sqlite", "database_path": str(path)}}
    guest.write("0001_initial", CREATE)
    with Store.open(config) as store:
        other = driver.connect(path, 1.0)
        other.execute("BEGIN IMMEDIATE")
        waits = []
        backend = store.media.db.backend
        retry = backend._retry

        def let_go_at_the_second(action):
            def counted():
                waits.append(action)
                if len(waits) == 2:
                    other.execute("COMMIT")
                return action()

            return retry(counted)

        backend._retry = let_go_at_the_second
        done = migrator.Migrator(store.media.db, [guest.module(requires=())]).apply()
        other.close()
        assert [script.name for script in done] == ["0001_initial"]
        assert len(waits) >= 2


# Plans, backups and losses

NOTED = (
    CREATE
    + """    db.execute_sql("CREATE INDEX idx_notes ON notes (id)")
"""
)
INDEXED = '''"""Stars of notes.

More of it.
"""
def up(migrator, db):
    migrator.add_column("notes", "stars", IntegerField(default=3)).run()
    db.execute_sql("UPDATE media_libraries SET name = name")
'''.replace("def up", "from peewee import IntegerField\n\ndef up")


def test_the_plan_says_what_each_step_touches(store_config, guest):
    guest.write("0001_initial", NOTED)
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert store.migrations.plan() == []
        add(store, "a")
        add(store, "b")
    guest.write("0002_stars", INDEXED)
    with Store.open(store_config, modules=[guest.module()], migrate=False) as store:
        [step] = store.migrations.plan()
        assert (step.module, step.name, step.summary) == ("notes", "0002_stars", "Stars of notes.")
        assert step.tables == ("media_libraries", "notes") and step.rows == 3
        assert step.takes_backup and step.bytes_needed > 0 and step.seconds > 0
        assert [script.name for script in store.migrations.pending()] == ["0002_stars"]
        assert store.migrations.plan() == [step]  # a plan changes nothing


def test_a_new_store_needs_no_backup_and_an_upgrade_takes_one_that_is_verified(store_config, guest):
    guest.write("0001_initial", NOTED)
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert store.backups.list() == []
        add(store, "a")
    guest.write("0002_stars", INDEXED)
    seen = []
    with Store.open(store_config, modules=[guest.module()], migrate=False) as store:
        store.migrations.apply(lambda *step: seen.append(step))
        [backup] = store.backups.list()
        assert (backup.kind, backup.verified) == ("upgrade", True)
        assert backup.schema["notes"] == "0001_initial"
        assert backup.counts["media_libraries"] == 1
    assert seen == [("backup", 0, 2), ("notes 0002_stars", 1, 2)]


def test_a_failed_upgrade_names_the_backup_that_was_taken(store_config, guest):
    guest.write("0001_initial", CREATE)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0002_fail", FAIL)
    error = refuse(store_config, guest, MigrationError, "A backup of before is .*-before-upgrade")
    assert "0002_fail" in str(error)


def test_an_upgrade_does_not_begin_without_its_backup_unless_that_is_off(
    tmp_path, guest, monkeypatch
):
    path = tmp_path / "viewra.db"
    options = {"type": "sqlite", "database_path": str(path)}
    guest.write("0001_initial", CREATE)
    Store.open({"database": options}, modules=[guest.module()]).close()
    guest.write("0002_stars", INDEXED)
    (tmp_path / "backups").write_text("a file where the folder should be")
    refuse({"database": options}, guest, StoreUnavailableError, "backups")
    off = {"database": {**options, "upgrade_backup": "off"}}
    with Store.open(off, modules=[guest.module()]) as store:
        assert store.migrations.plan() == []


def test_an_upgrade_does_not_begin_on_a_disk_that_is_too_full(tmp_path, guest, monkeypatch):
    source = f"sqlite:///{tmp_path / 'viewra.db'}"
    guest.write("0001_initial", CREATE)
    Store.open(source, modules=[guest.module()]).close()
    guest.write("0002_stars", INDEXED)
    full = type("Usage", (), {"free": 10})
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    refuse(source, guest, StoreFullError, "10 bytes free, and migrating needs")


@pytest.mark.parametrize(
    "loss",
    [
        "DROP INDEX idx_notes",
        "ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id TEXT PRIMARY KEY);"
        "INSERT INTO notes SELECT id FROM old; DROP TABLE old",
    ],
)
def test_a_script_that_loses_an_index_without_a_word_is_refused(store_config, guest, here, loss):
    statements = "".join(f"    db.execute_sql({one!r})\n" for one in loss.split(";"))
    guest.write("0001_initial", NOTED)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0002_loss", "def up(migrator, db):\n" + statements)
    refuse(store_config, guest, MigrationError, "it would lose the index idx_notes of notes")
    guest.write("0002_loss", "DROPS = ('idx_notes',)\ndef up(migrator, db):\n" + statements)
    with Store.open(store_config, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]


@pytest.mark.parametrize("kind", ["trigger", "option"])
def test_a_rebuild_that_loses_a_trigger_or_an_option_is_refused(tmp_path, guest, kind):
    source = f"sqlite:///{tmp_path / 'viewra.db'}"
    guest.write(
        "0001_initial",
        """
def up(migrator, db):
    db.execute_sql("CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, x INTEGER) WITHOUT ROWID")
    db.execute_sql("CREATE TRIGGER noted AFTER INSERT ON notes BEGIN SELECT 1; END")
""",
    )
    Store.open(source, modules=[guest.module()]).close()
    again = "CREATE TRIGGER noted AFTER INSERT ON notes BEGIN SELECT 1; END"
    option = "" if kind == "option" else " WITHOUT ROWID"
    guest.write(
        "0002_loss",
        f"""
def up(migrator, db):
    db.execute_sql("CREATE TABLE new (id TEXT PRIMARY KEY NOT NULL, x TEXT){option}")
    db.execute_sql("DROP TABLE notes")
    db.execute_sql("ALTER TABLE new RENAME TO notes")
    if {kind == "option"}:
        db.execute_sql("{again}")
""",
    )
    name = "notes WITHOUT ROWID" if kind == "option" else "noted"
    refuse(source, guest, MigrationError, f"it would lose the {kind} {name} of notes")


@pytest.mark.parametrize(
    "end", ["db.execute_sql('COMMIT')", "db.commit()", "db.connection().executescript('SELECT 1;')"]
)
def test_a_script_that_commits_is_stopped_before_it_does(tmp_path, guest, end):
    source = f"sqlite:///{tmp_path / 'viewra.db'}"
    guest.write("0001_initial", CREATE)
    Store.open(source, modules=[guest.module()]).close()
    guest.write(
        "0002_commits",
        f"""
def up(migrator, db):
    db.execute_sql("DELETE FROM notes")
    {end}
""",
    )
    refuse(source, guest, MigrationError, "0002_commits failed and was rolled back")
    guest.remove("0002_commits")
    with Store.open(source, modules=[guest.module()]) as store:
        assert rows(store, "SELECT id FROM notes") == [("first",)]


def test_an_upgrade_may_end_at_a_script(store_config, guest):
    guest.write("0001_initial", CREATE)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0002_stars", INDEXED)
    guest.write("0003_more", "def up(migrator, db):\n    pass\n")
    with Store.open(store_config, modules=[guest.module()], migrate=False) as store:
        with pytest.raises(InvalidValueError, match="to must be one of notes:2, notes:3, not 'x'"):
            store.migrations.apply(to="x")
        assert [script.name for script in store.migrations.apply(to="notes:2")] == ["0002_stars"]
        assert [step.name for step in store.migrations.plan()] == ["0003_more"]
