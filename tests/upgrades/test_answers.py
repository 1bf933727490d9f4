"""The table of answers as 0.1.0 had it becomes today's, with its rows and without duplicates."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.upgrades.test_released_schemas import thawed
from viewra_lite import Store
from viewra_lite.plugins.models import PluginMetadata

ROWS = {
    # id: plugin, file, type, facts, created_at; a later id of the same moment is newer
    "a": ("subs", "x", "movie", '{"n": "a"}', "2024-01-02 00:00:00.000000+00:00"),
    "b": ("subs", "x", "movie", '{"n": "b"}', "2024-01-01 00:00:00.000000+00:00"),
    "c": ("subs", "x", "other", '{"n": "c"}', "2024-01-01 00:00:00.000000+00:00"),
    "d": ("subs", "y", "movie", '{"n": "d"}', "2024-01-01 00:00:00.000000+00:00"),
    "e": ("subs", "y", "movie", '{"n": "e"}', "2024-01-01 00:00:00.000000+00:00"),
    "f": ("more", "x", "movie", '{"n": "f"}', "2023-01-01 00:00:00.000000+00:00"),
}
KEPT = {"a", "c", "e", "f"}


def fill(execute: Any, mark: str) -> None:
    moment = "'2024-01-01 00:00:00.000000+00:00'"
    execute(
        "INSERT INTO plugins (id, name, type, created_at, updated_at) "
        f"VALUES ('more', 'More', 'enrichment', {moment}, {moment})",
        (),
    )
    files = [row[0] for row in execute("SELECT id FROM media_files ORDER BY id", ()).fetchall()]
    for id, (plugin, file, kind, facts, created_at) in ROWS.items():
        execute(
            "INSERT INTO plugin_metadata "
            "(id, plugin_id, media_file_id, metadata_type, metadata, created_at) VALUES "
            f"({', '.join([mark] * 6)})",
            (id, plugin, files["xy".index(file)], kind, facts, created_at),
        )


def check(url: str) -> None:
    clock = Clock()
    clock.advance(10 * 365 * 86400)
    with Store.open(url, clock=clock) as store:
        with store.reader():
            found = {row.id: row for row in PluginMetadata.select() if row.id in ROWS}
        assert {id: row.metadata for id, row in found.items()} == {id: {"n": id} for id in KEPT}
        for row in found.values():
            assert row.answered_at == row.created_at and row.confidence == 1
            assert row.due_at is row.applied_at is row.question is row.failures is None
        assert store.migrations.drift() == []


def test_old_answers_on_sqlite_are_kept_the_newest_of_each_file(tmp_path: Path) -> None:
    path = tmp_path / "viewra.db"
    path.write_bytes(thawed("0.1.0", "sqlite-store"))
    connection = sqlite3.connect(path)
    fill(connection.execute, "?")
    connection.commit()
    connection.close()
    check(f"sqlite:///{path}")


def test_old_answers_on_postgres_are_kept_the_newest_of_each_file(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.chdir(tmp_path)
    dump = tmp_path / "frozen.dump"
    dump.write_bytes(thawed("0.1.0", "postgres-backup"))
    Store.restore(postgres_url, dump)
    with psycopg.connect(postgres_url) as connection:
        fill(connection.execute, "%s")
    check(postgres_url)
