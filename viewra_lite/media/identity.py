"""Which known file is this? Ids outlive renames, moves, replacements and removals.

Watch state hangs on a file's id, so a file that is the same keeps it: the same content (size,
first and last 64 KiB) under another path, or, where the old one is gone, another file of the same
movie, episode or track.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ..database.sessions import Sessions
from . import queries
from .models import Episode, MediaFile, Movie, RemovedFile, Track

_KEPT = ("id", "created_at")


@dataclass(frozen=True, slots=True)
class Match:
    """The file that a newcomer is, and how that was found out."""

    known: MediaFile | RemovedFile
    same_content: bool


def find_match(sessions: Sessions, newcomer: MediaFile) -> Match | None:
    """Return the known file that a new one is, looking at what is on disk; None if it is new."""
    if newcomer.fingerprint is not None:
        for file in sessions.all(queries.files_like, newcomer.fingerprint):
            if file.id != newcomer.id and _is_gone(file):
                return Match(file, True)
        removed = sessions.one(queries.removed_like, newcomer.fingerprint)
        if removed is not None:
            return Match(removed, True)
    return _find_replaced(sessions, newcomer)


def _find_replaced(sessions: Sessions, newcomer: MediaFile) -> Match | None:
    if newcomer.identity is None:
        return None
    for file in sessions.all(queries.files_named, newcomer.library_id, newcomer.identity):
        if file.id != newcomer.id and _is_gone(file):
            return Match(file, False)
    removed = sessions.one(queries.removed_named, newcomer.identity)
    return Match(removed, False) if removed is not None else None


def _is_gone(file: MediaFile) -> bool:
    """Whether a file is missing, or its library is there and the file is not in it."""
    if file.status == "missing":
        return True
    return not os.path.lexists(file.path) and is_mounted(file.library.path)


def is_mounted(root: str) -> bool:
    """Whether a library's folder can be read and holds anything: an empty one may be unplugged."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def absorb(sessions: Sessions, known: MediaFile | RemovedFile, newcomer: MediaFile) -> MediaFile:
    """Make a newcomer the known file: its path and facts under the known id; inside a writer.

    What pointed at the newcomer points at the known file afterwards.
    """
    values = {name: value for name, value in newcomer.__data__.items() if name not in _KEPT}
    # Two rows cannot have one path, and references need the known row before the other goes.
    _set(newcomer.id, path=f"{newcomer.path}\x01{newcomer.id}")
    if isinstance(known, RemovedFile):
        MediaFile.insert(id=known.id, created_at=newcomer.created_at, **values).execute()
        sessions.run(queries.forget_removed, known.id)
    else:
        _set(known.id, **{**values, "status": "present", "missing_since": None})
    for model in (Movie, Episode, Track):
        model.update(media_file=known.id).where(model.media_file == newcomer.id).execute()
    MediaFile.delete().where(MediaFile.id == newcomer.id).execute()
    file: MediaFile = sessions.one(queries.file_by_id, known.id)
    return file


def _set(id: str, **values: Any) -> None:
    MediaFile.update(**values).where(MediaFile.id == id).execute()
