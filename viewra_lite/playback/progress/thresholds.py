"""Thresholds: the positions that count as watched, and those to resume from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...config.options import Config
from ...database.checks import MAX_SECONDS, checked_seconds
from ...errors import InvalidValueError, shown

END_S = 1.0
"""A position this close to the end counts as watched; players overrun the end by as much."""

OVERRUN = 1.25
"""Positions up to this multiple of the duration count as the end; beyond it, one is wrong."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The configured shares of the running time."""

    completed_at: float
    resume_from: float
    resume_min_duration_s: int

    @classmethod
    def of(cls, config: Config, *, is_music: bool) -> Thresholds:
        """Return the configured thresholds; music has its own."""
        if is_music:
            return cls(
                config.music_completed_at,
                config.music_resume_from,
                config.music_resume_min_duration_s,
            )
        return cls(config.completed_at, config.resume_from, config.resume_min_duration_s)

    def is_at_end(self, position: float, duration: float | None) -> bool:
        """Whether a position counts as watched to the end; False if the duration is unknown."""
        if not duration or position <= 0:
            return False
        return position >= duration * self.completed_at or position >= duration - END_S

    def resume_position(self, position: float, duration: float | None) -> float:
        """Return the position to resume from, seconds; 0.0 is the beginning."""
        if not duration:
            return position
        if duration < self.resume_min_duration_s or position < duration * self.resume_from:
            return 0.0
        return 0.0 if self.is_at_end(position, duration) else position


def fitted(position: object, duration: float | None) -> float | None:
    """Return a position in seconds, or None for one too far beyond the end.

    A little beyond the end is the end, because players and probes measure differently. Raises
    InvalidValueError for a value that is not a number of seconds.
    """
    seconds = checked_seconds("position", position)
    if duration is None or seconds <= duration:
        return seconds
    return duration if seconds < duration + END_S or seconds <= duration * OVERRUN else None


def is_possible(position: Any) -> bool:
    """Whether a number may be a position; True for other types, which are refused elsewhere."""
    is_number = isinstance(position, (int, float)) and not isinstance(position, bool)
    return not is_number or 0 <= position <= MAX_SECONDS


def farthest(position: float, duration: float | None) -> float:
    """Return the farthest position stored as this one: the end includes the overrun."""
    return position * OVERRUN if position == duration else position


def checked_position(position: object, duration: float | None) -> float:
    """Return a position in seconds, at most the duration; raises InvalidValueError."""
    seconds = fitted(position, duration)
    if seconds is None:
        raise InvalidValueError(
            f"position {shown(position)} is beyond the duration of {duration} seconds: "
            "give it in seconds from the start"
        )
    return seconds
