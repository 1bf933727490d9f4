"""The results as one picture: bars by row, raw at 1.0, the goal as an outline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from .contenders import ENTRIES, OURS, PEERS
from .results import RATIO, Row
from .table import number

_COLOURS = {
    "ours": "#c2410c",
    "ours_cysqlite": "#fb923c",
    "raw": "#111827",
    "peewee": "#2563eb",
    "sqlalchemy_core": "#0d9488",
    "sqlalchemy_orm": "#5eead4",
    "django": "#15803d",
    "pony": "#a16207",
    "sqlite_utils": "#9333ea",
}
_GOAL = "fill: none; stroke: #c2410c; stroke-width: 2; stroke-dasharray: 5 3"
_LINES = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
# A value stands behind its bar, and not across its end.
_CSS = "inline:#chart-speed .text-overlay text.value { text-anchor: start }"
_PIXELS = {"bar": 13, "row": 14, "frame": 190}


def write_picture(path: Path, rows: Sequence[Row], names: Sequence[str], title: str) -> None:
    """Draw the rows that are multiples of raw's time."""
    shown = [row for row in rows if row.unit == RATIO]
    who = [name for name in (*OURS, "raw", *PEERS) if name in names]
    height = len(shown) * (_PIXELS["row"] + _PIXELS["bar"] * (len(who) + 1))
    worst = max(max(row.values.values()) for row in shown)
    chart = _chart(title, who, height, [line for line in _LINES if line < 2.5 * worst])
    shown.reverse()  # drawn from below: the first row is to come out on top
    chart.x_labels = [row.title for row in shown]
    chart.add(
        "goal (dashed)",
        [None if row.goal is None else {"value": row.goal, "style": _GOAL} for row in shown],
    )
    for name in who:
        chart.add(ENTRIES[name].title, [row.values.get(name) for row in shown])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(chart.render())


def _chart(title: str, who: Sequence[str], height: int, lines: Sequence[float]) -> Any:
    style = Style(
        background="white",
        plot_background="white",
        colors=("#ffffff", *(_COLOURS[name] for name in who)),
        opacity="1",
        font_family="sans-serif",
        title_font_size=14,
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=12,
        value_font_size=9,
        value_colors=("#111827",) * (len(who) + 1),
    )
    chart = pygal.HorizontalBar(
        style=style,
        width=960,
        height=height + _PIXELS["frame"],
        title=title,
        js=[],
        logarithmic=True,
        print_values=True,
        print_values_position="top",
        legend_at_bottom=True,
        legend_at_bottom_columns=5,
        truncate_label=-1,
        truncate_legend=-1,
        margin=12,
        x_title="times hand-written SQL on sqlite3 (1.0), logarithmic; less is better",
        formatter=lambda value: number(value),
        show_y_guides=True,
        explicit_size=True,
        range=(lines[0], lines[-1]),
        zero=lines[0],
        margin_bottom=40,
        css=["file://style.css", "file://graph.css", _CSS],
        y_labels=[{"value": line, "label": f"{line:g}"} for line in lines],
    )
    chart.uuid = "speed"  # else another one each time, and another file
    return chart
