"""Rows of a damaged database: the cells of a page, and the values in them.

The format is https://sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from typing import Any

from .pages import INDEX_INNER, INDEX_LEAF, TABLE_INNER, TABLE_LEAF, Pages

_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # bytes, by the type of a value


class Damaged(Exception):
    """A page or a row cannot be read."""


def cells_of(page: bytes, number: int) -> list[int]:
    """Return the places of a page's cells; raises Damaged."""
    begin = 100 if number == 1 else 0
    kind = page[begin]
    if kind not in (TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER):
        raise Damaged
    count = struct.unpack_from(">H", page, begin + 3)[0]
    first = begin + (8 if kind in (TABLE_LEAF, INDEX_LEAF) else 12)
    if first + 2 * count > len(page):
        raise Damaged
    return [place for place in struct.unpack_from(f">{count}H", page, first)]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and the place behind it; raises Damaged."""
    try:
        byte = data[at]
        if byte < 0x80:
            return byte, at + 1
        value = 0
        for place in range(at, at + 8):
            byte = data[place]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, place + 1
        value = value << 8 | data[at + 8]
    except IndexError:
        raise Damaged from None
    return (value - (1 << 64) if value >= 1 << 63 else value), at + 9


def payload(pages: Pages, page: bytes, at: int, size: int, *, of_index: bool) -> bytes:
    """Return the content of a cell, with its parts on other pages; raises Damaged."""
    usable = pages.page_size
    if not 0 < size <= pages.count * usable:
        raise Damaged
    largest = (usable - 12) * 64 // 255 - 23 if of_index else usable - 35
    if size <= largest:
        found = page[at : at + size]
        if len(found) < size:
            raise Damaged
        return found
    smallest = (usable - 12) * 32 // 255 - 23
    here = smallest + (size - smallest) % (usable - 4)
    here = here if here <= largest else smallest
    if at + here + 4 > usable:
        raise Damaged
    following = struct.unpack_from(">I", page, at + here)[0]
    return page[at : at + here] + _overflow(pages, following, size - here)


def _overflow(pages: Pages, number: int, size: int) -> bytes:
    parts, each = [], pages.page_size - 4
    while size > 0:
        if not 0 < number <= pages.count:
            raise Damaged
        page = pages[number]
        if not any(page):  # zeros would be taken for content
            raise Damaged
        number = struct.unpack_from(">I", page)[0]
        parts.append(page[4 : 4 + min(size, each)])
        size -= each
    if number:
        raise Damaged
    return b"".join(parts)


def values_of(data: bytes) -> list[Any]:
    """Return the values of a record; raises Damaged."""
    size, at = varint(data, 0)
    if not at <= size <= len(data):
        raise Damaged
    kinds = []
    while at < size:
        kind = data[at]
        if kind < 0x80:
            at += 1
        else:
            kind, at = varint(data, at)
        kinds.append(kind)
    if at != size:
        raise Damaged
    values = []
    for kind in kinds:
        value, at = _value(data, at, kind)
        values.append(value)
    if at != len(data):
        raise Damaged
    return values


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind >= 13 and kind & 1:
        end = at + (kind - 13) // 2
        return _text(data[at:end]), end
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind in _INTEGERS:
        end = at + _INTEGERS[kind]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if kind == 7:
        if at + 8 > len(data):
            raise Damaged
        [number] = struct.unpack_from(">d", data, at)
        if number != number:  # SQLite stores NULL instead
            raise Damaged
        return number, at + 8
    if kind < 12:
        raise Damaged
    end = at + (kind - 12) // 2
    return data[at:end], end


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Damaged from None
    if "\0" in text:  # no store has it
        raise Damaged
    return text
