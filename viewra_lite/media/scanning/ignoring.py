"""The files .ignore, .nomedia and .plexignore: what a person has excluded from scans."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from fnmatch import translate
from typing import NamedTuple

IGNORE_FILES = frozenset({".ignore", ".nomedia", ".plexignore"})
_MOST_BYTES = 64 * 1024
_ANY_FOLDERS = None  # "**" in a pattern


class _Pattern(NamedTuple):
    parts: tuple[re.Pattern[str] | None, ...]
    is_negated: bool
    of_folders: bool

    def matches(self, names: list[str]) -> bool:
        """Whether it matches the names of a path below its folder, all of them."""
        places = self._and_beyond({0})
        for name in names:
            reached = set()
            for place in places:
                part = self.parts[place] if place < len(self.parts) else re.compile(r"(?!)")
                if part is _ANY_FOLDERS:
                    reached.add(place)
                elif part.match(name):
                    reached.add(place + 1)
            places = self._and_beyond(reached)
        return len(self.parts) in places

    def _and_beyond(self, places: set[int]) -> set[int]:
        """Add the places that follow a "**", which may match nothing."""
        for place in sorted(places):
            while place < len(self.parts) and self.parts[place] is _ANY_FOLDERS:
                place += 1
                places.add(place)
        return places


class Rules:
    """What the ignore files of a folder, and of those above it, exclude."""

    def __init__(self, above: Rules | None = None) -> None:
        self._files: list[tuple[str, list[_Pattern]]] = list(above._files) if above else []
        self.everything = False
        """Whether the folder is excluded with everything in it."""

    def read(self, folder: str, names: Iterable[str]) -> Rules:
        """Return these rules and those of a folder's ignore files; raises OSError.

        An empty .ignore, and any .nomedia, excludes the folder. Names that do not exist are
        skipped.
        """
        rules = self
        for name in sorted(IGNORE_FILES.intersection(names)):
            patterns = _patterns_of(os.path.join(folder, name))
            if patterns is None:
                continue
            rules = Rules(rules)
            rules._files.append((folder, patterns))
            rules.everything = name == ".nomedia" or name == ".ignore" and not patterns
            if rules.everything:
                break
        return rules

    def exclude(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or a folder is excluded; the last pattern that matches decides."""
        path = path.casefold()
        for folder, patterns in reversed(self._files):
            names = path[len(os.path.join(folder, "").casefold()) :].split(os.sep)
            for pattern in reversed(patterns):
                if (is_folder or not pattern.of_folders) and pattern.matches(names):
                    return not pattern.is_negated
        return False


def _patterns_of(path: str) -> list[_Pattern] | None:
    try:
        with open(path, "rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8-sig", "surrogateescape")
    except FileNotFoundError:
        return None
    lines = (line.strip() for line in text.splitlines())
    return [_pattern(line) for line in lines if line.strip("/!") and not line.startswith("#")]


def _pattern(line: str) -> _Pattern:
    """Read a line as git reads its own ignore files, but without regard to letter case."""
    is_negated, line = line.startswith("!"), line.removeprefix("!")
    line = line.removeprefix("\\")  # before a "#" or "!" that is part of the name
    of_folders, line = line.endswith("/"), line.rstrip("/")
    anywhere = "/" not in line
    parts = [
        _ANY_FOLDERS if name == "**" else re.compile(translate(name.casefold()))
        for name in line.split("/")
        if name
    ]
    return _Pattern((*([_ANY_FOLDERS] if anywhere else []), *parts), is_negated, of_folders)
