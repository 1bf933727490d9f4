"""A script that runs in chunks resumes where it stopped, whatever stopped it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.processes import running_python
from tests.support.script_packages import dump, rows
from viewra_lite import Store
from viewra_lite.database.migrations import migrator
from viewra_lite.errors import InvalidValueError, MigrationError, NewerSchemaError

ROWS = 40
FIRST = f"""
def up(migrator, db):
    db.execute_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    for number in range({ROWS}):
        db.execute_sql("INSERT INTO notes VALUES (" + str(number + 1) + ", 'a')")
"""
CHUNKS = '''"""Texts in capitals."""

def up(migrator, db):
    db.execute_sql("ALTER TABLE notes ADD COLUMN capitals TEXT")

def chunk(db, after):
    found = db.execute_sql(
        "SELECT id FROM notes WHERE id > " + str(after or 0) + " ORDER BY id LIMIT 7"
    ).fetchall()
    for (id,) in found:
        db.execute_sql(
            "UPDATE notes SET capitals = coalesce(capitals, '') || 'A' WHERE id = " + str(id)
        )
    return found[-1][0] if found else None
'''
LATER = """
def up(migrator, db):
    db.execute_sql("ALTER TABLE notes ADD COLUMN later TEXT")
"""
STEPS = 1 + (ROWS + 6) // 7  # the last finds nothing


@pytest.fixture
def notes(store_config: Any, guest: Any) -> Any:
    """A package with a script that runs in chunks, to be applied to rows."""
    guest.write("0001_initial", FIRST)
    Store.open(store_config, modules=[guest.module()]).close()
    guest.write("0002_capitals", CHUNKS)
    guest.write("0003_later", LATER)
    return guest


def looked_at(config: Any, notes: Any) -> Store:
    return Store.open(config, modules=[notes.module()], migrate=False)


def of_notes(lines: list[dict[str, Any]]) -> list[tuple[bool, Any]]:
    return [(bool(one["applied"]), one["chunks"]) for one in lines if one["module"] == "notes"]


def capitals(store: Store) -> list[Any]:
    """Return the distinct values of the column; each row was changed once if it is ["A"]."""
    return [row[0] for row in rows(store, "SELECT DISTINCT capitals FROM notes ORDER BY 1")]


def test_opening_completes_what_fits_into_its_time(store_config: Any, notes: Any) -> None:
    with Store.open(store_config, modules=[notes.module()]) as store:
        assert capitals(store) == ["A"]
        assert of_notes(store.migrations.status()) == [(True, None)] * 3
        assert store.migrations.plan() == []


def test_opening_refuses_what_does_not_fit_and_each_opening_continues_it(
    store_config: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewra_lite.store.OPEN_S", 0.0)
    for chunks in range(1, STEPS):
        with pytest.raises(MigrationError, match="notes 0002_capitals .*: run viewra-lite migrate"):
            Store.open(store_config, modules=[notes.module()])
        with looked_at(store_config, notes) as store:
            assert of_notes(store.migrations.status()) == [
                (True, None),
                (False, chunks),
                (False, None),
            ]
            [unfinished, later] = store.migrations.plan()
            assert (unfinished.name, unfinished.chunks) == ("0002_capitals", chunks)
            assert not unfinished.takes_backup and later.takes_backup
            assert len(store.backups.list()) == 1  # of before it began
    with Store.open(store_config, modules=[notes.module()]) as store:
        assert capitals(store) == ["A"]
        assert of_notes(store.migrations.status()) == [(True, None)] * 3


def test_progress_and_a_budget_in_slices(store_config: Any, notes: Any) -> None:
    with looked_at(store_config, notes) as store:
        with pytest.raises(InvalidValueError, match="budget_s"):
            store.migrations.apply(budget_s=-1)
        seen: list[Any] = []
        assert store.migrations.apply(lambda *step: seen.append(step), budget_s=0) == []
        assert seen == [
            ("backup", 0, 3),
            ("notes 0002_capitals", 1, 3),
            ("notes 0002_capitals, chunk 1", 1, 3),
        ]
        ended = store.migrations.apply(lambda *step: seen.append(step))
        assert [script.name for script in ended] == ["0002_capitals", "0003_later"]
        assert seen[-3:] == [
            (f"notes 0002_capitals, chunk {STEPS - 1}", 0, 3),
            ("backup", 1, 3),
            ("notes 0003_later", 2, 3),
        ]
        assert capitals(store) == ["A"]


def test_a_caller_may_stop_between_two_chunks(store_config: Any, notes: Any) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if name.endswith("chunk 2"):
            raise KeyboardInterrupt

    with looked_at(store_config, notes) as store:
        with pytest.raises(KeyboardInterrupt):
            store.migrations.apply(stop)
        assert of_notes(store.migrations.status())[1] == (False, 2)
        store.migrations.apply()
        assert capitals(store) == ["A"]


def test_a_failing_chunk_is_rolled_back_and_may_be_corrected(store_config: Any, notes: Any) -> None:
    trouble = "    if after == 14: raise ValueError('a row of trouble')\n    return found[-1]"
    notes.write("0002_capitals", CHUNKS.replace("    return found[-1]", trouble))
    words = (
        "notes 0002_capitals failed, and its last chunk was rolled back; those before it stay, and "
        "viewra-lite migrate continues there: a row of trouble. A backup of before is"
    )
    with pytest.raises(MigrationError, match=words):
        Store.open(store_config, modules=[notes.module()])
    with looked_at(store_config, notes) as store:
        assert rows(store, "SELECT count(*) FROM notes WHERE capitals = 'A'") == [(14,)]
        assert of_notes(store.migrations.status())[1] == (False, 2)
    notes.write("0002_capitals", CHUNKS + "\n# corrected\n")
    for _ in range(2):
        with Store.open(store_config, modules=[notes.module()]) as store:
            assert capitals(store) == ["A"]
    notes.write("0002_capitals", CHUNKS)  # once it has ended it is as frozen as any
    with pytest.raises(MigrationError, match="0002_capitals was edited"):
        Store.open(store_config, modules=[notes.module()])


@pytest.mark.parametrize(
    "end, words",
    [
        ("return 1", "chunk\\(\\) returned 1 twice"),
        ("return db", "chunk\\(\\) must return text, a number or None"),
        ("return float('nan')", "chunk\\(\\) must return text, a number or None"),
        ("db.execute_sql('COMMIT')", "it would end its transaction"),
        ("db.execute_sql('DROP INDEX i')", "it would lose the index i of notes"),
        ("yield 1", "chunk\\(\\) must return text, a number or None"),
    ],
)
def test_a_chunk_may_not_do_what_a_script_may_not(
    store_config: Any, notes: Any, end: str, words: str
) -> None:
    notes.write(
        "0002_capitals",
        f"""
def up(migrator, db):
    db.execute_sql("CREATE INDEX i ON notes (text)")

def chunk(db, after):
    db.execute_sql("DELETE FROM notes WHERE id > 1")
    if after is None: return 1
    db.execute_sql("DELETE FROM notes")
    {end}
""",
    )
    with pytest.raises(MigrationError, match=words):
        Store.open(store_config, modules=[notes.module()])
    with looked_at(store_config, notes) as store:
        assert len(rows(store, "SELECT id FROM notes")) in (1, ROWS)


def test_a_script_may_have_chunks_only_and_any_place_to_continue(
    store_config: Any, notes: Any
) -> None:
    notes.write(
        "0002_capitals",
        """
def chunk(db, after):
    table, count = after or ["notes", 0]
    db.execute_sql("UPDATE notes SET text = text || 'b'")
    return [table, count + 1] if count < 2 else None
""",
    )
    with Store.open(store_config, modules=[notes.module()]) as store:
        assert rows(store, "SELECT DISTINCT text FROM notes") == [("abbb",)]


def test_a_newer_unfinished_script_is_refused(store_config: Any, notes: Any) -> None:
    with looked_at(store_config, notes) as store:
        store.migrations.apply(budget_s=0)
        before = dump(store)
    notes.remove("0002_capitals")
    notes.remove("0003_later")
    with pytest.raises(NewerSchemaError, match="0002_capitals"):
        Store.open(store_config, modules=[notes.module()])
    with looked_at(store_config, notes) as store:
        assert dump(store) == before


def test_a_backup_of_an_unfinished_store_continues_after_it_is_restored(
    store_config: Any, notes: Any
) -> None:
    with looked_at(store_config, notes) as store:
        store.migrations.apply(budget_s=0)
        path = store.backups.create().path
        store.migrations.apply()
    Store.restore(store_config, path)
    with Store.open(store_config, modules=[notes.module()]) as store:
        assert capitals(store) == ["A"]


APPLY = """
import json, sys
sys.path.insert(0, sys.argv[2])
from viewra_lite import Module, Store

class Notes(Module):
    name = "notes"
    requires = ("media",)
    migrations = sys.argv[3]

def step(name, done, total):
    print(name, flush=True)
    sys.stdin.readline()

with Store.open(json.loads(sys.argv[1]), modules=[Notes()], migrate=False) as store:
    print(json.dumps([script.name for script in store.migrations.apply(step)]))
"""


def applying(config: Any, notes: Any) -> Any:
    arguments = (json.dumps(config), str(notes.folder.parent), f"{notes.name}.migrations")
    return running_python("-c", APPLY, *arguments)


def test_a_process_that_is_killed_is_continued_by_the_next(store_config: Any, notes: Any) -> None:
    reached = -1
    for _ in range(3):
        with applying(store_config, notes) as process:
            for line in process.stdout:
                process.stdin.write("\n")
                process.stdin.flush()
                if "chunk" in line and int(line.split()[-1]) > reached + 1:
                    reached = int(line.split()[-1])
                    break
            process.kill()
            process.wait()
    with Store.open(store_config, modules=[notes.module()]) as store:
        assert capitals(store) == ["A"]


def test_two_processes_at_once_run_each_chunk_once(
    store_config: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrator, "LOCK_WAIT_S", 20.0)
    with applying(store_config, notes) as process:
        while "chunk 2" not in process.stdout.readline():
            process.stdin.write("\n")
            process.stdin.flush()
        with looked_at(store_config, notes) as store:  # and its writers get on meanwhile
            with store.writer():
                store.media.db.backend.database.execute_sql("UPDATE notes SET text = 'c'")
            assert of_notes(store.migrations.status())[1] == (False, 2)
            process.stdin.write("\n" * 50)
            process.stdin.flush()
            assert store.migrations.apply() == []
            assert capitals(store) == ["A"]
        answer = process.stdout.read().splitlines()[-1]
        assert json.loads(answer) == ["0002_capitals", "0003_later"]
