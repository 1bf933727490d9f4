"""Files beside the store: removed, made durable and hashed, with the errors of their disk."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ..config.values import WHY_UNREADABLE
from ..errors import BackupError, StoreFullError, StoreUnavailableError, ViewraError

_CHUNK_BYTES = 1 << 20
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
MOUNTS = "/proc/mounts"
_PROBE_BYTES = 64 << 10
_LOOKS = 3  # at a file that another process may be removing
_NETWORK = re.compile(r"nfs4?|cifs|smb\w*|fuse\.(?:sshfs|rclone|s3fs|davfs\w*)|davfs|9p|afs|ceph")


def remove(path: Path) -> None:
    """Remove a file, if it exists."""
    with suppress(FileNotFoundError):  # as asked
        path.unlink()


def size_of(path: Path) -> int:
    """Return the bytes of a file; 0 without one, such as a log that another process removes."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def sync(path: Path) -> None:
    """Make a file or a folder durable."""
    if path.is_dir() and os.name == "nt":
        return  # a folder cannot be opened there
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal; raises BackupError if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as exc:
        raise BackupError(f"{path} cannot be read: {why_unreadable(exc)}") from exc
    return digest.hexdigest()


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Translate the errors of a folder's disk."""
    try:
        yield
    except OSError as exc:
        raise disk_error(exc, folder) from exc


def disk_error(error: OSError, path: Path) -> ViewraError:
    """Return the error for a file or folder that the system refuses, with the remedy."""
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else path
    if error.errno in _FULL:
        return StoreFullError(f"the disk of {path} is full, or your quota of it: make room")
    if error.errno == errno.EROFS:
        return _read_only(named)
    if error.errno in (errno.EACCES, errno.EPERM):
        return refused_use([_culprit(named)])
    if error.errno == errno.ENOENT:
        missing = next((path for path in reversed(named.parents) if not path.exists()), named)
        return StoreUnavailableError(
            f"{named} cannot be used, because {missing} does not exist: mount its disk or create it"
        )
    return StoreUnavailableError(f"{named} cannot be used: {_in_the_way(error, named)}")


def _in_the_way(error: OSError, path: Path) -> str:
    if error.errno != errno.EEXIST:
        return why_unreadable(error)
    try:
        os.stat(path)
    except FileNotFoundError:
        with suppress(OSError):  # it was removed
            return f"it is a link to {os.readlink(path)}, which does not exist: mount its disk"
        return "another file was in its place for a moment: try again"
    except OSError as exc:
        return why_unreadable(exc)
    return "a file is in its place"


def why_unreadable(error: OSError) -> str:
    """Return why a file cannot be read, in words for a user."""
    return WHY_UNREADABLE.get(error.errno or 0) or error.strerror or type(error).__name__


def disk_fault(folder: Path) -> ViewraError | None:
    """Return why a file in a folder cannot be written to, or None: found by writing a small one."""
    from tempfile import TemporaryFile

    try:
        with TemporaryFile(dir=folder, buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
    except OSError as exc:
        return disk_error(OSError(exc.errno, exc.strerror), folder)
    return None


def make_folder(path: Path) -> None:
    """Create a folder for us alone, if it does not exist, but none above it."""
    if not path.is_dir():
        path.mkdir(mode=0o700, exist_ok=True)
        give_to_owner(path, path.parent)


def give_to_owner(path: Path, of: Path) -> None:
    """Give a file that root has created to the owner of another one.

    SQLite does so with its log. Otherwise a command of root's leaves files that the user's server
    cannot open.
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        with suppress(OSError):  # a file system without owners, or either was removed meanwhile
            owner = os.stat(of)
            os.chown(path, owner.st_uid, owner.st_gid)


def refuse_full(folder: Path, needed: int) -> None:
    """Raise StoreFullError if fewer bytes are free on the disk of a folder, or no file is."""
    if not hasattr(os, "statvfs"):  # Windows
        return
    facts = os.statvfs(folder)
    if facts.f_files and not facts.f_favail:
        raise StoreFullError(f"the disk of {folder} has no place for another file: remove some")
    free = facts.f_bavail * facts.f_frsize
    if free < needed and facts.f_blocks:
        raise StoreFullError(
            f"the disk of {folder} is full: it has {free} bytes free, and {needed} are needed: "
            "make room"
        )


def is_refused(path: str | Path) -> bool:
    """Whether there is a file that may not be read and written, or a folder to create files in.

    A file that another process removes or creates meanwhile is not refused: it is looked at again.
    """
    return _is_unusable(path) and all(
        os.path.lexists(path) and _is_unusable(path) for _ in range(_LOOKS)
    )


def _is_unusable(path: str | Path) -> bool:
    return not os.access(path, os.W_OK | (os.X_OK if os.path.isdir(path) else os.R_OK))


def refused_use(paths: Sequence[Path], *, are_ours: bool = False) -> ViewraError:
    """Return the error for files, or a folder, that this program may not read and write.

    are_ours: the store has made them, a folder too, so that their owner may be changed.
    """
    from shlex import join

    first, names, files = paths[0], " and ".join(map(str, paths)), list(map(str, paths))
    try:
        if _is_read_only(first):
            return _read_only(first)
        facts = os.stat(first)
    except OSError as exc:  # another process has removed it
        return StoreUnavailableError(f"{names} cannot be used: {why_unreadable(exc)}")
    me = os.geteuid() if hasattr(os, "geteuid") else 0
    needed = 0o300 if stat.S_ISDIR(facts.st_mode) else 0o600
    is_mine = facts.st_uid == me
    if me == 0 or is_mine and facts.st_mode & needed == needed:
        return StoreUnavailableError(
            f"{names} cannot be changed although the mode allows it: check the attributes (lsattr, "
            "chattr -i) and the access list (getfacl)"
        )
    why = f"owner {_user(facts.st_uid)}, mode {stat.S_IMODE(facts.st_mode):04o}"
    if is_mine:
        cure = join(["chmod", "u+rwX", *files])
    elif stat.S_ISDIR(facts.st_mode) and not are_ours:
        cure = "change its owner or mode, or choose another folder"
    else:
        cure = "as root, " + join(["chown", "-R", _user(me), *files])
    use = "written to" if stat.S_ISDIR(facts.st_mode) else "read and written"
    return StoreUnavailableError(
        f"{names} cannot be {use}: permission denied ({why}; this program runs as {_user(me)}): "
        f"{cure}"
    )


def network_share(path: str) -> str | None:
    """Return the file system of a path on a network share, None of another or an unknown one."""
    mounts = _mounts()
    if not any(_NETWORK.fullmatch(kind) for _, kind in mounts):
        return None
    found = _of_mounts(path, mounts)
    return found if _NETWORK.fullmatch(found) else None


def file_system(path: str) -> str:
    """Return the type of a path's file system, such as ext4; empty if the system has no list."""
    return _of_mounts(path, _mounts())


def _mounts() -> list[list[str]]:
    try:
        with open(MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return [line.split(" ")[1:3] for line in file]
    except OSError:  # not Linux
        return []


def _of_mounts(path: str, mounts: list[list[str]]) -> str:
    real, best, found = os.path.realpath(path), "", ""
    for point, kind in mounts:
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)
        if len(point) >= len(best) and f"{real}/".startswith(f"{point.rstrip('/')}/"):
            best, found = point, kind
    return found


def _culprit(path: Path) -> Path:
    """Return what refuses the use of a path: a folder above that may not be entered, or itself."""
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK):
            return folder
    return path if os.path.exists(path) else path.parent


def _is_read_only(path: Path) -> bool:
    return hasattr(os, "statvfs") and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _read_only(path: Path) -> ViewraError:
    return StoreUnavailableError(
        f"{path} is on a read-only file system: mount it for writing, and check its disk if it was "
        "mounted so by itself"
    )


def _user(number: int) -> str:
    from pwd import getpwuid

    try:
        return getpwuid(number).pw_name
    except KeyError:
        return str(number)
