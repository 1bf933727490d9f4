"""How far is far enough: when a thing is watched, and from where it is resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...config.options import Config
from ...database.checks import MAX_SECONDS, checked_seconds
from ...errors import InvalidValueError, shown

END_S = 1.0
"""Within so many seconds of the end it is watched; players also report that much beyond it."""

OVERRUN = 1.25
"""Up to so many times the duration is the end; more says that one of the two is wrong."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The configured shares of the running time."""

    completed_at: float
    resume_from: float
    resume_min_duration_s: int

    @classmethod
    def of(cls, config: Config, *, is_music: bool) -> Thresholds:
        """Return those that are configured; music has its own."""
        if is_music:
            return cls(
                config.music_completed_at,
                config.music_resume_from,
                config.music_resume_min_duration_s,
            )
        return cls(config.completed_at, config.resume_from, config.resume_min_duration_s)

    def is_at_end(self, position: float, duration: float | None) -> bool:
        """Whether a position counts as watched to the end; never where the duration is unknown."""
        if not duration or position <= 0:
            return False
        return position >= duration * self.completed_at or position >= duration - END_S

    def resume_position(self, position: float, duration: float | None) -> float:
        """Return where to begin, seconds; 0.0 where there is nothing to resume."""
        if not duration:
            return position
        if duration < self.resume_min_duration_s or position < duration * self.resume_from:
            return 0.0
        return 0.0 if self.is_at_end(position, duration) else position


def fitted(position: Any, duration: float | None) -> float | None:
    """Return a position in seconds, None for one that lies too far beyond the end.

    A little beyond the end is the end: players and probes measure differently. Raises
    InvalidValueError for what is no number of seconds.
    """
    seconds = checked_seconds("position", position)
    if duration is None or seconds <= duration:
        return seconds
    return duration if seconds < duration + END_S or seconds <= duration * OVERRUN else None


def is_possible(position: Any) -> bool:
    """Whether a number may be a position; True of what is no number, which is refused elsewhere."""
    is_number = isinstance(position, (int, float)) and not isinstance(position, bool)
    return not is_number or 0 <= position <= MAX_SECONDS


def farthest(position: float, duration: float | None) -> float:
    """Return the farthest position that a stored one may stand for: the end stands for more."""
    return position * OVERRUN if position == duration else position


def checked_position(position: Any, duration: float | None) -> float:
    """Return a position in seconds, at most the duration; raises InvalidValueError as fitted()."""
    seconds = fitted(position, duration)
    if seconds is None:
        raise InvalidValueError(
            f"position {shown(position)} lies beyond the duration of {duration} seconds: "
            "positions are seconds from the start"
        )
    return seconds
