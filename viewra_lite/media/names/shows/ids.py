"""External ids at their level: of the show, the season or the episode."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..text import id_starts, ids_in, without_ids
from .seasons import find_season, is_specials, number_only
from .tokens import find_token


class Ids(NamedTuple):
    """Ids as ids_in() returns them, by what they identify."""

    show: dict[str, Any]
    season: dict[str, Any]
    episode: dict[str, Any]


def ids_of(folders: list[str], stem: str) -> Ids:
    """Read the ids of a file and of the folders above it; the nearest name of a level decides."""
    begin = _episode_start(stem, folders)
    show, season, episode = [stem[:begin]], [], [stem[begin:]]
    for folder in reversed(folders):
        if id_starts(folder):
            begin = _season_start(folder)
            show.append(folder[:begin])
            season.append(folder[begin:])
    return Ids(ids_in(*show), ids_in(*season), ids_in(*episode))


def _episode_start(stem: str, folders: list[str]) -> int:
    """Return where a file's ids become the episode's: after its number, or if it has none."""
    starts = id_starts(stem)
    for start in starts:
        if find_token(without_ids(stem[:start])) is not None:
            return start
    is_unnumbered = starts and folders and find_token(without_ids(stem)) is None
    return 0 if is_unnumbered else len(stem)


def _season_start(folder: str) -> int:
    """Return where a folder's name says the season: before are the show's ids."""
    found = find_season(folder)
    if found is not None:
        return found.start()
    text = without_ids(folder).strip()
    return 0 if is_specials(text) or number_only(text) is not None else len(folder)
