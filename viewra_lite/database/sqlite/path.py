"""The path of a store, looked at before SQLite opens it.

SQLite says "unable to open database file" of ten different causes. Here each is named, with the
path that it concerns and what to do, and nothing is created or changed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from ...errors import ConfigError, StoreUnavailableError, ViewraError
from ..files import disk_error, is_refused, refuse_full, refused_use
from .file import lock_folder

_BESIDE = ("-wal", "-shm", "-journal")
_LONGEST_PATH_BYTES = 504  # that SQLite opens; with its -journal 512
_SPARE_NAME_BYTES = len(".restoring")  # the longest of the names beside a store
_NEW_STORE_BYTES = 2 << 20  # with the log of its migrations
_LOG_BYTES = 64 << 10  # the index of a log (32 KiB) and its first pages


def refuse_what_cannot_open(path: Path) -> None:
    """Raise the precise error where SQLite would only say "unable to open database file"."""
    try:
        facts = os.stat(path)
    except OSError as exc:
        _refuse_absent(path, exc)
        _refuse_name(os.path.realpath(path))
        folder = path.parent if os.path.exists(path.parent) else path.parent.parent
        _refuse_unusable(str(folder), [])
        refuse_full(folder, _NEW_STORE_BYTES)
        return
    if stat.S_ISDIR(facts.st_mode):
        raise ConfigError(f"{path} is a folder: database_path must name a file")
    if not stat.S_ISREG(facts.st_mode):
        raise ConfigError(f"{path} is not a regular file: database_path must name one")
    real = os.path.realpath(path)
    _refuse_name(real)
    _refuse_unusable(os.path.dirname(real), [real, *_beside(real)])
    if not os.path.exists(f"{real}-shm"):
        refuse_full(Path(real).parent, _LOG_BYTES)


def unusable(path: Path) -> ViewraError | None:
    """Return the error for a file of a store that this program may not write, or None."""
    try:
        os.stat(path)
        _refuse_unusable(str(path.parent), [str(path), *_beside(str(path))])
    except ViewraError as exc:
        return exc
    except OSError as exc:  # it was removed
        return disk_error(exc, path)
    return None


def _refuse_absent(path: Path, error: OSError) -> None:
    """Raise the error for a path that os.stat() fails on, unless a file can be created there."""
    if error.errno == errno.ENAMETOOLONG:
        raise _too_long(path) from error
    for part in (*reversed(path.parents), path):
        try:
            is_folder = stat.S_ISDIR(os.stat(part).st_mode)
        except OSError as exc:
            if exc.errno == errno.ELOOP:
                raise ConfigError(
                    f"{part} is a symbolic link that leads to itself, or through more than 40 "
                    "others: database_path must name a file"
                ) from exc
            if exc.errno != errno.ENOENT:
                raise disk_error(exc, part) from exc
            if os.path.islink(part):
                raise StoreUnavailableError(
                    f"{part} is a link to {os.readlink(part)}, which does not exist: mount its "
                    "disk, or correct the link"
                ) from exc
            if part not in (path, path.parent):
                raise StoreUnavailableError(
                    f"{path} cannot be created, because {part} does not exist: mount its disk, or "
                    "create the folder"
                ) from exc
        else:
            if not is_folder and part != path:
                raise ConfigError(f"{part} is not a folder: database_path cannot be in it")


def _refuse_name(path: str) -> None:
    """Refuse a name that leaves no place for the names of the log and the locks."""
    folder, name = os.path.split(os.fsencode(path))
    try:
        longest = os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError, AttributeError):  # a new folder, or Windows
        longest = 255
    longest -= _SPARE_NAME_BYTES
    if len(folder) + 1 + len(name) > _LONGEST_PATH_BYTES or len(name) > longest:
        raise _too_long(Path(path))


def _too_long(path: Path) -> ConfigError:
    limit = 255 - _SPARE_NAME_BYTES
    return ConfigError(
        f"{path} is too long for database_path: at most {_LONGEST_PATH_BYTES} bytes as a whole, "
        f"and {limit} for the name of the file"
    )


def _refuse_unusable(folder: str, files: list[str]) -> None:
    """Refuse what may not be written to: the folder alone, or all files with one command."""
    if is_refused(folder):
        raise refused_use([Path(folder)])
    wrong = [Path(file) for file in files if is_refused(file)]
    if wrong:
        raise refused_use(wrong, are_ours=True)


def _beside(path: str) -> list[str]:
    """Return the files beside a store, and those of its locks, that exist; refuse other kinds."""
    files = [path + end for end in _BESIDE if _is_there(path + end, stat.S_ISREG, "a file")]
    locks = str(lock_folder(Path(path)))
    if not _is_there(locks, stat.S_ISDIR, "a folder"):
        return files
    try:
        names = os.listdir(locks)
    except OSError:
        names = []  # it is unusable itself
    inside = [f"{locks}{os.sep}{name}" for name in sorted(names)]
    files += [name for name in inside if _is_there(name, stat.S_ISREG, "a file")]
    return [*files, locks]  # the folder last: the command of a remedy is for the files


def _is_there(path: str, is_right: Callable[[int], bool], kind: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if not os.path.islink(path):
            return False
        mode = 0
    except OSError as exc:
        raise disk_error(exc, Path(path)) from exc
    if not is_right(mode):
        raise StoreUnavailableError(
            f"{path} is not {kind}, and the store needs one of this name: move it away"
        )
    return True
