"""A store of every released version, and its backup, is opened and migrated with all its rows."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.postgres import Server
from tests.upgrades.contents import contents, without_new_columns
from tests.upgrades.freeze import FROZEN, checksums
from tests.upgrades.rows import fill
from viewra_lite import Store

RELEASES = sorted(path.name for path in FROZEN.glob("*"))


def thawed(release: str, name: str) -> bytes:
    return lzma.decompress((FROZEN / release / f"{name}.xz").read_bytes())


def check(url: str, release: str, engine: str) -> None:
    """Open and migrate a store: every row of the release is there, and nothing is amiss."""
    then = json.loads(thawed(release, f"{engine}-rows.json"))
    assert [table for table, rows in then.items() if not rows] == []
    clock = Clock()
    clock.advance(10 * 365 * 86400)
    with Store.open(url, clock=clock) as store:
        assert store.migrations.plan() == []
        found = contents(store)
        assert {table: len(found.get(table, ())) for table in then} == {
            table: len(rows) for table, rows in then.items()
        }
        for table, rows in without_new_columns(found, then).items():
            assert without_recovery(table, rows) == without_recovery(table, then[table]), table
        assert store.migrations.drift() == []
        assert store.backups.create().verified
    with Store.open(url, clock=clock) as store:
        assert store.media.search("amelie")


def without_recovery(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what opening changes: a session that was open is ended, as after a crash."""
    ended = ("state", "end_time", "updated_at", "last_activity")
    left_out = ended if table in ("playback_sessions", "user_media_progress") else ()
    return sorted(
        ({name: value for name, value in row.items() if name not in left_out} for row in rows),
        key=str,
    )


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["sqlite-store", "sqlite-backup"])
def test_a_released_store_on_sqlite_keeps_every_row(
    release: str, name: str, tmp_path: Path
) -> None:
    frozen, path = tmp_path / "frozen.db", tmp_path / "store" / "viewra.db"
    frozen.write_bytes(thawed(release, name))
    if name == "sqlite-store":
        path.parent.mkdir()
        frozen.rename(path)
    else:
        Store.restore(f"sqlite:///{path}", frozen)
    check(f"sqlite:///{path}", release, "sqlite")


@pytest.mark.parametrize("release", RELEASES)
def test_a_released_store_on_postgres_keeps_every_row(
    release: str, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dump = tmp_path / "frozen.dump"
    dump.write_bytes(thawed(release, "postgres-backup"))
    Store.restore(postgres_url, dump)
    check(postgres_url, release, "postgres")


@pytest.mark.parametrize("release", RELEASES)
def test_a_released_migration_is_never_edited(release: str) -> None:
    frozen = json.loads(thawed(release, "scripts.json"))
    now = checksums()
    edited = [name for name, checksum in frozen.items() if now.get(name) != checksum]
    assert edited == [], "released scripts are frozen: put the change into a new one"


def test_the_rows_to_freeze_are_in_every_table(
    store_config: Any, tmp_path: Path, postgres_server: Server
) -> None:
    clock = Clock()
    with Store.open(store_config, clock=clock) as store:
        fill(store, clock, tmp_path / "media")
        assert [table for table, rows in contents(store).items() if not rows] == []
