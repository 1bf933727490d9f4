"""Rooms are imported and seated when they are first used, and nobody notices."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.playing import add_files
from tests.support.processes import run_python
from viewra_lite import Store
from viewra_lite.errors import StoreClosedError
from viewra_lite.built_in import BUILT_IN

USED = """
import sys
from viewra_lite import Store
with Store.open({{"database": {{"database_path": sys.argv[1]}}}}) as store:
    {use}
print(*(name for name in ("media", "playback", "transcoding", "plugins", "adoption")
        if f"viewra_lite.{{name}}" in sys.modules and name == "adoption"
        or f"viewra_lite.{{name}}.module" in sys.modules))
"""
GUEST = (
    "from viewra_lite.playback.models import PlaybackHistory as guests\n"
    "    with store.reader(): assert guests.select().count() == 0"
)


@pytest.mark.parametrize("room", BUILT_IN, ids=[room.name for room in BUILT_IN])
def test_a_room_is_what_its_module_says(room: Any) -> None:
    module = room.module()
    assert (room.name, tuple(room.requires)) == (module.name, tuple(module.requires))
    assert (room.migrations, room.models) == (module.migrations, module.models)


@pytest.mark.parametrize(
    ("use", "imported"),
    [
        ("pass", ""),
        ("store.media.libraries()", "media"),
        ("store.playback.active_sessions()", "playback"),
        (GUEST, ""),
    ],
)
def test_opening_a_store_imports_the_rooms_that_are_used_only(
    tmp_path: Path, use: str, imported: str
) -> None:
    path = tmp_path / "viewra.db"
    Store.open(f"sqlite:///{path}").close()
    assert run_python("-c", USED.format(use=use), str(path)).stdout.strip() == imported


def test_to_read_a_file_imports_nothing_that_scans_saves_or_searches(tmp_path: Path) -> None:
    path = tmp_path / "viewra.db"
    with Store.open(f"sqlite:///{path}") as store:
        (film,) = add_files(store, tmp_path / "films", "a.mkv")
    use = f"store.media.file({film!r}); store.media.movies(); print(*sys.modules)"
    imported = run_python("-c", USED.format(use=use), str(path)).stdout.split()
    rest = (
        "catalog.save",
        "files.queries",
        "names.guesses",
        "names.keys",
        "scanning.purge",
        "scanning.queries",
        "scanning.reconcile",
        "scanning.scan",
        "search.find",
        "search.searching",
    )
    assert not {f"viewra_lite.media.{name}" for name in rest} & set(imported)
    assert not {"pkgutil", "random", "yaml"} & set(imported)


def test_the_migrations_need_no_room_either(store: Store) -> None:
    assert store.migrations.plan() == []
    assert not store._attached


def test_rooms_that_nobody_has_used_follow_a_file(store_config: Any, tmp_path: Path) -> None:
    with Store.open(store_config) as store:
        gone, kept = add_files(store, tmp_path / "films", "a.mkv", "b.mkv")
        store.playback.set_progress("ann", gone, 600.0)
    with Store.open(store_config) as store:
        with store.writer():
            store.media.db.emit("file_merged", gone, kept)
        assert store.playback.progress("ann", kept).position == 600.0


def test_a_crashed_stores_room_is_seated_to_recover(store_config: Any, tmp_path: Path) -> None:
    clock = Clock()
    with Store.open(store_config, clock=clock) as store:
        (film,) = add_files(store, tmp_path / "films", "a.mkv")
        session = store.playback.start_session(film, user_id="ann")
    clock.advance(300)
    with Store.open(store_config, clock=clock) as store:
        assert set(store._attached) == {"playback", "events"}
        assert store.playback.session(session.id).state == "expired"
    with Store.open(store_config) as store:
        assert not store._attached


def test_threads_that_ask_at_once_get_the_same_room(store: Store) -> None:
    found, start = [], threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(store.playback)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [store.playback] * 8


def test_a_room_of_a_closed_store_is_closed(store_config: Any, tmp_path: Path) -> None:
    with Store.open(store_config) as store:
        (film,) = add_files(store, tmp_path / "films", "a.mkv")
    before = sorted(tmp_path.rglob("*"))
    for use in (
        lambda: store.playback.start_session(film, user_id="ann"),
        lambda: store.transcoding.cache_usage(),
    ):
        with pytest.raises(StoreClosedError):
            use()
    assert sorted(tmp_path.rglob("*")) == before
