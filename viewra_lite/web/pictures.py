"""Pictures of the overview as SVG, drawn by pygal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_LONGEST_NAME = 16
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
_WIDTH = 480


@lru_cache(maxsize=None)
def _look() -> dict[str, Any]:
    from pygal.style import Style

    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="#888",
        foreground_strong="#888",
        foreground_subtle="#888",
        guide_stroke_color="#8884",
        major_guide_stroke_color="#8884",
        value_colors=("#888",),
        colors=("#3987e5",),
        font_family="system-ui, sans-serif",
        label_font_size=15,
        major_label_font_size=15,
        value_font_size=15,
    )
    return {
        "style": style,
        "width": _WIDTH,
        "margin": 4,
        "js": [],  # it would come from elsewhere
        "show_legend": False,
        "truncate_label": -1,
        "explicit_size": False,
        "disable_xml_declaration": True,
    }


def bars(values: Mapping[str, float], unit: str, *, label_every: int = 1) -> str:
    """Return upright bars, one for each name, of whole numbers."""
    import pygal

    most = max([1.0, *values.values()])
    names = list(values)
    chart = pygal.Bar(
        **_look(), height=220, x_labels=names, x_labels_major=names[::label_every],
        show_minor_x_labels=False, range=(0, most), y_labels=sorted({0, round(most / 2), most}),
        value_formatter=lambda value: f"{value:,.0f}",
    )  # fmt: skip
    chart.add(unit, list(values.values()))
    return _svg(chart)


def lying_bars(values: Mapping[str, float], unit: str) -> str:
    """Return level bars with their numbers, one for each name, the first at the top."""
    import pygal

    names = list(values)[::-1]
    labels = [f"{_shortened(name)}  {values[name]:,.1f} {unit}" for name in names]
    chart = pygal.HorizontalBar(
        **_look(), height=30 + 34 * len(names), x_labels=labels, y_labels=[0],
        range=(0, max(values.values()) or 1), show_x_guides=False, show_y_guides=False,
        value_formatter=lambda value: "",
    )  # fmt: skip
    chart.add(unit, [values[name] for name in names])
    return _svg(chart)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _svg(chart: Any) -> str:
    svg: str = chart.render(is_unicode=True)
    return _SCRIPT.sub("", svg)  # settings for a script that is not there
