"""Versions: the files of a movie, an episode or a track, and which of them is best."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from ...database.transactions.database import Database
from .. import queries
from ..models import Episode, MediaFile, MediaLibrary, Track, best_of
from . import queries as file_queries
from . import work_queries


def is_new(row: Any, library: MediaLibrary, now: datetime) -> bool:
    """Whether a row was inserted since the last completed scan."""
    return bool((library.last_scan or library.created_at) < row.created_at <= now)


def is_better(db: Database, file: MediaFile, current_id: str | None) -> bool:
    """Whether a file should replace the current best file of its movie, episode or track."""
    if current_id is None:
        return True
    if current_id == file.id:
        return False
    current: MediaFile | None = db.one(queries.file_by_id, current_id)
    return current is None or best_of([file, current]) is file


def other_version(db: Database, row: object, file: MediaFile) -> MediaFile | None:
    """Return the best other file of a movie, an episode or a track, or None."""
    others = [one for one in files_of(db, row) if one.id != file.id]
    return best_of(others) if others else None


def other_paths(db: Database, row: object, file: MediaFile) -> list[str]:
    """Return the paths of the other present files of a movie, an episode or a track."""
    files = files_of(db, row)
    return [one.path for one in files if one.id != file.id and one.status == "present"]


def files_of(db: Database, row: Any) -> list[MediaFile]:
    """Return the files of a movie, an episode or a track in its library, by path.

    All versions and parts, including files that hold other episodes as well.
    """
    return files_in(db, row.work_id, _library_id(db, row))


def files_in(db: Database, work_id: str, library_id: str) -> list[MediaFile]:
    """Return the files of a work in a library, by path."""
    files = db.all(work_queries.known_files_of, work_id)
    return sorted((file for file in files if file.library_id == library_id), key=_by_path)


def give_files(db: Database, rows: Sequence[Any], links: Iterable[tuple[str, str]]) -> None:
    """Set `files` of episodes or tracks with their best files, given the files of their works."""
    known = {row.media_file_id: row.media_file for row in rows if row.media_file_id}
    ids = defaultdict(list)
    for work_id, file_id in links:
        ids[work_id].append(file_id)
    others = {id for some in ids.values() for id in some} - known.keys()
    if others:
        known.update((file.id, file) for file in db.all(file_queries.files_by_ids, list(others)))
    for row in rows:
        row.files = [known[id] for id in ids[row.work_id] if id in known]
        if len(row.files) > 1:  # few have several
            row.files.sort(key=_by_path)


def _library_id(db: Database, row: Any) -> str:
    if isinstance(row, Episode):
        row = db.one(queries.show_by_id, row.show_id)
    elif isinstance(row, Track):
        row = db.one(queries.album_by_id, row.album_id)
    return str(row.library_id)


def _by_path(file: MediaFile) -> bytes:
    return os.fsencode(file.path)
