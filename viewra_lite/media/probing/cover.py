"""The picture inside a media file: its cover, read on request in a process of its own.

The process is that of one file, with the limits of the scan's workers: a damaged or hostile file
costs its own cover only.
"""

from __future__ import annotations

import base64
import os
import subprocess
from contextlib import suppress
from typing import NamedTuple

from ..names.kinds import kind_of
from .workers.starting import command, why_in_process
from .workers.worker import limit_memory

LARGEST_COVER_BYTES = 16 * 2**20
_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


class Cover(NamedTuple):
    """A picture from inside a file."""

    data: bytes
    mime_type: str
    """image/jpeg, image/png, image/webp, image/gif or image/bmp: as the data says."""


def cover(path: str, timeout_s: float) -> Cover | None:
    """Return the front cover inside a file, or None; of a file that cannot be read, None too."""
    if why_in_process():
        with suppress(OSError):  # a file that cannot be read has no cover
            return _checked(_of_tags(path))
        return None
    try:
        done = subprocess.run(
            command(__name__, path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _checked(done.stdout)


def serve(path: str) -> None:
    """Write the cover inside a file to stdout; what the process of one file runs."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)  # a C library that prints would garble the answer
    limit_memory()
    is_audio = kind_of(path) == "audio"
    data = (_of_tags(path) if is_audio else b"") or _of_container(path)
    if len(data) <= LARGEST_COVER_BYTES:
        with os.fdopen(answer, "wb") as file:
            file.write(data)


def _checked(data: bytes) -> Cover | None:
    if not 0 < len(data) <= LARGEST_COVER_BYTES:
        return None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Cover(data, "image/webp")
    type = next((type for mark, type in _TYPES if data.startswith(mark)), None)
    return None if type is None else Cover(data, type)


def _of_tags(path: str) -> bytes:
    """Return the picture in the tags of a music file, or nothing."""
    try:
        from tinytag import TinyTag
        from tinytag.tinytag import TinyTagException
    except ImportError:
        return b""
    try:
        images = TinyTag.get(path, image=True).images
    except TinyTagException:
        return b""
    image = images.front_cover or images.any
    return b"" if image is None else bytes(image.data)


def _of_container(path: str) -> bytes:
    """Return the first picture in a file of any format, or nothing."""
    try:
        from pymediainfo import MediaInfo
    except ImportError:
        return b""
    with open(path, "rb") as file:
        found = MediaInfo.parse(file, cover_data=True)
    texts = [track.cover_data for track in found.general_tracks if track.cover_data]
    return base64.b64decode(texts[0].split(" / ")[0]) if texts else b""
