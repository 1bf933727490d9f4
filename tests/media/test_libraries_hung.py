"""A folder that does not answer keeps nobody else from writing."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support.libraries import blob

from viewra_lite import Store
from viewra_lite.errors import ConflictError

pytestmark = pytest.mark.usefixtures("probing_here")


@pytest.fixture
def on_stat(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """Let each look at a folder run what is put in here first, as long as that takes."""
    do: list[Callable[[], Any]] = []
    own = os.stat

    def stat(path: Any, *args: Any, **options: Any) -> Any:
        if do and str(path).endswith("films"):
            do[-1]()
        return own(path, *args, **options)

    monkeypatch.setattr(os, "stat", stat)
    return do


def test_folders_are_looked_at_while_others_may_write(
    store: Store, tmp_path: Path, on_stat: list[Callable[[], Any]]
) -> None:
    for name in ("films", "more films", "tv"):
        blob(tmp_path / name / "a.mkv")
    other = store.media.add_library("TV", tmp_path / "tv", "tv")
    wrote: list[str] = []
    with ThreadPoolExecutor(1) as pool:

        def write() -> None:
            title = f"Show {len(wrote)}"
            wrote.append(pool.submit(store.media.save_show, other.id, title=title).result(20).id)

        on_stat.append(write)
        films = store.media.add_library("Films", tmp_path / "films", "movie")
        added = len(wrote)
        store.media.update_library(films.id, path=tmp_path / "more films")
    assert 0 < added < len(wrote)
    assert len(store.media.shows().items) == len(wrote)


def test_a_library_that_is_added_while_a_folder_is_looked_at_is_seen(
    store: Store, tmp_path: Path, on_stat: list[Callable[[], Any]]
) -> None:
    blob(tmp_path / "films/in/a.mkv")
    tv = store.media.add_library("TV", blob(tmp_path / "tv/a.mkv").parent, "tv")

    def add() -> None:
        on_stat.clear()
        store.media.add_library("In", tmp_path / "films/in", "movie")

    on_stat.append(add)
    with pytest.raises(ConflictError, match="holds library In"):
        store.media.add_library("Films", tmp_path / "films", "movie")
    on_stat.append(lambda: (on_stat.clear(), store.media.remove_library(tv.id)))
    films = store.media.update_library(
        store.media.libraries()[0].id, path=tmp_path / "films", name="All"
    )
    assert [(one.id, one.name) for one in store.media.libraries()] == [(films.id, "All")]
