"""A library of films and a plugin that is asked about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from viewra_lite import FileFacts, Store
from viewra_lite.plugins import Plugin
from viewra_lite.plugins.models import PluginMetadata

MADE: dict[str, Plugin] = {}
"""By id: the instance that was enabled last."""


class Asker(Plugin):
    """Answers about every kind."""

    id = "asker"
    answers = ("movie", "episode", "track", "file")

    def check(self) -> None:
        """Keep the instance."""
        MADE[self.id] = self


def started(store: Store, kind: type[Plugin] = Asker) -> Any:
    """Register and enable a plugin, and return it."""
    store.plugins.register(kind)
    store.plugins.enable(kind.id)
    return MADE[kind.id]


class Films:
    """A library with the files that a test names; none is on the disk."""

    def __init__(self, store: Store, folder: Path, kind: str = "movie") -> None:
        folder.mkdir()
        (folder / "here").touch()  # an empty folder is that of a disk that is not mounted
        self.store = store
        self.path = str(folder)
        self.library = store.media.add_library(folder.name, folder, kind)
        self.sizes: dict[str, int] = {}

    def put(self, *names: str, size: int = 1000) -> list[str]:
        """Add files, or change those that are there; return their ids."""
        self.sizes.update(dict.fromkeys(names, size))
        self.scan()
        return [self.id(name) for name in names]

    def take(self, *names: str) -> None:
        """Take files away, which makes them missing."""
        for name in names:
            del self.sizes[name]
        self.scan()

    def scan(self) -> None:
        """Tell the store what is there."""
        with self.store.media.reconcile(self.library.id, accept_missing=True) as found:
            for name, size in self.sizes.items():
                found.add(FileFacts(f"{self.path}/{name}", size, 1))

    def id(self, name: str) -> str:
        """Return the id of a file."""
        file = self.store.media.find_file(self.library.id, f"{self.path}/{name}")
        assert file is not None
        return str(file.id)

    def film(self, name: str, **columns: Any) -> str:
        """Add a file with its movie; return the id of the file."""
        [id] = self.put(name)
        columns.setdefault("title", name)
        self.store.media.save_movie(self.library.id, media_file_id=id, **columns)
        return id


def answer_row(store: Store, file_id: str) -> Any:
    """Return the only row of answers about a file."""
    with store.reader():
        [row] = PluginMetadata.select().where(PluginMetadata.media_file == file_id)
    return row
