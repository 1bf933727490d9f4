"""A full disk: each write that does not fit is a StoreFullError and leaves nothing behind.

Reading continues, and writing does by itself once there is room. The disks are small file systems
in memory; the tests skip where none can be mounted.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.places import NOBODY, fill, mount, open_folder
from tests.support.torture import tries
from viewra_lite import FileFacts, SqliteConfig, Store
from viewra_lite.database.backups import backups
from viewra_lite.database.sqlite.drivers.loading import load_driver
from viewra_lite.errors import StoreFullError
from viewra_lite.media.models import MediaLibrary, Movie

PAGE_BYTES = 4096


class SmallDisk:
    """A disk, the store on it, and what fills it up."""

    def __init__(self, folder: Path, source: Any) -> None:
        self.folder = folder
        self.source = source

    def leave(self, pages: int) -> None:
        """Fill the disk, but for some pages."""
        fill(self.folder)
        full = self.folder / "fill"
        os.truncate(full, max(0, full.stat().st_size - pages * PAGE_BYTES))

    def make_room(self) -> None:
        (self.folder / "fill").unlink(missing_ok=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for mount points."""
    with open_folder() as place:
        yield place


def small_disk(folder: Path, size: str) -> Path:
    point = folder / "disk"
    point.mkdir()
    mount("-t", "tmpfs", "-o", f"size={size},mode=755", "none", str(point))
    return point


@pytest.fixture(params=["sqlite", "postgres", "cysqlite"][: tries(2, 3)])
def disk(request: pytest.FixtureRequest, folder: Path) -> Iterator[SmallDisk]:
    """A small disk with a new store, on each engine."""
    if request.param != "postgres":
        if request.param == "cysqlite":
            pytest.importorskip("cysqlite")
        driver = "sqlite3" if request.param == "sqlite" else "cysqlite"
        point = small_disk(folder, "12m")
        options = {"database_path": point / "viewra.db", "driver": driver}
        yield SmallDisk(point, {"database": options})
        return
    server = request.getfixturevalue("postgres_server")
    point, name = small_disk(folder, "64m"), f"small_{uuid4().hex}"
    space = point / "space"
    space.mkdir(mode=0o700)
    os.chown(space, NOBODY, -1)
    server.execute(f"CREATE TABLESPACE {{}} LOCATION '{space}'", name)
    server.execute("CREATE DATABASE {} TEMPLATE template0 TABLESPACE {}", name, name)
    yield SmallDisk(point, server.url(name))
    server.drop_database(name)
    server.execute("DROP TABLESPACE {}", name)


class Work:
    """Writes of all sizes; those that were acknowledged are remembered."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kept: dict[str, str] = {}
        self.acknowledged = self.refused = 0

    def on(self, store: Store) -> None:
        self.store = store
        found = store.media.libraries()
        self.library = found[0] if found else store.media.add_library("m", os.sep, "movie")

    def empty(self) -> None:
        with self.store.writer():
            if self.store.engine == "postgres":  # whose rows take room until they are vacuumed
                Movie._meta.database.execute_sql("TRUNCATE movies CASCADE")
            else:
                Movie.delete().execute()
        self.kept.clear()

    def write(self) -> None:
        """Write once: one movie, or two in one transaction; either all or nothing is kept."""
        size = self.random.choice((10, 100, 3_000, 20_000, 100_000))
        new = {
            self.random.randbytes(9).hex(): self.random.randbytes(size).hex()
            for _ in range(self.random.choice((1, 2)))
        }
        try:
            if len(new) == 1:
                self._save(new)
            else:
                with self.store.writer():
                    self._save(new)
        except StoreFullError as exc:
            assert "make room" in str(exc)
            self.refused += 1
        else:
            self.kept |= new
            self.acknowledged += len(new)

    def _save(self, movies: dict[str, str]) -> None:
        for title, overview in movies.items():
            self.store.media.save_movie(self.library.id, title=title, overview=overview)

    def check(self) -> None:
        """Every write that was acknowledged is there, and nothing else."""
        with self.store.reader():
            rows = Movie.select(Movie.title, Movie.overview).tuples()
            assert dict(rows) == self.kept

    def until_refused(self) -> None:
        before = self.refused
        for _ in range(1000):
            self.write()
            if self.refused > before + 9:
                return
        pytest.fail("the disk was never full")


def test_no_write_is_lost_or_half_done_when_the_disk_is_full(
    disk: SmallDisk, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds, work = tries(2, 20), Work(seed=5)
    for _ in range(rounds):
        with Store.open(disk.source) as store:
            work.on(store)
            work.check()
            work.empty()
            disk.leave(work.random.randrange(64))
            work.until_refused()
            work.check()
            disk.make_room()
            before = work.refused
            for _ in range(5):
                work.write()
            assert work.refused == before  # writing has resumed by itself
            work.check()
    with Store.open(disk.source) as store:
        work.on(store)
        work.check()
    refuse_damage(disk)
    with capsys.disabled():
        print(
            f"\n{rounds} rounds on a full disk: {work.acknowledged} writes acknowledged, 0 lost, "
            f"{work.refused} refused"
        )


def refuse_damage(disk: SmallDisk) -> None:
    if isinstance(disk.source, str):
        return
    options = disk.source["database"]
    with closing(load_driver(options["driver"]).connect(options["database_path"], 1.0)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


NOW = datetime(2024, 5, 1, tzinfo=timezone.utc)


class Home:
    """A store with one of everything, and its writing verbs."""

    def __init__(self, store: Store, films: Path) -> None:
        media, playback, transcoding = store.media, store.playback, store.transcoding
        self.films = films
        films.mkdir()
        for number in range(9):
            (films / f"Film {number} (2001).mkv").write_bytes(bytes(number))
        library = self.library = media.add_library("m", films, "movie").id
        media.scan(library)
        file, other = (each.id for each in media.files(library).items[:2])
        playing = playback.start_session(file, user_id="ann", duration=3600.0).id
        ending = playback.start_session(other, user_id="ann", duration=3600.0).id
        playback.mark_watched("zoe", file)
        playback.set_progress("eva", file, 5.0)
        playback.set_progress("eva", file, 9.0)
        transcoding.request(file, {"height": 480})
        job = transcoding.claim_next("w").id  # type: ignore[union-attr]
        waiting = transcoding.request(file, {"height": 720}).id  # type: ignore[union-attr]
        old = {"title": "Film 2", "year": 2001, "played_at": NOW, "user": "imp"}
        store.importing.watched([old], user_id="imp")
        records = [{"title": "Film 1", "year": 2001, "played_at": NOW, "user": "ann"}]
        self.verbs: dict[str, Callable[[], Any]] = {
            "add_library": lambda: media.add_library("x", films.with_name("disk"), "movie"),
            "update_library": lambda: media.update_library(library, name="y"),
            "scan": lambda: self._scan(store),
            "reconcile": lambda: self._reconcile(store),
            "save_movie": lambda: media.save_movie(library, title="D"),
            "save_show": lambda: media.save_show(library, title="D"),
            "save_album": lambda: media.save_album(library, title="D"),
            "start_session": lambda: playback.start_session(file, user_id="bob"),
            "heartbeat": lambda: playback.heartbeat(playing, 61.5),
            "stop_session": lambda: playback.stop_session(ending, position=70.0),
            "fail_session": lambda: playback.fail_session(playing),
            "set_progress": lambda: playback.set_progress("ann", other, 5.0),
            "mark_watched": lambda: playback.mark_watched("ann", file),
            "mark_unwatched": lambda: playback.mark_unwatched("zoe", file),
            "undo_progress": lambda: playback.undo_progress("eva", file),
            "drop": lambda: playback.drop("eva", file),
            "rename_user": lambda: playback.rename_user("eva", "eve"),
            "forget_user": lambda: playback.forget_user("zoe"),
            "archive_history": lambda: playback.archive_history(older_than=timedelta(0)),
            "playback.tidy": lambda: playback.tidy(datetime.now(timezone.utc) + timedelta(1)),
            "cancel": lambda: transcoding.cancel(waiting),
            "request": lambda: transcoding.request(file, {"height": 360}),
            "claim_next": lambda: transcoding.claim_next("w"),
            "report_progress": lambda: transcoding.report_progress(job, 0.5),
            "fail": lambda: transcoding.fail(job, "e"),
            "import": lambda: store.importing.watched(records, user_id="ann"),
            "remove_library": lambda: media.remove_library(library),
            "writer": lambda: self._write(store),
        }

    def _scan(self, store: Store) -> None:
        for number in range(9):
            (self.films / f"Other {number} (2002).mkv").write_bytes(b"o" * number)
        store.media.scan(self.library)

    def _reconcile(self, store: Store) -> None:
        with store.media.reconcile(self.library) as files:
            for number in range(9):
                files.add(FileFacts(f"{self.films}/G{number}.mkv", 5, 5, fingerprint=f"f{number}"))

    def _write(self, store: Store) -> None:
        with store.writer():
            MediaLibrary.update(name="z").execute()


def test_every_verb_that_writes_says_that_the_disk_is_full_and_succeeds_afterwards(
    folder: Path, driver: Any
) -> None:
    point = small_disk(folder, "12m")
    disk = SmallDisk(point, f"sqlite:///{point}/viewra.db")
    with Store.open(disk.source) as store:
        home = Home(store, folder / "films")
        truncate_log(store, disk)
        before = everything(store)
        disk.leave(0)
        wrote = []
        for name, verb in home.verbs.items():
            try:
                verb()
                wrote.append(name)
            except StoreFullError as exc:
                assert "make room" in str(exc)
        assert wrote == []
        assert everything(store) == before
        disk.make_room()
        for name, verb in home.verbs.items():
            verb()


def test_opening_migrating_and_restoring_on_a_full_disk_leaves_all_as_it_was(folder: Path) -> None:
    point = small_disk(folder, "48m")
    disk = SmallDisk(point, f"sqlite:///{point}/viewra.db")
    with Store.open(disk.source) as store:
        saved = store.backups.create(folder / "saved.db").path
    for refused in (
        lambda: Store.open(disk.source),
        lambda: Store.restore(disk.source, saved),
        lambda: Store.open(f"sqlite:///{point}/new/viewra.db"),
    ):
        disk.leave(0)
        before = sorted(point.rglob("*"))
        with pytest.raises(StoreFullError, match=f"disk of {point}.* is full"):
            refused()
        assert sorted(point.rglob("*")) == before
        disk.make_room()
    Store.restore(disk.source, saved)
    Store.open(disk.source).close()


def test_a_backup_that_fills_its_disk_names_that_disk_and_leaves_nothing(
    folder: Path, driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The free space was enough when the backup began."""
    point = small_disk(folder, "3m")
    monkeypatch.setattr(backups, "SPARE_BYTES", -(1 << 40))
    with Store.open(f"sqlite:///{folder}/viewra.db") as store:
        SmallDisk(point, None).leave(16)
        before = sorted(point.iterdir())
        with pytest.raises(StoreFullError, match=f"the disk of {point} is full"):
            store.backups.create(point / "copy.db")
        assert sorted(point.iterdir()) == before
        (point / "fill").unlink()
        store.backups.create(point / "copy.db")


def test_a_log_on_a_full_disk_does_not_disturb_the_store(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    point = small_disk(folder, "256k")
    handler = logging.FileHandler(point / "viewra.log")
    SmallDisk(point, None).leave(0)
    log = logging.getLogger("viewra_lite")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        with Store.open(f"sqlite:///{folder}/viewra.db") as store:
            store.backups.create(folder / "copy.db")
            assert store.media.libraries() == []
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
        with suppress(OSError):
            handler.close()
    assert "No space left" in capsys.readouterr().err  # Python says it, on the terminal


def truncate_log(store: Store, disk: SmallDisk) -> None:
    """Empty the log, so that whatever is written needs room."""
    with closing(
        load_driver(SqliteConfig().driver).connect(disk.folder / "viewra.db", 1.0)
    ) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def everything(store: Store) -> Any:
    database = Movie._meta.database
    with store.reader():
        return {
            table: sorted(map(repr, database.execute_sql(f'SELECT * FROM "{table}"').fetchall()))
            for table in store.tables()
            if not table.startswith("search_index")
        }
