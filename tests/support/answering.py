"""Plugins that answer what a test gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.asking import MADE
from tests.support.libraries import blob
from viewra_lite import Store
from viewra_lite.plugins import Plugin


def answering(store: Store, name: str) -> Any:
    """Register and enable a plugin with an id, and return it."""

    class Answering(Plugin):
        id = name
        answers = ("movie", "episode", "track", "file")

        def check(self) -> None:
            MADE[self.id] = self

    store.plugins.register(Answering)
    store.plugins.enable(name)
    return MADE[name]


def answer(plugin: Any, kind: str, facts: Any, confidence: float = 1.0) -> None:
    """Answer all that is due."""
    for item in plugin.todo(kind):
        plugin.answer(item, facts, confidence=confidence)


def answer_about(plugin: Any, kind: str, file_id: str, facts: Any, confidence: float = 1.0) -> None:
    """Answer about one file that is due, or was answered."""
    known = vars(plugin).setdefault("_items", {})
    known.update({item.id: item for item in plugin.todo(kind)})
    plugin.answer(known[file_id], facts, confidence=confidence)


class Disk:
    """A library whose files are on the disk, and scanned."""

    def __init__(self, store: Store, folder: Path, kind: str = "movie") -> None:
        folder.mkdir()
        self.store = store
        self.path = folder
        self.library = store.media.add_library(folder.name, folder, kind)

    def put(self, *names: str) -> list[str]:
        """Write files and scan them; return their ids."""
        for name in names:
            blob(self.path / name)
        self.scan()
        return [self.id(name) for name in names]

    def id(self, name: str) -> str:
        """Return the id of a file."""
        file = self.store.media.find_file(self.library.id, self.path / name)
        assert file is not None
        return str(file.id)

    def scan(self) -> None:
        """Scan the library."""
        self.store.media.scan(self.library.id, accept_missing=True)
