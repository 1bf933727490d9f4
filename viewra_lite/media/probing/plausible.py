"""Plausible ranges of values, because headers and callers may claim anything."""

from __future__ import annotations

from math import isfinite

LONGEST_S = 1e7
"""116 days; a WAV header may claim a hundred trillion seconds."""
MOST_PIXELS = 65_535
LAST_YEAR = 9999
MOST_NUMBER = 99_999
"""Of seasons, episodes, discs and tracks: an episode may be counted through decades."""
LONGEST_RUNTIME_MIN = 200_000
HIGHEST_RATING = 10

RANGES: dict[str, tuple[float, float]] = {
    "duration": (0, LONGEST_S),
    "runtime": (0, LONGEST_RUNTIME_MIN),
    "width": (0, MOST_PIXELS),
    "height": (0, MOST_PIXELS),
    "year": (0, LAST_YEAR),
    "rating": (0, HIGHEST_RATING),
    **dict.fromkeys(
        (
            "season_number",
            "episode_number",
            "episode_number_end",
            "absolute_number",
            "disc_number",
            "track_number",
            "disc_count",
            "track_count",
        ),
        (0, MOST_NUMBER),
    ),
}


def plausible_seconds(value: float | None) -> float | None:
    """Return a duration, or None for an implausible one."""
    if value is None or not isfinite(value) or not 0 < value <= LONGEST_S:
        return None
    return value


def plausible_pixels(value: int | None) -> int | None:
    """Return a width or a height, or None for an implausible one."""
    return value if value is not None and 0 < value <= MOST_PIXELS else None
