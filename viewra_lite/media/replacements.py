"""At the end of a run: which of the new files are those that are gone?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from ..database.sessions import Sessions
from . import queries, scan_queries
from .catalog import Catalog
from .identity import is_there
from .models import MediaFile, MediaLibrary, RemovedFile

_LOOK_BACK = 1000
_BATCH = 50  # files in a transaction


class Tally(Protocol):
    """Who counts what is found out."""

    def is_new(self, path: str) -> bool:
        """Whether the file at a path was first seen in this run."""

    def moved(self, path: str) -> None:
        """Count a new file as moved."""

    def replaced(self, path: str) -> None:
        """Count a new file as updated."""


class Replacements:
    """Gives new files of a library the ids of those that are gone and that they are."""

    def __init__(
        self, sessions: Sessions, library: MediaLibrary, tally: Tally, began: datetime
    ) -> None:
        self._sessions = sessions
        self._library = library
        self._tally = tally
        self._before = library.last_scan or library.created_at
        self._since = min(self._before, began)

    def moved(self, gone: Iterable[str]) -> list[str]:
        """Match gone files with new ones of the same content; return the ids that stay gone."""
        return self._matched(gone, "fingerprint", scan_queries.files_with_fingerprints)

    def replaced(self, gone: Iterable[str]) -> list[str]:
        """Match gone files with new ones of the same movie, episode or track."""
        return self._matched(gone, "identity", scan_queries.files_with_identities)

    def long_gone(self) -> None:
        """Match new files with those that went earlier: by content, then by what they are."""
        of_missing, of_removed = queries.file_by_id, scan_queries.removed_by_id
        for key, find, known_by_id in (
            ("fingerprint", scan_queries.missing_moved, of_missing),
            ("fingerprint", scan_queries.removed_moved, of_removed),
            ("identity", scan_queries.missing_replaced, of_missing),
            ("identity", scan_queries.removed_replaced, of_removed),
        ):
            for known_id, newcomer_id in self._sessions.all(find, self._library.id, self._since):
                known = self._sessions.one(known_by_id, known_id)
                newcomer = self._sessions.one(queries.file_by_id, newcomer_id)
                if known is None or newcomer is None or not self._is_new(newcomer):
                    continue  # matched meanwhile
                if isinstance(known, RemovedFile) or not is_there(known.path):
                    self._take_over([(known, newcomer)], key)

    def _matched(self, gone: Iterable[str], key: str, find: Any) -> list[str]:
        left: list[str] = []
        for ids in _chunks(gone, _LOOK_BACK):
            pairs = self._pairs(self._sessions.all(scan_queries.files_by_ids, ids), key, find)
            found: set[str] = set()
            for chunk in _chunks(pairs, _BATCH):
                found |= self._take_over(chunk, key)
            left += [id for id in ids if id not in found]
        return left

    def _pairs(
        self, gone: list[MediaFile], key: str, find: Any
    ) -> list[tuple[MediaFile, MediaFile]]:
        wanted = {getattr(file, key) for file in gone} - {None}
        if not wanted:
            return []
        new: dict[str, list[MediaFile]] = defaultdict(list)
        for file in self._sessions.all(find, list(wanted)):
            if self._is_new(file):
                new[getattr(file, key)].append(file)
        pairs = []
        for file in gone:
            candidates = new.get(getattr(file, key))
            if candidates:
                same_name = [one for one in candidates if one.filename == file.filename]
                newcomer = (same_name or candidates)[0]
                candidates.remove(newcomer)
                pairs.append((file, newcomer))
        return pairs

    def _take_over(self, pairs: list[tuple[Any, MediaFile]], key: str) -> set[str]:
        count = self._tally.moved if key == "fingerprint" else self._tally.replaced
        found = set()
        with self._sessions.writer():
            catalog = Catalog(self._sessions, self._library)
            for known, newcomer in pairs:
                if catalog.take_over(known, newcomer):
                    found.add(known.id)
                    count(newcomer.path)
            catalog.finish()
        return found

    def _is_new(self, file: MediaFile) -> bool:
        """Whether the file came to this library since its last completed scan."""
        if file.library_id != self._library.id:
            return False
        # Of what an interrupted run has found, only the time tells that it is new.
        return bool(file.created_at > self._before) or self._tally.is_new(file.path)


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
