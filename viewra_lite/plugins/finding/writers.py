"""Who may change a file: code is imported only from where other users cannot put theirs."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator

from ...errors import PluginError

_ROOT = 0
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def refuse_writers(path: str) -> None:
    """Raise PluginError if another user may change a file or folder, or replace it.

    Root, and the user of this process, may. The folders above it count too, but for those with a
    sticky bit, such as /tmp, in which only an owner replaces a file. On Windows nothing is checked.
    Raises OSError for a path that cannot be read.
    """
    if not hasattr(os, "geteuid"):
        return
    itself = os.path.realpath(path)
    for place in _ways_to(path):
        status = os.lstat(place)
        is_above = os.path.realpath(place) != itself
        _refuse(place, status, is_above and bool(status.st_mode & stat.S_ISVTX))


def refuse_writers_below(folder: str) -> None:
    """Raise PluginError if another user may change something in a folder, at any depth."""
    if not hasattr(os, "geteuid"):
        return
    for above, folders, files in os.walk(folder):
        for name in sorted((*folders, *files)):
            path = os.path.join(above, name)
            if os.path.islink(path):
                raise PluginError(f"{path} is a link", remedy="put there what it points to")
            _refuse(path, os.lstat(path), False)


def _refuse(path: str, status: os.stat_result, is_sticky: bool) -> None:
    if status.st_uid not in (_ROOT, os.geteuid()):
        raise PluginError(
            f"{path} belongs to another user (id {status.st_uid}), who may change it",
            remedy=f"chown {os.geteuid()} {shlex.quote(path)}, if you trust its content",
        )
    if status.st_mode & _OTHERS and not (stat.S_ISLNK(status.st_mode) or is_sticky):
        raise PluginError(
            f"other users may write to {path}", remedy=f"chmod go-w {shlex.quote(path)}"
        )


def _ways_to(path: str) -> Iterator[str]:
    """Yield a path, the folders above it, and the same of every link on the way."""
    seen: set[str] = set()
    left = [os.path.abspath(path)]
    while left:
        place = left.pop()
        if place in seen:
            continue
        seen.add(place)
        yield place
        above = os.path.dirname(place)
        left.append(above)
        if os.path.islink(place):
            left.append(os.path.normpath(os.path.join(above, os.readlink(place))))
