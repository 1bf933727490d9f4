"""One thing that somebody watched elsewhere, and how other programs write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from math import isfinite
from typing import Any

from .errors import InvalidValueError

# What each fact is called by other programs; the first that has a value counts.
COLUMNS = {
    "user": ("user", "user_id", "username", "user_name"),
    "title": ("title", "name"),
    "year": ("year", "release_year"),
    "show": ("show", "series", "grandparent_title"),
    "season": ("season", "season_number", "parent_media_index"),
    "episode": ("episode", "episode_number", "media_index"),
    "artist": ("artist",),
    "album": ("album",),
    "path": ("path", "file"),
    "watched_at": (
        "watched_at", "viewed_at", "last_viewed_at", "played_at", "watched_date", "date",
    ),
    "position": ("position",),
    "completed": ("completed", "watched"),
    "play_count": ("play_count", "plays"),
}

_SHOWN_CHARS = 60
_LONGEST_TEXT = 4096  # characters: the longest path there is
_MOST_DIGITS = 18  # of a number; more are no year, no position and no time
_FIRST_SECOND = 31_536_000  # Unix time of 1971: a smaller number is no time, perhaps a year
_MILLISECONDS_FROM = 100_000_000_000  # as seconds, the year 5138
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?"
    r"\s?(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII | re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d{1,9})?)", re.ASCII)
_YES, _NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}
_WITHOUT_ZONE = "2024-05-31T20:15:00+02:00 or 2024-05-31"


@dataclass(frozen=True, slots=True)
class WatchedRecord:
    """What somebody watched, when, and how far; None is not known."""

    number: int = 0
    """The line of the file, or which of the list it is, from 1."""
    user: str | None = None
    """The user's id in this store."""
    title: str | None = None
    """Of a movie, an episode or a track."""
    year: int | None = None
    """Of the movie, the show or the episode."""
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    artist: str | None = None
    album: str | None = None
    path: str | None = None
    watched_at: datetime | None = None
    position: float | None = None
    """Seconds."""
    completed: bool | None = None
    play_count: int | None = None
    problem: str | None = None
    """Why it cannot be read."""

    @property
    def what(self) -> str:
        """Say what it is in a list: Dune (2021), Dark S01E02, or a path."""
        if self.show is not None:
            numbers = [
                f"{letter}{number:02}"
                for letter, number in (("S", self.season), ("E", self.episode))
                if number is not None
            ]
            return " ".join(filter(None, (self.show, "".join(numbers), self.title)))
        if self.title is not None:
            title = f"{self.title} ({self.year})" if self.year is not None else self.title
            return f"{self.artist} - {title}" if self.artist is not None else title
        return self.path or ""

    @property
    def is_watched(self) -> bool:
        """Whether it was watched to the end: told so, or nothing else was told."""
        if self.completed is None:
            return self.position is None and self.play_count != 0
        return self.completed


def record_of(values: Mapping[Any, Any], number: int) -> WatchedRecord:
    """Return what a row says, by any name in COLUMNS; its first problem instead of an error."""
    given = {column_name(name): value for name, value in values.items()}
    facts: dict[str, Any] = {}
    problem = None
    for name, aliases in COLUMNS.items():
        column = next((each for each in aliases if not _is_blank(given.get(each))), None)
        if column is None:
            continue
        try:
            facts[name] = _CONVERT[name](given[column])
        except InvalidValueError as exc:
            problem = problem or f"{column} cannot be {_shown(given[column])}: {exc}"
    return WatchedRecord(number, **facts, problem=problem)


def column_name(name: Any) -> str:
    """Return a column's name as COLUMNS has it: "Watched At" is watched_at."""
    return re.sub(r"[\s_-]+", "_", str(name).strip().casefold())


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _shown(value: Any) -> str:
    if not isinstance(value, (str, float)) and type(value) is not int:
        return f"of type {type(value).__name__}"  # repr() of deep lists ends in a RecursionError
    if type(value) is int and abs(value) >= 10 ** _MOST_DIGITS:
        return "a number so long"
    text = repr(value[:_SHOWN_CHARS] if isinstance(value, str) else value)
    return text if len(str(value)) <= _SHOWN_CHARS else f"{text}..."


# What the values are: each raises InvalidValueError with what was expected


def _text(value: Any) -> str:
    if isinstance(value, str):
        if len(value) <= _LONGEST_TEXT:
            return value.strip()
        raise InvalidValueError(f"it has more than {_LONGEST_TEXT} characters")
    if type(value) is int and abs(value) < 10 ** _MOST_DIGITS:  # 1917, in JSON
        return str(value)
    raise InvalidValueError("text was expected")


def _number(value: Any) -> float:
    if type(value) in (int, float) and abs(value) < 10 ** _MOST_DIGITS and isfinite(value):
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    if _NUMBER.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return float(text)
    raise InvalidValueError("a number was expected")


def _whole(value: Any) -> int:
    try:
        number = _number(value)
    except InvalidValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number < 1 << 31:
        raise InvalidValueError("a whole number was expected, 0 or more")
    return int(number)


def _seconds(value: Any) -> float:
    clock = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if clock is not None:
        hours, minutes, seconds = int(clock[1] or 0), int(clock[2]), float(clock[3])
        if seconds < 60 and (clock[1] is None or minutes < 60):
            return hours * 3600 + minutes * 60 + seconds
    else:
        try:
            number = _number(value)
        except InvalidValueError:
            number = -1.0
        if number >= 0:
            return number
    raise InvalidValueError("seconds or H:MM:SS were expected")


def _flag(value: Any) -> bool:
    text = str(value).strip().casefold() if type(value) in (str, bool, int) else ""
    if text in _YES | _NO:
        return text in _YES
    raise InvalidValueError("yes or no, true or false, 1 or 0 was expected")


def _moment(value: Any) -> datetime:
    try:
        return _moment_of(value)
    except (ValueError, OverflowError) as exc:
        raise InvalidValueError(
            f"a date or time was expected, as {_WITHOUT_ZONE}, or Unix seconds"
        ) from exc


def _moment_of(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(value)
        return value.astimezone(timezone.utc)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    written = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    return _unix(_number(value)) if written is None else _iso(*written.groups())


def _iso(
    day: str, minutes: str | None, seconds: str | None, fraction: str | None, zone: str | None
) -> datetime:
    """Return a time of which fromisoformat() reads every form only from Python 3.11 on."""
    text = f"{day}T{minutes or '00:00'}:{seconds or '00'}.{(fraction or '0')[:6]:0<6}"
    moment = datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    if zone is None or zone in "Zz":
        return moment
    hours, minute = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    ahead = timezone(timedelta(hours=hours, minutes=minute) * (-1 if zone[0] == "-" else 1))
    return moment.replace(tzinfo=ahead).astimezone(timezone.utc)


def _unix(number: float) -> datetime:
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    if seconds < _FIRST_SECOND:
        raise ValueError(number)
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)


_CONVERT: dict[str, Callable[[Any], Any]] = {
    "user": _text, "title": _text, "year": _whole, "show": _text, "season": _whole,
    "episode": _whole, "artist": _text, "album": _text, "path": _text, "watched_at": _moment,
    "position": _seconds, "completed": _flag, "play_count": _whole,
}
