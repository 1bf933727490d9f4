"""Places for a store: folders of another user, file systems of their own, and what is in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

NOBODY = 65534
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; those of pytest are for their owner alone."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="viewra-place-")))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for name in reversed(mounted_below(folder)):
            subprocess.run(["umount", "-l", name], check=False, capture_output=True)
        if IS_ROOT and shutil.which("chattr"):
            subprocess.run(["chattr", "-R", "-i", folder], check=False, capture_output=True)
        shutil.rmtree(folder, onerror=_loosen)


def _loosen(remove: object, path: str, _: object) -> None:
    for each in (os.path.dirname(path), path):
        if not os.path.islink(each):
            os.chmod(each, 0o700)
    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)


def mounted_below(folder: Path) -> list[str]:
    points = [line.split(" ")[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(f"{folder}/")]


def mount(*arguments: str) -> None:
    """Mount a file system; the test skips where that is not permitted."""
    if not IS_ROOT:
        pytest.skip("mounting a file system needs root")
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")


@contextmanager
def without_privileges() -> Iterator[None]:
    """Run as a user without any privilege; as oneself where that is so anyway."""
    if not IS_ROOT:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, 0)
    os.setresuid(NOBODY, NOBODY, 0)  # the saved id stays, to come back
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        os.setgroups(groups)


def chown_all(folder: Path) -> None:
    """Give a folder and all in it to the user without privileges."""
    if IS_ROOT:
        for path in (folder, *folder.rglob("*")):
            os.lchown(path, NOBODY, NOBODY)


def fill(folder: Path) -> Path:
    """Write to a disk until it is full."""
    with open(folder / "fill", "wb", buffering=0) as file:
        with suppress(OSError):  # full
            while True:
                file.write(bytes(4096))
    return folder


def mount_read_only(folder: Path, point: Path) -> Path:
    """Let a folder appear at another place, read-only."""
    point.mkdir()
    mount("--bind", str(folder), str(point))
    mount("-o", "remount,ro,bind", str(point))
    return point


def immutable(path: Path) -> Path:
    """Set the attribute that forbids changes; the test skips where there is none."""
    done = subprocess.run(["chattr", "+i", path], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no attributes here: {done.stderr.strip()}")
    return path


def contents_of(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what is in a folder: kind, mode, owner, size, time and content of everything."""
    found: dict[str, tuple[object, ...]] = {}
    for base, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(base, name)
            facts = os.lstat(path)
            content = _content(path, facts)
            changed = facts.st_mtime_ns if stat.S_ISREG(facts.st_mode) else 0
            found[os.path.relpath(path, folder)] = (
                oct(facts.st_mode),
                facts.st_uid,
                facts.st_size * bool(changed),
                changed,
                content,
            )
    return found


def _content(path: str, facts: os.stat_result) -> str:
    if stat.S_ISLNK(facts.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(facts.st_mode):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    return ""
