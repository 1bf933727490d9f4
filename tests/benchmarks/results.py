"""A measured row: what it says, its goal, and everybody's numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from .threads import Sample

RATIO = "x raw"


@dataclass
class Row:
    """One number of each contender, and ours against a goal."""

    name: str
    title: str
    unit: str
    """"x raw" compares with hand-written SQL on sqlite3, which is 1.0."""
    goal: float | None
    values: dict[str, float]
    cpu: dict[str, float] = field(default_factory=dict)
    """The same in processor time, where that says something."""
    note: str = ""
    details: dict[str, Sample] = field(default_factory=dict)
    """Medians of what was measured, by contender: wall and cpu are seconds."""
    at_least: bool = False
    """The goal is a lower limit."""

    @property
    def met(self) -> bool | None:
        """Whether ours meets the goal; None without a goal."""
        if self.goal is None or "ours" not in self.values:
            return None
        value = round(self.values["ours"], 2)
        return value >= self.goal if self.at_least else value <= self.goal

    def as_json(self) -> dict[str, Any]:
        """Return the row for the JSON file."""
        return {**asdict(self), "met": self.met}


def medians(samples: list[Sample]) -> Sample:
    """Return the median of each number; of the worst, the worst."""
    return {
        name: (max if name == "worst_ms" else median)(sample[name] for sample in samples)
        for name in samples[0]
    }


def ratio_row(
    name: str,
    title: str,
    goal: float | None,
    details: dict[str, Sample],
    raw: str = "raw",
    note: str = "",
) -> Row:
    """Return a row of times as multiples of raw's, in wall time and in processor time."""
    base = details[raw]
    values = {who: sample["wall"] / base["wall"] for who, sample in details.items()}
    cpu = {who: sample["cpu"] / max(base["cpu"], 1e-9) for who, sample in details.items()}
    return Row(name, title, RATIO, goal, values, cpu, note, details)


def plain_row(
    name: str,
    title: str,
    unit: str,
    goal: float | None,
    details: dict[str, Sample],
    key: str,
    note: str = "",
    *,
    at_least: bool = False,
) -> Row:
    """Return a row of one number of each sample, as it is."""
    values = {who: sample[key] for who, sample in details.items()}
    return Row(name, title, unit, goal, values, {}, note, details, at_least)
