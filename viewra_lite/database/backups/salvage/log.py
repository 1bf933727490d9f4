"""The write-ahead log of a damaged database: which pages in it are sound.

SQLite stops at the first frame whose checksum is wrong. Each frame's header holds the checksum up
to it, though, so the frames behind a damaged one can be checked too.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from .reading import read_at

_HEADER, _FRAME = 32, 24  # bytes
_MAGIC = 0x377F0682  # and the lowest bit: the checksums are big-endian
_OLDER = 1 << 16  # each time a log begins anew its salt grows by one, and older frames stay behind
_ZERO = (0, 0)


class Log(NamedTuple):
    """The sound pages of a log, up to its last commit."""

    page_size: int
    pages: dict[int, int]
    """The place of the newest content of each page, in bytes from the begin of the log."""
    frames: int
    """Sound ones."""
    is_whole: bool
    """Whether nothing that was committed can be missing."""


class _Frame(NamedTuple):
    page: int
    size_after_commit: int
    salts: tuple[int, int]
    sums: tuple[int, int]


def read_log(path: Path, page_size: int) -> Log | None:
    """Read a log; None without one. page_size is of its database, if the log does not say it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    try:
        size = os.fstat(descriptor).st_size
        return _read(descriptor, size, page_size, _shared_index(path)) if size else None
    finally:
        os.close(descriptor)


def _read(log: int, size: int, page_size: int, index: tuple[int, bytes] | None) -> Log:
    header = read_at(log, 0, _HEADER).ljust(_HEADER, b"\0")
    magic, _, said_size, _, *salts = struct.unpack(">6I", header[:24])
    is_sound = magic & ~1 == _MAGIC and said_size == page_size
    orders = (">" if magic & 1 else "<",) if is_sound else ("<", ">")
    is_sound = is_sound and _sums(_ZERO, header[:24], orders[0]) == struct.unpack(
        ">2I", header[24:]
    )
    count = (size - _HEADER) // (_FRAME + page_size)
    frames = [_frame(log, number, page_size) for number in range(count)]
    current = (salts[0], salts[1]) if is_sound else _most_common(frames)
    begin: tuple[int, int] | None = struct.unpack(">2I", header[24:]) if is_sound else None
    sound = [
        number
        for number, frame in enumerate(frames)
        if frame.salts == current and _is_sound(log, number, frames, begin, page_size, orders)
    ]
    commits = [number for number in sound if frames[number].size_after_commit]
    last = max(commits, default=-1)
    pages = {
        frames[number].page: _place(number, page_size) + _FRAME
        for number in sound
        if number <= last
    }
    ends = (size - _HEADER) % (_FRAME + page_size) == 0 and _ends(frames, current, last)
    is_whole = is_sound and ends and sound == list(range(last + 1))
    if index is not None:
        is_whole = is_whole and (index[1] != header[16:24] or index[0] <= last + 1)
    return Log(page_size, pages, sum(number <= last for number in sound), is_whole)


def _ends(frames: list[_Frame], current: tuple[int, int], last: int) -> bool:
    """Whether what follows the last commit is of an older use of the log, or nothing."""
    return all(0 < current[0] - frame.salts[0] < _OLDER for frame in frames[last + 1 : last + 2])


def _is_sound(
    log: int,
    number: int,
    frames: list[_Frame],
    begin: tuple[int, int] | None,
    page_size: int,
    orders: tuple[str, ...],
) -> bool:
    frame = frames[number]
    before = begin
    if number:
        previous = frames[number - 1]
        before = previous.sums if previous.salts == frame.salts else None
    if before is None:  # damaged just before: this one's own header is all that can be checked
        return 0 < frame.page < 1 << 31
    data = read_at(log, _place(number, page_size), _FRAME + page_size)
    return any(_sums(before, data[:8] + data[_FRAME:], order) == frame.sums for order in orders)


def _place(number: int, page_size: int) -> int:
    return _HEADER + number * (_FRAME + page_size)


def _frame(log: int, number: int, page_size: int) -> _Frame:
    header = read_at(log, _place(number, page_size), _FRAME).ljust(_FRAME, b"\0")
    page, commit, salt, salt2, sum1, sum2 = struct.unpack(">6I", header)
    return _Frame(page, commit, (salt, salt2), (sum1, sum2))


def _most_common(frames: list[_Frame]) -> tuple[int, int]:
    found = Counter(frame.salts for frame in frames).most_common(1)
    return found[0][0] if found else _ZERO


def _sums(start: tuple[int, int], data: bytes, order: str) -> tuple[int, int]:
    """Return the checksum of a log: https://sqlite.org/fileformat2.html#checksum_algorithm."""
    one, two = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data[: len(data) // 4 * 4])
    for first, second in zip(words[::2], words[1::2]):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two


def _shared_index(log: Path) -> tuple[int, bytes] | None:
    """Return the frames and the salts that the index beside a log knew; None without one."""
    path = log.with_name(log.name.removesuffix("-wal") + "-shm")
    try:
        header = path.read_bytes()[:48]
    except OSError:
        return None
    if len(header) < 48 or not header[12]:
        return None
    return struct.unpack("=I", header[16:20])[0], header[32:40]
