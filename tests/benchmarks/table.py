"""The results as a table of text, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .contenders import ENTRIES, OURS, PEERS
from .results import Row

_PEER_WIDTH = 8
_HEADS = {
    "ours_cysqlite": "cysqlite",
    "peewee": "Peewee",
    "sqlalchemy_core": "SA Core",
    "sqlalchemy_orm": "SA ORM",
    "django": "Django",
    "pony": "Pony",
    "sqlite_utils": "sq-utils",
}


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Return a line for each row: ours, its goal, whether it is met, and the peers."""
    peers = [name for name in PEERS if name in names]
    others = [name for name in OURS[1:] if name in names]  # ours on another driver
    width = max(len(row.title) for row in rows)
    lines = [
        f"{'':{width}}  {'ours':>7} {'(cpu)':>7} {'goal':>7} {'met':>4}  "
        + "".join(f"{_HEADS[name]:>9} {'(cpu)':>7}" for name in others)
        + "".join(f"{_HEADS[name]:>{_PEER_WIDTH + 1}}" for name in peers)
        + "  unit"
    ]
    for row in rows:
        goal = "" if row.goal is None else f"{'>' if row.at_least else '<'} {row.goal:g}"
        met = {True: "yes", False: "NO", None: ""}[row.met]
        note = f"; {row.note}" if row.note else ""
        lines.append(
            f"{row.title:{width}}  {number(row.values.get('ours')):>7} "
            f"{number(row.cpu.get('ours')):>7} {goal:>7} {met:>4}  "
            + "".join(
                f"{number(row.values.get(name)):>9} {number(row.cpu.get(name)):>7}"
                for name in others
            )
            + "".join(f"{number(row.values.get(name)):>{_PEER_WIDTH + 1}}" for name in peers)
            + f"  {row.unit}{note}"
        )
    absent = [ENTRIES[name].title for name in PEERS if name not in names]
    if absent:
        lines.append(f"Left out, because not installed: {', '.join(absent)}.")
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Return a number with as many digits as it deserves."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def write_json(path: Path, facts: dict[str, Any], rows: Sequence[Row]) -> None:
    """Write the machine and every number."""
    told = {**facts, "rows": [row.as_json() for row in rows]}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
