"""Read what people have watched elsewhere: an export of another program, as CSV or JSON."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import stat
from collections.abc import Iterator
from itertools import islice
from typing import Any, NoReturn

from .errors import InvalidValueError
from .option_values import WHY_UNREADABLE
from .watched_record import COLUMNS, WatchedRecord, column_name, record_of

MOST_BYTES = 32 * 1024 * 1024  # as JSON it may take 20 times that in memory
MOST_ROWS = 500_000  # a home's plays of decades
_DELIMITERS = ",;\t"
_KNOWN = {alias for aliases in COLUMNS.values() for alias in aliases}
_SUBJECTS = {alias for name in ("title", "show", "path") for alias in COLUMNS[name]}


def read_watched(path: str | os.PathLike[str]) -> list[WatchedRecord]:
    """Return the plays of a CSV or JSON file, those that cannot be read with their `problem`.

    CSV: the first line names the columns, divided by comma, semicolon or tab. JSON: a list of
    objects, or an object with one list in it. UTF-8, at most 32 MiB and 500,000 plays. Raises
    InvalidValueError where the file as a whole cannot be read, naming the line, the reason and
    the remedy.
    """
    label = os.fspath(path)
    if not isinstance(label, str):
        raise InvalidValueError(f"path must be text, not {path!r}")
    text = _decoded(_bounded_bytes(label), label)
    rows = _json_rows if text.lstrip()[:1] in ("[", "{") else _csv_rows
    records = list(islice(rows(text, label), MOST_ROWS + 1))
    if len(records) > MOST_ROWS:
        raise InvalidValueError(
            f"{label}: holds more than {MOST_ROWS} rows: split it into several files"
        )
    return records


# The file


def _bounded_bytes(path: str) -> bytes:
    why = "its name has a character that no file name can have"
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "")
        if not stat.S_ISREG(mode):  # opening a FIFO would wait for ever
            raise InvalidValueError(f"{path}: cannot be read: it is not a regular file")
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as exc:
        why = WHY_UNREADABLE.get(exc.errno or 0) or os.strerror(exc.errno or errno.EIO)
    except InvalidValueError:
        raise
    except ValueError:  # a NUL, or a lone surrogate
        pass
    else:
        if len(content) <= MOST_BYTES:
            return content
        why = f"it is larger than {MOST_BYTES >> 20} MiB: split it into several files"
    raise InvalidValueError(f"{path}: cannot be read: {why}")


def _decoded(content: bytes, label: str) -> str:
    at, why = content.find(b"\0"), "holds a NUL character"
    if at < 0:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            at, why = exc.start, "is not UTF-8 text"
    line = content.count(b"\n", 0, at) + 1
    raise InvalidValueError(f"{label}, line {line}: {why}: save or export it as UTF-8")


# CSV


def _csv_rows(text: str, label: str) -> Iterator[WatchedRecord]:
    lines = _csv_lines(text, label)
    first = next(lines, None)
    if first is None:
        raise InvalidValueError(
            f"{label}: is empty: its first line must name the columns, such as user,title,year"
        )
    header = [column_name(cell) for cell in first[1]]
    _check_header(header, f"{label}, line {first[0]}")
    for number, cells in lines:
        if any(cell.strip() for cell in cells[len(header):]):
            yield WatchedRecord(number, problem=(
                f"has {len(cells)} columns where the first line names {len(header)}: put a value "
                "that holds the divider in double quotes"
            ))
        else:
            yield record_of(dict(zip(header, cells)), number)


def _csv_lines(text: str, label: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every line that is not blank, with the number of its first line."""
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
            f"{label}, line {number}: is not valid CSV ({exc}): write a double quote inside a "
            "value twice, and close every one"
        ) from exc


def _check_header(header: list[str], place: str) -> None:
    for column, name in enumerate(header, 1):
        first = header.index(name) + 1
        if name in _KNOWN and first != column:
            raise InvalidValueError(
                f"{place}: columns {first} and {column} are both {name!r}: rename or remove one"
            )
    if not _SUBJECTS & set(header):
        raise InvalidValueError(
            f"{place}: no column says what was watched: the first line must name title, show "
            "(with season and episode) or path"
        )


# JSON


def _json_rows(text: str, label: str) -> Iterator[WatchedRecord]:
    for number, entry in enumerate(_entries(_document(text, label), label), 1):
        if isinstance(entry, dict):
            yield record_of(entry, number)
        else:
            yield WatchedRecord(number, problem="is not an object with names and values")


def _document(text: str, label: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as exc:
        place, why = f", line {exc.lineno}, column {exc.colno}", exc.msg
    except RecursionError:
        place, why = "", "it is nested too deeply"
    except ValueError as exc:  # a number of thousands of digits, or NaN
        place, why = "", str(exc).partition(":")[0]
    raise InvalidValueError(f"{label}{place}: is not valid JSON ({why}): export it again")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _entries(document: Any, label: str) -> list[Any]:
    if isinstance(document, list):
        return document
    lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) == 1:
        return lists[0]
    raise InvalidValueError(
        f"{label}: holds an object with {len(lists)} lists: give a list of objects, one for each "
        "play, or an object with one such list in it"
    )
