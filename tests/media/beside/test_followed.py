"""A store that has followed every change beside the media says the same as one that is new."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.libraries import clip
from tests.support.torture import tries
from viewra_lite import Store
from viewra_lite.media.models import MediaFolder, MediaStream

pytest.importorskip("guessit")
pytestmark = pytest.mark.usefixtures("probing_here")

FOLDERS = ("A (2001)", "B (2002)", "Box/C (2003)")
BESIDE = (
    *("movie.nfo", "poster.jpg", "fanart.png", "Subs/English.srt", "{}.nfo", "{}-poster.png"),
    *("{}.de.srt", "{}-trailer.mkv", "{} - 2.mkv"),
)


class Disk:
    """Changes a folder of films at random."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self._random, self._count = root, random.Random(seed), 0
        for folder in FOLDERS:
            self._film(root / folder / f"{Path(folder).name}.mkv")

    def change(self) -> None:
        folder = self._random.choice(FOLDERS)
        name = Path(folder).name
        path = self.root / folder / self._random.choice(BESIDE).format(name)
        if self._random.random() < 0.1:
            self._move(self.root / folder)
        elif path.exists() and self._random.random() < 0.6:
            path.unlink()
        elif path.suffix == ".mkv":
            self._film(path)
        else:
            self._write(path)

    def _move(self, folder: Path) -> None:
        """Move a folder away, or back."""
        away = folder.with_name(f"{folder.name} moved")
        if away.exists():
            folder, away = away, folder
        if folder.exists() and not away.exists():
            folder.rename(away)

    def _film(self, path: Path) -> None:
        self._count += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        clip(path, seed=self._count)

    def _write(self, path: Path) -> None:
        self._count += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<movie><plot>{self._count}</plot><director>D</director></movie>")


def said(store: Store, root: Path) -> dict[str, Any]:
    """Return what the store says of each present film, by its files."""
    found = {}
    for row in store.media.movies().items:
        movie = store.media.movie(row.id)
        files = [file for file in movie.files if file.status == "present"]
        if files:
            pictures = [
                path and os.path.relpath(path, root)
                for path in (movie.poster_path, movie.backdrop_path)
            ]
            found[str([os.path.relpath(file.path, root) for file in files])] = (
                *(movie.title, movie.overview, movie.director, pictures),
                sorted(
                    os.path.relpath(extra.media_file.path, root)
                    for extra in movie.extras
                    if extra.media_file.status == "present"
                ),
            )
    with store.reader():
        streams = MediaStream.select().where(MediaStream.external_path.is_null(False))
        found["subtitles"] = sorted(
            os.path.relpath(stream.external_path, root)
            for stream in streams
            if os.path.exists(stream.external_path)
        )
        assert MediaFolder.select().where(MediaFolder.is_pending).count() == 0
    return found


@pytest.mark.parametrize("seed", range(tries(2, 20)))
def test_a_store_that_has_followed_changes_is_as_a_new_one(tmp_path: Path, seed: int) -> None:
    disk = Disk(tmp_path / "films", seed)
    with Store.open(f"sqlite:///{tmp_path}/old.db", clock=Clock()) as store:
        library = store.media.add_library("Films", disk.root, "movie")
        for _ in range(8):
            store.media.scan(library.id, accept_missing=True)
            for _ in range(3):
                disk.change()
        store.media.scan(library.id, accept_missing=True)
        followed = said(store, disk.root)
    with Store.open(f"sqlite:///{tmp_path}/new.db", clock=Clock()) as store:
        library = store.media.add_library("Films", disk.root, "movie")
        store.media.scan(library.id)
        assert followed == said(store, disk.root)
    shutil.rmtree(disk.root)
