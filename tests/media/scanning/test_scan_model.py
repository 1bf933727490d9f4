"""A folder that lives, against a plain model of which id belongs to which content."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from tests.support.clock import Clock
from tests.support.libraries import clip
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.media.models import MediaFile, Movie
from viewra_lite.media.probing.probe import fingerprint
from viewra_lite.media.probing.workers.pool import ProbePool
from viewra_lite.media.scanning import scan as scanning

NAMES = [
    f"{folder}{film} ({year}){version}.mkv"
    for folder in ("", "Sub/")
    for film, year in (("Alien", 1979), ("Brazil", 1985))
    for version in ("", " 1080p")
]


class Row(NamedTuple):
    """What the store says of a file."""

    id: str
    path: str
    status: str
    content: str | None


class Unplugged(Exception):
    """What interrupts a scan."""


class LivingFolder(RuleBasedStateMachine):
    """Create, rename, copy, replace and delete files; scan, or begin to; compare."""

    names = Bundle("names")

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp())
        self.folder = self.base / "m"
        (self.folder / "Sub").mkdir(parents=True)
        self.pool, scanning.ProbePool = (
            scanning.ProbePool,
            (lambda workers, timeout_s: ProbePool(0, timeout_s)),
        )
        self.clock = Clock()
        self.store = Store.open(
            {
                "database": {
                    "type": "sqlite",
                    "database_path": str(self.base / "v.db"),
                    "freeze_threshold": 1.0,
                    "scan_batch_rows": 2,
                }
            },
            clock=self.clock,
        )
        self.library = self.store.media.add_library("m", self.folder, "movie")
        (self.folder / ".hidden").touch()  # so that the folder is never empty
        self.written = 0
        self.told: set[str] = set()

    def teardown(self) -> None:
        self.store.close()
        scanning.ProbePool = self.pool
        shutil.rmtree(self.base)

    @initialize(target=names)
    def first(self) -> str:
        return self.create(NAMES[0])

    @rule(target=names, name=st.sampled_from(NAMES))
    def create(self, name: str) -> str:
        """Write new content, in place where there is a file already."""
        self.written += 1
        clip(self.folder / name, seed=self.written)
        os.utime(self.folder / name, ns=(self.written, self.written))
        return name

    @rule(name=names)
    def delete(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    @rule(target=names, name=names, new=st.sampled_from(NAMES))
    def move(self, name: str, new: str) -> str:
        if (self.folder / name).exists():
            (self.folder / name).rename(self.folder / new)
        return new

    @rule(target=names, name=names, new=st.sampled_from(NAMES))
    def copy(self, name: str, new: str) -> str:
        if (self.folder / name).exists() and name != new:
            shutil.copy2(self.folder / name, self.folder / new)
        return new

    @rule(one=names, other=names)
    def swap(self, one: str, other: str) -> None:
        if one != other and (self.folder / one).exists() and (self.folder / other).exists():
            (self.folder / one).rename(self.folder / "between")
            (self.folder / other).rename(self.folder / one)
            (self.folder / "between").rename(self.folder / other)

    @rule(k=st.integers(1, 9))
    def interrupted_scan(self, k: int) -> None:
        calls = 0

        def progress(*_: Any) -> None:
            nonlocal calls
            calls += 1
            if calls == k:
                raise Unplugged

        self.clock.advance(60)
        try:
            self.store.media.scan(self.library.id, progress=progress)
        except Unplugged:
            pass

    @rule(k=st.integers(1, 9))
    def cancelled_scan(self, k: int) -> None:
        calls = 0

        def progress(*_: Any) -> None:
            nonlocal calls
            calls += 1
            self.clock.advance(1)
            if calls == k:
                self.store.media.cancel_scan(self.library.id)

        present = {row.path for row in self.rows() if row.status == "present"}
        result = self.store.media.scan(self.library.id, progress=progress)
        if result.cancelled:
            assert result.removed == 0
            left = present & self.disk().keys()
            assert left <= {row.path for row in self.rows() if row.status == "present"}

    @rule()
    def scan_of_a_part(self) -> None:
        part, disk = os.path.join(self.folder, "Sub", ""), self.disk()
        present = {row.path for row in self.rows() if row.status == "present"}
        self.clock.advance(60)
        last_scan = self.store.media.library(self.library.id).last_scan
        result = self.store.media.scan(self.library.id, folder=self.folder / "Sub")
        assert self.store.media.library(self.library.id).last_scan == last_scan
        after = {row.path: row for row in self.rows() if row.status == "present"}
        inside = {path: content for path, content in disk.items() if path.startswith(part)}
        assert {p: row.content for p, row in after.items() if p.startswith(part)} == inside
        assert result.added + result.updated + result.moved + result.unchanged == len(inside)
        assert {p for p in present if p in disk and not p.startswith(part)} <= after.keys()

    @rule()
    def scan(self) -> None:
        before, disk = self.rows(), self.disk()
        self.clock.advance(60)
        result = self.store.media.scan(self.library.id)
        after = {row.path: row for row in self.rows() if row.status == "present"}
        assert {path: row.content for path, row in after.items()} == disk
        assert min(result.added, result.updated, result.moved, result.unchanged) >= 0
        assert result.added + result.updated + result.moved + result.unchanged == len(disk)
        self.check_ids(before, disk, {path: row.id for path, row in after.items()})
        self.told |= {row.id for row in self.rows()}
        self.clock.advance(60)
        again = self.store.media.scan(self.library.id)
        assert (again.unchanged, again.moved, again.updated) == (len(disk), 0, 0)

    def check_ids(self, before: list[Row], disk: dict[str, str], after: dict[str, str]) -> None:
        displaced: dict[str, list[Row]] = defaultdict(list)
        arrived: dict[str, list[str]] = defaultdict(list)
        held = {(row.path, row.content) for row in before}
        for row in before:
            if row.content is None:
                continue
            if disk.get(row.path) == row.content:
                assert after[row.path] == row.id, "a file that stayed lost its id"
            else:
                displaced[row.content].append(row)
        for path, content in disk.items():
            if (path, content) not in held:
                arrived[content].append(path)
        for content, rows in displaced.items():
            if len(rows) == len(arrived[content]) == 1:
                (row,), (path,) = rows, arrived[content]
                if row.path in disk:  # written over: content and path may both claim the id
                    assert row.id in (after[path], after[row.path])
                else:
                    assert after[path] == row.id, "a file that moved lost its id"

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        rows = self.rows()
        assert self.told <= {row.id for row in rows}, "an id that was told is gone"
        with self.store.reader():
            files = {file.id: file for file in MediaFile.select()}
            movies = list(Movie.select())
        assert len({movie.identity for movie in movies}) == len(movies)
        for movie in movies:
            file = files[movie.media_file_id]
            if file.probe_state == "done":
                assert file.identity == movie.identity
            alike = [f for f in files.values() if f.identity == movie.identity]
            if all(f.probe_state == "done" for f in files.values()):
                assert file.status == "present" or all(f.status == "missing" for f in alike)

    def rows(self) -> list[Row]:
        with self.store.reader():
            return [Row(f.id, f.path, f.status, f.fingerprint) for f in MediaFile.select()]

    def disk(self) -> dict[str, str]:
        return {str(path): fingerprint(str(path)) for path in self.folder.rglob("*.mkv")}


LivingFolder.TestCase.settings = settings(max_examples=tries(10, 20), stateful_step_count=25)
TestLivingFolder = LivingFolder.TestCase
