"""Libraries: checks of their folders, changes, and removal that keeps all watch state."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from peewee import fn

from ..database.checks import (
    checked_choice,
    checked_path,
    checked_title,
    checked_whole,
    known_id,
    no_such,
    unknown_name,
)
from ..database.orm.fields import canonical_path, checked_value, stored_size
from ..database.orm.nodes import MovedPath
from ..database.transactions.database import Database
from ..database.transactions.slices import in_slices, repeat_in_slices
from ..errors import ConflictError, InvalidValueError, StoreBusyError, shown
from . import queries
from .models import LIBRARY_TYPES, Album, Episode, MediaFile, MediaLibrary, Movie, TVShow

_log = logging.getLogger("viewra_lite.media")

LONGEST_PATH = 2048  # bytes in the database; PostgreSQL's index rows hold 2,704
_BATCH = 5  # rows deleted by one step of a transaction
_LOCK_WAIT_S = 0.1  # scans() takes the lock for a moment to see whether it is held
_Checked = TypeVar("_Checked")


def found(db: Database, id: str) -> MediaLibrary:
    """Return a library; raises NotFoundError."""
    library: MediaLibrary | None = db.one(queries.library_by_id, known_id("library", id))
    if library is None:
        raise no_such("library", id)
    return library


@contextmanager
def locked(db: Database, id: str) -> Iterator[MediaLibrary]:
    """Lock a library against scans, reconciliations, removals and purges of every process.

    Yields the library as read under the lock. Raises ConflictError while another holds it.
    """
    with ExitStack() as held:
        try:
            held.enter_context(db.exclusive(f"scan-{id}", wait_s=_LOCK_WAIT_S))
        except StoreBusyError as exc:
            name = found(db, id).name
            raise ConflictError(
                f"library {name} is being scanned or removed, by this or another process: "
                "try again later"
            ) from exc
        yield found(db, id)


def is_locked(db: Database, id: str) -> bool:
    """Whether any process scans, reconciles, removes or purges a library."""
    return db.backend.is_locked(f"scan-{id}")


def absolute(path: object) -> str:
    """Return the absolute path of a folder, which may not exist; raises InvalidValueError."""
    return os.path.abspath(checked_path("path", path))


def checked_root(path: object) -> str:
    """Return the absolute path of an existing folder; raises InvalidValueError."""
    root = absolute(path)
    if os.path.islink(root) and not os.path.exists(root):
        raise InvalidValueError(
            f"{root} is a link to {os.readlink(root)}, which does not exist: mount the disk or "
            "correct the link first"
        )
    if not os.path.exists(root):
        raise InvalidValueError(f"{root} does not exist: create the folder or mount the disk first")
    if not os.path.isdir(root):
        raise InvalidValueError(f"{root} is a file: give the folder that holds it")
    if too_long := why_too_long(root):
        raise InvalidValueError(f"{shown(root)} cannot be a library: {too_long}")
    return root


def part_of(library: MediaLibrary, folder: object) -> str | None:
    """Return the path of a folder in a library, or None for all of it; raises InvalidValueError.

    A way to it over links is replaced by the one that a scan takes. It may have been deleted.
    """
    from .names.kinds import above_discs

    path = os.path.abspath(checked_path("folder", folder))
    checked_value(MediaFile.path, path)
    real, root = os.path.realpath(path), os.path.realpath(library.path)
    if real == root or is_inside(real, root):
        path = os.path.normpath(os.path.join(library.path, os.path.relpath(real, root)))
    elif not is_inside(path, library.path):
        raise InvalidValueError(
            f"{shown(path)} is not in library {library.name}: give a folder below {library.path}"
        )
    if os.path.exists(path) and not os.path.isdir(path):
        raise InvalidValueError(f"{shown(path)} is a file: give the folder that holds it")
    # A disc is scanned as a whole.
    below = above_discs(os.path.relpath(path, library.path).split(os.sep))
    path = os.path.normpath(os.path.join(library.path, *below))
    return None if path == library.path else canonical_path(path)


def why_too_long(path: str) -> str | None:
    """Return what to say of a path that is too long to be stored, or None."""
    if len(path) <= LONGEST_PATH // 4:  # a character takes four bytes at most
        return None
    size = stored_size(path)
    return f"its path has {size} bytes, more than {LONGEST_PATH}" if size > LONGEST_PATH else None


def refuse_overlap(root: str, libraries: list[MediaLibrary]) -> None:
    """Raise ConflictError if a folder is, holds, or is inside, another library."""
    real, *above = _folders(root)
    for library in libraries:
        other, *above_other = _folders(library.path)
        named = f"library {library.name} ({library.path})"
        if real == other:
            raise ConflictError(f"{root} is the folder of {named} already")
        if other in above:
            raise ConflictError(f"{root} is inside {named}: give a folder outside it")
        if real in above_other:
            raise ConflictError(f"{root} holds {named}: give a folder beside it")


def _folders(path: str) -> list[tuple[int, int] | str]:
    """Return the keys of a folder and of each folder above it.

    A key is device and inode, which links, bind mounts and other letter cases share, or the name
    if the folder cannot be read, as on a disk that is unplugged.
    """
    folder = Path(os.path.realpath(path))
    return [_folder_key(str(each)) for each in (folder, *folder.parents)]


def _folder_key(folder: str) -> tuple[int, int] | str:
    try:
        status = os.stat(folder)
    except OSError:
        return folder
    return (status.st_dev, status.st_ino) if status.st_ino else folder


def is_inside(path: str, folder: str) -> bool:
    """Whether an absolute path is below a folder."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def checked_name(name: object) -> str:
    """Return a library's name; raises InvalidValueError for an empty one."""
    return checked_title("name", name).strip()


# The columns of a library that can be changed.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "path": checked_root,
    "type": lambda type: checked_choice("type", type, LIBRARY_TYPES),
    "scan_interval": lambda seconds: checked_whole("scan_interval", seconds),
}


def is_due(library: MediaLibrary, now: datetime) -> bool:
    """Whether a library's next scan is due; one with scan_interval 0 never is."""
    if not library.scan_interval:
        return False
    if library.last_scan is None or library.last_scan > now:
        return True  # a scan in the future was dated by a clock that ran ahead
    return bool(library.last_scan + timedelta(seconds=library.scan_interval) <= now)


def checked_changes(id: str, known: list[MediaLibrary], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes of a library, checked; raises InvalidValueError, ConflictError.

    Reads folders: call it outside a writer.
    """
    for name in changes:
        if name not in _CHECKS:
            raise unknown_name("a library to change", name, _CHECKS)
    checked: dict[str, Any] = {name: _CHECKS[name](value) for name, value in changes.items()}
    if "path" in checked:
        refuse_overlap(checked["path"], [library for library in known if library.id != id])
    return checked


def write_beside(
    db: Database, check: Callable[[list[MediaLibrary]], _Checked], write: Callable[[_Checked], Any]
) -> None:
    """Write what was checked against all libraries, in a durable writer.

    check() may wait for a disk that does not answer, so it runs while others can write, and again
    if they have added, moved or removed a library meanwhile.
    """
    is_written = False
    while not is_written:
        known = db.all(queries.libraries)
        checked = check(known)
        with db.writer(durable=True):
            is_written = _roots(db.all(queries.libraries)) == _roots(known)
            if is_written:
                write(checked)


def _roots(libraries: list[MediaLibrary]) -> set[tuple[str, str]]:
    return {(library.id, library.path) for library in libraries}


def create(db: Database, values: dict[str, Any]) -> None:
    """Insert a library, inside a writer."""
    MediaLibrary.create(**values)
    db.events.record("library.added", library_id=values["id"])


def change(db: Database, id: str, checked: dict[str, Any]) -> None:
    """Store the changes of a library, inside a writer; raises NotFoundError, ConflictError."""
    library = found(db, id)
    if checked.get("type", library.type) != library.type and db.all(queries.files_first, id, 1):
        raise ConflictError(
            f"library {library.name} holds files of type {library.type}: remove it and add it again"
        )
    if "path" in checked:
        move_files(id, library.path, checked["path"])
    MediaLibrary.update(**checked, updated_at=db.now()).where(MediaLibrary.id == id).execute()
    db.events.record("library.updated", library_id=id)


def move_files(library_id: str, old_root: str, new_root: str) -> None:
    """Rewrite the paths of a library's files for its new folder; call inside a writer.

    Raises InvalidValueError if one would be too long.
    """
    old, new = (canonical_path(root.rstrip(os.sep)) for root in (old_root, new_root))
    of_library = MediaFile.select(MediaFile.path).where(MediaFile.library == library_id)
    perhaps = fn.LENGTH(MediaFile.path) > LONGEST_PATH // 4 - stored_size(new) + len(old)
    for file in of_library.where(perhaps).iterator():
        path = os.path.join(new_root, os.path.relpath(file.path, old_root))
        if too_long := why_too_long(path):
            raise InvalidValueError(f"{shown(path)} cannot be stored: {too_long}")
    if is_inside(new, old) or is_inside(old, new):
        # A file's new path may be another's old one, and paths are unique at all times.
        _change_root(library_id, old, "\x01")
        old = "\x01"
    _change_root(library_id, old, new)


def _change_root(library_id: str, old: str, new: str) -> None:
    MediaFile.update(path=MovedPath(MediaFile.path, old, new)).where(
        MediaFile.library == library_id
    ).execute()


def remove(db: Database, library: MediaLibrary) -> None:
    """Delete a library in bounded transactions, remembering the ids of its files."""
    from .files.removal import forget_files

    def forget_some() -> list[str]:
        ids = [id for (id,) in db.all(queries.file_ids_of_library, library.id, _BATCH)]
        if ids:
            forget_files(db, ids)
        return ids

    # Files first: after an interruption, a scan restores them.
    repeat_in_slices(db, forget_some)
    _keep_movies(db, library.id)
    for model in (Movie, Album):
        _delete_all(db, model, model.library, library.id)
    _delete_shows(db, library.id)
    with db.writer(durable=True):
        MediaLibrary.delete().where(MediaLibrary.id == library.id).execute()
        db.events.record("library.removed", library_id=library.id)
    _log.info("removed library %s", library.id)


def _keep_movies(db: Database, library_id: str) -> None:
    """Keep the metadata of a library's movies, in case it is added again."""
    from .files.works import Works

    with db.reader():
        ids = [row.id for row in Movie.select(Movie.id).where(Movie.library == library_id)]

    def keep(some: list[str]) -> None:
        for movie in list(Movie.select().where(Movie.id.in_(some))):
            Works(db).keep(movie)

    in_slices(db, (partial(keep, ids[at : at + _BATCH]) for at in range(0, len(ids), _BATCH)))


def _delete_shows(db: Database, library_id: str) -> None:
    with db.reader():
        shows = [row.id for row in TVShow.select(TVShow.id).where(TVShow.library == library_id)]
    for show_id in shows:  # a show may have thousands of episodes
        _delete_all(db, Episode, Episode.show, show_id)
    _delete_all(db, TVShow, TVShow.library, library_id)


def _delete_all(db: Database, model: Any, field: Any, parent_id: str) -> None:
    from .catalog import events

    def delete_some() -> list[Any]:
        rows = list(model.select(model.id, field).where(field == parent_id).limit(_BATCH))
        if rows:
            events.delete(db, rows)
        return rows

    repeat_in_slices(db, delete_some)
