"""Episodes: the show comes from its folder, the number from the file, the season from either."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .episode_tokens import Token, find_token
from .facts import EpisodeName
from .guesses import Found, first, guess, release_start
from .keys import fold
from .text import CRUFT, YEAR, before_cruft, ids_in, without_group, without_ids, words

_SHELF = re.compile(
    r"(?:tv|tv[ ._-]?(?:shows?|series)|shows|series|anime|cartoons?|kids|documentar(?:y|ies)|"
    r"downloads?|completed?|new|incoming|unsorted|videos?|other|ended|continuing|misc)",
    re.I,
)
_SEASON = re.compile(
    r"(?<![^\W_])(?<!['’])(?:(?:season|series|staffel|saison|temporada|stagione|sezon|seizoen|"
    r"säsong|sæson|сезон|book|volume|vol)[ ._-]*(?P<number>\d{1,4}|one|two|three|four|five|six|"
    r"seven|eight|nine|ten)|s(?P<short>\d{1,4})|(?P<nth>\d{1,2})(?:st|nd|rd|th|\.|ª|a)?[ ._]*"
    r"(?:season|staffel|saison|temporada|stagione|сезон))(?![^\W_])",
    re.I,
)
_KANJI_SEASON = re.compile(r"第\s*(\d{1,2})\s*[季期]")
_SPECIALS = re.compile(
    r"(?:.* - )?(?:specials?|season[ ._]0+|s0+|ovas?|oads?|ova[ ._&+]+specials?|extras|bonus)", re.I
)
_DISC_FOLDER = re.compile(r"(?:disc|disk|dvd|cd|video_ts|bdmv|stream)[ ._-]?\d{0,2}", re.I)
_COMPLETE = re.compile(
    r"(?<=[^\W_])[ ._(\[-]+(?:the[ ._]+)?complete"
    r"(?:[ ._]+(?:tv[ ._]+)?(?:series|seasons?|collection|box.?set).*|[)\]. _-]*)$",
    re.I,
)
_ORDINAL = re.compile(r"0\d(?:\. | - )(?=[^\W\d_])")  # "01 - " in a box set
_YEAR_AT_END = re.compile(rf"[ _-]*[(\[]({YEAR})(?:[ ]?[-–][^)\]]*)?[)\]]")
_BARE_YEAR_AT_END = re.compile(rf"(?<=[^\W_][ ._-])[ ._-]*({YEAR})[ ._-]*$")
_NUMBER_WORDS = "one two three four five six seven eight nine ten".split()


@dataclass(frozen=True, slots=True)
class _Show:
    """Show and season from a folder, or from the text before an episode's token."""

    title: str
    year: int | None = None
    season: int | None = None


def episode_name(parents: list[str], stem: str, root_name: str = "") -> EpisodeName:
    """Read an episode's name from its file and the folders above it (nearest last).

    `root_name` is the show where its seasons lie in the root itself.
    """
    folders = [_folder(name) for name in parents if not _DISC_FOLDER.fullmatch(name)]
    season = next((above.season for above in reversed(folders) if above.season is not None), None)
    bare = without_ids(stem)
    if find_token(bare) is None and parents and _release_token(parents[-1]):
        bare = without_ids(parents[-1])
    text = without_group(bare)
    token = find_token(text)
    guessed = guess(text + ".mkv", "episode") if token is None or _is_scene(text, token) else {}
    token = token or _guessed_token(guessed)
    show = _chosen(folders, _show_before(text, token, guessed))
    season, episodes, absolute = _numbers(token, season, is_fansub=text != bare)
    ids = ids_in(*reversed(parents), stem)
    return EpisodeName(
        show.title or (root_name if parents else "") or stem,
        show.year,
        season,
        episodes,
        absolute,
        _title(text, token, guessed),
        token.air_date if token else None,
        ids.get("tvdb_id"),
        ids.get("tmdb_id"),
        ids.get("imdb_id"),
    )


def _is_scene(text: str, token: Token) -> bool:
    """Whether a title without spaces may follow the token, and release words after it."""
    tail = text[token.end :]
    return " " not in tail and bool(words(before_cruft(tail)))


# Folders


def _folder(name: str) -> _Show:
    """Read a folder: a show, a season, or "Show - Season 1" both."""
    text = without_group(without_ids(name))
    if _SPECIALS.fullmatch(text.strip()):
        return _Show(words(text.rpartition(" - ")[0]), season=0)
    if re.fullmatch(r"\d{1,2}", text):
        return _Show(text, season=int(text))
    found = _SEASON.search(text) or _KANJI_SEASON.search(text)
    if found is None:
        found = _release_token(text)
        return _titled(text[: found.start()] if found else text)
    show = _titled(text[: found.start()])
    return _Show(show.title, show.year, _season_number(found))


def _release_token(text: str) -> re.Match[str] | None:
    """Find the S01E02 of a folder that holds one release."""
    return re.search(r"(?<![^\W_])s\d{1,2}e\d{1,3}", text, re.I)


def _season_number(found: re.Match[str]) -> int:
    said = next(group for group in found.groups() if group).lower()
    return int(said) if said.isdecimal() else _NUMBER_WORDS.index(said) + 1


def _titled(text: str) -> _Show:
    """Split "Show (2005) [tags]" or "Show.2005" into title and year."""
    text = _COMPLETE.sub("", _ORDINAL.sub("", before_cruft(text)))
    year = _YEAR_AT_END.search(text)
    if year is None or not words(text[: year.start()]):
        year = _BARE_YEAR_AT_END.search(text)
    head = text[: year.start()] if year else text
    title = words(re.sub(r"\[[^\]]*\]", " ", head)) or words(head).strip("[]")
    return _Show(title, int(year.group(1)) if year else None)


def _chosen(folders: list[_Show], mine: _Show) -> _Show:
    """Take the show's folder, the nearest that is more than a season; else the file's text."""
    named = [above for above in folders if above.title and not _is_season_only(above, folders)]
    mine_key = fold(mine.title)
    same = [above for above in named if mine_key and fold(above.title) == mine_key]
    real = [above for above in named if not _SHELF.fullmatch(above.title)]
    chosen = (same or real or ([mine] if mine.title else named) or [mine])[-1]
    years = [
        show.year
        for show in (*same, chosen, mine)
        if show.year and fold(show.title) == fold(chosen.title)
    ]
    return _Show(chosen.title, years[0] if years else None)


def _is_season_only(above: _Show, folders: list[_Show]) -> bool:
    """A folder "3" is season 3 below a show, and a show itself at the top."""
    return above.season is not None and above.title.isdecimal() and above is not folders[0]


# The file


def _show_before(text: str, token: Token | None, guessed: dict[str, list[Found]]) -> _Show:
    if token is not None and token.start >= 0:
        before = _SEASON.sub(" ", text[: token.start]) if token.start else ""
        return _titled(before)
    year = first(guessed, "year")
    title = words(str(first(guessed, "title") or ""))
    return _Show(title, int(year) if year else None)


def _guessed_token(guessed: dict[str, list[Found]]) -> Token | None:
    """Return guessit's reading, for a name that no rule here recognises."""
    found = [one for name in ("season", "episode", "date") for one in guessed.get(name, ())]
    numbers = [one.value for one in guessed.get("episode", ()) if isinstance(one.value, int)]
    day = first(guessed, "date")
    if not numbers and not day:
        return None
    season = first(guessed, "season")
    start, end = min(one.start for one in found), max(one.end for one in found)
    return Token(
        start,
        end,
        season if isinstance(season, int) else None,
        tuple(numbers),
        numbers[0] if numbers else None,
        air_date=day,
    )


def _numbers(
    token: Token | None, season: int | None, *, is_fansub: bool
) -> tuple[int | None, tuple[int, ...], int | None]:
    """Settle season, episodes and absolute number from the token and the folder's season."""
    if token is None or token.number is None or token.season is not None:
        return _token_season(token, season), token.episodes if token else (), None
    number = token.number
    if season is None and token.is_worded and number < 100 and not is_fansub:
        return 1, token.episodes, None
    if season and number > 99 and number // 100 == season and not is_fansub:
        return season, tuple(each - season * 100 for each in token.episodes), None
    if season is None or number > 99:
        return season, (), number
    return season, token.episodes, None


def _token_season(token: Token | None, season: int | None) -> int | None:
    return season if token is None or token.season is None else token.season


_NOTE = re.compile(
    r"\[[^\]]*\]?|\((?:\d{3,4}p|bd|tv|dvd|web)[^)]*\)?|^[ ._]*end\b|^-[^\W_]+$", re.I
)
_TAIL_NUMBER = re.compile(r"[ ._]*-[ ._]*\d{2,4}(?=[ ._]+-[ ._])")


def _title(text: str, token: Token | None, guessed: dict[str, list[Found]]) -> str | None:
    """Read the title after the token; without a token the whole name is one."""
    begin = token.end if token else 0
    tail = text[begin : release_start(guessed, begin, len(text))]
    number = _TAIL_NUMBER.match(tail)
    tail = tail[number.end() :] if number else tail
    cruft = CRUFT.search(tail)
    tail = _NOTE.sub(" ", tail[: cruft.start()] if cruft else tail)
    return words(tail.lstrip(" ._-")) or None
