"""The pages of a damaged database, each as its log or its file has it."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType

from .log import Log, read_log
from .reading import read_at

MAGIC = b"SQLite format 3\0"
TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER = 13, 5, 10, 2
_SIZES = (4096, 8192, 16384, 32768, 65536, 1024, 2048, 512)
_SAMPLED = 256  # pages, to find the page size of a file without its header


class Pages:
    """A damaged file and its log, of which nothing is written. Close it, or use it with `with`."""

    def __init__(self, path: Path | None, log: Path | None, *, use_log: bool = True) -> None:
        self._file = _opened(path)
        self._log_file: int | None = None
        self.log: Log | None = None
        size = 0 if self._file is None else os.fstat(self._file).st_size
        self.page_size = self._found_size(size, log)
        if log is not None and use_log:
            self.log = read_log(log, self.page_size)
            self._log_file = _opened(log)
        in_file = -(-size // self.page_size)
        self.count = max([in_file, *(self.log.pages if self.log else ())])
        self.unreadable: set[int] = set()

    def __getitem__(self, number: int) -> bytes:
        """Return a page, filled with zeros where it cannot be read; numbers begin at 1."""
        place = self.log.pages.get(number) if self.log is not None else None
        if place is not None and self._log_file is not None:
            found = read_at(self._log_file, place, self.page_size)
        elif self._file is not None and 0 < number <= self.count:
            found = read_at(self._file, (number - 1) * self.page_size, self.page_size)
        else:
            found = b""
        if len(found) < self.page_size:
            self.unreadable.add(number)
            found = found.ljust(self.page_size, b"\0")
        return found

    @property
    def application_id(self) -> int | None:
        """PRAGMA application_id; None without a header."""
        header = self[1] if self.count else b""
        return struct.unpack(">I", header[68:72])[0] if header.startswith(MAGIC) else None

    @property
    def auto_vacuum(self) -> int:
        """PRAGMA auto_vacuum: 0, 1 (full) or 2 (incremental); 0 without a header."""
        header = self[1] if self.count else b""
        if not header.startswith(MAGIC):
            return 0
        largest_root, incremental = struct.unpack(">I8xI", header[52:68])
        return 0 if not largest_root else 2 if incremental else 1

    def free(self) -> set[int]:
        """Return the pages that hold nothing, as far as their list can be read."""
        header, found = self[1] if self.count else b"", set[int]()
        trunk = struct.unpack(">I", header[32:36])[0] if header.startswith(MAGIC) else 0
        while 0 < trunk <= self.count and trunk not in found:
            found.add(trunk)
            page = self[trunk]
            trunk, count = struct.unpack(">2I", page[:8])
            count = min(count, self.page_size // 4 - 2)
            found.update(struct.unpack(f">{count}I", page[8 : 8 + 4 * count]))
        return found

    def close(self) -> None:
        """Close the files."""
        for descriptor in (self._file, self._log_file):
            if descriptor is not None:
                os.close(descriptor)
        self._file = self._log_file = None

    def __enter__(self) -> Pages:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _found_size(self, size: int, log: Path | None) -> int:
        header = read_at(self._file, 0, 100) if self._file is not None else b""
        if header.startswith(MAGIC):
            said = _size_of(struct.unpack(">H", header[16:18])[0])
            if said in _SIZES:
                return said
        beside = _size_in_log(log)
        if beside in _SIZES:
            return beside
        return max(_SIZES, key=lambda one: (self._plausible(one, size), -_SIZES.index(one)))

    def _plausible(self, page_size: int, size: int) -> float:
        """Return the share of a few pages that are as pages of this size: filled from their end."""
        if self._file is None:
            return 0
        count = size // page_size
        sample = range(1, count, max(1, count // _SAMPLED))
        found = [read_at(self._file, number * page_size, page_size) for number in sample]
        return sum(is_page(page) and _is_filled(page) for page in found) / max(1, len(found))


def is_page(page: bytes) -> bool:
    """Whether this may be a page of a table or an index: its header agrees with its size."""
    if len(page) < 12 or page[0] not in (TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER):
        return False
    cells, start = struct.unpack(">2H", page[3:7])
    begin = 8 if page[0] >= INDEX_LEAF else 12
    content = start or 65536
    return bool(begin + 2 * cells <= content <= len(page)) and page[7] <= 60


def _is_filled(page: bytes) -> bool:
    cells = struct.unpack_from(">H", page, 3)[0]
    begin = 8 if page[0] >= INDEX_LEAF else 12
    places = struct.unpack_from(f">{cells}H", page, begin)
    return bool(len(page) // 2 <= max(places, default=0) < len(page))


def _size_of(said: int) -> int:
    return 65536 if said == 1 else said


def _size_in_log(log: Path | None) -> int:
    descriptor = _opened(log)
    if descriptor is None:
        return 0
    try:
        header = read_at(descriptor, 0, 12)
    finally:
        os.close(descriptor)
    return struct.unpack(">I", header[8:12])[0] if len(header) == 12 else 0


def _opened(path: Path | None) -> int | None:
    try:
        return None if path is None else os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
