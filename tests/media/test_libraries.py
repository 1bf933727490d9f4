"""Libraries: what may be one, when one is due, and how one changes and goes."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.libraries import blob, counts, every_file, facts, ids, watched
from viewra_lite import FileFacts, Store
from viewra_lite.errors import ConflictError, InvalidValueError, NotFoundError, ViewraError
from viewra_lite.media.module import MediaModule
from viewra_lite.playback.models import UserMediaProgress

pytestmark = pytest.mark.usefixtures("probing_here")


def made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def test_a_library_is_added_found_listed_and_removed(store: Store, tmp_path: Path) -> None:
    folder = made(tmp_path / "b")
    library = store.media.add_library("  Films ", folder, "movie", scan_interval=60)
    assert (library.name, library.path, library.type) == ("Films", str(folder), "movie")
    assert (library.scan_interval, library.last_scan) == (60, None)
    assert store.media.library(library.id) == library
    assert store.media.find_library(f"{folder}/") == library
    assert store.media.find_library(str(tmp_path)) is None
    music = store.media.add_library("Alben", made(tmp_path / "a"), "music")
    assert [one.id for one in store.media.libraries()] == [music.id, library.id]
    store.media.remove_library(library.id)
    with pytest.raises(NotFoundError, match=library.id):
        store.media.library(library.id)
    with pytest.raises(NotFoundError, match=library.id):
        store.media.remove_library(library.id)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"path": "/does/not/exist"}, "/does/not/exist does not exist"),
        ({"path": ""}, "path"),
        ({"path": None}, "path"),
        ({"path": 7}, "path"),
        ({"path": b"/tmp"}, "path"),
        ({"path": "/m/\0"}, "NUL"),
        ({"type": "films"}, "movie, tv, music"),
        ({"type": None}, "type"),
        ({"type": []}, "type"),
        ({"scan_interval": -1}, "scan_interval"),
        ({"scan_interval": 1.5}, "scan_interval"),
        ({"scan_interval": True}, "scan_interval"),
        ({"scan_interval": 2**31}, "scan_interval"),
        ({"scan_interval": "60"}, "scan_interval"),
    ],
)
def test_what_cannot_be_a_library_is_refused_and_nothing_is_stored(
    store: Store, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    good: dict[str, Any] = {"name": "Films", "path": made(tmp_path / "films"), "type": "movie"}
    with pytest.raises(InvalidValueError, match=words):
        store.media.add_library(**{**good, **change})
    assert store.media.libraries() == []
    library = store.media.add_library(**good)
    with pytest.raises(InvalidValueError, match=words):
        store.media.update_library(library.id, **change)
    assert store.media.library(library.id) == library
    assert store.media.library(library.id).updated_at == library.updated_at


def test_a_file_is_no_library(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="is a file"):
        store.media.add_library("Films", blob(tmp_path / "a.mkv"), "movie")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("films", "is the folder of library Films"),
        ("films/", "already"),
        ("x/../films", "already"),
        ("films/sub", "is inside library Films"),
        (".", "holds library Films"),
        ("link", "already"),
        ("link/sub", "is inside"),
        ("sublink", "is inside"),
    ],
)
def test_libraries_never_overlap_under_any_name(
    store: Store, tmp_path: Path, path: str, words: str
) -> None:
    films = made(tmp_path / "films")
    made(films / "sub"), made(tmp_path / "x")
    (tmp_path / "link").symlink_to(films)
    (tmp_path / "sublink").symlink_to(films / "sub")
    store.media.add_library("Films", films, "movie")
    other = store.media.add_library("Filmstrips", made(tmp_path / "films-2"), "movie")
    with pytest.raises(ConflictError, match=words):
        store.media.add_library("Shows", f"{tmp_path}/{path}", "tv")
    with pytest.raises(ConflictError, match=words):
        store.media.update_library(other.id, path=f"{tmp_path}/{path}")
    assert len(store.media.libraries()) == 2


def test_a_library_that_is_a_link_keeps_the_name_it_was_given(store: Store, tmp_path: Path) -> None:
    made(tmp_path / "films")
    (tmp_path / "link").symlink_to(tmp_path / "films")
    library = store.media.add_library("Films", tmp_path / "link", "movie")
    assert library.path == str(tmp_path / "link")
    with pytest.raises(ConflictError):
        store.media.add_library("Films", tmp_path / "films", "movie")


def test_a_library_is_due_when_its_interval_has_passed_since_its_last_completed_scan(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    hourly = store.media.add_library("a", made(tmp_path / "a"), "movie", scan_interval=3600)
    never = store.media.add_library("b", made(tmp_path / "b"), "movie", scan_interval=0)

    def due(now: datetime | None = None) -> list[str]:
        return [library.id for library in store.media.libraries_due(now)]

    assert due() == [hourly.id]
    store.media.scan(hourly.id)
    store.media.scan(never.id)
    assert due() == []
    clock.advance(3599)
    assert due() == []
    clock.advance(1)
    assert due() == due(clock()) == [hourly.id]
    for wrong in (datetime(2024, 1, 1), "now", 5):
        with pytest.raises(InvalidValueError):
            store.media.libraries_due(wrong)


def test_a_change_is_stored_with_its_time_and_the_rest_stays(
    store: Store, tmp_path: Path, clock: Any
) -> None:
    library = store.media.add_library("a", made(tmp_path / "a"), "movie")
    clock.advance(5)
    changed = store.media.update_library(library.id, name="b", type="tv", scan_interval=5)
    assert (changed.name, changed.type, changed.scan_interval) == ("b", "tv", 5)
    assert (changed.path, changed.updated_at) == (library.path, clock())
    with pytest.raises(InvalidValueError, match="has no 'last_scan'"):
        store.media.update_library(library.id, last_scan=None)
    with pytest.raises(NotFoundError, match="nobody"):
        store.media.update_library("nobody", name="c")


def test_the_type_of_a_library_with_files_stays(store: Store, tmp_path: Path) -> None:
    library = store.media.add_library("a", made(tmp_path / "a"), "movie")
    blob(tmp_path / "a/a.mkv")
    store.media.scan(library.id)
    with pytest.raises(ConflictError, match="remove it and add it again"):
        store.media.update_library(library.id, type="tv")
    assert store.media.update_library(library.id, type="movie").type == "movie"


ODD = [
    b"plain.mkv",
    "Amélie (2001).mkv".encode(),
    "千と千尋.mkv".encode(),
    b"raw \xff\xfe \xe9.mkv",
    "\U0010ff80 \U0010ffff.mkv".encode(),
    "e\u0301 nfd.mkv".encode(),
    b"sub\xe9/x (1999).mkv",
    b"a'b\"c\\d%_?*.mkv",
    b"line\nbreak.mkv",
    b"\xf0\x9f\x98\x80.mkv",
]


def odd_files(folder: Path) -> None:
    for name in ODD:
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(name)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old", "new"),
        ("old", "old2"),
        ("é", "ü 千"),
        ("raw\udce9", "x\udcff/y"),
        ("old", "old/in"),
        ("old/in", "old"),
    ],
)
def test_a_new_path_takes_the_files_along(
    store: Store, tmp_path: Path, old: str, new: str, clock: Any
) -> None:
    odd_files(tmp_path / old)
    odd_files(tmp_path / old / "in")  # so that a new path may have been another file's
    library = store.media.add_library("a", tmp_path / old, "movie")
    store.media.scan(library.id)
    before = ids(store, library.id)
    assert len(before) == 2 * len(ODD)
    (tmp_path / old).rename(tmp_path / "between")
    (tmp_path / new).parent.mkdir(parents=True, exist_ok=True)
    if (tmp_path / new).exists():
        (tmp_path / new).rmdir()
    (tmp_path / "between").rename(tmp_path / new)
    moved = store.media.update_library(library.id, path=tmp_path / new)
    assert moved.path == str(tmp_path / new)
    assert ids(store, library.id) == before
    clock.advance(60)
    assert counts(store.media.scan(library.id)) == {"unchanged": 2 * len(ODD)}


def test_a_path_cannot_change_and_a_library_not_go_while_it_is_being_scanned(
    store: Store, tmp_path: Path
) -> None:
    library = store.media.add_library("a", made(tmp_path / "a"), "movie")
    path = blob(tmp_path / "a/a.mkv")
    with store.media.reconcile(library.id) as files:
        files.add(facts(path))
        for attempt in (
            lambda: store.media.update_library(library.id, path=made(tmp_path / "b")),
            lambda: store.media.remove_library(library.id),
            lambda: store.media.scan(library.id),
            lambda: store.media.reconcile(library.id).__enter__(),
        ):
            with pytest.raises(ConflictError, match="being scanned"):
                attempt()
        store.media.update_library(library.id, name="c")
    assert counts(files.result) == {"added": 1}
    store.media.remove_library(library.id)


def test_removing_a_library_of_thousands_of_files_lets_others_write_and_remembers_ids(
    store: Store, tmp_path: Path
) -> None:
    folder = made(tmp_path / "a")
    library = store.media.add_library("a", folder, "movie")
    with store.media.reconcile(library.id) as files:
        for number in range(3000):
            files.add(FileFacts(f"{folder}/{number}.mkv", 1, 1, fingerprint=f"f{number}"))
    for number in range(150):
        show = store.media.save_show(library.id, title=f"Show {number}")
    for number in range(300):
        store.media.save_episode(show.id, season_number=1, episode_number=number)
    known = {file.id for file in every_file(store, library.id)}
    rows: list[int] = []
    removed = threading.Event()

    def write() -> None:
        while not removed.is_set():
            watched(store, f"someone-{len(rows)}")
            rows.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    store.media.remove_library(library.id)
    removed.set()
    writer.join()
    assert len(rows) > 10
    with store.reader():
        left = {model._meta.table_name: model.select().count() for model in MediaModule.models}
        assert UserMediaProgress.select().count() == len(rows)
        # What watch state hangs on stays: the library may come back.
        assert {name for name, number in left.items() if number} == {"removed_files", "works"}
        assert left["removed_files"] == 3000
    again = store.media.add_library("a", folder, "movie")
    with store.media.reconcile(again.id) as files:
        files.add(FileFacts(f"{folder}/7.mkv", 1, 1, fingerprint="f7"))
    assert {file.id for file in every_file(store, again.id)} <= known


def test_a_removal_that_breaks_off_is_made_good_by_a_scan_or_by_another_removal(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    from viewra_lite.database.transactions import slices
    from viewra_lite.media import libraries
    from viewra_lite.media.files import removal

    folder = made(tmp_path / "a")
    for number in range(5):
        blob(folder / f"Film {number} (1950).mkv")
    library = store.media.add_library("a", folder, "movie")
    store.media.scan(library.id)
    before = ids(store, library.id)
    forget, monkeypatched = removal.forget_files, iter([True, False])

    def once(*arguments: Any) -> None:
        if not next(monkeypatched):
            raise KeyboardInterrupt
        forget(*arguments)

    monkeypatch.setattr(libraries, "_BATCH", 2)
    monkeypatch.setattr(slices, "MOST_MS", 0)  # a transaction each
    monkeypatch.setattr(removal, "forget_files", once)
    with pytest.raises(KeyboardInterrupt):
        store.media.remove_library(library.id)
    monkeypatch.undo()
    assert len(ids(store, library.id)) == 3
    clock.advance(60)
    store.media.scan(library.id)
    assert ids(store, library.id) == before
    store.media.remove_library(library.id)
    assert store.media.libraries() == []


@pytest.mark.parametrize("wrong", [None, 5, b"x", "x\0y", "\ud800", "", "nobody"])
def test_an_id_that_cannot_be_one_is_not_found(store: Store, wrong: Any) -> None:
    media = store.media
    for verb in (
        media.library,
        media.remove_library,
        media.scan,
        media.reconcile,
        media.file,
        media.movie,
        media.show,
        media.album,
        media.update_library,
    ):
        with pytest.raises(NotFoundError, match="^no "):
            verb(wrong)
    for verb in (media.files, media.find_file):
        try:
            found = verb(wrong) if verb == media.files else verb(wrong, "/x")
            assert found is None or found.items == []
        except ViewraError as exc:
            assert "library_id" in str(exc)
