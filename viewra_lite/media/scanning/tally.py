"""The tally of a run: each file is counted once, as new, updated or unchanged."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from .facts import Problem, ScanResult

_MOST_PROBLEMS = 100


class Tally:
    """Counts the files of a scan or a reconciliation; `result` is the ScanResult so far.

    Keeps a hash of each path, in one of three sets: the paths themselves would be large.
    """

    def __init__(self) -> None:
        self.result = ScanResult()
        self._new: set[int] = set()
        self._updated: set[int] = set()
        self._unchanged: set[int] = set()

    @property
    def seen(self) -> int:
        """How many files were counted."""
        return len(self._new) + len(self._updated) + len(self._unchanged)

    def has_seen(self, path: str) -> bool:
        """Whether the file at a path was counted."""
        seen = hash(path)
        return seen in self._unchanged or seen in self._new or seen in self._updated

    def is_new(self, path: str) -> bool:
        """Whether the file at a path was first seen in this run."""
        return hash(path) in self._new

    def note(self, known: Iterable[str], new: Collection[str], updated: Collection[str]) -> None:
        """Count each file once, however often it was added; `updated` are some of the known."""
        seen = set(map(hash, known))
        first = known
        if not all(map(seen.isdisjoint, (self._new, self._updated, self._unchanged))):
            first = {path for path in known if not self.has_seen(path)}
            seen = set(map(hash, first))
        changed = {hash(path) for path in updated} & seen
        self._new.update(map(hash, new))
        self._updated |= changed
        self._unchanged |= seen - changed if changed else seen
        self.count(added=len(new), updated=len(changed), unchanged=len(seen) - len(changed))

    def moved(self, path: str) -> None:
        """Count a file as moved, and not as it was counted before."""
        self.count(**{self._recounted(path): -1}, moved=1)

    def replaced(self, path: str) -> None:
        """Count a file that replaces another of the same title as updated, and not as new."""
        self.count(**{self._recounted(path): -1})
        self.count(updated=1)

    def problem(self, path: str, message: str) -> None:
        """Count an error, and keep the first hundred."""
        problems = self.result.problems
        if len(problems) < _MOST_PROBLEMS:
            problems = (*problems, Problem(path, message))
        self.set(errors=self.result.errors + 1, problems=problems)

    def ignore(self, why: str) -> None:
        """Count a file or a folder that is left out."""
        ignored = self.result.ignored
        ignored[why] = ignored.get(why, 0) + 1

    def count(self, **changes: int) -> None:
        """Add to some numbers of the result."""
        self.set(**{name: getattr(self.result, name) + by for name, by in changes.items()})

    def set(self, **values: Any) -> None:
        """Set some values of the result."""
        self.result = replace(self.result, **values)

    def _recounted(self, path: str) -> str:
        """Count a file as known, and return how it was counted before."""
        seen = hash(path)
        self._unchanged.add(seen)
        for name, files in (("added", self._new), ("updated", self._updated)):
            if seen in files:
                files.remove(seen)
                return name
        return "unchanged"  # an interrupted run has added it
