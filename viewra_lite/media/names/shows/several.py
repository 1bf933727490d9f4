"""The numbers of one token in a name: "E01-E03" is a range, "E01E02" a list."""

from __future__ import annotations

import re

from ..facts import SeasonEpisodes
from .spelled import number_of

MOST_EPISODES_IN_A_FILE = 100

_TO = "to|thru|through|bis|al?|à|au|do|по|tot|til|till|ate|até"
_AND = "and|und|y|e|et|en|i|и|og|och"
# What may follow a token's first number: ".S01E03", "x04", "-E05", " & 1x06", "+02", "~16".
_NEXT = re.compile(
    rf"(?P<gap>[ ._]?(?:[-–~+&,;]|and|to)[ ._]?|[ ._](?:{_TO}|{_AND})[ ._]|[ ._]?)"
    r"(?:s(?P<season>\d{1,4})[ ._]?)?"
    r"(?P<mark>(?P<cross>\d{1,2}|20\d\d)[xх](?=\d)|e(?:pi?s?)?[ ._]?|[xхе])?"
    r"(?P<number>\d{1,5})(?:v\d)?(?:(?=s\d{1,2}e\d)|(?![^\W_]|\.\d(?![\dp])))",
    re.I,
)
_NEXT_GLUED = re.compile(
    r"(?P<gap>)(?:s(?P<season>\d{1,4}))?(?P<mark>ep?|[xх])(?P<number>\d{1,4})(?!\d)", re.I
)
_AFTER_NUMBER = (*" ._-[]()", "")
_VERSION = re.compile(r"v\d(?![^\W_])", re.I)
_IS_RANGE = re.compile(rf"[ ._]?(?:[-–~]|to)[ ._]?|[ ._](?:{_TO})[ ._]", re.I)
_IS_WORD = re.compile(rf"[ ._](?:{_TO})[ ._]", re.I)
_IS_LIST = re.compile(rf"[ ._](?:{_AND})[ ._]", re.I)
_LATER_SEASON = re.compile(
    r"[ ._]?[-–&+]?[ ._]?(?:s(?P<season>\d{1,2})[ ._]?e|(?P<cross>\d{1,2})[xх])"
    r"(?P<number>\d{1,3})(?!\d)",
    re.I,
)
_BRACKET_NEXT = re.compile(r"[ ._]*[\[(]")
_TWO_DIGITS_NEXT = re.compile(r"$| \d\d(?:$| )")
_OF_MANY = re.compile(r"[ ._]?(?:of|из)[ ._]?\d{1,3}(?![^\W_])", re.I)


def all_of(
    text: str, at: int, number: int, season: int | None = None
) -> tuple[tuple[int, ...], int]:
    """Collect the episodes of "E01-E03" (a range), "E01E02" and "E01-E03-E05" (lists).

    `at` is the end of the first; returns the end of the last, too.
    """
    episodes, gaps = [number], []
    version = _VERSION.match(text, at)
    at = version.end() if version else at
    while found := _NEXT_GLUED.match(text, at) or _NEXT.match(text, at):
        following = int(found["number"])
        said = found["season"] or found.groupdict().get("cross")
        is_other_season = said is not None and int(said) != season
        if is_other_season or following in episodes:
            break
        is_marked = found["season"] or (found["mark"] and not found["gap"])
        is_before = following < episodes[0] and is_marked  # "S01E02.S01E01", "S01E02E01"
        if not is_before and (
            following < episodes[-1]
            or not _continues(found, episodes[-1], has_season=season is not None)
        ):
            break
        episodes.append(following)
        gaps.append(found["gap"])
        at = found.end()
    of_many = _OF_MANY.match(text, at)
    at = of_many.end() if of_many else at
    episodes.sort()
    first, last = episodes[0], episodes[-1]
    is_range = len(gaps) == 1 and _IS_RANGE.fullmatch(gaps[0])
    if is_range and last - first < MOST_EPISODES_IN_A_FILE:
        episodes = list(range(first, last + 1))
    return tuple(episodes), at


def later_seasons(text: str, at: int, season: int) -> tuple[tuple[SeasonEpisodes, ...], int]:
    """Collect the seasons and episodes after those of a first season: "S01E10S02E01".

    Returns the end of the last, too.
    """
    later = []
    while found := _LATER_SEASON.match(text, at):
        said = int(found["season"] or found["cross"])
        if said <= season:
            break
        season = said
        episodes, at = all_of(text, found.end(), int(found["number"]), season)
        later.append(SeasonEpisodes(season, episodes))
    return tuple(later), at


def _continues(found: re.Match[str], last: int, *, has_season: bool) -> bool:
    """Whether another number of a token is an episode, and not a title or a resolution."""
    gap, mark, number = found["gap"], found["mark"], found["number"]
    if int(number) - last >= MOST_EPISODES_IN_A_FILE:
        return False
    if mark:
        is_absolute = mark[0] in "eE" and len(gap) == 3 and not found["season"]  # " - Ep.129"
        is_title = " " in gap and mark.lower() == "eps"  # "S01E01 - eps2.0 title"
        return not has_season or not (is_title or (is_absolute and int(number) - last >= 10))
    if _IS_LIST.fullmatch(gap):
        return int(number) == last + 1
    if gap == " - " and not has_season:  # "Episode 1001 - 1012 [720p]"
        return len(number) == len(str(last)) > 2 and bool(
            _BRACKET_NEXT.match(found.string, found.end())
        )
    is_tight = gap == "," or (gap.strip() in ("-", "~", "+", "&") and gap != " - ")
    is_tight = is_tight or _IS_WORD.fullmatch(gap) is not None
    if gap == " ":  # "E01 02 03"
        is_list = _TWO_DIGITS_NEXT.match(found.string, found.end()) is not None
        return is_list and int(number) == last + 1 and len(number) == 2
    is_next = gap in (".", "_") and int(number) == last + 1 and len(number) == 2
    return (is_tight or is_next) and found.string[found.end() : found.end() + 1] in _AFTER_NUMBER


def span(first: int, last: int) -> tuple[int, ...]:
    """Return the episodes of a range; only the first of an impossible one."""
    is_range = first < last < first + MOST_EPISODES_IN_A_FILE
    return tuple(range(first, last + 1)) if is_range else (first,)


def spanned(found: re.Match[str]) -> tuple[int, ...]:
    """Return the episodes from a match's "number" to its "last", if it has one."""
    number = number_of(found["number"]) or 0
    return span(number, int(found.groupdict().get("last") or number))
