"""Bytes of a file on a disk that may be failing."""

from __future__ import annotations

import os


def read_at(descriptor: int, place: int, count: int) -> bytes:
    """Return bytes of a file; fewer at its end, and none where the disk cannot read them."""
    try:
        if hasattr(os, "pread"):
            return os.pread(descriptor, count, place)
        os.lseek(descriptor, place, os.SEEK_SET)  # pragma: no cover
        return os.read(descriptor, count)  # pragma: no cover
    except OSError:
        return b""
