"""Relinking: ids survive renames, moves, replacements and removals.

Watch state belongs to a file's id, so the same file keeps it: the same content (size, first and
last 64 KiB) under another path, or another file of the same movie, episode or track once the old
one is gone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ...database.orm.internals import stored
from ...database.transactions.database import Database
from .. import queries
from ..models import Episode, MediaFile, Movie, RemovedFile, Track
from . import events, queries as file_queries
from .works import Works

_STAYS = ("id", "created_at", "disproved_duration")
_FOLLOWS_CONTENT = (*_STAYS, "fingerprint")


@dataclass(frozen=True, slots=True)
class Match:
    """The known file whose content is under another path now."""

    known: MediaFile | RemovedFile
    is_gone: bool
    """Whether its own path is empty; else it has other content."""


def is_new(file: MediaFile) -> bool:
    """Whether a file has not been probed yet: only then it may be merged into another."""
    return file.fingerprint is None and file.probe_state == "pending"


def find_match(db: Database, file: MediaFile, fingerprint: str) -> Match | None:
    """Return the known file whose content was found under a file's path, or None.

    Reads the disk: call it outside a writer.
    """
    if not fingerprint or fingerprint == file.fingerprint:
        return None
    alike = db.all(file_queries.files_like, fingerprint)
    for known in sorted(alike, key=lambda known: bool(known.filename != file.filename)):
        may_be = is_new(file) or known.library_id == file.library_id
        if known.id != file.id and may_be and exists(known.path) is False and _is_known_gone(known):
            return Match(known, True)
    for known in alike:
        if known.id != file.id and _has_other_content(known, file, fingerprint):
            return Match(known, False)
    removed = None
    if is_new(file):
        removed = db.one(file_queries.removed_like, fingerprint, file.filename)
    return Match(removed, True) if removed is not None else None


def exists(path: str) -> bool:
    """Whether a path exists, or cannot be read."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # who cannot look does not know
    return True


def _is_known_gone(file: MediaFile) -> bool:
    """Whether an absent file is gone, and not just unplugged with its disk."""
    return file.status == "missing" or is_mounted(file.library.path)


def _has_other_content(known: MediaFile, file: MediaFile, fingerprint: str) -> bool:
    """Whether a walk has found a known file of the same library overwritten."""
    if known.library_id != file.library_id or known.probe_state != "pending":
        return False
    # Imported here: opening the store does not need it.
    from ..probing.probe import fingerprint as fingerprint_of

    try:
        return fingerprint_of(known.path) != fingerprint
    except OSError:
        return False


def is_mounted(root: str) -> bool:
    """Whether a library's folder is readable and not empty: an empty one may be unplugged."""
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def merge_into(
    db: Database, known: MediaFile | RemovedFile, new_row: MediaFile
) -> MediaFile | None:
    """Merge a newly found row into the row of the same file, which keeps its id.

    The known row takes the new path and columns, and all references to the new row. Returns None
    and changes nothing if another transaction took the known row first. Call inside a writer.
    """
    if not _hold(db, known):
        return None
    values = {name: value for name, value in stored(new_row).items() if name not in _STAYS}
    if not values["identity"]:
        del values["identity"]
    if values["duration"] == known.disproved_duration:
        values["duration"] = None
    # Paths are unique, and references need the known row before the new one is deleted.
    _set(new_row.id, path=_nowhere(new_row))
    if isinstance(known, RemovedFile):
        # Not "now": a file that returns is not new, and must not be merged into yet another.
        MediaFile.insert(
            id=known.id,
            created_at=known.removed_at,
            disproved_duration=known.disproved_duration,
            **values,
        ).execute()
        events.record(db, "file.added", [(known.id,)])
    else:
        _set(known.id, **{**values, "status": "present", "missing_since": None})
        events.record(db, "file.moved", [(known.id,)], old_path=known.path)
    for model in (Movie, Episode, Track):
        model.update(media_file=known.id).where(model.media_file == new_row.id).execute()
    Works(db).move_links(new_row.id, known.id)
    db.emit("file_merged", new_row.id, known.id)
    MediaFile.delete().where(MediaFile.id == new_row.id).execute()
    events.record(
        db, "file.removed", [(new_row.id,)], library_id=new_row.library_id, path=new_row.path
    )
    file: MediaFile = db.one(queries.file_by_id, known.id)
    return file


def swap(db: Database, here: MediaFile, there: MediaFile) -> MediaFile | None:
    """Swap two files of a library whose contents have changed places; call inside a writer.

    References to a path (the movie of that name, columns to be probed) stay with it; the ids move
    with the content. Returns the file that is here now, or None as merge_into() does.
    """
    if not (_hold(db, here) and _hold(db, there)):
        return None
    ours, theirs = _place(here), _place(there)
    _set(here.id, path=_nowhere(here))
    _set(there.id, **ours)
    _set(here.id, **theirs)
    for model in (Movie, Episode, Track):
        of_here = [row.id for row in model.select().where(model.media_file == here.id)]
        model.update(media_file=here.id).where(model.media_file == there.id).execute()
        model.update(media_file=there.id).where(model.id.in_(of_here)).execute()
    Works(db).swap_links(here.id, there.id)
    for each in (here, there):
        events.record(db, "file.moved", [(each.id,)], old_path=each.path)
    file: MediaFile = db.one(queries.file_by_id, there.id)
    return file


def _hold(db: Database, known: MediaFile | RemovedFile) -> bool:
    if isinstance(known, RemovedFile):
        return bool(db.run(file_queries.forget_removed, known.id))
    return bool(db.run(file_queries.hold_file, known.id, known.path))


def _place(file: MediaFile) -> dict[str, Any]:
    return {name: value for name, value in stored(file).items() if name not in _FOLLOWS_CONTENT}


def _nowhere(file: MediaFile) -> str:
    return f"{file.path}\x01{file.id}"


def _set(id: str, **values: object) -> None:
    MediaFile.update(**values).where(MediaFile.id == id).execute()
