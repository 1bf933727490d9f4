"""Reads an export, a file or the files of a ZIP, as text, table, JSON or XML."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NoReturn

from ..config.values import WHY_UNREADABLE
from ..errors import InvalidValueError
from .record import column_name

MOST_BYTES = 32 * 1024 * 1024  # parsed JSON may take 20 times that in memory
MOST_XML_BYTES = 256 * 1024 * 1024  # read piece by piece; Kodi writes 5 KiB per movie
MOST_MEMBERS = 2000  # of a ZIP
MOST_ROWS = 500_000  # plays of a household in decades
_DELIMITERS = ",;\t"
_XML = re.compile(rb"(\xef\xbb\xbf)?\s*<")
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
)
_ENCRYPTED = 1  # in the flags of a ZIP's entry
_DATA_SUFFIXES = (".csv", ".json", ".jsonl", ".tsv", ".xml", ".txt")


class Part:
    """One file of an export; a ZIP has several."""

    def __init__(self, name: str, label: str, content: bytes) -> None:
        self.name = name
        """Its path in the ZIP, or the file's own name."""
        self.label = label
        """Its name in messages."""
        self.content = content

    @cached_property
    def text(self) -> str:
        """The content, decoded; raises InvalidValueError."""
        return _decoded(self.content, self.label)

    @cached_property
    def kind(self) -> str:
        """Its kind: json, xml or table."""
        if _XML.match(self.content):
            return "xml"
        return "json" if self.text.lstrip()[:1] in ("[", "{") else "table"

    @cached_property
    def document(self) -> Any:
        """The parsed JSON; JSON lines are a list. Raises InvalidValueError."""
        return _document(self.text, self.label)

    @cached_property
    def table(self) -> list[tuple[int, list[str]]]:
        """The lines of a CSV file that are not blank, with numbers; raises InvalidValueError."""
        return list(_csv_lines(self.text, self.label))

    @cached_property
    def header(self) -> list[str]:
        """The names of the columns, normalised by column_name()."""
        try:
            first = next(_csv_lines(self.text, self.label), (0, []))
        except InvalidValueError:
            return []
        return [column_name(cell) for cell in first[1]]

    @cached_property
    def lines(self) -> list[str]:
        """The lines of a text."""
        return self.text.splitlines()

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row below the header as a mapping, with its line number."""
        names = self.header
        for number, cells in self.table[1:]:
            yield number, dict(zip(names, cells))


def parts_of(path: str | os.PathLike[str]) -> list[Part]:
    """Return the files of an export; a ZIP is unpacked in memory, not on disk.

    The limit is 32 MiB (XML 256 MiB), also for the unpacked files of a ZIP. Raises
    InvalidValueError.
    """
    label = os.fspath(path)
    if not isinstance(label, str):
        raise InvalidValueError(f"path must be text, not {type(path).__name__}")
    content = _bounded_bytes(label)
    if content[:4] in (b"PK\3\4", b"PK\5\6"):
        return list(_members(content, label))
    return [Part(os.path.basename(label), label, content)]


def pick(value: object, *names: str) -> Any:
    """Return a value from nested mappings, or None."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def objects(value: object) -> list[dict[str, Any]]:
    """Return the mappings in a list; [] if value is not a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


# The file


def _bounded_bytes(path: str) -> bytes:
    why = "its name contains a character that file names cannot contain"
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "")
        if not stat.S_ISREG(mode):  # opening a FIFO would wait for ever
            raise InvalidValueError(f"{path}: cannot be read: it is not a regular file")
        with open(path, "rb") as file:
            head = file.read(4096)
            most = MOST_XML_BYTES if _XML.match(head) else MOST_BYTES
            content = head + file.read(most + 1 - len(head))
    except OSError as exc:
        why = WHY_UNREADABLE.get(exc.errno or 0) or os.strerror(exc.errno or errno.EIO)
    except InvalidValueError:
        raise
    except ValueError:  # a NUL, or a lone surrogate
        pass
    else:
        if len(content) <= most:
            return content
        why = f"it is larger than {most >> 20} MiB: split it into several files"
    raise InvalidValueError(f"{path}: cannot be read: {why}")


def _members(content: bytes, label: str) -> Iterator[Part]:
    """Yield the text files of a ZIP; the sizes in its headers are not trusted."""
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_MEMBERS:
                raise InvalidValueError(
                    f"{label}: contains more than {MOST_MEMBERS} files: unpack it and import its "
                    "files one by one"
                )
            for entry in entries:
                if entry.is_dir() or not entry.filename.lower().endswith(_DATA_SUFFIXES):
                    continue
                if entry.flag_bits & _ENCRYPTED:
                    raise InvalidValueError(
                        f"{label}: needs a password: unpack it and import its files one by one"
                    )
                with archive.open(entry) as file:
                    data = file.read(left + 1)
                left -= len(data)
                if left < 0:
                    raise InvalidValueError(
                        f"{label}: unpacks to more than {MOST_BYTES >> 20} MiB: unpack it and "
                        "import its files one by one"
                    )
                yield Part(entry.filename, f"{label}, {_printable(entry.filename)}", data)
    except InvalidValueError:
        raise
    except _BROKEN_ZIP as exc:
        is_other = isinstance(exc, NotImplementedError)
        why = "Python does not support its compression" if is_other else "it is damaged"
        raise InvalidValueError(
            f"{label}: cannot be read as a ZIP: {why}: download it again, or unpack it"
        ) from exc


def _printable(name: str) -> str:
    return name[:100].encode("utf-8", "backslashreplace").decode()


def _decoded(content: bytes, label: str) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return content.decode("utf-16").removeprefix("\ufeff")
        except UnicodeDecodeError as exc:
            raise InvalidValueError(
                f"{label}: is not UTF-16 text, as its first bytes say: save or export it as UTF-8"
            ) from exc
    at, why = content.find(b"\0"), "contains a NUL character"
    if at < 0:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            at, why = exc.start, "is not UTF-8 text"
    line = content.count(b"\n", 0, at) + 1
    raise InvalidValueError(f"{label}, line {line}: {why}: save or export it as UTF-8")


# CSV


def _csv_lines(text: str, label: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every row that is not blank, with its line number."""
    start = len(text) - len(text.lstrip("\r\n"))
    head = text[start:].partition("\n")[0]
    divider = max(_DELIMITERS, key=head.count)
    # strict: a quote that is never closed would swallow the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=divider, strict=True)
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield number, cells
            number = reader.line_num + 1
    except csv.Error as exc:
        raise InvalidValueError(
            f"{label}, line {number}: is not valid CSV ({exc}): double the quotes inside a value, "
            "and close every quote"
        ) from exc


# JSON


def _document(text: str, label: str) -> Any:
    try:
        return _loaded(text)
    except json.JSONDecodeError as exc:
        lines = _json_lines(text) if exc.msg == "Extra data" else None
        if lines is not None:
            return lines
        place, why = f", line {exc.lineno}, column {exc.colno}", exc.msg
    except RecursionError:
        place, why = "", "it is nested too deeply"
    except ValueError as exc:  # a number of thousands of digits, or NaN
        place, why = "", str(exc).partition(":")[0]
    raise InvalidValueError(f"{label}{place}: is not valid JSON ({why}): export it again")


def _json_lines(text: str) -> list[Any] | None:
    """Return the objects of JSON lines; None if a line is not an object."""
    try:
        found = [_loaded(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(each, dict) for each in found) else None


def _loaded(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
