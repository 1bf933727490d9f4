"""Prints tables, facts and JSON: with rich on a terminal, as plain aligned lines elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import date, datetime, timezone
from itertools import zip_longest
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

from .times import time_shown

PROGRAM = "viewra-lite"
_GAP = "  "

# A file name may contain anything: its escape sequences must not reach the terminal, its line
# breaks must not end a row, and a byte that is not UTF-8 (a surrogate here) must not raise.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def make_safe() -> None:
    """Escape characters that the encodings of stdout and stderr do not have."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a StringIO, or None where the stream was closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def flush() -> None:
    """Write out what was printed; raises OSError."""
    if sys.stdout is not None:
        sys.stdout.flush()


def silence() -> None:
    """Discard buffered output, so that Python does not fail on it at exit."""
    with suppress(OSError, AttributeError):  # stdout is already closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def complain(text: str) -> None:
    """Print one line about an error on stderr."""
    note(f"{PROGRAM}: {text}")


def note(text: str) -> None:
    """Print one line that is not part of the result, on stderr."""
    if sys.stderr is not None:
        with suppress(OSError):  # stderr is closed, and no other place is left for the message
            print(printable(text), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Print one line of the result."""
    print(printable(text))


def printable(value: object) -> str:
    """Return a value as text without line breaks and control characters; None is empty."""
    if isinstance(value, datetime):
        return time_shown(value)
    return _UNPRINTABLE.sub(_escaped, "" if value is None else str(value))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # a raw byte of a file name
        return f"\\x{code - 0xDC00:02x}"
    return match.group().encode("unicode_escape").decode("ascii")


def readable_size(count: int) -> str:
    """Return a number of bytes with a unit, such as "1.5 GiB"."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


# JSON


@contextmanager
def others_apart(is_json: bool) -> Iterator[None]:
    """Send what others print meanwhile, such as plugins, to stderr if a JSON document follows."""
    if not is_json:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def print_json(document: object) -> None:
    """Print one JSON document, in ASCII; times as ISO 8601 in UTC."""
    print(json.dumps(document, indent=2, default=_plain))


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Tables


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one pair per line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        say(f"{name.ljust(width)}{_GAP}{printable(value)}".rstrip())


def print_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Collection[str] = (),
    texts: Collection[str] | None = None,
) -> None:
    """Print rows below their headings; the columns in `numbers` are aligned to the right.

    In a narrow terminal the columns in `texts` are folded (None: all but the numbers).
    """
    cells = [[printable(value) for value in row] for row in rows]
    right = [heading in numbers for heading in headings]
    folding = [
        heading in texts if texts is not None else heading not in numbers for heading in headings
    ]
    widths = [max(map(cells_of, column)) for column in zip(headings, *cells)]
    if not is_terminal(sys.stdout):
        _print_plain([headings, *cells], widths, right)
        return
    room = shutil.get_terminal_size().columns - len(_GAP) * (len(headings) - 1)
    widths = narrowed(widths, list(map(cells_of, headings)), folding, room)
    if has_rich():
        _print_rich(headings, cells, widths, right)
    else:
        _print_plain([headings, *cells], widths, right)


def narrowed(
    widths: Sequence[int], least: Sequence[int], folding: Sequence[bool], room: int
) -> list[int]:
    """Narrow the widest columns that fold until all fit; headings are never broken."""
    narrow = list(widths)
    while sum(narrow) > room:
        wide = [n for n, width in enumerate(narrow) if folding[n] and width > least[n]]
        if not wide:
            break
        narrow[max(wide, key=narrow.__getitem__)] -= 1
    return narrow


def _print_plain(
    rows: Sequence[Sequence[str]], widths: Sequence[int], right: Sequence[bool]
) -> None:
    for row in rows:
        folded = [folds(text, width) for text, width in zip(row, widths)]
        for line in zip_longest(*folded, fillvalue=""):
            print(_GAP.join(map(_padded, line, widths, right)).rstrip())


def folds(text: str, width: int) -> list[str]:
    """Return the lines of a text folded to width cells, at spaces if possible."""
    lines = [""]
    for part in re.findall(r"\S+\s*|\s+", text):
        if lines[-1] and cells_of(lines[-1] + part.rstrip()) > width:
            lines.append("")
        for character in part:
            if lines[-1] and not character.isspace() and cells_of(lines[-1] + character) > width:
                lines.append("")
            lines[-1] += character
    return [line.rstrip() for line in lines]


def _padded(text: str, width: int, to_the_right: bool) -> str:
    padding = " " * (width - cells_of(text))
    return padding + text if to_the_right else text + padding


def cells_of(text: str) -> int:
    """Return the number of terminal cells: Chinese and Japanese characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _print_rich(
    headings: Sequence[str], rows: list[list[str]], widths: Sequence[int], right: Sequence[bool]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text  # a str would be parsed as markup

    # The box adds a space between columns, so that the gap is the same as in plain tables.
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for heading, width, to_the_right in zip(headings, widths, right):
        table.add_column(
            heading, justify="right" if to_the_right else "left", width=width, overflow="fold"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    console(sys.stdout).print(table)


# Terminals


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal."""
    return stream is not None and stream.isatty()


def has_rich() -> bool:
    """Whether rich is installed."""
    from importlib.util import find_spec

    return find_spec("rich") is not None


def console(stream: TextIO) -> Any:
    """Return a rich Console on a stream; NO_COLOR disables every style."""
    from rich.console import Console

    system: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=stream, color_system=system, highlight=False)
