"""The grammar of identities: the text that names a movie, an episode, a track, a show, an album.

movie:heat:1995  movie:heat:1995:part2  show:lost:2004  album:gould:goldberg-variations
episode:lost:2004:s01e02  …:s01e02-e04  …:s01e24+s02e01  …:a12  …:a12-a13
…:2016-02-25  …:s08:2016-02-25
track:gould:aria:1:3:aria
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .names.facts import EpisodeName, SeasonEpisodes
from .names.keys import fold

UNKNOWN_ALBUM = "Unknown Album"
UNKNOWN_ARTIST = "Unknown Artist"

_MOVIE = re.compile(r"(movie:[^:]*:[^:]*)(?::(?:part|cd)(\d{1,9}))?")
_EPISODE = re.compile(r"episode:([^:]*:[^:]*):(.+)", re.DOTALL)
_SPAN = re.compile(r"s(\d{1,9})((?:-?e\d{1,9})+)")
_ABSOLUTE = re.compile(r"a(\d{1,9})(?:-a(\d{1,9}))?")
_DATE = re.compile(r"(?:s(\d{1,9}):)?(\d{4})-(\d\d)-(\d\d)")
_LONGEST_SPAN = 1000  # episodes of one file


class EpisodeNumbers(NamedTuple):
    """The show and the episodes that a file holds."""

    show: str
    """The show's identity."""
    seasons: tuple[SeasonEpisodes, ...]


def movie_identity(title: str, year: int | None) -> str:
    """Return the identity of a movie in a library; those of its files start with it."""
    return f"movie:{fold(title)}:{year or ''}"


def show_identity(title: str, year: int | None) -> str:
    """Return the identity of a show in a library."""
    return f"show:{fold(title)}:{year or ''}"


def album_identity(title: str, album_artist: str | None) -> str:
    """Return the identity of an album in a library."""
    return f"album:{fold(album_artist or UNKNOWN_ARTIST)}:{fold(title)}"


def album_name(identity: str) -> str:
    """Return an album's identity without the part that distinguishes albums of one name."""
    return ":".join(identity.split(":")[:3])


def track_identity(
    album: str, disc: int, number: int, title: str, artist: str | None = None
) -> str:
    """Return the identity of a track on the album with this identity.

    artist is given if several tracks have the same numbers and title.
    """
    identity = f"track:{album.partition(':')[2]}:{disc}:{number or ''}:{fold(title)}"
    return f"{identity}:{fold(artist)}" if artist else identity


def track_identities(album: str, tracks: Sequence[Any]) -> list[str]:
    """Return the identities of all tracks of an album."""
    numbered = [(track.disc_number, track.track_number, track.title) for track in tracks]
    several = {key for key, count in Counter(numbered).items() if count > 1}
    return [
        track_identity(album, *key, track.artist if key in several else None)
        for key, track in zip(numbered, tracks)
    ]


def numbers(name: EpisodeName) -> tuple[SeasonEpisodes, ...]:
    """Return the numbers of a file's episodes, by season; nothing for a special without one.

    Absolute numbers are of season 1 and dates of season "year", unless the name has a season; the
    number of a date is month and day, 1115 for 15 November.
    """
    season = 1 if name.season is None else name.season
    if name.series is not None:
        return ()
    if name.episodes:
        return SeasonEpisodes(season, name.episodes), *name.later
    if name.absolute is not None:
        return (SeasonEpisodes(season, _range(name.absolute, name.absolute_end)),)
    if name.air_date is not None:
        season = name.air_date.year if name.season is None else name.season
        return (SeasonEpisodes(season, (name.air_date.month * 100 + name.air_date.day,)),)
    return ()


def movie_part(identity: str) -> tuple[str, int] | None:
    """Split a file's identity into the movie's and the part, 0 for the whole movie."""
    found = _MOVIE.fullmatch(identity)
    return (found[1], int(found[2] or 0)) if found is not None else None


def episode_numbers(identity: str) -> EpisodeNumbers | None:
    """Return the episodes that a file's identity names by number, or None."""
    found = _EPISODE.fullmatch(identity)
    seasons = [_numbered(which) for which in found[2].split("+")] if found is not None else []
    known = tuple(filter(None, seasons))
    is_known = found is not None and known and len(known) == len(seasons)
    return EpisodeNumbers(f"show:{found[1]}", known) if found and is_known else None


def _numbered(which: str) -> SeasonEpisodes | None:
    """Return season and episodes as numbers() does, from the last part of an identity."""
    if span := _SPAN.fullmatch(which):
        return SeasonEpisodes(int(span[1]), _span(span[2]))
    if absolute := _ABSOLUTE.fullmatch(which):
        return SeasonEpisodes(1, _range(int(absolute[1]), int(absolute[2] or 0)))
    if date := _DATE.fullmatch(which):
        return SeasonEpisodes(int(date[1] or date[2]), (int(date[3]) * 100 + int(date[4]),))
    return None


def _range(first: int, last: int | None) -> tuple[int, ...]:
    return (
        tuple(range(first, last + 1)) if last and first < last < first + _LONGEST_SPAN else (first,)
    )


def _span(text: str) -> tuple[int, ...]:
    """Return the episodes of e02, e02-e04, e02e05."""
    found = [int(number) for number in re.findall(r"\d+", text)]
    if "-" in text and 0 < found[-1] - found[0] < _LONGEST_SPAN:
        return tuple(range(found[0], found[-1] + 1))
    return tuple(dict.fromkeys(found))
