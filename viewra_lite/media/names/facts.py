"""The results of reading a name: a movie, an episode, a track or an extra."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Union

from .keys import fold

VARIOUS_ARTISTS = "Various Artists"


@dataclass(frozen=True, slots=True)
class MovieName:
    """A movie file: the film, and which version or part of it the file holds."""

    title: str
    year: int | None = None
    edition: str | None = None
    part: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    source: str | None = None
    """Blu-ray, DVD, Web, TV ..., of the file."""

    @property
    def identity(self) -> str:
        """Key the film and its part: editions and qualities of one film share it."""
        part = f":part{self.part}" if self.part else ""
        return f"movie:{fold(self.title)}:{self.year or ''}{part}"


class SeasonIds(NamedTuple):
    """The external ids that a name has for a season."""

    tvdb_id: int | None = None
    tmdb_id: int | None = None


class SeasonEpisodes(NamedTuple):
    """Numbers of one season's episodes in a file."""

    season: int
    episodes: tuple[int, ...]


class EpisodeIds(NamedTuple):
    """The external ids that a name has for an episode."""

    tvdb_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None


@dataclass(frozen=True, slots=True)
class EpisodeName:
    """An episode file: season 0 holds specials; tvdb_id, tmdb_id and imdb_id are the show's."""

    show: str
    show_year: int | None = None
    season: int | None = None
    episodes: tuple[int, ...] = ()
    absolute: int | None = None
    title: str | None = None
    air_date: date | None = None
    tvdb_id: int | None = None
    tmdb_id: int | None = None
    imdb_id: str | None = None
    absolute_end: int | None = None
    """The last number, in a file with several absolute ones."""
    source: str | None = None
    """Blu-ray, DVD, Web, TV ..., of the file."""
    series: str | None = None
    """ "OVA" or "12.5": what special it is that has a number, but not one of season 0."""
    season_tvdb_id: int | None = None
    season_tmdb_id: int | None = None
    episode_tvdb_id: int | None = None
    episode_tmdb_id: int | None = None
    episode_imdb_id: str | None = None
    later: tuple[SeasonEpisodes, ...] = ()
    """The episodes of later seasons: season 2, episode 1 of "S01E10S02E01"."""

    @property
    def season_ids(self) -> SeasonIds:
        """The ids of the season."""
        return SeasonIds(self.season_tvdb_id, self.season_tmdb_id)

    @property
    def episode_ids(self) -> EpisodeIds:
        """The ids of the episode; of the first one, in a file with several."""
        return EpisodeIds(self.episode_tvdb_id, self.episode_tmdb_id, self.episode_imdb_id)

    @property
    def identity(self) -> str:
        """Key the episode: by season and number, else absolute number, else date, else title."""
        return f"episode:{fold(self.show)}:{self.show_year or ''}:{self._which()}"

    def _which(self) -> str:
        if self.series is not None:
            numbers = "".join(f"-{number}" for number in self.episodes)
            return f"s{self.season or 0:02d}:{fold(self.series)}{numbers}"
        if self.episodes:
            seasons = (SeasonEpisodes(self.season or 0, self.episodes), *self.later)
            return "+".join(f"s{number:02d}{_episode_span(some)}" for number, some in seasons)
        if self.absolute is not None:
            last = f"-a{self.absolute_end}" if self.absolute_end else ""
            return f"a{self.absolute}{last}"
        if self.air_date is not None:
            is_of_year = self.season in (None, self.air_date.year)
            return ("" if is_of_year else f"s{self.season:02d}:") + self.air_date.isoformat()
        season = "" if self.season is None else f"s{self.season:02d}:"
        return season + fold(self.title or "")


@dataclass(frozen=True, slots=True)
class TrackName:
    """A music file: `artist` plays the track, `album_artist` is on the cover where it differs."""

    artist: str | None
    album: str | None
    title: str
    disc: int | None = None
    track: int | None = None
    year: int | None = None
    album_artist: str | None = None

    @property
    def identity(self) -> str:
        """Key the track on its album; a file without a disc number is on disc 1."""
        who, album = fold(self.album_artist or self.artist or ""), fold(self.album or "")
        return f"track:{who}:{album}:{self.disc or 1}:{self.track or ''}:{fold(self.title)}"


@dataclass(frozen=True, slots=True)
class ExtraName:
    """An extra of a film, or of a show, season or episode: `of` has what it belongs to.

    kind is trailer, behind_the_scenes, deleted_scene, featurette, interview, scene, short, clip,
    sample, theme or other. title is its own, else the word for its kind.
    """

    kind: str
    title: str
    of: Union[MovieName, EpisodeName]

    @property
    def identity(self) -> str:
        """Key the extra: below the identity of what it belongs to."""
        return f"extra:{self.of.identity}:{self.kind}:{fold(self.title)}"


NameFacts = Union[MovieName, EpisodeName, TrackName, ExtraName]


def _episode_span(episodes: tuple[int, ...]) -> str:
    first, last = episodes[0], episodes[-1]
    if first == last:
        return f"e{first:02d}"
    if episodes == tuple(range(first, last + 1)):
        return f"e{first:02d}-e{last:02d}"
    return "".join(f"e{number:02d}" for number in episodes)
