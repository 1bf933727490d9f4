"""Episodes: the show comes from its folder, the number from the file, the season from either."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..facts import EpisodeName
from ..guesses import Found, first, guess, release_start
from ..keys import fold
from ..text import CRUFT, YEAR, with_latin_first, without_group, without_ids, words
from .absolute import with_absolute
from .dates import Day, find_day, find_short_day
from .ids import ids_of
from .seasons import find_season, is_specials, number_only, season_number
from .bare import find_in_parentheses, find_in_square
from .several import MOST_EPISODES_IN_A_FILE
from .titles import Show, bracketed_title, is_bilingual, latin_title, titled
from .token import Token
from .tokens import find_certain, find_marked, find_token

_SHELF = re.compile(
    r"(?:(?:my[ ._-]?)?tv|tv[ ._-]?(?:shows?|series)|shows|series|serien|séries|anime|cartoons?|"
    r"kids|downloads?|completed?|torrents?|usenet|new|incoming|unsorted|recordings?|videos?|other|"
    r"(?:post-?)?processing|temp|tmp|unpacked|extracted|sorted|storage|shared?|"
    r"seasons|ended|continuing|watched|misc|documentar(?:y|ies)|comed(?:y|ies)|dramas?|reality|sitcoms?|"
    r"[a-z#]|\d{1,4}-\d{1,4}|[a-z]-[a-z])(?:(?<=[a-z]{4})[ ._-]?\d{1,3})?",
    re.I,
)
_DOT_AT_END = re.compile(r"(?<=[^\W_]{3})\.$")
_DISC_FOLDER = re.compile(
    r"(?:disc|disk|dvd|cd|video_ts|hvdvd_ts|bdmv|avchd|stream)[ ._-]?\d{0,2}", re.I
)
_NUMBERS_AT_END = re.compile(
    r"(?:[ ._]-)?[ ._]\d{2,4} ?[-~] ?\d{2,4}$"
)  # "Show 001-100": a box of episodes
_QUOTES = str.maketrans("「」", "[]")  # of East Asia
_NUMBER_FIRST = re.compile(r"\s*\[(?:s\d{1,4}[ ._]?)?(?:[\d.x-]+|(?:-?ep?\d{1,4})+)\]", re.I)
_NUMBER_IN_BRACES = re.compile(r"\{(\d{1,4})\}")
_GROUP_IN_PARENTHESES = re.compile(r"\A\s*\((?!\d+\))[^()]{2,}\)[ ._]+(?=[^\W\d_].* - \d)")
_GROUP_AND_NUMBER = re.compile(r"\A\s*\[[^\[\]]{2,}\][ _]*(?=\d{1,3}[ _][^\W\d_].*\()")
_NEW_SHOW = re.compile(r"[★ ]*\d{0,2}月?新番[★ ]*|(?<![^\] ])★+(?=[\[ ])")


class _Name(NamedTuple):
    """The text of a name that says which episode it is, and where it says so."""

    text: str
    token: Token | None
    day: Day | None
    is_fansub: bool

    @property
    def begin(self) -> int:
        """Where the show's name ends."""
        starts = [found.start for found in (self.token, self.day) if found and found.start >= 0]
        return min(starts, default=0)

    @property
    def is_certain(self) -> bool:
        return self.day is not None or (self.token is not None and self.token.kind != "bare")


def episode_name(parents: list[str], stem: str, root_name: str = "") -> EpisodeName:
    """Read an episode's name from its file and the folders above it (nearest last).

    `root_name` is the show where its seasons lie in the root itself.
    """
    names = [name for name in parents if not _DISC_FOLDER.fullmatch(name)]
    folders = _folders(names)
    season = next((above.season for above in reversed(folders) if above.season is not None), None)
    name = _read(stem)
    above = _read(names[-1]) if names and not name.is_certain else None
    if above is not None and _says_more(above, name):
        name = above
    text, token, day, is_fansub = name
    guessed = guess(text + ".mkv", "episode") if _is_unclear(name) else {}
    if token is None and day is None:
        token, day = _guessed_token(guessed), _guessed_day(guessed)
        name = name._replace(token=token, day=None if token else day)
    mine = _show_before(name, guessed)
    show = _chosen(folders, mine)
    title = _title(name, guessed, show.title)
    if not show.title:
        show, title = _unnamed(name, stem, title, root_name, has_folder=bool(parents))
    if token is None and day is None and folders and _SPECIAL.search(title or ""):
        season = 0
    elif mine.season is not None:
        season = mine.season
    elif season is None and token and token.kind == "bare":
        season = _sequel(mine.title, show.title)
    numbers = _numbers(token, season, is_fansub=is_fansub, is_alone=not folders)
    ids = ids_of(names, stem)
    return EpisodeName(
        show.title or stem,
        show.year,
        numbers.season,
        numbers.episodes,
        numbers.absolute,
        title,
        day.date if day else None,
        ids.show.get("tvdb_id"),
        ids.show.get("tmdb_id"),
        ids.show.get("imdb_id"),
        numbers.absolute_end,
        series=token.series if token else None,
        season_tvdb_id=ids.season.get("tvdb_id"),
        season_tmdb_id=ids.season.get("tmdb_id"),
        episode_tvdb_id=ids.episode.get("tvdb_id"),
        episode_tmdb_id=ids.episode.get("tmdb_id"),
        episode_imdb_id=ids.episode.get("imdb_id"),
        later=token.later if token else (),
    )


def _read(name: str) -> _Name:
    """Find the token and the date of one name, a file's or a folder's."""
    if "{" in name:
        name = _NUMBER_IN_BRACES.sub(r"[\1]", name)
    bare = _NEW_SHOW.sub(" ", with_latin_first(without_ids(name).translate(_QUOTES)))
    if " " not in bare and bare.count("+") > 1:
        bare = bare.replace("+", " ")
    text = bare if _NUMBER_FIRST.match(bare) else without_group(_GROUP_AND_NUMBER.sub("", bare))
    text = _GROUP_IN_PARENTHESES.sub("", text)
    is_fansub = text != bare
    day = find_day(text)
    if day is not None:
        without_day = text[: day.start] + " " * (day.end - day.start) + text[day.end :]
        token = find_certain(without_day) or find_in_square(without_day)
        return _Name(text, _settled(without_day, token), day, is_fansub)
    token = find_token(text) or (find_in_parentheses(text) if is_fansub else None)
    short = find_short_day(text) if token is None or token.kind != "bare" else None
    return _Name(text, _settled(text, token), short, is_fansub)


def _settled(text: str, token: Token | None) -> Token | None:
    return with_absolute(text, token) if token is not None and token.kind == "marked" else token


def _says_more(above: _Name, name: _Name) -> bool:
    """Whether the folder of one episode is clearer than its file."""
    token = above.token if above.token and above.token.kind == "marked" else None
    if token is None:
        return above.day is not None and name.token is None
    return len(token.episodes) == 1 or name.token is None


def _is_unclear(name: _Name) -> bool:
    if name.token is None and name.day is None:
        return True
    end = max(found.end for found in (name.token, name.day) if found)
    return _is_scene(name.text[end:])


def _is_scene(tail: str) -> bool:
    """Whether a title without spaces may follow the token, and release words after it."""
    cruft = CRUFT.search(tail)
    return " " not in tail and bool(words(tail[: cruft.start()] if cruft else tail))


# Folders


def _folders(names: list[str]) -> list[Show]:
    """Read the folders; one that is only a number is a season if a show is above it."""
    folders: list[Show] = []
    for name in names:
        number = number_only(name)
        has_show = any(above.title and not _SHELF.fullmatch(above.title) for above in folders)
        is_season = number is not None and has_show
        folders.append(Show("", season=number) if is_season else _folder(name))
    return folders


@lru_cache(maxsize=512)  # the files of a folder come one after the other
def _folder(name: str) -> Show:
    """Read a folder: a show, a season, or "Show - Season 1" both."""
    text = without_group(with_latin_first(without_ids(name).translate(_QUOTES)))
    if is_specials(text.strip()):
        before = text.rpartition(" - ")[0]
        return Show("" if find_season(before) else words(before), season=0)
    found = find_season(text)
    if found is None:
        token, day = find_marked(text), find_day(text)
        end = min((found.start for found in (token, day) if found), default=len(text))
        season = token.season if token and len(token.episodes) > 1 else None
        show = titled(text[:end])
        return Show(_NUMBERS_AT_END.sub("", show.title), show.year, season)
    show = titled(text[: found.start()])
    return Show(show.title, show.year, season_number(found))


def _chosen(folders: list[Show], mine: Show) -> Show:
    """Take the show's folder, the nearest that is more than a season; else the file's text."""
    named = [above for above in folders if above.title]
    mine_key = fold(mine.title)
    same = [above for above in named if mine_key and fold(above.title) == mine_key]
    shelves = [number for number, above in enumerate(named) if _SHELF.fullmatch(above.title)]
    real = named[max(shelves, default=-1) + 1 :]  # none that holds a shelf
    real = (
        real
        if real or mine.title
        else [above for above in named if not _SHELF.fullmatch(above.title)]
    )
    chosen = (same or real or ([mine] if mine.title else named) or [mine])[-1]
    years = [
        show.year
        for show in (*same, chosen, mine)
        if show.year and fold(show.title) == fold(chosen.title)
    ]
    return Show(chosen.title, years[0] if years else None)


# The file


def _show_before(name: _Name, guessed: dict[str, list[Found]]) -> Show:
    """Read show and season from the text before the token or the date."""
    if name.token is None and name.day is None:
        year = first(guessed, "year")
        title = words(str(first(guessed, "title") or ""))
        return Show(title, int(year) if year else None)
    before = name.text[: name.begin]
    if not words(before) and name.day and name.token and name.day.start < name.token.start:
        before = name.text[name.day.end : name.token.start]
    found = find_season(before)
    if found is None or " - " in found.group():
        show = titled(_DOT_AT_END.sub("", before))
        return Show(latin_title(show.title), show.year)
    show = titled(_DOT_AT_END.sub("", before[: found.start()].rstrip()))
    if not show.title:
        has_season = name.token is not None and name.token.season is not None
        is_alone = not has_season and not words(before[found.end() :])
        is_alone = is_alone and season_number(found) < 100
        return Show("", season=season_number(found)) if is_alone else titled(before)
    if is_bilingual(show.title + before[found.end() :]):
        whole = titled(f"{before[: found.start()]} {before[found.end() :]}")
        show = Show(latin_title(whole.title), show.year or whole.year)
    return Show(show.title, show.year, season_number(found))


def _unnamed(
    name: _Name, stem: str, title: str | None, root_name: str, *, has_folder: bool
) -> tuple[Show, str | None]:
    """Name the show of a file that has only a number and a title: "01. Show - Title"."""
    is_numbered = name.token is not None and name.token.kind != "bare"
    if title and is_numbered and not has_folder and name.text.lstrip().startswith("["):
        return Show(title), None  # "[S01E02] Show"
    if root_name and (has_folder or (is_numbered and not _SHELF.fullmatch(root_name))):
        return Show(root_name), title
    if name.is_fansub and title is None:
        return Show(bracketed_title(stem[: stem.find("]")])), None
    if title is None and root_name and not _SHELF.fullmatch(root_name):
        return Show(root_name), None  # "05.mkv"
    if title is None or is_numbered:
        return Show(""), title
    show, _, rest = title.partition(" - ")
    return Show(show), rest or None


def _sequel(title: str, show: str) -> int | None:
    """Return the 2 of "Show 2 - 05.mkv" in a folder "Show"."""
    key, number = fold(title).rpartition("-")[::2]
    return int(number) if number.isdecimal() and len(number) < 3 and key == fold(show) else None


def _guessed_token(guessed: dict[str, list[Found]]) -> Token | None:
    """Return guessit's reading, for a name that no rule here recognises."""
    found = [one for name in ("season", "episode") for one in guessed.get(name, ())]
    numbers = [one.value for one in guessed.get("episode", ()) if isinstance(one.value, int)]
    if not numbers:
        return None
    if numbers != sorted(numbers) or numbers[-1] - numbers[0] >= MOST_EPISODES_IN_A_FILE:
        numbers = numbers[:1]
    season = first(guessed, "season")
    return Token(
        min(one.start for one in found),
        max(one.end for one in found),
        tuple(dict.fromkeys(numbers)),
        season if isinstance(season, int) and season else None,  # 001 is not season 0
        "bare",
    )


def _guessed_day(guessed: dict[str, list[Found]]) -> Day | None:
    found = guessed["date"][0] if guessed.get("date") else None
    return Day(found.start, found.end, found.value) if found else None


class _Numbers(NamedTuple):
    season: int | None
    episodes: tuple[int, ...] = ()
    absolute: int | None = None
    absolute_end: int | None = None


def _numbers(
    token: Token | None, season: int | None, *, is_fansub: bool, is_alone: bool
) -> _Numbers:
    """Settle season, episodes and absolute numbers from the token and the season around it."""
    if token is None:
        return _Numbers(season)
    if token.season is not None:
        return _Numbers(token.season, token.episodes, *_ends(token.absolute))
    number = token.episodes[0]
    if season is None and token.kind == "worded" and number < 100 and not is_fansub:
        return _Numbers(1, token.episodes)
    if season and number > 99 and number // 100 == season and not is_fansub:
        return _Numbers(season, tuple(each - season * 100 for each in token.episodes))
    may_hold_season = token.may_hold_season and not is_fansub and (is_alone or token.start)
    if season is None and may_hold_season and _is_split(number, is_alone):
        return _Numbers(number // 100, tuple(each % 100 for each in token.episodes))
    if season is None or number > 99:
        return _Numbers(season, (), *_ends(token.episodes))
    return _Numbers(season, token.episodes)


MOST_EPISODES_IN_A_SEASON = 39  # of a name that writes 305 for season 3, episode 5


def _is_split(number: int, is_alone: bool) -> bool:
    """Whether 305 is season 3, episode 5; above 999 only where no folder holds the whole show."""
    most = 10_000 if is_alone else 1000
    return 100 < number < most and 0 < number % 100 <= MOST_EPISODES_IN_A_SEASON


def _ends(numbers: tuple[int, ...]) -> tuple[int | None, int | None]:
    return (numbers[0] if numbers else None, numbers[-1] if len(numbers) > 1 else None)


_SPECIAL = re.compile(r"(?<![^\W_])(?:special|spécial|especial|speciale?)$", re.I)
_NOTE = re.compile(
    r"\[[^\]]*\]?|\((?:\d{3,4}p|bd|tv|dvd|web)[^)]*\)?|^[ ._]*\(?end\b\)?|\(v\d\)|^-[^\W_]+$", re.I
)
_OF_RELEASE = re.compile(rf"{YEAR}|480|576|720|1080|2160")  # before other release words
_ONLY_DATE = re.compile(rf"\({YEAR}\)|\d{{6}}")  # of the release: "E05.END.170505.720p"


def _title(name: _Name, guessed: dict[str, list[Found]], show: str) -> str | None:
    """Read the title after the token; without a token the whole name is one."""
    text, token, day, _ = name
    begin = token.end if token else day.end if day else 0
    if day is not None and token is not None and day.start >= token.end:
        text = text[: day.start] + " " * (day.end - day.start) + text[day.end :]
    end = release_start(guessed, begin, len(text))
    cruft = CRUFT.search(text, begin, end)
    end = cruft.start() if cruft else end
    tail = text[begin:end] if end == len(text) else _DOT_AT_END.sub("", text[begin:end])
    tail = _NOTE.sub(" ", tail)
    title = words(tail.lstrip(" ._-")) or None
    if title and (
        _ONLY_DATE.fullmatch(title.rstrip("."))
        or (end < len(text) and _OF_RELEASE.fullmatch(title))
    ):
        return None
    if title and begin == 0 and show and title.casefold().startswith(show.casefold()):
        rest = title[len(show) :]
        return words(rest) if rest.startswith(" - ") or _SPECIAL.search(rest) else title
    return title
