"""WatchedRecord: one row of an export, and the forms of its values in other programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from math import isfinite
from typing import Any

from ..database import moments
from ..database.checks import LONGEST_ID
from ..errors import InvalidValueError

# The names of each field in other programs; the first one with a value counts.
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
        "watched_at",
        "viewed_at",
        "last_viewed_at",
        "played_at",
        "watched_date",
        "date",
    ),
    "position": ("position",),
    "percent": ("percent", "percent_complete"),
    "watched_s": ("watched_s", "duration_watched"),
    "completed": ("completed", "watched"),
    "play_count": ("play_count", "plays"),
    "kind": ("kind", "media_type", "type"),
    "tmdb_id": ("tmdb_id", "tmdb"),
    "imdb_id": ("imdb_id", "imdb"),
    "tvdb_id": ("tvdb_id", "tvdb"),
    "musicbrainz_id": ("musicbrainz_id", "recording_mbid", "mbid"),
    "show_tmdb_id": ("show_tmdb_id",),
    "show_imdb_id": ("show_imdb_id",),
    "show_tvdb_id": ("show_tvdb_id",),
    "is_day": ("is_day",),
    "left_out": ("left_out",),
}
IDS = ("tmdb_id", "imdb_id", "tvdb_id", "musicbrainz_id")
SHOW_IDS = ("show_tmdb_id", "show_imdb_id", "show_tvdb_id")

_SHOWN_CHARS = 60
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST_TEXT = 4096  # characters: the longest path
_MOST_DIGITS = 18  # of a number; longer ones are neither a year, a position nor a time
_FIRST_SECOND = 31_536_000  # Unix time of 1971: a smaller number is not a time, perhaps a year
_NUMBER = re.compile(r"\d+(?:\.\d*)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d{1,9})?)", re.ASCII)
_YES, _NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}
_WITHOUT_ZONE = "2024-05-31T20:15:00+02:00 or 2024-05-31"


@dataclass(frozen=True, slots=True)
class WatchedRecord:
    """One play or progress of a user elsewhere; an unknown value is None.

    store.importing.watched([WatchedRecord(user="anna", title="Dune", year=2021, percent=40)])

    """

    number: int = 0
    """The line of the file, or the position in the list, from 1."""
    user: str | None = None
    """The user's id in this store."""
    title: str | None = None
    """The title of the movie, episode or track."""
    year: int | None = None
    """The year of the movie, show or episode."""
    show: str | None = None
    season: int | None = None
    episode: int | None = None
    artist: str | None = None
    album: str | None = None
    path: str | None = None
    watched_at: datetime | None = None
    """When it was watched; aware."""
    position: float | None = None
    """Seconds."""
    percent: float | None = None
    """The position in percent of the running time, 0 to 100."""
    watched_s: float | None = None
    """The number of seconds that were watched."""
    completed: bool | None = None
    """Whether it was watched to the end."""
    play_count: int | None = None
    kind: str | None = None
    """movie, episode or track."""
    tmdb_id: int | None = None
    """The id of the movie or episode; a show's ids have separate fields."""
    imdb_id: str | None = None
    tvdb_id: int | None = None
    musicbrainz_id: str | None = None
    """The id of the recording."""
    show_tmdb_id: int | None = None
    show_imdb_id: str | None = None
    show_tvdb_id: int | None = None
    is_day: bool | None = None
    """True if only the day is known; watched_at is its midnight."""
    left_out: str | None = None
    """Why the row is not a play, such as a plan or a trailer."""
    problem: str | None = None
    """Why the row cannot be read."""

    @property
    def what(self) -> str:
        """The title for a list: Dune (2021), Dark S01E02, or a path."""
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
        ids = (f"{name} {getattr(self, name)}" for name in IDS if getattr(self, name) is not None)
        return self.path or ", ".join(ids)

    @property
    def is_watched(self) -> bool | None:
        """Whether it was watched to the end; None if that depends on the position."""
        if self.completed is not None:
            return self.completed
        positions = (self.position, self.percent, self.watched_s)
        if all(value is None for value in positions):
            return self.play_count != 0
        return None if any(positions) else False

    def values(self) -> dict[str, Any]:
        """Return the known values by field name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def json_values(self) -> dict[str, Any]:
        """Return the known values in JSON types; record_of() reads them again."""
        values = self.values()
        if self.watched_at is not None:
            values["watched_at"] = self.watched_at.isoformat()
        return values


def record_of(values: Mapping[Any, Any], number: int, zone: tzinfo = timezone.utc) -> WatchedRecord:
    """Return the record of a row, by any name in COLUMNS; errors become its `problem`.

    zone applies to times without a zone.
    """
    given: dict[str, tuple[int, str, Any]] = {}
    for column, value in values.items():
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            continue
        known = _known_as(column if isinstance(column, str) else str(column))
        if known is not None and known[1] < given.get(known[0], (99,))[0]:
            given[known[0]] = (known[1], known[2], value)
    converted: dict[str, Any] = {}
    problem = None
    for name, (_, column, value) in sorted(given.items(), key=lambda item: _ORDER[item[0]]):
        try:
            if name == "watched_at":
                converted.update(_when(value, zone))
            else:
                converted[name] = _CONVERT[name](value)
        except InvalidValueError as exc:
            problem = problem or f"{column} cannot be {_shown(value)}: {exc}"
    return WatchedRecord(number, **converted, problem=problem)


@lru_cache(maxsize=4096)
def _known_as(text: str) -> tuple[str, int, str] | None:
    """Return the field of a column, the column's rank among the field's names, and its name."""
    column = column_name(text) if len(text) <= _SHOWN_CHARS else ""
    found = _ALIASES.get(column)
    return found and (*found, column)


_ALIASES = {
    alias: (name, rank) for name, aliases in COLUMNS.items() for rank, alias in enumerate(aliases)
}
_ORDER = {name: number for number, name in enumerate(COLUMNS)}


def column_name(name: object) -> str:
    """Return a column's name normalised as in COLUMNS: "Watched At" becomes watched_at."""
    return re.sub(r"[\s_-]+", "_", str(name).strip().casefold())


def _shown(value: object) -> str:
    if not isinstance(value, (str, float)) and type(value) is not int:
        return f"of type {type(value).__name__}"  # repr() of deep lists ends in a RecursionError
    if type(value) is int and abs(value) >= 10**_MOST_DIGITS:
        return "such a long number"
    text = repr(value[:_SHOWN_CHARS] if isinstance(value, str) else value)
    return text if len(str(value)) <= _SHOWN_CHARS else f"{text}..."


# Conversions: each raises InvalidValueError with the expected form


def _text(value: object) -> str:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise InvalidValueError("it contains a NUL or a lone surrogate")
        if len(value) <= _LONGEST_TEXT:
            return value.strip()
        raise InvalidValueError(f"it has more than {_LONGEST_TEXT} characters")
    if type(value) is int and abs(value) < 10**_MOST_DIGITS:  # 1917, in JSON
        return str(value)
    raise InvalidValueError("text was expected")


def _number(value: Any) -> float:
    if type(value) in (int, float) and abs(value) < 10**_MOST_DIGITS and isfinite(value):
        return float(value)
    text = value.strip() if isinstance(value, str) else ""
    if _NUMBER.fullmatch(text) and len(text) <= _MOST_DIGITS:
        return float(text)
    raise InvalidValueError("a number was expected")


def _whole(value: object) -> int:
    try:
        number = _number(value)
    except InvalidValueError:
        number = -1.0
    if not number.is_integer() or not 0 <= number < 1 << 31:
        raise InvalidValueError("a whole number was expected, 0 or more")
    return int(number)


def _seconds(value: object) -> float:
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


def _flag(value: object) -> bool:
    text = str(value).strip().casefold() if type(value) in (str, bool, int) else ""
    if text in _YES | _NO:
        return text in _YES
    raise InvalidValueError("yes or no, true or false, 1 or 0 was expected")


def _when(value: object, zone: tzinfo) -> dict[str, Any]:
    """Return watched_at, and is_day if only a day is known; {} for 1970.

    Programs write the first second of 1970 for an unknown time.
    """
    try:
        moment, is_day = _moment_of(value, zone)
    except (ValueError, OverflowError) as exc:
        raise InvalidValueError(
            f"a date or time was expected, such as {_WITHOUT_ZONE}, or Unix seconds"
        ) from exc
    if moment.year == 1970 or abs(moment - _NEVER) < _A_DAY:
        return {}
    return {"watched_at": moment, **({"is_day": True} if is_day else {})}


_A_DAY = timedelta(days=1)
_NEVER = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _moment_of(value: object, zone: tzinfo) -> tuple[datetime, bool]:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(value)
        return value.astimezone(timezone.utc), False
    if isinstance(value, date):
        value = value.isoformat()
    found = moments.written(value) if isinstance(value, str) else None
    if found is None:
        return _unix(_number(value)), False
    moment = found.moment if found.moment.tzinfo else found.moment.replace(tzinfo=zone)
    return moment.astimezone(timezone.utc), found.is_day


def _unix(number: float) -> datetime:
    if number < _FIRST_SECOND:
        raise ValueError(number)
    return moments.since_epoch(number)


def _user(value: object) -> str:
    text = _text(value)
    if len(text) > LONGEST_ID:
        raise InvalidValueError(f"it has more than {LONGEST_ID} characters")
    return text


def _kind(value: object) -> str | None:
    """Return the kind; None for other programs' words for something else."""
    return _KINDS.get(str(value).strip().casefold()) if isinstance(value, str) else None


def _percent(value: object) -> float:
    number = _number(value.rstrip(" %") if isinstance(value, str) else value)
    if not 0 <= number <= 100:
        raise InvalidValueError("a number from 0 to 100 was expected")
    return number


def _imdb(value: object) -> str:
    text = _text(value)
    if not _IMDB.fullmatch(text):
        raise InvalidValueError("an id like tt0113277 was expected")
    return text


_IMDB = re.compile(r"tt\d{1,10}", re.ASCII)
_KINDS = {
    "movie": "movie",
    "film": "movie",
    "episode": "episode",
    "track": "track",
    "song": "track",
    "audio": "track",
}
_CONVERT: dict[str, Callable[[Any], Any]] = {
    "user": _user,
    "title": _text,
    "year": _whole,
    "show": _text,
    "season": _whole,
    "episode": _whole,
    "artist": _text,
    "album": _text,
    "path": _text,
    "position": _seconds,
    "percent": _percent,
    "watched_s": _seconds,
    "completed": _flag,
    "play_count": _whole,
    "kind": _kind,
    "tmdb_id": _whole,
    "imdb_id": _imdb,
    "tvdb_id": _whole,
    "musicbrainz_id": _text,
    "show_tmdb_id": _whole,
    "show_imdb_id": _imdb,
    "show_tvdb_id": _whole,
    "is_day": _flag,
    "left_out": _text,
}
