"""Read a settings file: YAML reduced to mappings, lists and text, each with its line.

Only PyYAML's scanner and parser in Python are used. Nothing is constructed, so no type is guessed
and no alias is expanded, and YAML features that a settings file does not need are refused event by
event. Messages repeat no more of the file than a plain word, because a password may be anywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from ..errors import ConfigError
from .values import WHY_UNREADABLE, file_label, key_label

FILE_LIMIT_BYTES = 64 * 1024  # keeps the worst file under a second of pure-Python parsing
DEPTH_LIMIT = 16  # PyYAML's scanner is quadratic in the depth of [[[[

_SQLITE_FILE = b"SQLite format 3\0"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_SYNTAX_REMEDY = (
    "quote a value that contains : # % & * ! | > @ ` { } [ ] or a comma, and check the indentation"
)


class Node(NamedTuple):
    """A value of the file (None where it has none, text, a list or a mapping) and its line."""

    value: None | str | list[Node] | dict[str, Node]
    line: int

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__} in line {self.line}>"


def read_small_file(path: str, label: str) -> bytes:
    """Return the bytes of a regular file of at most 64 KiB; raises ConfigError."""
    why = "its name contains a character that file names cannot contain"
    try:
        return _bounded_bytes(path, label)
    except OSError as exc:
        why = WHY_UNREADABLE.get(exc.errno or 0) or os.strerror(exc.errno or errno.EIO)
    except ValueError:  # a NUL, or a lone surrogate
        pass
    raise ConfigError(f"{label}: cannot be read: {why}")


def _bounded_bytes(path: str, label: str) -> bytes:
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if not stat.S_ISREG(mode):  # opening a FIFO would wait for ever
        raise ConfigError(f"{label}: cannot be read: it is not a regular file")
    with open(path, "rb") as file:
        content = file.read(FILE_LIMIT_BYTES + 1)
    if content.startswith(_SQLITE_FILE):
        raise ConfigError(f"{label}: is a database, not a settings file: give sqlite:///{label}")
    if len(content) > FILE_LIMIT_BYTES:
        raise ConfigError(f"{label}: is larger than 64 KiB, the limit for a settings file")
    return content


def decoded(content: bytes, label: str) -> str:
    """Decode UTF-8 with or without a byte order mark; raises ConfigError, also for NUL."""
    at = content.find(b"\0")
    why = "contains a NUL character"
    if at < 0:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            at, why = exc.start, "is not UTF-8 text: save the file as UTF-8"
    line = content.count(b"\n", 0, at) + 1
    raise ConfigError(f"{label}, line {line}: {why}")


def read_yaml(path: str) -> Node:
    """Return the document of a YAML file; raises ConfigError with file, line and remedy."""
    label = file_label(path)
    text = decoded(read_small_file(path, label), label)
    if "\t" in text:
        line = text.count("\n", 0, text.index("\t")) + 1
        raise ConfigError(
            f'{label}, line {line}: contains a tab: use spaces (in a value: "\\t" in double quotes)'
        )
    return _composed(text, label)


def _composed(text: str, label: str) -> Node:
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        return _Composer(events, label).document()
    except ConfigError:
        raise
    except yaml.reader.ReaderError as exc:
        place = f", line {text.count(chr(10), 0, exc.position) + 1}"
        why = "contains a character that YAML does not allow"
    except yaml.MarkedYAMLError as exc:
        place, why = _place_of(exc), f"is not valid YAML: {_SYNTAX_REMEDY}"
    except Exception:  # PyYAML also raises ValueError, OverflowError, IndexError and others
        place, why = "", f"is not valid YAML: {_SYNTAX_REMEDY}"
    raise ConfigError(f"{label}{place}: {why}")


def _place_of(exc: Any) -> str:
    # PyYAML reports an unclosed quote at the end of the file; its opening is the place to fix.
    opening = exc.context_mark if "quoted scalar" in (exc.context or "") else None
    mark = opening or exc.problem_mark or exc.context_mark
    return f", line {mark.line + 1}" if mark else ""


class _Composer:
    """Builds nodes from parser events; refuses features that a settings file does not need."""

    def __init__(self, events: Iterator[Any], label: str) -> None:
        self._events = events
        self._label = label

    def document(self) -> Node:
        self._next()  # the stream starts
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise ConfigError(f"{self._label}: is empty: it needs a section 'database:'")
        if start.tags:
            raise self._refusal(start, "a %TAG directive: remove it")
        root = self._node(self._next(), depth=1)
        self._next()  # the document ends
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            raise self._refusal(after, "a second document (---): keep one")
        return root

    def _next(self) -> Any:
        return next(self._events)

    def _refusal(self, event: Any, what: str) -> ConfigError:
        return ConfigError(f"{self._label}, line {event.start_mark.line + 1}: {what}")

    def _node(self, event: Any, depth: int) -> Node:
        self._refuse_references(event)
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            empty = event.style is None and event.value in _NULLS
            return Node(None if empty else event.value, line)
        if depth > DEPTH_LIMIT:
            raise self._refusal(event, f"is nested deeper than {DEPTH_LIMIT} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._sequence(depth), line)
        return Node(self._mapping(depth), line)

    def _refuse_references(self, event: Any) -> None:
        cure = "is not supported here: write the value out, or quote it if it is text"
        if isinstance(event, yaml.AliasEvent):
            raise self._refusal(event, f"an alias (*) {cure}")
        if event.anchor is not None:
            raise self._refusal(event, f"an anchor (&) {cure}")
        if event.tag is not None:
            raise self._refusal(event, f"a tag (!) {cure}")

    def _sequence(self, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            nodes.append(self._node(event, depth + 1))
        return nodes

    def _mapping(self, depth: int) -> dict[str, Node]:
        nodes: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, nodes)
            value = self._node(self._next(), depth + 1).value
            nodes[key] = Node(value, event.start_mark.line + 1)
        return nodes

    def _key(self, event: object, before: dict[str, Node]) -> str:
        self._refuse_references(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refusal(event, "a list or a mapping as a key: a key must be a word")
        key = str(event.value)
        if key == "<<":
            raise self._refusal(event, "a merge key (<<) is not supported: write the options out")
        if key in before:
            first = before[key].line
            raise self._refusal(
                event, f"{key_label(key)} is given twice (first in line {first}): keep one"
            )
        return key
