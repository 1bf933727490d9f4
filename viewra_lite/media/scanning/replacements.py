"""Replacements: matches new files with gone ones at the end of a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from ...database.transactions.database import Database
from .. import queries
from ..catalog.catalog import Catalog
from ..files import queries as file_queries
from ..files.relink import exists
from ..models import MediaFile, MediaLibrary, RemovedFile
from . import queries as scan_queries
from .tally import Tally

_LOOK_BACK = 1000
_BATCH = 50  # files per transaction


class Replacements:
    """Merges new files of a library into the gone files that they have moved from or replace."""

    def __init__(self, db: Database, library: MediaLibrary, tally: Tally, began: datetime) -> None:
        self._db = db
        self._library = library
        self._tally = tally
        self._before = library.last_scan or library.created_at
        self._since = min(self._before, began)

    def moved(self, gone: Iterable[str]) -> list[str]:
        """Match gone files with new ones of the same content; return the ids without a match."""
        return self._matched(gone, "moved")

    def replaced(self, gone: Iterable[str]) -> list[str]:
        """Match gone files with new ones of the same movie, episode or track."""
        return self._matched(gone, "replaced")

    def long_gone(self) -> None:
        """Match new files with those gone in earlier runs: by content, then by works."""
        of_missing, of_removed = queries.file_by_id, file_queries.removed_by_id
        for how, find, known_by_id in (
            ("moved", scan_queries.missing_moved, of_missing),
            ("moved", scan_queries.removed_moved, of_removed),
            ("replaced", scan_queries.missing_replaced, of_missing),
            ("replaced", scan_queries.removed_replaced, of_removed),
        ):
            for known_id, new_row_id in self._db.all(find, self._library.id, self._since):
                known = self._db.one(known_by_id, known_id)
                new_row = self._db.one(queries.file_by_id, new_row_id)
                if known is None or new_row is None or not self._is_new(new_row):
                    continue  # matched in the meantime
                if how == "replaced" and not self._is_same([known_id, new_row_id]):
                    continue  # one of them holds other episodes as well
                if isinstance(known, RemovedFile) or not exists(known.path):
                    self._merge_files([(known, new_row)], how)

    def _matched(self, gone: Iterable[str], how: str) -> list[str]:
        left: list[str] = []
        for ids in _chunks(gone, _LOOK_BACK):
            pairs = self._pairs(self._db.all(file_queries.files_by_ids, ids), how)
            found: set[str] = set()
            for chunk in _chunks(pairs, _BATCH):
                found |= self._merge_files(chunk, how)
            left += [id for id in ids if id not in found]
        return left

    def _pairs(self, gone: list[MediaFile], how: str) -> list[tuple[MediaFile, MediaFile]]:
        keys = self._keys(gone, how)
        if not keys:
            return []
        candidates_for: dict[Any, list[MediaFile]] = defaultdict(list)
        new = [file for file in self._alike(keys.values(), how) if self._is_new(file)]
        new_keys = self._keys(new, how)
        for file in new:
            candidates_for[new_keys[file.id]].append(file)
        pairs = []
        for file in gone:
            candidates = candidates_for.get(keys.get(file.id))
            if candidates:
                same_name = [one for one in candidates if one.filename == file.filename]
                new_row = (same_name or candidates)[0]
                candidates.remove(new_row)
                pairs.append((file, new_row))
        return pairs

    def _keys(self, files: list[MediaFile], how: str) -> dict[str, Any]:
        """Return the key of each file: its fingerprint, or the works that it holds."""
        if how == "replaced":
            return self._works([file.id for file in files])
        return {file.id: file.fingerprint for file in files if file.fingerprint is not None}

    def _is_same(self, ids: list[str]) -> bool:
        return len(set(self._works(ids).values())) == 1

    def _works(self, ids: list[str]) -> dict[str, frozenset[tuple[str, int]]]:
        found: dict[str, set[tuple[str, int]]] = defaultdict(set)
        for row in self._db.all(scan_queries.works_of_files, ids):
            found[row.file_id].add((row.work_id, row.part))
        return {id: frozenset(works) for id, works in found.items()}

    def _alike(self, keys: Iterable[Any], how: str) -> list[MediaFile]:
        """Return the present files that may have any of these keys."""
        if how == "replaced":
            works = {work_id for parts in keys for work_id, _ in parts}
            return self._db.all(scan_queries.files_with_works, list(works))
        return self._db.all(scan_queries.files_with_fingerprints, list(set(keys)))

    def _merge_files(self, pairs: list[tuple[Any, MediaFile]], how: str) -> set[str]:
        count = self._tally.moved if how == "moved" else self._tally.replaced
        found = set()
        with self._db.writer():
            catalog = Catalog(self._db, self._library)
            for known, new_row in pairs:
                if catalog.merge_file(known, new_row):
                    found.add(known.id)
                    count(new_row.path)
            catalog.finish()
        return found

    def _is_new(self, file: MediaFile) -> bool:
        """Whether this run has seen a file that was added since the last completed scan."""
        if file.library_id != self._library.id or not self._tally.has_seen(file.path):
            return False
        # Those that an interrupted run, or one of a part, has added are new by their time only.
        came = self._before < file.created_at <= self._db.now()
        return bool(came) or self._tally.is_new(file.path)


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk
