"""Folders that programs frozen into one file were unpacked to, and that a kill has left."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from glob import escape, glob
from pathlib import Path
from shlex import quote

from ...database.findings import Finding

_MAPS = "/proc/[0-9]*/maps"
_UNPACKING_S = 60  # a program that starts has loaded nothing of its folder yet


def left_unpacked() -> Iterator[Finding]:
    """Yield the unpacked folders that no running process uses, where the system shows this."""
    here: str | None = getattr(sys, "_MEIPASS", None)  # where this program was unpacked
    parents = {tempfile.gettempdir(), *([os.path.dirname(here)] if here else [])}
    # Only those with this package in them: other programs are frozen too.
    found = {
        os.path.dirname(os.path.realpath(package))
        for parent in parents
        for package in glob(os.path.join(escape(parent), "_MEI*", "viewra_lite"))
    }
    if not found or not glob(_MAPS):
        return
    left = {folder for folder in found if _may_be_left(folder)}
    left -= set(_used(left))
    for folder in sorted(left):
        text = f"a killed program has left {_size(folder) >> 20} MiB in {folder}"
        remedy = f"remove it, if no program of another container uses it: rm -r {quote(folder)}"
        yield Finding("free-space", "info", text, remedy)


def _may_be_left(folder: str) -> bool:
    """Whether a folder is old enough, and we may see the processes of its owner."""
    with suppress(OSError):  # removed in the meantime
        facts = os.stat(folder)
        is_old = facts.st_mtime < time.time() - _UNPACKING_S
        return is_old and os.getuid() in (0, facts.st_uid)
    return False


def _used(folders: set[str]) -> Iterator[str]:
    """Yield the folders with a library that a process has loaded, as a program has at once."""
    for maps in glob(_MAPS):
        with suppress(OSError):  # the process has ended, or is another user's
            text = Path(maps).read_bytes()
            yield from (folder for folder in folders if os.fsencode(f"{folder}/") in text)


def _size(folder: str) -> int:
    files = [path for path in Path(folder).rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)
