"""What a name says of its episodes, and where it says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..facts import SeasonEpisodes


@dataclass(frozen=True, slots=True)
class Token:
    """The meaning of a token and its span of text.

    Without a season, `episodes` may count through all seasons; `absolute` does for certain.
    """

    start: int
    end: int
    episodes: tuple[int, ...]
    season: int | None = None
    kind: Literal["marked", "worded", "bare"] = "marked"
    absolute: tuple[int, ...] = ()
    series: str | None = None  # "OVA", "12.5": specials with numbers of their own
    may_hold_season: bool = False  # 305 may be season 3, episode 5
    later: tuple[SeasonEpisodes, ...] = ()  # season 2, episode 1 of "S01E10S02E01"
