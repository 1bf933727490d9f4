"""The scrobbler on the feed of changes: killed anywhere, it loses nothing and repeats nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.playing import add_files
from tests.support.processes import eventually, running_python
from tests.support.torture import TORTURE
from viewra_lite import Store

SCROBBLER = Path(__file__).parent / "samples/scrobbler/scrobbler.py"
KILLS = 20 if TORTURE else 2


@pytest.fixture
def scrobbler() -> Any:
    """The functions of the scrobbler."""
    spec = spec_from_file_location("scrobbler", SCROBBLER)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def watch(store: Store, tmp_path: Path) -> Callable[[int], list[int]]:
    """Let so many titles be watched, and return the ids of all these changes until now."""
    files = add_files(store, tmp_path / "films", "a.mkv", "b.mkv")
    users = count()

    def watch(times: int) -> list[int]:
        for _ in range(times):
            user = f"user {next(users)}"
            store.playback.mark_watched(user, files[0])
            store.playback.set_progress(user, files[1], 5.0)
        found, page = [], store.changes()
        while page.items:
            found += [one.id for one in page.items if one.event == "progress.completed"]
            page = store.changes(page.next)
        return found

    return watch


def written(path: Path) -> list[int]:
    """Return the ids of the whole lines of a file."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [found["id"] for found in map(json.loads, lines) if "id" in found]


def test_it_is_as_short_as_the_guide_says() -> None:
    assert SCROBBLER.read_text(encoding="utf-8").count("\n") <= 40


def test_a_file_that_was_cut_off_anywhere_is_completed(
    scrobbler: Any, store: Store, watch: Callable[[int], list[int]], tmp_path: Path
) -> None:
    expected, path = watch(120), tmp_path / "watched"
    pages = []
    with path.open("a+b") as log:
        cursor = scrobbler.resume(log)
        for _ in range(4):
            cursor = scrobbler.write_page(store, log, cursor)
            pages.append(path.stat().st_size)
        whole = path.read_bytes()
    assert written(path) == expected and len(set(pages)) == 2
    ends = {end + shift for end in (0, *pages) for shift in range(-3, 4)}
    for end in sorted(ends & set(range(len(whole) + 1)) | set(range(0, len(whole), 997))):
        path.write_bytes(whole[:end])
        with path.open("a+b") as log:
            cursor = scrobbler.resume(log)
            for _ in range(4):
                cursor = scrobbler.write_page(store, log, cursor)
        assert path.read_bytes() == whole, end


def test_killed_and_started_again_it_writes_each_title_once(
    store: Store, watch: Callable[[int], list[int]], tmp_path: Path
) -> None:
    config: Any = store.config
    source = str(tmp_path / "viewra.yaml")
    options = {"type": "sqlite", "database_path": str(tmp_path / "viewra.db")}
    if store.engine == "postgres":
        names = ("type", "host", "port", "user", "database")
        options = {name: getattr(config, name) for name in names}
        options["password"] = config.password.reveal()
    Path(source).write_text(json.dumps({"database": options}), encoding="utf-8")
    path = tmp_path / "watched"
    for _ in range(KILLS):
        before = len(written(path))
        watch(5)
        with running_python(str(SCROBBLER), source, str(path)) as process:
            eventually(lambda: len(written(path)) > before or process.poll() is not None)
            assert process.poll() is None
            watch(5)  # while it reads; the end of this block kills it
    expected = watch(1)
    with running_python(str(SCROBBLER), source, str(path)):
        eventually(lambda: len(written(path)) >= len(expected))
    assert written(path) == expected
