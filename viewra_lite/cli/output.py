"""Prints tables, facts and JSON: with rich on a terminal, as plain aligned lines anywhere else."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timezone
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

PROGRAM = "viewra-lite"
_GAP = "  "

# A file's name may hold anything: no escape sequence of it may reach the terminal, no line break
# may end a row, and a byte that is not UTF-8 (a surrogate here) may not stop the printing.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def make_safe() -> None:
    """Let nothing that is printed fail for its encoding."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a StringIO, or None where the stream was closed
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def flush() -> None:
    """Write out what was printed; raises OSError."""
    if sys.stdout is not None:
        sys.stdout.flush()


def silence() -> None:
    """Throw away what is still to be printed, so that Python does not fail on it at exit."""
    with suppress(OSError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def complain(text: str) -> None:
    """Print one line about what is wrong on stderr."""
    note(f"{PROGRAM}: {text}")


def note(text: str) -> None:
    """Print one line that is not the answer, on stderr."""
    if sys.stderr is not None:
        with suppress(OSError):
            print(printable(text), file=sys.stderr, flush=True)


def say(text: str) -> None:
    """Print one line of the answer."""
    print(printable(text))


def printable(value: object) -> str:
    """Return a value as text without line breaks and control characters; None is empty."""
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return _UNPRINTABLE.sub(_escaped, "" if value is None else str(value))


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0xDC80 <= code <= 0xDCFF:  # a raw byte of a file name
        return f"\\x{code - 0xDC00:02x}"
    return match.group().encode("unicode_escape").decode("ascii")


def readable_size(count: int) -> str:
    """Return a number of bytes as people read it."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


# JSON


def print_json(document: Any) -> None:
    """Print one JSON document, in ASCII; times as ISO 8601 in UTC."""
    print(json.dumps(document, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


# Tables


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one pair a line."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        say(f"{name.ljust(width)}{_GAP}{printable(value)}".rstrip())


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Collection[str] = ()
) -> None:
    """Print rows below their headings; the columns named in `numbers` stand to the right."""
    cells = [[printable(value) for value in row] for row in rows]
    right = [heading in numbers for heading in headings]
    if is_terminal(sys.stdout) and has_rich():
        _print_rich(headings, cells, right)
    else:
        _print_plain([list(headings), *cells], right)


def _print_plain(rows: list[list[str]], right: list[bool]) -> None:
    widths = [max(map(cells_of, column)) for column in zip(*rows)]
    for row in rows:
        cells = [_padded(*cell) for cell in zip(row, widths, right)]
        print(_GAP.join(cells).rstrip())


def _padded(text: str, width: int, to_the_right: bool) -> str:
    padding = " " * (width - cells_of(text))
    return padding + text if to_the_right else text + padding


def cells_of(text: str) -> int:
    """Return the number of terminal cells: Chinese and Japanese characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _print_rich(headings: Sequence[str], rows: list[list[str]], right: list[bool]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text  # a plain str would be read as markup

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, to_the_right in zip(headings, right):
        # Folded, never cut: an id is there to be copied.
        table.add_column(heading, justify="right" if to_the_right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console(sys.stdout).print(table)


# Terminals


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream ends at a terminal that somebody looks at."""
    return stream is not None and stream.isatty()


def has_rich() -> bool:
    """Whether rich is installed."""
    from importlib.util import find_spec

    return find_spec("rich") is not None


def console(stream: TextIO) -> Any:
    """Return a rich Console on a stream; NO_COLOR leaves out every style."""
    from rich.console import Console

    system: Any = None if os.environ.get("NO_COLOR") else "auto"
    return Console(file=stream, color_system=system, highlight=False)
