"""Merging: which of the values that sources have for a field it takes. Runs no query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Text columns that hold names with commas; they are united as lists are.
_NAMES = frozenset(("director", "composer"))


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one source has for a field."""

    source: str
    """person, plugin, sidecar, tags or name."""
    plugin: str | None
    """The id of the plugin; None: another source, or the program by save_*(lock=False)."""
    value: Any
    confidence: float | None = None
    """0 to 1, of a plugin's answer."""
    answered_at: datetime | None = None
    """When the plugin answered."""


class Order:
    """The order of plugins, by field: the option plugin_order."""

    def __init__(self, option: str) -> None:
        self._by_field: dict[str, list[str]] = {}
        for part in option.split(";"):
            field, colon, ids = part.rpartition(":")
            self._by_field[field.strip() if colon else ""] = [id.strip() for id in ids.split(",")]

    def rank(self, field: str, plugin: str) -> int:
        """Return the place of a plugin for a field; those that are not named come last."""
        named = self._by_field.get(field) or self._by_field.get("") or []
        return named.index(plugin) if plugin in named else len(named)


def ranked(field: str, answers: Iterable[Candidate], order: Order) -> list[Candidate]:
    """Return the best answer of each plugin, the one that decides first.

    The order of sources, then confidence, then the newest; between equal ones the id of the
    plugin and the value decide, so that it does not matter which came first.
    """
    best: dict[str, Candidate] = {}
    for one in sorted(answers, key=lambda one: _rank(field, one, order)):
        best.setdefault(str(one.plugin), one)
    return list(best.values())


def merged(field: str, candidates: Sequence[Candidate]) -> Any:
    """Return the value of a field: that of the first candidate, or all entries of lists."""
    first = candidates[0].value
    if isinstance(first, list):
        return _union(one.value for one in candidates)
    if field in _NAMES:
        return ", ".join(_union(_split(one.value) for one in candidates))
    return first


def _rank(field: str, one: Candidate, order: Order) -> tuple[Any, ...]:
    newest = -one.answered_at.timestamp() if one.answered_at else 0.0
    plugin = str(one.plugin)
    value = json.dumps(one.value, sort_keys=True)
    return order.rank(field, plugin), -(one.confidence or 0.0), newest, plugin, value


def _union(lists: Iterable[Iterable[Any]]) -> list[Any]:
    """Return the entries of lists, each once; of names that differ in case the first."""
    found: dict[str, Any] = {}
    for one in lists:
        for entry in one if isinstance(one, (list, tuple)) else ():
            key = entry.get("name") if isinstance(entry, dict) else entry
            text = key.casefold() if isinstance(key, str) else json.dumps(entry, sort_keys=True)
            found.setdefault(text, entry)
    return list(found.values())


def _split(names: object) -> list[str]:
    return [name.strip() for name in str(names).split(",") if name.strip()]
